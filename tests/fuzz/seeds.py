#!/usr/bin/python3
"""Small whole files of every kind of image, for the fuzzers to start from. Usage: seeds.py CORPUS-FOLDER"""
import io
import os
import sys

import numpy as np

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
        "plate", {**RIGAKU, "RAXIS_COMPRESSION_RATIO": "8"}), ("fake", {**ADSC, "BEAMLINE": "fake"}):
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
            for predictor in (1, 2) if packing in ("tiff_lzw", "tiff_adobe_deflate") and mode != "F" else (1,):
                file = io.BytesIO()
                Image.fromarray((small % 200).astype(dtype)).save(
                    file, "TIFF", compression=None if packing == "raw" else packing,
                    tiffinfo={317: predictor} if predictor > 1 else {})
                put("tiff", f"{packing}-{mode.replace(';', '')}-{predictor}", tiff_seed(file.getvalue()))
except ImportError:
    print("PIL is not there: no packed TIFF among the seeds")

magic = len("###CBF: VERSION 1.5\r\n")
pixels = gapped(counts(np.int32, 9, 31))
for name, comments in ("pilatus", PILATUS), ("eiger", EIGER):
    put("cbf", name, cbf(pixels, "PILATUS_1.2", comments)[magic:])
full = cbf(pixels, "PILATUS_1.2", "")
head = (FULL + PILATUS).replace("487", "9").replace("195", "31").replace("\n", "\r\n") + ";\r\n;\r\n"
put("cbf", "full", b"data_image_1\r\n" + head.encode() + full[full.index(b"--CIF-BINARY"):])

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
