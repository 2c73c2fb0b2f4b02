"""What the demo's maps show of the ligand that their model lacks."""
import json, math, os, sqlite3

CELL = (79.1, 79.1, 37.9)
P43212 = [lambda x, y, z: (x, y, z), lambda x, y, z: (-x, -y, z + 1 / 2), lambda x, y, z: (1 / 2 - y, x + 1 / 2, z + 3 / 4),
          lambda x, y, z: (y + 1 / 2, 1 / 2 - x, z + 1 / 4), lambda x, y, z: (1 / 2 - x, y + 1 / 2, 3 / 4 - z),
          lambda x, y, z: (x + 1 / 2, 1 / 2 - y, 1 / 4 - z), lambda x, y, z: (y, x, -z), lambda x, y, z: (-y, -x, 1 / 2 - z)]


def atoms(path, residue):
    """Its places, by name, as fractions of the cell."""
    with open(path) as file:
        lines = [line for line in file if line.startswith(("ATOM", "HETATM")) and line[17:20].strip() == residue]
    return {line[12:16].strip(): tuple(float(line[30 + 8 * i:38 + 8 * i]) / CELL[i] for i in range(3)) for line in lines}


def apart(a, b):
    """Å, to the nearest mate."""
    return min(math.hypot(*((p - q - round(p - q)) * edge for p, q, edge in zip(operator(*a), b, CELL))) for operator in P43212)


def shows(version, done, took, sigmas, off, other):
    """Whether a map, as maps() tells it, has the ligand as what is missing."""
    return done and sigmas > 8 and off < 1 and other < 0.75 * sigmas


def maps(folder, model):
    """Of each version with a map: number; whether its job is done; s that it took; the highest peak of mFo-DFc, its sigmas and Å
    from the ligand's phosphorus, and the largest of what is elsewhere, farther than 3 Å from the ligand."""
    ligand = atoms(model, "LIG")
    store = sqlite3.connect(f"file:{os.path.join(folder, 'firstlight.sqlite')}?mode=ro", uri=True, timeout=20)
    jobs = store.execute("""SELECT version.number, job.path, job.state = 4, (attempt.ended - attempt.started) / 1e9 FROM job
             JOIN task ON task.id = job.task JOIN dataset_version AS version ON version.id = job.version
             JOIN attempt ON attempt.job = job.id WHERE task.type = 'map' ORDER BY version.number""").fetchall()
    store.close()
    out = []
    for number, path, done, took in jobs:
        if not done:
            out.append((number, False, took, 0, float("inf"), 0))
            continue
        with open(os.path.join(folder, path, "map.json")) as file:
            peaks = json.load(file)["mfo-dfc"]["peaks"]
        places = [tuple(x / edge for x, edge in zip(peak["xyz"], CELL)) for peak in peaks]
        elsewhere = [abs(peak["sigmas"]) for peak, at in zip(peaks, places) if min(apart(at, a) for a in ligand.values()) > 3]
        out.append((number, True, took, peaks[0]["sigmas"], apart(places[0], ligand["P1"]), max(elsewhere, default=0)))
    return out
