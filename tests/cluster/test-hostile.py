"""Words that were chosen to do harm – tags, comments, names of runs and files, lines of logs, what a login prints, jobs of
other people in the queue – go the whole way and are shown, and do nothing else.

test-hostile.py CONTROL FAKE-ENGINE GUI"""
import os
import subprocess
import sys

import cluster
from far import DONE, FAILED, Far
from stock import programs
from tap import Skip, main

CONTROL, FAKE, GUI = programs(3)
TRAP = "firstlight-trap"  # a file of this name anywhere is a word that was obeyed
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\x9b31m\x00\x08\x0c\u202edesrever"
WORDS = ["'; DROP TABLE run; --", "$(touch " + TRAP + ")", "`touch " + TRAP + "`", "a; touch " + TRAP + " #",
         "--wrap=touch " + TRAP, "it's \"quoted\" & <b>bold</b> %s %n {engine}", "line\nbreak"]
RUNS = sum("\n" not in word for word in WORDS)
# An engine that talks: the first attempt says things and fails.
TALKER = r"""#!/bin/bash
out=; previous=
for word in "$@"; do [ "$previous" = --out ] && out=$word; previous=$word; done
if [ -n "$out" ] && [ ! -e "$out/talked" ]; then
  touch "$out/talked"
  printf '%s\n' "'; DROP TABLE run; --" '$(touch TRAP)' '`touch TRAP`' >&2
  head -c 1000000 /dev/zero | tr '\0' x >&2
  printf '\n\033]0;owned\007\033[2J\033[31mred\033[0m\377\376\200 <b>bold</b> %%s\n' >&2
  printf 'last: $(touch TRAP) \033[31mthe end\n' >&2
  exit 1
fi
exec FAKE "$@"
""".replace("TRAP", TRAP)
c = cluster.Cluster(nodes=2, cpus=4, accounting=not cluster.missing(accounting=True))


def trapped(*folders):
    return [os.path.join(at, name) for folder in folders for at, _, names in os.walk(folder) for name in names if name == TRAP]


def harmless(text):
    """What may reach a terminal or a label: no control characters but line ends and tabs, no overrides of direction."""
    bad = [ch for ch in text if (ord(ch) < 32 and ch not in "\n\t") or 0x7f <= ord(ch) < 0xa0
           or ch in "\u202a\u202b\u202d\u202e"]
    assert not bad, f"{bad[:5]} in {text[-200:]!r}"


def texts(e):
    """Every text that the store holds, with where; what people have typed is theirs."""
    typed = {("tag", "name"), ("tag", "comment"), ("run", "comment"), ("run", "name"), ("run", "path"), ("site", "environment"),
             ("dataset", "expression"), ("dataset", "comment"), ("trial", "comment")}
    for (table,) in e.query("SELECT name FROM sqlite_master WHERE type = 'table'"):
        columns = [row[0] for row in e.query(f"SELECT name FROM pragma_table_info('{table}')")]
        for row in e.query(f"SELECT * FROM \"{table}\""):
            for column, value in zip(columns, row):
                if isinstance(value, str) and (table, column) not in typed:
                    yield f"{table}.{column}", value


def test_begins():
    c.start()
    # What a login prints: a megabyte without an end of line, escapes, something that looks like an answer.
    c.write("site/home/.bashrc", "head -c 1000000 /dev/zero | tr '\\0' y; printf '\\033[2J\\n0\\n$(touch " + TRAP + ")\\n'\n")


