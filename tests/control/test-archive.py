"""Archives: what is in one, that anything changed in it is named, as a tar file and back, hostile tar files, kill -9, what cannot
be read, a conductor at work, stores of every older schema; and two experiments side by side."""
import glob
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time

from conduct import CONTROL, DONE, Experiment, main

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "store"))
import mariadb  # noqa: E402

SCHEMA = os.path.join(os.path.dirname(__file__), "..", "..", "resources", "schema")
made = tempfile.mkdtemp(prefix="firstlight-archive-")
os.environ["XDG_CACHE_HOME"] = os.path.join(made, "cache")


def control(*arguments, **more):
    return subprocess.run([CONTROL, *arguments], capture_output=True, text=True, errors="replace", timeout=100, **more)


def place():
    return tempfile.mkdtemp(dir=made)


def archive(experiment, to, *options, status=0, **more):
    done = control("archive", experiment, "--to", to, "--quiet", *options, **more)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert not os.path.exists(to + ".partial"), os.listdir(to + ".partial")
    assert os.path.exists(to) == (status == 0 or "--partial" in options), (to, status)
    return done


def verify(path, status=0):
    done = control("archive", "--verify", path)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout.splitlines()


def listing(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


def state(folder):
    return {name: (hashlib.sha256(open(os.path.join(folder, name), "rb").read()).hexdigest(),
                   os.stat(os.path.join(folder, name)).st_mtime_ns) for name in listing(folder)}


def said_in(folder, key):
    text = open(os.path.join(folder, "archive.ini"), encoding="utf-8").read()
    return re.search(rf"^{key}=(.*)$", text, re.M).group(1)


class Beamtime(Experiment):
    """Two runs, done; a geometry with its mask elsewhere, a second mask within the raw data."""

    def __init__(self, **more):
        super().__init__(**more)
        self.elsewhere = place()
        for name, text in (("panels.geom", "mask_file = bad.h5\n"), ("bad.h5", "bad")):
            with open(os.path.join(self.elsewhere, name), "w") as file:
                file.write(text)
        with open(os.path.join(self.data, "more.h5"), "w") as file:
            file.write("more")
        with open(os.path.join(self.folder, "night.params"), "w") as file:
            file.write(f"[detector]\ngeometry = {self.elsewhere}/panels.geom\nmask = data/more.h5:/mask\n")
        self.run("experiment", "--store", self.folder, "--block", os.path.join(self.folder, "night.params"))
        self.add_run("r0001", 8, 4)
        self.add_run("r0002", 12)
        self.finish()
        assert self.query("SELECT count(*) FROM job WHERE state = ?", DONE) == [(2,)]


def beamtime():
    """One for all tests that only read it."""
    if not beamtime.folder:
        e = Beamtime()
        beamtime.folder = os.path.join(place(), "beamtime")
        shutil.copytree(e.folder, beamtime.folder)
        control("experiment", "--store", beamtime.folder)
        # Its own places, as if it had been made there.
        store = sqlite3.connect(os.path.join(beamtime.folder, "firstlight.sqlite"))
        with store:
            store.execute("UPDATE root SET path = replace(path, ?, ?)", (e.folder, beamtime.folder))
        store.close()
        beamtime.elsewhere = e.elsewhere
        e.remove()
    return beamtime.folder


beamtime.folder = None


def test_what_is_in_it():
    source, to = beamtime(), os.path.join(place(), "a")
    names = [os.path.basename(p) for p in glob.glob(source + "/jobs/*")]
    assert len(names) == 2, names
    done = archive(source, to)
    files = listing(to)
    for name in ("firstlight.sqlite", "archive.ini", "MANIFEST", "night.params", "inputs/panels.geom", "inputs/bad.h5",
                 "data/more.h5", *(f"jobs/{n}/attempt-0001.sh" for n in names),
                 *(f"jobs/{n}/attempt-0001.out" for n in names)):
        assert name in files, (name, files)
    assert not [f for f in files if f.endswith((".flj", "-wal", "-shm")) or f.startswith("data/r0")], files
    assert "raw images of 2 runs" in done.stdout, done.stdout
    assert said_in(to, "shots") == "24" and said_in(to, "runs") == "2", open(to + "/archive.ini").read()
    subprocess.run(["sha256sum", "--check", "--quiet", "MANIFEST"], cwd=to, check=True)
    assert [f for f in listing(archive_with(source, "--journals")) if f.endswith(".flj")]
    raw = listing(archive_with(source, "--raw", "copy"))
    assert "data/r0001/r0001_c00.cxi" in raw, raw
    few = archive_with(source, "--results", "reference")
    assert not [f for f in listing(few) if f.startswith("jobs/")] and "results of 2 jobs" in said_in(few, "referenced")


def archive_with(source, *options):
    to = os.path.join(place(), "with")
    archive(source, to, *options)
    return to


def test_opens_elsewhere():
    source, first = beamtime(), os.path.join(place(), "a")
    archive(source, first)
    moved = os.path.join(place(), "moved here")
    os.rename(first, moved)
    before = state(moved)
    os.rename(source, source + ".away")
    try:
        assert len(control("job", "--store", moved, check=True).stdout.splitlines()) == 2
        roots = dict(sqlite3.connect(f"file:{moved}/firstlight.sqlite?immutable=1", uri=True).execute(
            "SELECT name, path FROM root"))
        assert roots["experiment"] == "." and roots["data"] == source + "/data", roots
        refused = control("conduct", "--store", moved)
        assert refused.returncode == 2 and "is an archive" in refused.stderr, refused
        refused = control("archive", moved, "--to", moved + "2")
        assert refused.returncode == 2 and "is an archive already" in refused.stderr, refused
    finally:
        os.rename(source + ".away", source)
    assert state(moved) == before  # nothing was made beside its store
    assert "0 of 1 differ" in control("compare", source, moved, check=True).stdout
    verify(moved)


def test_faults_are_named():
    whole = os.path.join(place(), "a")
    archive(beamtime(), whole)
    script = next(f for f in listing(whole) if f.endswith("attempt-0001.sh"))
    rng = random.Random(4)

    def flip(path):
        with open(path, "r+b") as file:
            data = file.read()
            at = rng.randrange(len(data))
            file.seek(at)
            file.write(bytes([data[at] ^ 1 << rng.randrange(8)]))

    def fault(change, expected):
        copy = os.path.join(place(), "copy")
        shutil.copytree(whole, copy)
        change(copy)
        lines = verify(copy, status=2)
        assert len(lines) == 1 and re.fullmatch(expected, lines[0]), (expected, lines)
        return copy

    for name in ("firstlight.sqlite", "archive.ini", script, "inputs/bad.h5"):
        fault(lambda c, n=name: flip(os.path.join(c, n)), re.escape(name) + r": has been changed: SHA-256 .*expected .*")
    for _ in range(4):
        fault(lambda c: flip(os.path.join(c, "MANIFEST")), r"MANIFEST: .*")
    fault(lambda c: os.truncate(os.path.join(c, "MANIFEST"), 200), r"MANIFEST: .*")
    fault(lambda c: os.unlink(os.path.join(c, script)), re.escape(script) + r": is missing, expected \d+ bytes")
    fault(lambda c: open(os.path.join(c, "night.params"), "a").write("x"), r"night\.params: (\d+) bytes, expected \d+")
    fault(lambda c: open(os.path.join(c, "new"), "w").write("x"), r"new: is not in the manifest \(1 bytes\)")
    fault(lambda c: os.symlink("/etc/passwd", os.path.join(c, "link")), r"link: is no plain file")
    assert control("archive", "--verify", made).returncode == 2
    # All of them, not only the first.
    copy = os.path.join(place(), "copy")
    shutil.copytree(whole, copy)
    for name in (script, "night.params"):
        flip(os.path.join(copy, name))
    assert {line.split(":")[0] for line in verify(copy, status=2)} == {script, "night.params"}
    verify(whole)


def test_tar():
    source = beamtime()
    odd = ["Läuse & Flöhe.log", "back\\slash", "line\nbreak", "bytes-\udcff", "-dash", "x" * 180 + ".log"]
    for name in odd:
        open(os.path.join(source, name), "w").write(name.encode("utf-8", "surrogateescape").hex())
    to, plain = os.path.join(place(), "beam.tar"), dict(os.environ, LC_ALL="C")
    archive(source, to, env=plain)
    verify(to)
    names = tarfile.open(to).getnames()
    assert names[:-3] == sorted(names[:-3]), names  # then the store and what is said of all
    assert [os.path.basename(n) for n in names[-3:]] == ["firstlight.sqlite", "archive.ini", "MANIFEST"], names[-3:]
    assert all(m.isreg() and m.uid == m.gid == 0 and not m.uname for m in tarfile.open(to))
    out = os.path.join(place(), "unpacked")
    done = control("archive", "--unpack", to, "--to", out, env=plain)
    assert done.returncode == 0 and not os.path.exists(out + ".partial"), done
    assert all(os.path.exists(os.path.join(out, name)) for name in odd), listing(out)
    verify(out)
    assert control("archive", "--unpack", to, "--to", out).returncode == 2  # there already
    other = place()
    subprocess.run(["tar", "-xf", to, "-C", other], check=True)  # by the program that everybody has
    assert {k: v[0] for k, v in state(os.path.join(other, "beam")).items()} == {k: v[0] for k, v in state(out).items()}
    verify(os.path.join(other, "beam"))
    back = os.path.join(other, "again.tar")
    subprocess.run(["tar", "-cf", back, "-C", other, "beam"], check=True)
    verify(back)
    assert "0 of 1 differ" in control("compare", source, out, check=True).stdout
    for name in odd:
        os.unlink(os.path.join(source, name))


def test_hostile_tar():
    whole, folder = os.path.join(place(), "good.tar"), place()
    archive(beamtime(), whole)
    inside = os.path.join(folder, "in")
    os.mkdir(inside)

    def member(name, kind=tarfile.REGTYPE, link="", data=b"gotcha"):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, link, len(data) if kind == tarfile.REGTYPE else 0
        return info, io.BytesIO(data)

    def attack(what, *extra, expected):
        path, out = os.path.join(folder, "bad.tar"), os.path.join(inside, "out")
        with tarfile.open(whole) as good, tarfile.open(path, "w") as bad:
            for info, data in extra:
                bad.addfile(info, data)
            for info in good:
                bad.addfile(info, good.extractfile(info))
        for words in (["--unpack", path, "--to", out], ["--verify", path]):
            done = control("archive", *words)
            assert done.returncode == 2 and re.search(expected, done.stdout + done.stderr), (what, words, done)
            assert len(done.stderr.splitlines()) == 1 and "\x1b" not in done.stderr + done.stdout, done
        assert os.listdir(inside) == [] and sorted(os.listdir(folder)) == ["bad.tar", "in"], what

    attack("up", member("good/../../evil"), expected="leads out")
    attack("up at once", member("../evil"), expected="leads out")
    attack("absolute", member(folder + "/evil"), expected="leads out")
    attack("beside", member("other/evil"), expected="leads out")
    attack("top", member("evil"), expected="leads out")
    attack("symlink", member("good/way", tarfile.SYMTYPE, folder), member("good/way/evil"), expected="is a link")
    attack("hard link", member("good/way", tarfile.LNKTYPE, "/etc/passwd"), expected="is a link")
    attack("pipe", member("good/pipe", tarfile.FIFOTYPE), expected="no plain file")
    attack("device", member("good/null", tarfile.CHRTYPE), expected="no plain file")
    attack("twice", member("good/night.params"), expected="twice")
    info, data = member("good/holes", data=b"a" * 512)  # a terabyte in half a kilobyte
    info.pax_headers = {"GNU.sparse.map": f"{2**40 - 512},512", "GNU.sparse.size": str(2**40), "GNU.sparse.numblocks": "1"}
    attack("holes", (info, data), expected="good/holes' claims to be longer than the whole could hold")
    attack("escapes", member("good/\x1b[31mred"), expected="not in the manifest")
    attack("more", member("good/more"), expected="more: is not in the manifest")
    attack("a file as a folder", member("good/data"), expected="good/data|tree/data|data: ")
    data = open(whole, "rb").read()
    for cut in (0, 100, 512, len(data) // 2, data.index(b"MANIFEST", len(data) * 3 // 4) - 10):
        with open(os.path.join(folder, "bad.tar"), "wb") as file:
            file.write(data[:cut])
        assert control("archive", "--unpack", folder + "/bad.tar", "--to", inside + "/out").returncode == 2, cut
        assert os.listdir(inside) == [], cut
    rng = random.Random(7)
    for _ in range(12):  # somewhere: named, or of no meaning (padding), never taken for whole when it is not
        bad = bytearray(data)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        with open(os.path.join(folder, "bad.tar"), "wb") as file:
            file.write(bad)
        done = control("archive", "--unpack", folder + "/bad.tar", "--to", inside + "/out")
        assert done.returncode in (0, 2), done
        if done.returncode == 0:
            verify(inside + "/out")
            shutil.rmtree(inside + "/out")
        assert os.listdir(inside) == []


def test_kill():
    source = os.path.join(place(), "large")
    shutil.copytree(beamtime(), source)
    for i in range(12):
        with open(os.path.join(source, f"large-{i}.log"), "wb") as file:
            file.write(random.Random(i).randbytes(4 << 20))
    rng, killed = random.Random(1), 0
    for name in ("a", "a.tar"):
        to = os.path.join(place(), name)
        begun = time.time()
        archive(source, to)
        took = time.time() - begun
        shutil.rmtree(to) if os.path.isdir(to) else os.unlink(to)
        for i in range(8):
            child = subprocess.Popen([CONTROL, "archive", source, "--to", to, "--quiet"], stdout=subprocess.DEVNULL)
            time.sleep(took * rng.random())
            child.send_signal(signal.SIGKILL)
            if child.wait() == -signal.SIGKILL and not os.path.exists(to):
                killed += 1
            elif os.path.exists(to):
                verify(to)
                shutil.rmtree(to) if os.path.isdir(to) else os.unlink(to)
        archive(source, to)
        verify(to)
    print(f"# killed {killed} times on the way", flush=True)
    assert killed >= 3
    # Two at a time: one makes it, the other says so; and what is somebody's is never removed.
    to = os.path.join(place(), "both")
    pair = [subprocess.Popen([CONTROL, "archive", source, "--to", to, "--quiet"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ends = sorted((p.wait(100), p.stderr.read()) for p in pair)
    assert ends[0][0] == 0 and ends[1][0] in (2, 75), ends
    verify(to)
    os.makedirs(to + "2.partial/mine")
    refused = control("archive", source, "--to", to + "2")
    assert refused.returncode == 2 and "in the way" in refused.stderr and os.path.exists(to + "2.partial/mine"), refused


def test_what_cannot_be_read():
    source = os.path.join(place(), "torn")
    shutil.copytree(beamtime(), source)
    gone = glob.glob(source + "/jobs/*")[0]
    shutil.rmtree(gone)
    os.symlink("/nowhere", os.path.join(source, "dangling.log"))
    os.symlink("/nowhere", os.path.join(source, "\x1b[31m\udcff.log"))
    os.mkfifo(os.path.join(source, "pipe"))
    for name in ("a", "a.tar"):
        to = os.path.join(place(), name)
        done = archive(source, to, status=2)
        assert gone in done.stderr and "dangling.log" in done.stderr and "\x1b" not in done.stderr, done.stderr
        done = archive(source, to, "--partial", status=2)
        assert "3 files are missing" in done.stderr, done.stderr
        verify(to)
        if name == "a":
            assert "dangling.log" in said_in(to, "missing") and said_in(to, "places"), said_in(to, "missing")
    done = archive(source, os.path.join(source, "inside"), status=2)
    assert "in the experiment itself" in done.stderr
    nothing = control("archive", place(), "--to", place() + "/x")
    assert nothing.returncode == 2 and len(nothing.stderr.splitlines()) == 1, nothing


def test_conductor_at_work():
    e = Beamtime()
    conductor = e.conduct()
    e.wait_for("SELECT 1 FROM lease WHERE name = 'conductor' AND holder != ''")
    to = os.path.join(place(), "a")
    done = archive(e.folder, to, status=75)
    assert "--live" in done.stderr, done.stderr
    e.hold()
    e.add_run("r0003", 4)
    e.wait_for("SELECT 1 FROM job WHERE state = 3")
    archive(e.folder, to, "--live")
    assert said_in(to, "live") == "true" and said_in(to, "running") == "1"
    verify(to)
    e.release()
    conductor.terminate()
    assert conductor.wait(60) == 0
    e.finish()
    pairs = json.loads(control("compare", to, e.folder, "--json", check=True).stdout)
    assert pairs[0]["a"]["shots"] < pairs[0]["b"]["shots"] == 28 and "shots" in pairs[0]["differs"], pairs
    assert "1 of 1 differ" in control("compare", to, e.folder, check=True).stdout
    e.remove()


def test_from_a_server():
    if not mariadb.available():
        print("# no MariaDB here: not from a server", flush=True)
        return
    with mariadb.Server() as server:
        e = Beamtime(server=server)
        to = os.path.join(place(), "a")
        archive(e.folder, to)
        assert "0 of 1 differ" in control("compare", e.folder, to, check=True).stdout
        assert "database.ini" not in listing(to) and "mysql://" not in open(to + "/archive.ini").read()
    verify(to)
    assert len(control("job", "--store", to, check=True).stdout.splitlines()) == 2
    e.remove()


# --- stores of older versions ---

WORDS = {"{id}": "INTEGER PRIMARY KEY AUTOINCREMENT", "{int}": "INTEGER", "{text}": "TEXT", "{name}": "TEXT", "{real}": "REAL",
         "{blob}": "BLOB", "{keyed}": "WITHOUT ROWID", "{new} ": ""}


def old_store(folder, version):
    """As a Firstlight of that version would have left it: one run, one job done."""
    store = sqlite3.connect(os.path.join(folder, "firstlight.sqlite"))
    store.execute("PRAGMA application_id = 0x464c3031")
    for path in sorted(glob.glob(SCHEMA + "/00*.sql"))[:version]:
        text = open(path).read()
        for word, meaning in WORDS.items():
            text = text.replace(word, meaning)
        store.executescript(text)

    def insert(table, **values):
        """What is not given is 0 or empty."""
        for _, name, kind, needed, default, _ in store.execute(f"PRAGMA table_info({table})").fetchall():
            if needed and default is None and name not in values and name != "id":
                values[name] = "" if kind == "TEXT" else 0
        store.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
                      list(values.values()))

    for name, value in (("schema", version), ("revision", 9), ("stamp", 0)):
        insert("counter", name=name, value=value)
    insert("experiment", id=1, revision=1, name=f"of version {version}", created=1)
    insert("root", id=1, revision=2, name="experiment", path=".")
    insert("site", id=1, revision=3, name="local", kind="local", scratch="experiment")
    insert("run", id=1, revision=4, name="r0001", root="experiment", path="r0001", state="complete")
    insert("task", id=1, revision=5, name="stills", type="all", active=1)
    insert("trial", id=1, revision=6, number=1, name="first", active=1)
    insert("job", id=1, revision=7, trial=1, run=1, task=1, state=DONE, root="experiment", path="jobs/one", attempts=1)
    insert("attempt", id=1, revision=8, job=1, site=1, number=1, state=DONE, path="jobs/one/attempt-0001")
    store.commit()
    store.close()
    os.makedirs(os.path.join(folder, "jobs/one"))
    open(os.path.join(folder, "jobs/one/attempt-0001.out"), "w").write("1 shot")


def newest():
    return len(glob.glob(SCHEMA + "/00*.sql"))


def test_older_versions():
    for version in range(1, newest()):
        old = place()
        old_store(old, version)
        before = state(old)
        listed = control("job", "--store", old)
        assert listed.returncode == 0 and listed.stdout.startswith("1\tr0001\tdone"), (version, listed)
        assert state(old) == before, version  # read in a copy
        assert control("job", "--store", old, check=True).stdout == listed.stdout  # in the same one
        to = os.path.join(place(), "a")
        archive(old, to)
        assert state(old) == before and said_in(to, "schema") == str(newest()), version
        verify(to)
        # An archive that was made then.
        store = os.path.join(to, "firstlight.sqlite")
        shutil.copy(os.path.join(old, "firstlight.sqlite"), store)
        before = state(to)
        assert control("job", "--store", to, check=True).stdout == listed.stdout, version
        assert state(to) == before, version
    cache = os.path.join(os.environ["XDG_CACHE_HOME"], "firstlight/older")
    copies = os.listdir(cache)
    assert len(copies) == 2 * (newest() - 1) and not [c for c in copies if c.startswith("new.")], copies
    # Another state of the same file: another copy, in the place of the one before.
    connection = sqlite3.connect(os.path.join(old, "firstlight.sqlite"))
    with connection:
        connection.execute("UPDATE run SET name = 'r0777'")
    connection.close()
    assert "r0777" in control("job", "--store", old, check=True).stdout
    assert len(os.listdir(cache)) == len(copies)
    shutil.rmtree(cache)
    open(cache, "w").close()
    refused = control("job", "--store", old)
    assert refused.returncode == 1 and "older" in refused.stderr and len(refused.stderr.splitlines()) == 1, refused
    os.unlink(cache)
    newer = place()
    old_store(newer, 1)
    connection = sqlite3.connect(os.path.join(newer, "firstlight.sqlite"))
    with connection:
        connection.execute("UPDATE counter SET value = 999 WHERE name = 'schema'")
    connection.close()
    refused = control("job", "--store", newer)
    assert refused.returncode == 2 and "newer Firstlight" in refused.stderr, refused


def test_read_only_folder():
    """Somebody who may write nothing there."""
    if os.geteuid() != 0:
        print("# not root: no other user to be", flush=True)
        return
    old, to = place(), os.path.join(place(), "a")
    old_store(old, 2)
    archive(beamtime(), to)
    home = place()
    os.chown(home, 65534, 65534)
    for folder in (made, os.path.dirname(to)):
        os.chmod(folder, 0o755)
    os.chmod(os.path.dirname(home), 0o755)
    for folder in (old, to):
        subprocess.run(["chmod", "-R", "a+rX,a-w", folder], check=True)
        before = state(folder)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", CONTROL, "job", "--store", folder]
        done = subprocess.run(nobody, capture_output=True, text=True, timeout=60, env=dict(os.environ, XDG_CACHE_HOME=home))
        assert done.returncode == 0 and "done" in done.stdout, done
        assert state(folder) == before
    assert os.listdir(os.path.join(home, "firstlight/older"))


try:
    main([test_what_is_in_it, test_opens_elsewhere, test_faults_are_named, test_tar, test_hostile_tar, test_kill,
          test_what_cannot_be_read, test_conductor_at_work, test_from_a_server, test_older_versions, test_read_only_folder])
finally:
    shutil.rmtree(made, ignore_errors=True)
