"""Several conductors and control rooms on one experiment, in SQLite and in MariaDB: one submits, another takes over, a database
that goes away loses nothing. --long: outages and stops at many more moments. Windows: where WINDOW_PROBE is given."""
import glob
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "store"))
import mariadb
from conduct import CONTROL, DONE, Experiment, main

LONG = "--long" in sys.argv
LEASE_S = 30
servers = []


def server():
    """One for all tests of this file."""
    if not servers:
        servers.append(mariadb.Server())
    return servers[0]


class Conductor:
    """What it says is read as it comes."""

    def __init__(self, e, *arguments):
        self.process, self.said = e.conduct(*arguments), []
        self.reader = threading.Thread(target=lambda: self.said.extend(iter(self.process.stderr.readline, "")), daemon=True)
        self.reader.start()
        self.pid = self.process.pid

    def wait_said(self, words, seconds=20):
        until = time.time() + seconds
        while not any(words in line for line in self.said):
            assert time.time() < until, (words, self.said)
            time.sleep(0.01)

    def end(self, status=0, number=signal.SIGTERM):
        if number:
            self.process.send_signal(number)
        got = self.process.wait(60)
        assert got == status, (got, self.said)


def holds(e, conductor, seconds=20):
    """Until it conducts: how long that took."""
    begin = time.time()
    e.wait_for(f"SELECT 1 FROM lease WHERE name = 'conductor' AND holder LIKE '%:{conductor.pid}:%'", seconds=seconds)
    return time.time() - begin


def all_done(e, runs, seconds=120):
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = ?", DONE, runs, seconds=seconds)


def check_truth(e, want):
    """`want`: shots of each run. Every shot once, every attempt begun once, and no more attempts than needed."""
    e.check_each_started_once()
    counts, jobs = e.counts(), e.query("SELECT job.id, run.name, job.attempts FROM job JOIN run ON run.id = job.run")
    assert len(jobs) == len(want), jobs
    for job, run, attempts in jobs:
        assert counts[job] == (want[run], (want[run] + 3) // 4), (run, counts[job], want[run])
        starts = e.starts(e.job_folders()[job])
        assert attempts == 1 == len(starts), (run, attempts, starts)
    assert e.query("SELECT count(*) FROM attempt") == [(len(want),)]


def expire(e):
    e.write("UPDATE lease SET expires = 1 WHERE name = 'conductor'")


# --- one after another ---

def take_over(server):
    e = Experiment(server=server)
    e.hold()
    e.add_run("r0001", 30)
    first = Conductor(e)
    e.wait_for("SELECT 1 FROM job WHERE state = 3")
    assert e.run("channel", "--store", e.folder, "--site", "local", "--", "echo", "found").stdout == "found\n"
    second = Conductor(e, "--stand-by")
    second.wait_said("stands by")
    first.end(-9, signal.SIGKILL)
    took = holds(e, second, 10)
    e.add_run("r0002", 9)
    e.release()
    all_done(e, 2)
    third = Conductor(e, "--stand-by")
    third.wait_said("stands by")
    begin = time.time()
    second.end()
    holds(e, third, 10)
    print(f"# taken over {took:.1f} s after a kill, {time.time() - begin:.1f} s after an orderly end")
    e.add_run("r0003", 5)
    all_done(e, 3)
    third.end()
    check_truth(e, {"r0001": 30, "r0002": 9, "r0003": 5})
    e.remove()


def test_take_over_sqlite():
    take_over(None)


def test_take_over_mariadb():
    take_over(server())


def test_machine_dies():
    """Nobody can see whether the holder lives: the lease runs out."""
    e = Experiment(server=server())
    first = Conductor(e)
    holds(e, first)
    first.end(-9, signal.SIGKILL)
    begin = time.time()
    e.write("UPDATE lease SET holder = 'ben@elsewhere:1:1:0' WHERE name = 'conductor'")
    second = Conductor(e, "--stand-by")
    holds(e, second, LEASE_S + 10)
    took = time.time() - begin
    print(f"# taken over after {took:.1f} s")
    assert LEASE_S - 5 < took < LEASE_S + 3, took
    e.add_run("r0001", 4)
    all_done(e, 1)
    second.end()
    e.remove()


# --- stopped, and going on ---

def stopped_while_it_submits(server):
    """The first conductor is stopped between looking for the job and starting it; the second begins it; then the first goes on."""
    e = Experiment(server=server)
    go, folder = os.path.join(e.folder, "go"), os.path.join(e.folder, "stop-bin")
    os.mkdir(folder)
    with open(os.path.join(folder, "setsid"), "w") as file:
        file.write(f'#!/bin/sh\nkill -STOP $PPID\nuntil [ -e {go} ]; do sleep 0.05; done\nexec /usr/bin/setsid "$@"\n')
    os.chmod(os.path.join(folder, "setsid"), 0o755)
    path = e.environment["PATH"]
    e.environment["PATH"] = folder + ":" + path
    first = Conductor(e)
    e.environment["PATH"] = path
    e.add_run("r0001", 12)
    e.wait_for("SELECT 1 FROM job WHERE state = 1")
    until = time.time() + 20
    while open(f"/proc/{first.pid}/stat").read().rsplit(")", 1)[1].split()[0] != "T":
        assert time.time() < until
        time.sleep(0.01)
    expire(e)
    second = Conductor(e, "--stand-by")
    all_done(e, 1)
    open(go, "w").close()
    first.process.send_signal(signal.SIGCONT)
    first.end(75, None)
    assert len(first.said) == 1, first.said  # that another conducts, or that its transaction was ended
    e.add_run("r0002", 7)
    all_done(e, 2)
    second.end()
    check_truth(e, {"r0001": 12, "r0002": 7})
    e.remove()


def test_stopped_while_it_submits_sqlite():
    stopped_while_it_submits(None)


def test_stopped_while_it_submits_mariadb():
    stopped_while_it_submits(server())


def test_stopped_anywhere():
    """At random moments, also inside a transaction: who stands by goes on, who comes back writes and submits nothing."""
    draw = random.Random(7)
    e, want = Experiment(server=server(), shot_ms=5), {}
    working, done = Conductor(e), 0
    holds(e, working)
    for n in range(20 if LONG else 6):
        run, shots = f"r{n + 1:04d}", draw.randrange(5, 40)
        e.add_run(run, shots)
        want[run] = shots
        time.sleep(0.2 + draw.random() * 0.5)  # the run is complete after 0.2 s
        working.process.send_signal(signal.SIGSTOP)
        expire(e)
        other = Conductor(e, "--stand-by")
        holds(e, other, 40)
        if draw.random() < 0.5:
            all_done(e, len(want))
        working.process.send_signal(signal.SIGCONT)
        working.end(75, None)
        working = other
    all_done(e, len(want))
    working.end()
    check_truth(e, want)
    e.remove()


# --- a database that goes away ---

class Window:
    """What a control room shows: the probe's lines."""

    def __init__(self, e):
        self.process = subprocess.Popen([os.environ["WINDOW_PROBE"], e.folder], stdout=subprocess.PIPE, text=True,
                                        stdin=subprocess.DEVNULL, env=dict(e.environment, GSETTINGS_BACKEND="memory"))
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(
            line.split() for line in iter(self.process.stdout.readline, "")), daemon=True)
        self.reader.start()

    def now(self):
        return self.lines[-1] if self.lines else None

    def wait_for(self, what, seconds=20):
        begin = time.time()
        while not (self.lines and what(self.lines[-1])):
            assert time.time() < begin + seconds, self.now()
            time.sleep(0.02)
        return time.time() - begin

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def open_windows(e, n):
    return [Window(e) for _ in range(n)] if "WINDOW_PROBE" in os.environ else []


