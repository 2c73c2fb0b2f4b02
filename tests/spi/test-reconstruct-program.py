"""reconstruct, as it is run: its files, its journal, other numbers of ranks, being stopped and killed, and what it refuses.

test-reconstruct-program.py ENGINE [MPIRUN]"""
import json, os, re, shutil, signal, struct, subprocess, sys, tempfile, time

import h5py
import numpy

try:
    import gemmi
except ImportError:
    gemmi = None

ENGINE, MPIRUN = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
FRAMES, GENERATIONS = 200, 12
SMALL = ["simulate_spi.pixels=25", "simulate_spi.pixel_size=0.8", "simulate_spi.photons=2000"]
FEW = [f"reconstruct.generations={GENERATIONS}", "reconstruct.phase_every=8", "reconstruct.phase_starts=4", "reconstruct.starts=2"]
FILES = ("density-c0.mrc", "density-c0-half0.mrc", "density-c0-half1.mrc", "autocorrelation-c0.mrc", "intensity-c0.mrc",
         "orientations.h5", "reconstruction.json")
KINDS = {"source": 3, "rank": 4, "generation": 15, "curve": 16, "coverage": 17, "occupancy": 18}
number = 0


def check(ok, name, why=""):
    global number
    number += 1
    print(("ok" if ok else "not ok"), number, "-", name, "" if ok else f"# {why}", flush=True)


