"""kill -9 of mpirun or a rank at seeded moments: what is journalled is never done again, everything else is, every shot
counts once, and spots of journalled shots can be looked up meanwhile.

test-stills-kill.py ENGINE JOB_SHOTS SHIM MPIRUN [KILLS]"""
import os, random, shutil, signal, subprocess, sys, tempfile, time

import stills_job as job

job.setup(sys.argv[:5])
kills = int(sys.argv[5]) if len(sys.argv) > 5 else 20
check = job.Tap()
if not job.MPIRUN:
    print("1..0 # SKIP built without MPI")
    sys.exit(0)
temporary = tempfile.mkdtemp()
out = os.path.join(temporary, "job")
frames = 900
path, geometry, hits = job.write_shots(temporary, "shots.h5", frames)
reference = os.path.join(temporary, "reference")
job.run(reference, [path], geometry)
generator = random.Random(20261121)
sets = ["engine.batch_rows=4", "engine.segment_shots=25"]
env = dict(os.environ, LD_PRELOAD=job.SHIM, SHIM_SLEEP_US="25000")


def children(pid):
    found = []
    for child in subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split():
        found += [int(child)] + children(int(child))
    return found


def gone(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


once, looked, wrong, victims, finished, slow = True, 0, [], [], 0, 0
done = 0
for k in range(kills):
    process = subprocess.Popen(job.command(out, [path], geometry, ranks=3, sets=sets), env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    begin = time.monotonic()
    # Moments are counted from the first journal entry of the attempt, so that slow starts do not make them all alike.
    folder = os.path.join(out, f"attempt-{k + 1:04d}")
    while process.poll() is None and not (os.path.isdir(folder) and any(n.startswith("journal") for n in os.listdir(folder))):
        time.sleep(0.01)
    time.sleep(generator.uniform(0.0, 0.6))
    tree = children(process.pid)
    ranks = [p for p in tree if "stills" in open(f"/proc/{p}/cmdline").read() and "proxy" not in open(f"/proc/{p}/comm").read()] \
        if all(os.path.exists(f"/proc/{p}") for p in tree) else []
    victim = generator.choice(["mpirun", "rank"])
    ids = [r[1] for r in job.journalled(out)]
    if ids:  # meanwhile
        some = generator.sample(ids, min(8, len(ids)))
        found = job.looked_up(out, some)
        truth = {r[1]: r[5] for r in job.journalled(out)}
        wrong += [i for i, n in zip(some, found) if n != str(truth[i])]
        looked += len(some)
    if process.poll() is None:
        os.kill(process.pid if victim == "mpirun" or not ranks else generator.choice(ranks), signal.SIGKILL)
        victims.append(victim)
    else:
        finished += 1
    process.communicate(timeout=60)
    # The next attempt waits for ranks that outlive mpirun by itself; that they end soon is worth knowing.
    until = time.monotonic() + 20
    while not all(gone(p) for p in tree) and time.monotonic() < until:
        time.sleep(0.02)
    slow += not all(gone(p) for p in tree)
    rows = job.journalled(out)
    once = once and len({r[1] for r in rows}) == len(rows) and len(rows) >= done
    done = len(rows)

check(f"{len(victims)} kills ({victims.count('mpirun')} of mpirun, {finished} attempts were done before): "
      f"{done} of {frames} shots journalled, none twice", once and len(victims) >= kills // 2)
check("no rank outlived its attempt for long", slow == 0)
check(f"spots of {looked} journalled shots looked up meanwhile", looked > 0 and not wrong, wrong)
before = {r[1] for r in job.journalled(out)}
status, last, err = job.run(out, [path], geometry, ranks=2, sets=sets)
rows = job.journalled(out)
after = {r[1] for r in rows if r[0] == kills + 1}
aside = [r[3] for r in rows if r[4] == "aside"]
check(f"the last attempt does exactly what was missing ({len(after)}; {len(aside)} set aside in all)", status == 0
      and not (before & after) and len(rows) == frames == len({r[1] for r in rows}), err)
if aside:
    check("what was set aside is listed", all(f"set aside: {path} frame {f}" in err for f in aside), err)
    status, last, err = job.run(out, [path], geometry, sets=sets, extra=["--retry-set-aside"])
check(f"every shot counts once: {last}", status == 0 and last == f"{frames} shots, {hits} hits, 0 indexed, 0 lattices", err)
check("the table is that of an undisturbed job", job.same(job.table(out), job.table(reference)))
shutil.rmtree(temporary, ignore_errors=True)  # who was killed may still be dying
check.end()
