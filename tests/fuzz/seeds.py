#!/usr/bin/python3
"""Small whole files of every kind of image, for the fuzzers to start from. Usage: seeds.py CORPUS-FOLDER"""
import base64
import binascii
import bz2
import gzip
import hashlib
import io
import os
import pathlib
import re
import sys

import numpy as np

from texts import MORE_WORDS, TEXTS

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shots"))
from image_writers import ADSC, EIGER, FULL, PILATUS, RIGAKU, cbf, counts, gapped, rayonix, smv, tiff


def put(target, name, data):
    folder = os.path.join(sys.argv[1], "fuzz-" + target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "seed-" + name), "wb") as file:
        file.write(data)


def tiff_seed(data):
    """The target writes the first four bytes, as the first of these says."""
    kind = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].index(data[:4])
    return bytes([kind]) + data[4:]


small = counts(np.uint16, 12, 12)
for name, header in ("adsc", ADSC), ("rigaku", RIGAKU), ("pedestal", {**ADSC, "IMAGE_PEDESTAL": "40"}), (
        "plate", {**RIGAKU, "RAXIS_COMPRESSION_RATIO": "8"}), ("fake", {**ADSC, "BEAMLINE": "fake"}), (
        "als", {**ADSC, "DETECTOR_SN": "905", "DENZO_XBEAM": "3", "DENZO_YBEAM": "4"}), (
        "spatial", {**ADSC, "DETECTOR_SN": "458", "CCD_SPATIAL_BEAM_POSITION": "5 6"}):
    for order in "little_endian", "big_endian":
        put("smv", f"{name}-{order}", smv(header, small, order)[len("{\nHEADER_BYTES"):])

text = PILATUS.encode() + b"\0"
put("tiff", "rayonix", tiff_seed(rayonix(small, (6, 6.5), 10)))
put("tiff", "rayonix-big", tiff_seed(rayonix(small, (6, 6.5), big=True)))
put("tiff", "pilatus", tiff_seed(tiff(gapped(counts(np.int32, 9, 31)), 2048, [(270, 2, len(text), 1024)], {1024: text})))
try:
    from PIL import Image
    for packing in "raw", "packbits", "tiff_lzw", "tiff_adobe_deflate":
        for mode, dtype in ("I;16", np.uint16), ("L", np.uint8), ("F", np.float32), ("I", np.int32):
            for predictor in (1, 3 if mode == "F" else 2) if packing in ("tiff_lzw", "tiff_adobe_deflate") else (1,):
                file = io.BytesIO()
                Image.fromarray((small % 200).astype(dtype)).save(
                    file, "TIFF", compression=None if packing == "raw" else packing,
                    tiffinfo={317: predictor} if predictor > 1 else {})
                put("tiff", f"{packing}-{mode.replace(';', '')}-{predictor}", tiff_seed(file.getvalue()))
except ImportError:
    print("PIL is not there: no packed TIFF among the seeds")

magic = cbf(np.zeros((1, 1), np.int32), "", "").index(b"\r\n") + 2  # of the line that the target writes
pixels = gapped(counts(np.int32, 9, 31))
for name, comments in ("pilatus", PILATUS), ("eiger", EIGER):
    put("cbf", name, cbf(pixels, "PILATUS_1.2", comments)[magic:])
full = cbf(pixels, "PILATUS_1.2", "")
head = (FULL + PILATUS).replace("487", "9").replace("195", "31").replace("\n", "\r\n") + ";\r\n;\r\n"
put("cbf", "full", b"data_image_1\r\n" + head.encode() + full[full.index(b"--CIF-BINARY"):])



