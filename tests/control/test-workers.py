"""What the conductor keeps to: datasets each by itself, plans that wait for a person, limits, thinning, workers that pause and
are restarted, and the channel that it lends."""
import os
import subprocess
import time

from conduct import CANCELLED, CONTROL, DONE, FAILED, PLANNED, RUNNING, Experiment, main


def settle(e, seconds=0.7):
    """Whatever the conductor wants to do by itself, it has done."""
    time.sleep(seconds)


def end(conductor):
    conductor.terminate()
    assert conductor.wait(60) == 0


def site(e, **columns):
    for name, value in columns.items():
        e.write(f"UPDATE site SET {name} = ?, revision = (SELECT value FROM counter WHERE name = 'revision')", value)


def make_dataset(e, name, expression, *more):
    e.run("dataset", "--store", e.folder, "--name", name, "--expression", expression, "--min-interval", "0", *more)


def switch_off_tasks(e):
    e.write("UPDATE task SET active = 0, revision = (SELECT value FROM counter WHERE name = 'revision')")


def stream_of(e, version):
    ((path,),) = e.query("SELECT path FROM job JOIN dataset_version v ON v.id = job.version WHERE v.number = ? AND state = ?",
                         version, DONE)
    return sorted(os.path.basename(line) for line in open(os.path.join(e.folder, path, "lattices.stream")).read().split())


def test_datasets():
    """Two share their jobs; a bad one and a cyclic one stop nobody; versions follow tags."""
    e = Experiment()
    switch_off_tasks(e)
    for run in ("r0001", "r0002", "r0003"):
        e.add_run(run, 8)
    conductor = e.conduct()
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM run WHERE state = 'complete') = 3")
    settle(e)
    assert e.query("SELECT count(*) FROM job") == [(0,)]
    e.run("dataset", "--store", e.folder, "--tag-runs", "sample=r0001,r0002", "--tag-runs", "dark=r0003")
    # What the program checks, the store does not.
    e.write("INSERT INTO dataset (revision, name, expression, comment, active) VALUES "
            "((SELECT value FROM counter WHERE name = 'revision'), 'bad', 'sample and (', '', 1)")
    make_dataset(e, "cyclic", "sample", "--task", "a:spots", "--task", "b:spots:a", "--task", "a:spots:b")
    make_dataset(e, "d", "sample and not dark", "--task", "stills", "--task", "stream:export:stills")
    make_dataset(e, "twin", "runs 1", "--task", "stills")
    e.wait_for("SELECT 1 FROM worker WHERE name = 'dataset:bad' AND state = 'failing' AND message LIKE '%character%' "
               "AND next_try > 0 AND failures > 0")
    e.wait_for("SELECT 1 FROM worker WHERE name = 'dataset:cyclic' AND state = 'failing' AND message LIKE '%itself%'")
    e.wait_for("SELECT 1 FROM job WHERE dataset > 0 AND version > 0 AND state = ?", DONE)
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE dataset = 0 AND state = ?) = 2", DONE)
    settle(e)
    assert e.query("SELECT count(*) FROM job WHERE dataset = 0") == [(2,)]  # the twin's is the same
    last = e.query("SELECT max(number) FROM dataset_version")[0][0]
    e.wait_for("SELECT 1 FROM job JOIN dataset_version v ON v.id = job.version WHERE v.number = ? AND state = ?", last, DONE)
    assert stream_of(e, last) == ["t1-b0-r0001-stills", "t1-b0-r0002-stills"]
    assert e.query("SELECT lattices FROM dataset_version WHERE number = ?", last) == [(4,)]  # a quarter of 16 shots
    # The next run of the sample is another version; a run that is dark after all, one with less.
    e.write("UPDATE run_tag SET tag = (SELECT id FROM tag WHERE name = 'sample'), revision = (SELECT value FROM counter WHERE "
            "name = 'revision') WHERE tag = (SELECT id FROM tag WHERE name = 'dark')")
    e.run("dataset", "--store", e.folder, "--tag-runs", "dark=r0002")
    want = ["t1-b0-r0001-stills", "t1-b0-r0003-stills"]
    until = time.time() + 60
    while time.time() < until and not e.query(
            "SELECT 1 FROM dataset_version v JOIN job ON job.version = v.id WHERE v.number = ? AND state = ? AND 2 = "
            "(SELECT count(*) FROM version_job JOIN job j ON j.id = version_job.job JOIN run ON run.id = j.run "
            "WHERE version_job.version = v.id AND run.name IN ('r0001', 'r0003'))",
            last := e.query("SELECT max(number) FROM dataset_version")[0][0], DONE):
        time.sleep(0.05)
    assert stream_of(e, last) == want, (last, stream_of(e, last), e.query("SELECT * FROM dataset_version"))
    numbers = [number for (number,) in e.query("SELECT number FROM dataset_version ORDER BY id")]
    assert numbers == list(range(1, len(numbers) + 1)), numbers
    # A dataset that is mended goes on.
    e.write("UPDATE dataset SET expression = 'dark', revision = (SELECT value FROM counter WHERE name = 'revision') "
            "WHERE name = 'bad'")
    e.wait_for("SELECT 1 FROM worker WHERE name = 'dataset:bad' AND state = 'ok'")
    end(conductor)
    e.check_each_started_once()
    e.remove()


