"""MTZ files: real ones read as gemmi reads them and as their headers say, ours read by gemmi. Usage: oracle-mtz.py CRYSTAL-TOOL"""
import os
import re
import subprocess
import sys
import tempfile

try:
    import gemmi
    import numpy as np
except ImportError as error:
    print('SKIP: no Python module for the comparison:', error)
    sys.exit(77)

data = os.environ.get('FIRSTLIGHT_TEST_DATA', '')
scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def tool(*arguments, text=''):
    return subprocess.run([sys.argv[1], *arguments], input=text, capture_output=True, text=True)


def ours(path):
    run = tool('mtz', path)
    assert run.returncode == 0, run.stderr
    head, *rows = run.stdout.splitlines()
    return head.split('|'), np.array([[float(x) for x in row.split()] for row in rows])


def compare_reading(path):
    head, rows = ours(path)
    theirs = gemmi.read_mtz_file(path)
    table = np.array(theirs, copy=False)
    assert [int(x) for x in head[:3]] == [theirs.nreflections, len(theirs.columns), len(theirs.batches)], head
    assert int(head[3]) == theirs.spacegroup.number and int(head[4]) > 0, head
    assert np.allclose([float(x) for x in head[6].split()], theirs.cell.parameters, atol=2e-4), head
    assert head[7].split() == [f'{c.label}:{c.type}' for c in theirs.columns], head
    assert rows.shape == table.shape and np.array_equal(np.float32(rows), table, equal_nan=True), path
    return head


truth = {}
folder = os.path.join(data, 'hkl')
if os.path.isdir(folder):
    with open(os.path.join(data, 'truth', 'mtz_headers.txt')) as file:
        for name, header in re.findall(r'^== hkl_mtz/(\S+)\n(.*)$', file.read(), re.MULTILINE):
            truth[name] = header
    assert len(truth) == 4
    for name, header in truth.items():
        head = compare_reading(os.path.join(folder, name))
        n_columns, n_rows, n_batches = map(int, re.search(r'NCOL +(\d+) +(\d+) +(\d+)', header).groups())
        assert [int(x) for x in head[:3]] == [n_rows, n_columns, n_batches], (head, header)
        assert [c.split(':')[0] for c in head[7].split()] == re.findall(r'C:(\S+):\w', header), head
        assert float(head[5]) == max(map(float, re.findall(r'DWAVEL +\d+ +(\S+)', header))), (head, header)
    print(len(truth), 'real files read as gemmi reads them')
else:
    print('no real files: FIRSTLIGHT_TEST_DATA has no hkl/')

random = np.random.default_rng(4)
groups = [('P 43 21 2', '79.1 79.1 37.9 90 90 90'), ('P 61 2 2', '92.9 92.9 130.5 90 90 120'), ('C 1 2 1', '100 50 60 90 103 90'),
          ('R 3 2:H', '66.2 66.2 150.2 90 90 120'), ('I 21 3', '80 80 80 90 90 90'), ('P 1', '40 50 60 70 80 85'),
          ('P 21 21 21', '50 60 100 90 90 90')]
for kind in ('merged', 'unmerged'):
    for group, cell in groups:
        path = os.path.join(scratch.name, 'ours.mtz')
        spacegroup = gemmi.SpaceGroup(group)
        ops = spacegroup.operations()
        asu = gemmi.ReciprocalAsu(spacegroup)
        hkl = random.integers(-12, 13, (600, 3))
        if kind == 'merged':
            hkl = hkl[np.unique([asu.to_asu(h.tolist(), ops)[0] for h in hkl], axis=0, return_index=True)[1]]
        value, sigma = np.float32(random.normal(100, 300, len(hkl))), np.float32(random.uniform(0.1, 9, len(hkl)))
        number = random.integers(1, 40, len(hkl))
        text = '\n'.join(f'{h} {k} {l} {v:.9g} {s:.9g} {n}' for (h, k, l), v, s, n in zip(hkl, value, sigma, number))
        run = tool('write-mtz', kind, path, group, cell, '1.2345', text=text)
        assert run.returncode == 0 and run.stdout == '', run
        compare_reading(path)
        mtz = gemmi.read_mtz_file(path)
        assert mtz.spacegroup == spacegroup, (mtz.spacegroup, group)
        assert np.allclose(mtz.cell.parameters, [float(x) for x in cell.split()], atol=1e-3)
        assert abs(mtz.datasets[-1].wavelength - 1.2345) < 1e-5
        labels = mtz.column_labels()
        table = np.array(mtz, copy=False)
        expected = {}
        for h, v, s, n in zip(hkl.tolist(), value, sigma, number):
            expected.setdefault(tuple(asu.to_asu(h, ops)[0]), []).append((np.float32(v), np.float32(s), n))
        if kind == 'merged':
            assert labels == ['H', 'K', 'L', 'IMEAN', 'SIGIMEAN', 'N'] and not mtz.batches, labels
            found = {tuple(map(int, row[:3])): [(row[3], row[4], int(row[5]))] for row in table}
        else:
            assert labels == ['H', 'K', 'L', 'M/ISYM', 'BATCH', 'I', 'SIGI'], labels
            assert sorted(b.number for b in mtz.batches) == sorted(set(number.tolist()))
            assert abs(mtz.batches[0].floats[86] - 1.2345) < 1e-5
            found = {}
            for row in table:
                found.setdefault(tuple(map(int, row[:3])), []).append((row[5], row[6], int(row[4])))
            assert mtz.switch_to_original_hkl()
            original = sorted(map(tuple, np.array(mtz, copy=False)[:, :3].astype(int).tolist()))
            # An operator that leaves hkl alone is as good as another; the observed indices come back.
            assert original == sorted(map(tuple, hkl.tolist())), f'{group}: indices'
        assert {k: sorted(v) for k, v in found.items()} == {k: sorted(v) for k, v in expected.items()}, f'{kind} {group}'
        assert np.all(np.diff(np.lexsort(table[:, 2::-1].T)) == 1) or kind == 'unmerged'
print('ours are read by gemmi:', len(groups), 'groups, merged and unmerged')
run = tool('write-mtz', 'merged', '/nowhere/x.mtz', 'P1', '40 50 60 70 80 85', '1')
assert run.returncode == 1 and run.stderr.count('\n') == 1 and run.stdout == '', run
