"""The conductor with one process that runs undisturbed: what is wanted is done, and what people ask for."""
import os
import time

from conduct import CANCELLED, DONE, ENGINE, FAILED, Experiment, main


def test_all_done():
    e = Experiment()
    e.add_run("r0001", 10, 5)
    e.add_run("r0002", 7)
    e.finish()
    assert e.query("SELECT name, state, shots, files FROM run ORDER BY name") == [
        ("r0001", "complete", 15, 2), ("r0002", "complete", 7, 1)]
    assert [row[0] for row in e.query("SELECT state FROM job")] == [DONE, DONE]
    assert sorted(e.counts().values()) == [(7, 2), (15, 5)]
    e.finish()  # nothing is left to do
    assert len(e.query("SELECT id FROM attempt")) == 2
    assert all(row[0] == 1 for row in e.query("SELECT compacted FROM attempt"))
    e.check_each_started_once()
    e.remove()


def test_second_refused():
    e = Experiment()
    e.hold()
    e.add_run("r0001", 20)
    first = e.conduct()
    e.wait_for("SELECT 1 FROM job WHERE state = 3")
    second = e.run("conduct", "--store", e.folder, "--once", check=False)
    assert second.returncode == 75, second
    assert second.stderr.count("\n") == 1 and "has a conductor already" in second.stderr, second.stderr
    first.terminate()
    assert first.wait(120) == 0
    assert e.run("conduct", "--store", e.folder, "--once").returncode == 0  # it has given the lease back
    e.remove()


def test_jobs_outlive_conductor():
    e = Experiment()
    e.hold()
    e.add_run("r0001", 60)
    e.add_run("r0002", 60)
    first = e.conduct()
    e.wait_for("SELECT 1 WHERE (SELECT count(DISTINCT job) FROM slice WHERE kind = 1) = 2")
    first.terminate()
    first.wait(120)
    e.release()
    e.finish()
    assert sorted(e.counts().values()) == [(60, 15), (60, 15)]
    assert len(e.query("SELECT id FROM attempt")) == 2
    e.check_each_started_once()
    e.remove()


def test_stop_and_retry():
    e = Experiment()
    e.hold()
    e.add_run("r0001", 100)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM slice WHERE kind = 1")
    e.want("stop_wanted", 1)
    e.wait_for("SELECT 1 FROM job WHERE state = ? AND reason = 'stopped on request' AND stop_wanted = 0", CANCELLED)
    assert e.query("SELECT exit_code FROM attempt") == [(75,)]
    time.sleep(0.2)
    assert len(e.query("SELECT id FROM attempt")) == 1  # nobody goes on with it
    e.release()
    e.want("retry_wanted", 1)
    e.wait_for("SELECT 1 FROM job WHERE state = ?", DONE)
    conductor.terminate()
    conductor.wait(120)
    assert e.counts() == {1: (100, 25)}
    assert e.query("SELECT number, state FROM attempt ORDER BY number") == [(1, CANCELLED), (2, DONE)]
    e.remove()


def test_relative_engine():
    e = Experiment()
    e.run("experiment", "--store", e.folder, "--engine", os.path.relpath(ENGINE))
    e.add_run("r0001", 4)
    e.finish()
    assert e.query("SELECT state, reason FROM job") == [(DONE, "")]
    e.remove()


def test_fails_once():
    e = Experiment()
    flag = os.path.join(e.folder, "fail")
    open(flag, "w").close()
    e.environment["FAKE_FAIL"] = flag
    e.add_run("r0001", 8)
    e.finish()
    state, reason = e.query("SELECT state, reason FROM job")[0]
    assert state == FAILED and "asked to fail" in reason, reason
    assert "asked to fail" in e.query("SELECT stderr_tail FROM attempt")[0][0]
    e.want("retry_wanted", 1)
    e.finish()
    assert e.query("SELECT state, attempts, reason FROM job") == [(DONE, 2, "")]
    e.remove()


def test_damaged_file():
    e = Experiment()
    e.add_run("r0001", 8, "nonsense", 4)
    e.finish()
    state, problem, shots = e.query("SELECT state, problem, shots FROM run")[0]
    assert state == "damaged" and "damaged" in problem and shots == 12, (state, problem, shots)
    assert e.query("SELECT state FROM job") == [(FAILED,)]
    assert e.counts() == {1: (12, 3)}  # what could be read counts
    e.remove()