def test_steps():
    """A step waits for the one before; a version for enough lattices."""
    e = Experiment()
    switch_off_tasks(e)
    e.add_run("r0001", 40)
    e.hold()
    make_dataset(e, "d", "runs 1-", "--task", "find:spots", "--task", "all:all:find", "--task", "stream:export:all",
                 "--min-lattices", "15")
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM job JOIN task ON task.id = job.task WHERE task.name = 'find' AND state = ?", RUNNING)
    assert e.query("SELECT count(*) FROM job") == [(1,)]
    e.release()
    e.wait_for("SELECT 1 FROM job JOIN task ON task.id = job.task WHERE task.name = 'all' AND state = ?", DONE)
    e.wait_for("SELECT 1 FROM worker WHERE name = 'dataset:d' AND state = 'waiting' AND message LIKE '%10 of 15%'")
    assert e.query("SELECT count(*) FROM dataset_version") == [(0,)]
    e.add_run("r0002", 20)
    e.wait_for("SELECT 1 FROM job WHERE version > 0 AND state = ?", DONE)
    assert e.query("SELECT number, lattices, note FROM dataset_version") == [(1, 15, "2 new jobs")]
    end(conductor)
    e.remove()


def test_merge():
    """A dataset's merge: each version goes on from the newest one that was merged, and what it finds lies in the store."""
    e = Experiment()
    switch_off_tasks(e)
    failing = e.environment["FAKE_FAIL"] = os.path.join(e.folder, "fail")
    make_dataset(e, "d", "runs 1-", "--task", "stills", "--task", "both:merge:stills")
    conductor = e.conduct()

    def merged(version, state):
        """Folder and command of the version's merge, when it has come to that state."""
        ((job, path, command, reason),) = e.wait_for(
            "SELECT job.id, job.path, a.command, job.reason FROM job JOIN dataset_version v ON v.id = job.version "
            "JOIN attempt a ON a.job = job.id WHERE v.number = ? AND job.state = ? ORDER BY a.number DESC LIMIT 1", version, state)
        return job, os.path.join(e.folder, path), command, reason

    def slices(job):
        return e.query("SELECT kind, length, data FROM slice JOIN slice_column c ON c.id = 64 * slice.id "
                       "WHERE job = ? AND kind >= 8 ORDER BY kind", job)

    e.add_run("r0001", 16)
    first, folder, command, _ = merged(1, DONE)
    assert "--parent" not in command and "/t1-b0-r0001-stills" in command, command
    found = slices(first)
    assert [(kind, length) for kind, length, _ in found] == [(8, 1), (9, 3), (10, 1), (11, 2)], found
    assert b"too few reflections" in found[2][2]
    # One that fails says why; nobody goes on from it, but from the one before.
    open(failing, "w").write("merge")
    e.add_run("r0002", 16)
    second, _, command, reason = merged(2, FAILED)
    assert "asked to fail" in reason and f"--parent {folder} " in command.replace("'", ""), (reason, command)
    assert "r0001-stills" in command and "r0002-stills" in command and slices(second) == []
    e.add_run("r0003", 32)
    third, newest, command, _ = merged(3, DONE)
    assert f"--parent {folder} " in command.replace("'", ""), command
    found = slices(third)
    assert len(found) == 4 and f"{4:016x}".encode() in found[0][2] and f"{16:016x}".encode() in found[0][2], found[0]
    # Tried again it is done; the next goes on from the newest version, not from what was merged last.
    e.want("retry_wanted", second)
    merged(2, DONE)
    assert len(slices(second)) == 4
    e.add_run("r0004", 4)
    _, _, command, _ = merged(4, DONE)
    assert f"--parent {newest} " in command.replace("'", ""), command
    assert e.query("SELECT number, lattices, note FROM dataset_version ORDER BY number") == [
        (1, 4, "1 new job"), (2, 8, "1 new job"), (3, 16, "1 new job"), (4, 17, "1 new job")]
    assert e.query("SELECT count(*) FROM worker WHERE state = 'failing'") == [(0,)]
    end(conductor)
    e.check_each_started_once()
    e.remove()


