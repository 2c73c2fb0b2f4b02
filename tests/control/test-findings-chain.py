"""Faults planted in simulated beamtimes, found by the whole chain: simulate-sfx, runs that arrive, the conductor, stills,
ingestion, `firstlight-control findings`. Without arguments: a smoke test. --all: every fault, and clean runs of 20 seeds on
three detectors. --sweep [NAME…]: how weak a fault is still found (prints a table; no test)."""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

import h5py
import numpy

CONTROL, ENGINE = os.environ["FIRSTLIGHT_CONTROL"], os.environ["FIRSTLIGHT_ENGINE"]
CELL, GROUP = "79.1,79.1,37.9,90,90,90", "P43212"
SHOTS = 240
DONE = 4


def run(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: exit {done.returncode}: {done.stderr}")
    return done.stdout


class Beamtime:
    """Simulated runs r0001, …; its conductor has processed what has arrived after find()."""

    def __init__(self, seed=1, detector="jungfrau-1m"):
        self.folder = tempfile.mkdtemp(prefix="firstlight-chain-")
        self.data = os.path.join(self.folder, "data")
        self.seed, self.detector, self.n = seed, detector, 0
        os.mkdir(self.data)

    def add(self, shots=SHOTS, change=None, **parameters):
        """One more run; change(images): of the pixels, in place."""
        self.n += 1
        parameters = {"seed": self.seed, "detector": self.detector, **parameters}
        made = os.path.join(self.folder, "made")
        run(ENGINE, "simulate-sfx", "--quiet", "--out", made, "--first-run", str(self.n), "--shots", str(shots),
            *(word for name, value in parameters.items() for word in ("--set", f"simulate.{name}={value}")))
        name = f"r{self.n:04d}"
        if change:
            for file in os.listdir(os.path.join(made, name)):
                if file.endswith(".cxi"):
                    with h5py.File(os.path.join(made, name, file), "r+") as h5:
                        images = h5["entry_1/data_1/data"][:]
                        change(images)
                        h5["entry_1/data_1/data"][:] = images
        os.rename(os.path.join(made, name), os.path.join(self.data, name))
        if self.n == 1:
            shutil.copy(os.path.join(made, "detector.geom"), self.geometry)
            self.edit_geometry("max_adu", lambda v: v + 1)  # the simulator's light clips many a spot: not of what is tried
        return self

    @property
    def geometry(self):
        return os.path.join(self.folder, "detector.geom")

    def edit_geometry(self, pattern, change):
        text = open(self.geometry).read()
        text, n = re.subn(rf"(?m)^({pattern} *= *)([-+.\de]+)", lambda m: f"{m[1]}{change(float(m[2])):.9g}", text)
        assert n > 0, pattern
        open(self.geometry, "w").write(text)
        return self

    def find(self, cell=CELL):
        """What is found, {kind: finding}."""
        trial, block = os.path.join(self.folder, "trial.params"), os.path.join(self.folder, "block.params")
        open(block, "w").write(f"[detector]\ngeometry = {self.geometry}\n")
        open(trial, "w").write(f"[indexing]\nunit_cell = {cell}\nspace_group = {GROUP}\n" if cell else "")
        store = os.path.join(self.folder, "x")
        if not os.path.exists(store):
            run(CONTROL, "experiment", "--store", store, "--watch", self.data, "--quiet", "0.1", "--block", block,
                "--trial", trial, "--stages", "index", "--launcher", "env", "--engine", ENGINE, "--cores", "2",
                "--ranks", "1")
        run(CONTROL, "conduct", "--store", store, "--interval", "0.05", "--until-idle")
        jobs = self.open_store().execute("SELECT state, reason FROM job").fetchall()
        assert len(jobs) == self.n and all(state == DONE for state, _ in jobs), jobs
        return self.ask()

    def open_store(self):
        return sqlite3.connect(os.path.join(self.folder, "x", "firstlight.sqlite"))

    def ask(self):
        store = os.path.join(self.folder, "x")
        said = json.loads(run(CONTROL, "findings", "--json", store))
        for finding in said["findings"]:
            print(f"# {self.detector} {self.seed}: {finding['title']} | {finding['evidence']}")
        found = {f["kind"]: f for f in said["findings"]}
        assert len(found) == len(said["findings"]), "two of a kind"
        return found

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


# --- faults: (name, kind, strengths from weak to strong, the one that must be found, beamtime with it, what find() takes) ---

def moved(b, px):
    b.add()
    return b.edit_geometry(r"\w+/corner_x", lambda v: v + px)


def farther(b, percent):
    b.add()
    return b.edit_geometry("clen", lambda v: v * (1 + percent / 100))


def last_panel(images):
    return images[:, images.shape[1] // 2:]


def silent(b, part):
    """A panel that reads nothing in the last part of the run."""
    def change(images):
        last_panel(images)[int(len(images) * (1 - part)):] = 0
    return b.add(change=change)


def noisy(b, factor):
    def change(images):
        noise = numpy.random.default_rng(b.seed).normal(0, 3 * factor, last_panel(images).shape)
        last_panel(images)[:] = numpy.clip(last_panel(images) + noise, -32000, 32000)
    return b.add(change=change)


def icy(b, spots):
    return b.add().add(ice=spots)


def dark(b, light):
    return b.add().add(hit_fraction=0, background=light)


def saturated(b, light):
    b.add(pulse_photons=1e11 * light)
    return b.edit_geometry("max_adu", lambda v: v - 1)  # as the simulator wrote it: what it clips is above


def told(b, wrong):
    return b.add(600)


def attenuated(b, light):
    return b.add().add().add(pulse_photons=1e11 * light, background=light)


def stretched(percent):
    a, b, c, *angles = (float(v) for v in CELL.split(","))
    return ",".join(str(v) for v in (a * (1 + percent / 100), b * (1 + percent / 100), c / (1 + percent / 100), *angles))


FAULTS = {
    "moved": ("beam-centre", (0.3, 0.5, 0.7, 1, 2, 3), 3, moved, "px"),
    "distance": ("distance", (0.1, 0.2, 0.3, 0.5, 1), 1, farther, "%"),
    "dead": ("dead-panel", (0.1, 0.25, 0.5, 1), 1, silent, "of the run"),
    "noisy": ("noisy-panel", (8, 16, 24, 32, 64), 32, noisy, "times the readout noise"),
    "ice": ("ice", (0.5, 1, 2, 5, 10, 20), 10, icy, "spots a shot"),
    "dark": ("dark-run", (1, 0.5, 0.2, 0.1, 0), 0, dark, "of the background"),
    "saturation": ("saturation", (0.02, 0.05, 0.1, 0.2, 0.5, 1), 0.5, saturated, "of the photons"),
    "cell": ("wrong-cell", (0.5, 1, 2, 3, 5, 10), 10, told, "% wrong"),
    "attenuated": ("few-photons", (0.7, 0.5, 0.3, 0.2, 0.1, 0.05), 0.2, attenuated, "of the photons"),
}


def plant(name, strength, seed=1, detector="jungfrau-1m"):
    kind, _, _, make, _ = FAULTS[name]
    beamtime = make(Beamtime(seed, detector), strength)
    found = beamtime.find(stretched(strength) if name == "cell" else CELL)
    beamtime.remove()
    return kind, found


def check(name, seed=1, detector="jungfrau-1m"):
    kind, found = plant(name, FAULTS[name][2], seed, detector)
    assert list(found) == [kind], (name, list(found))
    return found[kind]


def test_smoke():
    """One beamtime: clean so far; then ice comes."""
    b = Beamtime().add(120)
    assert b.find() == {}
    b.add(120, ice=15)
    found = b.find()
    assert list(found) == ["ice"], found
    assert found["ice"]["where"] == "r0002", found
    b.remove()


def test_lag():
    """A run that has been complete for 20 minutes, and that nobody takes up."""
    b = Beamtime().add(60)
    assert b.find() == {}
    store = b.open_store()
    columns = [column[1] for column in store.execute("PRAGMA table_info (run)")]
    row = dict(zip(columns, store.execute("SELECT * FROM run").fetchone()))
    row.update(id=row["id"] + 1, name="r0002", path="r0002", completed=time.time_ns() - 1200 * 10**9)
    store.execute(f"INSERT INTO run ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})", [*row.values()])
    store.commit()
    assert list(b.ask()) == ["lag"]
    b.remove()


def test_faults():
    for name in FAULTS:
        check(name)


def test_clean():
    for seed in range(1, 21):
        b = Beamtime(100 + seed, ("jungfrau-1m", "eiger-1m", "jungfrau-4m")[seed % 3]).add().add()
        assert b.find() == {}, seed
        b.remove()


def sweep(names):
    for name in names or FAULTS:
        for strength in FAULTS[name][1]:
            kind, found = plant(name, strength)
            print(f"{name} {strength} {FAULTS[name][4]}: {'found' if kind in found else 'not found'}"
                  f"{' and ' + ', '.join(k for k in found if k != kind) if set(found) - {kind} else ''}", flush=True)


def main():
    if "--sweep" in sys.argv:
        sweep(sys.argv[sys.argv.index("--sweep") + 1:])
        return 0
    tests = [test_lag, test_faults, test_clean] if "--all" in sys.argv else [test_smoke]
    print(f"1..{len(tests)}")
    failed = 0
    for i, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {i} {test.__name__}", flush=True)
        except Exception:  # the others still run
            failed += 1
            print("# " + traceback.format_exc().replace("\n", "\n# "))
            print(f"not ok {i} {test.__name__}", flush=True)
    return failed > 0


sys.exit(main())
