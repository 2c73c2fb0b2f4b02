#!/usr/bin/python3
"""`firstlight-control serve` as a whole, spoken to from another language: pictures against a reassembly by numpy, logs by
range, what lies outside the served folders, damaged files, bounded memory. Prints TAP.

usage: test-serve.py FIRSTLIGHT-CONTROL FIRSTLIGHT-ENGINE"""
import os
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
try:
    import h5py
    import numpy as np
    from serve_client import (FEED, FIND, IMAGE, INFLIGHT, LATTICES, LOG, MAP, MAXIMUM, MEAN, MODEL, RAW, SOURCE, SPOTS, TRY, Serve, ServeError,
                              read_geom)
except ImportError as missing:
    print('1..0 # SKIP %s (python3-h5py, python3-numpy, python3-gi)' % missing)
    sys.exit(0)

CONTROL, ENGINE = sys.argv[1:3]
DATA = os.environ.get('FIRSTLIGHT_TEST_DATA', '')
DATA = DATA and os.path.realpath(DATA)  # errors name files by their real path


def refused(serve, operation, *values):
    try:
        serve.ask(operation, *values)
    except ServeError as error:
        assert '\n' not in str(error), error
        return str(error)
    raise AssertionError('not refused: %r' % (values,))


def reassemble(values, bad, panels, rect, width, height, reduce):
    """The good pixels whose centres fall into each raster pixel, by numpy; NaN where there are none."""
    total, count = np.zeros(width * height), np.zeros(width * height, int)
    top = np.full(width * height, -np.inf)
    x0, y0, x1, y1 = rect
    for p in panels:
        fs, ss = np.meshgrid(np.arange(*p['f']), np.arange(*p['s']))
        u, v = fs - p['f'][0] + 0.5, ss - p['s'][0] + 0.5
        x = p['corner'][0] + u * p['fs'][0] + v * p['ss'][0]
        y = -(p['corner'][1] + u * p['fs'][1] + v * p['ss'][1])
        i = np.floor((x - x0) / (x1 - x0) * width).astype(int)
        j = np.floor((y - y0) / (y1 - y0) * height).astype(int)
        good = (bad[ss, fs] == 0) & (i >= 0) & (i < width) & (j >= 0) & (j < height)
        at, value = (j * width + i)[good], values[ss, fs][good]
        np.add.at(total, at, value)
        np.add.at(count, at, 1)
        np.maximum.at(top, at, value)
    with np.errstate(invalid='ignore'):
        out = total / count if reduce == MEAN else np.where(count > 0, top, np.nan)
    return out.reshape(height, width)


def test_pictures():
    folder = os.path.join(DATA, 'crystfel-sim')
    path, geometry = os.path.join(folder, 'lyso-jf4m.h5'), os.path.join(folder, 'lyso-jf4m.geom')
    common, panels = read_geom(geometry)
    with h5py.File(path, 'r') as f, h5py.File(os.path.join(folder, 'lyso-jf4m.mask.h5'), 'r') as m:
        values, bad = f['/entry/data/data'][7], m['/mask'][...]
        frames = f['/entry/data/data'].shape[0]
    serve = Serve(CONTROL)
    for reduce in MEAN, MAXIMUM:
        for rect, width, height in ((0, 0, 0, 0), 900, 900), ((-300.0, -420.0, 330.5, 100.25), 300, 240):
            image = serve.image(path, geometry, frame=7, rect=rect, reduce=reduce, width=width, height=height)
            want = reassemble(values, bad, panels, image['rect'], width, height, reduce)
            got = image['raster']
            have = ~np.isnan(want)
            assert have.sum() > 0.5 * width * height
            wrong = ~np.isclose(got, want, rtol=1e-5, equal_nan=False) & have
            assert wrong.sum() <= 2e-4 * have.sum(), (wrong.sum(), have.sum())
            # Elsewhere: gaps, or a bad pixel, or the pixel under the centre of one that covers no centre.
            assert np.isnan(got[~have]).mean() > 0.8
    good = np.concatenate([values[p['s'][0]:p['s'][1], p['f'][0]:p['f'][1]][
        bad[p['s'][0]:p['s'][1], p['f'][0]:p['f'][1]] == 0] for p in panels])
    for q, got in zip((0, 1, 50, 99, 99.9, 100), image['percentiles']):
        want = np.percentile(good, q, method='inverted_cdf')
        assert abs(got - want) <= (0 if want <= 256 else 0.008 * want), (q, got, want)
    assert image['frames'] == frames
    assert image['energy'] == float(common['photon_energy'].split()[0])
    assert abs(image['camera_length'] - 150) < 0.5 and abs(image['pixel_size'] - 0.075) < 1e-6
    assert abs(image['wavelength'] - 12398.4198 / image['energy']) < 1e-5
    source = serve.ask(SOURCE, path, geometry, '').unpack()
    assert source[0] == frames and len(source[5]) == len(panels)
    for panel, p in zip(source[5], panels):
        assert np.allclose(panel[1:3], p['corner'] * (1, -1), atol=1e-3) and np.allclose(panel[3:5], p['fs'] * (1, -1), atol=1e-6)
    serve.close()


