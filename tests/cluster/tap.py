"""tap.py: runs functions as tests and says how each went, in TAP."""
import time
import traceback


class Skip(Exception):
    """Why this cannot be tested here."""


def main(tests):
    print(f"1..{len(tests)}")
    failed = 0
    for i, test in enumerate(tests, 1):
        begun = time.monotonic()
        try:
            test()
            print(f"ok {i} {test.__name__}\n# {time.monotonic() - begun:.1f} s", flush=True)
        except Skip as why:
            print(f"ok {i} {test.__name__} # SKIP {why}", flush=True)
        except Exception as error:  # report, go on with the next
            failed += 1
            where = [f"{frame.filename.rsplit('/', 1)[-1]} line {frame.lineno}: {frame.line}"
                     for frame in traceback.extract_tb(error.__traceback__)]
            lines = "\n".join(where + [f"{type(error).__name__}: {error}"]).splitlines()
            print(f"not ok {i} {test.__name__}\n# " + "\n# ".join(lines), flush=True)
    raise SystemExit(1 if failed else 0)
