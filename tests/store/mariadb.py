#!/usr/bin/env python3
"""A private MariaDB server for tests: on loopback, in a folder of its own, stopped and removed at the end.

    mariadb.py [--tls] COMMAND…     FIRSTLIGHT_TEST_MYSQL=mysql://root@127.0.0.1:PORT/?socket=… for COMMAND, whose status
                                    it gives back; 77 (skipped) where no server is installed

As a module: with Server(tls=False) as server: server.url('lysozyme'), server.sql('SELECT 1') … kill9() and start() again
keep the data; stop() is the end of it. By default nothing is encrypted; with tls a CA made here signs the server's
certificate for 127.0.0.1 and localhost (server.ca)."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# Reads until its owner is done or gone, however that ended; then no server and no folder is left behind. The folder is no
# argument: it would take itself for the server.
WATCH = '''read -r word
[ "$word" = done ] && exit
for process in /proc/[0-9]*; do
  grep -qs -- "--datadir=$FOLDER/data" "$process/cmdline" && kill -KILL "${process#/proc/}"
done
rm -rf "$FOLDER"
'''
SERVERS = ('/usr/sbin/mariadbd', '/usr/sbin/mysqld')


def program():
    return next((path for path in SERVERS if os.access(path, os.X_OK)), shutil.which('mariadbd'))


def available():
    return bool(program() and shutil.which('mariadb-install-db') and shutil.which('mariadb'))


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, tls=False, options=()):
        memory = '/dev/shm'
        self.folder = tempfile.mkdtemp(prefix='fl-db-', dir=memory if os.access(memory, os.W_OK) else None)
        self.user = 'mysql' if os.getuid() == 0 else None
        os.chmod(self.folder, 0o755)
        self.data = os.path.join(self.folder, 'data')
        self.socket = os.path.join(self.folder, 's')
        self.port = free_port()
        self.process = None
        self.options = list(options)
        self.ca = None
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith('FIRSTLIGHT_')
                            and k not in ('LD_PRELOAD', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS')}
        self.watch = subprocess.Popen(['sh', '-c', WATCH], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, start_new_session=True,
                                      env={**os.environ, 'FOLDER': self.folder})
        try:
            if tls:
                self._make_certificates()
            install = ['mariadb-install-db', '--no-defaults', '--datadir=' + self.data, '--skip-test-db',
                       '--auth-root-authentication-method=normal', '--innodb-log-file-size=8M']
            if self.user:
                shutil.chown(self.folder, self.user)
                install.append('--user=' + self.user)
            subprocess.run(install, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, env=self.environment)
            self.start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _openssl(self, *words):
        subprocess.run(['openssl', *words], check=True, cwd=self.folder, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def _make_certificates(self):
        with open(os.path.join(self.folder, 'names'), 'w') as file:
            file.write('subjectAltName=IP:127.0.0.1,DNS:localhost\n')
        self._openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem',
                      '-days', '2', '-subj', '/CN=CA of a test')
        self._openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.csr',
                      '-subj', '/CN=localhost')
        self._openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
                      '-out', 'server.pem', '-days', '2', '-extfile', 'names')
        self.ca = os.path.join(self.folder, 'ca.pem')
        for name in ('ca.pem', 'server.pem', 'server.key'):
            os.chmod(os.path.join(self.folder, name), 0o644)  # of a throw-away server
        self.options += [f'--ssl-ca={self.ca}', f'--ssl-cert={self.folder}/server.pem',
                         f'--ssl-key={self.folder}/server.key']

    def start(self):
        """Also again after kill9()."""
        command = [program(), '--no-defaults', '--datadir=' + self.data, '--socket=' + self.socket,
                   f'--pid-file={self.folder}/pid', f'--log-error={self.folder}/log', '--bind-address=127.0.0.1',
                   f'--port={self.port}', '--skip-name-resolve', '--tmpdir=' + self.folder,
                   '--innodb-buffer-pool-size=64M', '--innodb-log-file-size=8M', '--max-connections=200',
                   '--character-set-server=utf8mb4'] + self.options
        if self.user:
            command.append('--user=' + self.user)
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=self.environment, start_new_session=True)
        end = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError('MariaDB does not start: ' + self.log()[-2000:])
            time.sleep(0.02)

    def log(self):
        try:
            with open(os.path.join(self.folder, 'log'), errors='replace') as file:
                return file.read()
        except OSError:
            return ''

    def _client(self, text, user, password, database):
        environment = dict(self.environment)
        if password:
            environment['MYSQL_PWD'] = password
        command = ['mariadb', '--no-defaults', '--batch', '--skip-column-names', '--socket=' + self.socket,
                   '--user=' + user]
        if database:
            command.append('--database=' + database)
        return subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment)

    def _answers(self):
        return os.path.exists(self.socket) and self._client('SELECT 1', 'root', None, None).returncode == 0

    def sql(self, text, user='root', password=None, database=None):
        """The rows, columns parted by tabulators, as one text; RuntimeError with what the server said."""
        done = self._client(text, user, password, database)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors='replace').strip())
        return done.stdout.decode(errors='surrogateescape')

    def add_account(self, name, password='', grants=('ALL ON *.*',), tls=False):
        """`grants`: such as 'SELECT ON lysozyme.*'."""
        self.sql(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'" + (' REQUIRE SSL' if tls else ''))
        for grant in grants:
            what, _, where = grant.partition(' ON ')
            self.sql(f"GRANT {what} ON {where} TO '{name}'@'%'")

    def url(self, name, user='root', tcp=False, **options):
        """Of the database `name`; through the socket, or the network with `tcp`."""
        options = {**({} if tcp else {'socket': self.socket}), **options}
        query = '&'.join(f'{key}={value}' for key, value in options.items())
        return f'mysql://{user}@127.0.0.1:{self.port}/{name}' + ('?' + query if query else '')

    def kill9(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self, frozen=True):
        os.kill(self.process.pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def stop(self):
        if self.process is not None:
            self.freeze(False)
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.watch.returncode is None:
            self.watch.communicate(b'done\n')


def main(words):
    tls = words[:1] == ['--tls']
    command = words[1:] if tls else words
    if not command:
        sys.exit(__doc__)
    if not available():
        print('1..0 # SKIP no MariaDB server is installed')
        return 77
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    with Server(tls=tls) as server:
        url = f'mysql://root@127.0.0.1:{server.port}/?socket={server.socket}'
        environment = {**os.environ, 'FIRSTLIGHT_TEST_MYSQL': url}
        if server.ca:
            environment['FIRSTLIGHT_TEST_MYSQL_CA'] = server.ca
        child = subprocess.Popen(command, env=environment)
        try:
            status = child.wait()
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    return status if status >= 0 else 128 - status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
