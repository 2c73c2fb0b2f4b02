#!/usr/bin/env python3
"""What only a server does: it is killed, frozen, full of rules; passwords, encryption; changes of the schema that are cut off.

    test-mysql.py SESSION [--long] [NAME…]     only those tests"""
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mariadb import Server, available, free_port  # noqa: E402

SESSION = sys.argv[1]
LONG = '--long' in sys.argv
ONLY = [word for word in sys.argv[2:] if word != '--long']
LOST, DENIED, BUSY, MISSING, INPUT, UNSUPPORTED = 5, 6, 3, 2, 0, 1
TESTS = []


class Answer(str):
    """"ok …" or "error CODE message"."""
    @property
    def ok(self):
        return self.startswith('ok')

    @property
    def code(self):
        return int(self.split()[1]) if self.startswith('error') else None

    @property
    def words(self):
        return self.split()[1:]


class Session:
    def __init__(self, environment=None):
        self.process = subprocess.Popen([SESSION], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                        env={**os.environ, 'HOME': '/nonexistent', **(environment or {})})

    def send(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        assert line.endswith('\n'), 'the session ended'
        return Answer(line[:-1])

    def __call__(self, line):
        self.send(line)
        return self.receive()

    def do(self, line):
        answer = self(line)
        assert answer.ok, f'{line}: {answer}'
        return answer.words

    def fails(self, line, code, *texts):
        answer = self(line)
        assert answer.code == code, f'{line}: {answer}, expected {code}'
        for text in texts:
            assert text in answer, f'{answer} does not say {text}'
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
            assert self.process.returncode == 0, f'the session ended with {self.process.returncode}'
        else:
            self.kill()


def test(function):
    TESTS.append(function)
    return function


def until_ok(session, line, seconds=20):
    """Again and again while the database is lost; the answers before."""
    end, lost = time.monotonic() + seconds, []
    while time.monotonic() < end:
        answer = session(line)
        if answer.ok:
            return lost
        assert answer.code == LOST, answer
        lost.append(answer)
        time.sleep(0.02)
    raise AssertionError(f'{line}: {lost[-1]}')


def tags(session):
    return dict(word.rsplit(':', 1) for word in session.do('tags'))


# --- the server goes away ---

@test
def lost_between_transactions(server):
    with Session() as s:
        s.do('open create ' + server.url('between'))
        s.do('tag a')
        pulse = s.do('pulse')
        server.kill9()
        s.fails('tag b', LOST, 'does not answer', 'mysql://root@127.0.0.1')
        assert s.do('pulse') != pulse
        begin = time.monotonic()
        answers = [s.fails('tags', LOST, 'trying again in') for _ in range(200)]
        assert time.monotonic() - begin < 5, 'does not fail at once'
        assert len({re.search(r'in ([0-9.]+) s', a).group(1) for a in answers if re.search(r'in ([0-9.]+) s', a)}) >= 1
        server.start()
        until_ok(s, 'tag b')
        assert sorted(tags(s)) == ['a', 'b']
        assert s.do('pulse') != pulse


@test
def idle_connections_are_replaced_unseen(server):
    with Session() as s:
        s.do('open create ' + server.url('idle'))
        for what in ('tag a', 'tags', 'changes', 'tag b', 'lease x 5'):
            for number in server.sql("SELECT id FROM information_schema.processlist WHERE db = 'idle'").split():
                server.sql(f'KILL CONNECTION {number}')
            s.do(what)
        assert sorted(tags(s)) == ['a', 'b']


@test
def lost_inside_a_transaction(server):
    with Session() as s:
        s.do('open create ' + server.url('inside'))
        s.do('begin')
        s.do('tag a')
        server.kill9()
        s.fails('tag b', LOST)
        server.start()
        # It is gone as a whole: nothing of it is written by itself on the new connection.
        s.fails('tag c', LOST)
        s.fails('commit', LOST)
        until_ok(s, 'begin')
        s.do('tag a')
        s.do('tag b')
        s.do('commit')
        assert sorted(tags(s)) == ['a', 'b']


@test
def killed_while_writing(server):
    """At any moment, also during a commit; whoever tries again finds what he had written, or writes it."""
    number, kills = 160, 4
    with Session() as s:
        s.do('open create ' + server.url('storm'))
        stop = threading.Event()

        def storm():
            for _ in range(kills):
                if stop.wait(0.05 + random.random() * 0.1):
                    return
                server.kill9()
                server.start()

        thread = threading.Thread(target=storm)
        thread.start()
        lost = already = 0
        try:
            for i in range(number):
                while True:
                    answer = s(f'tag t{i}')
                    if answer.ok:
                        break
                    if 'is there already' in answer:
                        already += 1
                        break
                    assert answer.code == LOST, answer
                    lost += 1
                    time.sleep(0.01)
                time.sleep(0.005)
        finally:
            stop.set()
            thread.join()
        until_ok(s, 'tags')
        found = tags(s)
        assert sorted(found) == sorted(f't{i}' for i in range(number))
        assert len(set(found.values())) == number, 'a revision twice'
        assert lost > 0
        print(f'# {lost} calls lost, {already} commits that had happened unheard')


@test
def waits_for_its_turn(server):
    with Session() as a, Session() as b:
        a.do('open create ' + server.url('turn'))
        b.do('open write ' + server.url('turn'))
        a.do('begin')
        a.do('tag a')
        b.send('tag b')
        time.sleep(0.5)
        a.do('tag c')
        a.do('commit')
        assert b.receive().ok
        found = tags(a)
        assert int(found['b']) == int(found['c']) + 1 == int(found['a']) + 2
        # A reader waits for nobody, and sees whole transactions.
        a.do('begin')
        a.do('tag d')
        assert 'd' not in tags(b)
        a.do('commit')
        assert 'd' in tags(b)


def frozen(server):
    with Session() as s:
        s.do('open create ' + server.url('frozen'))
        server.freeze()
        begin = time.monotonic()
        s.fails('tag a', LOST)
        first = time.monotonic() - begin
        begin = time.monotonic()
        time.sleep(0.3)
        s.fails('tag a', LOST)
        second = time.monotonic() - begin
        server.freeze(False)
        until_ok(s, 'tag b')
        print(f'# noticed after {first:.1f} s; a new connection is given up after {second:.1f} s')
        assert first < 61 and second < 15
        assert 'b' in tags(s)


def busy(server):
    with Session() as a, Session() as b:
        a.do('open create ' + server.url('busy'))
        b.do('open write ' + server.url('busy'))
        holder = subprocess.Popen(['mariadb', '--no-defaults', '--socket=' + server.socket, '--user=root', 'busy', '-e',
                                   'BEGIN; SELECT * FROM counter FOR UPDATE; SELECT SLEEP(75)'],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            begin = time.monotonic()
            b.fails('tag b', BUSY, 'try again')
            took = time.monotonic() - begin
            assert 55 < took < 66, took
        finally:
            holder.kill()
            holder.wait()
        until_ok(b, 'tag b')


# --- making and changing the schema ---

class Proxy:
    """Between a client and the server. When `limit` commands of the client, or one that is `last`, have been carried out,
    `at_limit` is called before the client hears of it."""

    def __init__(self, server, limit, at_limit, last=None):
        self.server, self.left, self.at_limit, self.commands = server, limit, at_limit, 0
        self.last = last
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(self.server.socket)
            threading.Thread(target=self.answers, args=(upstream, client), daemon=True).start()
            threading.Thread(target=self.commands_of, args=(client, upstream), daemon=True).start()

    def answers(self, upstream, client):
        try:
            while data := upstream.recv(65536):
                if self.left == 0:  # the command has been carried out
                    self.left = -1
                    self.at_limit()
                client.sendall(data)
        except OSError:
            pass
        finally:
            for end in (client, upstream):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def commands_of(self, client, upstream):
        first = True
        try:
            while head := client.recv(4, socket.MSG_WAITALL):
                length = struct.unpack('<I', head[:3] + b'\0')[0]
                body = client.recv(length, socket.MSG_WAITALL)
                if head[3] == 0 and not first:
                    self.commands += 1
                    self.left = 0 if body == self.last else self.left - (self.left > 0)
                first = False
                upstream.sendall(head + body)
        except OSError:
            pass
        finally:
            try:
                upstream.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def picture(server, name):
    """All that a database holds, but for times."""
    names = server.sql('SHOW TABLES', database=name).split()
    creates = [server.sql(f'SHOW CREATE TABLE `{table}`', database=name) for table in names]
    rows = [server.sql(f'SELECT * FROM `{table}`', database=name) for table in names]
    return creates, [re.sub(r'\b1[78]\d{17}\b', 'TIME', text).replace(name, 'NAME') for text in rows]


@test
def commit_unheard(server):
    """The server commits, and the answer is lost: who does it again finds it done."""
    with Session() as s:
        s.do('open create ' + server.url('unheard'))

        def cut():
            proxy.last = None
            for number in server.sql("SELECT id FROM information_schema.processlist WHERE db = 'unheard'").split():
                server.sql(f'KILL CONNECTION {number}')
            raise OSError('cut off')

        proxy = Proxy(server, -1, cut, last=b'\x03COMMIT')
        try:
            s.do(f'open write mysql://root@127.0.0.1:{proxy.port}/unheard')
            s.fails('tag a', LOST)
            s.fails('tag a', INPUT, 'is there already')
            s.do('tag b')
            assert sorted(tags(s)) == ['a', 'b']
        finally:
            proxy.close()


def make_through(server, name, limit):
    """Whether the making of a store came to its end before `limit` commands."""
    s = Session()
    proxy = Proxy(server, limit, s.process.kill)
    try:
        s.send(f'open create mysql://root@127.0.0.1:{proxy.port}/{name}')
        line = s.process.stdout.readline()
        assert line == '' or line.startswith('ok'), line
        return line != '', proxy.commands
    finally:
        proxy.close()
        s.kill()


@test
def killed_while_making(server):
    """kill -9 after commands of making a store: the next start finishes it, and it is as any other."""
    done, commands = make_through(server, 'whole', -1)
    assert done
    expected = picture(server, 'whole')
    limits = range(1, commands) if LONG else sorted(random.sample(range(1, commands), 5))
    for limit in limits:
        name = f'cut{limit}'
        done, _ = make_through(server, name, limit)
        assert not done, f'{limit} of {commands}'
        with Session() as s:
            s.do('open create ' + server.url(name))
            s.do('tags')
        assert picture(server, name) == expected, f'cut after command {limit} of {commands}'
        server.sql(f'DROP DATABASE `{name}`')
    print(f'# {len(limits)} of {commands} commands')


@test
def killed_while_migrating(server):
    """The same of a store that had been at the first version."""
    with Session() as s:
        s.do('open create ' + server.url('now'))
    scripts = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'resources', 'schema')
    first = old_schema(os.path.join(scripts, '001-records.sql'))

    def make_old(name):
        server.sql(f'CREATE DATABASE `{name}`; USE `{name}`; {first}')

    make_old('old')
    done, commands = make_through(server, 'old', -1)
    assert done
    expected = picture(server, 'old')
    limits = range(1, commands) if LONG else sorted(random.sample(range(1, commands), 4))
    for limit in limits:
        name = f'old{limit}'
        make_old(name)
        done, _ = make_through(server, name, limit)
        assert not done
        with Session() as s:
            s.do('open write ' + server.url(name))
        assert picture(server, name) == expected, f'cut after command {limit} of {commands}'
        server.sql(f'DROP DATABASE `{name}`')
    print(f'# {len(limits)} of {commands} commands')


def old_schema(path):
    words = {'{id}': 'BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY', '{int}': 'BIGINT', '{real}': 'DOUBLE',
             '{text}': "LONGBLOB COMMENT 'text'", '{name}': 'VARBINARY(1000)', '{blob}': 'LONGBLOB', '{keyed}': ''}
    text = open(path).read()
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text + ("INSERT INTO counter VALUES ('schema', 1), ('revision', 5), ('stamp', 0);"
                   "INSERT INTO audit (time, who, what) VALUES (7, 'ana', 'looked'), (8, 'bob', 'left');"
                   "INSERT INTO tag VALUES (7, 3, 'kept', 'through it all', '', 1);"
                   "INSERT INTO site VALUES (1, 2, 'local', 'local', '', '', '', '', '', '', 2);")


@test
def made_at_once(server):
    for turn in range(3):
        sessions = [Session() for _ in range(4)]
        for s in sessions:
            s.send('open create ' + server.url(f'once{turn}'))
        for s in sessions:
            assert s.receive().ok
        for s in sessions:
            s.close()
        assert server.sql('SELECT COUNT(*) FROM site', database=f'once{turn}').strip() == '1'


# --- who may ---

@test
def accounts(server):
    with Session() as s:
        s.do('open create ' + server.url('rights'))
        s.do('tag a')
    server.add_account('ana', 'right', ['SELECT, INSERT, UPDATE, DELETE ON rights.*'])
    server.add_account('vera', 'look', ['SELECT ON rights.*'])
    server.add_account('nobody', 'none', [])
    folder = tempfile.mkdtemp()
    try:
        def url(user, password, name='rights'):
            path = os.path.join(folder, user + (password or ''))
            with open(path, 'w') as file:
                file.write('[firstlight]\n' + (f'password={password}\n' if password else ''))
            return server.url(name, user=user, option_file=path)

        with Session() as s:
            s.do('open write ' + url('ana', 'right'))
            assert s.do('account') == ['ana']
            s.do('tag b')
            s.fails('open write ' + url('ana', 'wrong'), DENIED, 'does not let', 'option file')
            s.fails('open write ' + url('ana', None), DENIED, 'does not let')
            s.fails('open write ' + url('who', 'right'), DENIED, 'does not let')
            answer = s.fails('open write ' + url('nobody', 'none'), DENIED, 'no rights', 'grant')
            assert 'none' not in answer
            s.fails('open write ' + server.url('absent'), MISSING, "no database called 'absent'", 'database make')
            s.fails('open create ' + url('ana', 'right', 'absent'), DENIED, 'no rights')
            s.do('open read ' + url('vera', 'look'))
            assert sorted(tags(s)) == ['a', 'b']
            s.fails('tag c', INPUT, 'read-only')
            s.do('open write ' + url('vera', 'look'))
            s.fails('tag c', DENIED)
            assert sorted(tags(s)) == ['a', 'b']
            s.do('open read ' + server.url('rights'))
            s.do('changes')
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@test
def large_values(server):
    with Session() as s:
        s.do('open create ' + server.url('large'))
        s.do('comment 3000000')
        assert s.do('measure') == ['3000000']
    server.sql('SET GLOBAL max_allowed_packet = 1048576')
    try:
        with Session() as s:
            s.do('open write ' + server.url('large'))
            s.fails('comment 2000000', UNSUPPORTED, 'max_allowed_packet', '1048576')
            s.do('comment 900000')
            assert s.do('measure') == ['900000']
    finally:
        server.sql('SET GLOBAL max_allowed_packet = 16777216')


@test
def many_rows(server):
    with Session() as s:
        s.do('open create ' + server.url('rows'))
        s.do('comment 10')
        arrays, single = map(float, s.do('rows 20000'))
        print(f'# 20000 rows: {20000 / arrays:.0f}/s as arrays, {20000 / single:.0f}/s one by one')
        assert server.sql('SELECT COUNT(*), SUM(job), MAX(solvent) FROM slice', database='rows').split() == \
            ['40000', str(20000 * 19999), '19999']


@test
def leases_go_by_the_servers_clock(server):
    with Session() as a, Session() as b:
        a.do('open create ' + server.url('lease'))
        b.do('open write ' + server.url('lease'))
        b.do('skew 3600')  # this machine's clock is an hour fast
        assert a.do('lease ana 10') == ['taken']
        assert b.do('lease bob 10') == ['ana']
        a.do('skew 7200')
        assert a.do('lease ana 1') == ['taken']
        end = time.monotonic() + 10
        while b.do('lease bob 10') != ['taken']:
            assert time.monotonic() < end
            time.sleep(0.05)


# --- encryption and secrets ---

def encryption(_):
    """With a server of its own."""
    options = ['--bind-address=127.0.0.1,127.0.0.2'] if two_addresses() else []
    with Server(tls=True, options=options) as server:
        server.add_account('ana', 'secret', ['ALL ON *.*'], tls=True)
        folder = tempfile.mkdtemp()
        try:
            path = os.path.join(folder, 'options')
            with open(path, 'w') as file:
                file.write('[firstlight]\npassword=secret\n')
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', folder + '/k', '-out',
                            folder + '/other.pem', '-days', '2', '-subj', '/CN=another'], check=True,
                           stderr=subprocess.DEVNULL)

            def url(**more):
                return server.url('tls', user='ana', tcp=True, option_file=path, **more)

            with Session() as s:
                s.do('open create ' + url(tls='verify', ca=server.ca))
                s.do('tag a')
                s.do('open write ' + url(tls='required'))
                answer = s('open write ' + url(tls='verify', ca=folder + '/other.pem'))
                assert not answer.ok and 'certificate' in answer, answer
                assert not s('open write ' + url(tls='verify')).ok  # the system does not know that CA
                s.fails('open write ' + url(tls='off'), DENIED)
                s.do('open write ' + url(tls='verify', ca=server.ca))
                server.kill9()
                s.fails('tag b', LOST)
                server.start()
                until_ok(s, 'tag b')
                if options:
                    wrong = url(tls='verify', ca=server.ca).replace('127.0.0.1', '127.0.0.2')
                    answer = s('open write ' + wrong)
                    assert not answer.ok, answer
                    s.do('open write ' + wrong.replace('verify', 'required'))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def two_addresses():
    try:
        with socket.socket() as s:
            s.bind(('127.0.0.2', 0))
        return True
    except OSError:
        return False


