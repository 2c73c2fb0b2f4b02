"""How long far jobs take us beyond what Slurm and the link take, and what an image costs over a link of 40 ms.

bench-far.py CONTROL ENGINE FAKE-ENGINE GUI MPIRUN [BENCH…]"""
import glob
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import cluster
from far import DONE, QUEUED, Far
from stock import kernels, programs

CONTROL, ENGINE, FAKE, GUI, MPIRUN = programs(5)
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
        c.run(["sh", "-c", f"cd {e.far_raw} && for i in $(seq 1001 {1000 + jobs}); do mkdir r$i && echo 1 > r$i/a.cxi; done"])
        begun = time.time()
        e.conduct("--interval", "1")
        e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = ?", QUEUED, jobs, seconds=900)
        print(f"{jobs} runs found to {jobs} jobs queued: {time.time() - begun:.1f} s")
        c.count("squeue", "sacct", "sbatch", "scontrol", "sinfo", "scancel")
        for watched in (1, 0):
            e.set("watch", "active", watched)
            time.sleep(8)  # what was under way
            calls, sessions, link = len(c.calls()), c.sessions(), c.link.bytes()
            time.sleep(30)
            kinds = [line.split()[0] for line in c.calls()[calls:]]
            polls = max(kinds.count("squeue"), 1)
            said = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
            print(f"30 s, {'and looking for new runs' if watched else 'jobs alone'}: {polls} polls: {said}; "
                  f"{c.sessions() - sessions} sessions of sshd, {(c.link.bytes()[1] - link[1]) / polls / 1024:.0f} KiB a poll")
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
    print(f"lag of the store behind the node: median {statistics.median(lags):.2f} s, "
          f"95 % {lags[int(len(lags) * 0.95)]:.2f} s, most {lags[-1]:.2f} s")


def bench_ranks(ranks=64):
    """mpirun of so many ranks on this machine, to the first shot in a journal."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True, prefix="fl-") as folder:
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


def beamtime():
    """A small experiment that lies at the site, with its jobs done there: (folder of the programs, experiment, raw files)."""
    engine = c.install(ENGINE, CONTROL, GUI, *kernels(ENGINE))
    raw, experiment, programs = f"{c.scratch}/raw", f"{c.scratch}/experiment", os.path.dirname(engine)
    if not os.path.exists(experiment):
        c.run([engine, "simulate-sfx", "--out", raw, "--runs", "1", "--shots", "24", "--quiet"])
        block = c.write("site/block.params", f"[detector]\ngeometry = {raw}/detector.geom\n")
        c.run([f"{programs}/firstlight-control", "experiment", "--store", experiment, "--watch", raw, "--quiet", "0.1",
               "--trial", "", "--stages", "spots", "--block", block, "--ranks", "1", "--engine", engine])
        c.run([f"{programs}/firstlight-control", "conduct", "--store", experiment, "--until-idle", "--interval", "0.1"],
              timeout=600)
    return programs, experiment, raw


def bench_image():
    """The next image in a view of 960 × 960 over a link of 40 ms: serve at the site, asked through SSH."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "view"))
    import serve_client

    class Far(serve_client.Serve):
        def __init__(self, argv):
            self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.id, self.received, self.far = 0, 0, True

    programs, _, raw = beamtime()
    c.link.delay(0.02)
    serve = Far(c.ssh_argv() + [f"{programs}/firstlight-control serve"])
    serve.ask(serve_client.HELLO, 3)
    times, sizes = [], []
    file, = glob.glob(f"{raw}/r0001/*.cxi")[:1]
    for frame in range(12):
        before, begun = c.link.bytes(), time.time()
        serve.image(file, f"{raw}/detector.geom", frame=frame, width=960, height=960)
        times.append((time.time() - begun) * 1000)
        sizes.append((c.link.bytes()[1] - before[1]) / 1024)
    serve.close()
    c.link.delay(0)
    print(f"image over serve: {median(times[1:], 'ms')}, {median(sizes[1:], 'KiB')}")


def bench_x():
    """The same page over ssh -X and the same link: the control room runs at the site, the display is here."""
    if not GUI or not all(map(shutil.which, ("Xvfb", "xdotool", "xauth"))):
        print("skipped: no control room in this build, or no Xvfb, xdotool, xauth")
        return
    programs, experiment, _ = beamtime()
    screen = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1080x24", "-noreset"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    here = {**os.environ, "DISPLAY": ":" + screen.stdout.readline().strip()}

    def record(seconds):
        rows, begun = [], time.time()
        while time.time() - begun < seconds:
            rows.append((time.time() - begun, c.link.bytes()[1]))
            time.sleep(0.05)
        return rows

    c.link.delay(0.02)
    window = subprocess.Popen(c.ssh_argv("-X") + [f"dbus-run-session -- env GTK_A11Y=none {programs}/firstlight {experiment} "
                                                  "--no-conductor --page images --size 1280x800"], env=here,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        rows = record(30)
        drawn = next(t for t, n in rows if n - rows[0][1] > 0.9 * (rows[-1][1] - rows[0][1]))
        print(f"ssh -X: the page is drawn after {drawn:.1f} s and {(rows[-1][1] - rows[0][1]) / 1048576:.1f} MiB")
        shown = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "."], env=here, capture_output=True, text=True)
        subprocess.run(["xdotool", "windowfocus", shown.stdout.split()[-1]], env=here, check=True)
        times, sizes = [], []
        for _ in range(5):
            idle = record(5)
            rate = (idle[-1][1] - idle[0][1]) / 5
            subprocess.run(["xdotool", "key", "Page_Down"], env=here, check=True)
            rows = record(8)
            burst = rows[-1][1] - rows[0][1] - 8 * rate
            times.append(next(t for t, n in rows if n - rows[0][1] - t * rate >= 0.95 * burst))
            sizes.append(burst / 1024)
        print(f"ssh -X: next image {median(times)}, {median(sizes, 'KiB')}; the page alone {rate / 1024:.0f} KiB/s")
    finally:
        window.terminate()
        window.wait()
        screen.terminate()
        screen.wait()
        c.link.delay(0)


benches = [bench_latency, bench_poll, bench_lag, bench_ranks, bench_image, bench_x]
if cluster.missing():
    print(f"skipped: {cluster.missing()}")
    sys.exit(0)
with c:
    fake = c.install(FAKE)
    for bench in benches:
        if len(sys.argv) < 7 or bench.__name__ in sys.argv[6:]:
            print(f"--- {bench.__name__}: {bench.__doc__}", flush=True)
            bench()
