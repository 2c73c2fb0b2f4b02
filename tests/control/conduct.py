"""What the tests of the conductor share: an experiment of fake runs, the programs, a look into the store."""
import glob
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

CONTROL, ENGINE = os.environ["FIRSTLIGHT_CONTROL"], os.environ["FAKE_ENGINE"]
PLANNED, SUBMITTING, QUEUED, RUNNING, DONE, FAILED, CANCELLED, TIMED_OUT, PREEMPTED = range(9)


class Experiment:
    all = []

    def __init__(self, shot_ms=1, undo=0, science="sfx", server=None):
        """`server`: of tests/store/mariadb.py; without one the store is SQLite's."""
        Experiment.all.append(self)
        self.folder = tempfile.mkdtemp(prefix="firstlight-conduct-")
        self.server, self.database = server, os.path.basename(self.folder).replace("-", "_")
        if server:
            with open(os.path.join(self.folder, "database.ini"), "w") as file:
                file.write(f"[database]\nurl={server.url(self.database, tcp=True)}\ntls=off\n")
        self.data = os.path.join(self.folder, "data")
        os.mkdir(self.data)
        self.held = os.path.join(self.folder, "hold")
        self.environment = dict(os.environ, FAKE_SHOT_MS=str(shot_ms), FAKE_HOLD=self.held)
        self.run("experiment", "--store", self.folder, "--watch", self.data, "--quiet", "0.2", "--trial", "",
                 "--launcher", "env", "--engine", ENGINE, "--cores", "2", "--ranks", "1", "--science", science)
        self.write("UPDATE experiment SET undo_seconds = ?", undo)

    def run(self, *arguments, check=True):
        done = subprocess.run([CONTROL, *arguments], env=self.environment, capture_output=True, text=True, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments}: exit {done.returncode}: {done.stderr}")
        return done

    def add_run(self, name, *shots):
        folder = os.path.join(self.data, name)
        os.makedirs(folder, exist_ok=True)
        for i, n in enumerate(shots):
            with open(os.path.join(folder, f"{name}_c{i:02d}.cxi"), "w") as file:
                file.write(str(n))

    def conduct(self, *arguments):
        return subprocess.Popen([CONTROL, "conduct", "--store", self.folder, "--interval", "0.03", *arguments],
                                env=self.environment, stderr=subprocess.PIPE, text=True)

    def hold(self):
        """From now on no program of a job gets further than its first shot."""
        open(self.held, "w").close()

    def release(self):
        os.unlink(self.held)

    def hold_scripts(self, pattern, wait):
        """The shell takes its time before it begins a script of this name."""
        folder = os.path.join(self.folder, "bin")
        os.mkdir(folder)
        with open(os.path.join(folder, "sh"), "w") as file:
            file.write(f'#!/bin/sh\ncase $1 in\n*/{pattern}) {wait} ;;\nesac\nexec /bin/sh "$@"\n')
        os.chmod(os.path.join(folder, "sh"), 0o755)
        self.environment["PATH"] = folder + ":" + os.environ["PATH"]

    def processes(self, of=""):
        """Whose command line has the folder in it: conductors, scripts of jobs (begun or held), programs; or some of them."""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                if (self.folder + of).encode() in open(path, "rb").read():
                    found.append(int(path.split("/")[2]))
            except OSError:
                pass
        return found

    def scripts(self):
        """How many scripts of jobs there are, begun or held."""
        return len(self.processes("/jobs"))

    def finish(self, timeout=200):
        for _ in range(3):
            conductor = self.conduct("--until-idle")
            _, said = conductor.communicate(timeout=timeout)
            if conductor.returncode != 75:  # try again
                break
            print(f"# {said.strip()}", flush=True)
        assert conductor.returncode == 0, (conductor.returncode, said)
        return said

    def ask_server(self, sql, values):
        for value in values:
            text = str(value).replace("\\", "\\\\").replace("'", "''")
            sql = sql.replace("?", text if isinstance(value, (int, float)) else f"'{text}'", 1)
        said = self.server.sql(sql, database=self.database)
        return [tuple(int(word) if re.fullmatch(r"-?\d+", word) else word for word in line.split("\t"))
                for line in said.splitlines()]

    def query(self, sql, *values):
        if self.server:
            return self.ask_server(sql, values)
        store = sqlite3.connect(os.path.join(self.folder, "firstlight.sqlite"), timeout=60)
        try:
            return store.execute(sql, values).fetchall()
        finally:
            store.close()

    def write(self, sql, *values):
        if self.server:
            self.ask_server("START TRANSACTION; UPDATE counter SET value = value + 1 WHERE name = 'revision'; "
                            f"{sql}; COMMIT", values)
            return
        store = sqlite3.connect(os.path.join(self.folder, "firstlight.sqlite"), timeout=60)
        with store:
            store.execute("UPDATE counter SET value = value + 1 WHERE name = 'revision'")
            store.execute(sql, values)
        store.close()

    def want(self, what, job):
        self.write(f"UPDATE job SET {what} = 1, revision = (SELECT value FROM counter WHERE name = 'revision') "
                   "WHERE id = ?", job)

    def wait_for(self, sql, *values, seconds=120):
        until = time.time() + seconds
        while time.time() < until:
            found = self.query(sql, *values)
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{sql} {values}: not within {seconds} s: {self.query('SELECT * FROM job')}")

    def job_folders(self):
        return {job: os.path.join(self.folder, path) for job, path in self.query("SELECT id, path FROM job")}

    def starts(self, folder):
        try:
            return [line.split()[0] for line in open(os.path.join(folder, "starts"))]
        except FileNotFoundError:
            return []

    def kill_session(self, job, number=signal.SIGKILL):
        """Kills whatever runs of the job, its script included; True if something did."""
        folder = self.job_folders()[job]
        killed = False
        for name in sorted(os.listdir(folder)):
            if name.endswith(".pid") and not os.path.exists(os.path.join(folder, name[:-4] + ".exit")):
                words = open(os.path.join(folder, name)).read().split()
                if len(words) < 4 or int(words[0]) <= 1:  # not written yet
                    continue
                session = words[0]
                try:  # never another's that has got the number
                    if open(f"/proc/{session}/stat").read().rsplit(")", 1)[1].split()[19] != words[1]:
                        continue
                except OSError:
                    pass
                for pid in filter(str.isdigit, os.listdir("/proc")):
                    try:
                        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
                        if fields[3] == session and fields[0] != "Z":
                            os.kill(int(pid), number)
                            killed = True
                    except OSError:
                        pass
        return killed

    def counts(self):
        """Net shots and hits a job."""
        return dict((job, (shots, hits)) for job, shots, hits in self.query(
            "SELECT job, sum(shots), sum(hits) FROM slice WHERE kind = 1 GROUP BY job"))

    def check_each_started_once(self):
        for folder in self.job_folders().values():
            starts = self.starts(folder)
            assert "TWICE" not in starts, (folder, starts)
            assert len(starts) == len(set(starts)), (folder, starts)

    def stop(self):
        """Whatever runs of it; the conductor first would not do, for what it has just begun."""
        while left := self.processes():
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            time.sleep(0.01)

    def remove(self):
        self.stop()
        Experiment.all.remove(self)
        subprocess.run(["rm", "-rf", self.folder], check=True)


def main(tests):
    """TAP; a failed test's experiment is left behind, but nothing of it runs on; nor does anything when we are ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for i, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {i} {test.__name__}", flush=True)
        except Exception as error:  # report, go on with the next
            failed += 1
            where = [f"line {frame.lineno}: {frame.line}" for frame in traceback.extract_tb(error.__traceback__)]
            lines = "\n".join(where + [f"{type(error).__name__}: {error}"]).splitlines()
            print(f"not ok {i} {test.__name__}\n# " + "\n# ".join(lines), flush=True)
        finally:
            while Experiment.all:
                Experiment.all.pop().stop()
    raise SystemExit(1 if failed else 0)
