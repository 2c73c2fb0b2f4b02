#!/usr/bin/python3
"""NXmx of many makes against h5py (pixels) and dxtbx (geometry): chains, modules, virtual and external data with Dectris'
filters and no plug-in of HDF5, masters, masks, beams. Usage: oracle-nxmx.py FIRSTLIGHT-CONTROL DUMP-FRAMES"""
import os
import re
import subprocess
import sys
import tempfile
import zlib

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(missing)
    sys.exit(77)
control, dump_frames = sys.argv[1:3]
rng = np.random.default_rng(1)
NO_PLUGINS = dict(os.environ, HDF5_PLUGIN_PATH="/nowhere")
BSLZ4 = dict(compression=32008, compression_opts=(0, 2))
LZ4 = dict(compression=32004, compression_opts=(0,))
if not h5py.h5z.filter_avail(32008) or not h5py.h5z.filter_avail(32004):
    print("HDF5 has no plug-ins to write with")
    sys.exit(77)
try:
    from dxtbx.model.experiment_list import ExperimentListFactory
except ImportError:
    ExperimentListFactory = None
compared = 0


def inspect(path, *options):
    run = subprocess.run([control, "inspect", *options, path], capture_output=True, text=True, env=NO_PLUGINS)
    return run.stdout + run.stderr, run.returncode


def frames(path):
    """Frames as we read them: (energy, crc32 of the pixels, masked pixels) of each."""
    run = subprocess.run([dump_frames, path, "-", "1"], capture_output=True, text=True, env=NO_PLUGINS)
    assert run.returncode == 0, run.stderr
    rows = [line.rsplit(" ", 3) for line in run.stdout.splitlines()]
    return [(float(e), int(crc, 16), int(bad)) for _, e, crc, bad in rows]


def check_pixels(path, expected):
    global compared
    ours = frames(path)
    assert len(ours) == len(expected), (path, len(ours), len(expected))
    for i, (row, frame) in enumerate(zip(ours, expected)):
        assert row[1] == zlib.crc32(np.ascontiguousarray(frame).tobytes()), (path, i)
        compared += 1


def check_refused(path, *words):
    text, status = inspect(path)
    last = text.strip().splitlines()[-1]
    assert status == 2 and last.startswith("inspect: ") and all(w in last for w in words), (path, status, text)


def axis(group, name, value, kind, unit, vector, depends_on, **attributes):
    """depends_on None: no such attribute."""
    d = group.create_dataset(name, data=value)
    d.attrs.update(dict(transformation_type=kind, units=unit, vector=np.array(vector, float), **attributes))
    if depends_on is not None:
        d.attrs["depends_on"] = depends_on
    return d


def nxmx(path, data=None, **options):
    """The frame of a file; gives file, NXdata and NXdetector."""
    f = h5py.File(path, "w")

    def group(where, kind):
        g = f.create_group(where)
        g.attrs["NX_class"] = kind
        return g
    group("entry", "NXentry")["definition"] = "NXmx"
    nxdata = group("entry/data", "NXdata")
    nxdata.attrs["signal"] = "data"
    group("entry/instrument", "NXinstrument")
    group("entry/sample", "NXsample")["name"] = "x"
    beam = group("entry/instrument/beam", "NXbeam")
    beam["incident_wavelength"] = options.get("wavelength", 1.3)
    beam["incident_wavelength"].attrs["units"] = options.get("wavelength_unit", "angstrom")
    detector = group("entry/instrument/detector", "NXdetector")
    detector["sensor_material"] = "Si"
    detector["sensor_thickness"] = 0.32
    detector["sensor_thickness"].attrs["units"] = "mm"
    if data is not None:
        nxdata.create_dataset("data", data=data, chunks=(1,) + data.shape[1:], **options.get("filter", BSLZ4))
    return f, nxdata, detector


def module(detector, name, origin, size, fast, slow, depends_on, pixel=(0.075, 0.075), unit="mm"):
    m = detector.create_group(name)
    m.attrs["NX_class"] = "NXdetector_module"
    m["data_origin"], m["data_size"] = np.array(origin, "i4"), np.array(size, "i4")
    axis(m, "fast_pixel_direction", [pixel[0]], "translation", unit, fast, depends_on, offset=np.zeros(3))
    axis(m, "slow_pixel_direction", [pixel[1]], "translation", unit, slow, depends_on, offset=np.zeros(3))
    return m


