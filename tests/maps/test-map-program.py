"""firstlight-engine map: its files against gemmi and mrcfile, a simulated crystal and a real one, bad input. Usage: test-map-program.py ENGINE"""
import json
import math
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile

try:
    import gemmi
    import numpy as np
except ImportError as error:
    print('1..0 # SKIP no Python module for the comparison:', error)
    sys.exit(0)
try:
    import mrcfile
except ImportError:
    mrcfile = None

ENGINE = sys.argv[1]
DATA = os.environ.get('FIRSTLIGHT_TEST_DATA', '')
LYZ = os.path.join(DATA, 'pdb', '3lyz.pdb')
HEWL = os.path.join(DATA, 'hkl', 'HEWL_refined.mtz')
FOLDER = tempfile.mkdtemp(prefix='map-')
MATES = 'F-obs-filtered(+) SIGF-obs-filtered(+) F-obs-filtered(-) SIGF-obs-filtered(-)'
real = os.path.exists(LYZ) and os.path.exists(HEWL)
tests = []


def test(function):
    tests.append(function)
    return function


def path(name):
    return os.path.join(FOLDER, name)


def run(*args, expect=0):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([ENGINE, 'map', *map(str, args)], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == expect, (args, done.returncode, done.stderr)
    run.seconds = after.ru_utime - before.ru_utime
    return done.stdout if expect == 0 else done.stderr


def report(out):
    with open(os.path.join(out, 'map.json'), encoding='utf-8') as f:
        return json.load(f)


def grid_of(mtz, f, phi, size):
    return np.array(mtz.transform_f_phi_to_map(f, phi, exact_size=size), copy=True)


def read_map(name):
    ccp4 = gemmi.read_ccp4_map(name)
    ccp4.setup(float('nan'))
    return ccp4, np.array(ccp4.grid, copy=True)


def refuse(words, *args):
    text = run(*args, expect=2)
    assert text.count('\n') == 1 and words in text, text


# A crystal that never was: a random walk of carbon, nitrogen, oxygen, sulphur in P 21 21 21.
CELL = gemmi.UnitCell(42, 46, 55, 90, 90, 90)
GROUP = 'P 21 21 21'


def walk(seed=5, n=320):
    draw = random.Random(seed)
    atoms, at = [], np.array([12.0, 14.0, 16.0])
    while len(atoms) < n:
        step = np.array([draw.gauss(0, 1) for _ in range(3)])
        new = at + 1.5 * step / np.linalg.norm(step)
        if np.linalg.norm(new - [12, 14, 16]) < 11 and all(np.linalg.norm(new - a) > 1.3 for a in atoms):
            atoms.append(new)
            at = new
        elif draw.random() < 0.2 and atoms:
            at = atoms[int(draw.random() * len(atoms))]
    return atoms


def write_pdb(name, atoms, without=()):
    with open(path(name), 'w') as f:
        f.write('CRYST1%9.3f%9.3f%9.3f%7.2f%7.2f%7.2f %-11s%4d\n' % (*CELL.parameters, GROUP, 4))
        for i, a in enumerate(atoms):
            element = 'CCNCOCCOS'[i % 9]
            label = 'SG' if element == 'S' else element + 'CNOA'[i % 4]
            if i not in without:
                f.write('ATOM  %5d  %-3s CYS A%4d    %8.3f%8.3f%8.3f  1.00 12.00          %2s\n'
                        % (i + 1, label, i // 9 + 1, *a, element))
        f.write('END\n')
    return path(name)


def write_data(name, model, scale, b, seed, noise=0.02, d_min=1.8):
    subprocess.run(['gemmi', 'sfcalc', f'--dmin={d_min}', '--wavelength=0', f'--to-mtz={path("f.mtz")}', model], check=True,
                   capture_output=True)
    calculated = gemmi.read_mtz_file(path('f.mtz'))
    table = np.array(calculated, copy=False)
    draw = np.random.default_rng(seed)
    d = calculated.make_d_array()
    intensity = (scale * table[:, 3] * np.exp(-b / (4 * d * d))) ** 2
    sigma = np.full(len(d), noise * intensity.mean())
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = gemmi.find_spacegroup_by_name(GROUP)
    mtz.set_cell_for_all(CELL)
    mtz.add_dataset('set')
    for label, kind in [('IMEAN', 'J'), ('SIGIMEAN', 'Q'), ('FreeR_flag', 'I')]:
        mtz.add_column(label, kind)
    mtz.set_data(np.column_stack([table[:, :3], intensity + sigma * draw.standard_normal(len(d)), sigma,
                                  np.arange(len(d)) % 20]).astype(np.float32))
    mtz.write_to_file(path(name))
    return path(name)


ATOMS = walk()
GONE = 9 * 14 + 8
MODEL = write_pdb('model.pdb', ATOMS)
TRUTH = write_data('truth.mtz', MODEL, 4, 10, 1)


def near(peak, atom):
    return math.dist(peak['xyz'], atom)


@test
def an_omitted_atom_is_the_highest_peak():
    part, out = write_pdb('part.pdb', ATOMS, without=[GONE]), path('omit')
    said = run('--model', part, '--data', TRUTH, '--out', out)
    assert re.fullmatch(r'\d+ reflections to 1\.80 Å, R 0\.\d+, free R 0\.\d+, mFo-DFc \+[\d.]+ sigma at CYS A \d+ \w+, '
                        r'[\d.]+ Å\n', said), said
    peaks = report(out)['mfo-dfc']['peaks']
    assert peaks[0]['sigmas'] > 10 and near(peaks[0], ATOMS[GONE]) < 0.2, peaks[:2]
    assert abs(peaks[1]['sigmas']) < 0.7 * peaks[0]['sigmas'], peaks[:2]
    print(f'# {peaks[0]["sigmas"]:.1f} sigma, {near(peaks[0], ATOMS[GONE]):.2f} Å away; next {peaks[1]["sigmas"]:.1f}')


@test
def a_moved_atom_is_a_peak_and_a_hole():
    moved = list(ATOMS)
    moved[GONE] = ATOMS[GONE] + np.array([0.5, -0.3, 0.4])
    light = write_data('light.mtz', write_pdb('moved.pdb', moved), 7, 14, 2)
    out = path('moved')
    run('--model', MODEL, '--data', light, '--minus', TRUTH, '--out', out)
    peaks = report(out)['fo-fo']['peaks']
    up, down = sorted(peaks[:2], key=lambda p: -p['sigmas'])
    assert up['sigmas'] > 8 and down['sigmas'] < -8, peaks[:3]
    places = [near(p, a) for p in (up, down) for a in (moved[GONE], ATOMS[GONE])]
    assert places[0] < places[1] and places[3] < places[2], places
    assert abs(peaks[2]['sigmas']) < 0.7 * min(up['sigmas'], -down['sigmas'])
    print(f'# {up["sigmas"]:.1f} and {down["sigmas"]:.1f} sigma; next {peaks[2]["sigmas"]:.1f}')
    mtz = gemmi.read_mtz_file(os.path.join(out, 'map.mtz'))
    _, ours = read_map(os.path.join(out, 'fo-fo.ccp4'))
    away = abs(ours - grid_of(mtz, 'FDIFF', 'PHDIFF', ours.shape)).max() / ours.std()
    assert away < 3e-3, away


@test
def a_displaced_model_comes_back():
    angle = math.radians(1.5)
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    away = write_pdb('away.pdb', [turn @ a + [0.3, -0.4, 0.2] for a in ATOMS])
    run('--model', away, '--data', TRUTH, '--out', path('away'))
    here = report(path('away'))
    run('--model', away, '--data', TRUTH, '--out', path('stays'), '--set', 'map.rigid_body=none')
    there = report(path('stays'))
    assert here['scale']['r_work'] < 0.08 < 0.15 < there['scale']['r_work'], (here['scale'], there['scale'])
    assert abs(here['rigid_bodies']['most_rotation_degrees'] - 1.5) < 0.05, here['rigid_bodies']
    # The model that is written lies where the maps have it: where the atoms were, up to an origin that means nothing.
    placed = gemmi.read_structure(os.path.join(path('away'), 'model.cif'))
    atoms = np.array([cra.atom.pos.tolist() for cra in placed[0].all()])
    assert placed.spacegroup_hm == GROUP and len(atoms) == len(ATOMS)
    off = atoms - np.array(ATOMS)
    assert np.abs(off - off.mean(axis=0)).max() < 0.05, np.abs(off - off.mean(axis=0)).max()
    _, density = read_map(os.path.join(path('away'), '2mfo-dfc.ccp4'))
    at = np.rint(atoms / CELL.parameters[:3] * density.shape).astype(int) % density.shape
    assert density[at[:, 0], at[:, 1], at[:, 2]].mean() > 2 * density.std()


@test
def files_are_what_other_programs_read():
    out = path('whole')
    run('--model', MODEL, '--data', TRUTH, '--out', out)
    said = report(out)
    mtz = gemmi.read_mtz_file(os.path.join(out, 'map.mtz'))
    source = gemmi.read_mtz_file(TRUTH)
    assert mtz.spacegroup.hm == GROUP and np.allclose(mtz.cell.parameters, CELL.parameters)
    labels = ['H', 'K', 'L', 'FP', 'SIGFP', 'FreeR_flag', 'FC', 'PHIC', 'FOM', 'FWT', 'PHWT', 'DELFWT', 'PHDELWT']
    assert mtz.column_labels() == labels, mtz.column_labels()
    flags = {tuple(h): f for h, f in zip(source.make_miller_array().tolist(), np.array(source)[:, 5])}
    table = np.array(mtz, copy=False)
    for h, flag in zip(table[:, :3].astype(int).tolist(), table[:, 5]):
        assert flags.get(tuple(h), flag) == flag or (math.isnan(flag) and tuple(h) not in flags)
    for name, f, phi in [('2mfo-dfc', 'FWT', 'PHWT'), ('mfo-dfc', 'DELFWT', 'PHDELWT')]:
        ccp4, ours = read_map(os.path.join(out, name + '.ccp4'))
        theirs = grid_of(mtz, f, phi, ours.shape)
        assert ccp4.grid.spacegroup.hm == GROUP and np.allclose(ccp4.grid.unit_cell.parameters, CELL.parameters)
        assert abs(ours - theirs).max() < 1e-3 * ours.std(), name
        numbers = said[name]
        assert abs(numbers['sigma'] / ours.std() - 1) < 1e-4 and abs(numbers['max'] / ours.max() - 1) < 1e-4
        assert abs(numbers['skewness'] - ((ours - ours.mean()) ** 3).mean() / ours.std() ** 3) < 1e-3
        if mrcfile is not None:
            assert mrcfile.validate(os.path.join(out, name + '.ccp4'), print_file=sys.stderr), name
            with mrcfile.open(os.path.join(out, name + '.ccp4')) as mrc:
                assert mrc.header.ispg == 19 and abs(mrc.header.rms - ours.std()) < 1e-5
                assert np.array_equal(mrc.data, ours.transpose(2, 1, 0))
    fc = np.array(mtz.transform_f_phi_to_map('FC', 'PHIC', exact_size=ours.shape), copy=False)
    at = [fc[tuple(int(round(a[i] / CELL.parameters[i] * fc.shape[i])) % fc.shape[i] for i in range(3))] for a in ATOMS]
    assert np.mean(at) > 3 * fc.std(), 'FC and PHIC are not the model'
    if mrcfile is None:
        print('# no mrcfile: not asked')


@test
def other_formats_say_the_same():
    structure = gemmi.read_structure(path('part.pdb'))
    structure.make_mmcif_document().write_file(path('part.cif'))
    table = np.array(gemmi.read_mtz_file(TRUTH), copy=False)
    with open(path('truth.hkl'), 'w') as f:
        f.write('CrystFEL reflection list version 2.0\nSymmetry: mmm\n   h    k    l          I    phase   sigma(I)   nmeas\n')
        f.writelines('%4d %4d %4d %10.2f %8s %10.2f %7d\n' % (*row[:3], row[3], '-', row[4], 2) for row in table)
        f.write('End of reflections\n')
    with open(path('exact.hkl'), 'w') as f: # as calculated lists are: no sigmas
        f.write('CrystFEL reflection list version 2.0\nSymmetry: mmm\n   h    k    l          I    phase   sigma(I)   nmeas\n')
        f.writelines('%4d %4d %4d %10.2f %8s %10.2f %7d\n' % (*row[:3], abs(row[3]), '-', 0, 2) for row in table)
        f.write('End of reflections\n')
    run('--model', path('part.cif'), '--data', path('exact.hkl'), '--out', path('exact'))
    assert report(path('exact'))['data']['measured'] > 0.98 * len(table)
    run('--model', path('part.cif'), '--data', path('truth.hkl'), '--out', path('formats'), '--set', 'map.sigma_a=all')
    run('--model', path('part.pdb'), '--data', TRUTH, '--out', path('same'), '--set', 'map.sigma_a=all')
    a, b = (report(path(name))['mfo-dfc']['peaks'][0] for name in ('formats', 'same'))
    assert a['atom'] == b['atom'] and abs(a['sigmas'] / b['sigmas'] - 1) < 0.02 and math.dist(a['xyz'], b['xyz']) < 0.02, (a, b)


@test
def a_box_around_the_model():
    out = path('box')
    run('--model', MODEL, '--data', TRUTH, '--out', out, '--set', 'map.extent=model', '--set', 'map.margin=3')
    brick = gemmi.read_ccp4_map(os.path.join(out, '2mfo-dfc.ccp4'))
    start = [brick.header_i32(i) for i in (5, 6, 7)]
    size = [brick.header_i32(i) for i in (1, 2, 3)]
    sampling = [brick.header_i32(i) for i in (8, 9, 10)]
    _, whole = read_map(os.path.join(path('whole'), '2mfo-dfc.ccp4'))
    assert list(whole.shape) == sampling
    for i in range(3):
        low, high = min(a[i] for a in ATOMS), max(a[i] for a in ATOMS)
        edge = CELL.parameters[i] / sampling[i]
        assert start[i] * edge <= low - 2.9 and (start[i] + size[i] - 1) * edge >= high + 2.9
    part = np.array(brick.grid, copy=False)
    index = np.ix_(*[(np.arange(size[i]) + start[i]) % sampling[i] for i in range(3)])
    assert np.allclose(part, whole[index], atol=1e-6)


@test
def the_same_again():
    run('--model', MODEL, '--data', TRUTH, '--out', path('again'))
    for name in ('2mfo-dfc.ccp4', 'mfo-dfc.ccp4', 'map.json'):
        with open(os.path.join(path('whole'), name), 'rb') as a, open(os.path.join(path('again'), name), 'rb') as b:
            assert a.read() == b.read(), name


@test
def quick():
    """25,000 reflections in a second: CPU seconds, the best of three."""
    big = write_data('big.mtz', MODEL, 4, 10, 3, d_min=1.29)
    seconds = []
    for _ in range(3):
        said = run('--model', MODEL, '--data', big, '--out', path('big'))
        seconds.append(run.seconds)
    n = int(said.split()[0])
    print(f'# {n} reflections: {min(seconds):.2f} s')
    assert n > 25000
    assert os.environ.get('FIRSTLIGHT_SANITIZED') or min(seconds) < 2, seconds


@test
def what_is_wrong_is_said():
    out = path('wrong')
    refuse('no model', '--data', TRUTH, '--out', out)
    refuse('--data', '--model', MODEL, '--out', out)
    refuse('cannot be read', '--model', path('none.pdb'), '--data', TRUTH, '--out', out)
    refuse('expected', '--model', MODEL, '--data', MODEL, '--out', out)
    refuse('has no column', '--model', MODEL, '--data', TRUTH, '--out', out, '--set', 'map.columns=IMEAN nothing')
    refuse('amplitudes and phases', '--model', TRUTH, '--data', TRUTH, '--out', out)
    refuse('resolution', '--model', MODEL, '--data', TRUTH, '--out', out, '--set', 'map.d_min=40')
    with open(MODEL) as f:
        text = f.read()
    with open(path('other.pdb'), 'w') as f:
        f.write(text.replace('   42.000', '   62.000'))
    refuse('its cell', '--model', path('other.pdb'), '--data', TRUTH, '--out', out)
    with open(path('low.pdb'), 'w') as f:
        f.write(text.replace('P 21 21 21 ', 'P 1 21 1   '))
    refuse('higher symmetry', '--model', path('low.pdb'), '--data', TRUTH, '--out', out)
    assert not os.path.exists(out)


@test
def real_coefficients():
    if not real:
        return 'no real data'
    out = path('hewl')
    run('--model', HEWL, '--data', HEWL, '--out', out, '--set', 'map.columns=' + MATES)
    ours, theirs = gemmi.read_mtz_file(os.path.join(out, 'map.mtz')), gemmi.read_mtz_file(HEWL)
    size = [144, 144, 72]
    for f, phi, g, psi, least in [('FWT', 'PHWT', '2FOFCWT', 'PH2FOFCWT', 0.95), ('DELFWT', 'PHDELWT', 'FOFCWT', 'PHFOFCWT', 0.9)]:
        cc = np.corrcoef(grid_of(ours, f, phi, size).ravel(), grid_of(theirs, g, psi, size).ravel())[0, 1]
        print(f'# {f} and {g}: CC {cc:.4f}')
        assert cc >= least


@test
def real_omitted_sulphur():
    if not real:
        return 'no real data'
    out = path('3lyz')
    with open(LYZ) as f, open(path('omit6.pdb'), 'w') as g:
        g.writelines(line for line in f if not (line.startswith('ATOM') and line[12:26] == ' SG  CYS A   6'))
    run('--model', path('omit6.pdb'), '--data', HEWL, '--out', out)
    said = report(out)
    assert 0.3 < said['scale']['r_work'] < 0.4, said['scale']
    assert said['origin']['chosen'] and said['origin']['shift'] == [0, 0, 0.5], said['origin']
    shift = [s * c for s, c in zip(said['origin']['shift'], said['cell'])]
    truth = [a + b for a, b in zip((-9.068, 21.167, 2.759), shift)]
    peak = min(said['mfo-dfc']['peaks'], key=lambda p: near(p, truth))
    print(f'# R {said["scale"]["r_work"]:.4f}; SG of CYS 6: {peak["sigmas"]:.1f} sigma, {near(peak, truth):.2f} Å away')
    assert peak['sigmas'] >= 5 and near(peak, truth) < 0.7


print(f'1..{len(tests)}')
failed = 0
for number, function in enumerate(tests, 1):
    name = function.__name__.replace('_', ' ')
    try:
        skipped = function()
        print(f'ok {number} {name}' + (f' # SKIP {skipped}' if skipped else ''))
    except Exception as error:
        failed += 1
        print(f'not ok {number} {name}: {type(error).__name__} {error}'.replace('\n', ' '))
shutil.rmtree(FOLDER, ignore_errors=True)
sys.exit(failed > 0)
