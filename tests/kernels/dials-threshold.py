#!/usr/bin/python3
"""Our thresholds against DIALS' own, pixel by pixel, on real CSPAD stills and on made-up panels; prints CPU times.

dials-threshold.py TOOL: TAP output. Skips where dials is not installed; the real stills where the data are absent."""
import os
import random
import struct
import subprocess
import sys
import time

try:
    from dials.algorithms.image.threshold import DispersionExtendedThreshold, DispersionThreshold
    from dxtbx.model.experiment_list import ExperimentListFactory
    from scitbx.array_family import flex
except ImportError as missing:
    print(f"1..0 # SKIP dials is not installed ({missing})")
    sys.exit(0)

TOOL = sys.argv[1]
DEVICES = ["cpu-baseline", "cpu-v3", "cpu-v4", "teams", "cuda"]
number = 0
failed = False


def report(ok, what):
    global number, failed
    number += 1
    failed |= not ok
    print(f"{'ok' if ok else 'not ok'} {number} {what}", flush=True)


def by_dials(panels, extended, half, min_local, sigma_b, sigma_s, threshold, gain, repeat=1):
    kind = DispersionExtendedThreshold if extended else DispersionThreshold
    algorithms, out = {}, []
    for image, mask in panels:
        size = image.all()
        if size not in algorithms:
            algorithms[size] = kind(size, (half, half), sigma_b, sigma_s, threshold, min_local)
    gains = {size: flex.double(flex.grid(size), gain) for size in algorithms} if gain is not None else None
    start = time.process_time()
    for _ in range(repeat):
        out = []
        for image, mask in panels:
            result = flex.bool(image.accessor())
            if gains:
                algorithms[image.all()](image, mask, gains[image.all()], result)
            else:
                algorithms[image.all()](image, mask, result)
            out.append(result)
    seconds = (time.process_time() - start) / repeat
    return b"".join(r.as_numpy_array().astype("u1").tobytes() for r in out), seconds


def pack(panels, extended, half, min_local, sigma_b, sigma_s, threshold, gain):
    data = struct.pack("2I", len(panels), extended)
    for image, _ in panels:
        ss, fs = image.all()
        data += struct.pack("2I", fs, ss)
    data += struct.pack("6d2i", -1e300, 1e300, sigma_b, sigma_s, threshold, 1 if gain is None else gain, half, min_local)
    data += b"".join(i.as_numpy_array().astype("<i4").tobytes() for i, _ in panels)
    data += b"".join((~m).as_numpy_array().astype("u1").tobytes() for _, m in panels)
    return data


def by_us(device, data, repeat=1):
    run = subprocess.run([TOOL, device, str(repeat)], input=data, capture_output=True)
    if run.returncode == 77:
        return None, run.stderr.decode().strip()
    if run.returncode != 0:
        raise RuntimeError(run.stderr.decode())
    return run.stdout, float(run.stderr)


def made_up(seed):
    """Panels of odd sizes: Poisson background, spots, masked pixels and lines, negatives, values beyond 2^24."""
    rng = random.Random(seed)
    panels = []
    for _ in range(6):
        ss, fs = rng.choice([(1, 1), (3, 50), (40, 5), (33, 70), (64, 257), (97, 300), (20, 515)])
        level = rng.choice([0, 1, 20, 3000])
        image = flex.double(flex.grid(ss, fs))
        mask = flex.bool(flex.grid(ss, fs), True)
        for i in range(image.size()):
            image[i] = round(rng.gauss(level, level ** 0.5)) if level != 1 else float(rng.random() < 0.3)
        for _ in range(image.size() // 150 + 1):
            j, i, height = rng.randrange(ss), rng.randrange(fs), rng.choice([5, 60, 900, 20000])
            for dj in range(-2, 3):
                for di in range(-2, 3):
                    if 0 <= j + dj < ss and 0 <= i + di < fs:
                        image[j + dj, i + di] += height >> (abs(dj) + abs(di))
        image[rng.randrange(image.size())] = 1 << 25  # beyond what the sums take
        for _ in range(image.size() // 100):
            mask[rng.randrange(image.size())] = False
        if rng.random() < 0.5:
            for i in range(fs):
                mask[ss // 2, i] = False
        panels.append((image, mask))
    return panels


def compare_made_up():
    for seed in range(8):
        panels = made_up(seed)
        rng = random.Random(1000 + seed)
        for extended in (0, 1):
            half = rng.choice([1, 2, 3, 3, 5, 7])
            args = (extended, half, rng.choice([2, 5, min(20, (2 * half + 1) ** 2)]), rng.choice([2, 6]), rng.choice([1, 3]),
                    rng.choice([0, 10.5]), rng.choice([None, 1, 2.5]))
            expected, _ = by_dials(panels, *args)
            data = pack(panels, *args)
            for device in DEVICES:
                got, why = by_us(device, data)
                if got is None:
                    continue
                differ = sum(a != b for a, b in zip(expected, got))
                report(got == expected, f"made up {seed} {args} {device}: {sum(expected)} strong, {differ} differ")


def compare_real(folder):
    known = {0: {"idx-20130301060858401.cbf": 3231, "idx-20130301060858601.cbf": 7764}, 1: {}}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".cbf"):
            continue
        imageset = ExperimentListFactory.from_filenames([os.path.join(folder, name)])[0].imageset
        panels = list(zip(imageset.get_corrected_data(0), imageset.get_mask(0)))
        for extended in (0, 1):
            for threshold in (0, 100):
                args = (extended, 3, 2, 6, 3, threshold, 1.0)
                expected, dials_seconds = by_dials(panels, *args, repeat=3)
                count = sum(expected)
                if threshold == 100 and name in known[extended]:
                    report(count == known[extended][name], f"{name}: DIALS finds {count} strong pixels, as published")
                data = pack(panels, *args)
                for device in DEVICES:
                    if device == "teams" and threshold == 0:
                        continue  # half a second each, and the other covers it
                    got, seconds = by_us(device, data, 1 if device == "teams" else 5)
                    if got is None:
                        print(f"# {device} skipped: {seconds}")
                        continue
                    what = f"{name} {'extended' if extended else 'dispersion'} global {threshold} {device}"
                    report(got == expected, f"{what}: {count} strong, {sum(a != b for a, b in zip(expected, got))} differ")
                    print(f"# {what}: CPU {seconds * 1e3:.2f} ms, DIALS {dials_seconds * 1e3:.1f} ms, "
                          f"ratio {dials_seconds / seconds:.1f}", flush=True)


compare_made_up()
folder = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", "?"), "stills", "cspad_thermolysin")
if os.path.isdir(folder):
    compare_real(folder)
else:
    number += 1
    print(f"ok {number} # SKIP no real CSPAD stills (FIRSTLIGHT_TEST_DATA)")
print(f"1..{number}")
sys.exit(failed)