@test
def no_encryption_to_be_had(server):
    with Session() as s:
        s.do('open create ' + server.url('plain'))
        for tls in ('required', 'verify'):
            answer = s('open write ' + server.url('plain', tcp=True, tls=tls))
            assert not answer.ok and 'encrypted' in answer and 'mysql://' in answer, answer


@test
def a_keyring_holds_the_password(server):
    if not (shutil.which('dbus-run-session') and shutil.which('gnome-keyring-daemon')):
        return 'no keyring is installed'
    server.add_account('kim', 'from the keyring', ['ALL ON keyring.*'])
    with Session() as s:
        s.do('open create ' + server.url('keyring'))
    folder = tempfile.mkdtemp()
    try:
        script = ('gnome-keyring-daemon --unlock --components=secrets --daemonize >&2 <<< "" && '
                  f'exec "$0" "$@"')
        environment = {'HOME': folder, 'XDG_DATA_HOME': folder, 'XDG_RUNTIME_DIR': folder, 'XDG_CONFIG_HOME': folder}
        url = server.url('keyring', user='kim')
        done = subprocess.run(['dbus-run-session', '--', 'bash', '-c', script, SESSION], text=True, timeout=60,
                              input=f'open write {url}\nkeyring {url}\nfrom the keyring\nopen write {url}\naccount\n',
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment})
        answers = [Answer(line) for line in done.stdout.splitlines()]
        if len(answers) > 1 and not answers[1].ok:
            return f'the keyring does not start here: {answers[1]}'
        assert answers[0].code == DENIED, answers
        assert answers[2].ok and answers[3].words == ['kim'], answers
        assert 'from the keyring' not in done.stdout
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    if not available():
        print('1..0 # SKIP no MariaDB server is installed')
        return
    functions = [killed_while_making, killed_while_migrating, frozen, busy] if LONG else TESTS + [encryption]
    functions = [f for f in functions if not ONLY or f.__name__ in ONLY]
    seed = random.randrange(1 << 30)
    random.seed(seed)
    print(f'# seed {seed}')
    print(f'1..{len(functions)}', flush=True)
    failed = False
    with Server() as server:
        for number, function in enumerate(functions, 1):
            begin = time.monotonic()
            try:
                skip = function(server)
                print(f'ok {number} - {function.__name__}' + (f' # SKIP {skip}' if skip else ''))
            except (AssertionError, RuntimeError, OSError) as error:
                failed = True
                import traceback
                print(''.join('# ' + line + '\n' for line in traceback.format_exc().splitlines()), end='')
                print(f'not ok {number} - {function.__name__}')
                if server.process is None:
                    server.start()
            print(f'# {time.monotonic() - begin:.1f} s', flush=True)
    sys.exit(failed)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
