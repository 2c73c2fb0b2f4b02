"""far.py: an experiment on this machine whose jobs run at a test cluster, over SSH: what the tests of far jobs share.

The PC has a home of its own (known hosts, runtime folder) and knows nothing of the cluster's Slurm. Runs lie at the site alone;
what the store knows of the site is what the wizard writes."""
import collections
import ctypes
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

PLANNED, SUBMITTING, QUEUED, RUNNING, DONE, FAILED, CANCELLED, TIMED_OUT, PREEMPTED = range(9)
STATES = "planned submitting queued running done failed cancelled timed-out preempted".split()


def die_with_test():
    ctypes.CDLL(None).prctl(1, int(signal.SIGTERM), 0, 0, 0)  # PR_SET_PDEATHSIG


class Far:
    """`site`: more columns of the site's record (`minutes=1`); `shot_ms`: how long a shot takes the fake engine; `quiet`: s
    until a run counts as complete; `scratch`: where jobs' folders lie there."""

    def __init__(self, cluster, control, engine, transport="libssh2", shot_ms=0, quiet=0.3, scratch=None, params="",
                 stages="all", arguments=(), **site):
        self.cluster, self.control = cluster, control
        self.top = tempfile.mkdtemp(prefix="fl-pc-", dir=os.path.dirname(cluster.folder))
        self.folder, self.home, self.raw = (os.path.join(self.top, name) for name in ("exp", "home", "raw"))
        self.far_raw = os.path.join(cluster.folder, "site", os.path.basename(self.top) + "-raw")
        self.far_scratch = scratch or os.path.join(cluster.scratch, os.path.basename(self.top))
        cluster.run(["mkdir", "-p", self.far_raw, self.far_scratch])
        self.processes, self.conductor, self.log = [], None, os.path.join(self.top, "log")
        try:
            self.make_home()
            self.make_experiment(engine, transport, shot_ms, quiet, params, stages, arguments, site)
        except BaseException:
            self.close()
            raise

    def make_experiment(self, engine, transport, shot_ms, quiet, params, stages, arguments, site):
        cluster = self.cluster
        self.program("experiment", "--store", self.folder, "--watch", self.raw, "--quiet", str(quiet), "--trial", params,
                     "--stages", stages, *arguments)
        shared = {"kind": "ssh", "host": cluster.host, "port": cluster.port, "user_name": cluster.user, "transport": transport,
                  "identity": cluster.key, "ssh_config": self.ssh_config, "engine": engine, "scratch": "experiment",
                  "nodes": 1, "ranks_per_node": 1, "minutes": 10, "active": 1,
                  "environment": f"export FAKE_SHOT_MS={shot_ms}"}
        self.site = self.add("site", name="far", **{**shared, **site})
        self.add("site_root", site=self.site, root="data", path=self.far_raw)
        self.add("site_root", site=self.site, root="experiment", path=self.far_scratch)
        self.set("watch", "site", self.site)
        self.set("task", "site", self.site)
        self.set("site", "active", 0, "name = 'local'")
        self.set("experiment", "undo_seconds", 0)

    def make_home(self):
        os.makedirs(os.path.join(self.home, ".ssh"), mode=0o700)
        os.mkdir(os.path.join(self.top, "run"), mode=0o700)
        self.known_hosts = os.path.join(self.home, ".ssh", "known_hosts")
        shutil.copyfile(self.cluster.known_hosts, self.known_hosts)
        self.ssh_config = os.path.join(self.home, ".ssh", "config")
        with open(self.ssh_config, "w") as file:  # OpenSSH does not ask HOME where it is at home
            file.write(f"UserKnownHostsFile {self.known_hosts}\nGlobalKnownHostsFile none\nIdentityAgent none\n")
        os.mkdir(self.raw)
        hidden = ("SLURM_CONF", "SSH_AUTH_SOCK", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
        self.environment = {name: text for name, text in os.environ.items() if name not in hidden}
        self.environment |= {"HOME": self.home, "XDG_RUNTIME_DIR": os.path.join(self.top, "run"), "LC_ALL": "C.UTF-8"}

    # --- what the person does ---

    def program(self, *arguments, check=True, timeout=120):
        done = subprocess.run([self.control, *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL, cwd=self.top)
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments}: exit {done.returncode}: {done.stderr}")
        return done

    def start(self, argv, **environment):
        with open(self.log, "ab") as log:
            process = subprocess.Popen(argv, env={**self.environment, **environment}, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, cwd=self.top, start_new_session=True, preexec_fn=die_with_test)
        self.processes.append(process)
        return process

    def conduct(self, *arguments):
        self.conductor = self.start([self.control, "conduct", "--store", self.folder, "--interval", "0.2", *arguments])
        return self.conductor

    def end(self, process, number=signal.SIGTERM, seconds=60):
        """Its exit status."""
        process.send_signal(number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{process.args}: does not end within {seconds} s")
        finally:
            self.processes.remove(process)

    def add_run(self, name, *shots):
        """At the site: a folder of files as the fake engine reads them."""
        folder = os.path.join(self.far_raw, name)
        self.cluster.run(["mkdir", "-p", folder])
        for i, n in enumerate(shots):
            self.cluster.write(os.path.join(folder, f"{name}_c{i:02d}.cxi"), str(n))

    # --- the store ---

    def query(self, sql, *values):
        store = sqlite3.connect(os.path.join(self.folder, "firstlight.sqlite"), timeout=60)
        try:
            return store.execute(sql, values).fetchall()
        finally:
            store.close()

    def write(self, sql, *values):
        """A change as the control room makes it: with a revision of its own, :revision in `sql` (the last place)."""
        store = sqlite3.connect(os.path.join(self.folder, "firstlight.sqlite"), timeout=60)
        try:
            with store:
                store.execute("UPDATE counter SET value = value + 1 WHERE name = 'revision'")
                (revision,) = store.execute("SELECT value FROM counter WHERE name = 'revision'").fetchone()
                return store.execute(sql, (*values, revision)).lastrowid
        finally:
            store.close()

    def add(self, table, **columns):
        """The record's id. Columns that are not given are empty."""
        for _, name, kind, needed, default, key in self.query(f"SELECT * FROM pragma_table_info('{table}')"):
            if needed and default is None and not key and name != "revision":
                columns.setdefault(name, "" if kind.upper().startswith(("TEXT", "VARCHAR")) else 0)
        names = [*columns, "revision"]
        return self.write(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
                          *columns.values())

    def set(self, table, column, value, where="1 = 1"):
        self.write(f"UPDATE {table} SET {column} = ?, revision = ? WHERE {where}", value)

    def want(self, what, job):
        self.set("job", what, 1, f"id = {int(job)}")

    def wait_for(self, sql, *values, seconds=120, what=""):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.query(sql, *values)
            if found:
                return found
            time.sleep(0.03)
        raise AssertionError(f"not within {seconds} s: {what or sql} {values}\n{self.report()}")

    def wait_done(self, jobs, seconds=180):
        """All of them are done; one that waits for a person is a failure at once."""
        self.wait_for(f"SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = ? OR EXISTS (SELECT 1 FROM job WHERE "
                      f"state IN ({FAILED}, {CANCELLED}) AND retry_wanted = 0)", DONE, jobs, seconds=seconds,
                      what=f"{jobs} jobs done")
        assert not self.query("SELECT 1 FROM job WHERE state != ?", DONE), self.report()

    def report(self):
        """What there is, for who reads that a test has failed."""
        lines = [f"job {i}: {STATES[state]}: {reason}" for i, state, reason in self.query("SELECT id, state, reason FROM job")]
        lines += [f"attempt {i} of job {job}: {STATES[state]} {name} id {remote}, exit {code}, {cause}: {reason}; {why}; {tail}"
                  for i, job, state, name, remote, code, cause, reason, why, tail in self.query(
                      "SELECT id, job, state, job_name, remote_id, exit_code, cause, reason, batch_reason, "
                      "substr(stderr_tail, -300) FROM attempt")]
        lines += ["worker %s: %s: %s" % row for row in self.query("SELECT name, state, message FROM worker")]
        lines += ["run %s: %s" % row for row in self.query("SELECT name, state FROM run")]
        lines += [f"slurm {job}: {state}" for job, state in self.slurm_jobs().items()]
        lines += open(self.log, errors="replace").read()[-1500:].splitlines() if os.path.exists(self.log) else []
        return "\n".join(lines)

    def slurm_jobs(self):
        """Of this experiment: {(id, name): state}; not those of the wizard."""
        try:
            return {job: state for job, state in self.cluster.jobs(self.far_scratch).items() if job[1] != "fl-probe"}
        except AssertionError as error:  # slurmctld is away
            return {("?", "?"): str(error)}

    def counts(self):
        """Net shots and hits a job."""
        return {job: (shots, hits) for job, shots, hits in self.query(
            "SELECT job, sum(shots), sum(hits) FROM slice WHERE kind = 1 GROUP BY job")}

    # --- what must hold ---

    def job_folder(self, job):
        return os.path.join(self.far_scratch, self.query("SELECT path FROM job WHERE id = ?", job)[0][0])

    def starts(self, job):
        try:
            return [line.split()[0] for line in open(os.path.join(self.job_folder(job), "starts"))]
        except FileNotFoundError:
            return []

    def check_nothing_twice(self):
        """Slurm has seen each attempt once, and nothing of ours that is no attempt."""
        jobs = self.slurm_jobs()
        names = collections.Counter((name, job.partition("_")[2]) for job, name in jobs)
        twice = [name for name, n in names.items() if n > 1]
        assert not twice, f"submitted twice: {twice}\n{self.report()}"
        known = {remote for (remote,) in self.query("SELECT remote_id FROM attempt")}
        assert {job for job, _ in jobs} <= known, f"no attempts: {jobs.keys()} {known}\n{self.report()}"
        for (job,) in self.query("SELECT id FROM job"):
            assert "TWICE" not in self.starts(job), f"two at once: job {job}: {self.starts(job)}\n{self.report()}"

    def check_counts(self, wanted):
        """{run: shots}: each run's only job is done, and every shot of it counts once."""
        rows = self.query("SELECT run.name, job.id, job.state FROM job JOIN run ON run.id = job.run ORDER BY run.name")
        assert [row[0] for row in rows] == sorted(wanted), f"{rows}\n{self.report()}"
        counts = self.counts()
        for run, job, state in rows:
            assert state == DONE, f"{run}: {STATES[state]}\n{self.report()}"
            assert counts.get(job, (0, 0))[0] == wanted[run], f"{run}: {counts.get(job)}, not {wanted[run]}\n{self.report()}"

    def check_whole(self):
        assert self.query("PRAGMA integrity_check") == [("ok",)]

    def close(self):
        """Nothing of it runs any more, here or there; its folder is removed."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        left = [job for (job, _), state in self.slurm_jobs().items() if state in ("PENDING", "RUNNING")]
        if left:
            self.cluster.run(["scancel", *map(str, left)], check=False)
        shutil.rmtree(self.top, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
