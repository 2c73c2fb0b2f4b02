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
        f.write('\n'.join(json.dumps(dict(zip(('name', 'result', 'stdout', 'stderr'), t))) for t in tests))
        f.flush()
        done = subprocess.run([sys.executable, SUMMARY, 'a=' + f.name], capture_output=True, text=True)
        return done.returncode, done.stdout.strip().split('\n')


TAP = '1..3\nok 1 /a/one\nok 2 /a/two # SKIP no data\nok 3 - three\n'
BROKEN = '1..2\nnot ok 1 /a/one\n# 3 != 4\n#  in a loop\n# End of a tests\nok 2 /a/two\n# fine\n'
CASES = [
    ([('plain', 'OK', '')], 0, '1 passed, 0 failed, 0 skipped', ''),
    ([('tap', 'OK', TAP.replace('ok 3 - three', 'ok 3 /a/three # SKIP no data')), ('plain', 'OK', 'ok 1 is not a plan')], 0, '2 passed, 0 failed, 2 skipped',
     ['a: no data', '2: tap (2)']),
    ([('tap', 'OK', TAP), ('plain', 'OK', 'ok 1 is not a plan')], 0, '3 passed, 0 failed, 1 skipped', ['a: no data', '1: tap']),
    ([('tap', 'FAIL', TAP.replace('ok 3', 'not ok 3'))], 1, '1 passed, 1 failed, 1 skipped', 'a: tap three'),
    ([('tap', 'ERROR', '1..3\nok 1 /a/one\n')], 1, '1 passed, 1 failed, 0 skipped', 'a: tap (error)'),
    ([('slow', 'TIMEOUT', ''), ('other', 'OK', '')], 1, '1 passed, 1 failed, 0 skipped', 'a: slow (timeout)'),
    ([('none', 'SKIP', '1..0 # SKIP no GPU here')], 1, '0 passed, 0 failed, 1 skipped', ['a: no GPU here', '1: none']),
    ([('seventy-seven', 'SKIP', 'no dials\n'), ('x', 'OK', '')], 0, '1 passed, 0 failed, 1 skipped', ['a: no dials', '1: seventy-seven']),
    ([('tap', 'FAIL', BROKEN, 'noise')], 1, '1 passed, 1 failed, 0 skipped', ['a: tap /a/one', '3 != 4', 'in a loop']),
    ([('plain', 'FAIL', '', '\n'.join(map(str, range(40))))], 1, '0 passed, 1 failed, 0 skipped',
     ['a: plain (fail)'] + [str(n) for n in range(25, 40)]),
    ([('tap', 'FAIL', '1..2\nnot ok 1 /a\nnot ok 2 /b', 'boom')], 1, '0 passed, 2 failed, 0 skipped',
     ['a: tap /a', 'a: tap /b', '1..2', 'not ok 1 /a', 'not ok 2 /b', 'boom']),
    ([], 1, '0 passed, 0 failed, 0 skipped', ''),
]

print('1..%d' % len(CASES))
bad = 0
for number, (tests, status, last, line) in enumerate(CASES, 1):
    got, said = run(*tests)
    lines = [s.strip() for s in said]
    whole = isinstance(line, str) or lines[1:-2] == line  # a list: everything under the only title
    good = got == status and said[-1] == last and (not isinstance(line, str) or line in lines or not line) and whole
    bad += not good
    print('ok' if good else 'not ok', number, last)
    if not good:
        print('# status %d, said: %r' % (got, said))
sys.exit(bad != 0)
