"""What a shot of a known lattice shows: geometry (.geom), truth tables, and which lattice points stand out of the pixels."""
import csv, math, re

import h5py
import numpy as np

STRONG, VISIBLE = 4.0, 2.0  # I/sigma of a spot that must be found; of one that may be
NEAR = 2.0  # px: a spot lies on a lattice point


class Panel:
    def __init__(self):
        self.value = {"fs": (1.0, 0.0), "ss": (0.0, 1.0), "index": None}


def vector(text):
    v = {"x": 0.0, "y": 0.0}
    for sign, number, axis in re.findall(r"([+-]?)\s*([\d.eE-]*?)\s*([xy])", text.replace(" ", "")):
        v[axis] = float(sign + (number or "1"))
    return v["x"], v["y"]


def read_geometry(path):
    """Panels in order (corner, fs, ss in px of the laboratory; place in the file), camera length in px, photons' energy."""
    common, panels = {}, {}
    for line in open(path):
        line = line.split(";")[0].strip()
        if "=" not in line:
            continue
        key, value = (s.strip() for s in line.split("=", 1))
        if "/" not in key:
            common[key] = value
            continue
        name, key = key.split("/", 1)
        if name.startswith(("bad", "group", "rigid")):
            continue
        panel = panels.setdefault(name, dict(common))
        panel[key] = value
    out = []
    for p in panels.values():
        index = [int(p[k]) for k in ("dim0", "dim1", "dim2", "dim3") if p.get(k, "").isdigit()]
        out.append({"index": tuple(index), "min_fs": int(p["min_fs"]), "max_fs": int(p["max_fs"]), "min_ss": int(p["min_ss"]),
                    "max_ss": int(p["max_ss"]), "fs": np.array(vector(p["fs"])), "ss": np.array(vector(p["ss"])),
                    "corner": np.array([float(p["corner_x"]), float(p["corner_y"])]),
                    "length": float(p["clen"].split()[0]) * float(p["res"])})
    return out


def read_truth(path):
    """Of each event: its kind, and reciprocal axes (rows, 1/Å) of each crystal."""
    events = {}
    for row in csv.DictReader(open(path), delimiter="\t"):
        event = events.setdefault(int(row["event"]), {"kind": row["kind"], "crystals": [], "energy": row.get("energy_eV"),
                                                    "scale": float(row["bg_scale"])})
        if row.get("asx"):
            event["crystals"].append(0.1 * np.array([float(row[a + "s" + x]) for a in "abc" for x in "xyz"]).reshape(3, 3))
    return events


def predict(panels, star, wavelength, d_min=1.7, slack=0.0015, width=0.0015):
    """Lattice points near the Ewald sphere: panel, fs, ss. Slack in 1/Å, width relative to |q| (a bandwidth's)."""
    cell = np.linalg.inv(star).T
    n = np.ceil(np.linalg.norm(cell, axis=1) / d_min).astype(int)
    h = np.stack(np.meshgrid(*[np.arange(-k, k + 1) for k in n], indexing="ij"), -1).reshape(-1, 3)
    q = h @ star
    length = np.linalg.norm(q, axis=1)
    s = q + [0, 0, 1 / wavelength]
    excitation = np.linalg.norm(s, axis=1) - 1 / wavelength
    s = s[(length > 1e-6) & (length < 1 / d_min) & (np.abs(excitation) < slack + width * length) & (s[:, 2] > 0)]
    found = []
    for number, p in enumerate(panels):
        at = s[:, :2] * (p["length"] / s[:, 2:3]) - p["corner"]
        m = np.linalg.inv(np.stack([p["fs"], p["ss"]], 1))
        fs, ss = m @ at.T
        inside = (fs > 0) & (ss > 0) & (fs < p["max_fs"] - p["min_fs"] + 1) & (ss < p["max_ss"] - p["min_ss"] + 1)
        found.append(np.stack([np.full(inside.sum(), number), fs[inside], ss[inside]], 1))
    return np.concatenate(found)


DISC = [(i, j) for i in range(-8, 9) for j in range(-8, 9)]


def significance(panels, photons, good, points, noise):
    """I/sigma of each point: photons within 2.3 px above the mean of those at 5 to 8 px; noise: photons a pixel."""
    out = np.zeros(len(points))
    for k, (number, fs, ss) in enumerate(points):
        p = panels[int(number)]
        f, s = int(fs), int(ss)
        n_fs, n_ss = p["max_fs"] - p["min_fs"] + 1, p["max_ss"] - p["min_ss"] + 1
        x, y = np.meshgrid(np.arange(max(f - 8, 0), min(f + 9, n_fs)), np.arange(max(s - 8, 0), min(s + 9, n_ss)))
        index = p["index"] + (y + p["min_ss"], x + p["min_fs"])
        v, ok = photons[index], good[index]
        r = np.hypot(x + 0.5 - fs, y + 0.5 - ss)
        core, ring = ok & (r < 2.3), ok & (r > 5) & (r < 8.5)
        if core.sum() < 12 or ring.sum() < 40:
            continue
        b = np.median(v[ring])
        b = np.mean(np.minimum(v[ring], b + 3 * np.sqrt(b + 1 + noise ** 2)))
        total = v[core].sum() - core.sum() * b
        out[k] = total / np.sqrt(max(v[core].sum(), 0) + core.sum() * noise ** 2 + core.sum() ** 2 * b / ring.sum() + 1)
    return out


def match(spots, points, strength):
    """Which spots lie on visible points; how many, spots, strong points with a spot, strong points. Rows: panel, fs, ss."""
    visible, strong = points[strength > VISIBLE], points[strength > STRONG]

    def near(a, b):
        if len(a) == 0 or len(b) == 0:
            return np.zeros(len(a), bool)
        out = np.zeros(len(a), bool)
        for panel in np.unique(a[:, 0]):
            of, at = a[:, 0] == panel, b[b[:, 0] == panel]
            if len(at):
                out[of] = (np.hypot(a[of, 1][:, None] - at[None, :, 1], a[of, 2][:, None] - at[None, :, 2]) < NEAR).any(1)
        return out

    return near(spots, visible), np.array([near(spots, visible).sum(), len(spots), near(strong, spots).sum(), len(strong)], float)


def poisson_tail(n, mean):
    """P (N >= n), n > mean."""
    term = total = math.exp(n * math.log(mean) - mean - math.lgamma(n + 1))
    for k in range(1, 60):
        term *= mean / (n + k)
        total += term
    return total


def is_light(panels, photons, good, spot, wavelength, scale):
    """Whether the 3 x 3 pixels of a spot hold more photons than the sets' known background (their README) by chance, p < 1e-8."""
    p, f, s = panels[int(spot[0])], int(spot[1]), int(spot[2])
    at = np.append(p["corner"] + spot[1] * p["fs"] + spot[2] * p["ss"], p["length"])
    q = np.linalg.norm(at / np.linalg.norm(at) - [0, 0, 1]) / wavelength
    mean = scale * (0.25 + 0.5 * math.exp(-(q - 0.31) ** 2 / (2 * 0.045 ** 2)) + 0.6 * math.exp(-q / 0.05))
    y, x = np.mgrid[max(s - 1, 0):min(s + 2, p["max_ss"] - p["min_ss"] + 1), max(f - 1, 0):min(f + 2, p["max_fs"] - p["min_fs"] + 1)]
    index = p["index"] + (y + p["min_ss"], x + p["min_fs"])
    n, mean = int(photons[index][good[index]].sum()), mean * good[index].sum()
    return n > mean and poisson_tail(n, max(mean, 1e-3)) < 1e-8
