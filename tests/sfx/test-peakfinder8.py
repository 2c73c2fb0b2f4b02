"""peakfinder8 in compatible mode beside CrystFEL's own, with its settings, on the simulated set A: the same peaks, one to
one within 0.1 px, of every frame.

test-peakfinder8.py ENGINE; needs FIRSTLIGHT_TEST_DATA."""
import gzip, os, re, subprocess, sys, tempfile

engine = sys.argv[1]
folder = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "crystfel-sim")
if not os.path.isdir(folder):
    print(f"1..0 # SKIP no simulated sets in {folder}")
    sys.exit(0)
import h5py
import numpy as np

SETTINGS = ["threshold=6", "min_snr=5", "min_pix_count=1", "max_pix_count=40", "local_bg_radius=3", "max_res=1200"]
NEAR = 0.1  # px
number = 0


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def panels():
    """Panel names in order, and where each panel begins in the frame's slab."""
    starts = {}
    for line in open(f"{folder}/lyso-agipd1m.geom"):
        match = re.match(r"(p\d+a\d+)/min_(fs|ss) = (\d+)", line)
        if match:
            starts.setdefault(match.group(1), {})[match.group(2)] = int(match.group(3))
    return {name: (i, at["fs"], at["ss"]) for i, (name, at) in enumerate(starts.items())}


def peer():
    """Of each frame (panel, fs, ss, intensity)."""
    where, frames, rows = panels(), {}, None
    for line in gzip.open(f"{folder}/A-xgandalf-fast.stream.gz", "rt"):
        if line.startswith("Event: //"):
            frame = int(line[9:])
        elif line.startswith("Peaks from peak search"):
            rows = frames.setdefault(frame, [])
        elif line.startswith("End of peak list"):
            rows = None
        elif rows is not None and not line.startswith("  fs/px"):
            field = line.split()
            panel, fs, ss = where[field[4]]
            rows.append((panel, float(field[0]) - fs, float(field[1]) - ss, float(field[3])))
    return {frame: np.array(rows).reshape(-1, 4) for frame, rows in frames.items()}


def ours(out, *settings):
    sets = sum((["--set", f"peakfinder8.{s}"] for s in SETTINGS + list(settings)), [])
    subprocess.run([engine, "stills", "--stages", "spots", "--out", out, "--set", "spots.algorithm=peakfinder8", *sets,
                    "--set", f"detector.geometry={folder}/lyso-agipd1m.geom", f"{folder}/lyso-agipd1m.lst"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    h5 = h5py.File(os.path.join(out, "spots.h5"))
    rows = np.column_stack([h5[f"spots/{c}"][:] for c in ("panel", "fs", "ss", "intensity")])
    return {int(f): rows[first:first + n]
            for f, first, n in zip(h5["shots/frame"][:], h5["shots/first_spot"][:], h5["shots/spots"][:])}


def nearest(rows, others):
    """Of each row the nearest of the others on its panel: distance, index."""
    result = []
    for row in rows:
        at = np.flatnonzero(others[:, 0] == row[0])
        d = np.hypot(others[at, 1] - row[1], others[at, 2] - row[2])
        result.append((d.min(), at[d.argmin()]) if len(at) else (np.inf, -1))
    return result


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
    theirs, mine = peer(), ours(os.path.join(temporary, "compatible"), "compatible=yes")
    n_theirs = n_mine = matched = 0
    worst = 0.0
    lost, more = [], []
    for frame, rows in theirs.items():
        got = mine[frame]
        n_theirs += len(rows)
        n_mine += len(got)
        used = set()
        for row, (d, k) in zip(rows, nearest(rows, got)):
            if d < NEAR and k not in used:
                used.add(k)
                matched += 1
                worst = max(worst, abs(got[k, 3] - row[3]))
            else:
                lost.append((frame, *row, d))
        more += [(frame, *row) for k, row in enumerate(got) if k not in used]
    for title, rows in ("only CrystFEL's", lost), ("only ours", more):
        for row in rows[:20]:
            print(f"# {title}: frame {row[0]}, panel {int(row[1])}, fs {row[2]:.2f}, ss {row[3]:.2f}, I {row[4]:.2f}")
    check(f"{matched} of {n_theirs} peaks of {len(theirs)} frames found within {NEAR} px, {n_mine} in all, intensities "
          f"within {worst:.3f}", n_theirs > 50000 and matched >= 0.999 * n_theirs and n_mine - matched <= 0.001 * n_theirs)
print(f"1..{number}")
