"""hits: the program as users run it, on simulated mixtures whose truth is known.
Usage: test-hits.py [--long] FIRSTLIGHT-ENGINE [MPIRUN]   --long: real molecules, several seeds"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

try:
    import h5py
    import numpy as np
except ImportError as error:
    print('SKIP: no Python module to read the files with:', error)
    sys.exit(77)

long = '--long' in sys.argv
engine, mpirun = ([a for a in sys.argv[1:] if a != '--long'] + [''])[:2]
data = os.environ.get('FIRSTLIGHT_TEST_DATA', '')
BLANK, SINGLE, SEVERAL, JUNK = range(4)


def call(command, status=0, timeout=200):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout)
    assert done.returncode == status, f'{command}: exit {done.returncode}, expected {status}: {done.stderr}'
    return done


def simulate(folder, model, shots, *sets, options=()):
    sets = ['background=0.02', 'blank_fraction=0.3', 'droplet_fraction=0.05', 'several_fraction=0.05', 'fluence=gamma',
            'position_jitter=0.1', *sets]
    call([engine, 'simulate-spi', '--quiet', '--out', folder, '--model', model, '--shots', str(shots), *options,
          *[x for text in sets for x in ('--set', 'simulate_spi.' + text)]])


def hits(folder, *inputs, ranks=1, status=0, options=()):
    first = [mpirun, '-n', str(ranks)] if ranks > 1 else []
    return call([*first, engine, 'hits', *options, '--out', folder, *inputs], status)


def counts(done):
    line = done.stdout.strip().splitlines()[-1]
    found = re.fullmatch(r'(\d+) shots, (\d+) hits, (\d+) blank, (\d+) several, (\d+) junk', line)
    assert found, line
    return [int(x) for x in found.groups()]


def read_emc(path):
    words = np.fromfile(path, '<i4')
    n, pixels = words[0], words[1]
    ones, multi = words[256:256 + n], words[256 + n:256 + 2 * n]
    at = np.cumsum([256 + 2 * n, ones.sum(), multi.sum()])
    frames = np.zeros((n, pixels), np.int32)
    frames[np.repeat(np.arange(n), ones), words[at[0]:at[1]]] = 1
    frames[np.repeat(np.arange(n), multi), words[at[1]:at[2]]] = words[at[2]:]
    return frames


def judge(folder, job, what, kept_least):
    """Of what is rejected 95 % is no single particle, or too faint; of singles with 300 photons 95 % are kept."""
    with h5py.File(folder + '/truth.h5') as t, h5py.File(job + '/patterns.h5') as p:
        kind, expected = t['kind'][:], t['expected'][:]
        kept = np.zeros(len(kind), bool)
        kept[p['patterns/row'][:]] = True
        assert (p['patterns/class'][:] == SINGLE).all() and len(p['patterns/id']) == kept.sum()
    good = (kind == 1) & (expected >= 300)
    precision, recall = 1 - (good & ~kept).sum() / (~kept).sum(), kept[good].mean()
    droplets, purity = 1 - kept[kind == 3].mean(), (kind[kept] == 1).mean()
    blanks = (~kept[kind == 0]).sum()
    print(f'# {what}: {(~kept).sum()} of {len(kept)} rejected, precision {precision:.3f}; recall {recall:.3f}; '
          f'droplets told {droplets:.2f}, blanks {blanks} of {(kind == 0).sum()}, singles among the kept {purity:.3f}')
    assert precision >= 0.95 and recall >= 0.95 and not kept[kind == 0].any()
    assert droplets >= 0.95 and purity >= kept_least


def write_molecule(path):
    places = np.random.default_rng(2).normal(0, 1, (4000, 3))
    places = places[np.linalg.norm(places, axis=1) < 1.7][:1500] * (28, 22, 18)
    with open(path, 'w') as f:
        for i, r in enumerate(places):
            f.write('ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n' % (i + 1, i + 1, *r))


def check_patterns(folder, job):
    """The file has the photons of the shots that it says, and the background as it is."""
    frames = read_emc(folder + '/particles.emc')
    with h5py.File(job + '/patterns.h5') as p, h5py.File(folder + '/detector.h5') as d:
        assert p.attrs['format'] == b'firstlight patterns'
        good = d['mask'][:] == 0
        start, row = p['patterns/start'][:], p['patterns/row'][:]
        assert (np.diff(row.astype(int)) > 0).all()
        for i in range(len(row)):
            mine = np.zeros(frames.shape[1], int)
            mine[p['photons/pixel'][start[i]:start[i + 1]]] = p['photons/count'][start[i]:start[i + 1]]
            assert (mine == frames[row[i]] * good).all()
        s = np.stack([d['qx'], d['qy'], d['qz']], 1) / (d['ewald_rad'][()] * d['wavelength'][()])
        assert abs(p['detector/s'][:] - s).max() < 1e-9
        background = p['detector/background'][:]
        assert abs(background[good].mean() / 0.02 - 1) < 0.05 and not background[~good].any()


def contents(job):
    return open(job + '/patterns.h5', 'rb').read()


def check_attempts(top, folder, one):
    """Stopped and killed, the job goes on; parameters do not change on the way."""
    options = ['--set', 'engine.batch_rows=10']
    for number, how in enumerate((signal.SIGTERM, signal.SIGKILL)):
        job = f'{top}/again-{number}'
        process = subprocess.Popen([engine, 'hits', *options, '--out', job, folder + '/particles.emc'],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        journal, until = job + '/attempt-0001', time.monotonic() + 60
        while time.monotonic() < until:
            files = [os.path.join(journal, n) for n in os.listdir(journal)] if os.path.isdir(journal) else []
            if sum(os.path.getsize(f) for f in files if f.endswith('.flj')) > 20000:
                break
            time.sleep(0.002)
        process.send_signal(how)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == (75 if how == signal.SIGTERM else -9), f'{process.returncode}: {said}'
        assert not os.path.exists(job + '/patterns.h5')
        done = hits(job, folder + '/particles.emc', options=options, ranks=2 if mpirun else 1)
        assert 'learned from' not in done.stderr
        assert contents(job) == one, f'after signal {how} other patterns'
    done = hits(job, folder + '/particles.emc', options=['--set', 'hits.junk_sigma=9'], status=2)
    assert 'hits.junk_sigma' in done.stderr


def check_refusals(top, folder, other):
    def refused(words, *inputs):
        done = hits(top + '/refused', *inputs, status=2)
        lines = done.stderr.strip().splitlines()
        assert all(l.startswith('firstlight-engine hits: ') for l in lines) and words in done.stderr, done.stderr
        assert not os.path.exists(top + '/refused/attempt-0001')
    refused('no such file', top + '/none.emc')
    shutil.copy(other + '/particles.emc', other + '/others.emc')
    refused('has another number of pixels', folder + '/particles.emc', other + '/others.emc')
    os.mkdir(top + '/alone')
    shutil.copy(folder + '/particles.emc', top + '/alone/p.emc')
    refused('no detector', top + '/alone/p.emc')
    open(top + '/alone/torn.emc', 'wb').write(open(folder + '/particles.emc', 'rb').read()[:-100])
    shutil.copy(folder + '/detector.h5', top + '/alone/detector.h5')
    refused('torn.emc', top + '/alone/torn.emc')
    done = hits(top + '/partly', top + '/alone/torn.emc', folder + '/particles.emc', status=2)
    assert counts(done)[0] > 0 and 'torn.emc' in done.stderr


def check(top):
    model = top + '/molecule.pdb'
    write_molecule(model)
    simulate(top + '/mixed', model, 1000, options=['--cxi'])
    simulate(top + '/other', model, 20, 'pixels=51', 'pixel_size=0.6')
    emc = top + '/mixed/particles.emc'
    done = hits(top + '/job', emc)
    shots, singles, blank, several, junk = counts(done)
    assert shots == 1000 == singles + blank + several + junk
    judge(top + '/mixed', top + '/job', 'made-up molecule, 1,000 photons', 0.9)
    check_patterns(top + '/mixed', top + '/job')
    one = contents(top + '/job')
    for ranks in (2, 3) if mpirun else ():
        hits(f'{top}/ranks-{ranks}', emc, ranks=ranks)
        assert contents(f'{top}/ranks-{ranks}') == one, f'{ranks} ranks give other patterns'
    assert counts(hits(top + '/job', emc)) == [shots, singles, blank, several, junk] and contents(top + '/job') == one
    frames = counts(hits(top + '/folder', top + '/mixed'))  # the CXI file: other ids, so other photons thinned out
    assert frames[0] == shots and abs(frames[1] - singles) <= 0.01 * shots and frames[2] == blank, frames
    check_attempts(top, top + '/mixed', one)
    check_refusals(top, top + '/mixed', top + '/other')


def check_long(top):
    for name in ('4ake.pdb', 'groel14_T.pdb.gz'):
        path = os.path.join(data, 'pdb', name)
        if not os.path.exists(path):
            print('SKIP: no test data')
            sys.exit(77)
        for seed, *sets in ((1, 'photons=1000'), (2, 'photons=1000', 'background_slope=0.5', 'background_jitter=0.2'),
                            (3, 'photons=300'), (4, 'photons=3000', 'position_jitter=0.02'),
                            (5, 'photons=1000', 'blank_fraction=0', 'background=0', 'droplet_fraction=0.1')):
            folder, job = f'{top}/{name}-{seed}', f'{top}/{name}-{seed}-job'
            simulate(folder, path, 2000, f'seed={seed}', *sets)
            hits(job, folder + '/particles.emc')
            judge(folder, job, f'{name} {" ".join(sets)}', 0.88)


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as top:
    print('1..1')
    check_long(top) if long else check(top)
    print('ok 1 hits')
