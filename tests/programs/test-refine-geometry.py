"""refine-geometry: displaced panels come back to where the simulator had them; what else there is to say about the program.

test-refine-geometry.py ENGINE CONTROL ACCEPT [MPIRUN…]; ACCEPT 1: real geometries, many shots."""
import hashlib, json, math, os, random, re, shutil, signal, sqlite3, subprocess, sys, tempfile, time

ENGINE, CONTROL, ACCEPT, MPIRUN = sys.argv[1], sys.argv[2], sys.argv[3] == "1", [a for a in sys.argv[4:] if a]
DATA = os.environ.get("FIRSTLIGHT_TEST_DATA", "")
CELL = ["--set", "indexing.unit_cell=79.1,79.1,37.9,90,90,90", "--set", "indexing.space_group=P43212"]
FILES = ("refined.geom", "geometry.json", "residuals.json", "residuals.svg")
number = 0


def check(ok, name):
    global number
    number += 1
    print(("ok" if ok else "not ok"), number, "-", name, flush=True)
    return ok


def run(*arguments, ranks=1, program=ENGINE, timeout=1500):
    start = [*MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run([*start, program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def must(*arguments, **options):
    code, said, complaint = run(*arguments, **options)
    if code != 0:
        print("Bail out!", " ".join(arguments[:3]), complaint)
        sys.exit(1)
    return said


# --- geometries: read and displaced without our own reader ---

def vector(text):
    v = [0.0, 0.0, 0.0]
    for c, axis in re.findall(r"([-+]?[\d.]+)([xyz])", text.replace(" ", "")):
        v["xyz".index(axis)] += float(c)
    return v


def panels_of(path):
    top, panels = {"clen": "0", "res": "1", "coffset": "0"}, {}
    for line in open(path):
        m = re.match(r"\s*(?:(\w+)/)?(\w+)\s*=\s*(.*\S)", line.split(";")[0])
        if m and m[1] is None:
            top[m[2]] = m[3]
        elif m:
            panels.setdefault(m[1], {})[m[2]] = m[3]
    return top, {n: p for n, p in panels.items() if "corner_x" in p}


def size(p):
    return float(p["max_fs"]) - float(p["min_fs"]) + 1, float(p["max_ss"]) - float(p["min_ss"]) + 1


def corners(path):
    """Of every panel, px; z counts the camera length."""
    top, panels = panels_of(path)
    out = {}
    for name, p in panels.items():
        fs, ss, (w, h) = vector(p["fs"]), vector(p["ss"]), size(p)
        z = float(top["clen"].split()[0]) + float(p.get("coffset", top["coffset"]))
        origin = float(p["corner_x"]), float(p["corner_y"]), z * float(top["res"])
        out[name] = [[origin[k] + a * w * fs[k] + b * h * ss[k] for k in range(3)] for a in (0, 1) for b in (0, 1)]
    return out


def off(truth, other, among=None):
    """R.m.s. in the plane (px; the turn about the beam, which no crystal tells, left out), the worst panel's, mean along the beam."""
    a, b = corners(truth), corners(other)
    names = [n for n in a if among is None or n in among]
    pairs = [(n, p, q) for n in names for p, q in zip(a[n], b[n])]
    turn = sum(p[0] * (q[1] - p[1]) - p[1] * (q[0] - p[0]) for _, p, q in pairs) / sum(p[0] ** 2 + p[1] ** 2 for _, p, q in pairs)
    of_panel = {}
    for n, p, q in pairs:
        of_panel[n] = of_panel.get(n, 0) + (q[0] - p[0] + turn * p[1]) ** 2 + (q[1] - p[1] - turn * p[0]) ** 2
    return math.sqrt(sum(of_panel.values()) / len(pairs)), math.sqrt(max(of_panel.values()) / 4), sum(q[2] - p[2] for _, p, q in pairs) / len(pairs)


def displace(source, target, seed, px=2.0, mrad=1.0, distance=0.005, shift=0.0):
    """Every panel by up to so many px and mrad about its middle, all by `shift` px along x, the camera length by a fraction."""
    r, (top, panels), new = random.Random(seed), panels_of(source), {}

    def word(v):
        return "%+.9fx %+.9fy" % (v[0], v[1]) + (" %+.9fz" % v[2] if v[2] else "")

    for name, p in panels.items():
        fs, ss, (w, h) = vector(p["fs"]), vector(p["ss"]), size(p)
        x, y = float(p["corner_x"]), float(p["corner_y"])
        cx, cy = x + (fs[0] * w + ss[0] * h) / 2, y + (fs[1] * w + ss[1] * h) / 2
        dx, dy, t = r.uniform(-px, px), r.uniform(-px, px), 1e-3 * r.uniform(-mrad, mrad)

        def turn(v):
            return [v[0] * math.cos(t) - v[1] * math.sin(t), v[0] * math.sin(t) + v[1] * math.cos(t), v[2]]

        ox, oy, _ = turn([x - cx, y - cy, 0])
        new[name] = {"corner_x": "%.6f" % (cx + ox + dx + shift), "corner_y": "%.6f" % (cy + oy + dy), "fs": word(turn(fs)), "ss": word(turn(ss))}
    with open(target, "w") as out:
        for line in open(source):
            m = re.match(r"(\w+)/(\w+) = ", line)
            if m and m[2] in new.get(m[1], {}):
                line = "%s/%s = %s ; as mounted\n" % (m[1], m[2], new[m[1]][m[2]])
            elif line.startswith("clen"):
                line = "clen = %.9f m\n" % (float(top["clen"].split()[0]) * (1 + distance))
            out.write(line)


def make_small(path):
    """Four by four panels of 160 px, a gap of 10 between them."""
    with open(path, "w") as out:
        out.write("; a small detector\nclen = 0.06 m\nres = 5000\n")
        for q in range(4):
            out.write("rigid_group_q%d = %s\n" % (q, ",".join("p%d" % i for i in range(16) if i % 4 // 2 + 2 * (i // 8) == q)))
        out.write("rigid_group_collection_quadrants = q0,q1,q2,q3\n")
        for i in range(16):
            x, y = 170 * (i % 4) - 335, 170 * (i // 4) - 335
            out.write(f"p{i}/min_fs = 0\np{i}/max_fs = 159\np{i}/min_ss = {160 * i}\np{i}/max_ss = {160 * i + 159}\n"
                      f"p{i}/fs = +1x\np{i}/ss = +1y\np{i}/corner_x = {x}\np{i}/corner_y = {y}\n")


def simulate(place, geometry, shots, *more):
    must("simulate-sfx", "--out", place, "--shots", str(shots), "--quiet", "--set", f"simulate.geometry={geometry}", "--set", "simulate.hit_fraction=1",
         "--set", "simulate.double_fraction=0", "--set", "simulate.crystal_size=5", *more)
    return os.path.join(place, "detector.geom")


def stills(out, geometry, data):
    return must("stills", "--out", out, "--stages", "index", "--set", f"detector.geometry={geometry}", *CELL, os.path.join(data, "r0001")).splitlines()[-1]


def sums(folder):
    return [hashlib.sha256(open(os.path.join(folder, f), "rb").read()).hexdigest() for f in FILES]


def told(folder):
    return json.load(open(os.path.join(folder, "geometry.json")))


# --- the small detector ---

NUMBERS = re.compile(r"^(\w+/(fs|ss|corner_x|corner_y|coffset)|clen) = [^;\n]*?(?=( ;.*)?$)", re.M)


def small(place):
    given = os.path.join(place, "given.geom")
    make_small(given)
    truth = simulate(os.path.join(place, "sim"), given, 80)
    bad = os.path.join(place, "bad.geom")
    displace(truth, bad, 3)
    job = os.path.join(place, "job")
    indexed = stills(job, bad, os.path.join(place, "sim"))
    one = os.path.join(place, "one")
    said = must("refine-geometry", "--out", one, job)
    before, after = off(truth, bad), off(truth, os.path.join(one, "refined.geom"))
    print(f"# {indexed}; {said.splitlines()[-1]}")
    check(before[0] > 1 and after[0] < 0.05 and abs(after[2]) < 0.15, "panels off %.3f px (worst %.3f, along the beam %.2f) are at %.4f (%.4f, %.3f)" % (*before, *after))
    check("rigid_group_collection_quadrants" in said and len(said.splitlines()) == 3 + 1 + 4 + 16 + 1, "a line a member")
    a, b = open(bad).read(), open(os.path.join(one, "refined.geom")).read()
    check(a != b and NUMBERS.sub(r"\1", a) == NUMBERS.sub(r"\1", b), "nothing but places changes in the file")
    json.load(open(os.path.join(one, "residuals.json")))
    t = told(one)
    check(t["converged"] and t["members"][0]["after"]["radial"] < 0.3 < t["members"][0]["before"]["radial"] and len(t["members"]) == 21, "geometry.json tells it")

    for ranks in (2, 4) if MPIRUN else ():
        folder = os.path.join(place, f"on{ranks}")
        must("refine-geometry", "--out", folder, job, ranks=ranks)
        check(sums(folder) == sums(one), f"the same bytes on {ranks} ranks")

    again = os.path.join(place, "again")
    must("refine-geometry", "--out", again, "--set", f"detector.geometry={one}/refined.geom", job)
    moved = off(os.path.join(one, "refined.geom"), os.path.join(again, "refined.geom"))
    check(moved[1] < 0.01, "from there it stays there: %.4f px" % moved[1])

    stream = os.path.join(place, "job.stream")
    must("export", "--out", stream, job)
    must("refine-geometry", "--out", os.path.join(place, "of-stream"), *CELL, stream)
    same = off(os.path.join(one, "refined.geom"), os.path.join(place, "of-stream", "refined.geom"))
    check(same[1] < 0.01, "a stream of the job tells the same: %.4f px apart" % same[1])

    # A panel without enough reflections, levels above it
    least = sorted(m["before"]["reflections"] for m in t["members"] if m["level"] == "panel")
    few = os.path.join(place, "few")
    said = must("refine-geometry", "--out", few, "--set", f"geometry.min_panel={least[0] + 1}", job)
    held = [m["name"] for m in told(few)["members"] if m["stays"]]
    check(len(held) >= 1 and "too few reflections: stays" in said, f"panels with too few reflections stay: {held}")
    group = os.path.join(place, "whole")
    must("refine-geometry", "--out", group, "--set", "geometry.level=global", job)
    a, b = corners(bad), corners(os.path.join(group, "refined.geom"))
    steps = [[q[k] - p[k] for k in range(2)] for n in a for p, q in zip(a[n], b[n])]
    check(all(abs(s[k] - steps[0][k]) < 1e-4 for s in steps for k in range(2)), "globally, all move alike")
    return truth, bad, job


def windows(place, truth, job):
    """The second run's detector is 0.8 px off along x."""
    moved = os.path.join(place, "moved.geom")
    displace(truth, moved, 1, px=0, mrad=0, distance=0, shift=0.8)
    simulate(os.path.join(place, "sim2"), moved, 80, "--set", "simulate.seed=5")
    second = os.path.join(place, "job2")
    stills(second, os.path.join(place, "bad.geom"), os.path.join(place, "sim2"))
    both = os.path.join(place, "both")
    must("refine-geometry", "--out", both, "--set", "geometry.window=input", job, second)
    w = told(both)["windows"]
    px = told(both)["pixel_mm"]
    dx, dy = (w[1]["shift"][0] - w[0]["shift"][0]) / px, (w[1]["shift"][1] - w[0]["shift"][1]) / px
    check(len(w) == 2 and abs(dx - 0.8) < 0.05 and abs(dy) < 0.05 and w[0]["sigma"][0] > 0, "the shift between two runs: %.3f, %.3f px (0.8, 0)" % (dx, dy))
    parts = os.path.join(place, "parts")
    must("refine-geometry", "--out", parts, "--set", "geometry.window=shots", "--set", "geometry.window_shots=40", job)
    w = told(parts)["windows"]
    check([(x["first_shot"], x["last_shot"]) for x in w] == [(0, 39), (40, 79)] and all(abs(x["shift"][0]) < 0.1 * px for x in w), "windows of shots: none has shifted")


def refusals(place, job):
    for name, arguments, words in (
            ("no job there", [os.path.join(place, "nowhere")], "nowhere"),
            ("an input twice", [job, os.path.relpath(job)], "is the same input as"),
            ("too few lattices", ["--set", "geometry.min_lattices=1000", job], "expected 1000 or more"),
            ("no such groups", ["--set", "geometry.groups=halves", job], "names no collection"),
            ("spots elsewhere", ["--set", "indexing.unit_cell=50,60,70,90,90,90", "--set", "indexing.space_group=P212121", job], "lattices of the cell")):
        code, said, complaint = run("refine-geometry", "--out", os.path.join(place, "refused"), *arguments)
        check(code == 2 and words in complaint and "\n" not in complaint and not os.path.exists(os.path.join(place, "refused", "refined.geom")), f"{name}: {complaint}")


def stopping(place, job):
    out = os.path.join(place, "stopped")
    inputs = [os.path.join(place, f"as{i}") for i in range(12)]
    for name in inputs:
        shutil.copytree(job, name)
    process = subprocess.Popen([ENGINE, "refine-geometry", "--out", out, *inputs], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not os.path.exists(os.path.join(out, "params.txt")) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGTERM)
    complaint = process.communicate(timeout=300)[1].strip()
    check(process.returncode == 75 and "saved" in complaint and os.path.exists(os.path.join(out, "unfinished.geom")), f"asked to stop: {process.returncode}, {complaint}")
    must("refine-geometry", "--out", out, *inputs)
    whole = os.path.join(place, "unstopped")
    must("refine-geometry", "--out", whole, *inputs)
    apart = off(os.path.join(whole, "refined.geom"), os.path.join(out, "refined.geom"))
    check(apart[1] < 0.01 and not os.path.exists(os.path.join(out, "unfinished.geom")), "goes on to the same end: %.4f px apart" % apart[1])


def conducted(place, store, runs):
    """A dataset's version is processed and its detector refined: the folder of that job."""
    must("dataset", "--store", store, "--name", "d", "--expression", "runs 1-", "--min-interval", "0", "--task", "stills", "--task", "detector:geometry:stills",
         program=CONTROL)
    os.rename(os.path.join(place, "sim", "r0001"), os.path.join(runs, "r0001"))
    conductor = subprocess.Popen([CONTROL, "conduct", "--store", store, "--interval", "0.1"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found, until = [], time.time() + 120
    while not found and time.time() < until and conductor.poll() is None:
        time.sleep(0.1)
        found = [d for d, _, files in os.walk(store) if "refined.geom" in files and "residuals.svg" in files]
    conductor.terminate()
    conductor.wait()
    return found[0] if found else None


def experiment(place, truth, bad):
    store, runs = os.path.join(place, "experiment"), os.path.join(place, "runs")
    block, trial = os.path.join(place, "lysozyme"), os.path.join(place, "trial")
    with open(block, "w") as out:
        out.write(f"[detector]\ngeometry = {bad}\n")
    with open(trial, "w") as out:
        out.write("[indexing]\nunit_cell = 79.1,79.1,37.9,90,90,90\nspace_group = P43212\n")
    os.makedirs(runs)
    must("experiment", "--store", store, "--watch", runs, "--quiet", "0.2", "--block", block, "--trial", trial, "--stages", "index", "--launcher", "env",
         "--engine", ENGINE, "--ranks", "1", "--cores", "2", program=CONTROL)
    folder = conducted(place, store, runs)
    after = off(truth, os.path.join(folder, "refined.geom")) if folder else (9,)
    if not check(after[0] < 0.05, "a task of type geometry: panels at %.4f px" % after[0]):
        return
    said = must("geometry", "--store", store, folder, program=CONTROL)
    db = sqlite3.connect([os.path.join(store, f) for f in os.listdir(store) if f.endswith((".sqlite", ".db", ".firstlight"))][0])
    rows = db.execute("SELECT name, active, params FROM block ORDER BY id").fetchall()
    kept = os.path.join(store, re.search(r"geometry = (\S+)", rows[1][2])[1])
    check([r[:2] for r in rows] == [("lysozyme", 0), ("lysozyme-2", 1)] and open(kept).read() == open(os.path.join(folder, "refined.geom")).read(),
          "the experiment takes it: " + said.replace("\n", ", "))
    code, _, complaint = run("geometry", "--store", store, "--from-run", "r0002", "--name", "later", os.path.join(place, "one", "refined.geom"), program=CONTROL)
    rows = db.execute("SELECT name, active, first_run, last_run FROM block ORDER BY id").fetchall()
    check(code == 0 and rows[1:] == [("lysozyme-2", 1, "", "r0001"), ("later", 1, "r0002", "")], f"from a run on: {rows} {complaint}")
    code, _, complaint = run("geometry", "--store", store, "--name", "later", os.path.join(place, "one"), program=CONTROL)
    check(code == 2 and "2 blocks are active" in complaint, f"which block: {complaint}")
    code, _, complaint = run("geometry", "--store", store, block, program=CONTROL)
    check(code == 2 and "\n" not in complaint, f"what is no geometry: {complaint}")


def plain(place):
    truth, bad, job = small(place)
    windows(place, truth, job)
    refusals(place, job)
    stopping(place, job)
    if CONTROL:
        experiment(place, truth, bad)


# --- real detectors ---

def real(place, name, geometry, length, shots, seed, photons="1e10", px=2.0, mrad=1.0, least=200, limit=0.05, rescued=False):
    if not os.path.exists(geometry):
        print(f"# {name}: {geometry} is not there")
        return
    folder = os.path.join(place, name)
    os.makedirs(folder)
    truth = simulate(os.path.join(folder, "sim"), geometry, shots, "--set", f"simulate.camera_length={length}", "--set", f"simulate.pulse_photons={photons}")
    bad, data = os.path.join(folder, "bad.geom"), os.path.join(folder, "sim")
    displace(truth, bad, seed, px=px, mrad=mrad)
    ideal, first = stills(os.path.join(folder, "ideal"), truth, data), stills(os.path.join(folder, "job"), bad, data)
    out = os.path.join(folder, "out")
    began = time.time()
    said = must("refine-geometry", "--out", out, "--set", f"geometry.max_offset={4 * px}", os.path.join(folder, "job")).splitlines()[-1]
    seconds = time.time() - began
    enough = {m["name"] for m in told(out)["members"] if m["level"] == "panel" and m["after"]["reflections"] >= least}
    before, after = off(truth, bad, enough), off(truth, os.path.join(out, "refined.geom"), enough)
    second = stills(os.path.join(folder, "job2"), os.path.join(out, "refined.geom"), data)
    print(f"# {name}: {said}, {seconds:.1f} s\n# before: {first}\n# after: {second}\n# in the true geometry: {ideal}")
    count = [int(re.search(r"(\d+) indexed", s)[1]) for s in (first, second, ideal)]
    check(before[0] > 1 and after[0] < limit, "%s: %d panels off %.3f px (worst %.3f, along the beam %.2f) are at %.4f (%.4f, %.3f)" % (name, len(enough), *before, *after))
    check(not rescued or count[0] < 0.7 * count[2], f"{name}: much was lost")
    check(count[1] >= count[0] and count[1] >= 0.98 * count[2], f"{name}: {count[0]} shots index before, {count[1]} after, {count[2]} in the true geometry")
    shutil.rmtree(data)


def set_a(place):
    folder = os.path.join(DATA, "crystfel-sim")
    packed = os.path.join(folder, "A-xgandalf-fast.stream.gz")
    if not os.path.exists(packed):
        print("# no set A")
        return
    stream = os.path.join(place, "A.stream")
    subprocess.run(f"gunzip -c '{packed}' > '{stream}'", shell=True, check=True)
    out = os.path.join(place, "A")
    print("#", must("refine-geometry", "--out", out, *CELL, stream).splitlines()[-1])
    truth = os.path.join(folder, "lyso-agipd1m.geom")
    r = off(truth, os.path.join(out, "refined.geom"))
    # Every pixel of that simulator is sampled 1/8 px too high in fs and ss: panels seem to lie 0.177 px off, each its way.
    check(0.1 < r[0] < 0.25, "set A: panels come to lie %.3f px (worst %.3f) off, 0.177 expected of its sampling" % r[:2])


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True, prefix="firstlight-geometry-") as place:
    if ACCEPT:
        set_a(place)
        real(place, "agipd", os.path.join(DATA, "geom", "agipd_mar18_v11.geom"), 0, 1000, 7)
        # Few spots a shot: panels that far off cost most of the lattices, and those that are left are enough.
        real(place, "weak", os.path.join(DATA, "geom", "agipd_mar18_v11.geom"), 0, 300, 3, photons="7e8", px=2.5, mrad=1.2, least=50, limit=0.1, rescued=True)
        real(place, "jungfrau", os.path.join(DATA, "geom", "cxi_jungfrau4M.geom"), 110, 1000, 8)
    else:
        plain(place)
print(f"1..{number}")
