"""Makes the demo's protein: a chain of ideal helices that never was, folded and packed into the cell of lysozyme's crystals by
simulated annealing, with side chains that are chosen for how they fit, a ligand (LIG) and waters.
make-protein.py FOLDER writes made-protein.pdb, the same each time; needs numpy, and five minutes.

Nothing here is from a measured structure: bond lengths and angles are chemistry's usual ones."""
import os, sys
import numpy as np

SEED, STEPS, CELL = 13, 8000, np.array([79.1, 79.1, 37.9])
OPERATORS = [  # P 43 21 2: rows of rotation, translation
    ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 0]), ([[-1, 0, 0], [0, -1, 0], [0, 0, 1]], [0, 0, 1 / 2]),
    ([[0, -1, 0], [1, 0, 0], [0, 0, 1]], [1 / 2, 1 / 2, 3 / 4]), ([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], [1 / 2, 1 / 2, 1 / 4]),
    ([[-1, 0, 0], [0, 1, 0], [0, 0, -1]], [1 / 2, 1 / 2, 3 / 4]), ([[1, 0, 0], [0, -1, 0], [0, 0, -1]], [1 / 2, 1 / 2, 1 / 4]),
    ([[0, 1, 0], [1, 0, 0], [0, 0, -1]], [0, 0, 0]), ([[0, -1, 0], [-1, 0, 0], [0, 0, -1]], [0, 0, 1 / 2])]
ROTATIONS = np.array([r for r, t in OPERATORS], float)  # a = b: the same in Å
SHIFTS = np.array([t for r, t in OPERATORS]) * CELL
FOLD = "CCC" + "CCCCC".join("H" * n for n in (17, 20, 15, 19, 16)) + "CCC"
N = len(FOLD)
BASINS = [(-65, -40), (-120, 130), (-70, 145), (-90, 0), (57, 45)]  # of Ramachandran's plot; the last for glycine
LEFT = 4

