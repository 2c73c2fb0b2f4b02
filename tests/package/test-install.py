#!/usr/bin/env python3
"""meson install, then the programs from where they were put, which is not where they were configured for: they find one another
and their kernels. Prints TAP."""
import os
import pathlib
import subprocess
import sys
import tempfile

build, version = sys.argv[1:3]
CLEAN = {name: os.environ[name] for name in ('PATH', 'HOME') if name in os.environ}
failed = number = 0


def check(good, what, said=''):
    global failed, number
    number += 1
    failed += not good
    print('%s %d %s' % ('ok' if good else 'not ok', number, what))
    if not good:
        print(''.join('# %s\n' % line for line in str(said).splitlines()))


def run(*command):
    done = subprocess.run([str(part) for part in command], env=CLEAN, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    status, said = run('meson', 'install', '-C', build, '--no-rebuild', '--destdir', folder)
    check(status == 0, 'installed', said)
    engine = next(pathlib.Path(folder).rglob('bin/firstlight-engine'), None)
    check(engine is not None, 'the engine is there', said)
    if engine:
        status, said = run(engine, '--version', '--features')
        check(status == 0 and said.startswith('firstlight-engine %s\n' % version), 'its version', said)
        check('\nkernels cpu-baseline' in said and 'cpu-baseline no' not in said, 'its kernels are found', said)
        data = pathlib.Path(folder, 'data')
        status, said = run(engine, 'simulate-sfx', '--out', data, '--runs', '1', '--shots', '4', '--set', 'simulate.detector=eiger-1m')
        files = list(data.rglob('*.cxi'))
        check(status == 0 and files, 'it simulates', said)
        status, said = run(engine, 'stills', '--stages', 'spots', '--out', pathlib.Path(folder, 'job'), *files)
        check(status == 0 and '4 shots, ' in said, 'it finds spots', said)
        control = engine.with_name('firstlight-control')
        if control.exists():
            status, said = run(control, 'inspect', files[0])
            check(status == 0 and 'frames' in said, 'firstlight-control looks at it', said)
        window = engine.with_name('firstlight')
        if window.exists():
            status, said = run(window, '--version', '--features')
            check(status == 0 and said.startswith('firstlight %s\n' % version) and 'GTK' in said, 'the control room', said)
            share = engine.parent.parent / 'share'
            check((share / 'applications/firstlight.desktop').exists() and list(share.rglob('io.firstlight.Firstlight.svg')),
                  'its entry and icon')
print('1..%d' % number)
sys.exit(failed != 0)
