"""darks and calibrated shots as users make them: photons turned into the raw pixels of a detector that switches its gain, darks
of each gain, constants from them, and `stills` and `inspect` with these.
Usage: test-darks.py [--long] FIRSTLIGHT-ENGINE FIRSTLIGHT-CONTROL MPIRUN"""
import os, re, shutil, subprocess, sys, tempfile

import h5py
import numpy as np

import stills_job

long = "--long" in sys.argv
engine, control, mpirun = [a for a in sys.argv[1:] if a != "--long"]
stills_job.ENGINE, stills_job.MPIRUN = engine, mpirun
KEV, GAIN, RMS = 9.5, (41.5, -1.39, -0.11), (6.0, 2.5, 2.0)
done = 0


def check(ok, what):
    global done
    done += 1
    print(f"{'ok' if ok else 'not ok'} {done} - {what}", flush=True)
    if not ok:
        sys.exit(1)


def run(*words, ranks=0):
    line = [mpirun, "-n", str(ranks)] if ranks and mpirun else []
    return subprocess.run(line + list(words), capture_output=True, text=True, timeout=600)


class Detector:
    """Pedestals that differ from pixel to pixel, noise, gains; Jungfrau's way of telling the gain."""

    def __init__(self, shape, seed=1):
        self.random = np.random.default_rng(seed)
        self.pedestal = [m + self.random.normal(0, s, shape) for m, s in ((2500, 120), (13600, 150), (14200, 150))]

    def digits(self, stage, photons, kev=KEV):
        """ADU of a gain, clipped to 14 bits."""
        adu = self.pedestal[stage] + photons * kev * GAIN[stage] + self.random.normal(0, RMS[stage], photons.shape)
        return np.clip(np.rint(adu), 0, 16383).astype(np.uint16)

    def raw(self, photons, kev=KEV):
        first, second, third = (self.digits(s, photons, kev) for s in range(3))
        code = np.where(first < 15500, 0, np.where(second > 400, 1, 3)).astype(np.uint16)
        return np.choose(code, (first, second, first, third)).astype(np.uint16) | code << 14

    def dark(self, stage, frames, stray=0.004):
        shape = (frames,) + self.pedestal[0].shape
        data = self.digits(stage, np.zeros(shape)) | np.uint16((0, 1, 3)[stage] << 14)
        hit = self.random.random(shape) < stray
        data[hit] = data[hit] & 0xc000 | 9000
        return data.astype(np.uint16)


def write(path, dataset, data):
    with h5py.File(path, "w") as file:
        file.create_dataset(dataset, data=data, chunks=(1,) + data.shape[1:], compression="gzip", compression_opts=1)


def darks(out, inputs, geometry, ranks=0, sets=()):
    words = [engine, "darks", "--out", out, "--set", "detector.kind=jungfrau", "--set", f"detector.geometry={geometry}"]
    for s in sets:
        words += ["--set", s]
    return run(*words, *inputs, ranks=ranks)


def read(path):
    with h5py.File(path) as file:
        return {name: file[name][()] for name in ("pedestals", "pixel_rms", "pixel_status")}


def calibrated(constants):
    return (f"detector.calibration={constants}", f"detector.gain={','.join(map(str, GAIN))}")