# Side chains: atom, the three before it, bond (Å), angle, torsion: a number, or which chi and what is added to it (degrees).
SIDE = {
    "GLY": [], "ALA": [],
    "SER": [("OG", "N", "CA", "CB", 1.42, 110.8, (1, 0))],
    "CYS": [("SG", "N", "CA", "CB", 1.81, 114.0, (1, 0))],
    "THR": [("OG1", "N", "CA", "CB", 1.43, 109.6, (1, 0)), ("CG2", "N", "CA", "CB", 1.52, 110.7, (1, -121))],
    "VAL": [("CG1", "N", "CA", "CB", 1.52, 110.5, (1, 0)), ("CG2", "N", "CA", "CB", 1.52, 110.5, (1, 122))],
    "LEU": [("CG", "N", "CA", "CB", 1.53, 116.0, (1, 0)), ("CD1", "CA", "CB", "CG", 1.52, 110.6, (2, 0)),
            ("CD2", "CA", "CB", "CG", 1.52, 110.6, (2, 122))],
    "ILE": [("CG1", "N", "CA", "CB", 1.53, 110.4, (1, 0)), ("CG2", "N", "CA", "CB", 1.52, 110.5, (1, -122)),
            ("CD1", "CA", "CB", "CG1", 1.51, 113.8, (2, 0))],
    "MET": [("CG", "N", "CA", "CB", 1.52, 114.0, (1, 0)), ("SD", "CA", "CB", "CG", 1.80, 112.7, (2, 0)),
            ("CE", "CB", "CG", "SD", 1.79, 100.9, (3, 0))],
    "PHE": [("CG", "N", "CA", "CB", 1.50, 113.8, (1, 0)), ("CD1", "CA", "CB", "CG", 1.39, 120.5, (2, 0)),
            ("CD2", "CA", "CB", "CG", 1.39, 120.5, (2, 180)), ("CE1", "CB", "CG", "CD1", 1.39, 120.5, 180),
            ("CE2", "CB", "CG", "CD2", 1.39, 120.5, 180), ("CZ", "CG", "CD1", "CE1", 1.39, 120.0, 0)],
    "TRP": [("CG", "N", "CA", "CB", 1.50, 113.6, (1, 0)), ("CD1", "CA", "CB", "CG", 1.37, 126.9, (2, 0)),
            ("CD2", "CA", "CB", "CG", 1.43, 126.7, (2, 180)), ("NE1", "CB", "CG", "CD1", 1.37, 110.2, 180),
            ("CE2", "CB", "CG", "CD2", 1.41, 107.2, 180), ("CE3", "CB", "CG", "CD2", 1.40, 133.9, 0),
            ("CZ2", "CG", "CD2", "CE2", 1.39, 122.3, 180), ("CZ3", "CG", "CD2", "CE3", 1.38, 118.7, 180),
            ("CH2", "CD2", "CE2", "CZ2", 1.37, 117.5, 0)],
    "ASN": [("CG", "N", "CA", "CB", 1.52, 112.6, (1, 0)), ("OD1", "CA", "CB", "CG", 1.23, 120.8, (2, 0)),
            ("ND2", "CA", "CB", "CG", 1.33, 116.5, (2, 180))],
    "GLN": [("CG", "N", "CA", "CB", 1.52, 114.0, (1, 0)), ("CD", "CA", "CB", "CG", 1.52, 112.6, (2, 0)),
            ("OE1", "CB", "CG", "CD", 1.23, 120.8, (3, 0)), ("NE2", "CB", "CG", "CD", 1.33, 116.5, (3, 180))],
    "LYS": [("CG", "N", "CA", "CB", 1.52, 114.0, (1, 0)), ("CD", "CA", "CB", "CG", 1.52, 111.5, (2, 0)),
            ("CE", "CB", "CG", "CD", 1.52, 111.5, (3, 0)), ("NZ", "CG", "CD", "CE", 1.49, 111.8, (4, 0))],
    "ARG": [("CG", "N", "CA", "CB", 1.52, 114.0, (1, 0)), ("CD", "CA", "CB", "CG", 1.52, 111.5, (2, 0)),
            ("NE", "CB", "CG", "CD", 1.46, 111.8, (3, 0)), ("CZ", "CG", "CD", "NE", 1.33, 124.5, (4, 0)),
            ("NH1", "CD", "NE", "CZ", 1.33, 120.4, 0), ("NH2", "CD", "NE", "CZ", 1.33, 119.5, 180)],
    "HIS": [("CG", "N", "CA", "CB", 1.50, 113.8, (1, 0)), ("ND1", "CA", "CB", "CG", 1.38, 122.7, (2, 0)),
            ("CD2", "CA", "CB", "CG", 1.35, 131.1, (2, 180)), ("CE1", "CB", "CG", "ND1", 1.32, 109.2, 180),
            ("NE2", "CB", "CG", "CD2", 1.37, 107.0, 180)],
}
SIDE["TYR"] = SIDE["PHE"] + [("OH", "CD1", "CE1", "CZ", 1.37, 120.0, 180)]
SIDE["ASP"] = [SIDE["ASN"][0], ("OD1", "CA", "CB", "CG", 1.25, 118.4, (2, 0)), ("OD2", "CA", "CB", "CG", 1.25, 118.4, (2, 180))]
SIDE["GLU"] = SIDE["GLN"][:2] + [("OE1", "CB", "CG", "CD", 1.25, 118.4, (3, 0)), ("OE2", "CB", "CG", "CD", 1.25, 118.4, (3, 180))]
TURNS = [-65, 180, 62]
CHIS = {name: [TURNS] * max([a[6][0] for a in atoms if isinstance(a[6], tuple)], default=0) for name, atoms in SIDE.items()}
for name in ("PHE", "TYR"):
    CHIS[name] = [TURNS, [90, 50, -50]]
for name in ("TRP", "HIS", "ASN", "ASP"):
    CHIS[name] = [TURNS, [-105, -60, 0, 60, 100]]
for name in ("GLN", "GLU"):
    CHIS[name] = [TURNS, TURNS, [-60, 0, 60]]
GREASY = {"ALA", "VAL", "LEU", "ILE", "MET", "PHE", "TRP", "CYS", "TYR"}
SHARE = dict(GLY=.05, ALA=.08, SER=.06, CYS=.03, THR=.06, VAL=.07, LEU=.10, ILE=.06, MET=.03, PHE=.05, TYR=.04, TRP=.03,
             ASN=.05, ASP=.05, GLN=.05, GLU=.06, LYS=.06, ARG=.05, HIS=.03)


