"""stills: the same tables on any number of ranks, attempts that go on, stops, wrong and damaged inputs.

test-stills.py ENGINE JOB_SHOTS SHIM [MPIRUN]"""
import os, shutil, signal, subprocess, sys, tempfile, time

import stills_job as job
from stills_job import run, table

job.setup(sys.argv)
check = job.Tap()
ranks_tried = (1, 2, 5) if job.MPIRUN else (1,)
temporary = tempfile.mkdtemp()


def place(name):
    return os.path.join(temporary, name)


one, geometry, hits_one = job.write_shots(temporary, "one.h5", 61)
two, _, hits_two = job.write_shots(temporary, "two.h5", 24, first_seed=1)

# Ranks.
tables = {}
for ranks in ranks_tried:
    status, last, err = run(place(f"ranks{ranks}"), [one, two], geometry, ranks=ranks, sets=["engine.segment_shots=10"])
    tables[ranks] = table(place(f"ranks{ranks}"))
    check(f"{ranks} ranks: {last}", status == 0 and last == f"85 shots, {hits_one + hits_two} hits, 0 indexed, 0 lattices", err)
    check(f"{ranks} ranks: the table is that of one rank", job.same(tables[1], tables[ranks]))
shots, spots = tables[1]
check("shots are sorted by source and frame",
      list(zip(shots["source"], shots["frame"])) == [(0, i) for i in range(61)] + [(1, i) for i in range(24)])
expected = [(6 + f % 5 if f % 2 == 0 else 0) for n in (61, 24) for f in range(n)]
check("as many spots as were put there", list(shots["spots"]) == expected)
check("spots' centroids where they were put", abs(spots["fs"][:4] - [9.5, 31.5, 53.5, 75.5]).max() < 0.2
      and abs(spots["ss"][:4] - 9.5).max() < 0.2, spots["fs"][:4])

# A second attempt has nothing to do, a third takes up what is new.
status, last, err = run(place("ranks1"), [one, two], geometry)
rows = job.journalled(place("ranks1"))
check("an attempt after the last shot does nothing and says the same",
      status == 0 and last.startswith("85 shots") and len(rows) == 85 and job.same(table(place("ranks1")), tables[1]), err)
more, _, hits_more = job.write_shots(temporary, "three.h5", 7, first_seed=2)
status, last, err = run(place("ranks1"), [one, two, more], geometry)
rows = job.journalled(place("ranks1"))
check("new files of a job are taken up alone",
      status == 0 and last.startswith("92 shots") and len(rows) == 92 and sum(r[0] == 3 for r in rows) == 7, err)
status, last, err = run(place("ranks1"), [one], geometry, sets=["spots.sigma_strong=4"])
check("other parameters in one job are refused", status == 2 and "spots.sigma_strong was '3'" in err, err)

# A fraction of the shots, the same ones whatever lies beside them; then more, then all.
taken = {}
for out, inputs, fractions in ("thin", [one, two], ("0.2", "0.5", "1")), ("thin-one", [one], ("0.2",)):
    for fraction in fractions:
        status, last, err = run(place(out), inputs, geometry, extra=["--fraction", fraction])
        taken[out, fraction] = {row[1] for row in job.journalled(place(out))}
        check(f"a fraction of {fraction}: {last}", status == 0 and last.startswith(f"{len(taken[out, fraction])} shots"), err)
check("a larger fraction goes on with a smaller one", 5 <= len(taken["thin", "0.2"]) < len(taken["thin", "0.5"]) < 60
      and taken["thin", "0.2"] < taken["thin", "0.5"] and len(job.journalled(place("thin"))) == 85)
check("which shots does not depend on the others", taken["thin-one", "0.2"] < taken["thin", "0.2"])
check("all is what it is without fractions", job.same(table(place("thin")), tables[1]))
status, last, err = run(place("thin"), [one], geometry, extra=["--fraction", "1.5"])
check("more than all is refused", status == 2 and "--fraction 1.5 is wrong" in err, err)

# Lists and folders.
with open(place("some.lst"), "w") as file:
    file.write("one.h5 //5\none.h5 //3\none.h5 //5\ntwo.h5 //0\n")
status, last, err = run(place("list"), [place("some.lst")], geometry)
check("a list's frames, each once", last.startswith("3 shots") and [r[3] for r in sorted(job.journalled(place("list")),
      key=lambda r: r[2:4])] == [3, 5, 0], err)
os.mkdir(place("run"))
shutil.copy(one, place("run"))
shutil.copy(two, place("run"))
shutil.copy(geometry, place("run"))
status, last, err = run(place("folder"), [place("run")], geometry)
check("a folder stands for its data files, in order", status == 0 and job.same(table(place("folder")), tables[1]), err)

