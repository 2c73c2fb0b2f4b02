"""What the tests of `stills` share: small made-up shots, running the engine, reading its tables."""
import os, subprocess

import h5py
import numpy as np

ENGINE = MPIRUN = JOB_SHOTS = SHIM = ""


def write_shots(folder, name, frames, size=96, first_seed=0):
    """One panel, Poisson background, spots on every second frame; returns path and number of hits at 5 spots or more."""
    rng = np.random.default_rng(first_seed)
    data = rng.poisson(2.0, (frames, size, size)).astype(np.uint16)
    for frame in range(0, frames, 2):
        for k in range(6 + frame % 5):
            y, x = 8 + (k // 4) * 24, 8 + (k % 4) * 22
            data[frame, y:y + 3, x:x + 3] += np.array([[20, 60, 20], [60, 200, 60], [20, 60, 20]], dtype=np.uint16)
    path = os.path.join(folder, name)
    with h5py.File(path, "w") as file:
        file.create_dataset("/entry/data/data", data=data, chunks=(1, size, size), compression="gzip", compression_opts=1)
    geometry = os.path.join(folder, "test.geom")
    with open(geometry, "w") as file:
        file.write("photon_energy = 9500\nclen = 0.1\nadu_per_photon = 1\nres = 10000\ndata = /entry/data/data\n"
                   "dim0 = %\ndim1 = ss\ndim2 = fs\n"
                   f"p0/min_fs = 0\np0/max_fs = {size - 1}\np0/min_ss = 0\np0/max_ss = {size - 1}\n"
                   f"p0/corner_x = -{size / 2}\np0/corner_y = -{size / 2}\np0/fs = x\np0/ss = y\n")
    return path, geometry, (frames + 1) // 2


def command(out, inputs, geometry=None, ranks=1, sets=(), extra=()):
    line = [MPIRUN, "-n", str(ranks)] if MPIRUN and ranks else []
    line += [ENGINE, "stills", "--stages", "spots", "--out", out, "--set", "hit.min_spots=5"]
    if geometry:
        line += ["--set", f"detector.geometry={geometry}"]
    for setting in sets:
        line += ["--set", setting]
    return line + list(extra) + list(inputs)


def run(*args, env=None, **kwargs):
    """Exit status, last line of stdout, stderr."""
    done = subprocess.run(command(*args, **kwargs), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300,
                          env=dict(os.environ, **(env or {})))
    lines = done.stdout.strip().split("\n")
    return done.returncode, lines[-1], done.stderr


def table(job):
    """Shots and spots in the master's order, without times."""
    with h5py.File(os.path.join(job, "spots.h5"), "r") as file:
        shots = {c: file["shots"][c][:] for c in file["shots"] if c != "start" and not c.startswith(("t_", "first_"))}
        first, n = file["shots/first_spot"][:].astype(int), shots["spots"].astype(int)
        order = np.concatenate([np.arange(a, a + k) for a, k in zip(first, n)] or [np.zeros(0, int)]).astype(int)
        return shots, {c: file["spots"][c][:][order] for c in file["spots"]}


def same(a, b):
    return all(set(x) == set(y) and all(np.array_equal(x[c], y[c]) for c in x) for x, y in zip(a, b))


def journalled(job):
    """(attempt, id, source, frame, outcome, spots) of every row."""
    text = subprocess.run([JOB_SHOTS, job], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [(int(a), int(i), int(s), int(f), o, int(n)) for a, i, s, f, o, n in (l.split(" ") for l in text.splitlines())]


def looked_up(job, ids):
    return subprocess.run([JOB_SHOTS, job, *map(str, ids)], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


class Tap:
    def __init__(self):
        self.number = 0

    def __call__(self, name, good, detail=""):
        self.number += 1
        print(("ok" if good else "not ok"), self.number, "-", name, flush=True)
        if not good and detail:
            for line in str(detail).splitlines():
                print("#", line, flush=True)

    def end(self):
        print(f"1..{self.number}")


def setup(argv):
    global ENGINE, MPIRUN, JOB_SHOTS, SHIM
    ENGINE, JOB_SHOTS, SHIM, MPIRUN = (argv + [""])[1:5]
