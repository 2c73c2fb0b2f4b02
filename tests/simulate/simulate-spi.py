"""simulate-spi from outside: photons and truth against a naive sum over atoms, the same bytes on any number of ranks, refusals.
Usage: simulate-spi.py FIRSTLIGHT-ENGINE [MPIRUN]"""
import gzip
import os
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
mpirun = sys.argv[2] if len(sys.argv) > 2 else ''
CARBON = ([2.31, 1.02, 1.5886, 0.865], [20.8439, 10.2075, 0.5687, 51.6512], 0.2156)
ELECTRON_RADIUS = 2.8179403262e-9  # µm
WILD = ['several_fraction=0.2', 'blank_fraction=0.1', 'droplet_fraction=0.1', 'fluence=gamma', 'centre_jitter=1',
        'background=0.01', 'background_jitter=0.3', 'bandwidth=0.005', 'spectrum_samples=3', 'hydration=4',
        'readout=auto-ranging', 'position_jitter=0.02']


def run(folder, *arguments, ranks=1, status=0, sets=()):
    command = ([mpirun, '-n', str(ranks)] if ranks > 1 else []) + [engine, 'simulate-spi', '--out', folder]
    for text in ('pixels=51', 'pixel_size=0.6', *sets):
        command += ['--set', 'simulate_spi.' + text]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)
    assert done.returncode == status, f'{arguments}: exit {done.returncode}, expected {status}: {done.stderr}'
    return done


def write_molecule(path):
    places = np.random.default_rng(1).uniform(-1, 1, (600, 3)) * (40, 25, 15)
    with open(path, 'w') as f:
        for i, r in enumerate(places):
            f.write('ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n' % (i + 1, i + 1, *r))
    places = np.round(places, 3)
    return places - (places.max(0) + places.min(0)) / 2


def read_emc(path):
    words = np.fromfile(path, '<i4')
    n, pixels = words[0], words[1]
    assert words[2] == 0 and not words[3:256].any()
    ones, multi = words[256:256 + n], words[256 + n:256 + 2 * n]
    assert len(words) == 256 + 2 * n + ones.sum() + 2 * multi.sum()
    at = np.cumsum([256 + 2 * n, ones.sum(), multi.sum()])
    frames = np.zeros((n, pixels), int)
    frames[np.repeat(np.arange(n), ones), words[at[0]:at[1]]] = 1
    counts = words[at[2]:]
    assert (counts > 1).all()
    frames[np.repeat(np.arange(n), multi), words[at[1]:at[2]]] = counts
    return frames


def rotation(q):
    w, x, y, z = q
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                     [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                     [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])


def check_against_atoms(folder, places):
    frames = read_emc(folder + '/particles.emc')
    with h5py.File(folder + '/truth.h5') as t, h5py.File(folder + '/detector.h5') as d:
        good = d['mask'][:] == 0
        s = np.stack([d['qx'][good], d['qy'][good], d['qz'][good]], 1) / (d['ewald_rad'][()] * t['wavelength'][()])
        assert abs(np.linalg.norm(s, axis=1).max() / t['s_corner'][()] - 1) < 1e-9
        quarter = (s ** 2).sum(1) / 4
        f = CARBON[2] + sum(a * np.exp(-b * quarter) for a, b in zip(*CARBON[:2]))
        worst = chi2 = 0
        for i in range(len(frames)):
            r = places @ rotation(t['orientations'][i, 0]).T
            mean = (t['photons_per_um2'][()] * ELECTRON_RADIUS ** 2 * d['corr'][good]
                    * abs(f * np.exp(2j * np.pi * s @ r.T).sum(1)) ** 2)
            worst = max(worst, abs(mean.sum() / t['expected'][i] - 1))
            chi2 += ((frames[i, good] - mean) ** 2).sum() / mean.sum() / len(frames)
        assert (frames.sum(1) == t['photons'][:]).all() and not frames[:, ~good].any()
        assert (t['kind'][:] == 1).all() and (t['conformation'][:] == 0).all() and (t['fluences'][:] == 1).all()
        assert abs(t['expected'][:].mean() / 300 - 1) < 0.05
    print('expected photons: worst %.1e; variance %.3f of the mean' % (worst, chi2))
    assert worst < 2e-4 and abs(chi2 - 1) < 0.05


