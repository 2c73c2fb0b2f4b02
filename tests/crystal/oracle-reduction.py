"""Reduced cells against gemmi's. Usage: oracle-reduction.py CRYSTAL-TOOL"""
import subprocess
import sys

try:
    import gemmi
    import numpy as np
except ImportError as error:
    print('SKIP: no Python module for the comparison:', error)
    sys.exit(77)

random = np.random.default_rng(2)
worst = 0
n = 0
for centring in 'PABCIFR':
    cells = []
    while len(cells) < 300:
        lengths, angles = random.uniform(20, 200, 3), random.uniform(50, 130, 3)
        kind = len(cells) % 6
        if kind in (1, 2, 3):
            angles = [90, angles[1] if kind == 1 else 90, 90]
        if kind == 3:
            lengths[1] = lengths[0]
        if kind == 4 or centring == 'R':
            lengths[1], angles = lengths[0], [90, 90, 120]
        if kind == 5 and centring != 'R':
            lengths[:], angles = lengths[0], [90, 90, 90]
        if gemmi.UnitCell(*lengths, *angles).volume > 1000:
            cells.append((*lengths, *angles))
    text = '\n'.join(' '.join(f'{x:.12g}' for x in cell) for cell in cells)
    ours = np.loadtxt(subprocess.run([sys.argv[1], 'niggli', centring], input=text, capture_output=True, text=True,
                                     check=True).stdout.splitlines())
    for cell, found in zip(cells, ours):
        vector = gemmi.GruberVector(gemmi.UnitCell(*cell), centring)
        vector.niggli_reduce()
        expected = vector.get_cell().parameters
        difference = np.max(np.abs(np.array(expected) - found))
        assert difference < 1e-5, f'{centring} {cell}: {found}, expected {expected}'
        worst = max(worst, difference)
        n += 1
print(f'{n} reduced cells agree within {worst:.1e}')