def transformations(detector):
    t = detector.create_group("transformations")
    t.attrs["NX_class"] = "NXtransformations"
    return t


def our_panels(path):
    text, status = inspect(path, "--panels", "--imgcif")
    assert status == 0, text
    found = re.findall(r"^panel (.*): (\d+) x (\d+) px, pixel (\S+) x (\S+) mm, origin (\S+ \S+ \S+), fast (\S+ \S+ \S+), "
                       r"slow (\S+ \S+ \S+), distance (\S+) mm", text, re.M)
    return [(p[0], np.array(" ".join(p[1:]).split(), float)) for p in found], text


def check_dxtbx(path, n_panels):
    """Every panel's size, place and directions as dxtbx has them; the wavelength."""
    global compared
    ours, text = our_panels(path)
    assert len(ours) == n_panels, (path, text)
    if ExperimentListFactory is None:
        return ours
    experiment = ExperimentListFactory.from_filenames([path])[0]
    theirs = experiment.detector
    assert len(theirs) == n_panels
    for (name, a), b in zip(ours, theirs):
        assert b.get_name().endswith("/" + name), (name, b.get_name())
        b = np.array([*b.get_image_size(), *b.get_pixel_size(), *b.get_origin(), *b.get_fast_axis(), *b.get_slow_axis(),
                      b.get_distance()])
        assert np.allclose(a, b, rtol=1e-5, atol=2e-5), (path, name, a, b)
        compared += 1
    if experiment.beam is not None:
        ours_wavelength = 12398.419843320026 / frames(path)[0][0]
        assert abs(ours_wavelength - experiment.imageset.get_beam(0).get_wavelength()) < 1e-6, path
    return ours


def chains(folder):
    # One panel on a two-theta arm; names relative to their groups, metres, offsets in another unit and without one.
    data = rng.poisson(5, (3, 40, 50)).astype("u2")
    path = os.path.join(folder, "arm.nxs")
    f, _, d = nxmx(path, data)
    t = transformations(d)
    axis(t, "two_theta", [12.5], "rotation", "deg", (0, 1, 0), ".")
    axis(t, "tilt", 0.02, "rotation", "rad", (1, 0, 0), "two_theta", offset=np.array([1., 2., 3.]), offset_units="mm")
    axis(t, "det_z", [0.2], "translation", "m", (0, 0, 1), "tilt", offset=np.array([0.001, 0, 0]))
    m = module(d, "module", (0, 0), (40, 50), (-1, 0, 0), (0, -1, 0), "module_offset", (75e-6, 100e-6), "m")
    axis(m, "module_offset", [1.0], "translation", "cm", (0.6, 0.8, 0), t.name + "/det_z",
         offset=np.zeros(3))
    f.close()
    check_dxtbx(path, 1)
    check_pixels(path, data)

    # Quadrants, modules and ASICs that turn about their corners, as cctbx writes AGIPD and Jungfrau.
    for rank in 2, 3:
        stack = rng.poisson(5, (2, 4, 16, 20)).astype("i4")
        path = os.path.join(folder, f"quadrants{rank}.h5")
        f, _, d = nxmx(path, stack if rank == 3 else stack.reshape(2, 64, 20))
        group = f["entry/instrument"].create_group("AGIPD")
        group.attrs["NX_class"] = "NXdetector_group"
        t = transformations(group)
        axis(t, "AXIS_RAIL", [300.0], "translation", "mm", (0, 0, 1), ".")
        axis(t, "AXIS_D0", [0.5], "rotation", "degrees", (0, 0, -1), "AXIS_RAIL", offset=np.array([1., -2, 0]), offset_units="mm")
        for q in range(2):
            axis(t, f"AXIS_D0Q{q}", [90.0 * q + 0.1], "rotation", "degrees", (0, 0, -1), "AXIS_D0",
                 offset=np.array([3. * q, 4, 0.1]), offset_units="mm")
            for a in range(2):
                k = 2 * q + a
                axis(t, f"AXIS_D0Q{q}M{a}", [1.0 + k], "rotation", "degrees", (0.6, 0, 0.8), f"AXIS_D0Q{q}",
                     offset=np.array([k, 1., 0]), offset_units="mm")
                module(d, f"ARRAY_D0Q{q}M{a}", (k, 0, 0) if rank == 3 else (16 * k, 0), (1, 16, 20) if rank == 3 else (16, 20),
                       (0.8, 0.6, 0), (-0.6, 0.8, 0), f"/entry/instrument/AGIPD/transformations/AXIS_D0Q{q}M{a}")
        f.close()
        if rank == 2:
            two = check_dxtbx(path, 4)
        else:
            three, _ = our_panels(path)
            assert all(a[0] == b[0] and np.array_equal(a[1], b[1]) for a, b in zip(two, three)), "rank 3"
        check_pixels(path, stack)

    # Two detectors with data of their own.
    path = os.path.join(folder, "two.h5")
    f, _, d = nxmx(path)
    e = f["entry/instrument"].create_group("second")
    e.attrs["NX_class"] = "NXdetector"
    parts = [rng.poisson(3, (2, 8, 10)).astype("u2") for _ in range(2)]
    for group, z, part in (d, 100., parts[0]), (e, 200., parts[1]):
        t = transformations(group)
        axis(t, "z", [z], "translation", "mm", (0, 0, 1), ".")
        module(group, "m", (0, 0), (8, 10), (-1, 0, 0), (0, -1, 0), f"{group.name}/transformations/z")
        group["data"] = part
    f.close()
    check_pixels(path, [np.concatenate([parts[0][i].ravel(), parts[1][i].ravel()]) for i in range(2)])
    assert [p[1][-1] for p in our_panels(path)[0]] == [100, 200]

    # Chains that lead nowhere or in a circle.
    for name, to, words in ("nowhere", "/entry/x", "/entry/x"), ("circle", "z", "depend on each other"):
        path = os.path.join(folder, name + ".h5")
        f, _, d = nxmx(path, data)
        t = transformations(d)
        axis(t, "z", [1.0], "translation", "mm", (0, 0, 1), to)
        module(d, "m", (0, 0), (40, 50), (-1, 0, 0), (0, -1, 0), t.name + "/z")
        f.close()
        check_refused(path, words)

    # One module of two has no directions: the other's are not for both. One that lies beyond every hall.
    for name, far, words in ("half", 1., "2 modules without directions"), ("far", 1e300, "m0 reaches inf mm far"):
        path = os.path.join(folder, name + ".h5")
        f, _, d = nxmx(path, data)
        t = transformations(d)
        axis(t, "z", [far], "translation", "mm", (0, 0, 1), ".")
        for i in range(2):
            module(d, f"m{i}", (20 * i, 0), (20, 50), (-1, 0, 0), (0, -1, 0), t.name + "/z")
        if name == "half":
            del d["m0/fast_pixel_direction"]
        f.close()
        check_refused(path, words)