def place(a, b, c, length, angle, torsion):
    """The atom bound to c; arrays broadcast."""
    angle, torsion = np.radians(angle), np.radians(np.asarray(torsion, float))[..., None]
    z = (c - b) / np.linalg.norm(c - b, axis=-1, keepdims=True)
    y = np.cross(b - a, z)
    y /= np.linalg.norm(y, axis=-1, keepdims=True)
    x = np.cross(y, z)
    return c + length * (-np.cos(angle) * z + np.sin(angle) * (np.cos(torsion) * x + np.sin(torsion) * y))


def beta(n, ca, c):
    """CB, left-handed, as life has it."""
    return ca - 0.5827 * np.cross(ca - n, c - ca) + 0.5680 * (ca - n) - 0.5407 * (c - ca)


def backbone(phi, psi):
    """N, CA, C, O, CB of each residue, [N, 5, 3]."""
    out = np.zeros((N, 5, 3))
    n, ca = np.zeros(3), np.array([1.458, 0, 0])
    c = place(np.array([0, 1.0, 0]), n, ca, 1.525, 111, 60)
    for i in range(N):
        if i > 0:
            last_n, last_ca, last_c = out[i - 1, 0], out[i - 1, 1], out[i - 1, 2]
            n = place(last_n, last_ca, last_c, 1.329, 117.0, psi[i - 1])
            ca = place(last_ca, last_c, n, 1.458, 121.7, 180)
            c = place(last_c, n, ca, 1.525, 111.0, phi[i])
        out[i] = n, ca, c, place(n, ca, c, 1.231, 120.4, psi[i] + 180), beta(n, ca, c)
    return out


def mates(points):
    """[8, …, 3]; the first is the molecule itself."""
    return np.einsum("oij,...j->o...i", ROTATIONS, points) + SHIFTS.reshape((8,) + (1,) * (points.ndim - 1) + (3,))


def nearest(difference):
    return difference - CELL * np.round(difference / CELL)


def is_polar(names):
    return np.array([name[0] in "NO" for name in names], bool)


def limit(a, b):
    """The nearest that atoms come that are not bound, Å: of polar with polar, and others."""
    return np.where(a[:, None] & b[None], 2.7, np.where(a[:, None] | b[None], 3.15, 3.4))


# --- fold and crystal at once, two points a residue ---

APART = np.array([[5.3, 5.0], [5.0, 4.9]], np.float32)  # Å: between alphas, between side chains' beginnings


def two_points(bones):
    return np.concatenate([bones[:, 1], bones[:, 1] + 1.6 * (bones[:, 4] - bones[:, 1])]).astype(np.float32)


KIND = np.repeat([0, 1], N)
WANTED = APART[KIND[:, None], KIND[None, :]] ** 2
FAR = np.abs(np.arange(2 * N)[:, None] % N - np.arange(2 * N)[None, :] % N) > 4
UNLIKE = [1, 2, 4, 5, 6, 7]  # 3 is 2 seen from the other side


def overlap(points):
    """Sum over pairs that are too near, Å²; the axes apart, which is three times as fast."""
    others = mates(points)[UNLIKE].astype(np.float32)
    own, squared = np.zeros((2 * N, 2 * N), np.float32), np.zeros((len(UNLIKE), 2 * N, 2 * N), np.float32)
    for axis in range(3):
        x, edge = points[:, axis].copy(), np.float32(CELL[axis])
        d = x[:, None] - x[None]
        above = own + (d - edge) ** 2  # the chain one cell further along c, which is the shortest: of the last pass
        own += d * d
        d = others[:, :, axis][:, :, None] - x[None, None]
        d -= edge * np.rint(d / edge)
        squared += d * d
    total = (np.maximum(0, WANTED - own) * FAR).sum() / 2 + np.maximum(0, WANTED - above).sum()
    return float(total + np.maximum(0, WANTED[None] - squared).sum())


def turn(rng, most):
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    w = rng.normal() * most
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + np.sin(w) * k + (1 - np.cos(w)) * k @ k


BONE_LIMIT = limit(is_polar("NCCOC"), is_polar("NCCOC")) - 0.15


def knots(bones):
    """Overlap within loops, Å²."""
    return sum((np.maximum(0, BONE_LIMIT - np.linalg.norm(bones[:-k, :, None] - bones[k:, None], axis=-1)) ** 2).sum()
               for k in range(2, 6))