def agree(e, windows):
    """They show what is in the database."""
    truth = [str(e.query(sql)[0][0]) for sql in
             ("SELECT count(*) FROM run", "SELECT count(*) FROM job", f"SELECT count(*) FROM job WHERE state = {DONE}",
              "SELECT sum(shots) FROM slice WHERE kind = 1", "SELECT sum(hits) FROM slice WHERE kind = 1")]
    return [w.wait_for(lambda line: line[1] == "ok" and line[2:7] == truth, 30) for w in windows]


def written(e):
    """Bytes in the journals."""
    return sum(os.path.getsize(path) for path in glob.glob(os.path.join(e.folder, "jobs", "*", "*", "journal-*")))


def outage(down, go_away, come_back):
    e, want = Experiment(server=server(), shot_ms=100 if down > 10 else 40), {}
    for n in range(2):
        want[f"r{n + 1:04d}"] = int(1.5 * down / (0.1 if down > 10 else 0.04)) + 50 * n
        e.add_run(f"r{n + 1:04d}", want[f"r{n + 1:04d}"])
    first = Conductor(e)
    holds(e, first)
    second = Conductor(e, "--stand-by")
    windows = open_windows(e, 2)
    e.wait_for("SELECT 1 WHERE (SELECT count(DISTINCT job) FROM slice WHERE kind = 1) = 2")
    before = written(e)
    go_away()
    begin = time.time()
    for w in windows:
        w.wait_for(lambda line: line[1] == "lost", 60)
    time.sleep(max(0, begin + down - time.time()))
    assert first.process.poll() is None and second.process.poll() is None, (first.said, second.said)
    assert written(e) > before  # the jobs have not noticed
    come_back()
    begin = time.time()
    answered = [w.wait_for(lambda line: line[1] == "ok", 60) for w in windows]
    e.add_run("r0009", 11)
    want["r0009"] = 11
    all_done(e, 3)
    agreed = agree(e, windows)
    print(f"# {down} s without a database: {written(e) - before} bytes of journals meanwhile; all done {time.time() - begin:.1f} s "
          f"after it came back; windows: answered after {answered}, agreed after {agreed}")
    check_truth(e, want)
    alive = [c for c in (first, second) if c.process.poll() is None]
    assert alive, (first.said, second.said)  # the lease may have gone to the other
    for c in (first, second):
        assert len([line for line in c.said if "does not answer" in line]) <= 1, c.said
        if c not in alive:
            assert c.process.returncode == 75, (c.process.returncode, c.said)
    holder = [c for c in alive if f":{c.pid}:" in e.query("SELECT holder FROM lease WHERE name = 'conductor'")[0][0]]
    assert len(holder) == 1
    for w in windows:
        w.end()
    for c in sorted(alive, key=lambda c: c in holder):  # who stands by first: it would take over
        c.end(0 if c in holder else -15)
    e.remove()


