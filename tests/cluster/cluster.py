#!/usr/bin/env python3
"""cluster.py: a batch system at another laboratory, on this machine: munge, Slurm (2 to 8 emulated nodes; with accounting also
MariaDB and slurmdbd), sshd and a slow link to it, all as one unprivileged user in one private folder, as found on a clean
machine. Root creates (or reuses) that user, `firstlight-test`; anybody else is it. Everything ends with stop(), with the
`with` block, or with the test, however that ends (keeper.py).

    with Cluster(nodes=2, cpus=4, accounting=False, delay=0.0, greeting="") as c:     # 1 s; with accounting 6 s
        c.host c.port c.user c.key c.known_hosts     how to log in, through the link; c.direct_port: past it
        c.folder c.scratch c.home c.conf c.bin       the site's; c.bin is first in the PATH there
        c.environment            for programs that play the PC: SLURM_CONF and FIRSTLIGHT_CLUSTER_*
        c.run(argv, …) c.ssh(argv, …)                subprocess.run as the site's user; through the link
        c.scontrol(…) c.squeue(…) c.sacct(…) c.sbatch(…)     their output, an error raises
        c.jobs(under)            {("12" or "12_3", name): state} of every job ever submitted, of a requeued one once
        c.install(file, …)       copies programs to the site, returns the path of the first
        c.wrap(command, script)  a shell script in front of a command (`exec "$REAL" "$@"` goes on); c.unwrap(command)
        c.count(command, …)      notes calls from now on; c.calls() → list of command lines; c.sessions() → number of
                                 commands and subsystems that sshd has begun
        c.kill_sshd() c.start_sshd() c.new_host_key() c.kill_slurmctld() c.start_slurmctld() c.restart_slurmctld()
        c.drain(node) c.down(node) c.crash(node) c.resume(node)      crash: slurmd and jobs are killed, then down
        c.link.delay(seconds) .freeze() .thaw() .cut() .refuse(bool) .bytes() → (from the client, to the client)
        c.small_folder(megabytes)     a full disk to come: a mount of its own; None unless root may mount
        c.wait_for(question, seconds, what)     polls until it is true, returns its answer
    missing(accounting)          why it cannot be: one line, or ""

    cluster.py [--nodes N] [--cpus N] [--accounting] [--delay S] --run COMMAND…       the command sees c.environment:
FIRSTLIGHT_CLUSTER_{HOST,PORT,DIRECT_PORT,USER,KEY,KNOWN_HOSTS,FOLDER,SCRATCH,HOME,LINK,SSH}, SLURM_CONF.
$FIRSTLIGHT_CLUSTER_SSH COMMAND logs in."""
import argparse
import json
import os
import pwd
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import configuration
import keeper

USER = "firstlight-test"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
PROGRAMS = {"slurmctld": "slurm-wlm", "slurmd": "slurm-wlm", "srun": "slurm-wlm", "munged": "munge", "sshd": "openssh-server",
            "ssh": "openssh-client"}
FOR_ACCOUNTING = {"slurmdbd": "slurmdbd", "mariadbd": "mariadb-server", "mariadb-install-db": "mariadb-server"}


def missing(accounting=False):
    for program, package in {**PROGRAMS, **(FOR_ACCOUNTING if accounting else {})}.items():
        if shutil.which(program, path=PATH) is None:
            return f"{package} is not installed"
    return ""


