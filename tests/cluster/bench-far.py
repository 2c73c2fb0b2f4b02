"""How long far jobs take us beyond what Slurm and the link take, and what an image costs over a link of 40 ms.

bench-far.py CONTROL ENGINE FAKE-ENGINE SHIM GUI MPIRUN [BENCH…]"""
import glob
import os
import re
import shlex
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import cluster
from far import DONE, QUEUED, Far
from stock import kernels

CONTROL, ENGINE, FAKE, SHIM, GUI, MPIRUN = sys.argv[1:7]
c = cluster.Cluster(nodes=2, cpus=4, accounting=not cluster.missing(accounting=True))
TRIES = 5


def median(values, unit="s"):
    return f"{statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f}, {len(values)} times)"


def frames(path, kind=1):
    """Times (s) at which frames of a kind were written to a journal; shots by default."""
    data, at, times = open(path, "rb").read(), 0, []
    while at + 40 <= len(data):
        magic, length, _, frame_kind, _, _, rows, _, when = struct.unpack_from("<IIIHHIIQQ", data, at)
        if magic != 0x314A4C46:
            break
        if frame_kind == kind and rows:
            times.append(when / 1e9)
        at += 40 + length
    return times


def first_shot(folder):
    times = [t for path in glob.glob(f"{folder}/**/journal-*", recursive=True) for t in frames(path)]
    return min(times) if times else None


def bench_latency():
    """Twenty shots of 50 ms. Bare: sbatch on the site of a script that runs the engine, from the call on."""
    bare_first, bare_done = [], []
    for i in range(TRIES):
        data, out = f"{c.scratch}/bare-{i}.cxi", f"{c.scratch}/bare-{i}"
        c.write(data, "20")
        c.run(["mkdir", out])
        begun = time.time()
        c.sbatch("--wait", "--export=ALL,FAKE_SHOT_MS=50", "--wrap", f"{fake} stills --out {out} --attempt 1 {data}")
        bare_first.append(first_shot(out) - begun)
        bare_done.append(os.stat(glob.glob(f"{out}/*/journal-*")[0]).st_mtime - begun)
    with Far(c, CONTROL, fake, shot_ms=50) as e:
        e.conduct("--interval", "1")
        e.wait_for("SELECT 1 FROM worker WHERE name = 'link:far' AND state = 'up'")
        first_there, first_here, done_there, done_here, planned = [], [], [], [], []
        for i in range(TRIES):
            e.add_run(f"r{i + 1:04d}", 20)
            begun = time.time()
            (job, created), = e.wait_for("SELECT id, created FROM job WHERE id = ?", i + 1)
            e.wait_for("SELECT 1 FROM slice WHERE job = ? AND kind = 1", job)
            here, wanted = time.time(), created / 1e9
            planned.append(wanted - begun)
            first_here.append(here - wanted)
            first_there.append(first_shot(e.job_folder(job)) - wanted)
            e.wait_for("SELECT 1 FROM job WHERE id = ? AND state = ?", job, DONE)
            done_here.append(time.time() - wanted)
            done_there.append(os.stat(glob.glob(f"{e.job_folder(job)}/*/journal-*")[0]).st_mtime - wanted)
    print(f"bare sbatch to first shot on disk      {median(bare_first)}")
    print(f"bare sbatch to last shot on disk       {median(bare_done)}")
    print(f"run's last byte to job planned         {median(planned)}   (of which 0.3 s the run must be quiet)")
    print(f"job planned to first shot on disk      {median(first_there)}")
    print(f"job planned to first shot in the store {median(first_here)}")
    print(f"job planned to last shot on disk       {median(done_there)}")
    print(f"job planned to done in the store       {median(done_here)}")
    print(f"=> added: {statistics.median(first_here) - statistics.median(bare_first):.2f} s to the first shot, "
          f"{statistics.median(done_here) - statistics.median(bare_done):.2f} s to done")


