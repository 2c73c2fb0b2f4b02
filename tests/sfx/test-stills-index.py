"""`stills` as far as lattices and reflections, on images made by another program, whose truth is known, and on real ones.

test-stills-index.py ENGINE [MPIRUN] [all]; needs FIRSTLIGHT_TEST_DATA. `all`: whole sets instead of a part of them, and
budgets of CPU time."""
import csv, glob, os, re, shutil, signal, subprocess, sys, tempfile, time

engine, mpirun = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
whole = "all" in sys.argv[3:]
sanitized = "FIRSTLIGHT_SANITIZED" in os.environ  # a few frames of each set
data = os.environ.get("FIRSTLIGHT_TEST_DATA", "")
sets, cspad = os.path.join(data, "crystfel-sim"), os.path.join(data, "stills/cspad_thermolysin")
if not os.path.isdir(sets) or not os.path.isdir(cspad):
    print(f"1..0 # SKIP no simulated sets or real stills in {data}")
    sys.exit(0)
import h5py
import numpy as np

number = 0
temporary = tempfile.mkdtemp(prefix="firstlight-index-")
CELL = ["indexing.cell_file=" + os.path.join(sets, "lyso.cell")]
PEER = {"lyso-agipd1m": 0.245, "lyso-jf4m": 0.6}  # CPU s a hit of the fastest indexer measured on these sets


def check(name, good, detail=""):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)
    for line in str(detail).splitlines() if not good else []:
        print("#", line)