def test_undo():
    """What a person causes waits, and can be taken back; what arrives by itself does not wait."""
    e = Experiment(undo=3600)
    e.add_run("r0001", 8)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM job WHERE state = ?", DONE)
    assert e.query("SELECT not_before FROM job") == [(0,)]
    e.run("experiment", "--store", e.folder, "--trial", "")
    e.wait_for("SELECT 1 FROM job WHERE id = 2 AND state = ? AND not_before > 0", PLANNED)
    e.want("stop_wanted", 2)
    e.wait_for("SELECT 1 FROM job WHERE id = 2 AND state = ?", CANCELLED)
    e.write("UPDATE job SET not_before = 1, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE id = 2")
    settle(e)
    assert e.query("SELECT count(*) FROM attempt") == [(1,)]
    e.write("UPDATE experiment SET undo_seconds = 1, revision = (SELECT value FROM counter WHERE name = 'revision')")
    settle(e)
    wanted = time.time_ns()
    e.want("retry_wanted", 2)
    e.wait_for("SELECT 1 FROM job WHERE id = 2 AND state = ?", DONE)
    assert e.query("SELECT submitted - ? > 1000000000 FROM attempt WHERE job = 2", wanted) == [(1,)]
    end(conductor)
    e.remove()


def test_approval():
    e = Experiment()
    e.write("UPDATE experiment SET approve_above = 2, revision = (SELECT value FROM counter WHERE name = 'revision')")
    for run in range(1, 4):
        e.add_run(f"r{run:04d}", 4)
    conductor = e.conduct()
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 3", DONE)  # they came by themselves
    e.run("experiment", "--store", e.folder, "--trial", "")
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE held = 1 AND state = ?) = 3", PLANNED)
    settle(e)
    assert e.query("SELECT count(*) FROM attempt") == [(3,)]
    for job in (4, 6):
        e.write("UPDATE job SET held = 0, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE id = ?", job)
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 5", DONE)
    assert e.query("SELECT state, held FROM job WHERE id = 5") == [(PLANNED, 1)]
    # At a site on hold everything waits.
    site(e, hold=1)
    e.add_run("r0009", 4)
    e.wait_for("SELECT 1 FROM job JOIN run ON run.id = job.run WHERE run.name = 'r0009' AND held = 1")
    settle(e)
    assert e.query("SELECT count(*) FROM attempt") == [(5,)]
    end(conductor)
    e.remove()


