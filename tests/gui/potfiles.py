"""Every file with words for people is listed in po/POTFILES.in, sorted; nothing is listed that is not there.
potfiles.py SOURCE-ROOT"""
import glob
import os
import re
import sys

os.chdir(sys.argv[1])
listed = open("po/POTFILES.in").read().split()
wanted = set(glob.glob("resources/ui/*.ui"))
for path in glob.glob("gui/*.c") + glob.glob("widgets/*.c"):
    if re.search(r"\b(_|N_|ngettext|C_)\s*\(", open(path).read()):
        wanted.add(path)
print("1..2")
missing, extra = sorted(wanted - set(listed)), sorted(set(listed) - wanted)
print("ok 1 - complete" if not missing and not extra else "not ok 1 - missing %s, too much %s" % (missing, extra))
print("ok 2 - sorted" if listed == sorted(listed) else "not ok 2 - sorted")
sys.exit(0)