def placed(d, ny, nx):
    t = transformations(d)
    axis(t, "z", [100.0], "translation", "mm", (0, 0, 1), ".")
    module(d, "m", (0, 0), (ny, nx), (-1, 0, 0), (0, -1, 0), t.name + "/z")


def virtual(folder):
    n, ny, nx = 12, 24, 40
    whole = rng.poisson(5, (n, ny, nx)).astype("u2")
    for i, filters in enumerate((BSLZ4, LZ4, BSLZ4)):
        with h5py.File(os.path.join(folder, f"part{i}.h5"), "w") as f:
            f.create_dataset("run", data=whole[4 * i:4 * i + 4], chunks=(1, ny, nx), **filters)
            f.create_dataset("turns", data=whole[i::3], chunks=(2, ny, nx), **filters)
            f.create_dataset("rows", data=whole[:, 8 * i:8 * i + 8], chunks=(1, 8, nx), **filters)
            f.create_dataset("both", data=whole[:, 8 * i:8 * i + 8, None, :], chunks=(3, 4, 1, nx), **filters)

    def source(i, name, shape):
        return h5py.VirtualSource(f"part{i}.h5", name, shape=shape)
    runs, turns, rows, both, gap, single = [h5py.VirtualLayout((n, ny, nx), "u2") for _ in range(6)]
    for i in range(3):
        runs[4 * i:4 * i + 4] = source(i, "run", (4, ny, nx))
        turns[i::3] = source(i, "turns", (4, ny, nx))
        rows[:, 8 * i:8 * i + 8] = source(i, "rows", (n, 8, nx))
        both[:, 8 * i:8 * i + 8] = source(i, "both", (n, 8, 1, nx))[:, :, 0, :]
        if i != 1:
            gap[:, 8 * i:8 * i + 8, 5:] = source(i, "rows", (n, 8, nx))[:, :, 5:]
        for k in range(4):
            single[4 * i + k] = source(i, "run", (4, ny, nx))[3 - k]
    with_gap = np.full_like(whole, 7)
    for i in 0, 2:
        with_gap[:, 8 * i:8 * i + 8, 5:] = whole[:, 8 * i:8 * i + 8, 5:]
    shuffled = whole.reshape(3, 4, ny, nx)[:, ::-1].reshape(whole.shape)
    for name, layout, expected in (("runs", runs, whole), ("turns", turns, whole), ("rows", rows, whole), ("both", both, whole),
                                   ("gap", gap, with_gap), ("single", single, shuffled)):
        path = os.path.join(folder, f"virtual-{name}.nxs")
        f, data, d = nxmx(path)
        data.create_virtual_dataset("data", layout, fillvalue=7)
        placed(d, ny, nx)
        f.close()
        with h5py.File(path) as f:
            assert np.array_equal(f["entry/data/data"][()], expected), name
        check_pixels(path, expected)
        # One virtual dataset behind another, and a link to it.
        outer = h5py.VirtualLayout((n, ny, nx), "u2")
        outer[...] = h5py.VirtualSource(path, "/entry/data/data", shape=(n, ny, nx))
        path = os.path.join(folder, f"outer-{name}.nxs")
        f, data, d = nxmx(path)
        data.create_virtual_dataset("data", outer, fillvalue=7)
        placed(d, ny, nx)
        f.close()
        check_pixels(path, expected)
    link = os.path.join(folder, "link.nxs")
    f, data, d = nxmx(link)
    data["data"] = h5py.ExternalLink("part0.h5", "run")
    placed(d, ny, nx)
    f.close()
    check_pixels(link, whole[:4])
    os.rename(os.path.join(folder, "part1.h5"), os.path.join(folder, "away.h5"))
    path = os.path.join(folder, "virtual-runs.nxs")
    text, _ = inspect(path, "--all")
    assert "part1.h5, which is not there" in text and "frame 3 " in text, text
    os.rename(os.path.join(folder, "part0.h5"), os.path.join(folder, "away0.h5"))
    check_refused(link, "part0.h5", "not there")


