"""merge: the program. What comes out is the same on any number of ranks, agrees with the truth, and starts from what was there.

test-program.py ENGINE [MPIRUN…]"""
import gzip, hashlib, json, math, os, shutil, subprocess, sys, tempfile

ENGINE, MPIRUN = sys.argv[1], [a for a in sys.argv[2:] if a]
DATA = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "crystfel-sim")
SETS = [a for s in ("space_group=P43212", "polarisation=0", "d_min=2.4", "free_fraction=0.05", "anomalous=yes") for a in ("--set", "merge." + s)]
FILES = ("merge.json", "merge.state", "merged.hkl", "merged.mtz")
number = 0


def check(ok, name):
    global number
    number += 1
    print(("ok" if ok else "not ok"), number, "-", name, flush=True)


def merge(*arguments, ranks=1):
    start = [*MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run([*start, ENGINE, "merge", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=200)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def last(text):
    return text.splitlines()[-1] if text else ""


def sums(folder):
    return [hashlib.sha256(open(os.path.join(folder, f), "rb").read()).hexdigest() for f in FILES]


def table(text):
    """Reflections of a list, by representative under 4/mmm."""
    out = {}
    for line in text.splitlines():
        words = line.split()
        try:
            h, k, l = (abs(int(w)) for w in words[:3])
            out[(max(h, k), min(h, k), l)] = float(words[3])
        except (ValueError, IndexError):
            continue
    return out


def correlation(a, b, least, most):
    def d(m):
        return 1 / math.sqrt((m[0] ** 2 + m[1] ** 2) / 79.1**2 + m[2] ** 2 / 37.9**2)

    both = [(a[m], b[m]) for m in a if m in b and m != (0, 0, 0) and least <= d(m) < most]
    n = len(both)
    x, y = sum(p[0] for p in both) / n, sum(p[1] for p in both) / n
    xy = sum((p[0] - x) * (p[1] - y) for p in both)
    return xy / math.sqrt(sum((p[0] - x) ** 2 for p in both) * sum((p[1] - y) ** 2 for p in both)), n


def references(place, one, stream):
    """The same intensities from outside, whatever the file: as a list, as MTZ, as a list of lower symmetry."""
    lines = open(os.path.join(one, "merged.hkl")).read().splitlines()
    rows = [line.split() for line in lines[3:-1]]
    low = os.path.join(place, "low.hkl")
    with open(low, "w") as file:  # mmm: k h l is another class
        each = ["%s %s %s %s - %s 1" % (*hkl, row[3], row[5]) for row in rows for hkl in {(row[0], row[1], row[2]), (row[1], row[0], row[2])}]
        file.write("\n".join([lines[0], "Symmetry: mmm", lines[2], *each, lines[-1], ""]))
    found = []
    for reference in (os.path.join(one, "merged.hkl"), os.path.join(one, "merged.mtz"), low):
        folder = os.path.join(place, "by-" + os.path.basename(reference))
        code, _, complaint = merge("--out", folder, *SETS, "--set", "merge.reference=" + reference, stream, ranks=2 if MPIRUN else 1)
        found.append((json.load(open(os.path.join(folder, "merge.json")))["merge"]["cc_iso"], open(os.path.join(folder, "merged.hkl")).read())
                     if code == 0 else (0, complaint))
    cc, n = correlation(table(found[0][1]), table(found[1][1]), 2.4, 30)
    negative = sum(float(row[3]) < 0 for row in rows)
    check(negative > 20 and found[0][0] > 0.9 and abs(found[0][0] - found[1][0]) < 1e-4 and cc > 0.99999,
          f"a list with {negative} negative intensities and an MTZ are the same reference: CCiso {found[0][0]:.5f}, {found[1][0]:.5f}; CC {cc:.6f} of {n}")
    check(found[2] == found[0], f"and so is a list of lower symmetry: CCiso {found[2][0]:.5f}")
    with open(low, "w") as file:
        file.write("\n".join([*lines[:3], *(line for line in lines[3:-1] if float(line.split()[3]) < 0), lines[-1], ""]))
    code, _, complaint = merge("--out", os.path.join(place, "negative"), *SETS, "--set", "merge.reference=" + low, stream)
    check(code == 0, f"one of negative intensities alone is not empty: {complaint}")


def stopped(place, one, stream):
    """SIGTERM in the middle of an input, which is a pipe here: so it is surely being read."""
    pipe, folder = os.path.join(place, "pipe.stream"), os.path.join(place, "stopped")
    os.mkfifo(pipe)
    text = open(stream, "rb").read()
    begun = subprocess.Popen([ENGINE, "merge", "--out", folder, *SETS, pipe], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with open(pipe, "wb", buffering=0) as file:
        file.write(text[: len(text) // 2])
        begun.terminate()
        try:
            file.write(text[len(text) // 2 :])
        except BrokenPipeError:
            pass
    complaint = begun.communicate(timeout=100)[1].strip()
    left = sorted(os.listdir(folder))
    check(begun.returncode == 75 and "asked to stop while inputs are read" in complaint and "merge.state" not in left,
          f"stops while it reads: {begun.returncode}, {complaint}")
    code, _, complaint = merge("--out", folder, *SETS, stream)
    check(code == 0 and sums(folder) == sums(one), f"and the next attempt is as good as the first {complaint if code else ''}")


def all_checks(place):
    stream = os.path.join(place, "A.stream")
    with gzip.open(os.path.join(DATA, "A-xgandalf-fast.stream.gz")) as packed, open(stream, "wb") as out:
        shutil.copyfileobj(packed, out)
    one = os.path.join(place, "one")
    code, said, complaint = merge("--out", one, *SETS, stream)
    check(code == 0 and last(said).startswith("240 lattices, ") and "CC1/2" in last(said) and complaint == "", f"a stream is merged: {last(said)} {complaint}")
    shells = json.load(open(os.path.join(one, "merge.json")))["shells"]
    rows = [line.split() for line in said.splitlines() if line.split()[0] in ("all", *(str(i) for i in range(1, 11))) and len(line.split()) == 9]
    check(len(rows) == 11 and all(abs(float(row[4]) - 100 * shells[0 if row[0] == "all" else int(row[0])]["completeness"]) < 0.06
                                  and abs(float(row[7]) - shells[0 if row[0] == "all" else int(row[0])]["cc_half"]) < 6e-4 for row in rows),
          "and what it says of shells is what merge.json says")

    ours, truth = table(open(os.path.join(one, "merged.hkl")).read()), table(open(os.path.join(DATA, "lyso.hkl")).read())
    theirs = table(gzip.open(os.path.join(DATA, "A-partialator-xsphere.hkl.gz"), "rt").read())
    cc, n = correlation(ours, truth, 2.4, 30)
    peer, peers = correlation(theirs, truth, 2.4, 30)
    check(cc > peer and n > 4000, f"nearer to the truth than the peer's: CC {cc:.3f} of {n}, theirs {peer:.3f} of {peers}")
    for least, most in ((5, 30), (3.5, 5), (3, 3.5), (2.6, 3), (2.4, 2.6)):
        print("# %4.1f-%4.1f A: CC %.3f of %d, theirs %.3f of %d" % (most, least, *correlation(ours, truth, least, most), *correlation(theirs, truth, least, most)))

    for ranks in (2, 5) if MPIRUN else ():
        folder = os.path.join(place, f"on{ranks}")
        code, _, complaint = merge("--out", folder, *SETS, stream, ranks=ranks)
        check(code == 0 and sums(folder) == sums(one), f"the same bytes on {ranks} ranks {complaint if code else ''}")

    told = json.load(open(os.path.join(one, "merge.json")))
    check(told["merge"]["lattices"] == 240 and len(told["shells"]) == 11 and told["trend"] and told["parameters"]["merge.d_min"] == "2.4",
          "merge.json has shells, trend and parameters")
    check(any(f.endswith(".flj") for f in os.listdir(os.path.join(one, "attempt-0001"))), "a journal lies in the attempt's folder")

    stopped(place, one, stream)
    references(place, one, stream)
    warm = os.path.join(place, "warm")
    code, said, complaint = merge("--out", warm, *SETS, "--parent", one, stream)
    again = json.load(open(os.path.join(warm, "merge.json")))["merge"]
    check(code == 0 and again["parent_sum"] == told["merge"]["lattice_sum"] and again["cycles"] < told["merge"]["cycles"]
          and again["cc_half"] > told["merge"]["cc_half"] - 0.1 and "started from " + one in said, f"starts from its parent: {last(said)} {complaint}")

    state = os.path.join(warm, "merge.state")
    with open(state, "r+b") as file:
        file.seek(200)
        file.write(b"damage")
    for name, parent, sets, words in (("damaged", warm, (), "is damaged"), ("absent", place, (), "cannot be read"),
                                      ("in other terms", one, ("--set", "merge.space_group=P43"), "of other parameters or symmetry")):
        cold = os.path.join(place, "cold " + name)
        code, _, complaint = merge("--out", cold, *SETS, *sets, "--parent", parent, stream)
        check(code == 0 and words in complaint.split("\n")[0] and (sets or sums(cold) == sums(one)),
              f"a parent that is {name} is as good as none: {complaint.splitlines()[0]}")
    other, renamed = os.path.join(place, "other.stream"), os.path.join(place, "list.mtz")
    os.symlink(stream, other)
    shutil.copy(os.path.join(DATA, "lyso.hkl"), renamed)
    for arguments, words in (((stream,), "space_group"), ((*SETS, "--set", "merge.unit_cell=10,10,10,90,90,90", stream), "none of 240"),
                             ((*SETS, os.path.join(place, "absent.stream")), "absent.stream"),
                             ((*SETS, "--set", "merge.reference=" + stream, stream), "A.stream:1: not a reflection list"),
                             ((*SETS, "--set", "merge.reference=" + place, stream), "Is a directory"),
                             ((*SETS, "--set", "merge.reference=" + renamed, stream), "not an MTZ file"),
                             ((*SETS, "--set", "merge.d_max=2", stream), "merge.d_max = 2 A"),
                             ((*SETS, stream, os.path.relpath(stream)), "is the same input as"),
                             ((*SETS, stream, other), "is the same input as")):
        code, _, complaint = merge("--out", os.path.join(place, "refused"), *arguments)
        check(code == 2 and complaint.count("\n") == 0 and words in complaint, f"bad input: {complaint}")
    code, _, complaint = merge("--out", os.path.join(place, "never"), "--set", "merge.reference=" + stream, *SETS, stream)
    check(code == 2 and not os.path.exists(os.path.join(place, "never")), "what is no reference is refused before anything is made")


if not os.path.isdir(DATA):
    print("1..0 # SKIP no test data (set FIRSTLIGHT_TEST_DATA)")
else:
    folder = tempfile.mkdtemp()
    try:
        all_checks(folder)
        print(f"1..{number}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
