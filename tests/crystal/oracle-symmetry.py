"""Operators, absences, centric reflections, epsilon, asymmetric unit and names of the space groups in all settings, and the
ambiguities of indexing, against gemmi's. Usage: oracle-symmetry.py CRYSTAL-TOOL"""
import subprocess
import sys

try:
    import gemmi
    import numpy as np
except ImportError as error:
    print('SKIP: no Python module for the comparison:', error)
    sys.exit(77)

random = np.random.default_rng(1)
hkls = np.vstack([random.integers(-9, 10, (60, 3)), random.integers(-9, 10, (30, 3)) * [0, 0, 1],
                  random.integers(-9, 10, (30, 3)) * [1, 0, 0], random.integers(-9, 10, (30, 3)) * [0, 1, 0],
                  random.integers(-9, 10, (40, 3)) * [1, 1, 0], random.integers(-9, 10, (40, 3)) * [1, 0, 1],
                  random.integers(-9, 10, (40, 3)) * [0, 1, 1],
                  np.repeat(random.integers(-9, 10, (20, 1)), 3, axis=1) * [1, 1, 0],
                  np.repeat(random.integers(-9, 10, (20, 1)), 3, axis=1)])
hkls = hkls[np.any(hkls != 0, axis=1)]
text = '\n'.join(' '.join(map(str, h)) for h in hkls)


def tool(*arguments, text=''):
    return subprocess.run([sys.argv[1], *arguments], input=text, capture_output=True, text=True)


# What gemmi lists beyond spglib's 530 settings: centrings of P1 and the like, and origins of its own.
def is_listed(group):
    return not (group.xhm().endswith(('a', 'a)', '(a)')) and group.number in (18, 20, 21, 22, 23, 94, 197)) and \
        group.xhm() not in ('I 1 21 1', 'C 1 21 1', 'C 1 1 2', 'C 1 1 21', 'F 1 2/m 1', 'A b a m', 'C 4 2 2', 'C 4 2 21',
                            'F 4 2 2', 'C -4 2 m', 'C -4 2 b', 'F 4/m m m') and \
        not (group.number < 3 and group.centring_type() != 'P')


n_groups, unknown, numbers = 0, [], set()
for group in gemmi.spacegroup_table():
    if not is_listed(group):
        continue
    symbol = group.xhm()
    run = tool('classify', symbol, text=text)
    if run.returncode != 0:
        unknown.append(symbol)
        continue
    head, *lines = run.stdout.splitlines()
    ops = group.operations()
    words = head.split('|')
    assert words[:2] == [f'operators {len(ops)}', str(group.number)], f'{symbol}: {head}'
    point_group = words[3].replace('-6m2', '-62m').replace('-4m2', '-42m')
    assert point_group == group.point_group_hm(), f'{symbol}: {head}, expected {group.point_group_hm()}'
    assert words[4] == group.laue_str(), f'{symbol}: {head}, expected {group.laue_str()}'
    assert words[5] == group.centring_type(), f'{symbol}: {head}, expected {group.centring_type()}'
    asu = gemmi.ReciprocalAsu(group)
    reference = group.is_reference_setting()
    sym = ops.sym_ops
    for hkl, line in zip(hkls, lines):
        h = [int(x) for x in hkl]
        found = [int(x) for x in line.split()]
        expected = [ops.epsilon_factor(h), int(ops.is_reflection_centric(h)), int(ops.is_systematically_absent(h))]
        assert found[3:6] == expected, f'{symbol} {h}: {found[3:6]}, expected {expected}'
        if reference:
            assert found[6:9] == asu.to_asu(h, ops)[0], f'{symbol} {h}: {found[6:9]}, expected {asu.to_asu(h, ops)}'
        orbit = {tuple(s * x for x in op.apply_to_hkl(h)) for op in sym for s in (1, -1)}
        assert tuple(found[6:9]) in orbit and found[9] > 0, f'{symbol} {h}: {found}'
    n_groups += 1
    numbers.add(group.number)
