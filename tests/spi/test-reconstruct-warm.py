"""reconstruct that starts from what an earlier one, of fewer of the patterns, came to: the same result as from nothing, in fewer
generations; what it does not start from; taken up again.

test-reconstruct-warm.py ENGINE SPI-SCORE [MPIRUN]"""
import json, os, re, shutil, signal, subprocess, sys, tempfile, time

import h5py
import numpy

ENGINE, SCORE, MPIRUN = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""
DETECTOR = ["simulate_spi.pixels=31", "simulate_spi.pixel_size=0.8", "simulate_spi.photons=5000"]
QUICK = ["reconstruct.starts=2", "reconstruct.phase_every=0", "reconstruct.phase_starts=4"]
ONE = [*QUICK, "reconstruct.generations=1"]
number = 0


def check(ok, name, why=""):
    global number
    number += 1
    print(("ok" if ok else "not ok"), number, "-", name, "" if ok else f"# {why}", flush=True)


def command(*arguments, sets=QUICK, ranks=1):
    start = [MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    return [*start, ENGINE, *arguments, *(word for value in sets for word in ("--set", value))]


def run(*arguments, **options):
    done = subprocess.run(command(*arguments, **options), capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout.strip().split("\n")[-1], done.stderr


def model(place):
    """Balls that nothing turns into themselves."""
    path = os.path.join(place, "made.pdb")
    with open(path, "w") as file:
        for i in range(900):
            ball = i % 3
            u = (i + 0.5) / 900
            r, polar, azimuth = (19, 15, 12)[ball] * ((i * 0.618) % 1)**(1 / 3), numpy.arccos(1 - 2 * u), i * 2.4
            x, y, z = ((0, 0, 0), (43, 0, 0), (8, 34, 13))[ball]
            x += r * numpy.sin(polar) * numpy.cos(azimuth)
            y += r * numpy.sin(polar) * numpy.sin(azimuth)
            z += r * numpy.cos(polar)
            file.write(f"ATOM  {i + 1:5d}  C   ALA A{i + 1:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C\n")
    return path


def told(job):
    return json.load(open(os.path.join(job, "reconstruction.json")))


def assignments(job):
    with h5py.File(os.path.join(job, "orientations.h5")) as file:
        return {i: (q, h) for i, q, h in zip(file["id"][:], file["orientations"][:], file["half"][:])}


def test_same_result(place, first, patterns, atoms):
    warm, cold = os.path.join(place, "warm"), os.path.join(place, "cold")
    _, said = run("reconstruct", "--out", warm, "--start-from", first, *patterns)
    check(f"starts from {first}" in said, "it says what it starts from", said)
    diameter = told(first)["diameter"]
    check(told(warm)["diameter"] == diameter, "the diameter is the earlier one's", told(warm)["diameter"])
    run("reconstruct", "--out", cold, *patterns, sets=[*QUICK, f"reconstruct.diameter={diameter}"])
    rows, cold_rows = told(warm)["generations"], told(cold)["generations"]
    check(len(rows) <= 16 and 3 * len(rows) < len(cold_rows), "fewer generations than from nothing", (len(rows), len(cold_rows)))
    check(rows[0]["number"] == 1 and {row["stage"] for row in rows} == {cold_rows[-1]["stage"]}, "all of them at the last stage",
          [row["stage"] for row in rows])
    maps = [os.path.join(job, "autocorrelation-c0.mrc") for job in (warm, cold)]
    score = subprocess.run([SCORE, "--model", atoms, "-a", maps[0], "--like", maps[1], "--resolution", str(rows[-1]["resolution"]),
                            "--diameter", str(diameter)], capture_output=True, text=True, timeout=100)
    likeness = json.loads(score.stdout)["likeness"][0]
    print(f"# {len(rows)} generations, {len(cold_rows)} from nothing, likeness {likeness}, {told(warm)['conformations']}")
    check(likeness > 0.99, "the same autocorrelation as from nothing", likeness)
    before, after, other = assignments(first), assignments(warm), assignments(cold)
    check(set(before) < set(after) == set(other) and all(after[i][1] == before[i][1] for i in before)
          and all(after[i][1] == other[i][1] for i in after), "every pattern stays in its half")
    turned = [2 * numpy.degrees(numpy.arccos(min(1, abs(numpy.dot(before[i][0], after[i][0]))))) for i in before]
    check(numpy.median(turned) < 15, "known patterns stay as they were turned", numpy.median(turned))
    map_of = told(warm)["conformations"][0]
    check(map_of["resolution"] is not None and map_of["to_edge_of_data"] == (map_of["resolution_low"] is None or
          map_of["resolution_high"] is None), "the resolution is told", map_of)


def test_ranks(place, first, patterns):
    if not MPIRUN:
        return
    for job, ranks in ("alone", 1), ("two", 2):
        run("reconstruct", "--out", os.path.join(place, job), "--start-from", first, *patterns, sets=ONE, ranks=ranks)
    a, b = (assignments(os.path.join(place, job)) for job in ("alone", "two"))
    same = numpy.mean([abs(numpy.dot(a[i][0], b[i][0])) > 0.999 for i in a])
    check(same > 0.98, "two ranks start as one does", same)


def density(job):
    words = numpy.fromfile(os.path.join(job, "density-c0.mrc"), "<i4")
    n, skipped = words[:3], 256 + words[23] // 4
    return words[skipped:].view("<f4").reshape(n[::-1])


def likeness(a, b):
    """At the best shift."""
    f, g = (numpy.fft.fftn(x - x.mean()) for x in (a, b))
    return numpy.fft.ifftn(f * g.conj()).real.max() / numpy.sqrt((abs(f)**2).mean() * (abs(g)**2).mean())


def test_hand(place, first, patterns):
    """Whatever the hand of the former density, it stays."""
    other = os.path.join(place, "other-hand")
    shutil.copytree(first, other)
    path = os.path.join(other, "density-c0.mrc")
    content, size = open(path, "rb").read(), density(first).nbytes
    with open(path, "wb") as file:
        file.write(content[:-size] + density(first)[::-1, ::-1, ::-1].tobytes())
    for name, former in ("as-it-was", first), ("mirrored", other):
        job = os.path.join(place, name)
        run("reconstruct", "--out", job, "--start-from", former, *patterns, sets=ONE)
        same, mirrored = (likeness(density(former), density(job)[::step, ::step, ::step]) for step in (1, -1))
        check(same > mirrored + 0.02, f"the former density's hand, {name}", (same, mirrored))


def test_taken_up(place, first, patterns):
    """Stopped after a generation: the next attempt goes on from its own, whatever the earlier one has become."""
    job = os.path.join(place, "stopped")
    with open(job + ".log", "w") as log:
        process = subprocess.Popen(command("reconstruct", "--out", job, "--start-from", first, *patterns), stderr=log,
                                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        while "generation 1:" not in open(job + ".log").read():
            assert process.poll() is None, open(job + ".log").read()
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        check(process.wait(timeout=60) == 75, "stopped")
    _, said = run("reconstruct", "--out", job, "--start-from", os.path.join(place, "nowhere"), *patterns)
    check("starts" not in said and told(job)["diameter"] == told(first)["diameter"]
          and told(job)["generations"] == told(os.path.join(place, "warm"))["generations"], "taken up: the same as unstopped", said)


def test_not_started_from(place, first, patterns):
    damaged, empty, young = (os.path.join(place, name) for name in ("damaged", "empty", "young"))
    os.mkdir(damaged)
    os.mkdir(empty)
    with open(os.path.join(damaged, "checkpoint.h5"), "wb") as file:
        file.write(open(os.path.join(first, "checkpoint.h5"), "rb").read()[:3000])
    run("reconstruct", "--out", young, patterns[0], sets=ONE)
    for name, former, words, more in (
            ("none", empty, "cannot be read", []), ("a damaged one", damaged, "cannot be read", []),
            ("one that has not chosen", young, "choose among its starts", []),
            ("another seed", first, "another seed", ["reconstruct.seed=7"]),
            ("another symmetry", first, "another symmetry", ["reconstruct.symmetry=C2"]),
            ("another resolution", first, "another resolution", ["reconstruct.resolution=40"]),
            ("another diameter", first, "another diameter", ["reconstruct.diameter=70"]),
            ("other conformations", first, "another number of conformations", ["reconstruct.conformations=2"])):
        job = os.path.join(place, "not-from-" + re.sub(r"\W", "-", name))
        _, said = run("reconstruct", "--out", job, "--start-from", former, *patterns, sets=[*ONE, *more])
        lines = [line for line in said.split("\n") if "starts anew" in line]
        check(len(lines) == 1 and words in lines[0] and told(job)["generations"][0]["stage"] == 0, f"starts anew: {name}", said)


def test_too_few(place):
    few = os.path.join(place, "few")
    run("simulate-spi", "--out", few, "--model", model(place), "--shots", "49", "--quiet", sets=DETECTOR)
    for ranks in (1, 2) if MPIRUN else (1,):
        done = subprocess.run(command("reconstruct", "--out", few + "-job", os.path.join(few, "particles.emc"), ranks=ranks),
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        lines = [line for line in done.stderr.split("\n") if line.startswith("firstlight-engine")]
        check(done.returncode == 2 and len(lines) == 1 and "49 patterns of a particle, expected 50 at least" in lines[0]
              and not os.path.exists(few + "-job"), f"too few patterns, {ranks} ranks", done)


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
    atoms, patterns = model(place), []
    for seed, shots in (1, 300), (2, 150):
        run("simulate-spi", "--out", os.path.join(place, f"data{seed}"), "--model", atoms, "--shots", str(shots), "--quiet",
            sets=[*DETECTOR, f"simulate_spi.seed={seed}"])
        patterns.append(os.path.join(place, f"data{seed}", f"run{seed}.emc"))  # shots are told by the names of files
        os.rename(os.path.join(place, f"data{seed}", "particles.emc"), patterns[-1])
    first = os.path.join(place, "first")
    run("reconstruct", "--out", first, patterns[0])
    test_same_result(place, first, patterns, atoms)
    test_ranks(place, first, patterns)
    test_hand(place, first, patterns)
    test_taken_up(place, first, patterns)
    test_not_started_from(place, first, patterns)
    test_too_few(place)
print(f"1..{number}")
