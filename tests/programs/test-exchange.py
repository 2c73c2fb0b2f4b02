"""export and import-results: what goes out as a stream comes in again, what others wrote comes in whole and goes out the
same, and wrong input is one line.

test-exchange.py ENGINE JOB_SHOTS SHIM [MPIRUN]"""
import gzip, os, re, shutil, subprocess, sys, tempfile

import h5py
import numpy as np

import stills_job as job

job.setup(sys.argv)
check = job.Tap()
temporary = tempfile.mkdtemp()
data = os.environ.get("FIRSTLIGHT_TEST_DATA", "")


def place(name):
    return os.path.join(temporary, name)


def engine(*arguments):
    done = subprocess.run([job.ENGINE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def tables(folder, *groups):
    """Tables of the master, each in the order of its shots."""
    with h5py.File(os.path.join(folder, "spots.h5"), "r") as file:
        out = [{c: file["shots"][c][:] for c in file["shots"]}]
        for group in groups:
            name = {"spots": "spot", "lattices": "lattice", "reflections": "reflection"}[group]
            first, n = file[f"shots/first_{name}"][:].astype(int), file[f"shots/n_{group}"][:].astype(int)
            order = np.concatenate([np.arange(a, a + k) for a, k in zip(first, n)] or [np.zeros(0, int)]).astype(int)
            out.append({c: file[group][c][:][order] for c in file[group]})
        return out


def chunks(path):
    """Of a stream: (file, event, [peak rows], [(matrix, [reflection rows])]) a chunk, rows as lists of words."""
    out, rows = [], None
    for line in open(path):
        line = line.rstrip("\n")
        if line.startswith("Image filename: "):
            out.append([line[16:], "", [], []])
        elif line.startswith("Event: "):
            out[-1][1] = line[7:]
        elif line.startswith("Peaks from"):
            rows = out[-1][2]
        elif line == "--- Begin crystal":
            out[-1][3].append(([], []))
        elif line.startswith(("astar", "bstar", "cstar")):
            out[-1][3][-1][0].extend(map(float, line.split()[2:5]))
        elif line.startswith("Reflections measured"):
            rows = out[-1][3][-1][1]
        elif line.startswith("End of"):
            rows = None
        elif rows is not None and "/px" not in line:
            rows.append(line.split())
    return out


def rows_agree(a, b):
    """Words equal, or numbers to the last digit that a float holds."""
    return len(a) == len(b) and all(
        len(x) == len(y) and all(u == v or abs(float(u) - float(v)) <= 0.0101 + 2e-7 * abs(float(u)) for u, v in zip(x, y))
        for x, y in zip(a, b))


def streams_agree(a, b):
    a, b = (sorted(chunks(path), key=lambda c: (c[0], int(c[1][2:] or 0))) for path in (a, b))  # some come in any order
    return len(a) == len(b) and all(
        x[0] == y[0] and x[1] == y[1] and rows_agree(x[2], y[2]) and len(x[3]) == len(y[3])
        and all(np.allclose(p[0], q[0], rtol=0, atol=2e-7) and rows_agree(p[1], q[1]) for p, q in zip(x[3], y[3]))
        for x, y in zip(a, b))


# Our own spots out and in.
images, geometry, hits = job.write_shots(temporary, "one.h5", 21)
shots_of_one = place("own")
status, last, err = job.run(shots_of_one, [images], geometry)
check(f"a job: {last}", status == 0, err)
status, said, err = engine("export", "--out", place("own.stream"), shots_of_one)
check(f"export: {said}", status == 0 and said.endswith("21 shots, 0 lattices, 0 reflections"), err)
shots, spots = tables(shots_of_one, "spots")
written = chunks(place("own.stream"))
peaks = np.array([[float(word) for word in row[:4]] for chunk in written for row in chunk[2]])
check("every shot is a chunk with its file and event",
      [(c[0], c[1]) for c in written] == [(images, f"//{i}") for i in range(21)])
check("peaks are the spots", len(peaks) == len(spots["fs"]) > 50
      and np.allclose(peaks, np.c_[spots["fs"], spots["ss"], 10 / spots["d"], spots["intensity"]], rtol=1e-6, atol=0.0051))
check("the geometry is in it", open(geometry).read() in open(place("own.stream")).read())
status, said, err = engine("import-results", "--out", place("own-again"), place("own.stream"))
check(f"import-results: {said}", status == 0 and "21 shots of 1 files, 0 lattices" in said, err)
again, spots_again = tables(place("own-again"), "spots")
check("the shots are the same shots", all(np.array_equal(shots[c], again[c]) for c in ("id", "source", "frame", "outcome", "spots")))
check("the spots are the same", all(np.allclose(spots[c], spots_again[c], rtol=1e-3 if c == "d" else 1e-6, atol=0.0051)
                                    for c in ("shot", "panel", "fs", "ss", "intensity")))
ids = [int(i) for i in again["id"][:4]]
check("its shots are looked up like any", job.looked_up(place("own-again"), ids) == job.looked_up(shots_of_one, ids))

# Two jobs in one stream; one of another detector does not go with them.
more, _, _ = job.write_shots(temporary, "more.h5", 7, first_seed=3)
status, last, err = job.run(place("own-more"), [more], geometry)
status, said, err = engine("export", "--format", "stream", "--out", place("both.stream"), shots_of_one, place("own-more"))
check(f"two jobs: {said}", status == 0 and said.endswith("28 shots, 0 lattices, 0 reflections"), err)
both = chunks(place("both.stream"))
check("the shots of the one, then of the other", [(c[0], c[1]) for c in both] ==
      [(images, f"//{i}") for i in range(21)] + [(more, f"//{i}") for i in range(7)] and both[:21] == written)
small, small_geometry, _ = job.write_shots(temporary, "small.h5", 4, size=80)
os.rename(small_geometry, place("small.geom"))
job.write_shots(temporary, "again.h5", 1)  # puts the first one's geometry back
status, last, err = job.run(place("own-small"), [small], place("small.geom"))

# Wrong input.
for name, arguments, expected in [
        ("a folder that is in use", ["import-results", "--out", shots_of_one, place("own.stream")], "has results already"),
        ("a file that is not there", ["import-results", "--out", place("x1"), place("none.stream")], "none.stream: cannot be opened"),
        ("a file that is no stream", ["import-results", "--out", place("x2"), geometry], "is not a stream"),
        ("models that are none", ["import-results", "--out", place("x3"), place("bad.expt")], "expected models of DIALS"),
        ("a name without meaning", ["export", "--out", place("x.txt"), shots_of_one], "Expected a name that ends in"),
        ("a job without lattices for DIALS", ["export", "--out", place("x.expt"), shots_of_one], "has no lattices"),
        ("a job of another detector", ["export", "--out", place("x.stream"), shots_of_one, place("own-small")],
         "own-small: has another detector than"),
        ("several jobs for DIALS", ["export", "--out", place("x.expt"), shots_of_one, place("own-more")], "expected one job"),
        ("a format that the name does not have", ["export", "--format", "expt", "--out", place("x.stream"), shots_of_one],
         "does not go with"),
        ("a folder that is no job", ["export", "--out", place("x.stream"), temporary], "has no results")]:
    open(place("bad.expt"), "w").write("{ not JSON")
    status, said, err = engine(*arguments)
    check(f"{name}: {err}", status == 2 and expected in err and "\n" not in err, said)
check("failed exports leave nothing", not [n for n in os.listdir(temporary) if n.startswith("x.")])

if not os.path.exists(os.path.join(data, "crystfel", "test.stream")):
    print("# no test data: other programs' files are not tried")
else:
    # A stream of CrystFEL 0.9.1; the images are not there.
    original = os.path.join(data, "crystfel", "test.stream")
    status, said, err = engine("import-results", "--out", place("hiv"), original)
    check(f"test.stream: {said}", status == 0 and "70 shots of 70 files, 32 lattices, 7966 reflections" in said, err)
    status, said, err = engine("export", "--out", place("hiv.stream"), place("hiv"))
    check(f"out again: {said}", status == 0, err)
    check("it says what it said", streams_agree(original, place("hiv.stream")))
    # Simulated data, two streams of CrystFEL 0.12, with the truth and the scores of another program.
    folder = os.path.join(data, "crystfel-sim")
    truth = os.path.join(folder, "lyso-agipd1m.truth.tsv")
    for name in ("A-xgandalf-fast", "A-xgandalf-fast-radius0.004"):
        path, packed = place(name + ".stream"), os.path.join(folder, name + ".stream.gz")
        with gzip.open(packed) as file:
            open(path, "wb").write(file.read())
        wanted = open(path).read().count("--- Begin crystal"), sum(map(int, re.findall(r"num_reflections = (\d+)", open(path).read())))
        status, said, err = engine("import-results", "--out", place(name), path)
        check(f"{name}: {said}", status == 0 and f"280 shots of 1 files, {wanted[0]} lattices, {wanted[1]} reflections" in said, err)
        _, lattices = tables(place(name), "lattices")
        cell = [float(np.mean(lattices[c])) for c in ("a", "b", "c", "alpha", "beta", "gamma")]
        check(f"{name}: cell {np.round(cell[:3], 2)}", np.allclose(cell[:3], [79.1, 79.1, 37.9], rtol=0.001)
              and np.allclose(cell[3:], np.pi / 2, atol=1e-4))
        engine("export", "--out", place(name + "-ours.stream"), place(name))
        check(f"{name}: it says what it said", streams_agree(path, place(name + "-ours.stream")))
        scores = [subprocess.run([sys.executable, os.path.join(folder, "score_stream.py"), p, truth], stdout=subprocess.PIPE,
                                 text=True, check=True).stdout.split("\n", 1)[1] for p in (path, place(name + "-ours.stream"))]
        check(f"{name}: another program scores both the same", scores[0] == scores[1] and "correctly indexed" in scores[0], scores)
    # DIALS' stills.
    for expt, refl, said_wanted in [("indexed.expt", None, "5 shots of 5 files, 5 lattices, 360 reflections"),
                                    ("imported_no_ref_5.expt", "strong_5.refl", "5 shots of 5 files, 0 lattices")]:
        files = [os.path.join(data, "ssx_cunir", f) for f in (expt, refl) if f]
        status, said, err = engine("import-results", "--out", place(expt), *files)
        check(f"{expt}: {said}", status == 0 and said_wanted in said, err)
    shots, spots, lattices = tables(place("indexed.expt"), "spots", "lattices")
    check("cells of P 21 3", np.allclose([lattices[c] for c in "abc"], 96.4, atol=0.2) and set(lattices["space_group"]) == {198}
          and list(shots["lattices"]) == [1] * 5 and len(spots["fs"]) == 360)

shutil.rmtree(temporary, ignore_errors=True)  # who was killed may still be dying
check.end()
