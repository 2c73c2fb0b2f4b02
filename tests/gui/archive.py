"""Archives open anywhere: every page draws one that was moved away from where it was made, without network, MPI, site or
conductor, and changes nothing in it; so does an archive whose store is of an older version. Another experiment is set beside
it. archive.py MAKE-DEMO-FOLDER FIRSTLIGHT"""
import glob
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

demos, firstlight = sys.argv[1:]
control = os.environ["FIRSTLIGHT_CONTROL"]
PAGES = {"store": ["runs", "trials", "datasets", "jobs", "live", "weather", "cells", "images", "sites", "log"],
         "merges": ["merging"], "maps": ["density"], "reconstructions": ["density"]}
ARGUMENTS = {"store": ["3", "60", "2"]}


def bare_path(top):
    """A PATH in which there is neither mpirun nor ssh."""
    folder = os.path.join(top, "bin")
    os.mkdir(folder)
    for name in ("sh", "env"):
        os.symlink(shutil.which(name), os.path.join(folder, name))
    return folder


def offline():
    able = subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0
    return ["unshare", "-n"] if able else []


def draw(top, folder, page, environment):
    picture = os.path.join(top, page + ".png")
    done = subprocess.run([*offline(), firstlight, folder, "--page", page, "--snapshot", picture, "--after", "0.5"],
                          capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert os.path.getsize(picture) > 10000
    assert "CRITICAL" not in done.stderr and "WARNING **" not in done.stderr.replace(
        "Unable to acquire session bus", ""), done.stderr
    os.unlink(picture)


def verify(folder):
    done = subprocess.run([control, "archive", "--verify", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def main():
    if "DISPLAY" not in os.environ:
        print("1..0 # SKIP no display: run the suite under xvfb-run")
        return 0
    print("1..%d" % (sum(map(len, PAGES.values())) + 1))
    number = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as top:
        environment = dict(os.environ, PATH=bare_path(top), XDG_CACHE_HOME=os.path.join(top, "cache"))
        unshare = shutil.which("unshare")
        if unshare:
            os.symlink(unshare, os.path.join(environment["PATH"], "unshare"))
        for demo, pages in PAGES.items():
            first, made = os.path.join(top, "first"), os.path.join(top, "made")
            moved = os.path.join(top, "elsewhere", demo)
            os.makedirs(os.path.dirname(moved), exist_ok=True)
            subprocess.run([os.path.join(demos, "make-demo-" + demo), first, *ARGUMENTS.get(demo, [])], check=True,
                           stdout=subprocess.DEVNULL)
            subprocess.run([control, "archive", first, "--to", made, "--quiet", "--live", "--partial"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            shutil.rmtree(first)
            os.rename(made, moved)
            for page in pages:
                draw(top, moved, page, environment)
                number += 1
                print("ok %d - %s of %s" % (number, page, demo), flush=True)
            verify(moved)
        # One that says that it is of the version before: what has come since is made again, in a copy.
        store = sqlite3.connect(glob.glob(os.path.join(top, "elsewhere/store/firstlight.sqlite"))[0])
        with store:
            store.execute("UPDATE counter SET value = value - 1 WHERE name = 'schema'")
        store.close()
        before = open(os.path.join(top, "elsewhere/store/firstlight.sqlite"), "rb").read()
        draw(top, os.path.join(top, "elsewhere/store"), "live", environment)
        assert open(os.path.join(top, "elsewhere/store/firstlight.sqlite"), "rb").read() == before
        assert os.listdir(os.path.join(top, "cache/firstlight/older"))
        print("ok %d - of the version before" % (number + 1))
    return 0


sys.exit(main())