def test_run_grows():
    e = Experiment()
    e.add_run("r0001", 8)
    e.finish()
    e.add_run("r0001", 8, 12)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM job WHERE state = ? AND attempts = 2", DONE)
    conductor.terminate()
    conductor.wait(120)
    assert e.counts() == {1: (20, 5)}
    assert e.query("SELECT shots, files FROM run") == [(20, 2)]
    e.remove()


def test_given_up():
    """Killed again and again before it has done anything."""
    e = Experiment()
    e.write("UPDATE site SET launcher = 'sh -c ''kill -9 $$'''")
    e.add_run("r0001", 8)
    e.finish()
    state, reason, attempts = e.query("SELECT state, reason, attempts FROM job")[0]
    assert state == FAILED and "given up after 3 attempts" in reason and attempts == 3, (state, reason, attempts)
    e.remove()


def test_slow_to_begin():
    """A busy machine: a second from the submission to the script's first line, many rounds long."""
    e = Experiment()
    e.hold_scripts("attempt-0001.sh", "sleep 1")
    e.add_run("r0001", 8)
    e.finish()
    assert e.query("SELECT state, attempts, reason FROM job") == [(DONE, 1, "")]
    e.check_each_started_once()
    e.remove()


def hold_first(e):
    """The first attempt's script waits for the file that is returned, a minute at most."""
    go = os.path.join(e.folder, "go")
    e.hold_scripts("attempt-0001.sh", f"n=0; until [ -e {go} ] || [ $n = 600 ]; do sleep 0.1; n=$((n + 1)); done")
    return go


def let_go(e, go, scripts):
    assert e.scripts() >= scripts, e.scripts()
    open(go, "w").close()
    until = time.time() + 60
    while e.scripts() > 0 and time.time() < until:
        time.sleep(0.02)
    assert e.scripts() == 0, e.scripts()


def test_begins_too_late():
    """A script that begins after its attempt was given up does nothing."""
    e = Experiment()
    go = hold_first(e)
    e.add_run("r0001", 8)
    e.finish()
    assert e.query("SELECT state, attempts, reason FROM job") == [(DONE, 2, "")]
    assert e.query("SELECT state, reason FROM attempt ORDER BY number")[0] == (FAILED, "was submitted but never started")
    let_go(e, go, 5)
    (folder,) = e.job_folders().values()
    assert e.starts(folder) == ["2"] and not os.path.exists(os.path.join(folder, "attempt-0001")), e.starts(folder)
    e.remove()


def test_stop_before_it_begins():
    e = Experiment()
    go = hold_first(e)
    e.add_run("r0001", 8)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM job WHERE state = 2")
    e.want("stop_wanted", 1)
    e.wait_for("SELECT 1 FROM job WHERE state = ? AND reason = 'stopped on request'", CANCELLED)
    conductor.terminate()
    conductor.wait(120)
    let_go(e, go, 1)
    (folder,) = e.job_folders().values()
    assert e.starts(folder) == [], e.starts(folder)
    e.remove()


def test_names():
    """Names that a shell or SQL would take for something else."""
    e = Experiment()
    names = ["r 0001", "r'2'; rm -rf \"$HOME\"", "r$(touch x)3", "r`id`4", "ré–5", "{command}", "r%s6", "-r7", "r;7"]
    for name in names:
        e.add_run(name, 3)
    e.finish()
    assert sorted(row[0] for row in e.query("SELECT name FROM run")) == sorted(names)
    assert set(e.counts().values()) == {(3, 1)} and len(e.counts()) == len(names), e.counts()
    assert all(row[0] == DONE for row in e.query("SELECT state FROM job"))
    e.remove()


def test_tags_and_partial_files():
    e = Experiment()
    e.write("INSERT INTO tag (revision, name, comment, colour, persistent) VALUES (0, 'water', '', '', 1)")
    e.add_run("r0001", 3)
    partial = os.path.join(e.data, "r0001", "r0001_c01.cxi.inprogress")
    open(partial, "w").write("5")
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM run")
    time.sleep(0.8)
    assert e.query("SELECT state FROM run") == [("recording",)]
    assert e.query("SELECT count(*) FROM job") == [(0,)]
    os.rename(partial, partial[:-len(".inprogress")])
    e.wait_for("SELECT 1 FROM job WHERE state = ?", DONE)
    conductor.terminate()
    conductor.wait(120)
    assert e.counts() == {1: (8, 3)}
    assert e.query("SELECT count(*) FROM run_tag") == [(1,)]
    e.remove()


main([value for name, value in list(globals().items()) if name.startswith("test_")])
