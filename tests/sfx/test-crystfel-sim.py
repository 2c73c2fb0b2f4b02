"""Sets made by another program, with the engine's default parameters: every blank a blank, every other frame a hit; how
our spots lie on the predicted positions, beside the other program's own peaks of the same frames.

test-crystfel-sim.py ENGINE; needs FIRSTLIGHT_TEST_DATA."""
import csv, gzip, os, re, subprocess, sys, tempfile

engine = sys.argv[1]
folder = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "crystfel-sim")
if not os.path.isdir(folder):
    print(f"1..0 # SKIP no simulated sets in {folder}")
    sys.exit(0)
import h5py
import numpy as np

number = 0
NEAR = 2.0  # px: a spot lies on a prediction


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def process(name, out):
    last = subprocess.run([engine, "stills", "--stages", "spots", "--out", out, "--set",
                           f"detector.geometry={folder}/{name}.geom", f"{folder}/{name}.lst"],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split("\n")[-2]
    return h5py.File(os.path.join(out, "spots.h5")), last


def hits(name, out):
    kind = {int(row["event"]): row["kind"]
            for row in csv.DictReader(open(f"{folder}/{name}.truth.tsv"), delimiter="\t")}
    h5, last = process(name, out)
    counts = {}
    for frame, n, outcome in zip(h5["shots/frame"][:], h5["shots/spots"][:], h5["shots/outcome"][:]):
        counts.setdefault(kind[int(frame)], []).append((int(n), int(outcome) == 2))
    good = all(hit == (k != "blank") for k, rows in counts.items() for _, hit in rows)
    spans = ", ".join(f"{k} {min(n for n, _ in rows)}–{max(n for n, _ in rows)} spots" for k, rows in sorted(counts.items()))
    n_hits = sum(k != "blank" for k in kind.values())
    check(f"{name}: {last}; {spans}",
          good and sum(map(len, counts.values())) == len(kind) and last == f"{len(kind)} shots, {n_hits} hits, 0 indexed, 0 lattices")
    return h5


def geometry():
    """Panel names in order, and where each panel begins in the frame's slab."""
    order, starts = [], {}
    for line in open(f"{folder}/lyso-agipd1m.geom"):
        match = re.match(r"(p\d+a\d+)/min_(fs|ss) = (\d+)", line)
        if match:
            name, axis, value = match.groups()
            if name not in starts:
                order.append(name)
                starts[name] = {}
            starts[name][axis] = int(value)
    return order, starts


def stream(starts):
    """Of each frame with a lattice: predicted (panel, fs, ss), I/sigma; and the peaks of the peer."""
    frames, frame, mode = {}, None, None
    for line in gzip.open(f"{folder}/A-xgandalf-fast.stream.gz", "rt"):
        if line.startswith("Event: //"):
            frame = frames.setdefault(int(line[9:]), {"predicted": [], "peaks": []})
        elif line.startswith("Peaks from peak search"):
            mode = "peaks"
        elif line.startswith("Reflections measured"):
            mode = "predicted"
        elif line.startswith("End of"):
            mode = None
        elif mode and line.split()[0] not in ("h", "fs/px"):
            field = line.split()
            if mode == "peaks":
                panel = field[4]
                frame["peaks"].append((panel, float(field[0]) - starts[panel]["fs"], float(field[1]) - starts[panel]["ss"]))
            else:
                panel = field[9]
                frame["predicted"].append((panel, float(field[7]) - starts[panel]["fs"], float(field[8]) - starts[panel]["ss"],
                                           float(field[3]) / float(field[4])))
    return {k: v for k, v in frames.items() if v["predicted"]}


def match(spots, predicted):
    """Spots on a prediction, strong predictions (I > 5 sigma) with a spot, strong predictions, distances."""
    on = found = strong = 0
    distances = []
    by_panel = {}
    for p in predicted:
        by_panel.setdefault(p[0], []).append(p[1:])
    spots_by_panel = {}
    for s in spots:
        spots_by_panel.setdefault(s[0], []).append(s[1:])
        near = by_panel.get(s[0])
        if near:
            d = min(np.hypot(x - s[1], y - s[2]) for x, y, _ in near)
            if d < NEAR:
                on += 1
                distances.append(d)
    for panel, rows in by_panel.items():
        at = np.array(spots_by_panel.get(panel, [(1e9, 1e9)]))
        for x, y, significance in rows:
            if significance > 5:
                strong += 1
                found += np.hypot(at[:, 0] - x, at[:, 1] - y).min() < NEAR
    return on, found, strong, distances


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
    a = hits("lyso-agipd1m", os.path.join(temporary, "A"))
    hits("lyso-jf4m", os.path.join(temporary, "B"))
    order, starts = geometry()
    frames = stream(starts)
    totals = {"ours": np.zeros(4), "peer": np.zeros(4)}
    distances = {"ours": [], "peer": []}
    panel, fs, ss = (a[f"spots/{c}"][:] for c in ("panel", "fs", "ss"))
    where = {int(f): (int(s), int(n)) for f, s, n in zip(a["shots/frame"][:], a["shots/first_spot"][:], a["shots/spots"][:])}
    for number_of_frame, frame in frames.items():
        first, n = where[number_of_frame]
        ours = [(order[panel[i]], fs[i], ss[i]) for i in range(first, first + n)]
        for who, spots in ("ours", ours), ("peer", frame["peaks"]):
            on, found, strong, near = match(spots, frame["predicted"])
            totals[who] += (len(spots), on, found, strong)
            distances[who] += near
    result = {}
    for who, (n, on, found, strong) in totals.items():
        result[who] = on / n, found / strong, float(np.median(distances[who]))
        print(f"# {who}: {int(n)} spots in {len(frames)} frames: precision {on / n:.3f}, recall {found / strong:.3f} of "
              f"{int(strong)} predictions with I > 5 sigma, median distance {result[who][2]:.2f} px")
    check("precision (spots on predictions) above the peer's peaks'", result["ours"][0] > result["peer"][0])
    check("recall of strong predictions not below 0.9 of the peer's", result["ours"][1] > 0.9 * result["peer"][1])
    check("spots lie at least as near to the predictions", result["ours"][2] <= result["peer"][2] + 0.02)
print(f"1..{number}")