def test_limits():
    e = Experiment()
    e.hold()
    site(e, max_jobs=1, cores=8)
    for run in range(1, 5):
        e.add_run(f"r{run:04d}", 10)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM worker WHERE name = 'submit:local' AND state = 'waiting' AND message LIKE '%as many jobs%'")
    e.release()
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 4", DONE)
    times = e.query("SELECT submitted, ended FROM attempt ORDER BY id")  # each after the one before
    assert len(times) == 4 and all(before[1] <= after[0] for before, after in zip(times, times[1:])), times
    e.wait_for("SELECT 1 FROM worker WHERE name = 'submit:local' AND state = 'ok'")
    # Two hours on one node are more than is left.
    site(e, max_jobs=0, max_node_hours=1)
    e.write("UPDATE attempt SET started = 1, ended = 7200000000001, revision = (SELECT value FROM counter WHERE name = 'revision') "
            "WHERE id = 1")
    e.add_run("r0009", 4)
    e.wait_for("SELECT 1 FROM worker WHERE name = 'submit:local' AND state = 'waiting' AND message LIKE '2.0 of the 1.0 node-hours%'")
    assert e.query("SELECT count(*) FROM attempt") == [(4,)]
    site(e, max_node_hours=3)
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 5", DONE)
    end(conductor)
    e.remove()


def test_thin():
    """Six runs wait for a site that takes one at a time: a quarter of each first, the rest when nothing waits."""
    e = Experiment()
    e.hold()
    site(e, max_jobs=1)
    e.write("UPDATE experiment SET backlog = 'thin', thin_fraction = 0.25")
    e.add_run("r0000", 40)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM slice WHERE kind = 1")
    for run in range(1, 7):
        e.add_run(f"r{run:04d}", 40)
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 6", PLANNED)
    e.release()
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ? AND fraction IN (0, 1)) = 7", DONE)
    # By what was begun, in order: what there is at some moment depends on the machine.
    newest = [job for (job,) in e.query("SELECT job.id FROM job JOIN run ON run.id = job.run WHERE job.id != 1 "
                                        "ORDER BY run.completed DESC, job.id")]
    thinned = newest[:4]  # the last two do not wait behind others
    begun = [(job, number, "--fraction" in command)
             for job, number, command in e.query("SELECT job, number, command FROM attempt ORDER BY id")]
    assert begun == [(1, 1, False), *((job, 1, job in thinned) for job in newest),
                     *((job, 2, False) for job in sorted(thinned, reverse=True))], (newest, begun)
    assert set(e.counts().values()) == {(40, 10)} and len(e.counts()) == 7, e.counts()
    end(conductor)
    e.check_each_started_once()
    e.remove()


def test_workers():
    """One that cannot work says so, pauses, and begins again when asked; the others go on."""
    e = Experiment()
    e.add_run("r0001", 4)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM job WHERE state = ?", DONE)
    for name in ("runs", "plan", "ingest", "submit:local", "poll:local"):
        e.wait_for("SELECT 1 FROM worker WHERE name = ? AND state = 'ok' AND last_success > 0", name)
    # Nothing is written while nothing happens.
    for _ in range(30):
        revision = e.query("SELECT value FROM counter WHERE name = 'revision'")
        settle(e, 1)
        if quiet := e.query("SELECT value FROM counter WHERE name = 'revision'") == revision:
            break
    assert quiet
    # Where the next job's folder should be, is a file.
    os.rename(os.path.join(e.folder, "jobs"), os.path.join(e.folder, "jobs-away"))
    open(os.path.join(e.folder, "jobs"), "w").close()
    e.add_run("r0002", 4)
    ((pause,),) = e.wait_for("SELECT next_try FROM worker WHERE name = 'plan' AND state = 'failing' AND failures >= 4 AND "
                             "message LIKE '%cannot be made%' AND next_try > (julianday() - 2440587.5) * 86400e9 + 6e9")
    assert e.query("SELECT name FROM run ORDER BY id") == [("r0001",), ("r0002",)]
    os.remove(os.path.join(e.folder, "jobs"))
    os.rename(os.path.join(e.folder, "jobs-away"), os.path.join(e.folder, "jobs"))
    e.write("UPDATE worker SET restart_wanted = 1, revision = (SELECT value FROM counter WHERE name = 'revision') "
            "WHERE name = 'plan'")
    e.wait_for("SELECT 1 FROM worker WHERE name = 'plan' AND state = 'ok' AND failures = 0 AND restart_wanted = 0 "
               "AND last_success < ?", pause)
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 2", DONE)
    end(conductor)
    e.remove()