def bits(*fields):
    """(value, width) …, the least first."""
    number = at = 0
    for value, width in fields:
        number |= (value & (1 << width) - 1) << at
        at += width
    return number.to_bytes((at + 7) // 8, "little")


# Runs of a power of two with a common width: nothing, 8 bits, whole.
head = np.array([9 * 31, 0, 0, 0], "<u8").tobytes()
v1 = head + bits((7, 3), (0, 3), (7, 3), (0, 3), (3, 3), (5, 3), *((i * 37, 8) for i in range(8)), (3, 3), (0, 3), (2, 3), (7, 3),
                 *((1000 * i, 32) for i in range(4)), (1, 3), (1, 3), (3, 4), (12, 4), (0, 3), (0, 3))
v2 = head + bits((7, 3), (0, 4), (7, 3), (0, 4), (4, 3), (3, 4), *((i, 5) for i in range(16)), (2, 3), (15, 4),
                 *((-9 * i, 32) for i in range(4)), (1, 3), (2, 4), (3, 4), (12, 4), (0, 3), (0, 4))
plain = pixels.astype("<i4").tobytes()
stored = cbf(pixels, "PILATUS_1.2", PILATUS)[magic:]
begin = stored.index(b"\x0c\x1a\x04\xd5")
offsets = stored[begin + 4:stored.index(b"\0" * 4095)]


def section(data, conversion, encoding=b"BINARY", text=None):
    """The same image, packed otherwise."""
    front = stored[:begin].replace(b'"x-CBF_BYTE_OFFSET"', conversion).replace(b"BINARY\r\nX-", encoding + b"\r\nX-")
    front = front.replace(b"X-Binary-Size: %d" % len(offsets), b"X-Binary-Size: %d" % len(data))
    front = front.replace(b"X-Binary-ID", b"Content-MD5: " + base64.b64encode(hashlib.md5(data).digest()) + b"\r\nX-Binary-ID")
    body = b"\x0c\x1a\x04\xd5" + data + bytes(4095) if text is None else text
    return front + body + b"\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n"


put("cbf", "packed", section(v1, b'"x-CBF_PACKED"'))
put("cbf", "packed-v2", section(v2, b'"x-CBF_PACKED_V2"; "uncorrelated_sections"'))
flat = head + bits((7, 3), (0, 4), (7, 3), (15, 4), *((i, 65) for i in range(128)), (4, 3), (3, 4), *((i, 5) for i in range(16)), (2, 3), (0, 4),
                   (1, 3), (2, 4), (3, 4), (12, 4), (0, 3), (0, 4))
put("cbf", "packed-flat", section(flat, b'"x-CBF_PACKED_V2"; "flat"'))
put("cbf", "none", section(plain, b'"x-CBF_NONE"'))
put("cbf", "base64", section(offsets, b'"x-CBF_BYTE_OFFSET"', b"BASE64", base64.encodebytes(offsets)))
put("cbf", "quoted", section(offsets, b'"x-CBF_BYTE_OFFSET"', b"QUOTED-PRINTABLE", binascii.b2a_qp(offsets, istext=False)))
for kind, data in (1, v1), (2, v2), (6, v2), (10, v2), (3, offsets), (0, plain):
    for width in range(3):
        put("cbf-codec", f"{kind}-{width}", bytes([kind, width, 8, 30, 0]) + data)
        put("cbf-codec", f"{kind}-{width}-sections", bytes([kind, width, 8, 14, 1]) + data)
for name, data in ("plain", plain[:99]), ("gzip", gzip.compress(plain)), ("bzip2", bz2.compress(plain)), (
        "two", bz2.compress(plain) + bz2.compress(offsets)), ("zeros", bz2.compress(bytes(1 << 20))), ("many", gzip.compress(bytes(1 << 17))):
    put("image-file", name, data)

tables = {
    "cspad": ["QUAD:V1 0 SENS2X1:V1 0 4500 21000 30 0 0 0 0.1 0 0.01", "QUAD:V1 0 SENS2X1:V1 1 4500 -2100 30 0 0 0 -0.1 0 0",
              "QUAD:V1 1 SENS2X1:V1 0 4500 21000 30 90 0 0 0 0 0", "QUAD:V1 1 SENS2X1:V1 1 4500 -2100 30 90 0 0 0 0 0",
              "CSPAD:V1 0 QUAD:V1 0 -4500 -4500 0 90 0 0 0 0 0", "CSPAD:V1 0 QUAD:V1 1 -4500 4500 0 0 0 0 0 0 0",
              "IP 0 CSPAD:V1 0 0 0 100000 0 0 0 0 0 0"],
    "jungfrau": ["CAMERA:V1 0 JUNGFRAU:V2 0 -56807.1 44005.5 0 90 180 0 0 0 0", "IP:V1 0 CAMERA:V1 0 0 0 1e5 90 0 0 0 0 0"],
    "matrix": ["IP 0 MTRX:V2:8:9:75:80.5 0 1 2 -3e4 0 0 0 0 0 0", "IP 0 MTRX:8:9:75:80.5 1 1 2 3 270 0 0 0 0 0"],
}
for name, rows in tables.items():
    put("psana", name, ("# TITLE a table\n# HDR PARENT IND OBJECT\n\n" + "\n".join(rows) + "\n").encode())

def put_texts(target, texts):
    """And their words, with those that other layouts have, as a dictionary."""
    words = set(MORE_WORDS.get(target, "").split())
    for name, text in texts.items():
        data = text.encode() if isinstance(text, str) else text
        put(target, name, data)
        words |= set(re.findall(r"[\w./+@=-]{2,60}", data.decode("latin1")))
    lines = [f'"{word}"\n' for word in sorted(words) if word.isascii()]
    if lines:
        with open(os.path.join(sys.argv[1], f"fuzz-{target}.dict"), "w") as file:
            file.writelines(lines)


for target, texts in TEXTS.items():
    put_texts(target, texts if isinstance(texts, dict) else {str(i): text for i, text in enumerate(texts)})

for target, (pattern, skipped) in {"xtc2": ("xtc2/**/*.xtc2", 20), "geom": ("**/*.geom", 0), "dials": ("**/*.expt", 0),
                                   "expt": ("**/*.expt", 0)}.items():
    for path in pathlib.Path(os.environ.get("FIRSTLIGHT_TEST_DATA", "/nowhere")).glob(pattern):
        if path.stat().st_size < 20000:
            put(target, path.name, path.read_bytes()[skipped:])

try:
    import h5py
except ImportError:
    print("h5py is not there: no HDF5 among the seeds")
    sys.exit(0)
packings = [dict(compression="gzip", shuffle=True)]
packings += [dict(compression=n, compression_opts=o) for n, o in ((32008, (0, 2)), (32004, (0,))) if h5py.h5z.filter_avail(n)]


def axis(group, name, value, kind, vector, depends_on, **attributes):
    group[name] = value
    group[name].attrs.update(dict(transformation_type=kind, units="deg" if kind == "rotation" else "mm", vector=vector,
                                  depends_on=depends_on, **attributes))


def hdf5_seed(name, fill):
    file = io.BytesIO()
    with h5py.File(file, "w") as f:
        fill(f)
    put("hdf5", name, file.getvalue())


def nxmx_seed(packing, virtual):
    def fill(f):
        for path, kind in (("entry", "NXentry"), ("entry/data", "NXdata"), ("entry/instrument", "NXinstrument"),
                           ("entry/instrument/detector", "NXdetector"), ("entry/instrument/detector/t", "NXtransformations"),
                           ("entry/instrument/beam", "NXbeam")):
            f.create_group(path).attrs["NX_class"] = kind
        f["entry/definition"] = "NXmx"
        d, t, beam = f["entry/instrument/detector"], f["entry/instrument/detector/t"], f["entry/instrument/beam"]
        frames = np.stack([counts(np.uint16, 10, 16)] * 2)
        f.create_dataset("real", data=frames, chunks=(1, 16, 10), **packing)
        if virtual:
            layout = h5py.VirtualLayout(frames.shape, "u2")
            layout[:, :8] = h5py.VirtualSource(".", "real", shape=frames.shape)[:, :8]
            layout[:, 8:] = h5py.VirtualSource("away.h5", "real", shape=frames.shape)[:, 8:]
            f.create_virtual_dataset("entry/data/data", layout)
        else:
            f["entry/data/data"] = h5py.SoftLink("/real")
        f["entry/data"].attrs["signal"] = "data"
        d.create_dataset("pixel_mask", data=np.zeros((2, 8, 10), "u4"), chunks=(2, 8, 10), **packing)
        d["saturation_value"] = 60000
        beam["incident_wavelength"] = np.linspace(1.2, 1.3, 4)
        beam["incident_wavelength_weights"] = np.ones((2, 4))
        axis(t, "z", [100.0, 101.0], "translation", [0., 0, 1], ".")
        axis(t, "arm", [5.0], "rotation", [0., 1, 0], "z", offset=[1., 0, 0], offset_units="mm")
        for i in range(2):
            m = d.create_group(f"m{i}")
            m.attrs["NX_class"] = "NXdetector_module"
            m["data_origin"], m["data_size"] = [8 * i, 0], [8, 10]
            axis(m, "fast_pixel_direction", [0.1], "translation", [-1., 0, 0], d.name + "/t/arm")
            axis(m, "slow_pixel_direction", [0.1], "translation", [0., -1, 0], d.name + "/t/arm")
    return fill


def dectris_seed(f):
    d = f.create_group("entry/instrument/detector")
    frames = np.stack([counts(np.uint32, 9, 12)] * 3)
    f.create_dataset("entry/data/data_000001", data=frames, chunks=(1, 12, 9), **packings[-1])
    f["entry/data/data_000002"] = h5py.ExternalLink("away_data_000002.h5", "/entry/data/data")
    d["x_pixel_size"], d["y_pixel_size"], d["detector_distance"], d["beam_center_x"], d["beam_center_y"] = (
        75e-6, 75e-6, 0.1, 4.5, 6.)
    d["geometry/orientation/value"], d["geometry/translation/distances"] = [-1., 0, 0, 0, -1, 0], [1e-3, 1e-3, -.1]
    d["detectorSpecific/pixel_mask"] = np.zeros((12, 9), "u4")


def cxi_seed(f):
    f["entry_1/data_1/data"] = counts(np.int16, 9, 12)
    f["entry_1/data_1/mask"] = np.zeros((12, 9), "u1")
    f["entry_1/instrument_1/detector_1/distance"] = 0.1


for i, packing in enumerate(packings):
    for virtual in False, True:
        hdf5_seed(f"nxmx-{i}-{'virtual' if virtual else 'plain'}", nxmx_seed(packing, virtual))
hdf5_seed("dectris", dectris_seed)
hdf5_seed("cxi", cxi_seed)
