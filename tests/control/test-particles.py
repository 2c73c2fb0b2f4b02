"""Single particles: an experiment of them takes runs through hits and reconstructs every version; a reconstruction that is stopped
goes on from its checkpoint, and what the store says of it is one history."""
import os
import signal
import sqlite3
import subprocess

from conduct import CONTROL, DONE, ENGINE, FAILED, Experiment, main

GENERATION, PARTICLE = 15, 14


class Particles(Experiment):
    def __init__(self, min_patterns, generations=2):
        super().__init__(science="spi")
        self.environment["FAKE_GENERATIONS"] = str(generations)
        self.write("UPDATE dataset SET min_interval = 0, min_lattices = ?, "
                   "revision = (SELECT value FROM counter WHERE name = 'revision')", min_patterns)

    def add_run(self, name, *shots):
        super().add_run(name, *shots)
        folder = os.path.join(self.data, name)
        for beside in ("detector.h5", "truth.h5", f"{name}_c00.emc"):
            open(os.path.join(folder, beside), "w").close()

    def wait_for_version(self, number, state):
        ((job, path),) = self.wait_for(
            "SELECT job.id, job.path FROM job JOIN dataset_version v ON v.id = job.version JOIN task ON task.id = job.task "
            "WHERE task.type = 'reconstruct' AND v.number = ? AND job.state = ?", number, state)
        return job, os.path.join(self.folder, path)


def test_versions():
    e = Particles(min_patterns=8)
    assert e.query("SELECT name, type FROM task ORDER BY id") == [("hits", "hits"), ("reconstruct", "reconstruct")]
    e.run("experiment", "--store", e.folder, "--science", "spi", "--ranks", "1")  # again does no harm
    assert e.query("SELECT count(*) FROM dataset_task") == [(2,)]
    conductor = e.conduct()
    os.mkdir(os.path.join(e.data, "truth"))  # no run
    open(os.path.join(e.data, "truth", "r0001_c00.h5"), "w").close()
    e.add_run("r0001", 16, 12)
    e.wait_for("SELECT 1 FROM worker WHERE name = 'dataset:particles' AND message LIKE '%7 of 8 new patterns'")
    e.add_run("r0002", 40)
    _, first_folder = e.wait_for_version(1, DONE)
    assert not os.path.exists(os.path.join(first_folder, "former"))
    inputs = open(os.path.join(first_folder, "inputs")).read().split("\n")
    assert sorted(map(os.path.basename, inputs)) == ["t1-b0-r0001-hits", "t1-b0-r0002-hits"], inputs
    e.write("UPDATE task SET ranks = 0, revision = (SELECT value FROM counter WHERE name = 'revision')")
    e.add_run("r0003", 32)
    job, folder = e.wait_for_version(2, DONE)
    assert len(open(os.path.join(folder, "inputs")).read().split("\n")) == 3
    assert open(os.path.join(folder, "former")).read() == first_folder  # it starts from version 1's
    assert e.query("SELECT a.reason FROM attempt a WHERE a.job = ?", job) == [("2 generations of 25 patterns",)]
    assert e.query("SELECT count(*) FROM slice WHERE kind = ? AND job = ?", GENERATION, job) == [(2,)]
    ((command,),) = e.query("SELECT a.command FROM attempt a JOIN job ON job.id = a.job JOIN run ON run.id = job.run "
                            "WHERE run.name = 'r0001'")
    for no in ("--stages", ".emc", "detector.h5", "truth.h5"):
        assert no not in command, command
    conductor.terminate()
    assert conductor.wait(60) == 0
    assert dict(e.query("SELECT run.name, run.shots FROM run")) == {"r0001": 28, "r0002": 40, "r0003": 32}
    hits = e.query("SELECT sum(shots), sum(hits), sum(indexed) FROM slice WHERE kind = 1")
    assert hits == [(100, 25, 0)], hits
    assert e.query("SELECT sum(length) FROM slice WHERE kind = ?", PARTICLE) == [(100,)]
    # Of two cores a reconstruction leaves one to runs that arrive.
    assert e.query("SELECT task.name, a.ranks FROM attempt a JOIN job ON job.id = a.job JOIN task ON task.id = job.task "
                   "ORDER BY a.id DESC LIMIT 2") == [("reconstruct", 1), ("hits", 2)]
    e.check_each_started_once()
    e.remove()


