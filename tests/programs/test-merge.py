"""merge: jobs and other programs' files of a simulated crystal that can be indexed in several ways. They are told apart, with and
without intensities from outside, and nothing depends on the form of the inputs, the number of ranks, or whether it was stopped.

test-merge.py [--long] ENGINE [MPIRUN…]"""
import hashlib, json, math, os, random, re, shutil, signal, subprocess, sys, tempfile, time

LONG = sys.argv[1] == "--long"
ENGINE, *MPIRUN = [a for a in sys.argv[1 + LONG:] if a]
D_MIN = 3.0
FILES = ("merge.json", "merge.state", "merged.hkl", "merged.mtz")
number = 0


def check(ok, name):
    global number
    number += 1
    print(("ok" if ok else "not ok"), number, "-", name, flush=True)


def run(*arguments, ranks=1, **options):
    start = [*MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run([*start, ENGINE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=200, **options)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def must(*arguments, **options):
    code, said, complaint = run(*arguments, **options)
    assert code == 0, (arguments, complaint)
    return said.split("\n")[-1]


# --- crystals ---

class Crystal:
    """Space group, cell, Laue group (its name; what its rotations, without inversion, make of h k l), the other ways to index it."""

    def __init__(self, group, cell, laue, rotations, others, shots):
        self.group, self.cell, self.laue, self.rotations, self.others, self.shots = group, cell, laue, rotations, others, shots

    def first(self, h, k, l):
        """One for all that are equivalent."""
        return max((s * a, s * b, s * c) for a, b, c in self.rotations(h, k, l) for s in (1, -1))

    def inverse_d_squared(self, h, k, l):
        a, _, c, *_, gamma = self.cell
        return ((h * h + k * k + h * k) * 4 / 3 if gamma == 120 else h * h + k * k) / a**2 + l * l / c**2

    def draw(self, path):
        """Intensities by Wilson's statistics, none of them as strong as to saturate the detector."""
        rng, truth = random.Random(3), {}
        ranges = [range(-int(side / (D_MIN - 0.5)), int(side / (D_MIN - 0.5)) + 1) for side in self.cell[:3]]
        for m in ((h, k, l) for h in ranges[0] for k in ranges[1] for l in ranges[2]):
            s = self.inverse_d_squared(*m)
            if 0 < s < (D_MIN - 0.5) ** -2 and self.first(*m) not in truth:
                truth[self.first(*m)] = 6000 * rng.expovariate(1) * math.exp(-10 * s)
        with open(path, "w") as file:
            file.write(f"CrystFEL reflection list version 2.0\nSymmetry: {self.laue}\n   h    k    l          I    phase   sigma(I)   nmeas\n")
            for (h, k, l), value in truth.items():
                file.write(f"{h:4d} {k:4d} {l:4d} {value:10.2f}        -       1.00       1\n")
            file.write("End of reflections\n")
        return truth

    def table(self, path):
        rows = (line.split() for line in open(path).read().split("nmeas\n")[1].splitlines()[:-1])
        return {self.first(*map(int, row[:3])): float(row[3]) for row in rows}

    def otherwise(self, values):
        """The same intensities as each of the other ways of indexing has them."""
        return [{self.first(*other(*m)): value for m, value in values.items()} for other in self.others]


def correlation(crystal, a, b):
    """Of intensities on their shells' mean: an overall fall-off is nobody's to tell."""
    common = sorted((m for m in a if m in b), key=lambda m: (crystal.inverse_d_squared(*m), m))
    x, y = [], []
    for i in range(10):
        shell = common[len(common) * i // 10:len(common) * (i + 1) // 10]
        for values, out in ((a, x), (b, y)):
            mean = sum(values[m] for m in shell) / len(shell)
            out += [values[m] / mean - 1 for m in shell]
    return sum(p * q for p, q in zip(x, y)) / math.sqrt(sum(p * p for p in x) * sum(q * q for q in y))


def fourfold(h, k, l):
    return (h, k, l), (-k, h, l), (-h, -k, l), (k, -h, l)


def threefold(h, k, l):
    return (h, k, l), (k, -h - k, l), (-h - k, h, l)


def sixfold(h, k, l):
    return *threefold(h, k, l), *threefold(-h, -k, l)


def tetrahedral(h, k, l):
    return [m for a, b, c in ((h, k, l), (k, l, h), (l, h, k)) for m in ((a, b, c), (-a, -b, c), (-a, b, -c), (a, -b, -c))]


SWAPPED = [lambda h, k, l: (k, h, -l)]
SHORT_SHOTS, LONG_SHOTS = 110, 500  # of each of two runs
TETRAGONAL = Crystal("P43", (50, 50, 40, 90, 90, 90), "4/m", fourfold, SWAPPED, LONG_SHOTS if LONG else SHORT_SHOTS)
OTHERS = [Crystal("P31", (50, 50, 60, 90, 90, 120), "-3_H", threefold,
                  SWAPPED + [lambda h, k, l: (-h, -k, l), lambda h, k, l: (-k, -h, -l)], LONG_SHOTS),
          Crystal("P63", (60, 60, 50, 90, 90, 120), "6/m", sixfold, SWAPPED, LONG_SHOTS),
          Crystal("P213", (60, 60, 60, 90, 90, 90), "m-3", tetrahedral, SWAPPED, LONG_SHOTS)]


# --- merging ---

class Place:
    def __init__(self, folder, crystal):
        self.folder, self.crystal = folder, crystal
        os.mkdir(folder)
        self.truth = crystal.draw(self.path("truth.hkl"))
        self.make_jobs()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make_jobs(self):
        cell = ",".join(map(str, self.crystal.cell))
        sets = ("intensities=" + self.path("truth.hkl"), "cell=" + cell, "resolution=2.5", "hit_fraction=1", "double_fraction=0",
                "domain_size=0.1", "mosaic_spread=0.15", "detector=eiger-1m", "compression=bitshuffle")
        must("simulate-sfx", "--out", self.path("data"), "--runs", "2", "--shots", str(self.crystal.shots), "--quiet",
             *(a for s in sets for a in ("--set", "simulate." + s)))
        self.jobs = [self.path("job1"), self.path("job2")]
        self.said = [must("stills", "--out", job, "--set", "detector.geometry=" + self.path("data", "detector.geom"), "--set",
                          "indexing.unit_cell=" + cell, "--set", "indexing.space_group=" + self.crystal.group,
                          self.path("data", f"r{i:04d}"), ranks=2 if MPIRUN else 1) for i, job in enumerate(self.jobs, 1)]

    def command(self, name, inputs, *sets):
        return ["merge", "--out", self.path(name), *(a for s in (f"d_min={D_MIN}", *sets) for a in ("--set", "merge." + s)), *inputs]

    def merge(self, name, inputs, *sets, ranks=1):
        must(*self.command(name, inputs, *sets), ranks=ranks)
        with open(self.path(name, "merge.json")) as file:
            return json.load(file)["merge"], self.crystal.table(self.path(name, "merged.hkl"))

    def sums(self, name):
        return [hashlib.sha256(open(self.path(name, f), "rb").read()).hexdigest() for f in FILES]


def test_ambiguity(p):
    crystal, ways = p.crystal, 1 + len(p.crystal.others)
    n = sum(int(re.search(r"(\d+) lattices$", said)[1]) for said in p.said)
    check(n > 1.9 * crystal.shots, f"{crystal.group}: jobs of a simulated crystal: {p.said}")
    alone, values = p.merge("alone", p.jobs)
    *others, best = sorted(correlation(crystal, p.truth, found) for found in [values, *crystal.otherwise(values)])
    part = alone["reindexed"] / n
    check(alone["lattices"] == n and len(alone["ambiguity"].split()) == ways - 1 and abs(part - 1 + 1 / ways) < 0.15,
          f"of {ways} settings: {part:.2f} of the lattices are taken in another than they were indexed in")
    check(best > 0.99 and max(others) < 0.3, "alone the lattices agree on one crystal, CC %.4f; another way of indexing it, CC %.4f" % (best, max(others)))
    known, values = p.merge("known", p.jobs, "reference=" + p.path("truth.hkl"))
    cc = correlation(crystal, p.truth, values)
    check(cc > 0.99 and known["cc_iso"] > 0.98, f"with intensities from outside on that crystal: CC {cc:.4f}, CCiso {known['cc_iso']:.4f}")


def test_twin(p):
    """That the mixture was one: taken together, as the lattice's symmetry would have it, it is like a twin."""
    with open(p.path("alone", "merge.json")) as file:
        alone = json.load(file)["merge"]
    twin, values = p.merge("twin", p.jobs, "space_group=P43212")
    (other,) = p.crystal.otherwise(p.truth)
    cc, like = correlation(p.crystal, p.truth, values), correlation(p.crystal, {m: value + other[m] for m, value in p.truth.items()}, values)
    check(cc < 0.9 and like > 0.95 and twin["l_abs"] < alone["l_abs"] - 0.05,
          f"not told apart they are a twin: CC {cc:.4f}, with the mean of both {like:.4f}; <|L|> {twin['l_abs']:.3f} instead of {alone['l_abs']:.3f}")


def test_inputs(p):
    """The same lattices out of other programs' files."""
    for job in p.jobs:
        for form in ("stream", "expt"):
            must("export", "--format", form, "--out", f"{job}.{form}", job)
    sets = ("reference=" + p.path("truth.hkl"), "space_group=" + p.crystal.group)
    jobs, values = p.merge("known", p.jobs, *sets)
    mixed = (p.jobs[1], p.jobs[0] + ".stream")
    for name, inputs in (("streams", [job + ".stream" for job in p.jobs]), ("files of DIALS", [job + ".expt" for job in p.jobs]),
                         ("a job and a stream", mixed)):
        other, found = p.merge(name, inputs, *sets)
        cc = correlation(p.crystal, values, found)
        check(other["lattices"] == jobs["lattices"] and abs(other["observations"] / jobs["observations"] - 1) < 0.01 and cc > 0.999,
              f"{name}: {other['lattices']} lattices, {other['observations']} of {jobs['observations']} observations, CC with the jobs' {cc:.5f}")
        if MPIRUN and (LONG or inputs is mixed):
            p.merge(name + " again", inputs, *sets, ranks=3)
            check(p.sums(name + " again") == p.sums(name), f"{name}: the same bytes on 3 ranks")


    code, said, complaint = run(*p.command("twice", [p.jobs[0], p.jobs[1], p.jobs[0] + ".stream"], *sets))
    n = int(re.search(r"(\d+) lattices$", p.said[0])[1])
    check(code == 0 and complaint.startswith(f"{n} of {n + jobs['lattices']} lattices came before from another input"),
          f"a job and what was exported of it: {complaint.splitlines()[0]}")


def test_ranks(p):
    for ranks in (2, 4) if MPIRUN else ():
        p.merge(f"on{ranks}", p.jobs[::-1], ranks=ranks)
        check(p.sums(f"on{ranks}") == p.sums("alone"), f"the same bytes on {ranks} ranks and in another order of inputs")


def engines(folder):
    """Processes of ours that merge into it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
        except OSError:
            continue
        if words[0] == ENGINE.encode() and folder.encode() in words:
            found.append(int(pid))
    return found


def stop(p, name, sets, ranks, delay):
    """Asks the next attempt to stop so many seconds after it began: how many cycles it had done then; None: it was done before."""
    folder = p.path(name)
    attempt = 1 + len([f for f in os.listdir(folder) if f.startswith("attempt-")]) if os.path.isdir(folder) else 1
    start = [*MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    process = subprocess.Popen([*start, ENGINE, *p.command(name, p.jobs, *sets)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL, text=True)
    begun, until = p.path(name, f"attempt-{attempt:04d}", "params.txt"), time.time() + 60  # signals are caught by then
    while not os.path.exists(begun) and process.poll() is None and time.time() < until:
        time.sleep(0.005)
    time.sleep(delay)
    for pid in engines(folder)[-1:]:  # one of the ranks
        os.kill(pid, signal.SIGTERM)
    _, complaint = process.communicate(timeout=100)
    if process.returncode == 0:
        return None
    said = re.search(r"asked to stop (?:after (\d+) cycles: saved|while (?:inputs are read|settings are told apart); the next)", complaint)
    assert process.returncode == 75 and said and (ranks > 1 or complaint.count("\n") == 1), (process.returncode, complaint)
    return int(said[1] or 0)


def test_stop(p):
    """Asked to stop again and again, each time later, it goes on from where it was: the result is the same."""
    sets, began = ("cycles=12", "postrefine=full"), time.time()
    p.merge("whole", p.jobs, *sets)
    took = time.time() - began
    for ranks in (1, 3) if MPIRUN and LONG else (1,):
        for step in (0.15, 0.05, 0.02):  # of the whole time, until it is caught in the middle
            stops, name = [], f"stopped{ranks}-{step}"
            while (cycles := stop(p, name, sets, ranks, step * took * len(stops))) is not None:
                stops.append(cycles)
            if stops and max(stops) > 0:
                break
        check(len(stops) > 1 and max(stops) > 0 and p.sums(name) == p.sums("whole"),
              f"stopped {len(stops)} times on {ranks} ranks, after {stops} cycles: the same bytes")


folder, began = tempfile.mkdtemp(prefix="firstlight-merge-"), time.time()
try:
    place = Place(os.path.join(folder, "tetragonal"), TETRAGONAL)
    for test in (test_ambiguity, test_twin, test_inputs, test_ranks, test_stop):
        print(f"# {time.time() - began:.1f} s", flush=True)
        test(place)
    for crystal in OTHERS if LONG else ():
        print(f"# {time.time() - began:.1f} s", flush=True)
        test_ambiguity(Place(os.path.join(folder, crystal.group), crystal))
    print(f"# {time.time() - began:.1f} s\n1..{number}", flush=True)
finally:
    shutil.rmtree(folder, ignore_errors=True)
