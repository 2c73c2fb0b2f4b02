#!/usr/bin/python3
"""Geometries that convert-geometry wrote as imgCIF, NXmx and .expt, and how dxtbx reads them; a table of psana for images in its shapes.
Usage: oracle-geometry.py FIRSTLIGHT-ENGINE FIRSTLIGHT-CONTROL"""
import os
import re
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
    from dxtbx.format.FormatCBFMultiTileHierarchy import FormatCBFMultiTileHierarchyStill
    from dxtbx.format.FormatNXmx import FormatNXmx
    from dxtbx.model import BeamFactory, Detector, Experiment, ExperimentList
    from dxtbx.model.experiment_list import ExperimentListFactory
except ImportError as missing:
    print(f"dxtbx and h5py are not there: {missing}")
    sys.exit(77)

engine, control = sys.argv[1:3]
data = os.environ.get("FIRSTLIGHT_TEST_DATA", "/nowhere")
folder = tempfile.TemporaryDirectory()
n_tests = 0


def place(name):
    return os.path.join(folder.name, name)


def check(what, ok, more=""):
    global n_tests
    n_tests += 1
    print(f"{'ok' if ok else 'not ok'} {n_tests} - {what}{'' if ok else ': ' + str(more)}")
    if not ok:
        sys.exit(1)


def convert(source, form, name, *more):
    run = subprocess.run([engine, "convert-geometry", source, "--to", form, "--out", place(name), *more],
                         capture_output=True, text=True)
    check(f"{os.path.basename(source)} to {form}", run.returncode == 0, run.stderr)
    return place(name)


def vector(text):
    v = np.zeros(3)
    for number, axis in re.findall(r"([+-]?[\d.]*)([xyz])", text.replace(" ", "")):
        v["xyz".index(axis)] += float(number + ("1" if number in ("", "+", "-") else ""))
    return v


def read_geom(path, clen):
    """Panels of a CrystFEL geometry: name to corner, fs and ss in dxtbx' frame, mm."""
    defaults, panels = {}, {}
    for line in open(path):
        line = line.split(";")[0]
        if "=" not in line:
            continue
        key, value = (part.strip() for part in line.split("=", 1))
        if "/" not in key:
            defaults[key] = value
        elif not key.startswith("bad"):
            name, key = key.split("/")
            panels.setdefault(name, dict(defaults))[key] = value
    turn = np.array([-1, 1, -1])
    answer = {}
    for name, p in panels.items():
        step = 1e3 / float(p["res"])
        z = clen + 1e3 * float(p.get("coffset", 0))
        answer[name] = (np.array([float(p["corner_x"]) * step, float(p["corner_y"]) * step, z]) * turn,
                        vector(p["fs"]) * step * turn, vector(p["ss"]) * step * turn)
    return answer


def same(detector, truth, what):
    worst = 0
    check(f"{what}: panels", len(detector) == len(truth), len(detector))
    for panel in detector:
        origin, fs, ss = truth[panel.get_name().split("/")[-1]]
        n = panel.get_image_size()
        for f, s in (0, 0), (n[0], 0), (0, n[1]), n:
            worst = max(worst, np.abs(np.array(panel.get_pixel_lab_coord((f, s))) - origin - f * fs - s * ss).max())
    check(f"{what}: corners ({worst:.2g} mm)", worst < 1e-6, worst)


for name, clen in ("crystfel-sim/lyso-agipd1m.geom", 200), ("geom/cspad-cxib2313-v9.geom", 80), ("geom/mfx_epix10k2M.geom", 300):
    source = os.path.join(data, name)
    if not os.path.exists(source):
        print(f"# {name} is not there: skipped")
        continue
    if "photon_energy =" not in open(source).read().replace("; photon", ""):
        with open(place("lit.geom"), "w") as file:  # dxtbx has no beam without a wavelength
            file.write("photon_energy = 9000 eV\n" + open(source).read())
        source = place("lit.geom")
    truth = read_geom(source, clen)
    if "epix10k2M" in name:  # its axes, of six digits, are off a right angle by more than DIALS takes
        source = convert(source, "crystfel", "upright.geom", "--upright")
        truth = read_geom(source, clen)
    same(FormatCBFMultiTileHierarchyStill(convert(source, "imgcif", "a.cbf", "--distance", str(clen)))._detector(), truth,
         f"imgCIF of {name}")
    same(FormatNXmx(convert(source, "nxmx", "a.nxs", "--distance", str(clen)))._detector(), truth, f"NXmx of {name}")
    expt = convert(source, "dials", "a.expt", "--distance", str(clen))
    same(ExperimentListFactory.from_json_file(expt, check_format=False)[0].detector, truth, f".expt of {name}")