def energy(bones):
    points = two_points(bones)
    spread = np.sqrt(((bones[:, 1] - bones[:, 1].mean(0)) ** 2).sum(-1).mean())
    return overlap(points) + 60 * knots(bones) + 400 * max(0, spread - 14.5) ** 2


def fold(rng, steps):
    phi, psi, basin = np.full(N, -63.0), np.full(N, -42.0), np.zeros(N, int)
    loops = [i for i in range(N) if FOLD[i] == "C"]
    for i in loops:
        basin[i] = rng.integers(4)
        phi[i], psi[i] = BASINS[basin[i]]
    bones = backbone(phi, psi)
    bones += rng.random(3) * CELL - bones[:, 1].mean(0)
    now = energy(bones)
    best = (now, bones, basin.copy())
    for step in range(steps):
        heat = 150 * (2 / 150) ** (step / steps)
        p, s, b = phi.copy(), psi.copy(), basin.copy()
        small = 1 - step / steps
        centre = bones[:, 1].mean(0)
        if rng.random() < 0.5:
            i = loops[rng.integers(len(loops))]
            if rng.random() < 0.35 * small:
                b[i] = rng.choice(5, p=[.25, .25, .3, .1, .1])
                p[i], s[i] = BASINS[b[i]]
            p[i] = np.clip(p[i] + rng.normal() * 8, BASINS[b[i]][0] - 25, BASINS[b[i]][0] + 25)
            s[i] = np.clip(s[i] + rng.normal() * 8, BASINS[b[i]][1] - 25, BASINS[b[i]][1] + 25)
            fresh = backbone_from(bones, i, phi, psi, p, s)
            fresh += centre - fresh[:, 1].mean(0)
        else:
            fresh = (bones - centre) @ turn(rng, 0.5 * small + 0.03).T + centre + rng.normal(size=3) * (3 * small + 0.2)
        then = energy(fresh)
        if then < now or rng.random() < np.exp((now - then) / heat):
            bones, phi, psi, basin, now = fresh, p, s, b, then
            if now < best[0]:
                best = (now, bones, basin.copy())
        if step % 500 == 0:
            print("fold", step, round(now, 1), round(best[0], 1), file=sys.stderr, flush=True)
    return best


def rotate_about(points, origin, axis, degrees):
    w = np.radians(degrees)
    axis = axis / np.linalg.norm(axis)
    d = points - origin
    return origin + d * np.cos(w) + np.cross(axis, d) * np.sin(w) + (d @ axis)[..., None] * axis * (1 - np.cos(w))


def backbone_from(bones, i, phi, psi, p, s):
    """With other torsions at residue i: what follows it turns."""
    out = bones.copy()
    turned = rotate_about(out[i:], out[i, 1].copy(), out[i, 1] - out[i, 0], p[i] - phi[i])
    out[i, 2:4] = turned[0, 2:4]
    out[i + 1:] = turned[1:]
    turned = rotate_about(out[i:], out[i, 2].copy(), out[i, 2] - out[i, 1], s[i] - psi[i])
    out[i, 3] = turned[0, 3]
    out[i + 1:] = turned[1:]
    out[i, 4] = beta(*out[i, :3])
    return out


# --- the same with every atom of the chain ---

BONE_WANTED = (limit(is_polar("NCCOC"), is_polar("NCCOC")) + 0.15) ** 2


def bone_overlap(bones):
    """Å⁴; only residues whose alphas are near are looked at."""
    points = bones.reshape(-1, 3)
    alphas, total = bones[:, 1], 60 * knots(bones)
    everywhere = mates(points)
    for o in [0] + UNLIKE:
        for shift in ([np.zeros(3), np.array([0, 0, CELL[2]])] if o == 0 else [None]):
            d = everywhere[o].reshape(N, 5, 3)[:, 1][:, None] - alphas[None]
            moved = shift[None, None] if o == 0 else -CELL * np.round(d / CELL)
            i, j = np.nonzero(((d + moved) ** 2).sum(-1) < 72)
            if o == 0 and not shift.any():
                i, j = i[j - i > 5], j[j - i > 5]
            if len(i) == 0:
                continue
            at = moved[0, 0] if o == 0 else moved[i, j][:, None, :]
            e = (bones[i] if o == 0 else everywhere[o].reshape(N, 5, 3)[i]) + at
            e = ((e[:, :, None] - bones[j][:, None]) ** 2).sum(-1)
            total += (np.maximum(0, BONE_WANTED - e) ** 2).sum()
    return total


