"""The test cluster itself: what the other tests of far jobs stand on.

test-cluster.py ENGINE [--long]"""
import os
import re
import signal
import subprocess
import sys
import time

import cluster
from cluster import Cluster
from stock import kernels, programs
from tap import Skip, main

(ENGINE,) = programs(1)
c = Cluster(nodes=2, cpus=4, greeting="Welcome to the other laboratory")


def test_starts():
    begun = time.monotonic()
    c.start()
    print(f"# up in {time.monotonic() - begun:.2f} s")
    assert c.all_idle() and c.user not in ("root", "")


def test_logs_in():
    said = c.ssh(["sh", "-c", 'id -un; echo "$HOME"; command -v sbatch; echo "a  b\'$(echo c)"']).stdout.splitlines()
    assert said == ["Welcome to the other laboratory", c.user, c.home, "/usr/bin/sbatch", "a  b'c"], said
    c.count("squeue")
    before = c.sessions()
    c.ssh(["squeue", "-h", "-o", "%j\n|"])
    assert c.calls() == ["squeue -h -o %j |"] and c.sessions() == before + 1, (c.calls(), c.sessions())
    c.unwrap("squeue")


def test_mpi_on_two_nodes():
    """MPICH's ranks find each other by pmi2: one job of two ranks, not two of one."""
    engine = c.install(ENGINE, *kernels(ENGINE))
    c.run([engine, "simulate-sfx", "--out", c.scratch + "/raw", "--runs", "1", "--shots", "12", "--quiet"])
    job = c.sbatch("-N", "2", "-J", "stills", "--wait", "--wrap",
                   f"srun --mpi=pmi2 -n 2 {engine} stills --stages spots --out {c.scratch}/stills --set detector.geometry="
                   f"{c.scratch}/raw/detector.geom {c.scratch}/raw/r0001")
    said = open(f"{c.scratch}/slurm-{job}.out").read()
    assert re.search(r"^12 shots, \d+ hits", said.splitlines()[-1]), said
    assert c.jobs()[str(job), "stills"] == "COMPLETED"
    wrote = [name for _, _, names in os.walk(c.scratch + "/stills") for name in names if name.startswith("journal-")]
    assert wrote, said


def test_preempted_and_requeued():
    job = c.sbatch("-N", "2", "--exclusive", "-J", "victim", "--open-mode=append", "-o", c.scratch + "/victim", "--wrap",
                   "echo begins ${SLURM_RESTART_COUNT:-0}; [ ${SLURM_RESTART_COUNT:-0} = 1 ] || sleep 100")
    c.wait_for(lambda: os.path.exists(c.scratch + "/victim") and open(c.scratch + "/victim").read(), 30, "victim runs")
    c.sbatch("-N", "2", "--exclusive", "-p", "urgent", "--wait", "--wrap", "true")
    c.wait_for(lambda: c.state(job) == "COMPLETED", 90, "victim ends")
    said = open(c.scratch + "/victim").read()
    assert "begins 0" in said and "begins 1" in said and "PREEMPTION" in said, said
    assert [name for _, name in c.jobs()].count("victim") == 1


def test_slurmctld_restarts():
    job = c.sbatch("-J", "outlives", "--wrap", "sleep 3")
    c.wait_for(lambda: c.state(job) == "RUNNING", 30, "runs")
    c.kill_slurmctld()
    done = c.run(["squeue"], check=False)
    assert done.returncode == 1 and "Unable to contact slurm controller" in done.stderr, done
    c.start_slurmctld()
    c.wait_for(lambda: c.state(job) == "COMPLETED", 60, "outlives it")


def test_node_crashes():
    job = c.sbatch("-J", "moves", "--wrap", "sleep 1000")
    c.wait_for(lambda: c.state(job) == "RUNNING", 30, "runs")
    node = c.squeue("-h", "-j", str(job), "-o", "%N").strip()
    c.wait_for(lambda: c.processes_on(node), 30, "its processes are seen")
    c.crash(node)
    assert not c.processes_on(node)
    c.wait_for(lambda: "Restarts=1" in c.scontrol("show", "job", str(job)), 30, "requeued")
    c.run(["scancel", str(job)])
    c.resume(node)
    c.wait_for(c.all_idle, 60, "both nodes are back")
    c.drain("n1")
    assert "drain" in c.run(["sinfo", "-h", "-n", "n1", "-o", "%T"]).stdout
    c.resume("n1")