def stop_server():
    server().process.terminate()
    server().process.wait(60)


def test_outage():
    """Stopped in an orderly way for half a minute."""
    outage(30, stop_server, lambda: server().start())


def test_killed():
    """kill -9 in the midst of commits, started again at once."""
    outage(3, lambda: server().kill9(), lambda: server().start())


def test_killed_often():
    draw = random.Random(3)
    e, want = Experiment(server=server(), shot_ms=5), {}
    conductor, windows = Conductor(e), open_windows(e, 2)
    for n in range(30 if LONG else 5):
        run, shots = f"r{n + 1:04d}", draw.randrange(20, 120)
        e.add_run(run, shots)
        want[run] = shots
        time.sleep(draw.random())
        server().kill9()
        time.sleep(draw.random() * 0.5)
        server().start()
    all_done(e, len(want))
    agree(e, windows)
    assert conductor.process.poll() is None, conductor.said
    check_truth(e, want)
    for w in windows:
        w.end()
    conductor.end()
    e.remove()


# --- a control room that starts a conductor ---

def open_firstlight(e, folder):
    os.makedirs(os.path.join(folder, "home"), exist_ok=True)
    return subprocess.Popen(
        ["dbus-run-session", "--", "xvfb-run", "-a", "-s", "-screen 0 1280x800x24 -noreset", os.environ["FIRSTLIGHT"], folder],
        env=dict(e.environment, HOME=os.path.join(folder, "home"), XDG_RUNTIME_DIR=os.path.join(folder, "home"), GTK_A11Y="none",
                 GSK_RENDERER="cairo", GSETTINGS_BACKEND="memory", NO_AT_BRIDGE="1"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def holder(e):
    """Number of the process that conducts; 0: none does."""
    words = e.query("SELECT holder FROM lease WHERE name = 'conductor'")
    return int(words[0][0].rsplit("@", 1)[1].split(":")[1]) if words and words[0][0] else 0


def test_window_conducts():
    """A window at home starts a conductor, again when it was killed, and it outlives the window; a window elsewhere starts none."""
    e = Experiment(server=server())
    away = os.path.join(e.folder, "away")
    os.mkdir(away)
    with open(os.path.join(away, "database.ini"), "w") as file:
        file.write(f"[database]\nurl={server().url(e.database, tcp=True)}\ntls=off\nhome=/nowhere{e.folder}\n")
    elsewhere = open_firstlight(e, away)
    e.wait_for("SELECT 1 FROM presence")
    time.sleep(4)
    assert holder(e) == 0 and not os.path.exists(os.path.join(away, "conductor.log"))
    at_home = open_firstlight(e, e.folder)
    e.wait_for("SELECT 1 FROM lease WHERE name = 'conductor' AND holder <> ''")
    first = holder(e)
    os.kill(first, signal.SIGKILL)
    begin = time.time()
    e.wait_for("SELECT 1 FROM lease WHERE name = 'conductor' AND holder NOT LIKE ?", f"%:{first}:%", seconds=LEASE_S)
    print(f"# another after {time.time() - begin:.1f} s")
    for window in (elsewhere, at_home):
        os.killpg(window.pid, signal.SIGTERM)
        window.wait(30)
    e.add_run("r0001", 9)
    all_done(e, 1)
    os.kill(holder(e), signal.SIGTERM)
    check_truth(e, {"r0001": 9})
    e.remove()


def test_frozen():
    """A server that says nothing, as when the network is gone."""
    outage(60, lambda: server().freeze(), lambda: server().freeze(False))


TESTS = [test_take_over_sqlite, test_stopped_while_it_submits_sqlite]
if mariadb.available():
    TESTS += [test_take_over_mariadb, test_stopped_while_it_submits_mariadb, test_stopped_anywhere, test_outage, test_killed,
              test_killed_often] + ([test_machine_dies, test_frozen] if LONG else []) + (
                  [test_window_conducts] if "FIRSTLIGHT" in os.environ else [])
else:
    print("# no MariaDB server is installed: SQLite only")
if chosen := [word for word in sys.argv[1:] if word != "--long"]:
    TESTS = [test for test in TESTS if test.__name__ in chosen]
try:
    main(TESTS)
finally:
    for one in servers:
        one.stop()
