"""Runs of single particles arrive and are told apart, and a dataset's reconstruction follows them: simulator, conductor, engine and
store.

pipeline-particles.py ENGINE CONTROL"""
import os, random, struct, subprocess, sys

ENGINE, CONTROL = map(os.path.abspath, sys.argv[1:3])
os.environ.update(FAKE_ENGINE=ENGINE, FIRSTLIGHT_CONTROL=CONTROL)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "control"))
from conduct import DONE, Experiment, main

SHOTS = 120
PARTICLE, GENERATION, CURVE, COVERAGE, OCCUPANCY = range(14, 19)


def write_molecule(path):
    draw = random.Random(1)
    with open(path, "w") as file:
        for i in range(600):
            place = [draw.uniform(-1, 1) * half for half in (50, 30, 20)]
            file.write("ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n" % (i + 1, i + 1, *place))


def add_run(e, number, *more):
    model = os.path.join(e.folder, "molecule.pdb")
    if not os.path.exists(model):
        write_molecule(model)
    sets = ("pixels=51", "pixel_size=0.6", "photons=1000", "blank_fraction=0.3", "background=0.01", "fluence=gamma",
            f"seed={number}")
    subprocess.run([ENGINE, "simulate-spi", "--out", e.data, "--first-run", str(number), "--runs", "1", "--shots", str(SHOTS),
                    "--shots-per-file", "80", "--model", model, "--quiet", *more,
                    *(a for s in sets for a in ("--set", "simulate_spi." + s))], check=True, timeout=100)


def test_hits():
    e = Experiment(science="spi")
    e.write("UPDATE dataset SET active = 0, revision = (SELECT value FROM counter WHERE name = 'revision')")
    add_run(e, 1)
    add_run(e, 2, "--cxi")
    e.finish()
    jobs = e.query("SELECT job.id, job.path, job.state, a.reason, run.shots FROM job JOIN run ON run.id = job.run "
                   "JOIN attempt a ON a.job = job.id ORDER BY run.name")
    assert [(state, shots) for _, _, state, _, shots in jobs] == [(DONE, SHOTS)] * 2, jobs
    for job, path, _, said, _ in jobs:
        shots, hits, blank, several, junk = (int(part.split()[0]) for part in said.split(", "))
        assert shots == SHOTS and hits + blank + several + junk == SHOTS, said
        assert 0.6 * SHOTS < hits < 0.8 * SHOTS, said  # the others are blank
        counts = e.query("SELECT sum(shots), sum(hits), sum(indexed), sum(failed) FROM slice WHERE kind = 1 AND job = ?", job)
        assert counts == [(SHOTS, hits, 0, 0)], counts
        assert e.query("SELECT sum(length) FROM slice WHERE kind = ? AND job = ?", PARTICLE, job) == [(SHOTS,)]
        assert os.path.exists(os.path.join(e.folder, path, "patterns.h5"))
    said = e.run("inspect", os.path.join(e.data, "r0001", "r0001_c00.emc")).stdout
    assert "frames: 80\npixels: 2601\n" in said, said
    assert e.run("findings", e.folder).stdout == f"No faults found in {2 * SHOTS} shots\n"
    e.remove()


def test_reconstruction():
    """Every version takes the runs that there are; what is told of it is in the store, and its densities are where that says."""
    e = Experiment(science="spi")
    e.write("UPDATE task SET params = ?, revision = (SELECT value FROM counter WHERE name = 'revision') WHERE name = 'reconstruct'",
            "[reconstruct]\ngenerations = 4\nphase_every = 2\nphase_starts = 2\nstarts = 1\n")
    e.run("dataset", "--store", e.folder, "--name", "particles", "--min-interval", "0", "--min-lattices", "60")
    for version in (1, 2):
        add_run(e, version)
        e.finish()
        ((job, path, said),) = e.query(
            "SELECT job.id, job.path, a.reason FROM job JOIN dataset_version v ON v.id = job.version JOIN attempt a ON a.job = job.id "
            "WHERE v.number = ? AND job.state = ?", version, DONE)
        ((patterns,),) = e.query("SELECT lattices FROM dataset_version WHERE number = ?", version)
        assert said.startswith(f"{patterns} patterns, 4 generations, 1 conformations"), said
        kinds = dict(e.query("SELECT kind, sum(length) FROM slice WHERE job = ? GROUP BY kind", job))
        assert kinds[GENERATION] == 4 and kinds[OCCUPANCY] == 4 and kinds[CURVE] > 0 and kinds[COVERAGE] > 0, kinds
        folder = os.path.join(e.folder, path)
        volumes = sorted(os.listdir(os.path.join(folder, "attempt-0001", "volumes")))
        assert volumes == ["g0002-c0.mrc", "g0004-c0.mrc"], volumes
        with open(os.path.join(folder, "density-c0.mrc"), "rb") as file:
            head = file.read(1024)
        (n,), (side,), origin = (struct.unpack_from(form, head, at) for form, at in (("<i", 0), ("<f", 40), ("<3f", 196)))
        assert n % 2 == 1 and all(abs(o + (n - 1) / 2 * side / n) < 1e-3 for o in origin), (n, side, origin)
    e.remove()


main([test_hits, test_reconstruction])