def settle(bones, rng, steps):
    """Small moves until no two atoms of the chain clash."""
    zero, now = np.zeros(N), bone_overlap(bones)
    for step in range(steps):
        centre = bones[:, 1].mean(0)
        if rng.random() < 0.7:
            i = rng.integers(N)
            p, s = zero.copy(), zero.copy()
            most = (4 if FOLD[i] == "C" else 0.7) * rng.random()
            p[i], s[i] = rng.normal(size=2) * most
            fresh = backbone_from(bones, i, zero, zero, p, s)
            fresh += centre - fresh[:, 1].mean(0)
        else:
            fresh = (bones - centre) @ turn(rng, 0.01).T + centre + rng.normal(size=3) * 0.15
        then = bone_overlap(fresh)
        if then <= now or rng.random() < np.exp((now - then) / (0.02 * now + 1e-9)):
            bones, now = fresh, then
        if step % 500 == 0:
            print("settle", step, round(float(now), 2), file=sys.stderr, flush=True)
        if now < 0.5:
            break
    return bones


# --- ligand, side chains, waters: every atom, and the crystal around it ---


def ligand():
    """Phenyl phosphate: names and places, around its middle."""
    ring = [1.39 * np.array([np.cos(t), np.sin(t), 0]) for t in np.radians(np.arange(6) * 60)]
    oxygen = np.array([1.39 + 1.38, 0, 0])
    phosphorus = place(ring[1], ring[0], oxygen, 1.60, 121, 180 - 60)
    ends = [place(ring[0], oxygen, phosphorus, 1.51, 107, t) for t in (60, 180, 300)]
    names = [f"C{i + 1}" for i in range(6)] + ["O1", "P1", "O2", "O3", "O4"]
    places = np.array(ring + [oxygen, phosphorus] + ends)
    return names, places - places.mean(0)


class Crystal:
    def __init__(self, bones):
        self.bones = bones
        self.types = ["ALA"] * N
        self.sides = [np.zeros((0, 3))] * N
        self.ligand_names, self.ligand = [], np.zeros((0, 3))
        self.waters = np.zeros((0, 3))

    def atoms(self):
        """Names, residues (N: the ligand, then waters), places."""
        names, owner, places = [], [], []
        for i in range(N):
            own = ["N", "CA", "C", "O"] + ([] if self.types[i] == "GLY" else ["CB"]) + [a[0] for a in SIDE[self.types[i]]]
            names += own
            owner += [i] * len(own)
            places += [self.bones[i, :5 if self.types[i] != "GLY" else 4], self.sides[i]]
        names += self.ligand_names + ["O"] * len(self.waters)
        owner += [N] * len(self.ligand) + list(range(N + 1, N + 1 + len(self.waters)))
        return names, np.array(owner), np.concatenate(places + [self.ligand, self.waters])

    def around(self, centre, radius):
        """Of the atoms near, each where it is nearest: whether polar, owner, whether a mate's, name, place."""
        names, owner, places = self.atoms()
        everywhere = mates(places)
        moved = centre + nearest(everywhere - centre)
        is_mate = np.ones(moved.shape[:2], bool)
        is_mate[0] = np.abs(moved[0] - places).max(-1) > 1
        chosen = np.linalg.norm(moved - centre, axis=-1) < radius
        which = np.nonzero(chosen)
        polar = is_polar(names)
        return polar[which[1]], owner[which[1]], is_mate[chosen], [names[k] for k in which[1]], moved[chosen]


