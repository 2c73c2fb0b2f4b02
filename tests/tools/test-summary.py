#!/usr/bin/env python3
"""summary itself: what it counts, what it calls a failure. Prints TAP."""
import json
import os
import subprocess
import sys
import tempfile

SUMMARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'summary')


def run(*tests):
    with tempfile.NamedTemporaryFile('w', suffix='.json') as f:
        f.write('\n'.join(json.dumps(dict(zip(('name', 'result', 'stdout'), t))) for t in tests))
        f.flush()
        done = subprocess.run([sys.executable, SUMMARY, 'a=' + f.name], capture_output=True, text=True)
        return done.returncode, done.stdout.strip().split('\n')


TAP = '1..3\nok 1 /a/one\nok 2 /a/two # SKIP no data\nok 3 - three\n'
CASES = [
    ([('plain', 'OK', '')], 0, '1 passed, 0 failed, 0 skipped', ''),
    ([('tap', 'OK', TAP), ('plain', 'OK', 'ok 1 is not a plan')], 0, '3 passed, 0 failed, 1 skipped', 'a: tap /a/two: no data'),
    ([('tap', 'FAIL', TAP.replace('ok 3', 'not ok 3'))], 1, '1 passed, 1 failed, 1 skipped', 'a: tap three'),
    ([('tap', 'ERROR', '1..3\nok 1 /a/one\n')], 1, '1 passed, 1 failed, 0 skipped', 'a: tap (error)'),
    ([('slow', 'TIMEOUT', ''), ('other', 'OK', '')], 1, '1 passed, 1 failed, 0 skipped', 'a: slow (timeout)'),
    ([('none', 'SKIP', '1..0 # SKIP no GPU here')], 1, '0 passed, 0 failed, 1 skipped', 'a: none: no GPU here'),
    ([('seventy-seven', 'SKIP', 'no dials\n'), ('x', 'OK', '')], 0, '1 passed, 0 failed, 1 skipped', 'a: seventy-seven: no dials'),
    ([], 1, '0 passed, 0 failed, 0 skipped', ''),
]

print('1..%d' % len(CASES))
bad = 0
for number, (tests, status, last, line) in enumerate(CASES, 1):
    got, said = run(*tests)
    good = got == status and said[-1] == last and (line in [s.strip() for s in said] or not line)
    bad += not good
    print('ok' if good else 'not ok', number, last)
    if not good:
        print('# status %d, said: %r' % (got, said))
sys.exit(bad != 0)
