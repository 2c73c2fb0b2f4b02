"""merge against CrystFEL's partialator, from the same stream of simulated images of which |F|² is known: nearer to the truth in every
one of ten shells with equally many reflections, on what each has and on what both have; as complete. And what starts from an earlier
merge of half the lattices comes to the same intensities.

test-accuracy.py ENGINE"""
import gzip, os, subprocess, sys, tempfile

ENGINE = sys.argv[1]
DATA = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "crystfel-sim")
CELL, RANGE, SHELLS = (79.1, 79.1, 37.9), (2.4, 30), 10
number = 0


def check(ok, name):
    global number
    number += 1
    print(("ok" if ok else "not ok"), number, "-", name, flush=True)


def read(name):
    path = name if os.path.isabs(name) else os.path.join(DATA, name)
    return (gzip.open if path.endswith(".gz") else open)(path, "rt").read()


def square(m):
    return sum((i / a) ** 2 for i, a in zip(m, CELL))


def table(text):
    """Intensities by representative under 4/mmm, within RANGE."""
    out = {}
    for line in text.splitlines():
        words = line.split()
        try:
            h, k, l = (abs(int(w)) for w in words[:3])
            value = float(words[3])
        except (ValueError, IndexError):
            continue
        m = (max(h, k), min(h, k), l)
        if m != (0, 0, 0) and RANGE[1] ** -2 <= square(m) <= RANGE[0] ** -2:
            out[m] = value
    return out


def merge(out, *arguments):
    settings = [w for s in ("space_group=P43212", "polarisation=0", f"d_min={RANGE[0]}", f"d_max={RANGE[1]}") for w in ("--set", "merge." + s)]
    done = subprocess.run([ENGINE, "merge", "--out", out, *settings, *arguments], stdout=subprocess.PIPE, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"merge failed: {done.stdout}")
    return table(read(os.path.join(out, "merged.hkl")))


def correlations(a, b, edges, among):
    """In each shell, over the reflections of a, b and `among`."""
    shells = [[] for _ in range(SHELLS)]
    for m in a:
        if m in b and m in among:
            shells[sum(square(m) >= e for e in edges)].append((a[m], b[m]))
    out = []
    for pairs in shells:
        n = len(pairs)
        x, y = sum(p[0] for p in pairs) / n, sum(p[1] for p in pairs) / n
        xx, yy = sum((p[0] - x) ** 2 for p in pairs), sum((p[1] - y) ** 2 for p in pairs)
        out.append(sum((p[0] - x) * (p[1] - y) for p in pairs) / (xx * yy) ** 0.5)
    return out


def words(ccs):
    return " ".join(f"{cc:.3f}" for cc in ccs)


def all_checks(place):
    chunks = read("A-xgandalf-fast.stream.gz").split("----- Begin chunk")
    middle, paths = len(chunks) // 2, []
    for name, part in (("one", chunks[1:middle]), ("two", chunks[middle:])):
        paths.append(os.path.join(place, name + ".stream"))
        with open(paths[-1], "w") as file:
            file.write("----- Begin chunk".join([chunks[0], *part]))
    truth, theirs = table(read("lyso.hkl")), table(read("A-partialator-xsphere.hkl.gz"))
    squares = sorted(square(m) for m in truth)
    edges = [squares[len(squares) * i // SHELLS] for i in range(1, SHELLS)]
    ours = merge(os.path.join(place, "cold"), *paths)

    for name, among in (("what each has", truth), ("what both have", {m for m in ours if m in theirs})):
        mine, peers = correlations(ours, truth, edges, among), correlations(theirs, truth, edges, among)
        print(f"# {name}: ours   {words(mine)}\n# {name}: theirs {words(peers)}")
        check(all(a > b for a, b in zip(mine, peers)), f"nearer to the truth in every shell, on {name}")
    check(len(ours) >= len(theirs), f"{len(ours)} reflections, theirs {len(theirs)}")

    half = os.path.join(place, "half")
    merge(half, paths[0])
    warm = correlations(merge(os.path.join(place, "warm"), "--parent", half, *paths), ours, edges, ours)
    check(min(warm) >= 0.999, f"from an earlier merge of half of them the same: {' '.join(f'{cc:.5f}' for cc in warm)}")


if not os.path.isdir(DATA):
    print("1..0 # SKIP no test data (set FIRSTLIGHT_TEST_DATA)")
else:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        all_checks(folder)
    print(f"1..{number}")