def masters(folder):
    n, ny, nx = 2, 30, 20
    whole = rng.poisson(5, (3 * n, ny, nx)).astype("u4")
    mask = (rng.random((ny, nx)) < 0.1).astype("u4") * 5

    def master(name, links, modern):
        for i in range(3):
            with h5py.File(os.path.join(folder, f"{name}_data_{i + 1:06}.h5"), "w") as f:
                f.create_dataset("entry/data/data", data=whole[n * i:n * i + n], chunks=(1, ny, nx), **BSLZ4)
        path = os.path.join(folder, name + "_master.h5")
        f, data, d = nxmx(path, wavelength=0.98)
        if not modern:
            del f["entry/definition"]
        data.attrs["signal"] = "data_000001"
        for i in range(links):
            data[f"data_{i + 1:06}"] = h5py.ExternalLink(f"{name}_data_{i + 1:06}.h5", "/entry/data/data")
        for key, value, unit in ("x_pixel_size", 75e-6, "m"), ("y_pixel_size", 75e-6, "m"), ("detector_distance", 0.15, "m"):
            d[key] = np.float32(value)
            d[key].attrs["units"] = unit
        d["beam_center_x"], d["beam_center_y"] = np.float32(9.5), np.float32(14.25)
        d["description"] = "Dectris EIGER"
        d["bit_depth_image"] = np.uint32(32)
        s = d.create_group("detectorSpecific")
        s.create_dataset("pixel_mask", data=mask, chunks=(ny, nx), **BSLZ4)
        s["countrate_correction_count_cutoff"] = np.uint32(1000)
        return path, f, d
    path, f, d = master("old", 5, False)
    f.close()
    check_pixels(path, whole)
    ours, text = our_panels(path)
    assert "format: Dectris master file" in text and "old_data_000004.h5" in text, text
    assert np.allclose(ours[0][1], [20, 30, .075, .075, -9.5 * .075, 14.25 * .075, -150, 1, 0, 0, 0, -1, 0, 150], atol=1e-4), ours
    assert f"masked {int((mask > 0).sum())}\n" in text and "trusted range: -inf to 1001" in text, text
    # Orientation and translation say the same, in a frame whose z is against the beam.
    path, f, d = master("oriented", 3, False)
    d["geometry/orientation/value"] = np.array([-1, 0, 0, 0, -1, 0], "f4")
    d["geometry/translation/distances"] = np.array([9.5 * 75e-6, 14.25 * 75e-6, -0.15], "f4")
    f.close()
    again, _ = our_panels(path)
    assert np.allclose(ours[0][1], again[0][1], atol=1e-4), again
    # A chain, sizes in the other order.
    path, f, d = master("new", 3, True)
    t = transformations(d)
    axis(t, "translation", [0.15], "translation", "m", (0, 0, 1), ".")
    m = module(d, "module", (0, 0), (nx, ny), (-1, 0, 0), (0, -1, 0), "module_offset", (75e-6, 75e-6), "m")
    axis(m, "module_offset", [0.0], "translation", "m", (1, 0, 0), t.name + "/translation",
         offset=np.array([9.5 * 75e-6, 14.25 * 75e-6, 0]))
    f.close()
    check_pixels(path, whole)
    modern, text = our_panels(path)
    assert "format: NXmx" in text and np.allclose(ours[0][1], modern[0][1], atol=1e-4), (ours, modern)
    # Per-frame values go through all data sets.
    with h5py.File(path, "a") as f:
        del f["entry/instrument/beam/incident_wavelength"]
        f["entry/instrument/beam/incident_wavelength"] = np.linspace(1, 2, 3 * n) / 10
        f["entry/instrument/beam/incident_wavelength"].attrs["units"] = "nm"
    assert np.allclose([12398.419843320026 / row[0] for row in frames(path)], np.linspace(1, 2, 3 * n)), frames(path)
    os.unlink(os.path.join(folder, "new_data_000002.h5"))
    check_refused(path, "new_data_000002.h5", "not there")
    os.unlink(os.path.join(folder, "new_data_000003.h5"))
    check_pixels(path, whole[:n])
    os.unlink(os.path.join(folder, "new_data_000001.h5"))
    check_refused(path, "new_data_000001.h5", "not there")


