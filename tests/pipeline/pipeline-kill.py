"""The whole house under kill -9: a beamtime arrives while the conductor, mpirun, ranks and the control room are killed at
seeded moments. After each kill journalled shots are opened the way the control room does, and compared with the raw file
and with what an undisturbed job finds. In the end every run is done, every shot counts once, in the store and in the spot
tables, and the hits are those of undisturbed jobs.

pipeline-kill.py ENGINE CONTROL JOB-SHOTS SHIM GUI KILLS      GUI may be "" (no control room in this build)"""
import glob, os, random, re, shutil, signal, sqlite3, subprocess, sys, tempfile, time

import h5py
import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "view"))
from serve_client import NEAREST, SPOTS, Serve, read_geom

engine, control, job_shots, shim, gui = [a and os.path.abspath(a) for a in sys.argv[1:6]]  # jobs run in folders of their own
kills = int(sys.argv[6])
generator = random.Random(20261121)
number = 0
folder = tempfile.mkdtemp(prefix="firstlight-pipeline-")
raw, experiment = os.path.join(folder, "raw"), os.path.join(folder, "experiment")
RUNS, SHOTS = 3, 90
log = open(os.path.join(folder, "log"), "w")
slow = dict(os.environ, LD_PRELOAD=shim, SHIM_SLEEP_US="60000")


def check(name, good, detail=""):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)
    if not good:
        for line in str(detail).splitlines():
            print("#", line, flush=True)


def start(command, env=None):
    return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def conduct():
    return start([control, "conduct", "--store", experiment, "--interval", "0.2"], slow)


def room():
    return start([gui, experiment, "--no-conductor"]) if gui and os.environ.get("DISPLAY") else None