def contents(folder):
    return {name: open(os.path.join(folder, name), 'rb').read() for name in sorted(os.listdir(folder))}


def check_ranks(top, model):
    options = ['--model', model, '--shots', '130', '--cxi', '--quiet']
    run(top + '/one', *options, sets=WILD)
    one = contents(top + '/one')
    assert list(one) == ['detector.geom', 'detector.h5', 'particles.cxi', 'particles.emc', 'truth.h5']
    with h5py.File(top + '/one/truth.h5') as t, h5py.File(top + '/one/particles.cxi') as c:
        assert set(t['kind'][:]) == {0, 1, 2, 3}
        assert np.isnan(t['orientations'][:][t['n_particles'][:] == 0]).all()
        assert len(t['particles/shot']) == t['n_particles'][:].sum() and len(c['/entry_1/data_1/data']) == 130
        assert np.allclose(c['/LCLS/photon_energy_eV'][:], t['photon_energy'][:], rtol=1e-12)
        frames, image = read_emc(top + '/one/particles.emc'), c['/entry_1/data_1/data'][:].reshape(130, -1)
        dim = frames < 60
        assert abs(np.polyfit(frames[dim], image[dim], 1)[0] / 40 - 1) < 0.02
    for ranks in (2, 4) if mpirun else ():
        run(f'{top}/{ranks}', *options, ranks=ranks, sets=WILD)
        assert contents(f'{top}/{ranks}') == one, f'{ranks} ranks give other bytes'
    run(top + '/later', '--model', model, '--shots', '30', '--first', '100', sets=WILD)
    assert (read_emc(top + '/later/particles.emc') == frames[100:]).all()


def check_packed(top, model):
    packed = gzip.compress(open(model, 'rb').read())
    open(top + '/molecule.pdb.gz', 'wb').write(packed)
    open(top + '/torn.pdb.gz', 'wb').write(packed[:-2000])
    for name in ('molecule.pdb', 'molecule.pdb.gz'):
        run(f'{top}/of-{name}', '--model', f'{top}/{name}', '--shots', '3')
    assert contents(top + '/of-molecule.pdb') == contents(top + '/of-molecule.pdb.gz')
    done = run(top + '/refused', '--model', top + '/torn.pdb.gz', status=2)
    assert 'torn.pdb.gz: damaged' in done.stderr, done.stderr


def check_refusals(top, model):
    bad = top + '/bad.pdb'
    open(bad, 'w').write('nothing\n')
    for arguments, words in ((['--model', top + '/none.pdb'], 'none.pdb'), (['--model', bad], 'no atoms'), ([], 'model'),
                             (['--model', model, '--shots', '0'], '--shots'), (['--model', model, 'more'], "'more'")):
        for ranks in (1, 2) if mpirun else (1,):
            done = run(top + '/refused', *arguments, ranks=ranks, status=2)
            lines = done.stderr.strip().splitlines()
            assert len(lines) == 1 and lines[0].startswith('simulate-spi: ') and words in lines[0], done.stderr
    assert not os.path.exists(top + '/refused')
    run(bad + '/inside', '--model', model, status=2)


