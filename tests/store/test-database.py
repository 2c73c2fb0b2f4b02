#!/usr/bin/python3
"""`firstlight-control database` against a private MariaDB: moving to a server and back, killed at any moment; who has moved
away; making, joining, looking. Prints TAP.

usage: test-database.py FIRSTLIGHT-CONTROL TEST-MIRROR"""
import glob
import os
import pty
import random
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mariadb

CONTROL, WRITER = sys.argv[1:3]
TAGS = 400


def run(*words, status=0, said='', **more):
    done = subprocess.run([CONTROL, *words], input=said, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, start_new_session=True, **more)
    assert done.returncode == status, (words, done)
    if status:
        assert done.stderr.count('\n') == 1, done.stderr
    return done.stdout + done.stderr


def make(folder, tags=3):
    words = [word for i in range(tags) for word in ('--tag', f'tag "{i}\'; DROP')]
    run('experiment', '--store', folder, '--trial', '', *words)
    return folder


def tags(server, folder):
    """Read where the folder says that they are."""
    if not os.path.exists(folder + '/database.ini'):
        with sqlite3.connect(f'file:{folder}/firstlight.sqlite?mode=ro', uri=True) as db:
            return sorted(name for name, in db.execute('SELECT name FROM tag'))
    name = next(line for line in open(folder + '/database.ini') if line.startswith('url=')).strip().rsplit('/', 1)[1]
    return sorted(server.sql('SELECT CONVERT(name USING utf8mb4) FROM tag', database=name).splitlines())


def test_move(server, tmp):
    home = make(tmp + '/move')
    before = tags(server, home)
    there = run('database', 'move', home, '--to', server.url('move'))
    assert not os.path.exists(home + '/firstlight.sqlite'), os.listdir(home)
    kept = glob.glob(home + '/firstlight-moved-*.sqlite')
    assert len(kept) == 1 and kept[0] in there
    assert tags(server, home) == before
    run('experiment', '--store', home, '--tag', 'made on the server')
    assert 'driver: MySQL' in run('database', 'check', home)
    # What had the file open, or finds it, reads, but does not write.
    assert 'have been moved' in run('experiment', '--store', kept[0], '--tag', 'late', status=2)
    run('database', 'join', server.url('move'), '--into', tmp + '/window', '--home', home)
    assert 'is a window' in run('database', 'move', tmp + '/window', '--to', 'sqlite', status=2)
    run('experiment', '--store', tmp + '/window', '--tag', 'made through the window')
    assert 'already' in run('database', 'move', home, '--to', server.url('elsewhere'), status=2)
    run('database', 'move', home, '--to', 'sqlite')
    assert tags(server, home) == sorted(before + ['made on the server', 'made through the window'])
    assert 'have been moved' in run('experiment', '--store', tmp + '/window', '--tag', 'late', status=2)
    run('experiment', '--store', home, '--tag', 'made at home again')
    # There is an older state of it in that database: it is not taken for an empty one.
    assert 'holds an experiment already' in run('database', 'move', home, '--to', server.url('move'), status=2)
    run('experiment', '--store', home, '--tag', 'still at home')


