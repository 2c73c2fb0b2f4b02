"""A far experiment followed over SSH (`follow … -- ssh … firstlight-control serve`) while somebody writes to it: the link
stands still for a while and goes on, sshd dies with its sessions and comes back. In the end both hold the same.

test-follow-ssh.py CONTROL WRITER"""
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import cluster
from tap import main

CONTROL, WRITER = sys.argv[1:3]
c = cluster.Cluster(nodes=2, cpus=1)
top = tempfile.mkdtemp(prefix="fl-pc-")
copy, said = os.path.join(top, "copy"), os.path.join(top, "said")


def query(folder, sql):
    db = sqlite3.connect(f"file:{folder}/firstlight.sqlite?mode=ro", uri=True, timeout=20)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def slices(folder):
    try:
        return query(folder, "SELECT count(*) FROM slice")[0][0]
    except sqlite3.OperationalError:
        return 0  # being made


def same():
    """All tables but those that say how far each has come; where the roots lie is told from where the store lies."""
    def dump(folder):
        tables = [t for t, in query(folder, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        rows = {t: sorted(query(folder, f"SELECT * FROM {t}"), key=repr) for t in tables
                if t not in ("slice_key", "journal", "sqlite_sequence", "counter")}
        rows["root"] = [(i, r, n, os.path.normpath(os.path.join(folder, p))) for i, r, n, p in rows["root"]]
        return rows
    there, here = dump(far), dump(copy)
    return all(there[name] == here[name] for name in there) and len(there["slice"]) > 50


def lines():
    return open(said).read().splitlines()


def change(comment):
    """By the site's user, as the control room there would; no trial is the writer's to change."""
    c.run(["python3", "-c", f"""import sqlite3
db = sqlite3.connect({far + '/firstlight.sqlite'!r}, timeout=20, isolation_level=None)
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE counter SET value = value + 1 WHERE name = 'revision'")
db.execute("UPDATE trial SET comment = {comment!r}, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE id = 1")
db.execute("COMMIT")"""])


def has(comment):
    return query(copy, "SELECT comment FROM trial WHERE id = 1")[0][0] == comment


def test_begins():
    global far, writer, follow
    c.start()
    far = os.path.join(c.folder, "site", "experiment")
    serve = c.install(CONTROL, WRITER)
    there = os.path.join(os.path.dirname(serve), os.path.basename(WRITER))
    writer = subprocess.Popen([there, "--write", far, "11", "6000"], env=c.site_environment, cwd=c.folder,
                              stdin=subprocess.DEVNULL, **c.dropped())
    c.wait_for(lambda: slices(far) > 10, 20, "somebody writes")
    c.link.delay(0.02)
    # As a person would have it: a link that has died is noticed after some seconds.
    argv = c.ssh_argv("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=5") + [f"{serve} serve"]
    follow = subprocess.Popen([CONTROL, "follow", "--into", copy, "--store", far, "--", *argv], stdin=subprocess.DEVNULL,
                              stdout=open(said, "w"), stderr=subprocess.STDOUT)
    c.wait_for(lambda: slices(copy) > 0, 20, "the copy has begun")


def test_frozen():
    """Nothing passes for two seconds, nothing is lost; the same child goes on."""
    c.link.freeze()
    frozen = slices(copy)
    begun = c.sessions()
    change("written while the link stood still")
    time.sleep(2)
    assert not has("written while the link stood still")
    c.link.thaw()
    c.wait_for(lambda: has("written while the link stood still"), 15, "it goes on")
    assert c.sessions() == begun and slices(copy) >= frozen


def test_sshd_dies():
    """With the session; meanwhile nobody answers. The follower says so and begins another."""
    c.kill_sshd()
    c.wait_for(lambda: any(line.startswith("trying again") for line in lines()), 15, "it is said")
    change("written while sshd was down")
    assert follow.poll() is None
    c.start_sshd()
    c.wait_for(lambda: has("written while sshd was down"), 30, "it goes on")


def test_ends_equal():
    assert writer.wait(60) == 0
    change("the last")
    c.wait_for(lambda: has("the last") and same(), 20, "both hold the same")
    assert lines()[-1] == "up to date", lines()
    follow.send_signal(signal.SIGTERM)
    assert follow.wait(10) == 0


def all_in(tests):
    why = cluster.missing()
    if why:
        print(f"1..0 # SKIP {why}")
        sys.exit(0)
    try:
        main(tests)
    finally:
        for process in (globals().get("follow"), globals().get("writer")):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        c.stop()
        subprocess.run(["rm", "-rf", top], check=False)


all_in([test_begins, test_frozen, test_sshd_dies, test_ends_equal])
