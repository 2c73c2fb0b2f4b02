"""Jobs that take their journals into a MariaDB themselves: without a conductor, with a database that goes away, through a port
that ssh forwards, without a firstlight-control; and that the password is nowhere but in its file."""
import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "store"))
import mariadb
from conduct import CONTROL, DONE, ENGINE, Experiment, main

PASSWORD = "unspeakable-7f3a"
servers = []


def server():
    if not servers:
        servers.append(mariadb.Server())
        servers[0].add_account("site", PASSWORD)
    return servers[0]


def make(shot_ms=25, port=None, control=True):
    """An experiment whose site reaches the database with an account of its own, at `port`."""
    e = Experiment(shot_ms=shot_ms, server=server())
    there = os.path.join(e.folder, "site")
    os.mkdir(there)
    os.symlink(ENGINE, os.path.join(there, "fake-engine"))
    if control:
        os.symlink(CONTROL, os.path.join(there, "firstlight-control"))
    options = os.path.join(there, "options.cnf")
    with open(options, "w") as file:
        file.write(f"[firstlight]\npassword={PASSWORD}\n")
    os.chmod(options, 0o600)
    url = f"mysql://site@127.0.0.1:{port or server().port}/{e.database}?tls=off&option_file={options}"
    e.run("site", "--store", e.folder, "--name", "local", "--engine", os.path.join(there, "fake-engine"), "--ingest", url)
    return e


def begin(e, shots):
    """A job runs, and nobody conducts."""
    e.add_run("r0001", shots)
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM job WHERE state = 3")
    conductor.kill()
    conductor.wait()


def in_store(e):
    return e.query("SELECT COALESCE(SUM(shots), 0) FROM slice WHERE kind = 1")[0][0]


def wait_for_more(e, than, seconds=30):
    e.wait_for("SELECT 1 FROM slice WHERE kind = 1 HAVING SUM(shots) > ?", than, seconds=seconds)


def wait_for_exit(e, seconds=60):
    """Until the job's script has ended, and nothing of it runs."""
    until = time.time() + seconds
    while not glob.glob(os.path.join(e.folder, "jobs", "*", "*.exit")) or e.processes("/jobs"):
        assert time.time() < until, e.processes("/jobs")
        time.sleep(0.05)


def said(e):
    return "".join(open(path).read() for path in glob.glob(os.path.join(e.folder, "jobs", "*", "*.db")))


