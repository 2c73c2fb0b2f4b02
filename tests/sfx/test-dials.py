"""Real CSPAD stills: strong pixels equal DIALS' own threshold pixel by pixel, spots equal dials.find_spots one to one.

test-dials.py STRONG_MASK ENGINE; needs DIALS' Python modules and FIRSTLIGHT_TEST_DATA."""
import glob, os, subprocess, sys, tempfile

strong_mask, engine = sys.argv[1:3]
folder = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "stills", "cspad_thermolysin")
files = sorted(glob.glob(os.path.join(folder, "*.cbf")))
if not files:
    print(f"1..0 # SKIP no real stills in {folder}")
    sys.exit(0)
try:
    import h5py
    import numpy as np
    from dials.algorithms.image.threshold import DispersionExtendedThreshold, DispersionThreshold
    from dials.array_family import flex
    from dxtbx.model.experiment_list import ExperimentListFactory
except ImportError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(0)

number = 0


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def panels_of(path):
    imageset = ExperimentListFactory.from_filenames([path])[0].imageset
    return imageset.get_raw_data(0), imageset.get_mask(0)


def dials_mask(threshold, data, mask):
    """One call a panel, as DIALS' spot finder does."""
    out = []
    for image, good in zip(data, mask):
        strong = flex.bool(flex.grid(image.all()))
        threshold(image.all())(image.as_double(), good, strong)
        out.append(strong.as_numpy_array())
    return out


def ours(path, temporary, *settings):
    out = os.path.join(temporary, "mask")
    lines = subprocess.run([strong_mask, *settings, path, "0", out], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    flat = np.fromfile(out, dtype=np.uint8)
    panels = []
    for line in lines:
        offset, stride, n_fs, n_ss = map(int, line.split())
        at = offset + np.arange(n_ss)[:, None] * stride + np.arange(n_fs)
        panels.append(flat[at] != 0)
    return panels


def threshold(kind):
    return lambda size: kind(size, (3, 3), 6, 3, 100, 2)


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
    for path, expected in zip(files, (3231, 7764)):
        name = os.path.basename(path)
        data, mask = panels_of(path)
        for kind, algorithm in (DispersionThreshold, "dispersion"), (DispersionExtendedThreshold, "dispersion_extended"):
            theirs = dials_mask(threshold(kind), data, mask)
            mine = ours(path, temporary, f"spots.algorithm={algorithm}", "spots.global_threshold=100", "spots.gain=1")
            n = sum(int(p.sum()) for p in theirs)
            differ = sum(int((a != b).sum()) for a, b in zip(mine, theirs))
            check(f"{name}: {algorithm}: {n} strong pixels, {differ} differ",
                  len(mine) == len(theirs) and differ == 0 and (algorithm != "dispersion" or n == expected))

    environment = dict(os.environ, DIALS_NPROC="1")
    subprocess.run(["dials.import", *files], cwd=temporary, check=True, stdout=subprocess.DEVNULL, env=environment)
    subprocess.run(["dials.find_spots", "imported.expt", "threshold.algorithm=dispersion", "global_threshold=100",
                    "gain=1", "min_spot_size=3", "nproc=1"], cwd=temporary, check=True, stdout=subprocess.DEVNULL,
                   env=environment)
    table = flex.reflection_table.from_file(os.path.join(temporary, "strong.refl"))
    job = os.path.join(temporary, "job")
    subprocess.run([engine, "stills", "--stages", "spots", "--out", job, "--set", "spots.algorithm=dispersion",
                    "--set", "spots.global_threshold=100", *files], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    h5 = h5py.File(os.path.join(job, "spots.h5"))
    for image, (path, expected) in enumerate(zip(files, (128, 138))):
        first, n = int(h5["shots/first_spot"][image]), int(h5["shots/spots"][image])
        rows = slice(first, first + n)
        mine = np.column_stack([h5["spots/fs"][rows], h5["spots/ss"][rows]])
        panel, intensity = h5["spots/panel"][rows], h5["spots/intensity"][rows]
        chosen = table.select(table["id"] == image)
        xyz = chosen["xyzobs.px.value"].as_numpy_array()[:, :2]
        theirs_panel = chosen["panel"].as_numpy_array()
        worst, used = 0.0, set()
        for where, number_of_panel in zip(xyz, theirs_panel):
            distance = np.hypot(*(mine - where).T)
            distance[panel != number_of_panel] = np.inf
            k = int(np.argmin(distance))
            worst = max(worst, distance[k])
            used.add(k)
        check(f"{os.path.basename(path)}: {n} spots, {len(xyz)} of dials.find_spots, one to one within {worst:.4f} px",
              n == len(xyz) == expected == len(used) and worst < 0.1)
        variance = np.sqrt(chosen["xyzobs.px.variance"].as_numpy_array()[:, :2].sum(axis=1))
        check(f"{os.path.basename(path)}: centroid variances of the same size",
              abs(np.median(np.sqrt(h5["spots/var_fs"][rows] + h5["spots/var_ss"][rows])) / np.median(variance) - 1) < 0.05)
        check(f"{os.path.basename(path)}: all spots above their background, on the detector's resolutions",
              bool((intensity > 0).all() and (h5["spots/d"][rows] > 1.5).all()))
print(f"1..{number}")
