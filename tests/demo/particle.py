"""The density that the demo of single particles comes to, against the particle that was in its beam."""
import json, os, sqlite3, subprocess

RESOLUTION = 27  # Å: what its trial asks for
PITCH = 1.05     # shells are so wide that the last whole one may end a bit before


def versions(folder):
    """Of each that is done: number, patterns, and where its density is."""
    store = sqlite3.connect(f"file:{folder}/firstlight.sqlite?mode=ro", uri=True, timeout=20)
    try:
        return [(number, patterns, os.path.join(folder, path, "density-c0.mrc")) for number, patterns, path in store.execute(
            """SELECT version.number, version.lattices, job.path FROM job JOIN dataset_version AS version ON version.id = job.version
               JOIN task ON task.id = job.task WHERE task.type = 'reconstruct' AND job.state = 4 ORDER BY version.number""")]
    finally:
        store.close()


def score(program, folder, density):
    """Of a density laid upon the particle's: where FSC falls below 0.5 (Å), and its mean."""
    done = subprocess.run([program, "--model", os.path.join(folder, "particle.pdb"), "--density", density, "--resolution",
                           str(RESOLUTION), "--diameter", "145"], stdout=subprocess.PIPE, check=True, timeout=120)
    found = json.loads(done.stdout)["densities"][0]
    return found["fsc_0.5"], found["mean_fsc"]