print(n_groups, 'settings agree; not known to us:', unknown)
assert len(numbers) == 230 and n_groups > 520 and len(unknown) < 6

for name, number in {'P43212': 96, 'P 1 21 1': 4, 'P21': 4, 'C2': 5, 'I2': 5, 'I213': 199, 'H3': 146, 'H 3 2': 155,
                     'R3:H': 146, 'R 3:R': 146, 'Pnma': 62, 'P 21/c': 14, 'Cmca': 64, 'P 2/n 2/n 2/n': 48, 'p 61 2 2': 178,
                     'P 2 21 21': 18, 'B 2': 5, '19': 19, 'Fd-3m:1': 227, 'P2_12_12_1': 19}.items():
    head = tool('classify', name).stdout
    assert head.split('|')[1:2] == [str(number)], f'{name}: {head}'
for name in ('', 'P', 'P43213', 'R 3:X', '0', '231', 'P' * 300, '-1', ':H'):
    assert tool('classify', name).returncode == 2, name

# Twin laws by merohedry and pseudo-merohedry.
cells = [('P 1 21 1', '50 60 70 90 90 90'), ('P 1 21 1', '50 60 70 90 100 90'), ('P 1 21 1', '50 60 50 90 103 90'),
         ('P 43 21 2', '79.1 79.1 37.9 90 90 90'), ('P 43', '79.1 79.1 37.9 90 90 90'), ('P 61', '92.9 92.9 130.5 90 90 120'),
         ('P 31', '92.9 92.9 130.5 90 90 120'), ('P 31 2 1', '92.9 92.9 130.5 90 90 120'), ('P 21 3', '96.4 96.4 96.4 90 90 90'),
         ('I 2 3', '96.4 96.4 96.4 90 90 90'), ('F 2 3', '96.4 96.4 96.4 90 90 90'), ('R 3:H', '66.2 66.2 150.2 90 90 120'),
         ('R 3 2:H', '66.2 66.2 150.2 90 90 120'), ('P 21 21 21', '50 50 70 90 90 90'), ('P 21 21 21', '50 50.2 70 90 90 90'),
         ('P 21 21 21', '50 50 50 90 90 90'), ('P 21 21 21', '50 60 70 90 90 90'), ('C 2 2 21', '50 86.6025404 70 90 90 120'),
         ('C 2 2 21', '50 86.6025404 70 90 90 90'), ('C 1 2 1', '50 60 70 90 90 90'), ('P 1', '50 50 50 90 90 90'),
         ('P 1', '50 60 70 70 80 85'), ('C 1 2 1', '86.6025404 50 70 90 90 90'), ('R 3:H', '50 50 61.2372436 90 90 120')]
n_laws = 0
for name, text_cell in cells:
    values = [float(x) for x in text_cell.split()]
    if name == 'C 2 2 21' and values[5] == 120:
        continue
    cell, group = gemmi.UnitCell(*values), gemmi.SpaceGroup(name)
    laue = {tuple(tuple(int(d * x) for x in row) for row in op.rot) for op in group.operations().sym_ops
            for d in [round(np.linalg.det(np.array(op.rot) / op.DEN))]}
    lattice = gemmi.find_lattice_symmetry(cell, group.centring_type(), 0.8)
    expected = len(lattice.sym_ops) // len(laue) - 1
    rows = [[int(x) for x in line.split()] for line in tool('ambiguities', name, text_cell, '1').stdout.splitlines()]
    assert len(rows) == expected, f'{name} {text_cell}: {len(rows)} ambiguities, expected {expected}'
    theirs = {tuple(tuple(row) for row in op.rot) for op in lattice.sym_ops}
    for *r, divisor in rows:
        m = np.array(r).reshape(3, 3) * gemmi.Op.DEN // divisor
        key = tuple(map(tuple, m.tolist()))
        assert key in theirs and key not in laue, f'{name} {text_cell}: {r}'
    n_laws += len(rows)
print(n_laws, 'ambiguities agree')
assert n_laws > 20