def masks_and_beams(folder):
    data = rng.poisson(5, (3, 2, 12, 10)).astype("f4")
    mask = (rng.random((2, 12, 10)) < 0.2).astype("u4") << 8
    second = (rng.random((2, 12, 10)) < 0.2).astype("u1")
    bad = int(((mask | second) > 0).sum())
    for name, rank, shape, filters in (("planes", 2, (2, 12, 10), BSLZ4), ("rows", 3, (24, 10), BSLZ4), ("same", 2, (24, 10), {}),
                                       ("same3", 3, (2, 12, 10), LZ4)):
        path = os.path.join(folder, f"mask-{name}.h5")
        f, _, d = nxmx(path, data if rank == 3 else data.reshape(3, 24, 10))
        t = transformations(d)
        axis(t, "z", [100.0], "translation", "mm", (0, 0, 1), ".")
        for k in range(2):
            module(d, f"m{k}", (k, 0, 0) if rank == 3 else (12 * k, 0), (1, 12, 10) if rank == 3 else (12, 10), (-1, 0, 0),
                   (0, -1, 0), t.name + "/z")
        d.create_dataset("pixel_mask", data=mask.reshape(shape), chunks=shape, **filters)
        d.create_dataset("pixel_mask_2", data=second.reshape(shape))
        f.close()
        check_pixels(path, data)
        assert frames(path)[0][2] == bad, (name, frames(path), bad)
    n, m = 3, 50
    channels = np.linspace(1.2, 1.4, m)
    weights = rng.random((n, m))
    means = (channels * weights).sum(1) / weights.sum(1)
    for name, wavelength, w, expected in (("scalar", 1.5, None, [1.5] * n), ("frames", [1.1, 1.2, 1.3], None, [1.1, 1.2, 1.3]),
                                          ("spectrum", channels, weights[0], [means[0]] * n),
                                          ("spectra", channels, weights, means),
                                          ("channels", np.tile(channels, (n, 1)), weights, means)):
        path = os.path.join(folder, f"beam-{name}.h5")
        f, _, d = nxmx(path, data.reshape(3, 24, 10), wavelength=wavelength)
        if w is not None:
            f["entry/instrument/beam/incident_wavelength_weights"] = w
        placed(d, 24, 10)
        f.close()
        got = [12398.419843320026 / row[0] for row in frames(path)]
        assert np.allclose(got, expected, rtol=1e-9), (name, got, expected)


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as where:
    for part in chains, virtual, masters, masks_and_beams:
        part(where)
print(f"{compared} frames and panels equal{'' if ExperimentListFactory else ' (dxtbx is not there)'}")
