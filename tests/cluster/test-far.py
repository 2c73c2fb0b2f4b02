"""The whole way, as on a shift: a site far away is made as the wizard makes it; runs arrive there; some are tagged; a trial and
a dataset of the tags make jobs; they go to Slurm over SSH; what they find is drawn here while they run, with no database at
the site; images come over the channel. Once with each transport. What is found is what an undisturbed run finds.

test-far.py CONTROL ENGINE SHIM GUI      GUI may be "" (no control room in this build)"""
import glob
import os
import subprocess
import sys

import numpy as np

import cluster
from control_socket import ControlSocket
from far import DONE, Far
from stock import kernels, programs
from tap import Skip, main

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "view"))
from serve_client import Serve

CONTROL, ENGINE, SHIM, GUI = programs(4)
RUNS, SHOTS = 4, 48
c = cluster.Cluster(nodes=2, cpus=2, accounting=not cluster.missing(accounting=True), delay=0.005,
                    greeting="Welcome. Use of this system is monitored.")
found = {}  # run: (shots, hits, indexed) as an undisturbed job finds them
raw = ""


def test_begins():
    """A beamtime of four runs lies at the site."""
    global engine, raw
    c.start()
    engine = c.install(ENGINE, CONTROL, SHIM, *kernels(ENGINE))
    raw = os.path.join(c.folder, "site", "simulated")
    c.run([engine, "simulate-sfx", "--out", raw, "--runs", str(RUNS), "--shots", str(SHOTS), "--shots-per-file", "16",
           "--quiet"])
    for run in (1, 2):
        last = c.run([engine, "stills", "--stages", "index", "--out", f"{c.folder}/site/reference-{run}", "--set",
                      f"detector.geometry={raw}/detector.geom", f"{raw}/r{run:04d}"]).stdout.splitlines()[-1]
        words = last.replace(",", "").split()
        found[f"r{run:04d}"] = tuple(int(words[i]) for i in (0, 2, 4))
    assert all(shots == SHOTS and hits > 0 for shots, hits, _ in found.values()), found


def make(transport):
    block = c.write("site/block.params", f"[detector]\ngeometry = {raw}/detector.geom\n[engine]\nbatch_rows = 2\n")
    prefix = f"env LD_PRELOAD={os.path.dirname(engine)}/{os.path.basename(SHIM)} SHIM_SLEEP_US=300000"
    return Far(c, CONTROL, "", transport=transport, stages="index", arguments=("--block", block), nodes=2,
               ranks_per_node=1, container=prefix)


def probe(e):
    """The wizard's steps, which push the engine that the site has not got, and run it on both nodes."""
    room = ControlSocket(e.environment["XDG_RUNTIME_DIR"])
    steps, well = room.probe(e.site, True)
    room.close()
    assert well and all(state in ("ok", "skipped") for state, _, _ in steps.values()), (steps, e.report())
    wanted = {"scheduler", "account", "scratch", "engine", "mpi"}
    assert wanted <= {step for step, (state, _, _) in steps.items() if state == "ok"}, steps
    for step, (state, message, _) in steps.items():
        print(f"# {step}: {state}: {message}")


def image(e):
    """A shot through the conductor's login is the same picture as the file here, within the noise, in few bytes."""
    file = min(glob.glob(f"{e.far_raw}/r0001/*.cxi"))
    asked = {"geometry": f"{raw}/detector.geom", "frame": 1, "width": 800, "height": 800}

    class Through(Serve):
        def __init__(self, *argv):
            self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=e.environment)
            self.id, self.received, self.far = 0, 0, True

    (there,), = e.query("SELECT engine FROM site WHERE id = ?", e.site)
    near, far = Serve(CONTROL), Through(CONTROL, "channel", "--store", e.folder, "--site", "far", "--",
                                        f"{os.path.dirname(there)}/firstlight-control", "serve")
    true, got = near.image(file, **asked), far.image(file, **asked)
    bytes_there = far.received
    near.close()
    far.close()
    assert got["shot"] == true["shot"] and bytes_there < 1 << 20, (got["shot"], bytes_there)
    a, b = true["raster"], got["raster"]
    assert np.array_equal(np.isfinite(a), np.isfinite(b))
    inside = np.isfinite(a)
    off, noise = np.std(a[inside] - b[inside]), np.std(a[inside])
    assert off < 0.3 * noise, (off, noise)
    print(f"# image over the channel: {bytes_there} bytes, off by {off:.2f} counts r.m.s. of {noise:.2f}")


