"""Operators, absences, centric reflections and epsilon of every group in our table against gemmi's.
Usage: oracle-symmetry.py CRYSTAL-TOOL"""
import subprocess
import sys

try:
    import gemmi
    import numpy as np
except ImportError as error:
    print('SKIP: no Python module for the comparison:', error)
    sys.exit(77)

random = np.random.default_rng(1)
hkls = np.vstack([random.integers(-9, 10, (300, 3)), random.integers(-9, 10, (100, 3)) * [0, 0, 1],
                  random.integers(-9, 10, (100, 3)) * [1, 0, 0], random.integers(-9, 10, (100, 3)) * [0, 1, 0],
                  random.integers(-9, 10, (100, 3)) * [1, 1, 0], random.integers(-9, 10, (100, 3)) * [1, 0, 1],
                  np.repeat(random.integers(-9, 10, (60, 1)), 3, axis=1) * [1, 1, 0],
                  np.repeat(random.integers(-9, 10, (60, 1)), 3, axis=1)])
text = '\n'.join(' '.join(map(str, h)) for h in hkls)
n_groups = 0
for number in range(1, 231):
    group = gemmi.find_spacegroup_by_number(number)
    if not group.is_sohncke():
        continue
    symbol = group.hm if not group.hm.startswith('R') else 'H' + group.hm[1:]
    run = subprocess.run([sys.argv[1], 'classify', symbol], input=text, capture_output=True, text=True)
    assert run.returncode == 0, f'{symbol}: {run.stderr}'
    lines = run.stdout.splitlines()
    ops = group.operations()
    assert lines[0] == f'operators {len(ops)}', f'{symbol}: {lines[0]}, expected {len(ops)}'
    for hkl, line in zip(hkls, lines[1:]):
        h = [int(x) for x in hkl]
        found = [int(x) for x in line.split()][3:]
        expected = [ops.epsilon_factor(h), int(ops.is_reflection_centric(h)), int(ops.is_systematically_absent(h))]
        assert found == expected or not any(h), f'{symbol} {h}: {found}, expected {expected}'
    n_groups += 1
print(n_groups, 'groups agree')
assert n_groups == 65