def test_link():
    c.link.delay(0.2)
    begun = time.monotonic()
    c.ssh(["true"])
    assert time.monotonic() - begun > 5 * 0.4  # a login takes more round trips than that
    c.link.delay(0)
    up, down = c.link.bytes()
    c.ssh(["head", "-c", "1000000", "/dev/zero"])
    up2, down2 = c.link.bytes()
    assert 1000000 < down2 - down < 1100000 and 500 < up2 - up < 50000, (up2 - up, down2 - down)
    c.link.freeze()
    waits = subprocess.Popen(c.ssh_argv() + ["echo", "back"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        waits.wait(1)
        raise AssertionError("a frozen link carried something")
    except subprocess.TimeoutExpired:
        c.link.thaw()
    assert waits.communicate(timeout=60)[0].splitlines()[-1] == "back"
    waits = subprocess.Popen(c.ssh_argv() + ["echo begun; sleep 100"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
    while waits.stdout.readline() != "begun\n":
        pass
    c.link.cut()
    assert waits.wait(60) == 255, waits.stderr.read()
    waits.communicate()
    c.link.refuse(True)
    assert c.ssh(["true"], check=False).returncode == 255
    c.link.refuse(False)


def test_sshd():
    c.kill_sshd()
    assert c.ssh(["true"], check=False).returncode == 255
    c.start_sshd()
    c.ssh(["true"])
    c.new_host_key()
    refused = c.ssh(["true"], check=False)
    assert refused.returncode == 255 and "REMOTE HOST IDENTIFICATION HAS CHANGED" in refused.stderr, refused


def test_full_disk():
    small = c.small_folder(1)
    if small is None:
        raise Skip("only root may mount")
    done = c.run(["dd", "if=/dev/zero", f"of={small}/a", "bs=1M", "count=3"], check=False)
    assert done.returncode != 0 and "No space left" in done.stderr, done


def test_time_limit():
    if "--long" not in sys.argv:
        raise Skip("a minute at least: with --long")
    job = c.sbatch("-t", "1", "--wrap", "sleep 1000")
    c.wait_for(lambda: c.state(job) == "TIMEOUT", 240, "time is up")


def test_stop():
    """Nothing is left: not a job, not what a job has sent into the background, no folder."""
    mark = f"firstlight-left-{os.getpid()}"
    c.sbatch("--wrap", f"echo > {c.scratch}/up; setsid bash -c 'exec -a {mark} sleep 1000' & sleep 1000")
    c.wait_for(lambda: os.path.exists(c.scratch + "/up") and with_word(mark), 60, "it runs")
    small = [holder.args[4] for holder in c.holders]
    c.stop()
    assert not with_word(mark) and not with_word(c.folder) and not os.path.exists(c.folder)
    assert not any(map(os.path.exists, small))


def test_killed():
    """Nor when the test itself is killed."""
    script = (f"import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r}); import cluster, time; "
              "c = cluster.Cluster().start(); print(c.folder, flush=True); c.sbatch('--wrap', 'sleep 1000'); time.sleep(1000)")
    victim = subprocess.Popen([sys.executable, "-B", "-c", script], stdout=subprocess.PIPE, text=True)
    folder = victim.stdout.readline().strip()
    assert os.path.isdir(folder)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    until = time.monotonic() + 60
    while (os.path.exists(folder) or with_word(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not os.path.exists(folder) and not with_word(folder)


def test_accounting():
    if cluster.missing(accounting=True):
        raise Skip(cluster.missing(accounting=True))
    begun = time.monotonic()
    with Cluster(nodes=2, accounting=True) as full:
        print(f"# up in {time.monotonic() - begun:.2f} s")
        job = full.sbatch("-J", "counted", "--qos", "realtime", "--wait", "--wrap", "true")
        full.wait_for(lambda: "COMPLETED" in full.sacct("-X", "-n", "-P", "-j", str(job), "-o", "State,QOS"), 60, "sacct knows")
        assert full.jobs() == {(str(job), "counted"): "COMPLETED"}, full.jobs()
        folder = full.folder
    assert not with_word(folder) and not os.path.exists(folder)


def with_word(word):
    """Processes other than us with it in their command line or environment."""
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            text = open(f"/proc/{pid}/cmdline", "rb").read() + open(f"/proc/{pid}/environ", "rb").read()
        except OSError:
            continue
        if word.encode() in text and pid != os.getpid():
            found.append(pid)
    return found


why = cluster.missing()
if why:
    print(f"1..0 # SKIP {why}")
else:
    try:
        main([test_starts, test_logs_in, test_mpi_on_two_nodes, test_preempted_and_requeued, test_slurmctld_restarts,
              test_node_crashes, test_link, test_sshd, test_full_disk, test_time_limit, test_stop, test_killed,
              test_accounting])
    finally:
        c.stop()
