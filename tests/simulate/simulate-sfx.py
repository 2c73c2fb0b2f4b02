"""simulate-sfx from outside: files that h5py opens, layout, compression, truth, exit statuses, stopping.
Usage: simulate-sfx.py FIRSTLIGHT-ENGINE"""
import os
import re
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

engine = sys.argv[1]


def run(folder, *arguments, status=0):
    done = subprocess.run([engine, 'simulate-sfx', '--out', folder, *arguments], capture_output=True, text=True)
    assert done.returncode == status, f'{arguments}: exit {done.returncode}, expected {status}: {done.stderr}'
    return done


def check_layout(folder):
    run(folder, '--shots', '3', '--set', 'simulate.hit_fraction=1', '--set', 'simulate.double_fraction=0.5')
    with h5py.File(os.path.join(folder, 'r0001', 'r0001_c00.cxi'), 'r') as f:
        data = f['/entry_1/data_1/data']
        assert data.shape == (3, 1024, 1024) and data.chunks == (1, 1024, 1024) and data.dtype == np.int16
        assert f['/entry_1/instrument_1/detector_1/data'].shape == data.shape
        assert abs(f['/entry_1/instrument_1/detector_1/distance'][()] - 0.08) < 1e-12
        mask = f['/entry_1/data_1/mask'][:]
        assert mask.shape == (1024, 1024) and mask.max() == 1 and 0.0001 < mask.mean() < 0.01
        energy = f['/LCLS/photon_energy_eV'][:]
        assert energy.shape == (3,) and np.all(abs(energy / 9300 - 1) < 0.01)
        assert list(f['/LCLS/eventNumber'][:]) == [0, 1, 2]
        image = data[:][:, mask == 0]
        # Readout noise of 3 counts about 0 and about multiples of 40.
        zero = image[abs(image) < 15]
        assert abs(zero.std() - 3) < 0.1 and abs(zero.mean()) < 0.1, (zero.std(), zero.mean())
        limit = float(re.search(r'^max_adu = (\S+)$', open(os.path.join(folder, 'detector.geom')).read(), re.M)[1])
        assert limit < image.max() <= 32000, (limit, image.max())  # what is clipped is above what may be
    rows = [line.rstrip('\n').split('\t') for line in open(os.path.join(folder, 'r0001', 'r0001_c00.truth.tsv'))]
    assert all(len(row) == len(rows[0]) for row in rows), 'a row of the truth table has the wrong length'
    for row in rows[1:]:
        assert row[1] in ('hit', 'double')
        w, x, y, z = map(float, row[4:8])
        rotation = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                             [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                             [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])
        axes = np.array(list(map(float, row[8:17]))).reshape(3, 3)
        assert np.allclose(axes, (rotation @ np.diag([10 / 79.1, 10 / 79.1, 10 / 37.9])).T, atol=1e-7)


def check_compressions(folder):
    frames = {}
    for name in ('none', 'deflate', 'bitshuffle'):
        out = os.path.join(folder, name)
        # An EIGER's pixels are no multiple of 8: bitshuffle has some left over.
        run(out, '--shots', '2', '--set', f'simulate.compression={name}', '--set', 'simulate.detector=eiger-1m')
        with h5py.File(os.path.join(out, 'r0001', 'r0001_c00.cxi'), 'r') as f:
            try:
                frames[name] = f['/entry_1/data_1/data'][:]
            except OSError as error:
                assert name == 'bitshuffle' and not h5py.h5z.filter_avail(32008), error
                print('HDF5 has no bitshuffle plug-in here: not read by h5py')
    assert all(np.array_equal(frames['none'], other) for other in frames.values())


def check_refusals(folder):
    for arguments in (['--runs', '0'], ['--rate', '-1'], ['--no-such-option'], ['stray'], ['--set', 'simulate.cell=1,2'],
                      ['--set', 'simulate.no_such=1'], ['--model', '/nowhere.pdb'],
                      ['--set', 'simulate.space_group=Q4']):
        done = run(folder, *arguments, status=2)
        assert done.stderr.count('\n') == 1, done.stderr
    damaged = os.path.join(folder, 'damaged.pdb')
    for text in ('', 'CRYST1 nonsense\n', 'CRYST1   79.100   79.100   37.900  90.00  90.00  90.00 P 43 21 2     8\n',
                 'CRYST1   79.100   79.100   37.900  90.00  90.00  90.00 P 43 21 2     8\nATOM      1  N   LYS A   1  '
                 '     x.225  10.299  10.432  1.00  5.28           N\n', '\x00' * 1000):
        with open(damaged, 'w') as f:
            f.write(text)
        done = run(folder, '--model', damaged, status=2)
        assert damaged in done.stderr and done.stderr.count('\n') == 1, done.stderr


def check_stop(folder):
    play = [engine, 'simulate-sfx', '--out', folder, '--runs', '2', '--shots', '6', '--shots-per-file', '3']
    child = subprocess.Popen(play + ['--rate', '5'], stderr=subprocess.PIPE, text=True)
    path = os.path.join(folder, 'r0001', 'r0001_c00.cxi')
    deadline = time.time() + 30
    while not os.path.exists(path) and time.time() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 75 and said.count('\n') == 1, (child.returncode, said)
    left = [name for _, _, names in os.walk(folder) for name in names if name.endswith('.inprogress')]
    assert not left, left
    kept = os.stat(path).st_mtime_ns
    subprocess.run(play, check=True, capture_output=True)
    assert os.stat(path).st_mtime_ns == kept
    for number in (1, 2):
        for part in (0, 1):
            with h5py.File(os.path.join(folder, f'r000{number}', f'r000{number}_c0{part}.cxi'), 'r') as f:
                assert f['/entry_1/data_1/data'].shape[0] == 3


for check in (check_layout, check_compressions, check_refusals, check_stop):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        check(temporary)
    print('ok', check.__name__)