def bury_ligand(crystal, rng):
    names, shape = ligand()
    polar, best = is_polar(names), (-1, None)
    bones = crystal.bones.reshape(-1, 3)
    heavy = np.tile(is_polar(["N", "C", "C", "O", "C"]), N)
    everywhere = mates(bones).reshape(-1, 3)
    many = np.tile(heavy, 8)
    middle = bones.mean(0)
    least = limit(polar, many) + 0.25
    for _ in range(15000):
        centre = middle + rng.normal(size=3) * 11
        moved = centre + nearest(everywhere - centre)
        near = np.linalg.norm(moved - centre, axis=-1)
        if near.min() < 3.9:
            continue
        places = centre + shape @ turn(rng, 3).T
        close = near < 12
        d = np.linalg.norm(places[:, None] - moved[close][None], axis=-1)
        own = np.linalg.norm(places[:, None] - nearest(mates(places)[1:].reshape(-1, 3) - centre)[None] - centre, axis=-1)
        if (d < least[:, close]).any() or own.min() < 5:
            continue
        if (d < 7.5).sum() > best[0]:
            best = ((d < 7.5).sum(), places)
    crystal.ligand_names, crystal.ligand = names, best[1]
    print("ligand", best[0], file=sys.stderr)


def rotamers(name, bones, rng):
    """[K, atoms, 3]: places of the side chain beyond CB."""
    choices = CHIS[name]
    if not choices:
        return np.zeros((1, len(SIDE[name]), 3))
    grid = np.array(np.meshgrid(*choices)).reshape(len(choices), -1).T.astype(float)
    if len(grid) > 27:
        grid = grid[rng.permutation(len(grid))[:27]]
    grid = np.concatenate([grid, grid + rng.normal(size=grid.shape) * 9])
    at = {k: np.broadcast_to(bones[j], (len(grid), 3)) for j, k in enumerate(("N", "CA", "C", "O", "CB"))}
    for atom, a, b, c, length, angle, torsion in SIDE[name]:
        turned = grid[:, torsion[0] - 1] + torsion[1] if isinstance(torsion, tuple) else np.full(len(grid), float(torsion))
        at[atom] = place(at[a], at[b], at[c], length, angle, turned)
    return np.stack([at[a[0]] for a in SIDE[name]], 1)


def judge(name, places, i, around):
    """How well each of the side chains [K, atoms, 3] fits."""
    polar, owner, mate, names, env = around
    mine = is_polar([a[0] for a in SIDE[name]])
    own = (owner == i) & ~mate
    use = ~own | (np.array(names) == "O")
    d = np.linalg.norm(places[:, :, None] - env[use][None, None], axis=-1)
    least = limit(mine, polar[use])[None]
    both = (mine[:, None] & polar[use][None])[None]
    score = -40 * (np.maximum(0, least - d) ** 2).sum((1, 2)) + 0.10 * ((d < 4.7) & (d > least)).sum((1, 2))
    score += 0.8 * (both & (d > 2.6) & (d < 3.3)).sum((1, 2))
    others = mates(places)[1:]  # the same side chain's mates
    e = np.linalg.norm(nearest(others[:, :, :, None] - places[None, :, None, :]), axis=-1)
    return score - 40 * (np.maximum(0, limit(mine, mine) - e) ** 2).sum((0, 2, 3))


def dress(crystal, rng, sweeps=7):
    burial = np.zeros(N)
    for i in range(N):
        _, _, _, names, env = crystal.around(crystal.bones[i, 4], 10)
        burial[i] = names.count("CB")
    burial = (burial - burial.mean()) / burial.std()
    for sweep in range(sweeps):
        heat = [3, 2, 1.2, .7, .4, .2, 0.01][sweep]
        for i in rng.permutation(N):
            crystal.types[i], crystal.sides[i] = "GLY", np.zeros((0, 3))
            around = crystal.around(crystal.bones[i, 4], 15)
            options = []
            for name in ["GLY"] if crystal.left[i] else SIDE:
                count = crystal.types.count(name) - (name == "GLY")
                score = -3.0 * np.log((count + 1) / (N * SHARE[name] + 1)) + (1.5 if name in GREASY else -1.5) * burial[i]
                if name == "GLY" and FOLD[i] == "H":
                    score -= 3
                places = rotamers(name, crystal.bones[i], rng)
                scores = score + (judge(name, places, i, around) if SIDE[name] else np.zeros(1))
                k = int(scores.argmax())
                options.append((scores[k] + heat * rng.gumbel(), name, places[k]))
            _, crystal.types[i], crystal.sides[i] = max(options, key=lambda o: o[0])
        print("sweep", sweep, sum(len(s) for s in crystal.sides), file=sys.stderr, flush=True)


