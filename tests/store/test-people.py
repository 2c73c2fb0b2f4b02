#!/usr/bin/python3
"""`firstlight-control people`, and that a viewer changes nothing by any program: each of them that writes is run by one,
every request of `serve` is asked, a conductor whose account becomes a viewer ends. Prints TAP.

usage: test-people.py FIRSTLIGHT-CONTROL TEST-MIRROR SERVE-CLIENT-FOLDER"""
import getpass
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
CONTROL, WRITER, CLIENT = sys.argv[1:4]
ME = getpass.getuser()
GEOMETRY = '''photon_energy = 9000
clen = 0.1
adu_per_photon = 1
res = 10000
data = /data
dim0 = ss
dim1 = fs
p0/min_fs = 0
p0/max_fs = 99
p0/min_ss = 0
p0/max_ss = 99
p0/fs = x
p0/ss = y
p0/corner_x = -50
p0/corner_y = -50
'''


def run(*words, code=0, says=''):
    done = subprocess.run([CONTROL, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == code, (words, done)
    assert says in done.stderr, (words, done.stderr)
    if code:
        assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stdout


def people(folder, *words, **more):
    out = run('people', folder, '--json', *words, **more)
    return json.loads(out) if out else None


def content(folder):
    """Every row of every table, and every file but the database's own."""
    db = sqlite3.connect('file:%s/firstlight.sqlite?mode=ro' % folder, uri=True)
    tables = [t for t, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    rows = {t: sorted(db.execute('SELECT * FROM ' + t).fetchall(), key=repr) for t in tables}
    db.close()
    files = {}
    for where, folders, names in os.walk(folder):
        files[where] = sorted(folders)
        for name in names:
            if not name.startswith('firstlight.sqlite'):
                with open(os.path.join(where, name), 'rb') as file:
                    files[os.path.join(where, name)] = hashlib.sha256(file.read()).hexdigest()
    return rows, files


def experiment(tmp):
    """With runs, jobs, attempts, tags, shots."""
    folder = os.path.join(tmp, 'beamtime')
    subprocess.run([WRITER, '--write', folder, '3', '150'], check=True, stdout=subprocess.DEVNULL)
    db = sqlite3.connect(folder + '/firstlight.sqlite')
    db.execute('DELETE FROM lease')  # nobody conducts
    db.commit()
    db.close()
    run('dataset', '--store', folder, '--name', 'all', '--expression', 'r1')
    return folder


def test_roles(tmp):
    folder = experiment(tmp)
    before = people(folder)
    assert (before['account'], before['role'], before['people']) == (ME, 'owner', [])
    run('people', folder, '--role', 'ana=operator', code=2, says='nobody would be an owner')
    run('people', folder, '--role', 'ana=king', code=2, says='expected NAME=viewer, operator, owner or none')
    run('people', folder, '--role', ME + '=owner', '--role', 'ana=king', code=2)
    assert people(folder)['people'] == []
    after = people(folder, '--role', 'ana=operator', '--role', ME + '=owner', '--role', 'b=c=viewer')
    assert [(p['name'], p['role']) for p in after['people']] == [('ana', 'operator'), (ME, 'owner'), ('b=c', 'viewer')]
    run('people', folder, '--role', ME + '=none', code=2, says='nobody would be an owner')
    after = people(folder, '--role', 'b=c=none', '--edits', '1')
    assert len(after['people']) == 2 and len(after['edits']) == 1
    edit = after['edits'][0]
    assert (edit['kind'], edit['table'], edit['name'], edit['who']) == ('removed', 'person', 'b=c', ME), edit
    assert 'ana' in run('people', folder) and 'You are %s: owner' % ME in run('people', folder)


def test_edits_of_programs(tmp):
    folder = experiment(tmp)
    run('dataset', '--store', folder, '--name', 'all', '--expression', 'r1 or r2')
    edits = people(folder, '--edits', '100')['edits']
    assert [(e['kind'], e['table'], e['column'], e['before'], e['after']) for e in edits[:1]] == [
        ('changed', 'dataset', 'expression', 'r1', 'r1 or r2')], edits[:3]
    run('site', '--store', folder, '--name', 'far', '--kind', 'slurm')
    run('job', '--store', folder, '--stop', '1')
    edits = people(folder, '--edits', '100')['edits']
    assert ('changed', 'job', 'stop_wanted') == tuple(edits[0][k] for k in ('kind', 'table', 'column'))
    assert ('made', 'site', 'far') in [tuple(e[k] for k in ('kind', 'table', 'name')) for e in edits[1:]], edits


def test_hostile(tmp):
    folder = experiment(tmp)
    db = sqlite3.connect(folder + '/firstlight.sqlite')
    bad = "\x1b[31mred\x07\n\u202emirrored'; DROP TABLE person; --" + 'x' * 1000
    now = time.time_ns()
    db.execute('INSERT INTO presence VALUES (?, ?, ?, ?, ?, ?, ?, ?)', (bad, bad, bad, bad, bad, now, now, now))
    db.execute('INSERT INTO person VALUES (1, 1, ?, 2, ?)', (bad, bad))
    for kind in range(5):
        db.execute('INSERT INTO edit (time, who, machine, kind, record_table, record, record_name, field, old_value, new_value, '
                   'undoes, backward, action) VALUES (?, ?, ?, ?, 99, 1, ?, ?, ?, ?, 0, 0, 0)',
                   (2**63 - 1 if kind else -5, bad, bad, kind, bad, 'name', bad, bad))
    db.commit()
    db.close()
    out = run('people', folder)
    assert not any((ord(c) < 32 and c != '\n') or c == '\u202e' for c in out), ascii(out)
    assert all(len(line) < 700 for line in out.splitlines())
    assert out.count('red') > 10
    assert people(folder)['here'][0]['who'] == bad


def test_viewer(tmp):
    folder = experiment(tmp)
    geometry, weather, journals = (os.path.join(tmp, n) for n in ('a.geom', 'debug_0.txt', 'journals'))
    with open(geometry, 'w') as file:
        file.write(GEOMETRY)
    with open(weather, 'w') as file:
        file.write('node1,shot-0-1,2020-01-01T00:00Z00.000,    ,start\n')
    os.mkdir(journals)
    people(folder, '--role', 'boss=owner')
    assert people(folder)['role'] == 'viewer'
    before = content(folder)
    store = ('--store', folder)
    for words in (('experiment', *store, '--tag', 'mine'), ('experiment', *store, '--science', 'spi'),
                  ('experiment', *store, '--trial', ''), ('experiment', *store, '--cores', '3'),
                  ('experiment', *store, '--watch', tmp),
                  ('dataset', *store, '--name', 'mine', '--expression', 'r1'), ('dataset', *store, '--name', 'all'),
                  ('site', *store, '--name', 'far', '--kind', 'slurm'), ('site', *store, '--name', 'local', '--cores', '9'),
                  ('site', *store, '--name', 'local', '--remove'),
                  ('geometry', *store, geometry), ('import', *store, 'weather', weather),
                  ('job', *store, '--stop', '1'), ('job', *store, '--retry', '1'),
                  ('ingest', *store, '--attempt', '1', '--compact', journals),
                  ('conduct', *store, '--once'), ('conduct', *store, '--stand-by', '--once'),
                  ('people', folder, '--role', ME + '=owner'), ('people', folder, '--role', 'boss=none'),
                  ('database', 'grant', folder, ME, 'owner')):
        run(*words, code=2, says='you are a viewer of this experiment, %s; an owner can change that' % ME)
    for words in (('job', *store), ('site', *store), ('dataset', *store), ('findings', folder), ('people', folder),
                  ('database', 'check', folder)):
        run(*words)
    assert content(folder) == before


def test_serve(tmp):
    """Every request there is, also with what others would take for a wish to write: nothing has changed."""
    sys.path.insert(0, CLIENT)
    import serve_client as s
    folder = experiment(tmp)
    people(folder, '--role', 'boss=owner')
    before, outside = content(folder), content_of_files(tmp)
    log, job = folder + '/firstlight.sqlite', folder + '/jobs/x'
    asked = {s.HELLO: [(3,)], s.IMAGE: [(1, log, '', '', 0, 0., 0., 0., 0., 0, 10, 10, 0)], s.SPOTS: [(job, log, '', '', 0)],
             s.SOURCE: [(log, '', '')], s.LOG: [(log, 0, 100), (folder, -5, 10)], s.INFLIGHT: [(job,), (folder + '/new',)],
             s.LATTICES: [(job, log, '', '', 0)], s.TRY: [(log, '', '', 0, 'spots.threshold = 3')],
             s.FIND: [(log, 'x', 0)], s.FEED: [(folder, b'', 1000), (folder + '/none', b'', 9), (tmp, b'FLP1', 9)],
             s.MAP: [(log, 10, 0)], s.MODEL: [(log,)]}
    serve = s.Serve(CONTROL)
    answered = 0
    for operation in range(1, 40):
        if operation == s.CANCEL:
            continue
        if operation not in asked:
            assert operation > s.MODEL, operation  # a new one must be asked here, too
            continue
        for values in asked[operation]:
            try:
                serve.ask(operation, *values)
                answered += 1
            except s.ServeError as error:
                assert '\n' not in str(error)
    serve.close()
    assert answered >= 4, answered
    assert content(folder) == before and content_of_files(tmp) == outside


def content_of_files(tmp):
    return {where: sorted(n for n in names if not n.endswith(('-wal', '-shm'))) for where, _, names in os.walk(tmp)}


def test_demoted(tmp):
    """A conductor cannot go on when its account may not write any more."""
    folder = os.path.join(tmp, 'beamtime')
    run('experiment', '--store', folder)
    conductor = subprocess.Popen([CONTROL, 'conduct', '--store', folder, '--interval', '0.05'], text=True,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        db = sqlite3.connect('file:%s/firstlight.sqlite?mode=ro' % folder, uri=True)
        for _ in range(300):
            if db.execute("SELECT count(*) FROM lease WHERE holder <> ''").fetchone()[0]:
                break
            time.sleep(0.05)
        people(folder, '--role', 'boss=owner')
        before = time.monotonic()
        _, err = conductor.communicate(timeout=30)
        assert conductor.returncode == 2 and 'you are a viewer' in err, (conductor.returncode, err)
        assert time.monotonic() - before < 10
    finally:
        if conductor.poll() is None:
            conductor.kill()


TESTS = [test_roles, test_edits_of_programs, test_hostile, test_viewer, test_serve, test_demoted]
print('1..%d' % len(TESTS))
failed = False
for number, test in enumerate(TESTS, 1):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True, prefix='firstlight-people-') as tmp:
        name = test.__name__[5:].replace('_', '-')
        try:
            test(tmp)
            print('ok %d - %s' % (number, name), flush=True)
        except ImportError as missing:
            print('ok %d - %s # SKIP %s' % (number, name, missing), flush=True)
        except Exception:
            failed = True
            print('# ' + traceback.format_exc().replace('\n', '\n# '))
            print('not ok %d - %s' % (number, name), flush=True)
sys.exit(failed)
