"""Our direct summation and the one on a grid against each other and against gemmi's structure factors of a lysozyme (3lyz): amplitude, phase and scale, with and
without bulk solvent. Usage: oracle-structure-factors.py CRYSTAL-TOOL"""
import os
import subprocess
import sys
import tempfile

try:
    import gemmi
    import numpy as np
except ImportError as error:
    print('SKIP: no Python module for the comparison:', error)
    sys.exit(77)

model = os.path.join(os.environ.get('FIRSTLIGHT_TEST_DATA', ''), 'pdb', '3lyz.pdb')
if not os.path.exists(model):
    print('SKIP: FIRSTLIGHT_TEST_DATA has no pdb/3lyz.pdb')
    sys.exit(77)


def ours(d_min, density, b, path=model, method='direct'):
    text = subprocess.run([sys.argv[1], 'factors', path, str(d_min), str(density), str(b), method], check=True,
                          capture_output=True, text=True).stdout
    rows = np.loadtxt(text.splitlines())
    return rows[:, :3].astype(int), rows[:, 3] * np.exp(1j * np.radians(rows[:, 4]))


def theirs(d_min, options):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        mtz_path = os.path.join(folder, 'f.mtz')
        subprocess.run(['gemmi', 'sfcalc', f'--dmin={d_min}', '--wavelength=0', *options, f'--to-mtz={mtz_path}', model],
                       check=True, capture_output=True)
        mtz = gemmi.read_mtz_file(mtz_path)
        operators = list(mtz.spacegroup.operations())
        data = np.array(mtz, copy=False)
        labels = mtz.column_labels()
        f = data[:, labels.index('FC')] * np.exp(1j * np.radians(data[:, labels.index('PHIC')]))
        table = {}
        for hkl, value in zip(data[:, :3].astype(int).tolist(), f):
            for op in operators:
                h = op.apply_to_hkl(hkl)
                table[tuple(h)] = moved = value * np.exp(1j * op.phase_shift(hkl))
                table[tuple(-i for i in h)] = np.conj(moved)
        return table


def compare(name, d_min, density, b, options, least_cc, scale_tolerance, most_r, method='direct'):
    hkl, f = ours(d_min, density, b, method=method)
    table = theirs(d_min, options)
    pairs = [(a, table[tuple(h)]) for h, a in zip(hkl, f) if tuple(h) in table]
    a, g = np.array(pairs).T
    assert len(pairs) > 0.97 * len(hkl), f'{name}: {len(pairs)} of {len(hkl)} reflections in common'
    cc = np.corrcoef(abs(a), abs(g))[0, 1]
    scale = np.sum(abs(a) * abs(g)) / np.sum(abs(g) ** 2)
    r = np.sum(abs(a - g)) / np.sum(abs(g))
    print(f'{name}: {len(pairs)} reflections, CC {cc:.6f}, scale {scale:.5f}, vector R {r:.5f}')
    assert cc > least_cc and abs(scale - 1) < scale_tolerance and r < most_r, name


# gemmi's density on a grid is itself good to about 1e-3.
compare('atoms to 3 Å', 3, 0, 0, [], 0.9999, 0.002, 0.005)
compare('atoms to 1.8 Å', 1.8, 0, 0, [], 0.9999, 0.002, 0.005)
compare('atoms to 1.8 Å on a grid', 1.8, 0, 0, [], 0.9999, 0.001, 0.001, 'grid')
# A mask on a grid depends on the grid: compared where both programs' grids are 0.6 Å.
compare('atoms and solvent to 1.8 Å', 1.8, 0.35, 46, ['--ksolv=0.35', '--bsolv=46'], 0.999, 0.01, 0.025)

# On a grid: ten times nearer to the direct sum than anyone needs.
for path in ('3lyz',):
    path = os.path.join(os.path.dirname(model), path + '.pdb')
    for d_min in (6, 3, 1.8):
        start = os.times().children_user
        hkl, f = ours(d_min, 0, 0, path)
        middle = os.times().children_user
        hkl_grid, f_grid = ours(d_min, 0, 0, path, 'grid')
        end = os.times().children_user
        assert np.array_equal(hkl, hkl_grid)
        r = np.sum(abs(f - f_grid)) / np.sum(abs(f))
        worst = np.max(abs(f - f_grid)) / np.mean(abs(f))
        print(f'grid, {path[-8:]} to {d_min} Å: {len(hkl)} reflections, vector R {r:.2e}, worst {worst:.2e} of the mean, '
              f'{middle - start:.2f} s direct, {end - middle:.2f} s on the grid')
        assert r < 1e-4 and worst < 1e-2

# The same model as mmCIF, written by gemmi.
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    path = os.path.join(folder, 'model.cif')
    subprocess.run(['gemmi', 'convert', model, path], check=True, capture_output=True)
    hkl, f = ours(4, 0, 0)
    hkl_cif, f_cif = ours(4, 0, 0, path)
    assert np.array_equal(hkl, hkl_cif) and np.max(abs(f - f_cif)) < 1e-3 * np.max(abs(f))
    print('the same from mmCIF:', len(hkl), 'reflections')