def bench_poll(jobs=1000):
    """Commands that one poll takes with a thousand jobs in the queue."""
    for node in c.nodes:
        c.drain(node)
    with Far(c, CONTROL, fake) as e:
        script = f"cd {shlex.quote(e.far_raw)} && for i in $(seq 1001 {1000 + jobs}); do mkdir r$i && echo 1 > r$i/a.cxi; done"
        c.run(["sh", "-c", script])
        begun = time.time()
        e.conduct("--interval", "1")
        e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = ?", QUEUED, jobs, seconds=900)
        print(f"{jobs} runs found to {jobs} jobs queued: {time.time() - begun:.1f} s")
        c.count("squeue", "sacct", "sbatch", "scontrol", "sinfo", "scancel")
        polls = "SELECT last_success FROM worker WHERE name = 'poll:far'"
        before, sessions, link, seen = e.query(polls), c.sessions(), c.link.bytes(), set()
        begun = time.time()
        while time.time() - begun < 60:
            seen.update(e.query(polls))
            time.sleep(0.05)
        n = len(seen - set(before))
        calls = [line.split()[0] for line in c.calls()]
        bytes_down = c.link.bytes()[1] - link[1]
        print(f"60 s: {n} polls, {len(calls)} commands of Slurm ({', '.join(f'{calls.count(x)} {x}' for x in sorted(set(calls)))}), "
              f"{c.sessions() - sessions} sessions of sshd; {bytes_down / max(n, 1) / 1024:.0f} KiB a poll over the link")
        for command in ("squeue", "sacct", "sbatch", "scontrol", "sinfo", "scancel"):
            c.unwrap(command)
        e.end(e.conductor)
        c.run(["scancel", "--user", c.user])
    for node in c.nodes:
        c.resume(node)


def bench_lag():
    """How far the store is behind the compute node's journal, which is written a shot at a time, over a link of 40 ms."""
    c.link.delay(0.02)
    with Far(c, CONTROL, fake, shot_ms=50) as e:
        e.add_run("r0001", 600)
        e.conduct("--interval", "1")
        e.wait_for("SELECT 1 FROM slice WHERE kind = 1")
        lags = []
        while not e.query("SELECT 1 FROM job WHERE state = ?", DONE):
            counted = int(e.query("SELECT total(shots) FROM slice WHERE kind = 1")[0][0])
            times = [t for path in glob.glob(f"{e.job_folder(1)}/**/journal-*", recursive=True) for t in frames(path)]
            if counted < len(times) < 600:
                lags.append(time.time() - times[counted])
            time.sleep(0.1)
        lags.sort()
    c.link.delay(0)
    print(f"lag of the store behind the node: median {statistics.median(lags):.2f} s, 95 % {lags[int(len(lags) * 0.95)]:.2f} s, "
          f"most {lags[-1]:.2f} s")


def bench_ranks(ranks=64):
    """mpirun of so many ranks on this machine, to the first shot in a journal."""
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:
        subprocess.run([ENGINE, "simulate-sfx", "--out", f"{folder}/raw", "--runs", "1", "--shots", str(2 * ranks), "--quiet"],
                       check=True)
        times = []
        for i in range(3):
            out, begun = f"{folder}/out-{i}", time.time()
            subprocess.run([MPIRUN, "-n", str(ranks), ENGINE, "stills", "--stages", "spots", "--out", out, "--set",
                            f"detector.geometry={folder}/raw/detector.geom", f"{folder}/raw/r0001"], check=True,
                           stdout=subprocess.DEVNULL)
            times.append(first_shot(out) - begun)
    print(f"mpirun -n {ranks} stills to the first shot: {median(times)} on {os.cpu_count()} cores")


benches = [bench_latency, bench_poll, bench_lag, bench_ranks]
if cluster.missing():
    print(f"skipped: {cluster.missing()}")
    sys.exit(0)
with c:
    fake = c.install(FAKE)
    for bench in benches:
        if len(sys.argv) < 8 or bench.__name__ in sys.argv[7:]:
            print(f"--- {bench.__name__}: {bench.__doc__}", flush=True)
            bench()