def process(name, inputs, settings, ranks=1, stages="all"):
    """The job's folder, last line, stderr."""
    out = os.path.join(temporary, name)
    line = [mpirun, "-n", str(ranks)] if mpirun else []
    line += [engine, "stills", "--stages", stages, "--timing", "--out", out]
    for setting in settings:
        line += ["--set", setting]
    done = subprocess.run(line + inputs, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return out, done.stdout.strip().split("\n")[-1], done.stderr


def part(name, frames):
    """A list of some frames of a set; of all when whole."""
    path = os.path.join(temporary, f"{name}-{frames}.lst")
    with open(path, "w") as file:
        for i in range(frames):
            file.write(f"{sets}/{name}.h5 //{i}\n")
    return f"{sets}/{name}.lst" if whole else path


def rotations():
    """Of 422, on rows a*, b*, c*."""
    found = []
    for order in ((0, 1), (1, 0)):
        for signs in np.ndindex(2, 2, 2):
            m = np.zeros((3, 3))
            m[0, order[0]], m[1, order[1]], m[2, 2] = (1 - 2 * s for s in signs)
            if np.linalg.det(m) > 0:
                found.append(m)
    return found


def angle(a, b):
    """Degrees between two lattices."""
    best = 180.0
    for r in rotations():
        u, _, v = np.linalg.svd(np.linalg.inv(b) @ (r @ a))
        if np.linalg.det(u @ v) > 0:
            best = min(best, np.degrees(np.arccos(np.clip((np.trace(u @ v) - 1) / 2, -1, 1))))
    return best


def stars(file):
    return np.stack([file["lattices"][f"{axis}_star_{i}"][:] for axis in "abc" for i in "xyz"], 1).reshape(-1, 3, 3)


def judge(name, out):
    """(crystals, found right, wrong, misorientations in degrees, cells, confidences and whether right) of a set."""
    file = h5py.File(os.path.join(out, "spots.h5"))
    frame = dict(zip(file["shots/id"][:], file["shots/frame"][:]))
    truth = {}
    for row in csv.DictReader(open(f"{sets}/{name}.truth.tsv"), delimiter="\t"):
        if row["asx"] and int(row["event"]) in set(frame.values()):
            values = [float(row[a + i]) for a in ("as", "bs", "cs") for i in "xyz"]
            truth[int(row["event"])] = np.array(values).reshape(3, 3) / 10  # 1/A
    right, wrong, angles = set(), 0, []
    for shot, star in zip(file["lattices/shot"][:], stars(file)):
        event = int(frame[shot])
        off = angle(star, truth[event]) if event in truth else 180
        if off < 1 and event not in right:
            right.add(event)
            angles.append(off)
        else:
            wrong += 1
    cells = np.stack([file["lattices"][k][:] for k in "abc"], 1)
    return len(truth), len(right), wrong, np.array(angles), cells


def cpu(stderr):
    return float(re.search(r"total ([0-9.]+) for", stderr).group(1))


def known_cell(name, frames, median, worst):
    out, last, said = process(name, [part(name, frames)], CELL + [f"detector.geometry={sets}/{name}.geom",
                                                                 "indexing.learning_shots=20"])
    crystals, right, wrong, angles, cells = judge(name, out)
    off = np.abs(np.median(cells, 0) / [79.1, 79.1, 37.9] - 1).max()
    each = cpu(said) / max(crystals, 1)
    check(f"{name}: {last}; {right} of {crystals} crystals, {wrong} wrong lattices; misorientation {np.median(angles):.4f} "
          f"(95 %: {np.percentile(angles, 95):.4f}) deg, cell off by {100 * off:.3f} %; {1000 * each:.1f} CPU-ms a hit, "
          f"{PEER[name] / each:.0f} times faster than the fastest peer", right == crystals and wrong == 0
          and np.median(angles) <= median and angles.max() <= worst and off < 1e-3, said)
    if whole:
        check(f"{name}: a tenth of the peer's CPU time", each <= 0.1 * PEER[name], said)


def no_cell(name, frames):
    out, last, said = process(name + "-no-cell", [part(name, frames)], [f"detector.geometry={sets}/{name}.geom"])
    crystals, right, wrong, angles, cells = judge(name, out)
    proposed = re.search(r"proposed cell: .*", said)
    check(f"{name}, no cell given: {proposed and proposed.group(0)}; {right} of {crystals} crystals, {wrong} wrong",
          proposed and "tetragonal P" in proposed.group(0) and right >= 0.98 * crystals and wrong == 0
          and np.abs(np.median(cells, 0) / [79.1, 79.1, 37.9] - 1).max() < 2e-3, said)


def tables(out):
    """Everything but times, in the master's order, by shot."""
    with h5py.File(os.path.join(out, "spots.h5")) as file:
        shots = {c: file["shots"][c][:] for c in file["shots"]
                 if not c.startswith(("start", "t_", "first_"))}
        groups = [shots]
        for group in ("spots", "lattices", "reflections"):
            order = np.argsort(file[group + "/shot"][:], kind="stable")
            groups.append({c: file[group][c][:][order] for c in file[group]})
        return groups


def any_ranks():
    """One table whatever the number of ranks, the cell learned by the way."""
    inputs, settings = [part("lyso-jf4m", 16)], [f"detector.geometry={sets}/lyso-jf4m.geom", "indexing.learning_shots=8"]
    first = None
    for ranks in (1, 5) if sanitized else (1, 2, 5):
        out, last, said = process(f"ranks-{ranks}", inputs, settings, ranks)
        found = tables(out)
        learned = open(os.path.join(out, "learning-0001", "learned.txt")).read()
        if first is None:
            first = found, learned
        same = learned == first[1] and all(set(a) == set(b) and all(np.array_equal(a[c], b[c]) for c in a)
                                           for a, b in zip(found, first[0]))
        check(f"{ranks} ranks: {last}, {len(found[3]['h'])} reflections, the same tables", same and len(found[2]["a"]) > 0, said)


def killed():
    """Killed while it learns, and when some shots are journalled: the next attempt ends where an undisturbed one does."""
    inputs = [part("lyso-jf4m", 16)]
    settings = [f"detector.geometry={sets}/lyso-jf4m.geom", "indexing.learning_shots=8", "engine.batch_rows=1"]
    undisturbed, _, _ = process("undisturbed", inputs, settings, 2)
    out, moments = os.path.join(temporary, "killed"), []
    line = [mpirun, "-n", "2", engine, "stills", "--out", out] + [w for s in settings for w in ("--set", s)] + inputs
    for wanted in ("learning", "shots"):
        job = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
        if wanted == "learning":
            for text in job.stderr:
                if text.startswith("attempt"):
                    break
            time.sleep(0.3)
        else:
            journals = lambda: sum(os.path.getsize(p) for p in glob.glob(out + "/attempt-0002/*.flj"))
            while job.poll() is None and journals() < 200000:
                time.sleep(0.002)
        moments.append((os.path.exists(os.path.join(out, "learning-0001")), os.path.exists(os.path.join(out, "spots.h5"))))
        os.killpg(job.pid, signal.SIGKILL)
        job.stderr.close()
        job.wait()
    _, last, said = process("killed", inputs, settings, 2)
    same = all(set(a) == set(b) and all(np.array_equal(a[c], b[c]) for c in a)
               for a, b in zip(tables(out), tables(undisturbed)))
    check(f"killed while learning and while indexing (had learned, had ended: {moments}): {last}, the same tables",
          same and moments[0] == (False, False) and moments[1][0], said)


def real():
    files = sorted(glob.glob(cspad + "/*.cbf"))
    out, last, said = process("cspad", files, ["spots.algorithm=dispersion", "spots.global_threshold=100", "spots.gain=1",
                                               "indexing.unit_cell=92.9,92.9,130.5,90,90,120", "indexing.space_group=P6122"])
    with h5py.File(os.path.join(out, "spots.h5")) as file:
        first = [np.flatnonzero(file["lattices/shot"][:] == shot)[0] for shot in file["shots/id"][:]]
        cells = [(float(file["lattices/a"][i]), float(file["lattices/c"][i])) for i in first]
        group = set(file["lattices/space_group"][:])
    check(f"CSPAD stills: {last}; a, c = " + "; ".join(f"{a:.2f}, {c:.2f} A" for a, c in cells),
          last.startswith("2 shots, 2 hits, 2 indexed") and group == {178}
          and all(abs(a / 92.9 - 1) < 0.01 and abs(c / 130.5 - 1) < 0.01 for a, c in cells), said)


known_cell("lyso-agipd1m", 8 if sanitized else 40, 0.02, 0.1)
known_cell("lyso-jf4m", 8 if sanitized else 35, 0.012, 0.1)
no_cell("lyso-agipd1m", 16 if sanitized else 40)
if whole:
    no_cell("lyso-jf4m", 35)
if mpirun:
    any_ranks()
    killed()
real()
shutil.rmtree(temporary, ignore_errors=True)
print(f"1..{number}")
