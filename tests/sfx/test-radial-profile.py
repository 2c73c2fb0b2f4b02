"""Real CSPAD stills: strong pixels by radial_profile beside DIALS' own threshold of that name, panel by panel.

test-radial-profile.py STRONG_MASK [all]; needs DIALS' Python modules and FIRSTLIGHT_TEST_DATA. DIALS' panels
are used without the parallax of their sensor, which moves the borders of bins; ours know none. With blur, bad pixels stay
out of ours, and DIALS' fractions round otherwise."""
import glob, os, subprocess, sys, tempfile
from types import SimpleNamespace

strong_mask, every = sys.argv[1], len(sys.argv) > 2
folder = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "stills", "cspad_thermolysin")
files = sorted(glob.glob(os.path.join(folder, "*.cbf")))
if not files:
    print(f"1..0 # SKIP no real stills in {folder}")
    sys.exit(0)
try:
    import numpy as np
    from dials.extensions.radial_profile_spotfinder_threshold_ext import RadialProfileSpotFinderThresholdExt
    from dxtbx.model import SimplePxMmStrategy
    from dxtbx.model.experiment_list import ExperimentListFactory
except ImportError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(0)

number = 0


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def theirs(path, blur, n_iqr, n_bins):
    imageset = ExperimentListFactory.from_filenames([path])[0].imageset
    for panel in imageset.get_detector():
        panel.set_px_mm_strategy(SimplePxMmStrategy())
    own = SimpleNamespace(blur=None if blur == "none" else blur, n_iqr=n_iqr, n_bins=n_bins)
    finder = RadialProfileSpotFinderThresholdExt(
        SimpleNamespace(spotfinder=SimpleNamespace(threshold=SimpleNamespace(radial_profile=own))))
    return [finder.compute_threshold(image.as_double(), mask, imageset=imageset, i_panel=p).as_numpy_array()
            for p, (image, mask) in enumerate(zip(imageset.get_raw_data(0), imageset.get_mask(0)))]


def ours(path, temporary, blur, n_iqr, n_bins):
    out = os.path.join(temporary, "mask")
    lines = subprocess.run([strong_mask, "engine.device=cpu", "spots.algorithm=radial_profile", "spots.gain=1",
                            f"radial_profile.blur={blur}", f"radial_profile.n_iqr={n_iqr}",
                            f"radial_profile.n_bins={n_bins}", "spots.max_strong_fraction=1", path, "0", out],
                           stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    flat = np.fromfile(out, dtype=np.uint8)
    panels = []
    for line in lines:
        offset, stride, n_fs, n_ss = map(int, line.split())
        panels.append(flat[offset + np.arange(n_ss)[:, None] * stride + np.arange(n_fs)] != 0)
    return panels


cases = [("none", 6, 100), ("narrow", 6, 100), ("wide", 4, 50)]
with tempfile.TemporaryDirectory() as temporary:
    for path in files if every else files[:1]:
        for case in cases if every else cases[:1]:
            mine, other = ours(path, temporary, *case), theirs(path, *case)
            n = sum(int(p.sum()) for p in other)
            differ = sum(int((a != b).sum()) for a, b in zip(mine, other))
            same = sum(bool((a == b).all()) for a, b in zip(mine, other))
            check(f"{os.path.basename(path)}: blur {case[0]}: {n} strong pixels, {differ} differ, {same} of {len(other)} "
                  "panels equal", len(mine) == len(other) and n > 1000 and differ <= (0 if case[0] == "none" else 0.003 * n))
print(f"1..{number}")
