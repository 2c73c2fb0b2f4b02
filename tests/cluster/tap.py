"""tap.py: runs functions as tests and says how each went, in TAP."""
import concurrent.futures
import signal
import sys
import time
import traceback


class Skip(Exception):
    """Why this cannot be tested here."""


def play(test):
    """(good, lines)"""
    begun = time.monotonic()
    try:
        test()
        return True, [f"ok {{}} {test.__name__}", f"# {time.monotonic() - begun:.1f} s"]
    except Skip as why:
        return True, [f"ok {{}} {test.__name__} # SKIP {why}"]
    except Exception as error:  # reported; the next are played
        where = [f"{frame.filename.rsplit('/', 1)[-1]} line {frame.lineno}: {frame.line}"
                 for frame in traceback.extract_tb(error.__traceback__)]
        said = "\n".join(where + [f"{type(error).__name__}: {error}"]).splitlines()
        return False, [f"not ok {{}} {test.__name__}"] + ["# " + line.replace("{", "{{").replace("}", "}}") for line in said]


def main(tests):
    """In order; those of a tuple at the same time. Whoever ends us lets us clean up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    groups = [test if isinstance(test, tuple) else (test,) for test in tests]
    print(f"1..{sum(map(len, groups))}", flush=True)
    number, bad = 0, 0
    for group in groups:
        with concurrent.futures.ThreadPoolExecutor(len(group)) as pool:
            # One alone is played by ourselves: what it leaves running for the next would die with its thread (far.py).
            for good, lines in pool.map(play, group) if len(group) > 1 else map(play, group):
                number, bad = number + 1, bad + (not good)
                print("\n".join(lines).format(number), flush=True)
    raise SystemExit(1 if bad else 0)
