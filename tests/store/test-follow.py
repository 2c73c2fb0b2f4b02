#!/usr/bin/python3
"""`firstlight-control follow`: a store that somebody writes to, followed over a pipe, the follower killed again and again;
in the end both hold the same. Prints TAP.

usage: test-follow.py FIRSTLIGHT-CONTROL TEST-MIRROR [--million]"""
import configparser
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

CONTROL, WRITER = sys.argv[1:3]
MILLION = '--million' in sys.argv


def follow(tmp, *options, store='/far', command=(CONTROL, 'serve'), **more):
    return subprocess.Popen([CONTROL, 'follow', '--into', tmp + '/copy', '--store', tmp + store, *options, '--', *command],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def dump(folder):
    db = sqlite3.connect('file:%s/firstlight.sqlite?mode=ro' % folder, uri=True)
    tables = [t for t, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    rows = {t: sorted(db.execute('SELECT * FROM ' + t).fetchall()) for t in tables
            if t not in ('slice_key', 'journal', 'sqlite_sequence', 'counter')}
    rows['root'] = [(i, r, n, os.path.normpath(os.path.join(folder, p))) for i, r, n, p in rows['root']]
    counts = db.execute('SELECT job, sum(shots), sum(hits), sum(indexed) FROM slice WHERE kind = 1 GROUP BY job').fetchall()
    return rows, counts


def assert_same(tmp, runs=20):
    (far, far_counts), (copy, counts) = dump(tmp + '/far'), dump(tmp + '/copy')
    for name in far:
        assert far[name] == copy[name], name
    assert counts == far_counts and len(far['slice']) > 50 and len(far['run']) >= runs


def test_killed(tmp):
    """kill -9 of the follower while the store is written to; nothing is lost, nothing twice."""
    writer = subprocess.Popen([WRITER, '--write', tmp + '/far', '11', '4000'])
    while not os.path.exists(tmp + '/far/firstlight.sqlite'):
        time.sleep(0.01)
    chance, kills = random.Random(5), 0
    while writer.poll() is None:
        child = follow(tmp, command=(CONTROL, 'serve'), start_new_session=True)
        time.sleep(chance.uniform(0.02, 0.5))
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        kills += 1
    assert writer.returncode == 0 and kills >= 3, kills
    out, err = follow(tmp, '--once').communicate(timeout=60)
    assert out.splitlines()[-1] == 'up to date', (out, err)
    assert_same(tmp)
    origin = configparser.ConfigParser(interpolation=None)
    origin.read(tmp + '/copy/follow.ini')
    assert time.time() - os.stat(tmp + '/copy/follow.ini').st_mtime < 30
    assert origin['follow']['command'] == CONTROL + ';serve;' and origin['follow']['store'] == tmp + '/far'


def test_live(tmp):
    """A change is in the copy within seconds, without another start; a child that dies is started again; SIGTERM ends it."""
    subprocess.run([WRITER, '--write', tmp + '/far', '3', '50'], check=True)
    child = follow(tmp)
    lines = [child.stdout.readline() for _ in range(3)]
    assert lines[0] == 'following %s/far\n' % tmp and lines[-1] == 'up to date\n', lines
    db = sqlite3.connect(tmp + '/far/firstlight.sqlite', isolation_level=None)
    def change(comment):
        db.execute("UPDATE counter SET value = value + 1 WHERE name = 'revision'")
        db.execute("UPDATE run SET comment = ?, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE id = 1",
                   (comment,))
        begin = time.monotonic()
        copy = sqlite3.connect('file:%s/copy/firstlight.sqlite?mode=ro' % tmp, uri=True)
        while copy.execute('SELECT comment FROM run WHERE id = 1').fetchone()[0] != comment:
            assert time.monotonic() - begin < 20
            time.sleep(0.02)
        return time.monotonic() - begin
    whole = os.stat(tmp + '/copy/follow.ini').st_mtime_ns
    waited = change('$(reboot)\x1b[31m')
    serve = subprocess.run(['pgrep', '-P', str(child.pid)], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    os.kill(int(serve[0]), signal.SIGKILL)
    again = change('after the child was killed')
    print('# in the copy after %.1f s; %.1f s with a child that was killed' % (waited, again))
    assert os.stat(tmp + '/copy/follow.ini').st_mtime_ns > whole
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0
    child.communicate()


def test_refused(tmp):
    """One clear line and status 2: nothing there, an experiment of one's own in the way, another version, no command."""
    def refuse(words, **more):
        child = follow(tmp, '--once', **more)
        out, err = child.communicate(timeout=60)
        assert child.returncode == 2 and len(err.splitlines()) == 1 and words in err, (child.returncode, out, err)
    subprocess.run([WRITER, '--write', tmp + '/far', '4', '30'], check=True)
    os.mkdir(tmp + '/empty')
    refuse('no experiment here', store='/empty')
    refuse('No such file', store='/nowhere')
    follow(tmp, '--once').communicate(timeout=60)
    db = sqlite3.connect(tmp + '/far/firstlight.sqlite')
    db.execute("UPDATE counter SET value = 99 WHERE name = 'schema'")
    db.commit()
    refuse('newer Firstlight')
    os.rename(tmp + '/copy', tmp + '/old copy')
    subprocess.run([WRITER, '--write', tmp + '/copy', '4', '3'], check=True)
    refuse('of its own')
    for wrong in [], ['--into', tmp + '/x'], ['--into', tmp + '/x', '--store', tmp]:
        done = subprocess.run([CONTROL, 'follow', *wrong], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and 'is missing' in done.stderr, done


def test_million(tmp):
    """10^6 shots: time and bytes of the first copy, and of a poll without news."""
    subprocess.run([WRITER, '--shots', tmp + '/far', '1', '1000000'], check=True)
    def measured(what):
        wire = tmp + '/wire'
        begin = time.monotonic()
        out, err = follow(tmp, '--once', command=('sh', '-c', '%s serve | tee %s' % (CONTROL, wire))).communicate(timeout=300)
        assert out.splitlines()[-1] == 'up to date', (out, err)
        print('# %s: %.2f s, %.1f MB over the link, store of %.1f MB' % (
            what, time.monotonic() - begin, os.path.getsize(wire) / 1e6, os.path.getsize(tmp + '/far/firstlight.sqlite') / 1e6))
        return os.path.getsize(wire)
    assert measured('first copy') < 60e6
    assert measured('no news') < 2000
    assert_same(tmp, runs=10)


def main():
    tests = [test_million] if MILLION else [test_killed, test_live, test_refused]
    print('1..%d' % len(tests))
    failed = False
    for number, test in enumerate(tests, 1):
        name = '%d /store/follow/%s' % (number, test.__name__[5:])
        try:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
                test(os.path.realpath(tmp))
            print('ok', name)
        except Exception:
            import traceback
            print('not ok', name)
            print('# ' + traceback.format_exc().replace('\n', '\n# '))
            failed = True
        sys.stdout.flush()
    return failed


sys.exit(main())
