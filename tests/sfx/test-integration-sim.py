"""Integrated intensities of simulated set A against the |F|^2 that made the images, shell by shell, beside what the other
program's streams hold of the same images: plain mean per unique hkl, correlation with the truth. First for the other
program's own predictions, then from refined lattices (begun at the truth) with our mosaic model and predictions.

test-integration-sim.py INTEGRATE-TOOL INTEGRATE-TRUTH; needs FIRSTLIGHT_TEST_DATA."""
import gzip, os, re, subprocess, sys, tempfile

tool, truth_tool = sys.argv[1:3]
folder = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "crystfel-sim")
if not os.path.isdir(folder):
    print(f"1..0 # SKIP no simulated sets in {folder}")
    sys.exit(0)
import numpy as np

os.environ.pop("FIRSTLIGHT_SANITIZED", None)  # statistics of whole sets are compared
SHELLS, LOW, HIGH = 10, 30.0, 2.4  # Å
A, C = 79.1, 37.9
STREAMS = "A-xgandalf-fast.stream.gz", "A-xgandalf-fast-radius0.004.stream.gz"
number = 0


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def panel_starts():
    starts = {}
    for line in open(f"{folder}/lyso-agipd1m.geom"):
        match = re.match(r"(p\d+a\d+)/min_(fs|ss) = (\d+)", line)
        if match:
            starts.setdefault(match[1], {})[match[2]] = int(match[3])
    return starts


def read_stream(path, starts):
    """Rows "frame h k l panel fs ss" and their intensities."""
    rows, intensity, frame, listed = [], [], None, False
    for line in gzip.open(path, "rt"):
        if line.startswith("Event: //"):
            frame = int(line[9:])
        elif line.startswith("Reflections measured"):
            listed = True
        elif line.startswith("End of"):
            listed = False
        elif listed and line.split()[0] != "h":
            h, k, l, value, _, _, _, fs, ss, panel = line.split()
            rows.append((frame, int(h), int(k), int(l), panel, float(fs) - starts[panel]["fs"],
                         float(ss) - starts[panel]["ss"]))
            intensity.append(float(value))
    return rows, np.array(intensity)


def integrate(rows, temporary, *settings):
    """Intensities (NaN: not integrated) and their sigmas."""
    path = os.path.join(temporary, "predictions")
    with open(path, "w") as file:
        for row in rows:
            file.write("%d %d %d %d %s %.2f %.2f\n" % row)
    text = subprocess.run([tool, f"{folder}/lyso-agipd1m.geom", f"{folder}/lyso-agipd1m.h5", path, *settings], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    values = np.array([line.split() for line in text.splitlines()], dtype=float)
    intensity, sigma = values[:, 4], values[:, 5]
    return np.where(sigma > 0, intensity, np.nan), sigma


def own_reflections():
    """hkl, intensity and |excitation| of all that were integrated; the learned half-width."""
    text = subprocess.run([truth_tool, "crystfel-sim/lyso-agipd1m", str(HIGH), "integration.method=profile"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    values = np.array([line.split() for line in text.splitlines() if line[0] != "#"], dtype=float)
    values = values[values[:, 5] > 0]
    return values[:, 1:4].astype(int), values[:, 4], abs(values[:, 6]), float(text.split()[-1])


def unique(h, k, l):
    """4/mmm."""
    return np.stack([np.maximum(abs(h), abs(k)), np.minimum(abs(h), abs(k)), abs(l)], axis=1)


def read_truth():
    truth = {}
    for line in open(f"{folder}/lyso.hkl"):
        field = line.split()
        if len(field) == 7 and field[0].lstrip("-").isdigit():
            truth[tuple(int(x) for x in field[:3])] = float(field[3])
    return truth


def correlations(hkl, intensity, truth):
    """Of each shell, then of all: correlation of the means with the truth, unique reflections."""
    good = np.isfinite(intensity)
    keys, inverse = np.unique(unique(*hkl[good].T), axis=0, return_inverse=True)
    inverse = inverse.ravel()
    mean = np.bincount(inverse, intensity[good]) / np.bincount(inverse)
    known = np.array([truth.get(tuple(key), np.nan) for key in keys])
    volume = ((keys[:, 0] ** 2 + keys[:, 1] ** 2) / A ** 2 + keys[:, 2] ** 2 / C ** 2) ** 1.5
    shell = np.floor((volume - LOW ** -3) / (HIGH ** -3 - LOW ** -3) * SHELLS).astype(int)
    inside = (shell >= 0) & (shell < SHELLS) & np.isfinite(known)
    chosen = [inside & (shell == i) for i in range(SHELLS)] + [inside]
    return [(float(np.corrcoef(mean[c], known[c])[0, 1]), int(c.sum())) for c in chosen]


def show(columns):
    print("# shell    " + "".join(f"{name:>24}" for name in columns))
    for i in range(SHELLS + 1):
        name = "all" if i == SHELLS else str(i + 1)
        print(f"# {name:>5}    " + "".join(f"{column[i][0]:16.4f} {column[i][1]:7d}" for column in columns.values()))


if __name__ == "__main__":
    truth, starts = read_truth(), panel_starts()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        peers = {}
        for name in STREAMS:
            rows, peer = read_stream(f"{folder}/{name}", starts)
            hkl = np.array([row[1:4] for row in rows])
            peers[name] = correlations(hkl, peer, truth)
            columns = {"peer": peers[name]}
            for method in "summation", "profile":
                intensity, _ = integrate(rows, temporary, f"integration.method={method}")
                columns[method] = correlations(hkl, intensity, truth)
            print(f"# {name}: {len(rows)} predictions")
            show(columns)
            for method in "summation", "profile":
                check(f"{name}: {method} correlates with the truth at least as the peer's intensities do, in every shell",
                      all(ours >= theirs for ours, theirs in zip(columns[method], columns["peer"])))
    hkl, intensity, excitation, half_width = own_reflections()
    near = excitation < half_width
    columns = {"peer": peers[STREAMS[0]], "peer, 0.004": peers[STREAMS[1]], "all ours": correlations(hkl, intensity, truth),
               "ours near the sphere": correlations(hkl[near], intensity[near], truth)}
    print(f"# from the truth: {len(hkl)} reflections, {near.sum()} within the half-width of {half_width:.2e}/A")
    show(columns)
    *peers, all_ours, ours = columns.values()
    for name, theirs in zip(STREAMS, peers):
        check(f"{name}: all our predictions do at least as well in every shell",
              all(a >= b for a, b in zip(all_ours, theirs)))
        check(f"{name}: those within the half-width too", all(a >= b for a, b in zip(ours, theirs)))
    check("reflections near the sphere are the better ones, in all", ours[-1][0] > all_ours[-1][0])
    print(f"1..{number}")