def finish(e, shots):
    """The conductor comes back, takes in what is missing, and knows what the run holds."""
    e.finish()
    assert e.query("SELECT state, attempts FROM job") == [(DONE, 1)], e.query("SELECT state, attempts, reason FROM job")
    assert e.counts() == {1: (shots, (shots + 3) // 4)}, e.counts()
    assert e.query("SELECT shots, state FROM run") == [(shots, "complete")], e.query("SELECT shots, state FROM run")
    e.check_each_started_once()
    for folder, _, names in os.walk(os.path.join(e.folder, "jobs")):
        for name in names:
            assert PASSWORD.encode() not in open(os.path.join(folder, name), "rb").read(), name
    e.remove()


def test_alone():
    e = make()
    begin(e, 160)
    had = in_store(e)
    wait_for_more(e, had)
    commands = [open(f"/proc/{pid}/cmdline").read() + open(f"/proc/{pid}/environ").read() for pid in e.processes("/jobs")]
    assert commands and not any(PASSWORD in command for command in commands)
    wait_for_exit(e)
    assert in_store(e) == 160, in_store(e)  # the last look has seen the end
    assert "160 shots" in said(e) or "shots in" in said(e), said(e)
    finish(e, 160)


def test_together():
    """Conductor and job take in the same journals at the same time."""
    e = make(shot_ms=10)
    e.add_run("r0001", 200)
    e.finish()
    finish(e, 200)


def test_database_killed():
    """And back while the job runs: the rest comes at once."""
    e = make()
    begin(e, 320)
    wait_for_more(e, 0)
    server().kill9()
    time.sleep(3)
    server().start()
    wait_for_more(e, in_store(e))
    wait_for_exit(e)
    assert in_store(e) == 320, in_store(e)
    assert said(e).count("does not answer") == 1 and said(e).count("answers again") == 1, said(e)
    finish(e, 320)


def test_database_gone_at_the_end():
    """The job ends as it would have; what is missing is in the journals."""
    e = make()
    begin(e, 120)
    server().kill9()
    try:
        wait_for_exit(e, 30)
        assert "does not answer" in said(e), said(e)
    finally:
        server().start()
    assert in_store(e) < 120
    finish(e, 120)


def test_database_hangs_at_the_end():
    e = make()
    begin(e, 120)
    server().freeze()
    try:
        wait_for_exit(e, 40)
    finally:
        server().freeze(False)
    finish(e, 120)


def test_nobody_there():
    e = make(control=False)
    begin(e, 40)
    wait_for_exit(e)
    assert not glob.glob(os.path.join(e.folder, "jobs", "*", "*.db"))
    finish(e, 40)


def test_wrong_password():
    e = make()
    server().sql("SET PASSWORD FOR 'site'@'%' = PASSWORD('other')")
    begin(e, 60)
    wait_for_exit(e)
    server().sql(f"SET PASSWORD FOR 'site'@'%' = PASSWORD('{PASSWORD}')")
    assert said(e).count("\n") == 1 and "does not let this account in" in said(e), said(e)
    finish(e, 60)


# --- through a port that ssh forwards ---

class Ssh:
    """A private sshd for this user, and `ssh -N -L` through it."""

    def __init__(self, target):
        self.folder = tempfile.mkdtemp(prefix="fl-direct-")
        self.port, self.local, self.target = mariadb.free_port(), mariadb.free_port(), target
        for name in ("host", "id"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.folder}/{name}"], check=True,
                           stdin=subprocess.DEVNULL)
        shutil.copy(f"{self.folder}/id.pub", f"{self.folder}/authorized_keys")
        with open(f"{self.folder}/known", "w") as file:
            file.write(f"[127.0.0.1]:{self.port} " + open(f"{self.folder}/host.pub").read())
        with open(f"{self.folder}/config", "w") as file:
            file.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\nPidFile {self.folder}/pid\n"
                       f"AuthorizedKeysFile {self.folder}/authorized_keys\nPasswordAuthentication no\nUsePAM no\n"
                       "KbdInteractiveAuthentication no\nStrictModes no\n")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self.daemon = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", f"{self.folder}/config", "-E", f"{self.folder}/log"],
                                       stdin=subprocess.DEVNULL)
        self.tunnel = None
        self.open()

    def open(self):
        until = time.time() + 30
        while time.time() < until:
            if self.tunnel is None or self.tunnel.poll() is not None:
                self.tunnel = subprocess.Popen(
                    ["ssh", "-F", "none", "-N", "-L", f"{self.local}:127.0.0.1:{self.target}", "-p", str(self.port), "-i",
                     f"{self.folder}/id", "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "BatchMode=yes", "-o",
                     "ExitOnForwardFailure=yes", "127.0.0.1"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.local)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("ssh does not forward: " + open(f"{self.folder}/log").read()[-600:])

    def close(self):
        self.tunnel.kill()
        self.tunnel.wait()

    def end(self):
        self.close()
        self.daemon.terminate()
        self.daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def test_forwarded():
    ssh = Ssh(server().port)
    try:
        e = make(port=ssh.local)
        begin(e, 400)
        wait_for_more(e, in_store(e))
        ssh.close()
        time.sleep(2)
        ssh.open()
        wait_for_more(e, in_store(e), 40)
        wait_for_exit(e)
        assert in_store(e) == 400, in_store(e)
        assert "does not answer" in said(e), said(e)
        finish(e, 400)
    finally:
        ssh.end()


if not mariadb.available():
    print("1..0 # SKIP no MariaDB server is installed")
    sys.exit(0)
TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]
if not (shutil.which("ssh") and os.path.exists("/usr/sbin/sshd")):
    TESTS.remove(test_forwarded)
    print("# no sshd is installed: without a forwarded port")
if chosen := sys.argv[1:]:
    TESTS = [test for test in TESTS if test.__name__ in chosen]
try:
    main(TESTS)
finally:
    for one in servers:
        one.stop()