def test_unknown_site():
    """A site of a kind that is not known, or without a driver, does not stop the others."""
    e = Experiment()
    e.write("INSERT INTO site (revision, name, kind, host, user_name, engine, scratch, launcher, environment, cores) VALUES "
            "((SELECT value FROM counter WHERE name = 'revision'), 'moon', 'moon', '', '', '', 'experiment', '', '', 0)")
    e.run("dataset", "--store", e.folder, "--name", "far", "--expression", "runs 1-", "--task", "there:spots")
    e.write("UPDATE task SET site = 2, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE name = 'there'")
    e.add_run("r0001", 4)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM job WHERE state = ?", DONE)
    settle(e)
    assert e.query("SELECT state FROM job JOIN task ON task.id = job.task WHERE name = 'there'") == [(PLANNED,)]
    # It is mended: the link is made anew.
    e.run("site", "--store", e.folder, "--name", "moon", "--kind", "local", "--launcher", "env", "--engine",
          os.environ["FAKE_ENGINE"])
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 2", DONE)
    # What has not begun goes elsewhere when its site is switched off; what is bound to it waits, and that is said.
    e.write("UPDATE site SET active = 0, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE id = 2")
    e.write("UPDATE task SET site = 0, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE name = 'stills'")
    e.add_run("r0002", 4)
    e.wait_for("SELECT 1 FROM worker WHERE name = 'submit:moon' AND state = 'waiting' AND message LIKE 'is switched off%'")
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 3", DONE)
    e.write("UPDATE task SET site = 0, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE name = 'there'")
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 4", DONE)
    end(conductor)
    e.remove()


def test_hurry():
    """What follows from the end of a job – its version, its merge – does not wait for the conductor's beat."""
    e = Experiment()
    e.add_run("r0001", 5)
    make_dataset(e, "d", "runs 1-", "--task", "stills", "--task", "both:merge:stills")
    time.sleep(0.3)  # the run is complete at the first look
    conductor = e.conduct("--interval", "3")
    merge = e.wait_for("SELECT attempt.submitted FROM attempt JOIN job ON job.id = attempt.job WHERE job.version > 0")[0][0]
    stills = e.query("SELECT attempt.submitted FROM attempt JOIN job ON job.id = attempt.job WHERE job.run > 0")[0][0]
    print(f"# submitted {(merge - stills) / 1e9:.2f} s after the job that it waits for; a beat is 3 s")
    assert merge - stills < 8e9, (stills, merge)  # one beat until its end is seen; four, were each step to wait
    end(conductor)
    e.remove()


