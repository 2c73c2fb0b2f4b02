#!/usr/bin/env python3
"""The tarball: unpacked into a root that holds nothing but it and a static shell, its programs run. Prints TAP; skips without
patchelf, a static busybox, or the right to have roots of one's own."""
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

build, version, maker = sys.argv[1:4]
failed = number = 0


def check(good, what, said=''):
    global failed, number
    number += 1
    failed += not good
    print('%s %d %s' % ('ok' if good else 'not ok', number, what))
    if not good:
        print(''.join('# %s\n' % line for line in str(said).splitlines()))


def skip(why):
    print('1..0 # SKIP ' + why)
    sys.exit(77)


def run(*command, **settings):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
                          env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/tmp', **settings})
    return done.returncode, done.stdout + done.stderr


for tool in 'patchelf', 'busybox', 'unshare':
    if not shutil.which(tool):
        skip('no ' + tool)
if run('unshare', '-rm', 'true')[0]:
    skip('no right to a root of its own (unshare -rm)')
if run('ldd', shutil.which('busybox'))[0] == 0:
    skip('busybox is not static')

with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    out = os.path.join(folder, 'engine.tar.gz')
    status, said = run(maker, build, out)
    check(status == 0, 'made', said)
    root = pathlib.Path(folder, 'root')
    for name in 'bin', 'dev', 'proc', 'tmp':
        (root / name).mkdir(parents=True)
    with tarfile.open(out) as tar:
        tar.extractall(root)
    top = next(root.glob('firstlight-*'))
    shutil.copy(shutil.which('busybox'), root / 'bin')
    for name in 'sh', 'readlink', 'env':
        os.symlink('busybox', root / 'bin' / name)
    inside = '/' + top.name

    def alone(*command):
        return run('unshare', '-rm', 'sh', '-c', 'mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && exec chroot "$0" /bin/env '
                   '-i PATH=/bin HOME=/tmp "$@"', root, *command)

    status, said = alone(inside + '/bin/firstlight-engine', '--version', '--features')
    check(status == 0 and said.startswith('firstlight-engine %s\n' % version), 'starts where there is no C library', said)
    check('\nkernels cpu-baseline' in said and 'cpu-baseline no' not in said, 'its kernels open', said)
    status, said = alone(inside + '/bin/firstlight-engine', 'simulate-sfx', '--out', '/tmp/data', '--runs', '1', '--shots', '4',
                         '--set', 'simulate.detector=eiger-1m')
    made = sorted((root / 'tmp/data').rglob('*.cxi'))
    check(status == 0 and made, 'simulates', said)
    if made:
        status, said = alone(inside + '/bin/firstlight-engine', 'stills', '--stages', 'spots', '--out', '/tmp/job', '/' + str(made[0].relative_to(root)))
        check(status == 0 and '4 shots, ' in said, 'finds spots', said)
    status, said = alone(inside + '/bin/firstlight-control', '--version')
    check(status == 0 and version in said, 'firstlight-control', said)
    if (top / 'bin/mpiexec').exists():
        for how in 'system', 'ours':
            status, said = run(top / 'bin/mpiexec', '-n', '2', top / 'bin/firstlight-engine', 'hello', FIRSTLIGHT_GLIBC=how)
            check(status == 0 and '2 ranks on 1 nodes' in said, 'two ranks, C library: ' + how, said)
    notices = {path.name for path in (top / 'licenses').iterdir()}
    check('firstlight' in notices and 'libc6' in notices and len(notices) > 10, 'licences', sorted(notices))
print('1..%d' % number)
sys.exit(failed != 0)