def command(*arguments, sets=FEW, ranks=1):
    start = [MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    return [*start, ENGINE, *arguments, *(word for value in sets for word in ("--set", value))]


def run(*arguments, **options):
    done = subprocess.run(command(*arguments, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=200,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def must(*arguments, **options):
    code, said, complaint = run(*arguments, **options)
    assert code == 0, (arguments, complaint)
    return said


def model(folder):
    """Atoms of a thing without symmetry, where the real ones are not at hand."""
    real = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "pdb", "4ake.pdb")
    if os.path.exists(real):
        return real
    path = os.path.join(folder, "made.pdb")
    with open(path, "w") as file:
        for i in range(600):
            x, y, z = 12 * numpy.sin(i * 0.7) + i % 40, 9 * numpy.cos(i * 0.31) + i % 23, 0.07 * i - 20
            file.write(f"ATOM  {i + 1:5d}  C   ALA A{i + 1:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C\n")
    return path


def kinds(job):
    """How many rows of each kind an attempt's journals hold."""
    rows = {}
    for folder in sorted(name for name in os.listdir(job) if name.startswith("attempt-")):
        for name in os.listdir(os.path.join(job, folder)):
            if not name.endswith(".flj"):
                continue
            data = open(os.path.join(job, folder, name), "rb").read()
            at = 0
            while at < len(data):
                magic, length, _, kind, _, _, n, _, _ = struct.unpack_from("<4sIIHHIIQQ", data, at)
                assert magic == b"FLJ1"
                rows[kind] = rows.get(kind, 0) + n
                at += 40 + length
    return {name: rows.get(kind, 0) for name, kind in KINDS.items()}


def volume(path):
    data = open(path, "rb").read()
    n = struct.unpack_from("<3i", data)
    return numpy.frombuffer(data, "<f4", n[0] * n[1] * n[2], 1024 + struct.unpack_from("<i", data, 92)[0]).reshape(n[::-1])


def cell_side(path):
    return struct.unpack_from("<f", open(path, "rb").read(44), 40)[0]


def differing(a, b):
    return [name for name in FILES if open(os.path.join(a, name), "rb").read() != open(os.path.join(b, name), "rb").read()]


def wait_for(path, text, process):
    while text not in open(path).read():
        assert process.poll() is None, open(path).read()
        time.sleep(0.02)


def interrupted(job, emc, after, how, ranks=1, sets=FEW):
    """Its exit status, when it is sent a signal after so many generations."""
    with open(job + ".log", "w") as log:
        process = subprocess.Popen(command("reconstruct", "--out", job, emc, ranks=ranks, sets=sets), stdout=subprocess.DEVNULL, stderr=log,
                                   stdin=subprocess.DEVNULL)
        wait_for(job + ".log", f"generation {after}:", process)
        process.send_signal(how)
        return process.wait(timeout=100)


def test_outputs(job, line):
    check(line == f"{FRAMES} patterns, {GENERATIONS} generations, 1 conformations, resolution not known",
          "the last line tells how far it came: 2 speckles are no resolution", line)
    check(all(os.path.exists(os.path.join(job, name)) for name in FILES), "all files are there", os.listdir(job))
    rows = kinds(job)
    check(rows["generation"] == GENERATIONS and rows["occupancy"] == GENERATIONS and rows["rank"] == 1 and rows["source"] == 1
          and rows["curve"] > 0 and rows["coverage"] > 0, "every generation is journalled", rows)
    volumes = sorted(os.listdir(os.path.join(job, "attempt-0001", "volumes")))
    check(volumes == ["g0008-c0.mrc", "g0012-c0.mrc"], "densities of generations on the way", volumes)
    told = json.load(open(os.path.join(job, "reconstruction.json")))
    check([row["number"] for row in told["generations"]] == list(range(1, GENERATIONS + 1)) and told["patterns"] == FRAMES
          and len(told["conformations"]) == 1 and told["diameter"] > 0 and not any("time" in row for row in told["generations"]),
          "reconstruction.json tells all generations, and no times", told)


def test_orientations(job):
    with h5py.File(os.path.join(job, "orientations.h5")) as file:
        q, ids = file["orientations"][:], file["id"][:]
        check(q.shape == (FRAMES, 4) and numpy.allclose((q * q).sum(1), 1) and (file["row"][:] == numpy.arange(FRAMES)).all()
              and len(set(ids)) == FRAMES and set(file["half"][:]) == {0, 1} and 0 < file["half"][:].mean() < 1
              and ((file["confidence"][:] >= 0) & (file["confidence"][:] <= 1)).all() and abs(file["scale"][:].mean() - 1) < 0.2
              and not file["conformation"][:].any(), "orientations.h5 tells every pattern's, in order of rows", dict(file))


def test_volumes(job):
    a, intensity = (volume(os.path.join(job, name)) for name in ("autocorrelation-c0.mrc", "intensity-c0.mrc"))
    m, n = a.shape[0], intensity.shape[0] + 1
    padded = numpy.zeros((n, n, n))
    lo = n // 2 - m // 2
    padded[lo:lo + m, lo:lo + m, lo:lo + m] = a
    by_numpy = numpy.fft.fftshift(numpy.fft.fftn(numpy.fft.ifftshift(padded))).real[1:, 1:, 1:]
    check(numpy.abs(by_numpy - intensity).max() < 1e-4 * intensity.max(), "the intensity is the autocorrelation's transform")
    step = cell_side(os.path.join(job, "intensity-c0.mrc")) / (n - 1)
    check(abs(step * n * cell_side(os.path.join(job, "autocorrelation-c0.mrc")) / m - 1) < 1e-5, "its voxels are in 1/A")
    if gemmi is None:
        print("# gemmi is not here: maps are not read by it")
        return
    read = gemmi.read_ccp4_map(os.path.join(job, "density-c0.mrc"))
    there = numpy.array(read.grid, copy=False)
    check((there.T == volume(os.path.join(job, "density-c0.mrc"))).all() and abs(read.grid.unit_cell.a / m - cell_side(
        os.path.join(job, "autocorrelation-c0.mrc")) / m) < 1e-5 and there.max() > 0, "gemmi reads the density")


def test_interruptions(place, whole, emc):
    job = os.path.join(place, "interrupted")
    code = interrupted(job, emc, 3, signal.SIGKILL)
    check(code == -signal.SIGKILL, "killed", code)
    code = interrupted(job, emc, 6, signal.SIGTERM)
    log = open(job + ".log").read()
    first = int(re.search(r"generation (\d+):", log).group(1))
    check(code == 75 and "saved; the next attempt goes on" in log and 3 <= first <= 6, "goes on where it was; SIGTERM saves: status 75", log)
    must("reconstruct", "--out", job, emc)
    check(not differing(whole, job), "killed and stopped: the same bits in the end", differing(whole, job))
    os.remove(os.path.join(job, "density-c0.mrc"))
    must("reconstruct", "--out", job, emc)
    check(not differing(whole, job), "once more when all is done: its files again", differing(whole, job))


def test_refining(place, emc):
    """Orientations off the grid: after all else, asked for later, killed in between."""
    sets = ["reconstruct.starts=1", "reconstruct.phase_every=0", "reconstruct.phase_starts=2"]
    grid, refined, killed = (os.path.join(place, name) for name in ("grid", "refined", "killed"))
    must("reconstruct", "--out", grid, emc, sets=[*sets, "reconstruct.refine=no"])
    must("reconstruct", "--out", refined, emc, sets=sets)
    on, off = (json.load(open(os.path.join(job, "reconstruction.json")))["generations"] for job in (grid, refined))
    fineness = [row["orientations"] for row in off[len(on) - 1:]]
    with h5py.File(os.path.join(grid, "orientations.h5")) as a, h5py.File(os.path.join(refined, "orientations.h5")) as b:
        turned = numpy.abs((a["orientations"][:] * b["orientations"][:]).sum(1))
    check(len(off) > len(on) and off[:len(on) - 1] == on[:-1] and fineness == sorted(set(fineness)) and numpy.median(turned) < 1 - 1e-6
          and turned.mean() > 0.95, "orientations are refined off the grid in the end", (len(on), len(off), fineness))
    must("reconstruct", "--out", grid, emc, sets=sets)
    check(not differing(refined, grid), "refined by a later attempt: the same bits", differing(refined, grid))
    interrupted(killed, emc, len(on) + 1, signal.SIGKILL, sets=sets)
    must("reconstruct", "--out", killed, emc, sets=sets)
    check(not differing(refined, killed), "killed while it refines: the same bits", differing(refined, killed))


def test_ranks(place, whole, emc):
    for ranks in (2, 4) if MPIRUN else ():
        job = os.path.join(place, f"ranks{ranks}")
        must("reconstruct", "--out", job, emc, ranks=ranks)
        a, b = (volume(os.path.join(where, "autocorrelation-c0.mrc")) for where in (whole, job))
        cc = numpy.corrcoef(a.ravel(), b.ravel())[0, 1]
        with h5py.File(os.path.join(whole, "orientations.h5")) as x, h5py.File(os.path.join(job, "orientations.h5")) as y:
            same = (numpy.abs((x["orientations"][:] * y["orientations"][:]).sum(1)) > 0.999).mean()
            order = (x["id"][:] == y["id"][:]).all() and (x["half"][:] == y["half"][:]).all()
        check(cc > 0.999 and same > 0.95 and order and kinds(job)["rank"] == ranks, f"{ranks} ranks agree with one", (cc, same, order))


def refuses(name, words, *arguments, **options):
    code, said, complaint = run("reconstruct", *arguments, **options)
    lines = [line for line in complaint.split("\n") if line.startswith("firstlight-engine")]
    check(code == 2 and len(lines) == 1 and words in lines[0] and not said, f"refused: {name}", (code, complaint))


def test_refusals(place, whole, data, emc):
    out = os.path.join(place, "refused")
    must("simulate-spi", "--out", os.path.join(place, "other"), "--model", model(place), "--shots", "5", "--quiet",
         sets=[*SMALL, "simulate_spi.camera_length=140"])
    other = os.path.join(place, "other", "particles.emc")
    with open(os.path.join(place, "broken.emc"), "wb") as file:
        file.write(open(emc, "rb").read()[:3000])
    shutil.copy(os.path.join(data, "detector.h5"), place)
    os.mkdir(os.path.join(place, "empty"))
    ranks = 2 if MPIRUN else 1
    dark = os.path.join(place, "dark")
    must("simulate-spi", "--out", dark, "--model", model(place), "--shots", "9", "--quiet", sets=[*SMALL, "simulate_spi.blank_fraction=1"])
    refuses("patterns without a photon", "no photon", "--out", out, os.path.join(dark, "particles.emc"), ranks=ranks)
    refuses("no input", "no input given", "--out", out)
    refuses("a file that is not there", "no such file", "--out", out, "/nowhere.emc", ranks=ranks)
    refuses("a damaged file", "broken.emc", "--out", out, os.path.join(place, "broken.emc"), ranks=ranks)
    refuses("another detector", "other/particles.emc", "--out", out, emc, other, ranks=ranks)
    refuses("an empty folder", "patterns.h5", "--out", out, os.path.join(place, "empty"))
    refuses("the same twice", "the same input", "--out", out, emc, os.path.join(data, ".", "particles.emc"))
    refuses("a point group that is none", "reconstruct.symmetry", "--out", out, emc, sets=[*FEW, "reconstruct.symmetry=Q7"], ranks=ranks)
    refuses("a checkpoint of other parameters", "other parameters", "--out", whole, emc, sets=[*FEW, "reconstruct.seed=7"], ranks=ranks)
    must("simulate-spi", "--out", os.path.join(place, "more"), "--model", model(place), "--shots", "60", "--quiet", sets=SMALL)
    refuses("a checkpoint of other patterns", "other patterns", "--out", whole, os.path.join(place, "more", "particles.emc"))
    damaged = os.path.join(place, "damaged")
    os.mkdir(damaged)
    with open(os.path.join(damaged, "checkpoint.h5"), "wb") as file:
        file.write(open(os.path.join(whole, "checkpoint.h5"), "rb").read()[:5000])
    refuses("a damaged checkpoint", "checkpoint.h5", "--out", damaged, emc, ranks=ranks)
    check(sorted(name for name in os.listdir(whole) if name.startswith("attempt")) == ["attempt-0001"], "what is refused begins no attempt")


def test_hits(place, emc):
    """Folders of hits jobs, beside a file: their single particles alone."""
    data, hits, job = (os.path.join(place, name) for name in ("mixed", "hits", "of-hits"))
    must("simulate-spi", "--out", data, "--model", model(place), "--shots", "200", "--quiet",
         sets=[*SMALL, "simulate_spi.blank_fraction=0.3", "simulate_spi.seed=2"])
    must("hits", "--out", hits, os.path.join(data, "particles.emc"), sets=[])
    line = must("reconstruct", "--out", job, hits, emc, sets=["reconstruct.generations=2", "reconstruct.phase_starts=2"])
    with h5py.File(os.path.join(hits, "patterns.h5")) as file, h5py.File(os.path.join(job, "orientations.h5")) as told:
        ids = file["patterns/id"][:]
        check(0 < len(ids) < 200 and f"{len(ids) + FRAMES} patterns" in line and (told["id"][:len(ids)] == ids).all(),
              "particles of a hits job, and a file's", line)


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
    data, whole = os.path.join(place, "data"), os.path.join(place, "whole")
    must("simulate-spi", "--out", data, "--model", model(place), "--shots", str(FRAMES), "--quiet", sets=SMALL)
    emc = os.path.join(data, "particles.emc")
    line = must("reconstruct", "--out", whole, emc).split("\n")[-1]
    test_outputs(whole, line)
    test_orientations(whole)
    test_volumes(whole)
    test_hits(place, emc)
    test_refusals(place, whole, data, emc)
    test_interruptions(place, whole, emc)
    test_refining(place, emc)
    test_ranks(place, whole, emc)
print(f"1..{number}")
