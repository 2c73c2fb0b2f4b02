"""Decoding and spots (dispersion) of 4 and 16 megapixels by packing, beside dxtbx' reading of the same NXmx.

bench-nxmx.py BENCH-NXMX ENGINE: best of five, ms; theirs of LZ4 and bitshuffle with HDF5's plug-ins in HDF5_PLUGIN_PATH."""
import os, subprocess, sys, tempfile, time

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(missing)
    sys.exit(77)
try:
    from dxtbx.model.experiment_list import ExperimentListFactory
except ImportError:
    ExperimentListFactory = None
bench, engine = sys.argv[1:3]
rng = np.random.default_rng(1)


def axis(group, name, value, vector, depends_on):
    group[name] = [value]
    group[name].attrs.update(dict(transformation_type="translation", units="mm", vector=np.array(vector, float),
                                  depends_on=depends_on))


def write(path, ny, nx):
    """One frame of two photons a pixel and a thousand spots."""
    frame = rng.poisson(2, (ny, nx)).astype("u2")
    for y, x in zip(rng.integers(5, ny - 5, 1000), rng.integers(5, nx - 5, 1000)):
        frame[y - 1:y + 2, x - 1:x + 2] += rng.poisson([[20, 60, 20], [60, 300, 60], [20, 60, 20]]).astype("u2")
    with h5py.File(path, "w") as f:
        for name, kind in (("entry", "NXentry"), ("entry/data", "NXdata"), ("entry/instrument", "NXinstrument"),
                           ("entry/instrument/detector", "NXdetector"), ("entry/instrument/detector/m", "NXdetector_module"),
                           ("entry/instrument/beam", "NXbeam")):
            f.create_group(name).attrs["NX_class"] = kind
        f["entry/definition"] = "NXmx"
        f["entry/data/data"] = frame[None]
        f["entry/instrument/beam/incident_wavelength"] = 1.0
        m = f["entry/instrument/detector/m"]
        m["data_origin"], m["data_size"] = [0, 0], [ny, nx]
        axis(m, "offset", 200.0, (0.2, 0.2, 1), ".")
        axis(m, "fast_pixel_direction", 0.075, (-1, 0, 0), m.name + "/offset")
        axis(m, "slow_pixel_direction", 0.075, (0, -1, 0), m.name + "/offset")


def dxtbx_read(path):
    imageset = ExperimentListFactory.from_filenames([path])[0].imageset
    reader = imageset.reader()
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        reader.read(0)
        best = min(best, time.perf_counter() - start)
    return f"{best * 1e3:.1f}"


print("Mpx packing         MB   read  decode  spots  found  dxtbx read")
with tempfile.TemporaryDirectory() as folder:
    for ny, nx in (2167, 2070), (4362, 4148):
        source = os.path.join(folder, "source.h5")
        write(source, ny, nx)
        for packing in "none", "deflate", "lz4", "bitshuffle":
            path = os.path.join(folder, "packed.h5")
            subprocess.run([engine, "convert", "--quiet", "--compression", packing, "--out", path, source], check=True)
            read, decode, spots, found = subprocess.run([bench, path], check=True, capture_output=True, text=True).stdout.split()
            try:
                theirs = dxtbx_read(path) if ExperimentListFactory else "–"
            except OSError:
                theirs = "no filter"
            print(f"{ny * nx / 1e6:4.1f} {packing:12s} {os.path.getsize(path) / 1e6:6.1f} {read:>6} {decode:>7} {spots:>6} "
                  f"{found:>6} {theirs:>10}", flush=True)
