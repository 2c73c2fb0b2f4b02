"""Runs arrive, and a dataset's merge follows them: simulator, conductor, engine and store. Each version begins where the one before
ended, and ends where a merge that begins with nothing does.

pipeline-merge.py ENGINE CONTROL"""
import json, os, subprocess, sys

ENGINE, CONTROL = map(os.path.abspath, sys.argv[1:3])
os.environ.update(FAKE_ENGINE=ENGINE, FIRSTLIGHT_CONTROL=CONTROL)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "control"))
from conduct import DONE, Experiment, main

RUNS, SHOTS = 3, 80
CELL, GROUP = "50,50,40,90,90,90", "P43"  # can be indexed in two ways


def add_run(e, number):
    sets = ("cell=" + CELL, "space_group=" + GROUP, "resolution=2.5", "hit_fraction=1", "double_fraction=0", "domain_size=0.1",
            "mosaic_spread=0.15", "pulse_photons=1e10", "detector=eiger-1m", "compression=bitshuffle")
    subprocess.run([ENGINE, "simulate-sfx", "--out", e.data, "--first-run", str(number), "--shots", str(SHOTS), "--quiet",
                    *(a for s in sets for a in ("--set", "simulate." + s))], check=True, timeout=60)


def first(h, k, l):
    """One for all that are equivalent under 4/m."""
    return max((s * a, s * b, s * l) for a, b in ((h, k), (-k, h), (-h, -k), (k, -h)) for s in (1, -1))


def intensities(folder):
    rows = (line.split() for line in open(os.path.join(folder, "merged.hkl")).read().split("nmeas\n")[1].splitlines()[:-1])
    return {first(*map(int, row[:3])): float(row[3]) for row in rows}


def correlation(a, b):
    pairs = [(a[m], b[m]) for m in a if m in b]
    x, y = (sum(pair[i] for pair in pairs) / len(pairs) for i in (0, 1))
    return sum((p - x) * (q - y) for p, q in pairs) / (sum((p - x) ** 2 for p, _ in pairs) * sum((q - y) ** 2 for _, q in pairs)) ** 0.5


def test_versions():
    e = Experiment()
    block = os.path.join(e.folder, "block.params")
    with open(block, "w") as file:
        file.write(f"[detector]\ngeometry = {e.data}/detector.geom\n[indexing]\nunit_cell = {CELL}\nspace_group = {GROUP}\n"
                   "[merge]\nd_min = 3\n")
    e.run("experiment", "--store", e.folder, "--block", block)
    e.run("dataset", "--store", e.folder, "--name", "d", "--expression", "runs 1-", "--min-interval", "0", "--task", "stills",
          "--task", "both:merge:stills")
    conductor = e.conduct()
    folders, merges = [], []
    for version in range(1, RUNS + 1):
        add_run(e, version)
        ((job, path, command),) = e.wait_for(
            "SELECT job.id, job.path, a.command FROM job JOIN dataset_version v ON v.id = job.version JOIN attempt a ON a.job = job.id "
            "WHERE v.number = ? AND job.state = ?", version, DONE)
        folders.append(os.path.join(e.folder, path))
        merges.append(json.load(open(os.path.join(folders[-1], "merge.json")))["merge"])
        kinds = [kind for (kind,) in e.query("SELECT kind FROM slice WHERE job = ? ORDER BY kind", job)]
        assert set(kinds) >= {8, 9, 11}, kinds
        assert ("--parent" in command) == (version > 1), command
    conductor.terminate()
    assert conductor.wait(60) == 0
    lattices = e.query("SELECT number, lattices FROM dataset_version ORDER BY number")
    assert lattices == [(i + 1, merge["lattices"]) for i, merge in enumerate(merges)] and lattices[-1][1] > 0.9 * RUNS * SHOTS, lattices
    assert [merge["parent_sum"] for merge in merges] == ["", *(merge["lattice_sum"] for merge in merges[:-1])]
    # From nothing, with the parameters that the last version had.
    cold = os.path.join(e.folder, "cold")
    jobs = [os.path.join(e.folder, path) for (path,) in e.query("SELECT path FROM job WHERE version = 0 ORDER BY id")]
    subprocess.run([ENGINE, "merge", "--params", os.path.join(folders[-1], "params.txt"), "--out", cold, *jobs], check=True, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun = json.load(open(os.path.join(cold, "merge.json")))["merge"]
    warm, found = intensities(folders[-1]), intensities(cold)
    swapped = {first(k, h, -l): value for (h, k, l), value in found.items()}
    cc = max(correlation(warm, found), correlation(warm, swapped))  # either way of indexing is as good
    print(f"# lattices, CC1/2 of the versions: {[(m['lattices'], round(m['cc_half'], 4), m['cycles']) for m in merges]}; from nothing "
          f"{begun['cc_half']:.4f}, {begun['cycles']} cycles; CC of the two {cc:.6f}", flush=True)
    assert cc > 0.999 and abs(begun["cc_half"] - merges[-1]["cc_half"]) < 0.005
    assert merges[0]["completeness"] < merges[-1]["completeness"] and merges[-1]["cc_half"] > 0.98
    e.remove()


main([test_versions])
