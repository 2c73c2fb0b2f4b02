"""NXmx as we write it, read by DIALS: import and show give our geometry, find_spots our spots.

test-dials-nxmx.py CONTROL ENGINE STRONG_MASK [all]: a simulated frame of two panels; with `all` also one panel and four
megapixels, CSPAD geometry with readout noise, and the real CSPAD stills (FIRSTLIGHT_TEST_DATA)."""
import glob, os, re, shutil, subprocess, sys, tempfile

control, engine, strong_mask = sys.argv[1:4]
try:
    import h5py
    import numpy as np
    from dials.algorithms.image.threshold import DispersionThreshold
    from dials.array_family import flex
    from dxtbx.model.experiment_list import ExperimentListFactory
except ImportError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(0)
number = 0
environment = dict(os.environ, DIALS_NPROC="1")


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def run(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=environment).stdout


def numbers(text):
    return [float(v) for v in re.split(r"[,\s]+", text.strip("{} "))]


def check_show(name, path, folder):
    """What dials.show prints of every panel, against `inspect` of the same file."""
    run("dials.import", path, "output.experiments=imported.expt", cwd=folder)
    show = run("dials.show", "imported.expt", cwd=folder).split("Experiment 1:")[0]
    theirs = [dict(re.findall(r"^  ([a-z_]+): ?(.*)$", part, re.M)) for part in show.split("Panel:\n")[1:]]
    text = run(control, "inspect", "--panels", "--imgcif", path)
    ours = re.findall(r"^panel (.*): (\d+) x (\d+) px, pixel (\S+) x (\S+) mm, origin (\S+ \S+ \S+), fast (\S+ \S+ \S+), "
                      r"slow (\S+ \S+ \S+), distance (\S+) mm, trusted (\S+) to (\S+), gain", text, re.M)
    worst = 0.0
    for a, b in zip(ours, theirs):
        # Our range leaves its limits out, and has one more above than the largest good value of counts.
        mine = numbers(" ".join(a[1:10])) + [float(a[10]) - 1]
        other = sum((numbers(b[key].replace("{", "").replace("}", "")) for key in (
            "image_size", "pixel_size", "origin", "fast_axis", "slow_axis", "distance", "trusted_range")), [])
        worst = max(worst, max(abs(x - y) / max(1, abs(x)) for x, y in zip(mine, other)))
    wavelength = float(re.search(r"^    wavelength: (\S+)", show, re.M).group(1))
    energy = float(re.search(r"^frame 0 .* (\S+) eV", text, re.M).group(1))
    check(f"{name}: dials.show: {len(theirs)} panels, all numbers within {worst:.1e}, wavelength {wavelength} A",
          len(ours) == len(theirs) > 0 and worst < 2e-5 and abs(12398.41984 / energy - wavelength) < 2e-5)


def gain_of(path):
    """What our finder takes as it is in the file, and DIALS as a parameter."""
    with h5py.File(path) as f:
        gains = f["entry/instrument/detector/detectorSpecific/counts_per_photon"][()]
    assert (gains == gains[0]).all()
    return float(gains[0])


def our_mask(path, frame, folder, threshold):
    out = os.path.join(folder, "mask")
    lines = run(strong_mask, "spots.algorithm=dispersion", f"spots.global_threshold={threshold}", path, str(frame), out).splitlines()
    flat = np.fromfile(out, dtype=np.uint8)
    panels = []
    for line in lines:
        offset, stride, n_fs, n_ss = map(int, line.split())
        panels.append(flat[offset + np.arange(n_ss)[:, None] * stride + np.arange(n_fs)] != 0)
    return panels


def check_strong(name, path, folder, threshold, frame):
    # Shots of different wavelengths are experiments of their own.
    imageset = ExperimentListFactory.from_filenames([path])[frame].imageset
    data, mask = imageset.get_raw_data(0), imageset.get_mask(0)
    mine = our_mask(path, frame, folder, threshold)
    n = differ = 0
    for image, good, own in zip(data, mask, mine):
        strong = flex.bool(flex.grid(image.all()))
        gain = flex.double(flex.grid(image.all()), gain_of(path))
        DispersionThreshold(image.all(), (3, 3), 6, 3, threshold, 2)(image.as_double(), good, gain, strong)
        theirs = strong.as_numpy_array()
        n += int(theirs.sum())
        differ += int((theirs != own).sum())
    check(f"{name}: frame {frame}: {n} strong pixels, {differ} differ", n > 0 and differ == 0 and len(mine) == len(data))