def view(raw, geometry, constants, photons):
    """The window's picture of the raw file."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "view"))
    try:
        import serve_client
    except ImportError:  # no GLib for Python
        return
    serve = serve_client.Serve(control)
    serve.calibration = "\n".join(s.replace("=", " = ", 1) for s in calibrated(constants))
    raster = serve.image(raw, geometry, width=96, height=96, reduce=serve_client.NEAREST)["raster"]
    good = np.isfinite(raster)
    serve.calibration = ""
    plain = serve.image(raw, geometry, width=96, height=96, reduce=serve_client.NEAREST)["raster"]
    serve.close()
    check(abs(np.mean(raster[good]) / photons.mean() - 1) < 0.02 and np.median(plain) > 2000,
          f"a picture of it has {np.mean(raster[good]):.4f} photons a pixel; of the raw pixels {np.median(plain):.0f} ADU")


def short(place):
    shots, geometry, hits = stills_job.write_shots(place, "photons.h5", 24)
    with h5py.File(shots) as file:
        photons = file["/entry/data/data"][:].astype(float)
    photons[3, 40:43, 40:43] = 3000  # the third gain
    write(shots, "/entry/data/data", photons.astype(np.uint16))
    detector = Detector(photons.shape[1:])
    raw = os.path.join(place, "raw.h5")
    write(raw, "/entry/data/data", detector.raw(photons))
    files = [os.path.join(place, f"dark{s}.h5") for s in range(3)]
    for stage, path in enumerate(files):
        data = detector.dark(stage, 60)
        data[:, 1, 20] = data[0, 1, 20]  # stuck
        noisy = data[:, 1, 50] & 0x3fff
        data[:, 1, 50] = data[:, 1, 50] & 0xc000 | np.clip(noisy + detector.random.normal(0, 300, 60), 1, 16382).astype(np.uint16)
        write(path, "/entry/data/data", data)

    # Constants.
    one, three = (os.path.join(place, f"constants{n}.h5") for n in (1, 3))
    said = darks(one, files, geometry)
    check(said.returncode == 0 and re.fullmatch(r"180 shots, 3 gains, \d+ bad pixels", said.stdout.splitlines()[-1]), said.stdout.strip().splitlines()[-1] + said.stderr)
    darks(three, files, geometry, ranks=3)
    a, b = read(one), read(three)
    check(all(np.array_equal(a[k], b[k], equal_nan=True) for k in a), "three ranks measure what one does")
    good = a["pixel_status"] == 0
    off = [np.abs(a["pedestals"][s].reshape(96, 96) - detector.pedestal[s])[good[s].reshape(96, 96)] for s in range(3)]
    ratio = [np.median(a["pixel_rms"][s][good[s]]) / np.hypot(RMS[s], 12 ** -0.5) for s in range(3)]
    check(all(o.max() < 6 * r / 60 ** 0.5 for o, r in zip(off, RMS)) and all(0.95 < r < 1.05 for r in ratio),
          "pedestals off by at most %.2f %.2f %.2f ADU, RMS %.3f %.3f %.3f of the truth, stray photons or not" % (*(o.max() for o in off), *ratio))
    status = a["pixel_status"].reshape(3, 96, 96)
    check((status[:, 1, 20] == 4).all() and (status[:, 1, 50] == 2).all() and (status > 0).sum() <= 8, "the stuck and the noisy pixel are bad, with the reason")
    # Gains one after another, in psana's folder.
    folder = os.path.join(place, "folder")
    for path in files:
        darks(folder, [path], geometry)
    text = np.loadtxt(os.path.join(folder, "pedestals", "0-end.data"))
    check(np.allclose(text.reshape(3, -1), a["pedestals"], atol=2e-3, equal_nan=True), "gains measured one after another end up together")
    said = darks(os.path.join(place, "few.h5"), files, geometry, sets=("darks.min_shots=61",))
    check(said.returncode == 2 and "too few" in said.stderr and said.stderr.count("\n") == 1, "too few shots: " + said.stderr.strip())
    said = run(engine, "darks", "--out", one + "x.h5", "--set", f"detector.geometry={geometry}", *files)
    check(said.returncode == 2 and "expected jungfrau" in said.stderr, "no kind is refused")

    # The same shots.
    jobs = {}
    for name, path, sets in (("photons", shots, ()), ("h5", raw, calibrated(one)), ("folder", raw, calibrated(folder)),
                             ("common", raw, calibrated(one) + ("detector.common_mode=rows",))):
        jobs[name] = os.path.join(place, "job-" + name)
        status, last, err = stills_job.run(jobs[name], [path], geometry=geometry, ranks=0, sets=sets)
        check(status == 0 and f"24 shots, {hits} hits" in last, f"stills on {name}: {last}{err if status else ''}")
    (want, spots), (shots_got, got) = stills_job.table(jobs["photons"]), stills_job.table(jobs["h5"])
    check(np.array_equal(want["spots"], shots_got["spots"]), "as many spots in every shot")
    worst = np.abs(got["intensity"] / spots["intensity"] - 1).max()
    place_off = np.hypot(got["fs"] - spots["fs"], got["ss"] - spots["ss"]).max()
    check(worst < 0.02 and place_off < 0.02, f"intensities within {worst:.4f}, places within {place_off:.4f} px")
    if control:
        words = [control, "inspect", "--geometry", geometry, raw]
        for s in calibrated(one):
            words += ["--set", s]
        said = run(*words)
        mean = float(re.search(r"frame 0.*f32.*mean ([\d.]+)", said.stdout)[1])
        check("calibration: jungfrau, photons" in said.stdout and abs(mean / photons[0].mean() - 1) < 0.01, f"inspect: frame 0 has {mean} photons a pixel of {photons[0].mean():.5f}")
        view(raw, geometry, one, photons[0])
    said = run(engine, "stills", "--out", os.path.join(place, "job-bad"), "--set", f"detector.geometry={geometry}", "--set", f"detector.calibration={one}", raw)
    check(said.returncode == 2 and "no gains beside the pedestals" in said.stderr, "no gains: told in a line")


def simulated(place):
    """A simulated beamtime: as many lattices from raw pixels as from photons."""
    sim = os.path.join(place, "sim")
    said = run(engine, "simulate-sfx", "--out", sim, "--shots", "30", "--quiet", "--set", "simulate.hit_fraction=1", "--set", "simulate.gain=1")
    check(said.returncode == 0, "simulated" + said.stderr)
    geometry = os.path.join(sim, "detector.geom")
    data = next(os.path.join(d, f) for d, _, names in os.walk(os.path.join(sim, "r0001")) for f in sorted(names) if f.endswith((".cxi", ".h5")))
    text = open(geometry).read()
    dataset = re.search(r"^data = (\S+)", text, re.M)[1]
    raw = os.path.join(place, "raw" + os.path.splitext(data)[1])
    shutil.copy(data, raw)
    with h5py.File(raw, "r+") as file:
        photons = file[dataset][:].astype(float)
        detector = Detector(photons.shape[1:])
        kev = file["/LCLS/photon_energy_eV"][:].reshape(-1) / 1000
        del file[dataset]
        file.create_dataset(dataset, data=np.array([detector.raw(p, k) for p, k in zip(photons, kev)]), chunks=(1,) + photons.shape[1:])
    files = []
    for stage in range(3):
        files.append(os.path.join(place, f"simdark{stage}.h5"))
        write(files[-1], dataset, detector.dark(stage, 20, 0.0005))
    constants = os.path.join(place, "simconstants.h5")
    dark_geometry = os.path.join(place, "dark.geom")
    open(dark_geometry, "w").write(re.sub(r"^(photon_energy|clen|mask\w*|detector_shift_[xy]) = /.*$", lambda m: {"p": "photon_energy = 9300", "c": "clen = 0.1"}.get(m[0][0], ""), text, flags=re.M))
    said = darks(constants, files, dark_geometry)
    check(said.returncode == 0, "darks: " + said.stdout.strip().splitlines()[-1] + said.stderr)
    lines = []
    for path, sets in ((data, ()), (raw, calibrated(constants))):
        words = [engine, "stills", "--out", os.path.join(place, "job" + str(len(lines))), "--stages", "index", "--set", f"detector.geometry={geometry}"]
        for s in sets:
            words += ["--set", s]
        said = run(*words, path)
        check(said.returncode == 0, said.stdout.strip().splitlines()[-1] + (said.stderr if said.returncode else ""))
        lines.append([int(n) for n in re.findall(r"(\d+) ", said.stdout.strip().splitlines()[-1])])
    check(lines[0][2] > 15 and all(abs(a - b) <= 1 for a, b in zip(*lines)), f"photons {lines[0]}, raw {lines[1]}")


with tempfile.TemporaryDirectory(prefix="fl-darks-") as folder:
    simulated(folder) if long else short(folder)
print(f"1..{done}")
