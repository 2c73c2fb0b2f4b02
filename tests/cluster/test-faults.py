"""What goes wrong at night, each with a conductor at work on jobs far away: nothing is lost, nothing is submitted twice, and
what the store says, which is what the control room shows, is true.

test-faults.py CONTROL ENGINE FAKE-ENGINE SHIM GUI jobs|links|TEST…      GUI may be "" (no control room in this build)"""
import os
import random
import signal
import subprocess
import sys
import time

import cluster
import keeper
from far import CANCELLED, DONE, FAILED, PREEMPTED, QUEUED, RUNNING, TIMED_OUT, Far
from stock import kernels, programs
from tap import Skip, main

CONTROL, ENGINE, FAKE, SHIM, GUI = programs(5)
c = cluster.Cluster(nodes=2, cpus=4, accounting=not cluster.missing(accounting=True),
                    greeting="Welcome. Use of this system is monitored.")


def far(**options):
    return Far(c, CONTROL, fake, **{"shot_ms": 40, **options})


def link_of(e):
    return e.query("SELECT state, message, next_try FROM worker WHERE name = 'link:far'")


def wait_link(e, *states, seconds=60):
    marks = ", ".join("?" * len(states))
    return e.wait_for(f"SELECT message FROM worker WHERE name = 'link:far' AND state IN ({marks})", *states, seconds=seconds,
                      what=f"the link is said to be {' or '.join(states)}")[0][0]


def wait_running(e, job=1, shots=1):
    e.wait_for("SELECT 1 FROM job WHERE id = ? AND state = ? AND "
               "(SELECT sum(shots) FROM slice WHERE slice.job = job.id AND kind = 1) >= ?",
               job, RUNNING, shots, what=f"job {job} runs and has {shots} shots")


def engines(e, name="fake-engine"):
    """Pids at the site."""
    found = []
    for pid in c.left():
        try:
            if cluster.name_of(pid).startswith(name[:15]) and e.far_scratch in open(f"/proc/{pid}/cmdline").read():
                found.append(pid)
        except OSError:
            pass
    return found


def test_begins():
    global fake, real
    c.start()
    fake, real = c.install(FAKE), c.install(ENGINE, *kernels(ENGINE))


def test_conductor_killed():
    draw = random.Random(20261121)
    with far() as e:
        for i in range(6):
            e.add_run(f"r{i + 1:04d}", 10, 5 + i)
            conductor = e.conduct()
            time.sleep(draw.uniform(0.3, 2.5))
            e.end(conductor, signal.SIGKILL)
        e.conduct()
        e.wait_done(6)
        e.check_counts({f"r{i + 1:04d}": 15 + i for i in range(6)})
        e.check_nothing_twice()
        assert len(e.query("SELECT id FROM attempt")) == 6, e.report()  # no kill of ours costs a job anything


def test_engine_killed():
    with far() as e:
        e.add_run("r0001", 100)
        e.conduct()
        wait_running(e)
        keeper.send(engines(e), signal.SIGKILL)
        e.wait_done(1)
        e.check_counts({"r0001": 100})
        e.check_nothing_twice()
        assert [row[0] for row in e.query("SELECT state FROM attempt ORDER BY number")] == [FAILED, DONE], e.report()


def test_rank_killed():
    """One rank of four, on two nodes, of the real engine."""
    raw = os.path.join(c.folder, "site", "simulated")
    c.run([real, "simulate-sfx", "--out", raw, "--runs", "1", "--shots", "60", "--shots-per-file", "20", "--quiet"])
    block = c.write("site/block.params", f"[detector]\ngeometry = {raw}/detector.geom\n[engine]\nbatch_rows = 2\n")
    slowly = f"env LD_PRELOAD={c.install(SHIM)} SHIM_SLEEP_US=200000"
    with Far(c, CONTROL, real, stages="spots", arguments=("--block", block), nodes=2, ranks_per_node=2, container=slowly) as e:
        c.run(["mv", f"{raw}/r0001", e.far_raw])
        e.conduct()
        wait_running(e)
        ranks = engines(e, "firstlight-engine")
        keeper.send(ranks[-1:], signal.SIGKILL)
        e.wait_done(1)
        assert len(ranks) == 4, ranks
        e.check_counts({"r0001": 60})
        e.check_nothing_twice()
        assert len(e.query("SELECT id FROM attempt")) == 2, e.report()


def test_window_killed():
    """It has started the conductor, which goes on."""
    if not GUI or "DISPLAY" not in os.environ:
        raise Skip("no control room in this build" if not GUI else "no display: run the suite under xvfb-run")
    with far() as e:
        e.add_run("r0001", 100)
        window = e.start([GUI, e.folder, "--page", "jobs"])
        try:
            wait_running(e)
            e.end(window, signal.SIGKILL)
            e.wait_done(1)
            e.check_counts({"r0001": 100})
            e.check_nothing_twice()
        finally:
            for pid in conductors(e):
                os.kill(pid, signal.SIGTERM)


