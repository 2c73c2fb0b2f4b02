#!/usr/bin/env python3
"""spi-score itself: a model's density made by numpy, turned, shifted and mirrored, fits; true orientations, in another gauge,
by other operators of the group and with half turns about the beam, are no error; noise is one. Prints TAP."""
import json
import subprocess
import sys
import tempfile

try:
    import h5py
    import mrcfile
    import numpy as np
except ImportError as error:
    print('SKIP: no Python module to write the files with:', error)
    sys.exit(77)

SCORE = sys.argv[1]
RESOLUTION, M, DIAMETER = 8.0, 41, 70.0
rng = np.random.default_rng(1)


def quaternions(n):
    q = rng.normal(size=(n, 4))
    return q / np.linalg.norm(q, axis=1)[:, None]


def times(a, b):
    w, x, y, z = np.moveaxis(a, -1, 0)
    W, X, Y, Z = np.moveaxis(b, -1, 0)
    return np.stack([w*W-x*X-y*Y-z*Z, w*X+x*W+y*Z-z*Y, w*Y-x*Z+y*W+z*X, w*Z+x*Y-y*X+z*W], -1)


def matrix(q):
    w, x, y, z = q
    return np.array([[1-2*(y*y+z*z), 2*(x*y-w*z), 2*(x*z+w*y)], [2*(x*y+w*z), 1-2*(x*x+z*z), 2*(y*z-w*x)],
                     [2*(x*z-w*y), 2*(y*z+w*x), 1-2*(x*x+y*y)]])


def write_pdb(path, atoms):
    with open(path, 'w') as out:
        for i, r in enumerate(atoms):
            out.write('ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00  0.00           C\n' % (i % 99999, i % 9999, *r))


def write_density(path, atoms):
    """The sum of equal points up to RESOLUTION, from its transform."""
    voxel = 0.48 * RESOLUTION
    k = np.fft.fftfreq(M, voxel)
    x, y, z = (np.exp(-2j * np.pi * np.outer(atoms[:, a], k)) for a in range(3))
    f = np.einsum('az,ayx->zyx', z, y[:, :, None] * x[:, None, :], optimize=True)
    s = np.sqrt(k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None, :] ** 2)
    f[s > 1 / RESOLUTION] = 0
    rho = np.fft.fftshift(np.fft.ifftn(f).real).astype(np.float32)
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(rho)
        mrc.voxel_size = voxel


def heaps(n):
    """Symmetric about z, sevenfold, and about x, twofold: D7."""
    atoms = []
    for _ in range(n):
        c = rng.normal(size=3)
        c *= 0.4 * DIAMETER * rng.random() ** (1 / 3) / np.linalg.norm(c)
        atoms.append(c + rng.normal(scale=2.0, size=(12, 3)))
    return np.concatenate(atoms)


def operators_d7():
    turns = np.array([[np.cos(np.pi*i/7), 0, 0, np.sin(np.pi*i/7)] for i in range(7)])
    return np.concatenate([turns, times(turns, np.array([0, 1, 0, 0.]))])


def score(*args):
    out = subprocess.run([SCORE, '--resolution', str(RESOLUTION), '--diameter', str(DIAMETER), *args], stdout=subprocess.PIPE,
                         timeout=300, check=True).stdout
    return json.loads(out)


def write_rows(folder, truth, conformation, estimate, label, rows):
    with h5py.File(folder + '/truth.h5', 'w') as f:
        f['orientations'], f['conformation'] = truth[:, None, :], conformation
        f['n_particles'] = np.where(np.arange(len(truth)) % 10 == 3, 2, 1)
    with h5py.File(folder + '/orientations.h5', 'w') as f:
        f['orientations'], f['conformation'], f['row'] = estimate, label, rows.astype(np.uint32)
    return ['--truth', folder + '/truth.h5', '--orientations', folder + '/orientations.h5']


def main():
    results = []

    def check(name, ok, detail):
        results.append(ok)
        print('%s %d %s%s' % ('ok' if ok else 'not ok', len(results), name, '' if ok else ' # %s' % detail))

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        c1, ops = heaps(60), operators_d7()
        d7 = np.concatenate([c1[:60] @ matrix(q).T for q in ops])
        frame = matrix(quaternions(1)[0])  # its axes lie anyhow
        write_pdb(folder + '/c1.pdb', c1)
        write_pdb(folder + '/d7.pdb', d7 @ frame.T)
        moved = -c1 @ matrix(quaternions(1)[0]).T + [5.3, -7.1, 2.2]
        write_density(folder + '/moved.mrc', moved)
        write_density(folder + '/other.mrc', heaps(60))
        maps = score('-m', folder + '/d7.pdb', '-m', folder + '/c1.pdb', '-d', folder + '/moved.mrc', '-d',
                     folder + '/other.mrc')['densities']
        one, other = maps
        check('moved and mirrored density fits its model', one['model'].endswith('c1.pdb') and not one['crossed_0.5']
              and one['mean_fsc'] > 0.97 and one['fsc_0.5'] < 1.08 * RESOLUTION, maps)
        check('another density does not', other['crossed_0.143'] and other['mean_fsc'] < 0.6, other)

        n = 600
        rows = rng.permutation(n)[:500]
        truth, gauge = quaternions(n), quaternions(1)[0]
        some = times(truth, gauge)
        flip = rng.random(n) < 0.3
        some[flip] = times(np.array([0, 0, 0, 1.]), some[flip])
        conformation = rng.integers(0, 2, n)
        label = 1 - conformation
        args = write_rows(folder, truth, conformation, some[rows], label[rows], rows)
        s = score('-m', folder + '/c1.pdb', *args)
        check('true orientations in another gauge', s['orientation_median'] < 0.1 and s['within_spacing'] == 1
              and abs(s['beam_partner'] - 0.3) < 0.06 and s['classification'] == 1 and s['patterns'] < 470, s)

        angle = np.radians(4)
        error = np.concatenate([np.full((n, 1), np.cos(angle / 2)), np.zeros((n, 3))], 1)
        axis = rng.normal(size=(n, 3))
        error[:, 1:] = np.sin(angle / 2) * axis / np.linalg.norm(axis, axis=1)[:, None]
        label[:] = rng.random(n) < 0.5
        args = write_rows(folder, truth, conformation, times(error, some)[rows], label[rows], rows)
        s = score('-m', folder + '/c1.pdb', *args)
        check('errors of 4 degrees', abs(s['orientation_median'] - 4) < 0.4 and s['classification'] < 0.6, s)

        lost = quaternions(n)
        args = write_rows(folder, truth, conformation, lost[rows], conformation[rows], rows)
        s = score('-m', folder + '/c1.pdb', *args)
        check('random orientations are lost', s['orientation_median'] > 60 and s['within_spacing'] < 0.05, s)

        # The group in the model's frame: F g F⁻¹.
        f = quaternions(1)[0]
        write_pdb(folder + '/d7.pdb', d7 @ matrix(f).T)
        g = times(times(f, ops[rng.integers(0, 14, n)]), f * [1, -1, -1, -1])
        args = write_rows(folder, truth, conformation, times(times(truth, g), gauge)[rows], conformation[rows], rows)
        s = score('-m', folder + '/d7.pdb', '--group', 'D7', *args)
        check('other operators of D7', s['orientation_median'] < 3 and s['within_spacing'] > 0.99, s)
        s = score('-m', folder + '/d7.pdb', *args)
        check('which are errors in C1', s['orientation_median'] > 20, s)
    print('1..%d' % len(results))


main()
