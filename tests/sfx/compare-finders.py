"""All spot finders on the same shots: at their defaults, at the best settings of a small search on other shots of the same
set, and the adaptive one with nothing set. Precision and recall against lattices that are known.

compare-finders.py ENGINE; needs FIRSTLIGHT_TEST_DATA for the sets of another program and for real stills; detectors whose
gain, pedestal and noise differ from what their geometry says are simulated here. A spot is right within 2 px of a lattice
point with I > 2 sigma; points with I > 4 sigma must be found. The sets of another program have crystals of few cells, whose
side maxima lie up to halfway between lattice points, and a background that is known to the photon: there a spot is right,
too, where it stands on more light than that. Scores are means over shots."""
import glob, os, shutil, subprocess, sys, tempfile

engine = sys.argv[1]
data = os.environ.get("FIRSTLIGHT_TEST_DATA", "")
import h5py
import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import finder_truth as truth

temporary = tempfile.mkdtemp(prefix="firstlight-finders-")
number = 0
LYSO = ["indexing.unit_cell=79.1,79.1,37.9,90,90,90", "indexing.space_group=P43212"]


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


# --- finders: settings in the order in which they are searched, each with what a user would try; {g}: true gain

FINDERS = {
    "dispersion": [("spots.gain", ["1", "{g}", "{2g}", "{6g}"]), ("spots.sigma_strong", ["3", "2", "4", "6", "8"]),
                   ("spots.min_size", ["3", "2"])],
    "dispersion_extended": [("spots.gain", ["1", "{g}", "{2g}", "{6g}"]), ("spots.sigma_strong", ["3", "2", "4", "6", "8"]),
                            ("spots.min_size", ["3", "2"])],
    "peakfinder8": [("peakfinder8.threshold", ["800", "{0g}", "{2g}", "{5g}", "{15g}"]),
                    ("peakfinder8.min_snr", ["5", "4", "6", "8"]), ("peakfinder8.min_pix_count", ["2", "1", "3"])],
    "radial_profile": [("spots.gain", ["1", "{g}"]), ("radial_profile.n_iqr", ["6", "2", "3", "4", "10"]),
                       ("radial_profile.blur", ["none", "narrow", "wide"]), ("spots.min_size", ["3", "2"])],
    "adaptive": [],
}
AS_CRYSTFEL = "peakfinder8 of CrystFEL"  # its own column for one set
FINDERS[AS_CRYSTFEL] = FINDERS["peakfinder8"]


def choose(finder):
    if finder == AS_CRYSTFEL:
        return ["spots.algorithm=peakfinder8", "peakfinder8.compatible=yes"]
    return ["spots.algorithm=" + finder]


# --- sets

class Set:
    def __init__(self, name, h5, geometry, table, dataset, mask, gain, noise, train, test, index=None, level=None,
                 pedestal=0):
        self.name, self.h5, self.geometry, self.gain, self.train, self.test, self.index = name, h5, geometry, gain, train, test, index
        panels, events = truth.read_geometry(geometry), truth.read_truth(table)
        self.panels, self.dataset, self.level = panels, dataset, level
        self.good = good = h5py.File(mask[0])[mask[1]][...] == 0
        self.frames, self.events, self.energies = {}, events, {}
        with h5py.File(h5) as file:
            for i in train + test:
                event = events[i]
                energy = float(event["energy"] or file["/entry/photon_energy_eV"][i])
                self.energies[i] = energy
                points = np.concatenate([np.zeros((0, 3))] + [truth.predict(panels, star, 12398.42 / energy)
                                                              for star in event["crystals"]])
                strength = truth.significance(panels, (file[dataset][i] - pedestal) / gain, good, points, noise / gain)
                self.frames[i] = event["kind"], points, strength

    def light(self, frame, spots):
        """Which spots stand on light, of the lattice or not, where the background is known."""
        event, energy = self.events[frame], self.energies[frame]
        with h5py.File(self.h5) as file:
            photons = file[self.dataset][frame]
        return truth.is_light(self.panels, photons, self.good, spots, 12398.42 / energy, self.level * event["scale"])

    def inputs(self, frames):
        path = os.path.join(temporary, "frames.lst")
        with open(path, "w") as file:
            file.writelines(f"{self.h5} //{i}\n" for i in frames)
        return [path], ["detector.geometry=" + self.geometry]


def crystfel(name, label, level, train, test):
    at = f"{data}/crystfel-sim/{name}"
    return Set(label, at + ".h5", at + ".geom", at + ".truth.tsv", "/entry/data/data", (at + ".mask.h5", "/mask"), 1, 0,
               train, test, LYSO, level)