def pour(crystal, rng, most=70):
    """Waters where two polar atoms can hold them."""
    names, owner, places = crystal.atoms()
    polar = np.nonzero(is_polar(names))[0]
    for k in rng.permutation(polar):
        if len(crystal.waters) == most:
            return
        direction = rng.normal(size=(40, 3))
        tries = places[k] + 2.85 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
        is_p, _, _, _, env = crystal.around(places[k], 9)
        d = np.linalg.norm(tries[:, None] - env[None], axis=-1)
        own = np.linalg.norm(nearest(mates(tries)[1:] - tries[None]), axis=-1).min(0)
        good = (d > np.where(is_p, 2.65, 3.3)).all(1) & (((d < 3.4) & is_p).sum(1) >= 2) & (own > 2.7)
        if good.any():
            crystal.waters = np.concatenate([crystal.waters, tries[good][:1]])


def gather(crystal):
    """The chain's middle in the cell, the ligand and each water where they lie beside the chain."""
    shift = -CELL * np.floor(crystal.bones[:, 1].mean(0) / CELL)
    crystal.bones = crystal.bones + shift
    crystal.sides = [side + shift for side in crystal.sides]
    chain = np.concatenate([crystal.bones.reshape(-1, 3)] + crystal.sides)
    cells = np.array(np.meshgrid(*[[-1, 0, 1]] * 3)).reshape(3, -1).T * CELL

    def beside(places):
        tries = (mates(places - CELL * np.floor(places.mean(0) / CELL))[:, None] + cells[None, :, None]).reshape(-1, len(places), 3)
        far = np.linalg.norm(tries[:, :, None] - chain[None, None], axis=-1).min(-1).mean(-1)
        return tries[far.argmin()]

    crystal.ligand = beside(crystal.ligand)
    crystal.waters = np.concatenate([beside(water[None]) for water in crystal.waters])


# --- files ---

HEAD = """HEADER    MADE, NOT MEASURED                                          DEMO
TITLE     A PROTEIN THAT NEVER WAS, FOR THE DEMO'S SIMULATED BEAMTIME
REMARK   1 MADE BY MAKE-PROTEIN.PY: IDEAL HELICES, FOLDED AND PACKED BY
REMARK   1 SIMULATED ANNEALING. NO PART OF IT IS OF A REAL STRUCTURE; IT
REMARK   1 MEANS NOTHING IN BIOLOGY. LIG 201 IS PHENYL PHOSPHATE.
CRYST1{0:9.3f}{1:9.3f}{2:9.3f}  90.00  90.00  90.00 P 43 21 2     8
"""


def write(path, crystal):
    names, owner, places = crystal.atoms()
    out = [HEAD.format(*CELL)]
    everywhere = mates(places).reshape(-1, 3)
    serial = 0
    for name, i, x in zip(names, owner, places):
        crowd = (np.linalg.norm(nearest(everywhere - x), axis=1) < 8).sum()
        b = np.clip(29 - 0.10 * crowd + (1.5 if name not in ("N", "CA", "C", "O") else 0), 14, 32)
        kind, number = ("HETATM", 301 + i - N - 1) if i > N else ("HETATM", 201) if i == N else ("ATOM  ", i + 1)
        residue = "HOH" if i > N else "LIG" if i == N else crystal.types[i]
        serial += 1
        out.append(f"{kind}{serial:5d}  {name:<3s} {residue} A{number:4d}    {x[0]:8.3f}{x[1]:8.3f}{x[2]:8.3f}  1.00{b:6.2f}"
                   f"          {name[0]:>2s}\n")
        if i == N - 1 and (serial == len(names) or owner[serial] != i):
            out.append(f"TER   {serial + 1:5d}      {residue} A{number:4d}\n")
    with open(path, "w") as file:
        file.write("".join(out) + "END\n")


def main(folder):
    rng = np.random.default_rng(SEED)
    _, bones, basin = fold(rng, STEPS)
    crystal = Crystal(settle(bones, rng, 4000))
    crystal.left = basin == LEFT
    bury_ligand(crystal, rng)
    dress(crystal, rng)
    pour(crystal, rng)
    gather(crystal)
    write(os.path.join(folder, "made-protein.pdb"), crystal)


if __name__ == "__main__":
    main(sys.argv[1])