def conductors(e):
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            words = open(f"/proc/{pid}/cmdline").read().split("\0")
        except OSError:
            continue
        if "conduct" in words and any(word.startswith(e.folder) for word in words):
            found.append(pid)
    return found


def test_sshd_restarts():
    with far(shot_ms=60) as e:
        e.add_run("r0001", 60)
        e.conduct()
        wait_running(e)
        c.kill_sshd()
        try:
            wait_link(e, "lost")
            assert link_of(e)[0][1] != "", "why is not said"
            e.wait_for("SELECT 1 FROM worker WHERE name = 'link:far' AND state = 'lost' AND next_try > 0",
                       what="when it is tried again is said")
            e.add_run("r0002", 20)  # nobody sees it yet
            states = {state for (state,) in e.query("SELECT state FROM job")}
            assert states <= {RUNNING, QUEUED}, e.report()  # not known to have ended: not said to have
        finally:
            c.start_sshd()
        wait_link(e, "up")
        e.wait_done(2)
        e.check_counts({"r0001": 60, "r0002": 20})
        e.check_nothing_twice()
        assert len(e.query("SELECT id FROM attempt")) == 2, e.report()


def test_link_frozen():
    with far(shot_ms=60) as e:
        e.add_run("r0001", 60)
        e.conduct()
        wait_running(e)
        c.link.freeze()
        try:
            wait_link(e, "slow", "lost")
            assert e.query("SELECT state FROM job") == [(RUNNING,)], e.report()
        finally:
            c.link.thaw()
        wait_link(e, "up")
        e.add_run("r0002", 20)
        e.wait_done(2)
        e.check_counts({"r0001": 60, "r0002": 20})
        e.check_nothing_twice()
        assert len(e.query("SELECT id FROM attempt")) == 2, e.report()


def test_answer_lost():
    """sbatch submits, but says that it failed; or the connection goes before it can tell."""
    end_of_session = ('pid=$$; while [ $pid -gt 1 ]; do read -r name < /proc/$pid/comm; [ "$name" = sshd ] && break; '
                      'pid=$(cut -d" " -f4 /proc/$pid/stat); done; kill -9 $pid; sleep 5')
    for mishap in ('echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1',
                   end_of_session):
        mark = os.path.join(c.folder, "site", "lost")
        c.wrap("sbatch", f'[ -e {mark} ] && exec "$REAL" "$@"\n"$REAL" "$@" > {mark}.answer && touch {mark}\n{mishap}')
        try:
            with far(shot_ms=20) as e:
                e.add_run("r0001", 20)
                e.conduct()
                e.wait_done(1)
                assert os.path.exists(mark), "no answer was lost"
                e.check_counts({"r0001": 20})
                e.check_nothing_twice()
                assert len(e.query("SELECT id FROM attempt")) == 1, e.report()
        finally:
            c.unwrap("sbatch")
            for file in (mark, mark + ".answer"):
                os.path.exists(file) and os.remove(file)


def test_command_late():
    """The connection goes while sbatch has not even begun its work, and it submits when it has been tried again meanwhile: the
    second of the two does nothing."""
    mark = os.path.join(c.folder, "site", "late")
    c.wrap("sbatch", f'[ -e {mark} ] && exec "$REAL" "$@"\ntouch {mark}; sleep 8\n"$REAL" "$@"; touch {mark}.too')
    try:
        with far(shot_ms=20) as e:
            e.add_run("r0001", 20)
            e.conduct()
            c.wait_for(lambda: os.path.exists(mark), 60, "sbatch is called")
            c.link.cut()
            c.wait_for(lambda: os.path.exists(mark + ".too"), 60, "the first sbatch comes after all")
            e.wait_done(1)
            c.wait_for(lambda: all(state == "COMPLETED" for state in e.slurm_jobs().values()), 60, "all is over")
            e.check_counts({"r0001": 20})
            assert e.starts(1) == ["1"] and len(e.query("SELECT id FROM attempt")) == 1, (e.starts(1), e.report())
    finally:
        c.unwrap("sbatch")
        for file in (mark, mark + ".too"):
            os.path.exists(file) and os.remove(file)


def test_slurmctld_restarts():
    with far(shot_ms=60) as e:
        e.add_run("r0001", 60)
        e.conduct()
        wait_running(e)
        c.kill_slurmctld()
        try:
            e.add_run("r0002", 20)
            e.wait_for("SELECT 1 FROM worker WHERE (name LIKE 'poll:far' OR name LIKE 'submit:far') AND state = 'failing'",
                       what="that Slurm does not answer is said")
            assert not e.query("SELECT 1 FROM job WHERE state IN (?, ?)", FAILED, CANCELLED), e.report()
        finally:
            c.start_slurmctld()
        e.wait_done(2)
        e.check_counts({"r0001": 60, "r0002": 20})
        e.check_nothing_twice()
        assert len(e.query("SELECT id FROM attempt")) == 2, e.report()


