"""Import of weather logs: a generated job of 2 hosts x 64 ranks with everything that such logs suffer from, against counts
known from their making; a real log; what is no log."""
import os
import random
import sqlite3
import subprocess
import tempfile

CONTROL, DATA = os.environ["FIRSTLIGHT_CONTROL"], os.environ.get("FIRSTLIGHT_TEST_DATA", "")
KIND_SHOT, KIND_RANK = 1, 4
START = 1700000000.0


def run(*arguments):
    return subprocess.run([CONTROL, "import", *arguments], capture_output=True, text=True, timeout=60)


def stamp(seconds):
    import datetime
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%MZ%S.") + f"{when.microsecond // 1000:03d}"


ENDS = {  # how an image may end: lines before the last, the last line's state and message; what it counts as
    "data_loaded": ([], "done", "data_loaded", "miss", 0),
    "not_enough": (["spotfind_start"], "stop", "not_enough_spots_{n}", "miss", 0),
    "too_many": (["spotfind_start"], "stop", "too_many_spots_{n}", "miss", 0),
    "spots_only": (["spotfind_start"], "done", "spotfinding_ok_{n}", "hit", 1),
    "index_failed": (["spotfind_start", "index_start"], "stop", "indexing_failed_{n}", "hit", 1),
    "index_ok": (["spotfind_start", "index_start"], "done", "index_ok_{n}", "indexed", 1),
    "refine_failed": (["spotfind_start", "index_start", "refine_start"], "fail", "refine_failed_{n}", "failed", 0),
    "spot_crash": (["spotfind_start"], "fail", "spotfinding_exception", "failed", 0),
    "good": (["spotfind_start", "index_start", "refine_start", "integrate_start"], "done", "integrate_ok_{n}", "indexed", 1),
    "bad": (["spotfind_start", "index_start", "refine_start", "integrate_start"], "fail", "integrate_failed_{n}", "failed", 0),
}


def generate(folder, seed):
    """Writes the logs; the sums that an import of them must give."""
    draw = random.Random(seed)
    want = dict(shots=0, hits=0, indexed=0, failed=0, spots=0, unfinished=0, skipped=0)
    first, last = None, 0

    def write(file, host, tag, time, state, message):
        file.write(f"{host},{tag},{stamp(time)},{state},{message}\n")

    for rank in range(128):
        host = f"nid{rank // 64:05d}"
        with open(os.path.join(folder, f"debug_{rank}.txt"), "w") as file:
            time = START + draw.random()
            for image in range(draw.randrange(5, 30)):
                tag = f"shot-{rank}-{image}"
                before, state, message, outcome, hit = ENDS[draw.choice(list(ENDS))]
                n = draw.randrange(0, 300)
                cut_short = draw.random() < 0.03  # killed in it, then started again: a blank line
                twice = draw.random() < 0.02      # killed in it, begun again and ended
                first = time if first is None else min(first, time)
                begun = time
                for attempt in range(2 if twice else 1):
                    begun = time
                    write(file, host, tag, time, "    ", "start")
                    time += draw.random()
                    lines = before[:draw.randrange(len(before) + 1)] if cut_short or (twice and attempt == 0) else before
                    for line in lines:
                        write(file, host, tag, time, "    ", line)
                        time += draw.random()
                    if cut_short or (twice and attempt == 0):
                        file.write("\n")
                last = max(last, begun)
                want["shots"] += 1
                if cut_short:
                    want["failed"] += 1
                    want["unfinished"] += 1
                    continue
                write(file, host, tag, time, state, message.format(n=n))
                time += draw.random() / 10
                want["hits"] += hit
                want["indexed"] += outcome == "indexed"
                want["failed"] += outcome == "failed"
                want["spots"] += n if hit and "{n}" in message else 0
            ending = draw.random()
            if ending < 0.2:  # it still runs, or hangs
                write(file, host, f"shot-{rank}-last", time, "    ", "start")
                want["shots"] += 1
                want["failed"] += 1
                want["unfinished"] += 1
            elif ending < 0.5:  # the tail is cut anywhere
                line = f"{host},shot-{rank}-last,{stamp(time)},done,integrate_ok_55"
                file.write(line[:draw.randrange(1, len(line) + 1)])
                want["skipped"] += 1
            elif ending < 0.6:
                file.write("this is no line, of that kind\n")
                want["skipped"] += 1
    return want


def sums(folder):
    store = sqlite3.connect(os.path.join(folder, "firstlight.sqlite"))
    row = store.execute("SELECT sum(shots), sum(hits), sum(indexed), sum(failed), sum(spots), count(DISTINCT job) FROM slice "
                        "WHERE kind = ?", (KIND_SHOT,)).fetchone()
    ranks = store.execute("SELECT count(*) FROM slice WHERE kind = ? AND attempt = 1", (KIND_RANK,)).fetchone()[0]
    states = store.execute("SELECT state, attempts FROM job").fetchall()
    store.close()
    return row, ranks, states


def test_generated():
    for seed in range(3):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            logs, store = os.path.join(folder, "debug"), os.path.join(folder, "experiment")
            os.mkdir(logs)
            want = generate(logs, seed)
            for attempt, where in enumerate([folder, logs]):  # the job's folder, or the logs' own; twice does no harm
                done = run("weather", where, "--store", store, "--run", "r0042")
                assert done.returncode == 0, done.stderr
                said = f"{want['shots']} images of 128 ranks, {want['unfinished']} unfinished, from "
                assert done.stdout.startswith(said) and f"({want['skipped']} skipped)" in done.stdout, (done.stdout, want)
                row, ranks, states = sums(store)
                assert row == (want["shots"], want["hits"], want["indexed"], want["failed"], want["spots"], 1), (row, want)
                assert ranks == 128 and states == [(4, attempt + 1)], (ranks, states)


def test_real():
    path = os.path.join(DATA, "weather", "debug_0.txt")
    if not os.path.exists(path):
        return "FIRSTLIGHT_TEST_DATA has no weather log"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        done = run("weather", path, "--store", folder)
        assert done.stdout == "4 images of 1 ranks, 0 unfinished, from 16 lines (0 skipped)\n", done
        row, ranks, _ = sums(folder)
        assert row == (4, 4, 0, 0, 130 + 140 + 194 + 48, 1) and ranks == 1, row
        store = sqlite3.connect(os.path.join(folder, "firstlight.sqlite"))
        first, last = store.execute("SELECT first, last FROM slice WHERE kind = 1").fetchone()
        assert last - first == 33463 * 10**6, last - first  # 00:50:10.468 to 00:50:43.931
        store.close()


def test_refused():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store, log = os.path.join(folder, "store"), os.path.join(folder, "debug_3.txt")
        for content in [b"", b"\n\n", b"hello\n", b"a,b,c,d,e\n", bytes(range(256)) * 20,
                        b"h,t,2026-13-45T99:99Z99.999,done,x\n", b"h,t,2026-01-01T00:00Z00.000,DONE,x\n"]:
            with open(log, "wb") as file:
                file.write(content)
            done = run("weather", log, "--store", store)
            assert done.returncode == 2 and done.stderr.count("\n") == 1 and "not a weather log" in done.stderr, done
        other = os.path.join(folder, "notes.txt")
        open(other, "w").close()
        for path, words in [(other, "expected debug_RANK.txt"), (os.path.join(folder, "debug_9.txt"), "cannot be read"),
                            (tempfile.gettempdir() + "/nowhere/debug_1.txt", "cannot be read")]:
            done = run("weather", path, "--store", store)
            assert done.returncode == 2 and words in done.stderr, done
        assert not os.path.exists(store)


tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
print(f"1..{len(tests)}")
failed = 0
for i, test in enumerate(tests, 1):
    try:
        skipped = test()
        print(f"ok {i} {test.__name__}" + (f" # SKIP {skipped}" if skipped else ""))
    except Exception as error:  # report, go on with the next
        failed += 1
        print(f"not ok {i} {test.__name__}\n# {type(error).__name__}: {error}")
raise SystemExit(1 if failed else 0)