def simulated(label, pedestal=0, **settings):
    """The geometry says nothing of the gain: it has drifted from 1."""
    out = os.path.join(temporary, label.replace(" ", "-"))
    settings = dict(hit_fraction=0.8, double_fraction=0, pulse_photons=3e10, **settings)
    subprocess.run([engine, "simulate-sfx", "-q", "--out", out, "--shots", "10"]
                   + [w for k, v in settings.items() for w in ("--set", f"simulate.{k}={v}")], check=True)
    h5 = out + "/r0001/r0001_c00.cxi"
    text = "".join(line for line in open(out + "/detector.geom") if not line.startswith("adu_per_photon"))
    open(out + "/detector.geom", "w").write(text)
    drift = 0
    if pedestal:
        with h5py.File(h5, "r+") as file:
            raw = file["/entry_1/data_1/data"]
            drift = np.round(pedestal * (1 + 0.1 * (np.arange(raw.shape[1]) // 64 % 3)))[:, None].astype(raw.dtype)  # bands of 64 rows
            raw[...] = raw[...] + drift
    return Set(label, h5, out + "/detector.geom", h5.replace(".cxi", ".truth.tsv"), "/entry_1/data_1/data",
               (h5, "/entry_1/data_1/mask"), settings["gain"], settings["readout_noise"], [0, 1, 2, 3], [4, 5, 6, 7, 8, 9],
               pedestal=drift)


class Real:
    """Two real stills. Reference: what the lattices predict that the plain threshold, set by hand, leads to, out to where
    more points find no more spots (chance alone: 0.2 and 3 % of places), as far as the pixels show it. What belongs to a
    lattice that was not found there counts as wrong, for all finders."""

    def __init__(self):
        from dxtbx.model.experiment_list import ExperimentListFactory
        self.name, self.gain, self.level = "CSPAD, real", 6.5, None
        self.files = sorted(glob.glob(f"{data}/stills/cspad_thermolysin/*.cbf"))
        self.index = ["indexing.unit_cell=92.9,92.9,130.5,90,90,120", "indexing.space_group=P6122"]
        self.train = self.test = [0, 1]
        out = os.path.join(temporary, "reference")
        subprocess.run([engine, "stills", "--stages", "all", "--out", out, "--set", "spots.algorithm=dispersion", "--set",
                        "spots.global_threshold=100", "--set", "spots.gain=1"] + [w for s in self.index for w in ("--set", s)]
                       + self.files, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.frames = {}
        with h5py.File(out + "/spots.h5") as file:
            table = {c: file["lattices/" + c][:] for c in file["lattices"]}
            ids = file["shots/id"][:]
        for i, path in enumerate(self.files):
            images = ExperimentListFactory.from_filenames([path])[0].imageset
            panels, sizes = truth.dxtbx_panels(images.get_detector())
            pixels = np.stack([p.as_double().as_numpy_array() for p in images.get_raw_data(0)]) / self.gain
            good = np.stack([p.as_numpy_array() for p in images.get_mask(0)])
            lattices = [(np.array([[table[f"{a}_star_{x}"][k] for x in "xyz"] for a in "abc"], float),
                         np.array([table[f"shift_{x}"][k] for x in "xyz"], float)) for k in np.flatnonzero(table["shot"] == ids[i])]
            points = truth.near_lattice(panels, sizes, lattices, images.get_beam().get_wavelength())
            self.frames[i] = "hit", points, truth.significance(panels, pixels, good, points, None)

    def inputs(self, frames):
        return [self.files[i] for i in frames], []


# --- running

def run(set, frames, settings, stages="spots"):
    """F1, precision, recall, precision by the lattice alone: means; spots a blank; ms a shot of finding; last line."""
    out = tempfile.mkdtemp(dir=temporary)
    inputs, more = set.inputs(frames)
    line = [engine, "stills", "--stages", stages, "--out", out] + [w for s in more + settings for w in ("--set", s)] + inputs
    last = subprocess.run(line, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split("\n")[-2]
    with h5py.File(out + "/spots.h5") as file:
        spots = np.stack([file["spots/" + c][:].astype(float) for c in ("panel", "fs", "ss")], 1)
        rows = list(zip(file["shots/frame"][:], file["shots/first_spot"][:], file["shots/spots"][:]))
        cost = 1e-3 * float(np.median(file["shots/t_find"][:]))
    shutil.rmtree(out)
    scores, blank = [], []
    for order, (frame, first, n) in enumerate(rows):
        frame = int(frame) if isinstance(set, Set) else frames[order]
        kind, points, strength = set.frames[frame]
        mine = spots[int(first):int(first) + int(n)]
        if kind == "blank":
            blank.append(len(mine))
            continue
        right, (on, of, found, strong) = truth.match(mine, points, strength)
        if set.level is not None:
            right[~right] = set.light(frame, mine[~right])
        p, r = right.sum() / max(of, 1), found / max(strong, 1)
        scores.append((2 * p * r / max(p + r, 1e-9), p, r, on / max(of, 1)))
    return (*np.mean(scores, 0), np.mean(blank) if blank else 0.0, cost, last)


def fill(value, gain):
    return f"{float(value[1:-2] or 1) * gain:g}" if value.startswith("{") else value


def search(set, finder):
    """The best settings on the training shots, one after another; the first of each is the default."""
    chosen = choose(finder)
    for name, values in FINDERS[finder]:
        scores = []
        for value in dict.fromkeys(fill(v, set.gain) for v in values):
            try:
                scores.append((run(set, set.train, chosen + [f"{name}={value}"])[0], f"{name}={value}"))
            except (subprocess.CalledProcessError, IndexError):
                continue
        best = max(scores, key=lambda s: s[0])
        chosen.append(best[1])
    return chosen


def compare(set, finders):
    """By finder and how: F1, precision, recall, spots a blank, indexed, lattices, ms."""
    result = {}
    for finder in finders:
        for how in ("default", "tuned") if FINDERS[finder] else ("default",):
            settings = choose(finder) if how == "default" else search(set, finder)
            f, p, r, on_lattice, blank, cost, last = run(set, set.test, settings)
            indexed, lattices = 0, 0
            if set.index:
                last = run(set, set.test, settings + set.index, "index")[6]
                indexed, lattices = (int(part.split()[0]) for part in last.split(", ")[2:])
            result[finder, how] = f, p, r, blank, indexed, lattices, cost
            print(f"# {set.name:20} {finder:23} {how:8} {f:.3f} {p:.3f} {r:.3f} {on_lattice:.3f} {blank:8.1f} {indexed:4} {lattices:4} {cost:7.1f}  "
                  + " ".join(settings[1:]), flush=True)
    return result


def best(result):
    return max(v[0] for (finder, _), v in result.items() if finder != "adaptive")


SIMULATED = {
    "gain 0.5": dict(gain=0.5, readout_noise=0.15, seed=11),
    "gain 1": dict(gain=1, readout_noise=0, seed=12),
    "gain 5, noise 1": dict(gain=5, readout_noise=5, seed=13),
    "gain 5, pedestal 40": dict(gain=5, readout_noise=2, seed=21, pedestal=40),
    "gain 40": dict(gain=40, readout_noise=4, seed=14),
    "background 0.1": dict(gain=40, readout_noise=4, background=0.1, seed=15),
    "background 10": dict(gain=40, readout_noise=4, background=10, seed=16),
    "noise 3": dict(gain=40, readout_noise=120, seed=17),
    "ice": dict(gain=1, readout_noise=0, ice=100, seed=18),
}
print("# set, finder, settings: F1, precision, recall, precision by lattice points alone, spots a blank, indexed, lattices, ms a shot of finding (wall, on this machine)")
ALL = [name for name in FINDERS if name != AS_CRYSTFEL]
for label, settings in SIMULATED.items():
    result = compare(simulated(label, **settings), ALL)
    mine = result["adaptive", "default"]
    check(f"{label}: F1 with nothing set {mine[0]:.3f}, best of the others tuned {best(result):.3f}",
          mine[0] > best(result) - (0.06 if "pedestal" in label else 0.03))  # steps inside a panel look like edges of spots
    if label not in ("gain 1", "gain 0.5", "ice"):
        others = max(v[0] for (finder, how), v in result.items() if finder.startswith("disp") and how == "default")
        check(f"{label}: no worse than what the thresholds make of a gain that nobody told them ({others:.3f})", mine[0] > others - 0.01)


def compare_foreign(set, finders):
    result = compare(set, finders)
    mine, others = result["adaptive", "default"], [v for (finder, _), v in result.items() if finder != "adaptive"]
    check(f"{set.name}: F1 with nothing set {mine[0]:.3f}, best of the others tuned {best(result):.3f}, {mine[3]:.2f} spots a blank",
          mine[0] > best(result) - 0.02 and mine[3] < 0.5)
    check(f"{set.name}: indexed {mine[4]} ({max(v[4] for v in others)}), lattices {mine[5]} ({max(v[5] for v in others)})",
          mine[4] >= max(v[4] for v in others) and mine[5] >= max(v[5] for v in others))
    print(f"# {set.name}: {mine[6] / result['dispersion_extended', 'default'][6]:.2f} of the extended threshold's time")


if os.path.isdir(data + "/crystfel-sim"):
    compare_foreign(crystfel("lyso-agipd1m", "A", 0.6, list(range(14)), list(range(14, 42))), ALL + [AS_CRYSTFEL])
    compare_foreign(crystfel("lyso-jf4m", "B", 0.15, list(range(4)), list(range(4, 12))), ALL)
else:
    print(f"# no sets of another program in {data}")
try:
    real = Real() if os.path.isdir(data + "/stills/cspad_thermolysin") else None
    if real is None:
        print(f"# no real stills in {data}")
    else:
        compare_foreign(real, ALL)
except ImportError as missing:
    print(f"# no real stills: {missing}")
shutil.rmtree(temporary)
print(f"1..{number}")
