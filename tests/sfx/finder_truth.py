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
    """I/sigma of each point: photons within 2.3 px above the mean of those at 5 to 8 px; noise: photons a pixel, None: as there."""
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
        n, m = core.sum(), ring.sum()
        if n < 12 or m < 40:
            continue
        b = np.median(v[ring])
        spread = 1.4826 * np.median(abs(v[ring] - b)) if noise is None else np.sqrt(b + 1 + noise ** 2)
        around = np.minimum(v[ring], b + 3 * spread)
        b = np.mean(around)
        variance = np.var(around) if noise is None else max(b, 0) + noise ** 2
        total = v[core].sum() - n * b
        out[k] = total / np.sqrt(max(total, 0) + n * variance * (1 + n / m) + 1)
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


LIGHT_BOXES = [(0, 0, 2), (-1, 0, 2), (0, -1, 2), (-1, -1, 2), (-1, -1, 3), (-2, -2, 5), (-3, -3, 7)]


def is_light(panels, photons, good, spots, wavelength, scale):
    """Whether some box of 2, 3, 5 or 7 px about each spot holds more photons than the sets' known background (their README)
    does by chance: p < 1e-8 by Chernoff's bound of the Poisson tail."""
    out = np.zeros(len(spots), bool)
    for k, (number, fs, ss) in enumerate(spots):
        p, f, s = panels[int(number)], int(fs), int(ss)
        at = np.append(p["corner"] + fs * p["fs"] + ss * p["ss"], p["length"])
        q = np.linalg.norm(at / np.linalg.norm(at) - [0, 0, 1]) / wavelength
        mean = scale * (0.25 + 0.5 * math.exp(-(q - 0.31) ** 2 / (2 * 0.045 ** 2)) + 0.6 * math.exp(-q / 0.05))
        for i, j, size in LIGHT_BOXES:
            index = p["index"] + (slice(max(s + j, 0) + p["min_ss"], min(s + j + size + p["min_ss"], p["max_ss"] + 1)),
                                  slice(max(f + i, 0) + p["min_fs"], min(f + i + size + p["min_fs"], p["max_fs"] + 1)))
            ok = good[index]
            n, expected = float(photons[index][ok].sum()), max(mean * ok.sum(), 1e-3)
            if n > expected and n * math.log(n / expected) - (n - expected) > 18.42:
                out[k] = True
                break
    return out


def near_lattice(panels, geometry, lattices, wavelength):
    """Lattice points on panels of dxtbx' geometry; lattices: reciprocal axes and shift of the detector (mm), laboratory z along the beam, y up."""
    points = []
    for star, shift in lattices:
        moved = [dict(p, corner=p["corner"] + shift[:2] / size, length=p["length"] + shift[2] / size)
                 for p, size in zip(panels, geometry)]
        points.append(predict(moved, star, wavelength, d_min=2.0, width=0))
    return np.concatenate(points)


def dxtbx_panels(detector):
    """The panels as read_geometry() has them, of pixels stacked panel by panel, and their pixels' sizes in mm."""
    panels, turn = [], np.array([-1.0, 1.0])
    for k, p in enumerate(detector):
        size, (n_fs, n_ss) = p.get_pixel_size()[0], p.get_image_size()
        panels.append({"index": (k,), "min_fs": 0, "max_fs": n_fs - 1, "min_ss": 0, "max_ss": n_ss - 1,
                       "fs": turn * p.get_fast_axis()[:2], "ss": turn * p.get_slow_axis()[:2],
                       "corner": turn * p.get_origin()[:2] / size, "length": -p.get_origin()[2] / size})
    return panels, [p.get_pixel_size()[0] for p in detector]