def check_runs(top, model):
    """A beamtime: the same shots in other files; stopped, it goes on; at a rate, it takes its time."""
    whole = ['--model', model, '--quiet', '--cxi', '--shots', '60']
    run(top + '/whole', *whole)
    frames = read_emc(top + '/whole/particles.emc')
    options = ['--model', model, '--quiet', '--runs', '2', '--shots', '30', '--shots-per-file', '12', '--cxi']
    run(top + '/runs', *options)
    parts = [f'r{r:04}/r{r:04}_c{c:02}' for r in (1, 2) for c in (0, 1, 2)]
    assert (np.concatenate([read_emc(f'{top}/runs/{part}.emc') for part in parts]) == frames).all()
    assert sorted(os.listdir(top + '/runs')) == ['detector.geom', 'detector.h5', 'r0001', 'r0002', 'truth']
    photons = []
    for part in parts:
        with h5py.File(f'{top}/runs/truth/{part[6:]}.h5') as f:
            photons.append(f['photons'][:])
        with h5py.File(f'{top}/runs/{part}.cxi') as f:
            assert len(f['/entry_1/data_1/data']) == len(photons[-1])
    assert (np.concatenate(photons) == frames.sum(1)).all()
    command = [engine, 'simulate-spi', '--out', top + '/slow', '--rate', '60', *options, '--set', 'simulate_spi.pixels=51',
               '--set', 'simulate_spi.pixel_size=0.6']
    began = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    while not os.path.exists(top + '/slow/r0001/r0001_c01.emc.inprogress') and time.monotonic() < began + 60:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 75 and 'goes on from here' in said, said
    assert time.monotonic() - began > 11 / 60, 'faster than 60 shots a second'
    assert sorted(os.listdir(top + '/slow/r0001')) == ['r0001_c00.cxi', 'r0001_c00.emc']
    run(top + '/slow', *options, ranks=2 if mpirun else 1)
    assert (np.concatenate([read_emc(f'{top}/slow/{part}.emc') for part in parts]) == frames).all()


def check_background(top, model):
    """Blanks: a plane through the level, as steep as told, the same in every shot."""
    run(top + '/blanks', '--model', model, '--shots', '300',
        sets=['blank_fraction=1', 'background=0.5', 'background_slope=0.4', 'beam_stop=0'])
    frames = read_emc(top + '/blanks/particles.emc')
    y, x = np.mgrid[:51, :51].reshape(2, -1) - 25.0
    level, *slope = np.linalg.lstsq(np.stack([np.ones_like(x), x, y], 1), frames.mean(0), rcond=None)[0]
    rim = 25 * 2 ** 0.5
    sigma = (level / frames.size) ** 0.5
    assert abs(level - 0.5) < 5 * sigma
    assert abs(np.hypot(*slope) * rim / 0.5 - 0.4) < 5 * sigma / 0.5 * rim / 15, slope
    print('background: %.4f photons/px, slope %.4f' % (level, np.hypot(*slope) * rim / 0.5))


def check_gains(top, model):
    """Auto-ranging: 40 counts a photon in both ranges that are met, each pixel as far off as told, always the same."""
    run(top + '/gains', '--model', model, '--shots', '40', '--cxi', sets=['readout=auto-ranging', 'photons=400000'])
    frames = read_emc(top + '/gains/particles.emc')
    with h5py.File(top + '/gains/particles.cxi') as f:
        values = f['/entry_1/data_1/data'][:].reshape(40, -1)
    for low, high, error, noise in ((5, 66, 0.01, 3), (74, 800, 0.015, 120)):
        gain = np.full(frames.shape[1], np.nan)
        for i in range(len(gain)):
            here = (frames[:, i] > low) & (frames[:, i] < high)
            if here.sum() >= 20 and frames[here, i].mean() * 40 > 40 * noise:
                gain[i] = (values[here, i] / frames[here, i]).mean() / 40
        gain = gain[np.isfinite(gain)]
        print('gain from %d to %d photons: %.4f ± %.4f, %d pixels' % (low, high, gain.mean(), gain.std(), len(gain)))
        assert len(gain) > 20 and abs(gain.mean() - 1) < 4 * error / len(gain) ** 0.5
        assert 0.6 < gain.std() / error < 1.5


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as top:
    model = top + '/molecule.pdb'
    places = write_molecule(model)
    run(top + '/plain', '--model', model, '--shots', '100', '--set', 'simulate_spi.photons=300')
    check_against_atoms(top + '/plain', places)
    check_ranks(top, model)
    check_runs(top, model)
    check_background(top, model)
    check_gains(top, model)
    check_packed(top, model)
    check_refusals(top, model)