def test_verbs():
    """Sites and datasets from scripts: again does no harm, wrong input is one line and changes nothing."""
    e = Experiment()
    make = ["site", "--store", e.folder, "--name", "cori", "--host", "cori.example.org", "--port", "2222", "--user", "ana",
            "--scratch", "/scratch/ana", "--root", "data=/data", "--partition", "fast", "--minutes", "5", "--transport", "openssh"]
    for _ in range(2):
        e.run(*make)
    e.run("site", "--store", e.folder, "--name", "cori", "--hold", "1", "--root", "data=/data2")
    assert e.query("SELECT kind, host, port, user_name, scratch, batch_partition, minutes, transport, hold, active FROM site "
                   "WHERE name = 'cori'") == [("ssh", "cori.example.org", 2222, "ana", "experiment", "fast", 5, "openssh", 1, 1)]
    assert e.query("SELECT root, path FROM site_root ORDER BY root") == [("data", "/data2"), ("experiment", "/scratch/ana")]
    assert "ana@cori.example.org\ton hold" in e.run("site", "--store", e.folder).stdout
    for _ in range(2):
        make_dataset(e, "d", "a or b", "--task", "find:spots", "--task", "out:export:find", "--trial", "1")
    find, out = (e.query("SELECT id FROM task WHERE name = ?", name)[0][0] for name in ("find", "out"))
    assert e.query("SELECT task, number, after FROM dataset_task ORDER BY number") == [(find, 1, ""), (out, 2, str(find))]
    assert e.query("SELECT expression, trial, active FROM dataset") == [("a or b", 1, 1)]
    before = e.query("SELECT value FROM counter WHERE name = 'revision'")
    for arguments, said in [
            (["site", "--name", "x", "--kind", "moon"], "expected local, slurm or ssh"),
            (["site", "--name", "x", "--root", "data=relative"], "expected NAME=/PATH/THERE"),
            (["site", "--name", "nobody", "--remove"], "no site called"),
            (["dataset", "--name", "d", "--expression", "a or"], "character"),
            (["dataset", "--name", "d", "--task", "new"], "expected NAME:TYPE"),
            (["dataset", "--name", "d", "--task", "find:all"], "is of type spots already"),
            (["dataset", "--name", "d", "--trial", "9"], "--trial 9: there is none"),
            (["dataset", "--name", "d", "--goal", "cc_ano=0.2 cc_half=7"], "from 0 to 1"),
            (["dataset", "--name", "d", "--goal", "cc=0.5"], "expected d_min, completeness"),
            (["dataset", "--tag-runs", "t=r9"], "no run called 'r9'")]:
        done = e.run(arguments[0], "--store", e.folder, *arguments[1:], check=False)
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, (arguments, done)
    assert e.query("SELECT value FROM counter WHERE name = 'revision'") == before
    e.run("site", "--store", e.folder, "--name", "cori", "--remove")
    assert e.query("SELECT count(*) FROM site_root") == [(0,)]
    e.remove()


def test_channel():
    e = Experiment()
    e.environment["XDG_RUNTIME_DIR"] = e.folder
    asked = [CONTROL, "channel", "--store", e.folder, "--site", "local", "--", "sh", "-c", 'printf "<%s>" "$1"; cat', "x",
             "a 'b' $(c)"]
    none = subprocess.run(asked, env=e.environment, capture_output=True, stdin=subprocess.DEVNULL)
    assert none.returncode == 75 and none.stderr.count(b"\n") == 1 and b"no conductor" in none.stderr, none
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM worker WHERE name = 'runs'")
    data = os.urandom(3 << 20)
    began = time.time()
    done = subprocess.run(asked, env=e.environment, capture_output=True, input=data)
    print(f"# 3 MB there and back: {time.time() - began:.2f} s")
    assert done.returncode == 0 and done.stdout == b"<a 'b' $(c)>" + data, (done.returncode, len(done.stdout), done.stderr)
    other = subprocess.run([*asked[:5], "mars", *asked[6:]], env=e.environment, capture_output=True, stdin=subprocess.DEVNULL)
    assert other.returncode == 2 and b"mars" in other.stderr, other
    end(conductor)
    e.remove()


main([value for name, value in list(globals().items()) if name.startswith("test_")])