def check_spots(name, path, folder, threshold):
    run("dials.find_spots", "imported.expt", "threshold.algorithm=dispersion", f"global_threshold={threshold}", f"gain={gain_of(path)}",
        "min_spot_size=3", "max_separation=2", "nproc=1", cwd=folder)
    table = flex.reflection_table.from_file(os.path.join(folder, "strong.refl"))
    job = os.path.join(folder, "job")
    run(engine, "stills", "--stages", "spots", "--out", job, "--set", "spots.algorithm=dispersion", "--set",
        f"spots.global_threshold={threshold}", path)
    h5 = h5py.File(os.path.join(job, "spots.h5"))
    n_all = n_theirs = 0
    worst, one_to_one = 0.0, True
    for image in range(len(h5["shots/spots"])):
        first, n = int(h5["shots/first_spot"][image]), int(h5["shots/spots"][image])
        rows = slice(first, first + n)
        mine, panel = np.column_stack([h5["spots/fs"][rows], h5["spots/ss"][rows]]), h5["spots/panel"][rows]
        chosen = table.select(table["id"] == image)
        xyz, used = chosen["xyzobs.px.value"].as_numpy_array()[:, :2].reshape(-1, 2), set()
        for where, which in zip(xyz, chosen["panel"].as_numpy_array()):
            distance = np.hypot(*(mine - where).T)
            distance[panel != which] = np.inf
            k = int(np.argmin(distance)) if n else 0
            worst = max(worst, distance[k] if n else np.inf)
            used.add(k)
        one_to_one &= len(used) == len(xyz) == n
        n_all, n_theirs = n_all + n, n_theirs + len(xyz)
    check(f"{name}: {n_all} spots, {n_theirs} of dials.find_spots, one to one within {worst:.4f} px",
          one_to_one and n_all > 0 and worst < 0.1)
    shutil.rmtree(job)


def check_all(name, path, folder, threshold, frame=0):
    check_show(name, path, folder)
    check_strong(name, path, folder, threshold, frame)
    check_spots(name, path, folder, threshold)


def simulate(folder, *settings, shots=2):
    out = os.path.join(folder, "beamtime")
    shutil.rmtree(out, ignore_errors=True)
    run(engine, "simulate-sfx", "--out", out, "--shots", str(shots), "--quiet", "--set", "simulate.format=nxmx", "--set",
        "simulate.hit_fraction=1", "--set", "simulate.compression=bitshuffle", *[x for s in settings for x in ("--set", s)])
    return glob.glob(os.path.join(out, "r0001", "*.h5"))[0]


with tempfile.TemporaryDirectory() as folder:
    check_all("jungfrau-1m", simulate(folder, "simulate.detector=jungfrau-1m"), folder, 100)
    if sys.argv[4:] == ["all"]:
        check_all("eiger-1m", simulate(folder, "simulate.detector=eiger-1m"), folder, 0)
        check_all("jungfrau-4m", simulate(folder, "simulate.detector=jungfrau-4m"), folder, 100, 1)
        data = os.environ.get("FIRSTLIGHT_TEST_DATA", "")
        geometry = os.path.join(data, "geom", "cspad-cxib2313-v9.geom")
        stills = sorted(glob.glob(os.path.join(data, "stills", "cspad_thermolysin", "*.cbf")))
        if os.path.exists(geometry):
            check_all("cspad geometry", simulate(folder, f"simulate.geometry={geometry}"), folder, 100)
        if stills:
            path = os.path.join(folder, "stills.h5")
            run(engine, "convert", "--out", path, "--quiet", *stills)
            check_all("real stills", path, folder, 100, 1)
            # As from the files themselves.
            n = [sum(int(p.sum()) for p in our_mask(path, i, folder, 100)) for i in range(2)]
            check(f"real stills: {n} strong pixels, as in the CBF files", n == [3231, 7764])
print(f"1..{number}")
