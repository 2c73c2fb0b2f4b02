"""keeper.py: the process that owns everything a test cluster starts. It is the parent of all daemons and, as a subreaper, of
what they lose; it obeys lines of JSON on its standard input and, when that ends (also because the test was killed), ends all
that descends from it, removes the folder and goes. So nothing is ever looked for by name, and nothing is left.

keeper.py FOLDER      {"do": "start", "name", "argv", "environment"} -> {"pid"}    {"do": "end", "name", "number"} -> {"status"}
                      {"do": "alive", "name"} -> {"alive"}                        {"do": "left"} -> {"pids"}"""
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def descendants(of):
    """Pids, without zombies, that descend from `of`."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(name)] = int(fields[1])
    found, edge = [], {of}
    while edge:
        edge = {pid for pid, parent in parents.items() if parent in edge}
        found += sorted(edge)
    return found


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class Keeper:
    def __init__(self, folder):
        self.folder = folder
        self.daemons = {}  # name: Popen, which is never asked: we wait for all children alike
        self.ended = {}    # pid: status

    def reap(self):
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self.ended[ended[0]] = os.waitstatus_to_exitcode(ended[1])
        except ChildProcessError:
            pass

    def start(self, name, argv, environment):
        with open(os.path.join(self.folder, "log", name + ".out"), "ab") as log:
            self.daemons[name] = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                  cwd=self.folder, start_new_session=True)
        return {"pid": self.daemons[name].pid}

    def end(self, name, number):
        """Waits; a daemon that does not go within 10 s is killed. What it has started is left alone."""
        pid = self.daemons[name].pid if name in self.daemons else 0
        until = time.monotonic() + 10
        self.reap()
        if pid and pid not in self.ended:
            send([pid], number)
        while pid and pid not in self.ended:
            if time.monotonic() > until:
                send([pid], signal.SIGKILL)
            time.sleep(0.01)
            self.reap()
        return {"status": self.ended.get(pid)}

    def alive(self, name):
        self.reap()
        return {"alive": name in self.daemons and self.daemons[name].pid not in self.ended}

    def left(self):
        return {"pids": descendants(os.getpid())}

    def finish(self):
        """Jobs first, so that MPI cleans up; then the daemons."""
        daemons = {daemon.pid for daemon in self.daemons.values()}
        for patience, number, spared in ((0.3, signal.SIGTERM, daemons), (20, signal.SIGKILL, set())):
            until = time.monotonic() + patience
            while (pids := set(descendants(os.getpid())) - spared) and time.monotonic() < until:
                send(pids, number)
                time.sleep(0.02)
                self.reap()
        shutil.rmtree(self.folder, ignore_errors=True)
        return pids

    def obey(self):
        verbs = {"start": self.start, "end": self.end, "alive": self.alive, "left": self.left}
        text = b""
        while True:
            self.reap()
            if not select.select([0], [], [], 0.05)[0]:
                continue
            more = os.read(0, 65536)
            if not more:
                return
            *lines, text = (text + more).split(b"\n")
            for line in lines:
                order = json.loads(line)
                try:
                    answer = verbs[order.pop("do")](**order)
                except OSError as error:
                    answer = {"error": str(error)}
                print(json.dumps(answer), flush=True)


def main(folder):
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the test's end is told by the pipe's
    keeper = Keeper(folder)
    left = []
    try:
        keeper.obey()
    finally:
        left = keeper.finish()
    raise SystemExit(1 if left else 0)


if __name__ == "__main__":
    main(sys.argv[1])