def test_node_drained():
    """It waits, and why is said."""
    with far(shot_ms=20) as e:
        for node in c.nodes:
            c.drain(node)
        try:
            e.add_run("r0001", 20)
            e.conduct()
            e.wait_for("SELECT 1 FROM job JOIN attempt ON attempt.job = job.id WHERE job.state = ? AND batch_reason != ''",
                       QUEUED, what="it is queued, with a reason")
            (reason,) = e.query("SELECT batch_reason FROM attempt")[0]
            assert any(word in reason for word in ("Drain", "DRAIN", "Down", "DOWN", "NodeNotAvail")), reason
        finally:
            for node in c.nodes:
                c.resume(node)
        e.wait_done(1)
        e.check_counts({"r0001": 20})
        e.check_nothing_twice()


def test_node_crashes():
    with far() as e:
        e.add_run("r0001", 100)
        e.conduct()
        wait_running(e)
        (pid,) = engines(e)
        node = next(node for node in c.nodes if pid in c.processes_on(node))
        c.crash(node)
        try:
            e.wait_done(1)
        finally:
            c.resume(node)
        e.check_counts({"r0001": 100})
        e.check_nothing_twice()


def test_preempted():
    with far(**({"qos": "preemptable"} if c.accounting else {})) as e:
        e.add_run("r0001", 100)
        e.conduct()
        wait_running(e)
        urgent = ["--qos", "realtime"] if c.accounting else ["-p", "urgent"]
        c.sbatch("-N", "2", "--exclusive", *urgent, "--wrap", "sleep 3")
        e.wait_for("SELECT 1 FROM job WHERE state IN (?, ?)", QUEUED, PREEMPTED, what="it is said to wait again")
        e.wait_done(1)
        e.check_counts({"r0001": 100})
        e.check_nothing_twice()


def test_scratch_full():
    small = c.small_folder(3)
    if small is None:
        raise Skip("only root may mount")
    filler = os.path.join(small, "filler")
    with far(shot_ms=20, scratch=os.path.join(small, "scratch")) as e:
        e.add_run("r0001", 200)
        e.conduct()
        wait_running(e)
        c.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], check=False)
        e.wait_for("SELECT 1 FROM attempt WHERE cause LIKE '%disk%' OR cause LIKE '%full%' OR reason LIKE '%space%'",
                   what="that scratch is full is said")
        assert e.query("SELECT state FROM job") != [(DONE,)], e.report()
        c.run(["rm", filler])
        if e.query("SELECT 1 FROM job WHERE state = ?", FAILED):
            e.want("retry_wanted", 1)
        e.wait_done(1)
        e.check_counts({"r0001": 200})
        e.check_nothing_twice()


def test_time_limit():
    """It gets longer with the next attempt, which goes on."""
    with far(shot_ms=600, minutes=1) as e:
        e.add_run("r0001", 150)
        e.conduct()
        e.wait_done(1, seconds=400)
        first, *rest = e.query("SELECT state, cause, minutes FROM attempt ORDER BY number")
        assert first[0] == TIMED_OUT and "time" in first[1], e.report()
        assert len(rest) == 1 and rest[0][0] == DONE and rest[0][2] > first[2], e.report()
        e.check_counts({"r0001": 150})
        e.check_nothing_twice()


def test_host_key_changed():
    with far(shot_ms=60) as e:
        e.add_run("r0001", 60)
        e.conduct()
        wait_running(e)
        c.new_host_key()
        said = e.wait_for("SELECT message FROM worker WHERE name = 'link:far' AND state != 'up' AND message LIKE '%key%'",
                          what="that the host's key has changed is said")[0][0]
        assert "another" in said or "changed" in said, said
        assert e.query("SELECT state FROM job") == [(RUNNING,)], e.report()
        before = c.sessions()
        time.sleep(3)  # nobody logs in there meanwhile
        assert c.sessions() == before and link_of(e)[0][0] != "up", e.report()
        key = open(os.path.join(c.folder, "host_key.pub")).read().split()[:2]
        with open(e.known_hosts, "w") as file:  # somebody has asked the other laboratory
            file.write(f"[{c.host}]:{c.port} {' '.join(key)}\n")
        e.end(e.conductor)
        e.conduct()
        e.wait_done(1)
        e.check_counts({"r0001": 60})
        e.check_nothing_twice()
        assert len(e.query("SELECT id FROM attempt")) == 1, e.report()


GROUPS = {"jobs": [test_begins, (test_time_limit, test_rank_killed, test_scratch_full, test_engine_killed),
                   (test_conductor_killed, test_window_killed), test_node_crashes, test_preempted],
          "links": [test_begins, test_sshd_restarts, test_link_frozen, test_answer_lost, test_command_late,
                    test_slurmctld_restarts, test_node_drained, test_host_key_changed]}
why = cluster.missing()
if why:
    print(f"1..0 # SKIP {why}")
else:
    try:
        main(GROUPS.get(sys.argv[6]) or [test_begins] + [globals()[name] for name in sys.argv[6:]])
    finally:
        c.stop()
