"""The Slurm driver against the real thing, on this machine: submitted once whatever is lost, found again, ended as it says.

test-slurm.py PROBE ENGINE TESTS [--long]"""
import functools
import os
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, sys.argv[3] + "/cluster")
import cluster
from tap import Skip, main

PROBE, ENGINE = map(os.path.abspath, sys.argv[1:3])
LONG = "--long" in sys.argv
NAMES = "name state cause exit id restarts nodes n_nodes started ended expected batch_state batch_reason out err".split()

# Does what the engine does when it is told to save.
PROGRAM = """#!/bin/bash
trap 'echo saved >&2; exit 75' USR1 TERM
[ "${SLURM_PROCID:-0}" != 0 ] || { echo begun; echo "$SLURM_JOB_ID" >> begins; }
for i in $(seq $(($1 * 20))); do sleep 0.05; done
exit ${2:-0}
"""


class Driver:
    """slurm-probe, as the site's user."""

    def __init__(self, c):
        self.c = c
        self.process = subprocess.Popen([c.install(PROBE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=c.scratch,
                                        env={**c.site_environment, **sanitizer()}, **c.dropped())

    def reset(self):
        self.ask("site ranks=1 nodes=0 gpus=0 minutes=5 broadcast=0 launcher=srun partition= engine= environment=")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        rows = []
        while True:
            row = self.process.stdout.readline()
            assert row, f"slurm-probe has ended at '{line}'"
            if row == ".\n":
                return rows
            rows.append(row.rstrip("\n").split("\t"))

    def add(self, name, command, *options, folder=None):
        folder = folder or f"{self.c.scratch}/{name}"
        self.ask("add " + " ".join([name, urllib.parse.quote(folder), urllib.parse.quote(command), *options]))
        return folder

    def many(self, verb, names):
        rows = self.ask(" ".join([verb, *names]))
        errors = [row[2] for row in rows if row[0] == "error"]
        self.ms = next((float(row[1]) for row in rows if row[0] == "ms"), None)
        return [dict(zip(NAMES, row)) for row in rows if len(row) == len(NAMES)] if not errors else errors[0]

    def submit(self, *names):
        return self.many("submit", names)

    def poll(self, *names):
        return self.many("poll", names)

    def one(self, name):
        answer = self.poll(name)
        assert isinstance(answer, list), answer
        return answer[0]

    def until(self, name, state, seconds=30):
        return self.c.wait_for(lambda: (lambda s: s if s["state"] == state else None)(self.one(name)), seconds, f"{name} {state}")

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0


def sanitizer():
    return {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}


c = cluster.Cluster(nodes=2, cpus=4, accounting=LONG)


def program(name="program"):
    return c.write(f"site/{name}", PROGRAM, 0o755)


def names_in_queue(prefix):
    return [name for name in c.squeue("-h", "-a", "-t", "all", "-o", "%j").splitlines() if name.startswith(prefix)]


def begins(folder):
    try:
        return open(folder + "/begins").read().split()
    except FileNotFoundError:
        return []


def test_one_job():
    d.add("one", f"{program()} 1 3")
    begun = time.monotonic()
    status = d.submit("one")[0]
    print(f"# submit {d.ms:.0f} ms")
    assert status["state"] == "queued" and status["id"].isdigit(), status
    assert os.path.exists(c.scratch + "/one/attempt-0001.sh")
    running = d.until("one", "running")
    print(f"# running after {time.monotonic() - begun:.2f} s")
    assert running["nodes"].startswith("n") and running["n_nodes"] == "1" and 0 <= float(running["started"]) < 20, running
    ended = d.until("one", "ended")
    assert (ended["exit"], ended["cause"], ended["id"]) == ("3", "", status["id"]), ended
    assert "begun" in ended["out"] and 0 <= float(ended["ended"]) < 20, ended


def test_submitted_again_is_found():
    again = d.submit("one")[0]
    assert again["state"] == "ended" and again["exit"] == "3", again
    d.ask("forget")
    again = d.submit("one")[0]
    assert again["state"] == "ended" and again["exit"] == "3", again
    assert len(begins(c.scratch + "/one")) == 1
    d.add("queued", f"{program()} 30")
    first = d.submit("queued")[0]
    d.ask("forget")
    again = d.submit("queued")[0]
    assert again["id"] == first["id"] and again["state"] in ("queued", "running"), again
    assert names_in_queue("fl-queued") == ["fl-queued"]


def test_soft_cancel_saves():
    d.until("queued", "running")
    c.wait_for(lambda: begins(c.scratch + "/queued"), 20, "its program runs")
    d.ask("cancel queued soft")
    ended = d.until("queued", "ended")
    assert ended["exit"] == "75" and "saved" in ended["err"] and ended["cause"] == "", ended


def test_hard_cancel():
    d.add("hard", "sleep 60")
    d.submit("hard")
    c.wait_for(lambda: os.path.exists(c.scratch + "/hard/attempt-0001.pid"), 30, "it has begun")
    assert d.ask("cancel hard hard") == []
    ended = d.until("hard", "ended")
    assert ended["cause"] == "cancelled at the site" and ended["batch_state"] == "CANCELLED", ended


def test_array():
    names = [f"a{i}" for i in range(20)]
    for i, name in enumerate(names):
        d.add(name, f"{program()} 0 {i}")
    c.count("sbatch")
    answers = d.submit(*names)
    print(f"# submit of 20: {d.ms:.0f} ms")
    assert len(c.calls()) == 1, c.calls()
    ids = [s["id"] for s in answers]
    assert len({i.split("_")[0] for i in ids}) == 1 and [i.split("_")[1] for i in ids] == [str(i + 1) for i in range(20)], ids
    c.wait_for(lambda: all(s["state"] == "ended" for s in d.poll(*names)), 60, "all ended")
    for i, status in enumerate(d.poll(*names)):
        assert status["exit"] == str(i) and "begun" in status["out"], status
        assert len(begins(f"{c.scratch}/a{i}")) == 1
    d.ask("forget")
    assert [s["exit"] for s in d.submit(*names)] == [str(i) for i in range(20)]
    assert len(c.calls()) == 1
    c.unwrap("sbatch")


def test_lost_answer():
    """sbatch submits, its answer is lost: found by its name, not sent again; one job, and members of arrays in another company."""
    c.wrap("sbatch", '"$REAL" "$@" > /dev/null; exit 1')
    for name in ("l1", "l2", "l3"):
        d.add(name, f"{program()} 2")
    assert isinstance(d.submit("l1"), str) and isinstance(d.submit("l2", "l3"), str)
    c.unwrap("sbatch")
    c.count("sbatch")
    for state in "memory", "forgotten":
        answers = d.submit("l1", "l2", "l3")
        assert all(s["state"] in ("queued", "running") and s["id"] for s in answers), answers
        assert answers[1]["id"].split("_")[1] == "1" and answers[2]["id"].split("_")[1] == "2", answers
        d.ask("forget")
    assert c.calls() == []
    c.unwrap("sbatch")
    for name in ("l1", "l2", "l3"):
        assert d.until(name, "ended")["exit"] == "0"
        assert len(begins(f"{c.scratch}/{name}")) == 1


def test_late_duplicate_does_nothing():
    """Were it submitted twice in spite of all, the second finds the first's mark."""
    folder = d.add("twice", f"{program()} 1")
    d.submit("twice")
    c.sbatch("--wait", "-D", folder, folder + "/attempt-0001.sh")
    assert d.until("twice", "ended")["exit"] == "0"
    assert len(begins(folder)) == 1


def test_withdrawn_never_starts():
    """Cancelled before its submission has come through: whatever comes later does nothing."""
    folder = d.add("late", f"{program()} 1")
    d.ask("cancel late soft")
    lost = d.one("late")
    assert (lost["state"], lost["id"]) == ("lost", ""), lost
    assert d.submit("late")[0]["state"] == "lost" and names_in_queue("fl-late") == []
    d.add("late2", "sleep 100")
    d.add("late3", "sleep 100", "nodes=2")
    d.ask("site nodes=2 ranks=4")
    d.submit("late2")
    c.wait_for(lambda: os.path.exists(c.scratch + "/late2/attempt-0001.pid"), 30, "it has begun")
    d.submit("late3")
    waits = d.one("late3")
    assert waits["state"] == "queued" and waits["batch_reason"] in ("Resources", "Priority", ""), waits
    d.ask("forget")
    d.ask("cancel late3 soft")
    assert d.one("late3")["state"] == "lost"
    assert d.ask("cancel late2 hard") == []
    d.until("late2", "ended")
    assert c.squeue("-h", "-n", "fl-late3") == ""


def test_refused():
    d.add("refused", "true")
    d.ask("site partition=moon")
    status = d.submit("refused")[0]
    assert (status["state"], status["cause"]) == ("ended", "refused") and "partition" in status["batch_reason"], status
    d.ask("site partition=-batch%20--wrap=reboot")
    status = d.submit("refused")[0]
    assert status["cause"] == "refused" and "plain word" in status["batch_reason"], status
    d.ask("site partition=")
    assert d.submit("refused")[0]["state"] == "queued"
    assert d.until("refused", "ended")["exit"] == "0"


def test_hostile_words():
    folder = c.scratch + "/a b'$(touch boom)\n;c"
    d.ask("site environment=export%20X=1")
    d.add("hostile", "printf '%s' '\x1b[31mred$(touch boom)'; head -c 1000000 /dev/zero | tr '\\0' x >&2", folder=folder)
    assert d.submit("hostile")[0]["state"] == "queued"
    ended = d.until("hostile", "ended")
    assert ended["exit"] == "0" and "$(touch boom)" in ended["out"] and "\\033" not in ended["out"], ended
    assert not any("boom" in files for _, _, files in os.walk(c.folder))


def test_slurmctld_down():
    d.add("down", "true")
    c.kill_slurmctld()
    try:
        for verb in d.poll, d.submit:
            answer = verb("down")
            assert isinstance(answer, str) and "lurm" in answer, answer
    finally:
        c.start_slurmctld()
    c.wait_for(lambda: isinstance(d.submit("down"), list), 20, "submitted")
    assert d.until("down", "ended")["exit"] == "0"
    assert names_in_queue("fl-down") == ["fl-down"]


def test_node_lost():
    d.add("node", f"{program()} 60")
    d.submit("node")
    node = d.until("node", "running")["nodes"]
    c.wait_for(lambda: begins(c.scratch + "/node"), 20, "its program runs")
    c.crash(node)
    again = d.until("node", "queued")
    assert again["restarts"] == "1" and again["cause"] == "node failure", again
    c.resume(node)
    running = d.until("node", "running", 60)
    assert running["restarts"] == "1", running
    d.ask("cancel node hard")
    d.until("node", "ended")


def test_thousand_queued():
    """Two commands a poll at most, however many."""
    names = [f"k{i}" for i in range(1000)]
    for name in names:
        d.add(name, "true")
    c.drain("n1"), c.drain("n2")
    before = time.monotonic()
    answers = d.submit(*names)
    print(f"# submit of 1000: {time.monotonic() - before:.2f} s")
    assert all(s["state"] == "queued" for s in answers)
    d.poll(*names)
    for command in ("squeue", "sacct", "scontrol", "sinfo"):
        c.count(command)
    answers = d.poll(*names)
    print(f"# poll of 1000: {d.ms:.0f} ms, {c.calls()}")
    assert len(answers) == 1000 and all(s["state"] == "queued" and s["batch_reason"] for s in answers), answers[0]
    assert len(c.calls()) <= 2, c.calls()
    for command in ("squeue", "sacct", "scontrol", "sinfo"):
        c.unwrap(command)
    c.run(["scancel", "--me"])
    c.resume("n1"), c.resume("n2")
    c.wait_for(c.all_idle, 30, "nodes are back")
    ended = d.poll(*names)
    assert all(s["state"] == "ended" and s["cause"] == "cancelled at the site" for s in ended), ended[0]


def test_probe():
    c.wait_for(c.all_idle, 30, "nodes are idle")
    cores, idle, busy, down, pending, line = d.ask("probe")[0]
    assert (cores, idle, busy, down, pending) == ("4", "2", "0", "0", "0") and "2 of 2 nodes idle" in line, line


def steps(scratch, push=""):
    rows = d.ask(f"steps {scratch} {push}".strip())
    print("".join(f"# {row[0]}: {row[1]}: {row[3]}{'; ' if row[4] else ''}{row[4]} ({row[2]} s)\n" for row in rows if len(row) == 5), end="")
    found = {row[0]: row for row in rows if len(row) == 5 and row[1] != "running"}
    return {name: row[1] for name, row in found.items()}, found, next(row[1] for row in rows if row[0] == "engine" and len(row) == 2)


def test_steps():
    """A site that works: the engine is put there, finds its other rank on another node."""
    d.ask("site launcher=")
    state, found, engine = steps(c.scratch + "/new", ENGINE)
    assert state == {"scheduler": "ok", "account": "ok", "scratch": "ok", "engine": "ok", "mpi": "ok", "gpu": "skipped"}, found
    assert found["mpi"][3].startswith("2 ranks on 2 nodes"), found["mpi"]
    assert engine == c.scratch + "/new/bin/firstlight-engine" and os.listdir(c.scratch + "/new") == ["bin"]


def test_steps_that_fail():
    d.ask("site partition=moon")
    state, found, _ = steps(c.scratch + "/new")
    assert state["account"] == "failed" and "batch" in found["account"][4] and state["mpi"] == "skipped", found
    d.ask("site partition= gpus=8")
    state, found, _ = steps(c.scratch + "/new")
    assert state["account"] == "failed", found
    d.ask("site gpus=0")
    state, found, _ = steps("/proc/nothing")
    assert state["scratch"] == "failed" and found["scratch"][4] and state["mpi"] == "skipped", found
    d.ask("site engine=/nonexistent")
    state, found, _ = steps(c.scratch + "/new")
    assert state["engine"] == "failed" and found["engine"][4], found
    d.ask(f"site engine={c.scratch}/new/bin/firstlight-engine launcher=srun%20--mpi=none")
    state, found, _ = steps(c.scratch + "/new")
    assert state["mpi"] == "failed" and "pmi2" in found["mpi"][4], found


def test_engine_saves():
    """The engine itself, on two nodes, from the nodes' own disks (that nobody but root's slurmd can write, so by a stand-in): told
    to save, it does."""
    engine = c.scratch + "/new/bin/firstlight-engine"
    c.run([engine, "simulate-sfx", "--out", c.scratch + "/raw", "--runs", "1", "--shots", "600", "--quiet"])
    d.ask("site launcher= nodes=2 broadcast=1")
    what = f"stills --stages all --out {c.scratch}/engine --set detector.geometry={c.scratch}/raw/detector.geom {c.scratch}/raw/r0001"
    folder = d.add("engine", what, f"program={engine}")
    c.wrap("sbcast", 'cp "$2" "$3"; echo "$3" >> sbcasts')
    d.submit("engine")
    c.wait_for(lambda: any("journal-" in name for _, _, names in os.walk(folder) for name in names), 60, "it works")
    d.ask("cancel engine soft")
    ended = d.until("engine", "ended", 60)
    assert ended["exit"] == "75" and ended["n_nodes"] == "2", ended
    c.unwrap("sbcast")
    assert f"/tmp/firstlight-{ended['id']}/firstlight-engine" in open(folder + "/sbcasts").read()
    assert "--mpi=pmi2" in open(folder + "/attempt-0001.sh").read()
    assert not [name for name in os.listdir("/tmp") if name.startswith(f"firstlight-{ended['id']}")]


def test_takes_in_itself():
    """A database that does not answer does not touch the job; what was said of it is beside it."""
    os.mkdir(c.folder + "/site/both")
    os.chmod(c.folder + "/site/both", 0o755)
    c.write("site/both/firstlight-control", open(os.environ["FIRSTLIGHT_CONTROL"], "rb").read(), 0o755)
    d.ask("site launcher=env nodes=1 broadcast=0 ingest=" + urllib.parse.quote("mysql://nobody@127.0.0.1:1/none?tls=off"))
    folder = d.add("itself", "2 3", f"program={program('both/firstlight-engine')}")
    d.submit("itself")
    ended = d.until("itself", "ended")
    assert (ended["exit"], ended["cause"]) == ("3", ""), ended
    said = open(folder + "/attempt-0001.db").read()
    assert said.count("does not answer") == 1 and "0 shots" in said, said
    d.ask("site ingest=")


def test_uploads_and_pull():
    local = c.write("site/params.txt", "a = 1\n")
    mirror = c.folder + "/site/mirror"
    folder = d.add("up", "cat params.txt", f"upload={local}:{c.scratch}/up/params.txt", f"mirror={mirror}")
    d.submit("up")
    ended = d.until("up", "ended")
    assert ended["exit"] == "0" and "a = 1" in ended["out"], ended
    os.makedirs(folder + "/attempt-0001", exist_ok=True)
    c.write("site/scratch/up/attempt-0001/journal-n1.flj", b"0123456789")
    bytes_, message = d.ask("pull up")[0]
    assert message == "" and int(bytes_) >= 10 + len("a = 1\n"), (bytes_, message)
    assert open(mirror + "/attempt-0001/journal-n1.flj").read() == "0123456789" and "a = 1" in open(mirror + "/attempt-0001.out").read()
    assert os.path.exists(mirror + "/attempt-0001.sh")
    d.ask(f"add nofile {c.scratch}/nofile true upload=/nonexistent:{c.scratch}/nofile/x")
    status = d.submit("nofile")[0]
    assert status["cause"] == "refused" and "/nonexistent" in status["batch_reason"], status


def test_preempted():
    d.ask("site nodes=2 ranks=4")
    d.add("victim", f"{program()} 60")
    d.submit("victim")
    c.wait_for(lambda: begins(c.scratch + "/victim"), 30, "it runs")
    c.sbatch("-N", "2", "--exclusive", *(["-q", "realtime"] if LONG else ["-p", "urgent"]), "--wrap", "sleep 1")
    again = d.until("victim", "queued")
    assert (again["restarts"], again["cause"]) == ("1", "preempted"), again
    running = d.until("victim", "running", 60)
    assert running["restarts"] == "1" and running["id"] == again["id"], running
    c.wait_for(lambda: len(begins(c.scratch + "/victim")) == 2, 30, "it runs again")
    d.ask("cancel victim soft")
    assert d.until("victim", "ended")["exit"] == "75"


def test_disk_full():
    place = c.small_folder(1)
    if place is None:
        raise Skip("only root may mount")
    d.add("full", "dd if=/dev/zero of=big bs=1M count=4", folder=place + "/full")
    d.submit("full")
    ended = d.until("full", "ended")
    assert ended["cause"] == "disk full", ended
    with open(place + "/rest", "wb", buffering=0) as rest:
        try:
            while True:
                rest.write(bytes(4096))
        except OSError:
            pass
    d.add("full2", "true", folder=place + "/full2")
    status = d.submit("full2")[0]
    assert (status["state"], status["cause"]) == ("ended", "disk full"), status
    assert names_in_queue("fl-full2") == []


def test_time_limit():
    """Told before its time is over, it saves."""
    d.add("long", f"{program()} 200", "minutes=1")
    d.submit("long")
    ended = d.until("long", "ended", 90)
    assert (ended["exit"], ended["cause"]) == ("75", "time limit"), ended
    d.add("deaf", "sh -c 'trap \"\" USR1 TERM; sleep 100; sleep 100'", "minutes=1")
    d.submit("deaf")
    ended = d.until("deaf", "ended", 150)
    assert (ended["cause"], ended["batch_state"]) == ("time limit", "TIMEOUT"), ended


def test_accounting():
    """What the queue has forgotten is asked of accounting, by one command for all; while that is silent nothing is lost."""
    names = [f"x{i}" for i in range(3)]
    for i, name in enumerate(names):
        d.add(name, f"sh -c 'exit {i}'")
    d.submit(*names)
    c.wait_for(lambda: all(s["state"] == "ended" for s in d.poll(*names)), 30, "ended")
    for name in names:
        os.remove(f"{c.scratch}/{name}/attempt-0001.exit")
    c.wrap("squeue", "exit 0")
    c.count("sacct")
    try:
        c.wait_for(lambda: [s["exit"] for s in d.poll(*names)] == ["0", "1", "2"], 20, "accounting has them")
        before = len(c.calls())
        d.ask("forget")
        assert [s["state"] for s in d.poll(*names)] == ["ended"] * 3
        assert len(c.calls()) == before + 1
        c.wrap("sacct", "echo no >&2; exit 1")
        assert [s["state"] for s in d.poll(*names)] == ["running"] * 3
    finally:
        c.unwrap("squeue")
        c.unwrap("sacct")


SHORT = [test_one_job, test_takes_in_itself, test_submitted_again_is_found, test_soft_cancel_saves, test_hard_cancel, test_array, test_lost_answer,
         test_late_duplicate_does_nothing, test_withdrawn_never_starts, test_refused, test_hostile_words, test_probe, test_steps,
         test_steps_that_fail, test_uploads_and_pull, test_preempted, test_thousand_queued, test_disk_full]
WITH_ACCOUNTING = [test_one_job, test_array, test_lost_answer, test_hostile_words, test_steps, test_engine_saves, test_slurmctld_down, test_node_lost,
                   test_preempted, test_accounting, test_time_limit]


def on_a_plain_site(test):
    @functools.wraps(test)
    def run():
        d.reset()
        test()
    return run


TESTS = [on_a_plain_site(test) for test in (WITH_ACCOUNTING if LONG else SHORT)]

if __name__ == "__main__":
    why = cluster.missing(LONG)
    if why:
        print(f"1..0 # SKIP {why}")
        sys.exit()
    with c:
        d = Driver(c)
        try:
            main(TESTS)
        finally:
            d.close()