def test_whole_way():
    global e
    talker = c.write("site/opt/talker", TALKER.replace("FAKE", c.install(FAKE, CONTROL)), 0o755)
    e = Far(c, CONTROL, talker, shot_ms=5)
    # Other jobs in the queue, whose names would break a line or a column.
    for name in ("a|b|c|RUNNING|99", "'; DROP TABLE job; --", "x\x1b[31m", "$(touch " + TRAP + ")"):
        c.sbatch("-J", name, "--begin=now+1hour", "--comment", "|1|2|", "--wrap", "true")
    for name in WORDS:
        e.add("tag", name=name, comment=name + ESCAPES.replace("\0", ""), persistent=1)
    for i, word in enumerate(WORDS):
        folder = os.path.join(e.far_raw, f"r{i + 1:04d} {word}".replace("/", "_"))
        c.run(["mkdir", folder])
        c.write(os.path.join(folder, f"{word.replace('/', '_')}.cxi"), "10")
    e.conduct()
    e.wait_for("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = ?", FAILED, RUNS, what="all have failed once")
    (said,), = e.query("SELECT message FROM worker WHERE name LIKE 'runs:%'")
    assert "left out" in said, said  # that a run's name has two lines
    for (reason,) in e.query("SELECT reason FROM job"):
        assert len(reason) < 1000 and "\n" not in reason and "the end" in reason, reason[:2000]
    for (tail,) in e.query("SELECT stderr_tail FROM attempt"):
        assert "last: $(touch" in tail and "the end" in tail and len(tail) < 20000, tail[-500:]
    show("jobs", "failed")  # with its log, of which one line is a megabyte
    for (run, comment) in e.query("SELECT id, name FROM run"):
        e.set("run", "comment", comment + ESCAPES.replace("\0", ""), f"id = {run}")
    for (job,) in e.query("SELECT id FROM job"):
        e.want("retry_wanted", job)
    e.wait_done(RUNS)
    e.check_nothing_twice()
    e.check_whole()
    assert sorted(e.counts().values()) == [(10, 3)] * RUNS, e.counts()
    assert sorted(name for (name,) in e.query("SELECT name FROM tag")) == sorted(WORDS)
    for where, text in texts(e):
        harmless(text)


def test_dataset_of_such_a_tag():
    """A name with quotes in it, in an expression."""
    e.set("task", "active", 0)
    (task,), = e.query("SELECT id FROM task")
    quoted = '"' + WORDS[5].replace("\\", "\\\\").replace('"', '\\"') + '"'
    dataset = e.add("dataset", name="'; DROP TABLE dataset; --", expression=f"{quoted} and runs r0100-", active=1,
                    min_interval=300.0)
    e.add("dataset_task", dataset=dataset, task=task, number=1, after="")
    e.add_run("r0100", 10)
    (run,), = e.wait_for("SELECT id FROM run WHERE name = 'r0100'")
    (tag,), = e.query("SELECT id FROM tag WHERE name = ?", WORDS[5])
    if not e.query("SELECT 1 FROM run_tag WHERE run = ? AND tag = ?", run, tag):
        e.add("run_tag", run=run, tag=tag)
    (job,), = e.wait_for("SELECT id FROM job WHERE run = ?", run)
    e.wait_for("SELECT 1 FROM job WHERE id = ? AND state = ?", job, FAILED, what="it has talked")
    e.want("retry_wanted", job)
    e.wait_for("SELECT 1 FROM job WHERE id = ? AND state = ?", job, DONE)


def show(page, name):
    """The control room shows it and lives."""
    if not GUI or "DISPLAY" not in os.environ:
        return
    file, keep = os.path.join(e.top, page + ".png"), os.environ.get("FIRSTLIGHT_PICTURES")
    done = subprocess.run([GUI, e.folder, "--no-conductor", "--page", page, "--size", "1280x800", "--snapshot", file],
                          env=e.environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "CRITICAL" not in done.stderr, done
    if keep:
        subprocess.run(["cp", file, os.path.join(keep, f"hostile-{name}.png")])


def test_shown():
    if not GUI or "DISPLAY" not in os.environ:
        raise Skip("no control room in this build" if not GUI else "no display: run the suite under xvfb-run")
    for page in ("runs", "jobs", "datasets", "sites"):
        show(page, page)


def test_nothing_was_obeyed():
    assert e.end(e.conductor) == 0, e.report()
    said = open(e.log, errors="replace").read()
    harmless(said)
    assert len(said) < 200000, len(said)
    assert not trapped(c.folder, e.top), trapped(c.folder, e.top)
    assert not os.path.exists(os.path.join(os.getcwd(), TRAP)) and not os.path.exists("/" + TRAP)
    e.close()


why = cluster.missing()
if why:
    print(f"1..0 # SKIP {why}")
else:
    try:
        main([test_begins, test_whole_way, test_dataset_of_such_a_tag, test_shown, test_nothing_was_obeyed])
    finally:
        if "e" in globals() and os.path.exists(e.top):
            e.close()
        c.stop()