def tag_and_choose(e):
    """Three runs of the sample, one of them dark, and one that nobody has tagged."""
    e.set("task", "active", 0)
    tags = {name: e.add("tag", name=name) for name in ("lysozyme", "dark", "it's $HOME; \"x\"")}
    for name in ("r0001", "r0002", "r0003"):
        (run,), = e.wait_for("SELECT id FROM run WHERE name = ? AND state = 'complete'", name)
        e.add("run_tag", run=run, tag=tags["lysozyme"])
        if name == "r0003":
            e.add("run_tag", run=run, tag=tags["dark"])
    dataset = e.add("dataset", name="lysozyme", expression="lysozyme and not dark", active=1, min_interval=300.0)
    (task,), = e.query("SELECT id FROM task")
    e.add("dataset_task", dataset=dataset, task=task, number=1, after="")


def watch_counts(e, seconds=300):
    """How many shots the store counted, each time that it was looked at, until both jobs are done."""
    seen = []

    def look():
        seen.append(e.query("SELECT total(shots) FROM slice WHERE kind = 1")[0][0])
        return e.query("SELECT 1 WHERE (SELECT count(*) FROM job WHERE state = ?) = 2", DONE)

    try:
        c.wait_for(look, seconds, "both jobs are done")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{e.report()}") from None
    return seen


def whole_way(transport):
    with make(transport) as e:
        e.conduct()
        probe(e)
        for run in range(1, RUNS + 1):
            c.run(["cp", "-r", f"{raw}/r{run:04d}", e.far_raw])
        tag_and_choose(e)
        seen = watch_counts(e)
        between = {n for n in seen if 0 < n < 2 * SHOTS}
        assert len(between) >= 2, f"the plots would have jumped: {sorted(set(seen))}"
        assert seen == sorted(seen), "counts went back"
        e.check_nothing_twice()
        rows = e.query("SELECT run.name, total(slice.shots), total(hits), total(indexed) FROM slice "
                       "JOIN run ON run.id = slice.run WHERE kind = 1 GROUP BY run.name")
        assert {name: tuple(map(int, counts)) for name, *counts in rows} == found, (rows, found)
        assert len(e.query("SELECT id FROM job")) == 2, e.report()
        databases = [path for path in glob.glob(f"{c.folder}/site/**", recursive=True) if "sqlite" in os.path.basename(path)]
        assert not databases, databases
        nodes = e.query("SELECT nodes, n_nodes, ranks FROM attempt")
        assert nodes == [("n[1-2]", 2, 2)] * 2, nodes
        assert e.query("SELECT state FROM worker WHERE name = 'link:far'") == [("up",)], e.report()
        image(e)
        pictures(e)
        assert e.end(e.conductor) == 0, e.report()
        e.check_whole()
        e.processes.clear()
        assert not of(e.folder), of(e.folder)


def pictures(e):
    """The control room shows an image of the site, through the conductor's connection."""
    if not GUI or "DISPLAY" not in os.environ:
        print("# no picture: no control room in this build, or no display")
        return
    for page, least in (("images", 60000), ("jobs", 20000), ("live", 20000), ("sites", 20000), ("datasets", 20000)):
        file, before = os.path.join(e.top, page + ".png"), c.link.bytes()
        done = subprocess.run([GUI, e.folder, "--no-conductor", "--page", page, "--size", "1280x800", "--snapshot", file,
                               "--after", "4" if page == "images" else "2"], env=e.environment, capture_output=True, text=True,
                              timeout=120, stdin=subprocess.DEVNULL)
        assert done.returncode == 0 and os.path.getsize(file) > least, (page, done)
        print(f"# page {page}: {c.link.bytes()[1] - before[1]} bytes over the link")
        assert page != "images" or c.link.bytes()[1] - before[1] > 100000, "no image came over the link"
        keep = os.environ.get("FIRSTLIGHT_PICTURES")
        if keep:
            (transport,), = e.query("SELECT transport FROM site WHERE id = ?", e.site)
            subprocess.run(["cp", file, os.path.join(keep, f"{transport}-{page}.png")])


def of(word):
    """Processes on this machine with it in their command line: programs of ours, and ssh's masters."""
    left = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            line = open(f"/proc/{pid}/cmdline", "rb").read()
        except OSError:
            continue
        if word.encode() in line and pid != os.getpid():
            left.append(line)
    return left


def test_libssh2():
    whole_way("libssh2")


def test_openssh():
    whole_way("openssh")


why = cluster.missing()
if why:
    print(f"1..0 # SKIP {why}")
else:
    try:
        main([test_begins, test_libssh2, test_openssh])
    finally:
        c.stop()
