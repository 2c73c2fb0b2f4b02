#!/usr/bin/python3
"""`inspect` against `dials.show` on the CSPAD stills: every panel's numbers. Usage: oracle-dials.py FIRSTLIGHT-CONTROL"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

stills = sorted(glob.glob(os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", "/nowhere"),
                                       "stills/cspad_thermolysin/*.cbf")))
if not stills or not shutil.which("dials.show"):
    print("the CSPAD stills or DIALS are not there")
    sys.exit(77)


def numbers(text):
    return [float(v) for v in re.split(r"[,\s]+", text.strip("{} "))]


def close(a, b, what):
    # dials.show prints six digits.
    assert len(a) == len(b) and all(abs(x - y) <= 2e-5 * max(1, abs(x)) for x, y in zip(a, b)), (what, a, b)


for still in stills:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        show = subprocess.run(["dials.show", still], cwd=folder, check=True, capture_output=True, text=True).stdout
    inspect = subprocess.run([sys.argv[1], "inspect", "--panels", "--imgcif", still], check=True, capture_output=True,
                             text=True).stdout
    theirs = [dict(re.findall(r"^  ([a-z_]+): ?(.*)$", part, re.M)) for part in show.split("Panel:\n")[1:]]
    pattern = (r"^panel (\S+): (\d+) x (\d+) px, pixel (\S+) x (\S+) mm, origin (\S+ \S+ \S+), fast (\S+ \S+ \S+), "
               r"slow (\S+ \S+ \S+), distance (\S+) mm, trusted (\S+) to (\S+), gain (\S+)$")
    ours = re.findall(pattern, inspect, re.M)
    assert len(ours) == len(theirs) == 64, (len(ours), len(theirs))
    for a, b in zip(ours, theirs):
        assert a[0] == b["name"], (a[0], b["name"])
        assert [int(a[1]), int(a[2])] == numbers(b["image_size"]) == [194, 185]
        close(numbers(a[3] + " " + a[4]), numbers(b["pixel_size"]), "pixel size")
        close(numbers(a[5]), numbers(b["origin"]), "origin")
        close(numbers(a[6]), numbers(b["fast_axis"]), "fast")
        close(numbers(a[7]), numbers(b["slow_axis"]), "slow")
        close(numbers(a[8]), numbers(b["distance"]), "distance")
        close(numbers(a[9] + " " + a[10]), numbers(b["trusted_range"]), "trusted range")
        close(numbers(a[11]), numbers(b["gain"]), "gain")
    wavelength = float(re.search(r"^    wavelength: (\S+)", show, re.M).group(1))
    close([float(re.search(r"^wavelength: (\S+) A", inspect, re.M).group(1))], [wavelength], "wavelength")
    assert re.search(r"^distance: 130\.107 mm \(first panel\)$", inspect, re.M)
print(f"{len(stills)} stills, 64 panels each, equal")