def test_killed(server, tmp):
    """Whenever it is killed: the folder names one database, which has everything, and can be written; in the end it has
    moved, to and fro."""
    home = make(tmp + '/killed', TAGS)
    chance, kills, number = random.Random(7), 0, 0
    begin = time.monotonic()
    targets = [server.url('killed1'), 'sqlite', server.url('killed2'), 'sqlite']
    for target in targets:
        for attempt in range(25):
            child = subprocess.Popen([CONTROL, 'database', 'move', home, '--to', target], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
            # From too early to just before the end, and then let it be.
            try:
                _, said = child.communicate(timeout=chance.uniform(0.005, 0.03 + 0.01 * attempt) if attempt < 24 else 60)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                child.communicate()
                kills += 1
            number += 1
            run('experiment', '--store', home, '--tag', f'between {number}')
            assert len(tags(server, home)) == TAGS + number, (target, attempt)
            if child.returncode == 0:
                break
            moved = os.path.exists(home + '/database.ini') == (target != 'sqlite')
            if moved:
                break  # killed after the moment from which it holds
            assert child.returncode == -9, said
        else:
            raise AssertionError('never moved to ' + target)
    assert kills >= 4, kills
    print(f'# {kills} kills in {time.monotonic() - begin:.1f} s', flush=True)
    assert not os.path.exists(home + '/database.ini')


def test_server_dies(server, tmp):
    """The server is killed while records come to it: the folder's own file stays in force, and the next try begins anew."""
    home = make(tmp + '/dies', TAGS)
    died = 0
    for number in range(1, 9):
        child = subprocess.Popen([CONTROL, 'database', 'move', home, '--to', server.url('dies')], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        time.sleep(0.05 * number)
        server.kill9()
        _, said = child.communicate(timeout=120)
        server.start()
        if child.returncode == 0:
            break
        assert child.returncode == 75 and said.count('\n') == 1, (child.returncode, said)
        died += 1
        assert not os.path.exists(home + '/database.ini')
        run('experiment', '--store', home, '--tag', f'between {number}')
    else:
        run('database', 'move', home, '--to', server.url('dies'))
    assert died > 0 and len(tags(server, home)) == TAGS + died, died


def test_conductor(server, tmp):
    """While a conductor lives nothing is moved."""
    home = make(tmp + '/busy')
    child = subprocess.Popen([CONTROL, 'conduct', '--store', home], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + 30
        with sqlite3.connect(f'file:{home}/firstlight.sqlite?mode=ro', uri=True) as db:
            while not db.execute("SELECT 1 FROM lease WHERE holder <> '' AND name = 'conductor'").fetchall():
                assert time.monotonic() < end
                time.sleep(0.05)
        assert 'has a conductor' in run('database', 'move', home, '--to', server.url('busy'), status=75)
    finally:
        child.terminate()
        child.wait()
    run('database', 'move', home, '--to', server.url('busy'))


def test_make_and_join(server, tmp):
    run('database', 'make', server.url('made'), '--folder', tmp + '/made')
    assert 'holds an experiment already' in run('database', 'make', server.url('made'), '--folder', tmp + '/made2', status=2)
    assert 'has an experiment already' in run('database', 'make', server.url('made3'), '--folder', tmp + '/made', status=2)
    run('experiment', '--store', tmp + '/made', '--tag', 'a')
    run('database', 'grant', tmp + '/made', 'ana', 'none', '--create', said='a "secret\'s" \\ word\n')
    # The account may do nothing yet, and no terminal is there to ask for the password.
    url = server.url('made', user='ana')
    assert 'ana' in run('database', 'join', url, '--into', tmp + '/anas', status=2)
    assert not os.path.exists(tmp + '/anas/database.ini')
    options = tmp + '/ana.cnf'
    with open(options, 'w') as file:
        file.write('[firstlight]\npassword="a \\"secret\'s\\" \\\\ word"\n')
    os.chmod(options, 0o600)
    url = server.url('made', user='ana', option_file=options)
    assert 'has no rights' in run('database', 'join', url, '--into', tmp + '/anas', status=2)
    assert 'ana: viewer' in run('database', 'grant', tmp + '/made', 'ana', 'viewer')
    assert 'as ana, viewer' in run('database', 'join', url, '--into', tmp + '/anas', '--home', tmp + '/made')
    assert 'viewer' in run('experiment', '--store', tmp + '/anas', '--tag', 'not allowed', status=2)
    run('database', 'grant', tmp + '/made', 'ana', 'operator')
    run('experiment', '--store', tmp + '/anas', '--tag', 'allowed')
    lines = dict(line.split(': ', 1) for line in run('database', 'check', tmp + '/anas').splitlines())
    assert lines['account'] == 'ana, operator' and lines['folder'] == tmp + '/made', lines
    text = open(tmp + '/anas/database.ini').read()
    assert 'secret' not in text, text
    assert 'is no name' in run('database', 'grant', tmp + '/made', "o'brien", 'viewer', status=2)


def on_terminal(words, answers):
    """What the terminal shows while each question, as it comes, is answered; and the exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(CONTROL, [CONTROL, *words])
    shown, waiting = b'', list(answers)
    while True:
        if not select.select([fd], [], [], 60)[0]:
            os.kill(pid, signal.SIGKILL)
            raise AssertionError(f'waits for ever, having shown {shown!r}')
        try:
            got = os.read(fd, 4096)
        except OSError:
            got = b''
        if not got:
            break
        shown += got
        if waiting and shown.endswith(waiting[0][0]):
            os.write(fd, waiting.pop(0)[1])
    os.close(fd)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_password(server, tmp):
    run('database', 'make', server.url('asked'), '--folder', tmp + '/asked')
    run('database', 'grant', tmp + '/asked', 'dora', 'viewer', '--create', said='open sesame\n')
    url = server.url('asked', user='dora')
    question = b'Password for ' + url.split('?')[0].encode() + b': '
    no_keyring = (b'[y/N] ', b'n\n')
    shown, status = on_terminal(['database', 'join', url, '--into', tmp + '/doras'],
                                [(question, b'open barley\n'), (question, b'open sesame\n'), no_keyring])
    assert status == 0 and 'as dora, viewer' in shown and shown.count('Password') == 2, (status, shown)
    assert 'sesame' not in shown and 'barley' not in shown, shown
    assert 'sesame' not in open(tmp + '/doras/database.ini').read()
    shown, status = on_terminal(['database', 'check', tmp + '/doras'], [(question, b'x\n')] * 3)
    assert status == 2 and shown.count('Password') == 3 and 'does not let this account in' in shown, (status, shown)
    shown, status = on_terminal(['database', 'check', tmp + '/doras'], [(question, b'\x03')])
    assert status == -signal.SIGINT and shown.count('Password') == 1 and shown.endswith('\n'), (status, shown)
    # Rights that are not there do not come with a password.
    run('database', 'grant', tmp + '/asked', 'dora', 'none')
    shown, status = on_terminal(['database', 'check', tmp + '/doras'], [(question, b'open sesame\n')] * 3)
    assert status == 2 and shown.count('Password') == 1 and 'has no rights' in shown, (status, shown)


def test_encrypted(server, tmp):
    url = server.url('secure', tcp=True, tls='verify', ca=server.ca)
    run('database', 'make', url, '--folder', tmp + '/secure')
    assert 'encrypted: TLS' in run('database', 'check', tmp + '/secure')
    home = make(tmp + '/secured')
    run('database', 'move', home, '--to', server.url('secured', tcp=True, tls='verify', ca=server.ca))
    assert 'encrypted: TLS' in run('database', 'check', home)
    assert 'no database called' in run('database', 'check', server.url('nothing'), status=2)
    run('database', 'check', 'mysql://root@127.0.0.1:1/x?tls=off', status=75)
    assert 'password' in run('database', 'check', 'mysql://root:secret@127.0.0.1/x', status=2)


def contents(folder):
    """Of a mirror, but for what is its own."""
    with sqlite3.connect(f'file:{folder}/firstlight.sqlite?mode=ro', uri=True) as db:
        tables = [t for t, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {t: sorted(db.execute('SELECT * FROM ' + t).fetchall()) for t in tables
                if t not in ('slice_key', 'journal', 'sqlite_sequence', 'lease')}


def test_follow(server, tmp):
    """Who follows an experiment on a server has what who follows it in a file has; one that has moved is followed on."""
    run('database', 'make', server.url('followed'), '--folder', tmp + '/far')
    follower = subprocess.Popen([CONTROL, 'follow', '--into', tmp + '/copy', '--store', tmp + '/far', '--', CONTROL, 'serve'],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        subprocess.run([WRITER, '--write', tmp + '/far', '11', '600'], check=True)
        assert int(server.sql('SELECT count(*) FROM slice', database='followed')) > 50
        run('follow', '--into', tmp + '/mysql', '--store', tmp + '/far', '--once', '--', CONTROL, 'serve')
        server.sql('UPDATE lease SET expires = 0', database='followed')  # of the writer, that is no more
        run('database', 'move', tmp + '/far', '--to', 'sqlite')
        run('follow', '--into', tmp + '/sqlite', '--store', tmp + '/far', '--once', '--', CONTROL, 'serve')
        mysql, sqlite = contents(tmp + '/mysql'), contents(tmp + '/sqlite')
        assert [name for name in sqlite if mysql[name] != sqlite[name]] == []
        run('experiment', '--store', tmp + '/far', '--tag', 'after the move')
        end = time.monotonic() + 60
        while ('after the move',) not in [row[2:3] for row in contents(tmp + '/copy')['tag']]:
            assert time.monotonic() < end and follower.poll() is None, follower.poll()
            time.sleep(0.2)
        assert contents(tmp + '/copy')['slice'] == sqlite['slice']
    finally:
        follower.terminate()
        follower.communicate()


def main():
    if not mariadb.available():
        print('1..0 # SKIP no MariaDB server is installed')
        return 0
    tests = [test_move, test_killed, test_server_dies, test_conductor, test_make_and_join, test_password, test_encrypted, test_follow]
    print(f'1..{len(tests)}', flush=True)
    failed = 0
    with mariadb.Server(tls=True) as server, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
        for number, test in enumerate(tests, 1):
            try:
                test(server, tmp)
                print(f'ok {number} {test.__name__}', flush=True)
            except Exception as error:  # the other tests are still worth running
                failed += 1
                print(f'not ok {number} {test.__name__}: {error!r}', flush=True)
                traceback.print_exc()
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
