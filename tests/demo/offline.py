"""A beamtime's folder opens offline with its versions, statistics and plots: the demo's, copied to another place without its
data files, where no conductor and no site is, writable and not. Every page says what it said at home; nothing is written.

offline.py DEV BUILD-FOLDER SHOW-PAGES FIRSTLIGHT CONTROL PICTURES [SPI-SCORE]     PICTURES: a folder for them; "" keeps none
SPI-SCORE: the beamtime is that of single particles"""
import ctypes, hashlib, os, re, shutil, sqlite3, stat, subprocess, sys, tempfile

import ligand, particle

dev, built, show_pages, firstlight, control, pictures, *spi_score = sys.argv[1:]
PAGES = ["runs", "trials", "datasets", "jobs", "live", "weather", "cells", "merging", "density", "images", "sites"]
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
HARMLESS = ("Unable to acquire session bus", "dbus-daemon", "Failed to set fd limit")


def check(name, good, detail=""):
    check.number += 1
    print(("ok" if good else "not ok"), check.number, "-", name, flush=True)
    if not good:
        print("# " + str(detail).replace("\n", "\n# "), flush=True)


check.number = 0


def obey_modes():
    """Root writes where the modes forbid it; without this capability it does not, and is the same user on the screen."""
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, preexec_fn=obey_modes)


def records(path):
    """All of the database; not its header, in which SQLite counts those who could have written."""
    how = "mode=ro" if os.stat(os.path.dirname(path)).st_mode & stat.S_IWUSR else "immutable=1"
    store = sqlite3.connect(f"file:{path}?{how}", uri=True)
    text = "\n".join(store.iterdump())
    store.close()
    return text.encode()


def contents(folder):
    """What must stay as it is: SQLite may make its own two files anew while it reads."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            if name.endswith(".sqlite"):
                found[name] = hashlib.sha256(records(path)).hexdigest()
            elif not name.endswith(("-wal", "-shm")):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def set_writable(folder, writable):
    for at, folders, names in os.walk(folder, topdown=False):
        for path in [at] + [os.path.join(at, name) for name in names]:
            mode = os.stat(path).st_mode
            os.chmod(path, mode | stat.S_IWUSR if writable else mode & ~0o222)


def complaints(text):
    lines = [line for line in text.splitlines() if line.strip() and not any(word in line for word in HARMLESS)]
    return [line for line in lines if "CRITICAL" in line or "WARNING" in line or "rror" in line]


def look(folder, kind, home):
    """All pages of the folder, by the program itself; what stands there, by the same pages in a program of ours."""
    said = run(show_pages, folder)
    check(f"{kind}: every page says what it said at home", said.returncode == 0 and said.stdout == home,
          said.stdout + said.stderr + "\nat home:\n" + home)
    before = contents(folder)
    wrong = []
    for page in PAGES:
        picture = os.path.join(pictures or os.path.dirname(folder), f"offline-{kind}-{page}.png")
        done = run(firstlight, folder, "--no-conductor", "--page", page, "--size", "1280x800", "--snapshot", picture, "--after", "1")
        if done.returncode != 0 or complaints(done.stderr) or os.path.getsize(picture) < 10000:
            wrong.append(f"{page}: {done.returncode} {done.stderr}")
    check(f"{kind}: all pages open", not wrong, "\n".join(wrong))
    done = run(firstlight, folder, "--snapshot", os.path.join(os.path.dirname(folder), "plain.png"), "--after", "2")
    check(f"{kind}: opens without options; no conductor begins", done.returncode == 0 and not complaints(done.stderr)
          and contents(folder) == before, done.stderr)


def refuses(name, *command):
    done = run(*command)
    lines = done.stderr.strip().splitlines()
    check(f"read-only: {name}: one line says that it cannot be written", done.returncode in (1, 2) and len(lines) == 1
          and "cannot be written" in lines[0], done.stderr)


def tells_crystals(facts):
    return ("1,440 shots" in facts["live plot"] and "shots:" in facts["weather plot"] and "tetragonal P" in facts["cells proposed"]
            and re.match(r"version [1-9].* · CC½ 0\.9", facts["merging"]) and facts["merging table"] == "12 rows")


def tells_particles(facts):
    return ("2,000 shots" in facts["live plot"] and re.match(r"generation \d+, .* · half sets to 2[67]\.", facts["reconstruction"])
            and "FSC" in facts["reconstruction plots"])


def check_map(copy, facts):
    found = ligand.maps(copy, os.path.join(os.path.dirname(dev), "resources", "demo", "made-protein.pdb"))
    check("the last version's map is in it; its highest difference is the ligand", found and ligand.shows(*found[-1])
          and f"version {found[-1][0]}" in facts["merging"], f"{found}\n{facts}")


def check_density(copy, facts):
    found = particle.versions(copy)
    reached, mean = particle.score(spi_score[0], copy, found[-1][2]) if found else (float("inf"), 0)
    check("the last version's density is in it, and is the particle", reached < particle.RESOLUTION * particle.PITCH and mean > 0.8,
          f"FSC 0.5 at {reached} Å, {mean} in the mean: {found}\n{facts}")


def main():
    if "DISPLAY" not in os.environ or shutil.which("mpirun") is None:
        print("1..0 # SKIP no display or no mpirun: run the suite under xvfb-run")
        return 0
    top = tempfile.mkdtemp(prefix="firstlight-offline-")
    first, copy = os.path.join(top, "demo"), os.path.join(top, "elsewhere", "copy")
    print("1..11")
    try:
        demo = [dev, "demo", "--built", built, "--dir", first, "--fast"] + (["--spi"] if spi_score else [])
        made = subprocess.run(demo, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
        check("the beamtime was played", made.returncode == 0 and made.stdout.count(", version ") > 0, made.stdout)
        home = run(show_pages, first).stdout
        facts = dict(line.split(": ", 1) for line in home.splitlines())
        check("it has runs, shots and a version", facts["runs"] == "4"
              and (tells_particles if spi_score else tells_crystals)(facts), home)
        shutil.copytree(first, copy)
        shutil.rmtree(first)
        (check_density if spi_score else check_map)(copy, facts)
        shutil.rmtree(os.path.join(copy, "data"))
        look(copy, "copied", home)
        set_writable(copy, False)
        look(copy, "read-only", home)
        refuses("a dataset", control, "dataset", "--store", copy, "--name", "other")
        refuses("a conductor", control, "conduct", "--store", copy, "--once")
    finally:
        set_writable(top, True)
        shutil.rmtree(top, ignore_errors=True)
    return 0


sys.exit(main())