def test_compact():
    """A 4-Mpx frame for a thin link: an eighth of its noise, exact where each pixel shows one of the detector's, few bytes.
    Unpacked by another program, from its description."""
    folder = os.path.join(DATA, 'crystfel-sim')
    path, geometry = os.path.join(folder, 'lyso-jf4m.h5'), os.path.join(folder, 'lyso-jf4m.geom')
    near, far = Serve(CONTROL), Serve(CONTROL)
    far.far = True
    for reduce, width, height, rect, most in ((MAXIMUM, 1000, 900, (0, 0, 0, 0), 600000), (MEAN, 500, 400, (0, 0, 0, 0), 200000),
                                              (MEAN, 300, 200, (100.0, 100.0, 220.0, 180.0), 60000)):
        raw = near.image(path, geometry, frame=7, rect=rect, reduce=reduce, width=width, height=height)
        compact = far.image(path, geometry, frame=7, rect=rect, reduce=reduce, width=width, height=height)
        a, b = raw['raster'].astype(float), compact['raster'].astype(float)
        print('# %d x %d: %d kB compact, %d kB raw' % (width, height, far.received // 1000, near.received // 1000))
        assert far.received < most and near.received > 4 * width * height
        assert raw['percentiles'] == compact['percentiles']
        good = np.isfinite(a)
        assert (np.isnan(a) == np.isnan(b)).all() and (np.isneginf(a) == np.isneginf(b)).all() and good.any()
        x0, y0, x1, y1 = raw['rect']
        area = (x1 - x0) / width * (y1 - y0) / height
        if area < 1:
            assert (a[good] == b[good]).all()
        else:
            q = 1 / area if reduce == MEAN else 1
            sigma = np.sqrt(q * np.maximum(a[good], q))
            wrong = np.abs(a[good] - b[good])
            assert (wrong <= sigma / 8).all(), (wrong / sigma).max()
    near.close()
    far.close()


def test_spots(tmp):
    """A job's spots, in the coordinates of its pictures: from its table, and onto the bright pixels."""
    subprocess.run([ENGINE, 'simulate-sfx', '--out', tmp, '--runs', '1', '--shots', '12', '--quiet', '--set',
                    'simulate.hit_fraction=0.5'], check=True)
    path, geometry, job = tmp + '/r0001/r0001_c00.cxi', tmp + '/detector.geom', tmp + '/job'
    with open(tmp + '/out', 'w') as out:
        subprocess.run([ENGINE, 'stills', '--stages', 'spots', '--set', 'detector.geometry=' + geometry, '--out', job, path],
                       check=True, stdout=out, stderr=out)
    _, panels = read_geom(geometry)
    with h5py.File(job + '/spots.h5', 'r') as f:
        shots = {k: f['/shots/' + k][...] for k in ('frame', 'first_spot', 'spots', 'outcome', 'resolution')}
        spots = {k: f['/spots/' + k][...] for k in ('panel', 'fs', 'ss', 'intensity')}
    assert len(shots['frame']) == 12 and shots['spots'].max() > 20
    serve = Serve(CONTROL)
    for row, frame in enumerate(shots['frame']):
        outcome, count, resolution, message, got, stamp, growing = serve.ask(SPOTS, job, path, geometry, '', int(frame)).unpack()
        first, n = int(shots['first_spot'][row]), int(shots['spots'][row])
        assert (outcome, count, len(got)) == (shots['outcome'][row], n, n) and message == ''
        assert abs(resolution - shots['resolution'][row]) < 1e-6
        for i, (x, y, panel, fs, ss, intensity, _) in enumerate(got):
            p = panels[panel]
            want = p['corner'] + fs * p['fs'] + ss * p['ss']
            assert (panel, fs, ss) == tuple(spots[k][first + i] for k in ('panel', 'fs', 'ss'))
            assert abs(x - want[0]) < 1e-3 and abs(y + want[1]) < 1e-3, (x, y, want)
        bright = [(x, y) for x, y, _, _, _, intensity, _ in got if intensity > 500]
        image = serve.image(path, geometry, frame=int(frame), reduce=MAXIMUM, width=1200, height=1200)
        x0, y0, x1, y1 = image['rect']
        for x, y in bright[:50]:
            i, j = int((x - x0) / (x1 - x0) * 1200), int((y - y0) / (y1 - y0) * 1200)
            assert np.nanmax(image['raster'][j - 1:j + 2, i - 1:i + 2]) > 4 * image['percentiles'][2] + 10
    serve.close()


CELL = 'indexing.unit_cell = 79.1, 79.1, 37.9, 90, 90, 90\nindexing.space_group = P43212\nindexing.learning_shots = 0\n'


def test_lattices(tmp):
    """A job's lattices and reflections as its table has them; the same trial tried on the same images finds the same."""
    subprocess.run([ENGINE, 'simulate-sfx', '--out', tmp, '--runs', '1', '--shots', '12', '--quiet', '--set',
                    'simulate.hit_fraction=0.5'], check=True)
    path, geometry, job = tmp + '/r0001/r0001_c00.cxi', tmp + '/detector.geom', tmp + '/job'
    with open(tmp + '/trial.params', 'w') as trial, open(tmp + '/out', 'w') as out:
        trial.write(CELL)
        trial.flush()
        subprocess.run([ENGINE, 'stills', '--params', trial.name, '--set', 'detector.geometry=' + geometry, '--out', job, path],
                       check=True, stdout=out, stderr=out)
    with h5py.File(job + '/spots.h5', 'r') as f:
        shots = {k: f['/shots/' + k][...] for k in ('frame', 'id', 'outcome', 'spots')}
        lattices = {k: f['/lattices/' + k][...] for k in ('shot', 'a', 'c', 'gamma', 'spots', 'reflections', 'confidence', 'rmsd')}
        reflections = {k: f['/reflections/' + k][...] for k in ('shot', 'h', 'k', 'l', 'fs', 'ss', 'intensity', 'sigma')}
    assert (shots['outcome'] == 1).sum() >= 4, shots['outcome']
    serve = Serve(CONTROL)
    for row, frame in enumerate(shots['frame']):
        of_lattices, of_reflections = lattices['shot'] == shots['id'][row], reflections['shot'] == shots['id'][row]
        got, predicted, _, _ = serve.ask(LATTICES, job, path, geometry, '', int(frame)).unpack()
        assert (len(got), len(predicted)) == (of_lattices.sum(), of_reflections.sum())
        for i, name in ((0, 'a'), (2, 'c'), (5, 'gamma'), (8, 'spots'), (9, 'reflections'), (10, 'confidence'), (11, 'rmsd')):
            assert [v[i] for v in got] == list(lattices[name][of_lattices]), name
        for i, name in ((1, 'h'), (2, 'k'), (3, 'l'), (7, 'fs'), (8, 'ss'), (9, 'intensity'), (10, 'sigma')):
            assert [v[i] for v in predicted] == list(reflections[name][of_reflections]), name
        ms, (outcome, count, _, _, spots, _, _), (tried, again, _, _) = serve.ask(TRY, path, geometry, '', int(frame), CELL).unpack()
        assert (outcome, count, len(tried)) == (shots['outcome'][row], shots['spots'][row], len(got)) and ms < 5000
        assert tried == got and again == predicted
    assert 'sigma_strong' in refused(serve, TRY, path, geometry, '', 0, 'spots.sigma_strng = 3')
    assert 'P99' in refused(serve, TRY, path, geometry, '', 0, CELL.replace('P43212', 'P99'))
    assert len(serve.ask(TRY, path, geometry, "", 0, CELL).unpack()) == 3
    serve.close()


def test_damaged(tmp):
    serve = Serve(CONTROL)
    geometry = os.path.join(DATA, 'crystfel-sim', 'lyso-jf4m.geom')
    def failure(path, geom='', frame=0):
        message = refused(serve, IMAGE, 1, path, geom, '', frame, 0.0, 0.0, 0.0, 0.0, MEAN, 10, 10, RAW)
        assert message.startswith(path) or message.startswith(geom), message
        return message
    assert 'No such file' in failure(tmp + '/nothing.h5')
    open(tmp + '/empty.h5', 'w').close()
    failure(tmp + '/empty.h5')
    with open(tmp + '/text.h5', 'w') as f:
        f.write('this is not a shot\n' * 100)
    failure(tmp + '/text.h5')
    failure(tmp)
    whole = open(os.path.join(DATA, 'cxi', 'minimal.cxi') if os.path.exists(os.path.join(DATA, 'cxi', 'minimal.cxi'))
                 else os.path.join(DATA, 'crystfel-sim', 'lyso-jf4m.mask.h5'), 'rb').read()
    with open(tmp + '/cut.h5', 'wb') as f:
        f.write(whole[:len(whole) // 3])
    failure(tmp + '/cut.h5', geometry)
    path = os.path.join(DATA, 'crystfel-sim', 'lyso-jf4m.h5')
    failure(path, geometry, frame=35)
    failure(path, tmp + '/nothing.geom')
    # It still works.
    assert serve.image(path, geometry, width=100, height=100)['width'] == 100
    # A folder without results.
    refused(serve, SPOTS, tmp, path, geometry, '', 0)
    serve.close()


def test_changed(tmp):
    """A file that is replaced is opened anew."""
    with open(tmp + '/flat.geom', 'w') as f:
        f.write('photon_energy = 9000 eV\nclen = 0.1\nres = 10000\nadu_per_photon = 1\ndata = /data\ndim0 = %\ndim1 = ss\n'
                'dim2 = fs\np/min_fs = 0\np/max_fs = 9\np/min_ss = 0\np/max_ss = 4\np/fs = x\np/ss = y\n'
                'p/corner_x = -5\np/corner_y = 0\n')
    serve = Serve(CONTROL)
    for value in 3, 4:
        with h5py.File(tmp + '/new.h5', 'w') as f:
            f['data'] = np.full((2, 5, 10), value, 'u2')
        os.replace(tmp + '/new.h5', tmp + '/flat.h5')
        image = serve.image(tmp + '/flat.h5', tmp + '/flat.geom', frame=1, width=10, height=5)
        assert (image['raster'] == value).all() and image['whole'] == (-5, -5, 5, 0), image
    serve.close()


def test_memory(tmp):
    """Many files, frames and views, one after the other."""
    serve = Serve(CONTROL)
    with open(tmp + '/big.geom', 'w') as f:
        f.write('photon_energy = 9000 eV\nclen = 0.1\nres = 10000\nadu_per_photon = 1\ndata = /data\ndim0 = %\ndim1 = ss\n'
                'dim2 = fs\np/min_fs = 0\np/max_fs = 1023\np/min_ss = 0\np/max_ss = 1023\np/fs = x\np/ss = y\n'
                'p/corner_x = -500\np/corner_y = -500\n')
    for i in range(8):
        with h5py.File(tmp + '/big%d.h5' % i, 'w') as f:
            f['data'] = np.full((3, 1024, 1024), i, 'u2')
    after_first = None
    for turn in range(4):
        for i in range(8):
            for frame in range(3):
                side = 200 + 37 * (turn + frame)
                image = serve.image(tmp + '/big%d.h5' % i, tmp + '/big.geom', frame=frame, width=side, height=side,
                                    rect=(-100.0 - turn, -100, 100 + i, 100))
                assert np.nanmax(image['raster']) == i
        after_first = after_first or serve.rss_mb()
    # A sanitizer keeps what was freed for a while.
    bound = 20 if 'ASAN_OPTIONS' not in os.environ else 300
    assert serve.rss_mb() < after_first + bound, (after_first, serve.rss_mb())
    serve.close()


def test_logs(tmp):
    with open(tmp + '/run.log', 'wb') as f:
        f.write(b'0123456789' * 100)
    serve = Serve(CONTROL)
    def log(offset, length, path=tmp + '/run.log'):
        v = serve.ask(LOG, path, offset, length)
        return v.get_child_value(0).unpack(), v.get_child_value(1).unpack(), v.get_child_value(2).get_data_as_bytes().get_data()
    assert log(5, 10) == (5, 1000, b'5678901234')
    assert log(-4, 100) == (996, 1000, b'6789')
    assert log(-5000, 3) == (0, 1000, b'012')
    assert log(2000, 3) == (1000, 1000, b'')
    assert log(0, 0) == (0, 1000, b'')
    with open(tmp + '/huge.log', 'wb') as f:
        f.truncate(100 << 20)
    assert len(log(0, 0xffffffff, tmp + '/huge.log')[2]) == 4 << 20
    os.mkfifo(tmp + '/fifo')
    for path in tmp + '/fifo', tmp, '/dev/zero', tmp + '/nothing', '':
        refused(serve, LOG, path, 0, 100)
    assert serve.ask(INFLIGHT, tmp).unpack() == []
    refused(serve, INFLIGHT, tmp + '/nothing')
    serve.close()


def test_find(tmp):
    """The next match in a log, at its offset, line and words; what looks like an error; bounds."""
    with open(tmp + '/run.log', 'wb') as f:
        f.write(b'one\ntwo words\n' * 1000 + b'srun: error: n1: task 0: Killed\nTwo more\n')
    serve = Serve(CONTROL)
    def find(pattern, offset, path=tmp + '/run.log'):
        return serve.ask(FIND, path, pattern, offset).unpack()
    assert find('two', 0) == (True, 4, 4, 2, 'two words', 14041, 4)
    assert find('WORDS', 9)[:5] == (True, 18, 22, 4, 'two words')
    assert find('two', 13999)[:5] == (True, 14032, 14032, 2002, 'Two more')
    assert find('', 0)[:5] == (True, 14000, 14006, 2001, 'srun: error: n1: task 0: Killed')
    assert find('three', 0) == (False, 0, 0, 0, '', 14041, 14041)
    assert find('two', 99999999)[0] is False
    for path in tmp, '/dev/zero', tmp + '/nothing':
        refused(serve, FIND, path, 'x', 0)
    refused(serve, FIND, tmp + '/run.log', 'x' * 1000, 0)
    serve.close()


def write_map(path, values, cell, start=(0, 0, 0), sampling=None, origin=(0, 0, 0)):
    """A CCP4 map by the format's description; values[k, j, i]."""
    n = values.shape[::-1]
    head = bytearray(1024)
    struct.pack_into('<10i6f3i3f', head, 0, *n, 2, *start, *(sampling or n), *cell, 1, 2, 3, values.min(), values.max(), values.mean())
    struct.pack_into('<2i', head, 88, 1, 0)
    head[208:216] = b'MAP \x44\x44\0\0'
    struct.pack_into('<3f', head, 196, *origin)
    struct.pack_into('<f', head, 216, values.std())
    with open(path, 'wb') as f:
        f.write(bytes(head) + values.astype('<f4').tobytes())


def read_map(answer):
    """Values, steps and corner of a reply."""
    n, thinned, frame, periodic, mean, sigma, low, high, encoding, packed = (
        tuple(answer.get_child_value(i).unpack() for i in range(3)), *(answer.get_child_value(i).unpack() for i in range(3, 11)),
        answer.get_child_value(12).get_data_as_bytes().get_data())
    if encoding == RAW:
        values = np.frombuffer(packed, '<f4')
    else:
        steps = np.cumsum(np.frombuffer(packed, 'u1'), dtype='u1').astype('i1')
        reach = np.arcsinh(max(high - mean, mean - low) / sigma)
        values = mean + sigma * np.sinh(steps / 127 * reach)
    return values.reshape(n[::-1]), np.array(frame[:9]).reshape(3, 3), np.array(frame[9:12]), periodic, thinned, sigma


def test_maps(tmp):
    path, draw = os.path.join(tmp, 'a.ccp4'), np.random.default_rng(4)
    values = draw.standard_normal((8, 10, 12)).astype('f4')
    values[2, 3, 4] = 30
    cell = (20, 18, 16, 90, 110, 90)
    write_map(path, values, cell)
    serve = Serve(CONTROL)
    got, step, corner, periodic, thinned, sigma = read_map(serve.ask(MAP, path, 0, RAW))
    assert np.array_equal(got, values) and periodic and thinned == 1 and abs(sigma - values.std()) < 1e-4
    assert np.allclose(corner, 0) and np.allclose(np.linalg.norm(step, axis=1) * (12, 10, 8), cell[:3])
    assert abs(step[0] @ step[2] / np.linalg.norm(step[0]) / np.linalg.norm(step[2]) - np.cos(np.radians(110))) < 1e-6
    serve.far = True
    got = read_map(serve.ask(MAP, path, 0, 1))[0]
    assert np.all(np.abs(got - values) <= 0.5 / 127 * np.arcsinh(31) * np.sqrt(1 + values ** 2) * 1.15 * sigma)
    # No more voxels than are wanted: means of blocks, where the blocks are.
    thin, wide, corner, periodic, thinned, _ = read_map(serve.ask(MAP, path, 200, RAW))
    assert thin.shape == (4, 5, 6) and periodic and thinned == 2 and np.allclose(wide, 2 * step)
    assert np.allclose(thin, values.reshape(4, 2, 5, 2, 6, 2).mean(axis=(1, 3, 5)), atol=1e-5)
    assert np.allclose(corner, step.sum(axis=0) / 2)
    # A brick of a crystal lies where it is, and does not repeat.
    write_map(path, values, cell, start=(-3, 2, 5), sampling=(24, 20, 16))
    got, step, corner, periodic, _, _ = read_map(serve.ask(MAP, path, 0, RAW))
    assert not periodic and np.allclose(corner, np.array([-3, 2, 5]) @ step)
    # A particle's density has an origin: its place in space, once.
    particle = os.path.join(tmp, 'g0007-c1.mrc')
    write_map(particle, values, (24, 20, 16, 90, 90, 90), origin=(-11, -9, -7))
    got, step, corner, periodic, _, _ = read_map(serve.ask(MAP, particle, 0, RAW))
    assert np.array_equal(got, values) and not periodic
    assert np.allclose(corner, (-11, -9, -7)) and np.allclose(step, np.eye(3) * 2)
    thin, wide, corner, periodic, thinned, _ = read_map(serve.ask(MAP, particle, 200, RAW))
    assert thin.shape == (4, 5, 6) and not periodic and thinned == 2 and np.allclose(corner, (-10, -8, -6))
    # Damaged and hostile files: one line each, and the child goes on.
    with open(path, 'rb') as f:
        whole = f.read()
    for cut in (0, 100, 1023, 1500, len(whole) - 1):
        with open(path, 'wb') as f:
            f.write(whole[:cut])
        refused(serve, MAP, path, 0, RAW)
    for at, number in ((0, 2 ** 31 - 1), (4, 0), (8, -5), (12, 77), (28, -1), (92, 2 ** 31 - 1)):
        with open(path, 'wb') as f:
            f.write(whole[:at] + struct.pack('<i', number) + whole[at + 4:])
        refused(serve, MAP, path, 0, RAW)
    os.unlink(path)
    os.mkfifo(path)
    assert 'plain file' in refused(serve, MAP, path, 0, RAW)
    assert 'plain file' in refused(serve, MODEL, path)
    refused(serve, MAP, os.path.join(tmp, 'none'), 0, RAW)
    model = os.path.join(tmp, 'm.pdb')
    with open(model, 'w') as f:
        f.write('CRYST1   20.000   18.000   16.000  90.00  90.00  90.00 P 1           1\n'
                'ATOM      1  CA  GLY B   3A      1.250   2.000  -3.000  1.00 12.00           C\n')
    atoms = serve.ask(MODEL, model).unpack()[0]
    assert atoms == [(1250, 2000, -3000, 'C', 'CA', 'GLY', 'B', 3, ord('A'), 0)], atoms
    serve.close()


def write_emc(path, frames):
    """Dragonfly's sparse photons by the format's description; frames[frame, pixel]."""
    ones, more = frames == 1, frames > 1
    head = np.zeros(256, '<i4')
    head[:2] = frames.shape
    np.concatenate([head, ones.sum(1), more.sum(1), np.nonzero(ones)[1], np.nonzero(more)[1], frames[more]]).astype('<i4').tofile(path)


def test_photons(tmp):
    path, draw = os.path.join(tmp, 'p.emc'), np.random.default_rng(2)
    frames = draw.poisson(0.7, (3, 48))
    write_emc(path, frames)
    serve = Serve(CONTROL)
    # Not a square, and nobody says where they are.
    assert 'expected a geometry' in refused(serve, SOURCE, path, '', '')
    def image(**how):
        return serve.image(path, frame=2, width=8, height=6, rect=(-4.0, -3.0, 4.0, 3.0), **how)
    geometry = os.path.join(tmp, 'detector.geom')
    with open(geometry, 'w') as file:
        file.write('photon_energy = 4600 eV\nclen = 0.1\nres = 2000\nadu_per_photon = 40\nmax_adu = 1\ndata = /d\ndim0 = %\ndim1 = ss\n'
                   'dim2 = fs\np/min_fs = 0\np/max_fs = 7\np/min_ss = 0\np/max_ss = 5\np/fs = +x\np/ss = -y\np/corner_x = -4\n'
                   'p/corner_y = 3\n')
    found = image()  # beside it
    assert np.array_equal(found['raster'], frames[2].reshape(6, 8)) and found['frames'] == 3 and found['energy'] == 4600
    # What Dragonfly's file of the detector calls bad.
    mask = np.zeros(48, 'u1')
    mask[[5, 17]] = 1, 2
    with h5py.File(os.path.join(tmp, 'detector.h5'), 'w') as file:
        file['mask'] = mask
    serve.close()
    serve = Serve(CONTROL)
    got = image(geometry=geometry)['raster']
    assert got.flat[17] == -np.inf and np.array_equal(np.delete(got.ravel(), 17), np.delete(frames[2], 17))
    with open(geometry, 'a') as file:
        file.write('p/max_ss = 6\n')
    assert '56 pixels, expected the file\'s 48' in refused(serve, SOURCE, path, geometry, '')
    # A square is one panel.
    os.unlink(geometry)
    write_emc(path, frames[:, :36])
    serve.close()
    serve = Serve(CONTROL)
    assert serve.ask(SOURCE, path, '', '').unpack()[0] == 3
    found = serve.image(path, frame=1, width=6, height=6)
    assert sorted(found['raster'][np.isfinite(found['raster'])]) == sorted(frames[1, :36])
    with open(path, 'r+b') as file:
        file.truncate(1100)
    refused(serve, SOURCE, path, '', '')
    serve.close()


def test_roots(tmp):
    os.makedirs(tmp + '/in/side')
    os.makedirs(tmp + '/inside-not')
    for name in 'in/side/a.log', 'inside-not/b.log':
        with open(os.path.join(tmp, name), 'w') as f:
            f.write(name)
    os.symlink(tmp + '/inside-not/b.log', tmp + '/in/link.log')
    os.symlink(tmp + '/in/side', tmp + '/elsewhere')
    serve = Serve(CONTROL, '--root', tmp + '/in')
    serve.ask(LOG, tmp + '/in/side/a.log', 0, 10)
    serve.ask(LOG, tmp + '/elsewhere/a.log', 0, 10)
    for path in tmp + '/inside-not/b.log', tmp + '/in/link.log', tmp + '/in/../inside-not/b.log', '/etc/passwd':
        assert 'outside' in refused(serve, LOG, path, 0, 10)
    assert 'outside' in refused(serve, IMAGE, 1, '/etc/passwd', '', '', 0, 0.0, 0.0, 0.0, 0.0, MEAN, 10, 10, RAW)
    assert 'outside' in refused(serve, INFLIGHT, '/tmp')
    assert 'outside' in refused(serve, FIND, '/etc/passwd', 'root', 0)
    assert 'outside' in refused(serve, FEED, '/tmp', b'', 1000)
    assert 'outside' in refused(serve, MAP, '/etc/passwd', 0, RAW)
    assert 'outside' in refused(serve, MODEL, '/etc/passwd')
    serve.close()


def main():
    need_data = {test_pictures, test_compact, test_damaged}
    tests = [test_pictures, test_compact, test_spots, test_lattices, test_damaged, test_changed, test_memory, test_logs, test_find,
             test_maps, test_photons, test_roots]
    print('1..%d' % len(tests))
    failed = False
    for number, test in enumerate(tests, 1):
        name = '%d /view/serve/%s' % (number, test.__name__[5:])
        if test in need_data and not os.path.isdir(os.path.join(DATA, 'crystfel-sim')):
            print('ok %s # SKIP no real detector files (FIRSTLIGHT_TEST_DATA)' % name)
            continue
        try:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
                test(tmp) if test.__code__.co_argcount else test()
            print('ok', name)
        except Exception:
            import traceback
            print('not ok', name)
            print('# ' + traceback.format_exc().replace('\n', '\n# '))
            failed = True
        sys.stdout.flush()
    return failed


sys.exit(main())
