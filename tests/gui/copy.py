"""An experiment's folder copied to another place opens there without site, conductor or network, changes nothing, and
says what is missing. copy.py MAKE-DEMO-STORE FIRSTLIGHT"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

make, firstlight = sys.argv[1:]
PAGES = ["runs", "trials", "jobs", "live", "weather", "images"]


def contents(folder):
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def main():
    if "DISPLAY" not in os.environ:
        print("1..0 # SKIP no display: run the suite under xvfb-run")
        return 0
    print("1..%d" % (len(PAGES) + 1))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as top:
        first, copy = os.path.join(top, "first"), os.path.join(top, "elsewhere", "copy")
        subprocess.run([make, first, "3", "60", "2"], check=True)
        shutil.copytree(first, copy)
        shutil.rmtree(first)
        shutil.rmtree(os.path.join(copy, "data"))
        before = contents(copy)
        for number, page in enumerate(PAGES, 1):
            picture = os.path.join(top, page + ".png")
            done = subprocess.run([firstlight, copy, "--read-only", "--page", page, "--snapshot", picture, "--after",
                                   "0.5"], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert os.path.getsize(picture) > 10000
            assert "CRITICAL" not in done.stderr and "WARNING **" not in done.stderr.replace(
                "Unable to acquire session bus", ""), done.stderr
            print("ok %d - %s" % (number, page))
        after = contents(copy)
        assert {name: after[name] for name in before} == before, "the copy was changed"
        assert not [name for name in after if name not in before and not name.endswith(("-wal", "-shm"))]
        print("ok %d - nothing was changed" % (len(PAGES) + 1))
    return 0


sys.exit(main())