# Stop: asked for, said, saved, gone on.
if job.MPIRUN:
    env = dict(os.environ, LD_PRELOAD=job.SHIM, SHIM_SLEEP_US="250000")
    for name, number in ("SIGUSR1", signal.SIGUSR1), ("SIGTERM", signal.SIGTERM):
        out = place("stop" + name)
        process = subprocess.Popen(job.command(out, [one, two], geometry, ranks=2), env=env, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        # To one rank, as a batch system does it; mpirun's own handling of signals is not ours.
        journal, pids = "", []
        while len(pids) < 2:
            time.sleep(0.02)
            pids = subprocess.run(["pgrep", "-P", subprocess.run(["pgrep", "-P", str(process.pid)], stdout=subprocess.PIPE,
                                  text=True).stdout.strip() or "1", "-f", out], stdout=subprocess.PIPE, text=True).stdout.split()
        while process.poll() is None and not job.journalled(out):
            time.sleep(0.02)
        os.kill(int(pids[-1]), number)
        stdout, stderr = process.communicate(timeout=60)
        done = len(job.journalled(out))
        check(f"{name} to one rank: {done} of 85 saved, exit 75", process.returncode == 75 and 0 < done < 85
              and "asked to stop" in stderr and stdout.split("\n")[-2].startswith(f"{done} shots"), stderr)
        status, last, err = run(out, [one, two], geometry, ranks=2)
        rows = job.journalled(out)
        check("the next attempt does the rest", status == 0 and last.startswith("85 shots") and len(rows) == 85
              and sum(r[0] == 2 for r in rows) == 85 - done and job.same(table(out), tables[1]), err)

# A shot that ends its rank: suspect once, set aside twice, listed, tried again when asked.
if job.MPIRUN:
    for number in ("9", "11"):
        out = place("killer" + number)
        env = dict(LD_PRELOAD=job.SHIM, SHIM_KILL_FRAME="20", SHIM_KILL_SIGNAL=number, SHIM_SLEEP_US="2000")
        first = run(out, [one], geometry, ranks=3, env=env)[0]
        second = run(out, [one], geometry, ranks=3, env=env)[0]
        status, last, err = run(out, [one], geometry, ranks=3, env=env)
        rows = job.journalled(out)
        aside = [r[3] for r in rows if r[4] == "aside"]
        check(f"a shot that kills its rank (signal {number}) twice is set aside and listed", first != 0 and second != 0
              and status == 0 and aside == [20] and f"set aside: {one} frame 20" in err and last.startswith("61 shots")
              and sorted(r[3] for r in rows) == list(range(61)), (first, second, status, last, err))
        status, last, err = run(out, [one], geometry, ranks=3)
        check("it stays so, and stays listed", status == 0 and f"set aside: {one} frame 20" in err and last.startswith("61 shots"))
        status, last, err = run(out, [one], geometry, ranks=1, extra=["--retry-set-aside"])
        check("it is tried again when asked for", status == 0 and "set aside" not in err
              and last == f"61 shots, {hits_one} hits, 0 indexed, 0 lattices", err)

# Wrong and damaged inputs: one line each, exit 2.
whole = open(one, "rb").read()
for name, content, what in (("cut.h5", whole[:len(whole) // 2], "cut.h5"), ("empty.h5", b"", "empty.h5"),
                            ("text.cbf", b"hello\n", "text.cbf")):
    with open(place(name), "wb") as file:
        file.write(content)
    status, last, err = run(place("bad-" + name), [place(name), two], geometry, ranks=ranks_tried[-1])
    lines = [l for l in err.splitlines() if what in l]
    check(f"{name}: one line, exit 2, the others processed", status == 2 and len(lines) == 1 and last.startswith("24 shots"), err)
damaged = bytearray(whole)
for position in range(len(whole) // 2, len(whole) // 2 + 4000):
    damaged[position] ^= 0x5a
with open(place("damaged.h5"), "wb") as file:
    file.write(damaged)
status, last, err = run(place("damaged"), [place("damaged.h5")], geometry)
outcomes = [r[4] for r in job.journalled(place("damaged"))]
check(f"damaged frames fail one by one ({outcomes.count('failed')} of 61), the run goes on",
      status == 0 and last.startswith("61 shots") and 0 < outcomes.count("failed") < 40 and "failed" in err, err)
for name, arguments, words in (
        ("no such file", dict(inputs=[place("absent.h5")]), "absent.h5"),
        ("no such geometry", dict(inputs=[one], geometry=place("absent.geom")), "absent.geom"),
        ("wrong parameter", dict(inputs=[one], geometry=geometry, sets=["spots.sigma_strng=3"]), "sigma_strong"),
        ("wrong value", dict(inputs=[one], geometry=geometry, sets=["spots.kernel=9"]), "1 to 7"),
        ("two files of one name", dict(inputs=[one, place("run")], geometry=geometry), "names of their own"),
        ("no input", dict(inputs=[]), "no input given"),
        ("unknown option", dict(inputs=[one], extra=["--fast"]), "--fast"),
        ("unknown stage", dict(inputs=[one], extra=["--stages", "merge"]), "spots, index or all")):
    status, last, err = run(place("wrong"), ranks=ranks_tried[-1], **arguments)
    lines = [l for l in err.splitlines() if l.startswith("firstlight-engine stills: ")]
    check(f"{name}: one line, exit 2", status == 2 and len(lines) == 1 and words in lines[0], err)

shutil.rmtree(temporary, ignore_errors=True)  # who was killed may still be dying
check.end()
