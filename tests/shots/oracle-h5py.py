#!/usr/bin/python3
"""Frames, energies and masks of the simulated sets as h5py reads them. Usage: oracle-h5py.py DUMP-FRAMES"""
import os
import subprocess
import sys
import zlib

try:
    import h5py
except ImportError:
    print("h5py is not there")
    sys.exit(77)

folder = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", "/nowhere"), "crystfel-sim")
if not os.path.isdir(folder):
    print("crystfel-sim is not there (FIRSTLIGHT_TEST_DATA)")
    sys.exit(77)

compared = 0
for name, step in ("lyso-agipd1m", 19), ("lyso-jf4m", 7):
    base = os.path.join(folder, name)
    out = subprocess.run([sys.argv[1], base + ".h5", base + ".geom", str(step)], check=True, capture_output=True, text=True)
    data = h5py.File(base + ".h5")["/entry/data/data"]
    bad = int((h5py.File(base + ".mask.h5")["/mask"][()] != 0).sum())
    lines = out.stdout.splitlines()
    assert len(lines) == (data.shape[0] + step - 1) // step, len(lines)
    for line in lines:
        frame, event, energy, crc, masked = line.split()
        assert event == "//" + frame, line
        assert float(energy) == 9300, line  # the geometry gives it by value
        assert int(crc, 16) == zlib.crc32(data[int(frame)].tobytes()), line
        assert int(masked) == bad, (line, bad)
        compared += 1
print(f"{compared} frames equal")
assert compared == 20