def unprivileged():
    """The record of the one who runs the site."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    until = time.monotonic() + 20
    while True:
        try:
            return pwd.getpwnam(USER)
        except KeyError:
            made = subprocess.run(["useradd", "--system", "--user-group", "--home-dir", "/var/tmp", "--no-create-home",
                                   "--shell", "/bin/bash", "--password", "*", USER], env={"PATH": PATH},
                                  capture_output=True, text=True)
            if made.returncode != 0 and time.monotonic() > until:  # another test is at it
                raise RuntimeError(f"useradd: {made.stderr}")
            time.sleep(0.05 if made.returncode != 0 else 0)


def private_folder(user):
    """Short (socket paths), and every parent open to the user and to munged."""
    for place in (os.environ.get("TMPDIR", ""), "/tmp", "/var/tmp"):
        parents, above = [], place
        while above not in ("", "/"):
            parents.append(above)
            above = os.path.dirname(above)
        if place and len(place) < 32 and os.path.isdir(place) and all(os.stat(p).st_mode & 1 for p in parents):
            folder = tempfile.mkdtemp(prefix="fl-", dir=place)
            os.chmod(folder, 0o755)
            if os.getuid() == 0:
                os.chown(folder, user.pw_uid, user.pw_gid)
            return folder
    raise RuntimeError("no place for a private folder: /tmp is closed to others")


def free_ports(n):
    """A block of ports below those that the kernel gives out, and a socket that reserves it among tests until closed."""
    for block in random.sample(range(500), 500):
        held = socket.socket(socket.AF_UNIX)
        first = 20000 + 20 * block
        try:
            held.bind(f"\0firstlight-cluster-{block}")
            for port in range(first, first + n):
                with socket.socket() as trial:
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    trial.bind(("127.0.0.1", port))
            return held, list(range(first, first + n))
        except OSError:
            held.close()
    raise RuntimeError("no free ports")


class Link:
    """The slow or failing way to sshd (proxy.py)."""

    def __init__(self, path):
        self.path = path

    def say(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.path)
            s.sendall(line.encode() + b"\n")
            up, down, _ = s.makefile().readline().split()
            return int(up), int(down)

    def delay(self, seconds):
        self.say(f"delay {seconds}")

    def freeze(self):
        self.say("freeze")

    def thaw(self):
        self.say("thaw")

    def cut(self):
        self.say("cut")

    def refuse(self, on):
        self.say(f"refuse {int(on)}")

    def bytes(self):
        return self.say("bytes")


class Cluster:
    def __init__(self, nodes=2, cpus=4, accounting=False, delay=0.0, greeting=""):
        self.nodes, self.cpus, self.accounting = [f"n{i + 1}" for i in range(nodes)], cpus, accounting
        self.first_delay, self.greeting = delay, greeting
        self.keeper = self.reserved = None
        self.holders = []
        self.lock = threading.Lock()  # tests may run in several threads

    # --- life ---

    def start(self):
        why = missing(self.accounting)
        if why:
            raise RuntimeError(why)
        self.record = unprivileged()
        self.user, self.host = self.record.pw_name, "127.0.0.1"
        self.folder = private_folder(self.record)
        self.reserved, self.ports = free_ports(6 + len(self.nodes))
        self.direct_port, self.port = self.ports[4:6]
        self.conf, self.key, self.known_hosts, self.scratch, self.home, self.bin, link = (
            os.path.join(self.folder, name)
            for name in ("slurm.conf", "key", "known_hosts", "site/scratch", "site/home", "site/bin", "link"))
        self.link = Link(link)
        self.site_environment = {"PATH": f"{self.bin}:{PATH}", "HOME": self.home, "USER": self.user, "LOGNAME": self.user,
                                 "SHELL": "/bin/bash", "LC_ALL": "C.UTF-8", "SLURM_CONF": self.conf}
        self.keeper = subprocess.Popen(self.python("keeper.py", self.folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       text=True, cwd="/", env=self.site_environment, **self.dropped())
        try:
            self.start_daemons()
        except BaseException:
            self.stop()
            raise
        return self

    def python(self, script, *arguments):
        """Our scripts may lie where the user cannot read: they are given along."""
        return ["/usr/bin/env", "python3", "-B", "-c", open(os.path.join(HERE, script)).read(), *arguments]

    def dropped(self):
        if os.getuid() != 0:
            return {}
        return {"user": self.record.pw_uid, "group": self.record.pw_gid, "extra_groups": []}

    def start_daemons(self):
        self.run(["mkdir", "-p"] + [os.path.join(self.folder, f) for f in configuration.folders(self)], cwd="/")
        self.run(["chmod", "711", os.path.join(self.folder, "munge")], cwd="/")
        for name, text, mode in configuration.files(self):
            self.write(name, text, mode)
        self.start_sshd(first=True)
        self.daemon("link", self.python("proxy.py", str(self.port), str(self.direct_port), self.link.path))
        munge = os.path.join(self.folder, "munge")
        self.daemon("munged", ["/usr/sbin/munged", "--foreground", f"--key-file={munge}/key", f"--socket={munge}/sock",
                               f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed"])
        if self.accounting:
            self.start_accounting()
        self.wait_for(lambda: os.path.exists(f"{munge}/sock"), 20, "munged")
        self.daemon("slurmctld", configuration.slurmctld(self))
        for node in self.nodes:
            self.start_slurmd(node)
        self.wait_for(self.all_idle, 30, "nodes are idle")
        self.wait_for(self.link_answers, 20, "sshd through the link")
        self.link.delay(self.first_delay)

    def start_accounting(self):
        f = self.folder
        # A tmpdir of its own: two that begin at the same time take each other's files away.
        self.run(["mariadb-install-db", *configuration.MARIADB, f"--datadir={f}/db", f"--tmpdir={f}/tmp", "--skip-test-db",
                  "--auth-root-authentication-method=normal"])
        self.daemon("mariadbd", ["/usr/sbin/mariadbd", *configuration.MARIADB, f"--datadir={f}/db", f"--socket={f}/my.sock",
                                 f"--pid-file={f}/my.pid", f"--port={self.ports[3]}", "--bind-address=127.0.0.1",
                                 "--skip-name-resolve", f"--tmpdir={f}/tmp"])
        client = ["mariadb", "--no-defaults", "-S", f"{f}/my.sock", "-u", "root", "-e"]
        self.wait_for(lambda: self.run(client + ["select 1"], check=False).returncode == 0, 60, "mariadbd")
        self.run(client + [configuration.DATABASE])
        self.daemon("slurmdbd", ["/usr/sbin/slurmdbd", "-D"])
        self.wait_for(lambda: self.run(["sacctmgr", "-n", "list", "cluster"], check=False).returncode == 0, 60, "slurmdbd")
        for line in configuration.accounts(self):
            self.run(["sacctmgr", "-i", "-Q", *line.split()])

    def stop(self):
        """Whatever has been started is gone afterwards, and the folder."""
        if self.keeper is None:
            return
        for holder in self.holders:
            holder.communicate()
        try:
            self.keeper.stdin.close()
            status = self.keeper.wait(60)
        finally:
            self.keeper.kill()
            self.keeper.wait()
            self.keeper.stdout.close()
            self.keeper = None
            self.reserved.close()
            shutil.rmtree(self.folder, ignore_errors=True)
        if status != 0:
            raise RuntimeError("the cluster has left processes behind")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- what it is made of ---

    def order(self, **words):
        with self.lock:
            self.keeper.stdin.write(json.dumps(words) + "\n")
            self.keeper.stdin.flush()
            answer = json.loads(self.keeper.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def daemon(self, name, argv):
        return self.order(do="start", name=name, argv=argv, environment=self.site_environment)["pid"]

    def kill(self, name, number=signal.SIGKILL):
        return self.order(do="end", name=name, number=int(number))["status"]

    def alive(self, name):
        return self.order(do="alive", name=name)["alive"]

    def left(self):
        """Pids of all that runs in it, jobs included."""
        return self.order(do="left")["pids"]

    def write(self, name, text, mode=0o644):
        """A file of the site's user, under its folder."""
        path = os.path.join(self.folder, name)
        with open(path + ".new", "wb") as file:  # what runs may be replaced
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path + ".new", mode)
        if os.getuid() == 0:
            os.chown(path + ".new", self.record.pw_uid, self.record.pw_gid)
        os.rename(path + ".new", path)
        return path

    def said(self, name):
        """What a daemon has said so far."""
        for path in (f"log/{name}.log", f"log/{name}.out"):
            try:
                return open(os.path.join(self.folder, path), errors="replace").read()
            except FileNotFoundError:
                pass
        return ""

    def wait_for(self, question, seconds, what):
        until = time.monotonic() + seconds
        while True:
            answer = question()
            if answer:
                return answer
            if time.monotonic() > until:
                tail = "\n".join(self.said(name)[-600:] for name in ("slurmctld", "sshd") if self.said(name))
                raise AssertionError(f"not within {seconds} s: {what}\n{tail}")
            time.sleep(0.03)

    # --- commands ---

    @property
    def environment(self):
        ours = {name: str(value) for name, value in {
            "HOST": self.host, "PORT": self.port, "DIRECT_PORT": self.direct_port, "USER": self.user, "KEY": self.key,
            "KNOWN_HOSTS": self.known_hosts, "FOLDER": self.folder, "SCRATCH": self.scratch, "HOME": self.home,
            "LINK": self.link.path, "SSH": shlex.join(self.ssh_argv())}.items()}
        return {**os.environ, "SLURM_CONF": self.conf, **{"FIRSTLIGHT_CLUSTER_" + name: text for name, text in ours.items()}}

    def run(self, argv, check=True, **options):
        """As the site's user, in the site's environment (or `env`)."""
        options = {"env": self.site_environment, "capture_output": True, "text": True, "timeout": 120, "cwd": self.folder,
                   "stdin": None if "input" in options else subprocess.DEVNULL, **self.dropped(), **options}
        done = subprocess.run(argv, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{argv}: exit {done.returncode}: {done.stderr}")
        return done

    def ssh_argv(self, *options):
        return ["ssh", "-F", "none", "-i", self.key, "-p", str(self.port), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "GlobalKnownHostsFile=none", *options,
                f"{self.user}@{self.host}"]

    def ssh(self, argv, check=True, **options):
        done = subprocess.run(self.ssh_argv() + [shlex.join(argv)], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"ssh {argv}: exit {done.returncode}: {done.stderr}")
        return done

    def scontrol(self, *arguments):
        return self.run(["/usr/bin/scontrol", *arguments]).stdout

    def squeue(self, *arguments):
        return self.run(["/usr/bin/squeue", *arguments]).stdout

    def sacct(self, *arguments):
        return self.run(["/usr/bin/sacct", *arguments]).stdout

    def sbatch(self, *arguments):
        """The job's id."""
        return int(self.run(["/usr/bin/sbatch", "--parsable", *arguments], cwd=self.scratch).stdout)

    def state(self, job):
        return re.search(r"JobState=(\S+)", self.scontrol("-o", "show", "job", str(job)))[1]

    def jobs(self, under="/"):
        """Whose working folder lies under it."""
        found = {}
        if self.accounting:
            for line in self.sacct("-X", "-n", "-P", "-S", "now-1day", "-o", "JobID,State,WorkDir,JobName").splitlines():
                job, state, folder, name = line.split("|", 3)
                if folder.startswith(under) and "[" not in job:  # squeue tells members of an array that wait apart
                    found[job, name] = state
        for line in self.squeue("-h", "-a", "-r", "-t", "all", "-o", "%i|%T|%Z|%j").splitlines():
            job, state, folder, name = line.split("|", 3)
            if folder.startswith(under):
                found[job, name] = state
        return found

    def install(self, *files):
        """Beside each other, where the site's user can read them (a checkout may not be)."""
        self.run(["mkdir", "-p", os.path.join(self.folder, "site/opt")])
        for file in files:
            self.write(f"site/opt/{os.path.basename(file)}", open(file, "rb").read(), 0o755)
        return os.path.join(self.folder, "site/opt", os.path.basename(files[0]))

    def wrap(self, command, script):
        real = shutil.which(command, path=PATH)
        self.write(f"site/bin/{command}", f"#!/bin/bash\nREAL={real}\n{script}\n", 0o755)

    def unwrap(self, command):
        os.remove(f"{self.bin}/{command}")

    def count(self, *commands):
        self.write("site/calls", "")
        for command in commands:
            self.wrap(command, f'printf "%s\\n" "{command} ${{*//$\'\\n\'/ }}" >> {self.folder}/site/calls\nexec "$REAL" "$@"')

    def calls(self):
        return open(os.path.join(self.folder, "site/calls"), errors="replace").read().splitlines()

    def sessions(self):
        return len(re.findall(r"Starting session: (?:command|subsystem|shell)", self.said("sshd")))

    # --- mishaps ---

    def link_answers(self):
        try:
            with socket.create_connection((self.host, self.port), 5) as s:
                return s.recv(4) == b"SSH-"
        except OSError:
            return False

    def start_sshd(self, first=False):
        key = os.path.join(self.folder, "host_key")
        if first:
            for file in (key, self.key):
                self.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file], cwd="/")
            self.write("authorized_keys", open(self.key + ".pub").read())
            self.write("known_hosts", f"[{self.host}]:{self.port} " + " ".join(open(key + ".pub").read().split()[:2]) + "\n")
        self.daemon("sshd", ["/usr/sbin/sshd", "-D", "-f", f"{self.folder}/sshd_config", "-E", f"{self.folder}/log/sshd.log"])
        if not first:
            self.wait_for(self.link_answers, 20, "sshd")

    def kill_sshd(self):
        """With its open connections."""
        sessions = [pid for pid in self.left() if "sshd" in name_of(pid)]
        self.kill("sshd")
        keeper.send(sessions, signal.SIGKILL)

    def new_host_key(self):
        """As after somebody has put another machine there; what is known of the old one stays as it is."""
        self.kill_sshd()
        key = os.path.join(self.folder, "host_key")
        os.remove(key)
        os.remove(key + ".pub")
        self.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", key])
        self.start_sshd()

    def kill_slurmctld(self, number=signal.SIGTERM):
        """Killed hard it forgets the jobs of the last seconds, and what it then starts again is Slurm's doing, not ours."""
        return self.kill("slurmctld", number)

    def start_slurmctld(self):
        self.daemon("slurmctld", configuration.slurmctld(self))
        self.wait_for(lambda: self.run(["/usr/bin/scontrol", "ping"], check=False).returncode == 0, 30, "slurmctld")

    def restart_slurmctld(self):
        self.kill_slurmctld()
        self.start_slurmctld()

    def start_slurmd(self, node):
        self.daemon("slurmd-" + node, ["/usr/sbin/slurmd", "-D", "-f", self.conf, "-N", node])

    def all_idle(self):
        done = self.run(["/usr/bin/sinfo", "-h", "-t", "idle", "-o", "%D"], check=False)
        return done.returncode == 0 and done.stdout.split() == [str(len(self.nodes))]

    def drain(self, node):
        self.scontrol("update", f"nodename={node}", "state=drain", "reason=test")

    def down(self, node):
        self.scontrol("update", f"nodename={node}", "state=down", "reason=test")

    def crash(self, node):
        self.kill("slurmd-" + node)
        keeper.send(self.processes_on(node), signal.SIGKILL)
        self.down(node)

    def resume(self, node):
        if not self.alive("slurmd-" + node):
            self.start_slurmd(node)
        self.scontrol("update", f"nodename={node}", "state=resume")

    def processes_on(self, node):
        """Of jobs: those that Slurm told so, and the slurmstepd above them."""
        found = set()
        for pid in self.left():
            try:
                words = open(f"/proc/{pid}/environ", "rb").read().split(b"\0")
                parent = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if f"SLURMD_NODENAME={node}".encode() in words and "slurmd" != name_of(pid):
                found |= {pid} | ({parent} if "slurmstepd" in name_of(parent) else set())
        return found

    def small_folder(self, megabytes):
        """Of the site's user. The mount goes with us, however we end."""
        place = tempfile.mkdtemp(prefix="fl-", dir=os.path.dirname(self.folder)) if os.getuid() == 0 else None
        if place is None:
            return None
        script = ('mount -t tmpfs -o size="$2"m,mode=700,uid="$3",gid="$4" none "$1" || { rmdir "$1"; exit 1; }; '
                  'trap "" INT TERM HUP; echo up; cat > /dev/null; umount -l "$1"; rmdir "$1"')
        holder = subprocess.Popen(["/bin/sh", "-c", script, "sh", place, str(megabytes), str(self.record.pw_uid),
                                   str(self.record.pw_gid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        if holder.stdout.readline() != "up\n":
            holder.communicate()
            return None
        self.holders.append(holder)
        return place


def name_of(pid):
    try:
        return open(f"/proc/{pid}/comm").read().strip()
    except OSError:
        return ""


def main():
    parser = argparse.ArgumentParser(description="Starts a cluster and runs a command beside it.")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--cpus", type=int, default=4)
    parser.add_argument("--accounting", action="store_true")
    parser.add_argument("--delay", type=float, default=0.0, help="of the link, one way, seconds")
    parser.add_argument("--run", nargs=argparse.REMAINDER, required=True, metavar="COMMAND")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with Cluster(options.nodes, options.cpus, options.accounting, options.delay) as cluster:
        print(f"# {len(cluster.nodes)} nodes in {cluster.folder}, ssh port {cluster.port}", file=sys.stderr, flush=True)
        sys.exit(subprocess.call(options.run, env=cluster.environment))


if __name__ == "__main__":
    main()