def of_this_test(word):
    """Processes that work in our folder and whose command line has the word."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            line = open(path, "rb").read().decode(errors="replace").split("\0")
        except OSError:
            continue
        text = " ".join(line)
        if experiment in text and word in os.path.basename(line[0]) and "simulate" not in text:
            found.append(int(path.split("/")[2]))
    return [p for p in found if p != os.getpid()]


def counts():
    """Of the store, a row a job: shots, hits, set aside, state."""
    database = sqlite3.connect(os.path.join(experiment, "firstlight.sqlite"), timeout=20)
    rows = database.execute("SELECT job.id, job.state, job.path, attempts, (SELECT coalesce(sum(shots), 0) FROM slice WHERE "
                            "slice.job = job.id AND kind = 1), (SELECT coalesce(sum(hits), 0) FROM slice WHERE slice.job = "
                            "job.id AND kind = 1), (SELECT coalesce(sum(set_aside), 0) FROM slice WHERE slice.job = job.id "
                            "AND kind = 1) FROM job ORDER BY path").fetchall()
    database.close()
    return rows


def settled():
    rows = counts()
    return len(rows) == RUNS and all(r[1] == 4 and r[4] == SHOTS for r in rows)


def right_picture(shot, path, frame):
    """A piece of the picture, pixel for pixel, is what the file holds."""
    width, height = 160, 120
    panel = viewer_random.choice(panels)
    u, v = (viewer_random.uniform(4, n - 4 - m) for n, m in zip((np.ptp(panel["f"]), np.ptp(panel["s"])), (width, height)))
    x0, y1 = panel["corner"] + u * panel["fs"] + v * panel["ss"]  # y as drawn grows downwards
    image = serve.image(path, geometry, frame=frame, rect=(x0, -y1 - height, x0 + width, -y1), reduce=NEAREST, width=width,
                        height=height)
    x, y = np.meshgrid(x0 + np.arange(width) + 0.5, y1 + height - np.arange(height) - 0.5)
    at = np.linalg.solve(np.column_stack([panel["fs"], panel["ss"]]),
                         np.stack([x.ravel() - panel["corner"][0], y.ravel() - panel["corner"][1]]))
    fs, ss = np.floor(at).astype(int) + [[panel["f"][0]], [panel["s"][0]]]
    with h5py.File(path, "r") as file:
        values = file["entry_1/data_1/data"][frame].astype("f4")
        values[file["entry_1/data_1/mask"][...] & 1 != 0] = -np.inf
    clear = (np.abs(at - np.round(at)) > 1e-3).all(axis=0)  # not on the border of two pixels
    return (image["shot"] == shot and (image["width"], image["height"]) == (width, height)
            and np.array_equal(image["raster"].ravel()[clear], values[ss, fs][clear]))


def open_shot():
    """A random journalled shot, opened through serve: what is wrong with it, "" when nothing is; None: there is none."""
    jobs = [r[2] for r in counts() if r[4] > 0]
    if not jobs:
        return None
    job = os.path.join(experiment, viewer_random.choice(jobs))
    lines = [line.split() for line in subprocess.check_output([job_shots, job], text=True).splitlines()]
    _, shot, source, frame, _, _ = viewer_random.choice(lines)
    shot, frame = int(shot), int(frame)
    path = sorted(glob.glob(os.path.join(raw, re.search(r"-(r\d{4})-", job).group(1), "*.cxi")))[int(source)]
    aside = any(line[1] == str(shot) and line[4] == "aside" for line in lines)
    try:
        _, count, _, _, spots, *_ = serve.ask(SPOTS, job, path, geometry, "", frame).unpack()
        if not right_picture(shot, path, frame):
            return f"{path} {frame}: the picture"
        if count != len(spots) or not ([s[2:6] for s in spots] == found[shot] or aside and not spots):
            return f"{path} {frame}: {count} spots, expected {len(found[shot])}"
    except Exception as error:  # reported with the others
        return f"{path} {frame}: {type(error).__name__}: {error}"
    return ""


os.makedirs(raw)
subprocess.run([engine, "simulate-sfx", "--out", raw, "--runs", str(RUNS), "--shots", str(SHOTS), "--shots-per-file", "30",
                "--quiet"], check=True, stdin=subprocess.DEVNULL)
geometry = os.path.join(raw, "detector.geom")
panels = read_geom(geometry)[1]
truth, found = [], {}  # what undisturbed jobs find: hits of a run; spots of a shot
for run in range(1, RUNS + 1):
    job = os.path.join(folder, f"reference-{run}")
    out = subprocess.run([engine, "stills", "--stages", "spots", "--out", job, "--set", f"detector.geometry={geometry}",
                          f"{raw}/r{run:04d}"], stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True, check=True)
    truth.append(int(out.stdout.split("shots, ")[1].split(" hits")[0]))
    with h5py.File(os.path.join(job, "spots.h5"), "r") as file:
        spots = list(zip(*(file["spots"][c][:].tolist() for c in ("panel", "fs", "ss", "intensity"))))
        for shot, first, n in zip(*(file["shots"][c][:].tolist() for c in ("id", "first_spot", "spots"))):
            found[shot] = spots[first:first + n]
block = os.path.join(folder, "block.params")
open(block, "w").write(f"[detector]\ngeometry = {geometry}\n[engine]\nbatch_rows = 2\n")
subprocess.run([control, "experiment", "--store", experiment, "--watch", raw, "--quiet", "0.3", "--stages", "spots", "--block", block, "--trial", "",
                "--ranks", "2", "--launcher", "mpirun -n {ranks}", "--engine", engine], check=True, stdin=subprocess.DEVNULL,
               stdout=log, stderr=log)

victims, opened, conductor, window = [], 0, conduct(), room()
serve, viewer_random, seen = Serve(control), random.Random(20261122), []
deadline = time.monotonic() + 600
while len(victims) < kills and time.monotonic() < deadline and not settled():
    time.sleep(generator.uniform(0.3, 1.5))
    kind = generator.choice(["conductor", "mpirun", "rank"] + (["control room"] if window else []))
    pids = {"conductor": [conductor.pid], "mpirun": of_this_test("mpirun"), "rank": of_this_test("firstlight-engine"),
            "control room": [window.pid] if window else []}[kind]
    if not pids:
        continue
    try:
        os.kill(generator.choice(pids), signal.SIGKILL)
    except ProcessLookupError:
        continue
    victims.append(kind)
    if kind == "conductor":
        conductor.wait()
        conductor = conduct()
    elif kind == "control room":
        window.wait()
        window = room()
    opened += sum(r[4] > 0 for r in counts())
    seen += [wrong for wrong in (open_shot() for _ in range(3)) if wrong is not None]
tally = ", ".join(f"{victims.count(k)} {k}" for k in sorted(set(victims)))
check(f"killed: {tally}", len(victims) >= min(kills, 10), f"only {len(victims)}")
check("shots were counted meanwhile", opened > 0)
check(f"{len(seen)} journalled shots were opened meanwhile: pictures as the files hold, spots as undisturbed jobs find",
      seen and not any(seen), "\n".join(filter(None, seen)))
serve.close()

# A job that lost too many attempts waits for a person, who asks for another.
deadline = time.monotonic() + 400
while not settled() and time.monotonic() < deadline:
    time.sleep(0.5)
    database = sqlite3.connect(os.path.join(experiment, "firstlight.sqlite"), timeout=20)
    failed = [r[0] for r in database.execute("SELECT id FROM job WHERE state = 5 AND retry_wanted = 0")]
    database.close()
    for job in failed:
        subprocess.run([control, "job", "--store", experiment, "--retry", str(job)], check=True, stdout=log, stderr=log)
rows = counts()
check("every run is done and every shot counts once in the store", settled(), rows)
aside = sum(r[6] for r in rows)
check(f"hits are those of undisturbed jobs ({truth}; {aside} shots set aside)",
      all(t - r[6] <= r[5] <= t for r, t in zip(rows, truth)), f"{rows} {truth}")
ids = []
for row in rows:
    master = glob.glob(f"{experiment}/**/{row[2]}/spots.h5", recursive=True)
    if master:
        with h5py.File(master[0], "r") as file:
            ids += list(file["shots/id"][:])
check(f"{len(ids)} shots in the spot tables, none twice", len(ids) == RUNS * SHOTS == len(set(ids)))
for process in [conductor, window]:
    if process:
        process.terminate()
        process.wait()
time.sleep(0.5)
left = of_this_test("firstlight") + of_this_test("mpirun")
check("nothing is left running", not left, left)
if os.environ.get("FIRSTLIGHT_KEEP"):
    print("# kept:", folder)
else:
    shutil.rmtree(folder, ignore_errors=True)
print(f"1..{number}")
