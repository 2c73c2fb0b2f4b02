"""Our .expt and .refl in DIALS' own programs: dials.show reads them, dials.export makes an MTZ of them with the same
intensities, and they come back in as they went out.

test-export-dials.py ENGINE; needs dials.show, dials.export, gemmi and FIRSTLIGHT_TEST_DATA."""
import gzip, os, re, shutil, subprocess, sys, tempfile

engine = os.path.abspath(sys.argv[1])
packed = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "crystfel-sim", "A-xgandalf-fast.stream.gz")
missing = [p for p in ("dials.show", "dials.export") if shutil.which(p) is None] + ([] if os.path.exists(packed) else [packed])
try:
    import gemmi
    import h5py
    import numpy as np
except ImportError as error:
    missing.append(str(error))
if missing:
    print(f"1..0 # SKIP without {missing[0]}")
    sys.exit(0)

temporary = tempfile.mkdtemp()
number = 0


def check(name, good, detail=""):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)
    for line in [] if good else str(detail).splitlines()[-20:]:
        print("#", line)


def run(*command):
    done = subprocess.run(command, cwd=temporary, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200)
    return done.returncode, done.stdout


def reflections(job):
    """Of every shot, in order: its reflections as columns; and the lattices."""
    with h5py.File(os.path.join(temporary, job, "spots.h5"), "r") as file:
        first, n = file["shots/first_reflection"][:].astype(int), file["shots/n_reflections"][:].astype(int)
        rows = {c: file["reflections"][c][:] for c in file["reflections"]}
        lattices = {c: file["lattices"][c][:] for c in file["lattices"]}
    return [{c: v[a:a + k] for c, v in rows.items()} for a, k in zip(first, n)], lattices


with gzip.open(packed) as file:
    open(os.path.join(temporary, "a.stream"), "wb").write(file.read())
run(engine, "import-results", "--out", "job", "a.stream")
status, said = run(engine, "export", "--out", "out.expt", "job")  # where the images are not: the geometry is enough
check(f"export: {said.strip()}", status == 0, said)

status, said = run("dials.show", "out.expt", "out.refl")
check("dials.show reads them", status == 0 and said.count("\nCrystal:") == 240 and "67162 reflections" in said
      and "Unit cell: 79." in said, said)
status, said = run("dials.export", "out.expt", "out.refl", "mtz.hklout=out.mtz")
check("dials.export makes an MTZ of them", status == 0 and os.path.exists(os.path.join(temporary, "out.mtz")), said)

mtz = gemmi.read_mtz_file(os.path.join(temporary, "out.mtz"))
columns = {c.label: np.array(c.array) for c in mtz.columns}
ours, lattices = reflections("job")
ours = [r for r in ours if len(r["h"]) > 0]
batches = np.unique(columns["BATCH"])
check(f"{len(batches)} batches, one a lattice", len(batches) == len(ours) == 240)
same = hkl_same = total = 0
for batch, rows in zip(batches, ours):
    at = columns["BATCH"] == batch
    mine = np.c_[rows["h"], rows["k"], rows["l"]].astype(int)
    theirs = np.c_[columns["H"][at], columns["K"][at], columns["L"][at]].astype(int)

    def key(hkl):  # of Friedel mates the same
        flip = np.array([tuple(x) < tuple(-x) for x in hkl])
        return np.where(flip[:, None], -hkl, hkl)
    a = np.lexsort((rows["intensity"], *key(mine).T))
    b = np.lexsort((columns["I"][at], *key(theirs).T))
    hkl_same += np.array_equal(key(mine)[a], key(theirs)[b])
    same += np.allclose(rows["intensity"][a], columns["I"][at][b], rtol=1e-6) and np.allclose(
        rows["sigma"][a], columns["SIGI"][at][b], rtol=1e-5)
    total += len(mine)
check(f"equal intensities and sigmas in all batches ({total} reflections)", same == hkl_same == 240, (same, hkl_same))

status, said = run(engine, "import-results", "--out", "again", "out.expt")
check(f"in again: {said.strip()}", status == 0 and "240 lattices, 67162 reflections" in said, said)
back, lattices_back = reflections("again")
check("reflections come back as they were", len(back) == 240 and all(
    all(np.allclose(x[c], y[c], rtol=1e-5, atol=1e-5) for c in
        ("h", "k", "l", "panel", "fs", "ss", "intensity", "sigma", "background", "d", "excitation"))
    for x, y in zip(ours, back)))
check("and so do the lattices", all(np.allclose(lattices[c], lattices_back[c], rtol=1e-5, atol=1e-8) for c in lattices
                                    if c not in ("shift_x", "shift_y", "shift_z", "resolution", "spots")))
# And out again, without images and without a geometry of theirs.
status, said = run(engine, "export", "--out", "again.expt", "again")
check(f"out again: {said.strip()}", status == 0, said)
shown = [run("dials.show", f"{name}.expt") for name in ("out", "again")]


def numbers(text):
    """Origins, axes and cells that dials.show prints."""
    lines = [line for line in text.splitlines() if "origin:" in line or "_axis:" in line or "Unit cell:" in line]
    return np.array([[float(x) for x in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line.split(":", 1)[1])[:3]] for line in lines])


check("the detector and the cells stay where they were", len(numbers(shown[0][1])) > 600 and np.allclose(
    numbers(shown[0][1]), numbers(shown[1][1]), atol=2e-3))
print(f"1..{number}")
shutil.rmtree(temporary, ignore_errors=True)  # who was killed may still be dying