def test_killed():
    """However often: it goes on from its checkpoint. A version that comes meanwhile waits for it."""
    e = Particles(min_patterns=1, generations=6)
    hold = e.environment["FAKE_HOLD_GENERATIONS"] = os.path.join(e.folder, "hold-generations")
    open(hold, "w").close()
    conductor = e.conduct()
    e.add_run("r0001", 16)
    ((job, path),) = e.wait_for("SELECT job.id, path FROM job JOIN task ON task.id = job.task WHERE task.type = 'reconstruct'")
    folder = os.path.join(e.folder, path)
    for number in range(1, 6):
        e.wait_for("SELECT 1 FROM slice JOIN attempt a ON a.id = slice.attempt WHERE kind = ? AND slice.job = ? AND number = ?",
                   GENERATION, job, number)
        assert os.path.exists(os.path.join(folder, f"attempt-{number:04d}", "volumes", f"g{number:04d}-c0.mrc"))
        if number == 3:
            e.add_run("r0002", 40)
            e.wait_for("SELECT 1 FROM worker WHERE name = 'dataset:particles' "
                       "AND message LIKE '1 new job, but version 1 is being reconstructed'")
        assert e.kill_session(job, signal.SIGTERM if number == 2 else signal.SIGKILL)
    e.wait_for("SELECT 1 FROM attempt WHERE job = ? AND number = 6", job)
    assert e.query("SELECT count(*) FROM dataset_version") == [(1,)]
    os.unlink(hold)
    e.wait_for_version(1, DONE)
    e.wait_for_version(2, DONE)
    conductor.terminate()
    assert conductor.wait(60) == 0
    assert e.starts(folder) == list("123456"), e.starts(folder)
    assert e.query("SELECT exit_code FROM attempt WHERE job = ? AND number = 2", job) == [(75,)]
    assert e.query("SELECT count(*) FROM slice WHERE kind = ? AND job = ?", GENERATION, job) == [(6,)]
    assert os.path.exists(os.path.join(folder, "density-c0.mrc"))
    e.remove()


def test_fruitless():
    """The same generation again and again leads nowhere: it is given up."""
    e = Particles(min_patterns=1)
    hold = e.environment["FAKE_HOLD_GENERATIONS"] = os.path.join(e.folder, "hold-generations")
    open(hold, "w").close()
    e.environment["FAKE_FORGET"] = "1"
    conductor = e.conduct()
    e.add_run("r0001", 16)
    ((job,),) = e.wait_for("SELECT job.id FROM job JOIN task ON task.id = job.task WHERE task.type = 'reconstruct'")
    for number in range(1, 5):
        e.wait_for("SELECT 1 FROM slice JOIN attempt a ON a.id = slice.attempt WHERE kind = ? AND slice.job = ? AND number = ?",
                   GENERATION, job, number)
        assert e.kill_session(job)
    e.wait_for("SELECT 1 FROM job WHERE id = ? AND state = ? AND reason LIKE '%given up after 4 attempts'", job, FAILED)
    conductor.terminate()
    assert conductor.wait(60) == 0
    e.remove()


def test_thinned():
    """While processing lags behind crystals are thinned, particles are not."""
    for science, thinned in ("sfx", True), ("spi", False):
        e = Experiment(science=science)
        e.write("UPDATE experiment SET backlog = 'thin', revision = (SELECT value FROM counter WHERE name = 'revision')")
        for number in range(12):
            e.add_run(f"r{number:04d}", 8)
        e.finish()
        commands = e.query("SELECT command FROM attempt")
        assert len(commands) >= 12 and any("--fraction" in command for (command,) in commands) == thinned, (science, commands)
        e.remove()


def test_files():
    """Runs that are files: what lies beside them is none."""
    e = Experiment()
    shots = os.path.join(e.folder, "shots")
    os.mkdir(shots)
    for name in ("r1.emc", "r2.cxi", "detector.h5", "truth.h5", "detector.geom"):
        with open(os.path.join(shots, name), "w") as file:
            file.write("8")
    other = os.path.join(e.folder, "other")
    e.run("experiment", "--store", other, "--watch", shots, "--kind", "files", "--stages", "hits", "--quiet", "0.2", "--trial", "",
          "--launcher", "env", "--engine", ENGINE)
    e.run("conduct", "--store", other, "--until-idle", "--interval", "0.03")
    runs = sqlite3.connect(os.path.join(other, "firstlight.sqlite")).execute(
        "SELECT run.name, job.state, a.reason FROM run JOIN job ON job.run = run.id JOIN attempt a ON a.job = job.id ORDER BY 1")
    assert runs.fetchall() == [(name, DONE, "8 shots, 2 hits, 6 blank, 0 several, 0 junk") for name in ("r1", "r2")]
    e.remove()


def test_bad_graph():
    e = Experiment()
    make = ["dataset", "--store", e.folder, "--expression", "runs 1-", "--name"]
    e.run(*make, "crystals", "--task", "stills", "--task", "both:reconstruct:stills")
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM worker WHERE name = 'dataset:crystals' AND state = 'failing' "
               "AND message LIKE '%takes patterns, stills finds lattices%'")
    conductor.terminate()
    assert conductor.wait(60) == 0
    wrong = subprocess.run([CONTROL, "experiment", "--store", e.folder, "--science", "spi", "--stages", "all"],
                           capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2 and "--stages 'all' is wrong" in wrong.stderr, wrong
    e.remove()


main([test_versions, test_killed, test_fruitless, test_thinned, test_files, test_bad_graph])