# A list that dxtbx wrote: sensors in quadrants in a detector, each with a frame of its own.
detector = Detector()
root = detector.hierarchy()
root.set_frame((1, 0, 0), (0, -1, 0), (3, -4, -250))
for q in range(4):
    a = 0.5 + 1.6 * q
    quadrant = root.add_group()
    quadrant.set_local_frame((np.cos(a), np.sin(a), 0.1), (-np.sin(a), np.cos(a), 0), (20 * np.cos(a), 20 * np.sin(a), 0.2 * q))
    for k in range(2):
        sensor = quadrant.add_panel()
        sensor.set_name(f"q{q}s{k}")
        sensor.set_local_frame((1, 0.01 * k, 0), (-0.01 * k, 1, 0), (-10, -5 + 11 * k, 0))
        sensor.set_pixel_size((0.075, 0.075))
        sensor.set_image_size((200, 100))
        sensor.set_trusted_range((-10, 50000))
truth = {p.get_name(): (np.array(p.get_origin()), 0.075 * np.array(p.get_fast_axis()), 0.075 * np.array(p.get_slow_axis()))
         for p in detector}
ExperimentList([Experiment(beam=BeamFactory.simple(1.3), detector=detector)]).as_file(place("tree.expt"))
source = convert(place("tree.expt"), "crystfel", "tree.geom")
same(ExperimentListFactory.from_json_file(convert(source, "dials", "again.expt"), check_format=False)[0].detector, truth, "a tree")
found = read_geom(source, 1e3 * float(re.search(r"^clen = (\S+) m", open(source).read(), re.M)[1]))
same(detector, found, "a tree as .geom")

# Two sensors of a CSPAD: as a stack of rows, as segments, of one shot or many.
with open(place("psana.data"), "w") as file:
    file.write("IP 0 SENS2X1:V1 0 0 15000 100000 0 0 0 0 0 0\nIP 0 SENS2X1:V1 1 0 -30000 100000 180 0 0 0.1 0 0\n")
geom, cbf = convert(place("psana.data"), "crystfel", "two.geom"), convert(place("psana.data"), "imgcif", "two.cbf")
pixels = np.arange(3 * 2 * 185 * 388, dtype=np.int32).reshape(3, 2, 185, 388) % 1000
shapes = {"segments": pixels, "rows": pixels.reshape(3, 370, 388), "shot": pixels[0], "shot-rows": pixels[0].reshape(370, 388)}
for shape, values in shapes.items():
    for at in "/entry_1/data_1/data", "/entry/data/data":
        with h5py.File(place("shots.h5"), "w") as file:
            file[at] = values
            file["/LCLS/photon_energy_eV"] = 9000.0
        for geometry in place("psana.data"), cbf:
            run = subprocess.run([control, "inspect", "--geometry", geometry, "--panels", place("shots.h5")],
                                 capture_output=True, text=True)
            last = values.reshape(-1, 2, 185, 388)[-1]
            frame = re.findall(r"^frame (\d+).*: i32, (\S+) to (\S+), mean ([^,\s]+)", run.stdout, re.M)
            panels = re.findall(r"^panel (\S+): 194 x 185 px, .*origin (\S+ \S+ \S+), fast", run.stdout, re.M)
            ok = run.returncode == 0 and len(panels) == 4 and frame and abs(float(frame[-1][3]) - last.mean()) < 1e-3
            check(f"{os.path.basename(geometry)} for {shape} at {at}", ok, run.stdout + run.stderr)
with h5py.File(place("shots.h5"), "w") as file:
    file["/entry/data/data"] = pixels[:, :, :184]
run = subprocess.run([control, "inspect", "--geometry", place("psana.data"), place("shots.h5")], capture_output=True, text=True)
check("images of another shape", run.returncode == 2 and "no images of 388 x 370 px in a stack" in run.stderr, run.stderr)

# What inspect says of geometries by themselves.
for name, kind in (place("psana.data"), "psana geometry"), (geom, "CrystFEL geometry"), (cbf, "imgCIF geometry"):
    run = subprocess.run([control, "inspect", name], capture_output=True, text=True)
    check(f"inspect: {kind}", run.returncode == 0 and f"format: {kind}" in run.stdout and "panels: 4 of 194 x 185 px" in run.stdout
          and re.search(r"^extent: x -25\.1676 to 40\.2051 mm, y ", run.stdout, re.M) and "angle: " in run.stdout, run.stdout + run.stderr)
still = os.path.join(data, "stills/cspad_thermolysin/idx-20130301060858401.cbf")
if os.path.exists(still):
    a, b = convert(still, "crystfel", "still.geom"), convert(still, "imgcif", "still.cbf")
    lines = [subprocess.run([control, "inspect", "--panels", path], capture_output=True, text=True).stdout for path in (still, a, b)]
    panels = [re.findall(r"^panel (\S+): (.*), trusted", text, re.M) for text in lines]
    check("the header of a still, three times the same", len(panels[0]) == 64 and sorted(panels[0]) == sorted(panels[1]) == sorted(panels[2]),
          [p[:1] for p in panels])
for wrong, message in (["--to", "xml"], "--to 'xml' is not a form"), (["--to", "psana"], "expected one geometry"):
    run = subprocess.run([engine, "convert-geometry", geom, "--out", place("x"), *(wrong if "xml" in wrong else wrong[:1] + ["psana", geom])],
                         capture_output=True, text=True)
    check(f"{wrong}", run.returncode == 2 and message in run.stderr, run.stderr)
print(f"1..{n_tests}")
