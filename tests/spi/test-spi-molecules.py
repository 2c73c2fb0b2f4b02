#!/usr/bin/env python3
"""From nothing to a score: molecules simulated, reconstructed with defaults, laid upon what they really are. Prints TAP.

test-spi-molecules.py ENGINE SPI-SCORE SEEDS [CASE…]      cases: groel, ake, two, junk

Patterns as in Dragonfly's example: 4,600 eV, 101² pixels of 0.3 mm, 3,000 of a thousand photons in the mean, fluence by a gamma
distribution with k = 2. Nothing is told: neither orientations nor diameter nor symmetry. Of each case's seeds, which are the
simulation's and the reconstruction's, nine in ten must reach the limits. Without cases: groel and ake."""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

import h5py

ENGINE, SCORE, SEEDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
DATA = os.path.join(os.environ.get("FIRSTLIGHT_TEST_DATA", ""), "pdb")
GROEL, OPEN, AKE = (os.path.join(DATA, name) for name in ("groel14_T.pdb.gz", "groel14_open_synth.pdb.gz", "4ake.pdb"))

# Models, their point group, resolution of the edge in Å, degrees between neighbours of a grid of orientations fine enough for it,
# what simulate-spi is told, what reconstruct is told.
CASES = {
    "groel": dict(models=[GROEL], group="D7", edge=24.1, apart=8.7),
    "ake": dict(models=[AKE], group="C2", edge=10.07, apart=7.4, simulate=["camera_length=54.5"]),
    "two": dict(models=[GROEL, OPEN], group="D7", edge=24.1, apart=8.7, reconstruct=["conformations=2"]),
    "junk": dict(models=[GROEL], group="D7", edge=24.1, apart=8.7, shots=5000, simulate=["droplet_fraction=0.1", "blank_fraction=0.3"],
                 hits=True),
}

class Failed(Exception):
    pass


def run(place, *command):
    """Output and CPU seconds."""
    name = os.path.join(place, os.path.basename(command[0]) + "-" + command[1].strip("-"))
    with open(name + ".out", "w") as out, open(name + ".err", "w") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{' '.join(command)}: status {process.returncode}: {open(name + '.err').read()[-300:]}")
    return open(name + ".out").read(), used.ru_utime + used.ru_stime


def words(table, values):
    return [word for value in values for word in ("--set", f"{table}.{value}")]


def with_rows_of_shots(job, hits):
    """A hits job's patterns are numbered anew: the orientations by what they were among the shots."""
    with h5py.File(hits + "/patterns.h5") as patterns, h5py.File(job + "/orientations.h5", "r+") as told:
        told["row"][:] = patterns["patterns/row"][:][told["row"][:]]


def judge(case, job, place):
    """(whether it reached the limits, what is to be told)."""
    told = json.load(open(job + "/reconstruction.json"))
    maps = [f"{job}/density-c{c}.mrc" for c in range(len(case["models"]))]
    score = json.loads(run(place, SCORE, *(word for model in case["models"] for word in ("--model", model)),
                           *(word for path in maps for word in ("--density", path)), "--truth", place + "/data/truth.h5",
                           "--orientations", job + "/orientations.h5", "--group", case["group"], "--spacing", str(case["apart"]),
                           "--resolution", str(case["edge"]))[0])
    reached = [row["fsc_0.5"] for row in score["densities"]]
    models = len({row["model"] for row in score["densities"]})
    passed = (max(reached) <= case["edge"] / 0.9 and score["orientation_median"] <= case["apart"] and models == len(case["models"])
              and (models == 1 or score["classification"] >= 0.95))
    text = (f"{told['patterns']} patterns, {told['diameter']:.0f} Å, {len(told['generations'])} generations; FSC 0.5 at "
            f"{', '.join(f'{r:.1f}' for r in reached)} Å (limit {case['edge'] / 0.9:.1f}); orientations {score['orientation_median']:.2f}°"
            f" off in the median (limit {case['apart']}), {score['within_spacing']:.1%} within it")
    return passed, text + (f", {score['classification']:.1%} in their class" if models > 1 else "")


def one(case, seed):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        data, hits, job = (os.path.join(place, name) for name in ("data", "hits", "job"))
        try:
            run(place, ENGINE, "simulate-spi", "--out", data, "--shots", str(case.get("shots", 3000)), "--quiet", "--model",
                ",".join(case["models"]), *words("simulate_spi", ["fluence=gamma", f"seed={seed}", *case.get("simulate", [])]))
            source = data + "/particles.emc"
            if "hits" in case:
                run(place, ENGINE, "hits", "--out", hits, source)
                source = hits
            _, cpu = run(place, ENGINE, "reconstruct", "--out", job, source,
                         *words("reconstruct", [f"seed={seed}", *case.get("reconstruct", [])]))
            if "hits" in case:
                with_rows_of_shots(job, hits)
            passed, text = judge(case, job, place)
        except (Failed, ValueError) as failure:
            return False, str(failure)
        return passed, f"{text}; {cpu:.0f} CPU s"


def main():
    missing = [path for path in (GROEL, OPEN, AKE) if not os.path.exists(path)]
    if missing:
        print("1..0 # SKIP no test data: " + missing[0])
        return
    if "FIRSTLIGHT_SANITIZED" in os.environ:
        print("1..0 # SKIP statistics: not under sanitizers")
        return
    cases = {name: CASES[name] for name in sys.argv[4:] or ("groel", "ake")}
    print(f"1..{len(cases)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for number, (name, case) in enumerate(cases.items(), 1):
            seeds = range(1, SEEDS + 1)
            reached = 0
            for seed, (passed, text) in zip(seeds, pool.map(lambda seed: one(case, seed), seeds)):
                print(f"# {name}, seed {seed}: {'' if passed else 'NOT '}reached: {text}", flush=True)
                reached += passed
            print(f"{'ok' if reached >= 0.9 * SEEDS else 'not ok'} {number} - {name}: {reached} of {SEEDS} seeds", flush=True)


main()
