"""stills on a device with memory of its own, the test double of a GPU: what it finds and journals is what a CPU does, the next
shot is read while the device has one, a device that fails or has too little memory. With DEVICE: results alone, on the GPU of
this machine.

test-stills-device.py ENGINE JOB_SHOTS SHIM MPIRUN MODULES [DEVICE]"""
import os, shutil, sys, tempfile

import stills_job as job

job.setup(sys.argv[:5])
modules, real = (sys.argv + [""])[5:7]
check = job.Tap()
temporary = tempfile.mkdtemp()
doubles = modules if real else os.path.join(temporary, "modules")  # where the double is what "cuda" opens
if not real:
    os.mkdir(doubles)
    for name in os.listdir(modules):
        if name.startswith("flk-cpu-") and name.endswith(".so"):
            os.symlink(os.path.join(modules, name), os.path.join(doubles, name))
    os.symlink(os.path.join(modules, "flk-teams.so"), os.path.join(doubles, "flk-cuda.so"))

FRAMES = 7
shots, geometry, hits = job.write_shots(temporary, "shots.h5", FRAMES)
cell = ["indexing.unit_cell=79,79,38,90,90,90", "indexing.min_spots=4"]


def run(name, device=real or "cuda", sets=(), ranks=0, extra=(), **env):
    out = os.path.join(temporary, name)
    status, last, err = job.run(out, [shots], geometry, ranks=ranks, sets=[f"engine.device={device}", *sets], extra=extra,
                                env=dict(env, FIRSTLIGHT_KERNELS=doubles))
    return out, status, last, err


def same(a, b):
    return job.same(job.table(a), job.table(b)) and [r[1:] for r in job.journalled(a)] == [r[1:] for r in job.journalled(b)]


if real:
    status, last, err = run("opens")[1:]
    if "engine.device: no device" in err:
        print("1..0 # SKIP", next(line for line in err.splitlines() if "engine.device: no device" in line))
        sys.exit(0)
    for algorithm in "dispersion", "dispersion_extended", "adaptive", "peakfinder8", "radial_profile":
        sets = [f"spots.algorithm={algorithm}"]
        plain = run(algorithm + "-cpu", "cpu", sets)[0]
        out, status, last, err = run(algorithm, sets=sets)
        check(f"{real}, {algorithm}: table and journal are the CPU's: {last}", status == 0 and same(plain, out), err)
    check.end()
    sys.exit(0)

# Results, and what happens meanwhile. (Only the adaptive finder waits for the device between its steps.)
plain = {}
for algorithm in "dispersion_extended", "adaptive":
    sets = [f"spots.algorithm={algorithm}"]
    trace = os.path.join(temporary, algorithm + ".trace")
    plain[algorithm] = run(algorithm + "-cpu", "cpu", sets)[0]
    out, status, last, err = run(algorithm, sets=sets, LD_PRELOAD=job.SHIM, SHIM_TRACE=trace, FIRSTLIGHT_TEAMS_TRACE=trace)
    check(f"{algorithm}: table and journal are the CPU's: {last}", status == 0 and last.startswith(f"{FRAMES} shots")
          and same(plain[algorithm], out), err)
    reads, busy, meanwhile = [], False, 0
    for line in open(trace):
        word, *of = line.split()
        busy = word == "launch" or (busy and word != "wait")
        if word == "read":
            reads.append(int(of[0]))
            meanwhile += busy
    check(f"{algorithm}: {meanwhile} of {len(reads)} shots read while the device had another",
          reads == list(range(FRAMES)) and meanwhile == FRAMES - 1, open(trace).read())

# A launch fails in the middle: one line, all before it is kept, and the shot that it happened to is looked at alone.
out, status, last, err = run("fails", sets=["engine.batch_rows=1"], FIRSTLIGHT_TEAMS_FAIL="18")
done = [r[3] for r in job.journalled(out)]
check(f"the device fails: exit {status}, {len(done)} shots are kept", status != 0 and done == list(range(3))
      and "compute: Input/output error" in err, (done, err))
out, status, last, err = run("fails")
check("the next attempt does the rest", status == 0 and last.startswith(f"{FRAMES} shots")
      and job.same(job.table(out), job.table(plain["dispersion_extended"])), err)

# Too little memory: named, an error; one of any kind, the CPU goes on, from whatever step.
index = ("--stages", "index")
whole = run("index-cpu", "cpu", cell, extra=index)[0]
told = []
for kilobytes in 20, 100, 230, 100000:
    out, status, last, err = run(f"memory-{kilobytes}", "auto", cell, extra=index, FIRSTLIGHT_TEAMS_MEMORY=str(kilobytes * 1000))
    lines = [l for l in err.splitlines() if "cannot allocate" in l and "; it goes on with cpu " in l]
    told.append(len(lines))
    check(f"{kilobytes} kB: {'the CPU goes on' if lines else 'enough'}", status == 0 and len(lines) <= 1 and same(whole, out), err)
check("for spots, for lattices, enough", told == [1, 1, 1, 0], told)
out, status, last, err = run("memory-named", FIRSTLIGHT_TEAMS_MEMORY="16000")
check("a device that was asked for is an error when it is full", status != 0 and "this rank's part of its memory is 16000" in err
      and len(job.journalled(out)) == 0, err)
if job.MPIRUN:
    out, status, last, err = run("shared", "auto", ranks=3, FIRSTLIGHT_TEAMS_MEMORY="150000")
    check("three ranks on one device have a third of its memory each", status == 0 and "rank 1: " in err
          and err.count("this rank's part of its memory is 50000") == err.count("it goes on with cpu ") > 0
          and job.same(job.table(out), job.table(plain["dispersion_extended"])), err)

shutil.rmtree(temporary, ignore_errors=True)
check.end()
