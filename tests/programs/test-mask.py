#!/usr/bin/env python3
"""Masks by rules: `firstlight-control mask` writes what CrystFEL's reader would take for the same pixels; `stills` finds no spots
there; planted pixels are found; the mask is edited again by serve and gives the same file; an experiment gets a new block.
usage: test-mask.py CONTROL ENGINE"""
import os, re, sqlite3, subprocess, sys, tempfile

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "view"))
CONTROL, ENGINE = sys.argv[1:3]
MASK = "/entry/instrument/detector/pixel_mask"
DETECTOR = (200, 210)  # ss, fs of the dataset; the panels leave a frame and a gap
PANELS = {"left": (5, 100, 8, 187), "right": (104, 203, 8, 187)}  # first and last fs, ss in the data
FRAMES = 60
number = 0


def check(good, name, detail=""):
    global number
    number += 1
    print("ok" if good else "not ok", number, "-", name + ("" if good else f" # {detail}"), flush=True)
    return good


def run(program, *args):
    done = subprocess.run([program, *args], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def panel(data, name):
    a, b, c, d = PANELS[name]
    return data[..., c:d + 1, a:b + 1]


def text_of(value):
    return value if isinstance(value, str) else bytes(value).decode()


def make(place):
    """Shots in two files, with the geometry, and which pixels were planted (0 good, 1 dead, 2 hot, 3 noisy)."""
    rng = np.random.default_rng(3)
    kind = np.where(rng.random(DETECTOR) < 0.01, rng.integers(1, 4, DETECTOR), 0)
    data = np.zeros((FRAMES,) + DETECTOR, np.int32)
    y, x = np.mgrid[:DETECTOR[0], :DETECTOR[1]]
    radius = np.hypot(x - 102, y - 98)
    for k in range(FRAMES):
        frame = rng.poisson(rng.uniform(5, 40) * np.exp(-radius / 90))
        for s in range(12):
            cy, cx = 12 + 15 * s, 20 + (7 * k + 31 * s) % 170
            frame[cy:cy + 3, cx:cx + 3] += np.array([[90, 300, 90], [300, 2000, 300], [90, 300, 90]])
        frame = np.where(kind == 1, 7, np.where(kind == 2, frame + 90, frame))
        data[k] = np.where(kind == 3, frame + rng.normal(0, 45, DETECTOR), frame)
    files = []
    for i in range(2):
        files.append(os.path.join(place, f"shots-{i}.h5"))
        with h5py.File(files[-1], "w") as f:
            f.create_dataset("/entry/data/data", data=data[i * FRAMES // 2:(i + 1) * FRAMES // 2], chunks=(1,) + DETECTOR)
    geometry = os.path.join(place, "two.geom")
    with open(geometry, "w") as f:
        f.write("photon_energy = 9500\nclen = 0.1\nadu_per_photon = 1\nres = 10000\ndata = /entry/data/data\ndim0 = %\ndim1 = ss\ndim2 = fs\n")
        for name, (a, b, c, d) in PANELS.items():
            f.write(f"{name}/min_fs = {a}\n{name}/max_fs = {b}\n{name}/min_ss = {c}\n{name}/max_ss = {d}\n"
                    f"{name}/corner_x = {a - 102}\n{name}/corner_y = {c - 98}\n{name}/fs = x\n{name}/ss = y\n")
    return files, geometry, kind


def places(place, files, geometry):
    """Rules about places, against numpy; and what stills makes of them."""
    rules, out = os.path.join(place, "places.txt"), os.path.join(place, "places.h5")
    text = "edges 2\nrectangle left 30 60 20 90\ncircle 2.5 1.5 2\nunmask rectangle left 40 45 30 35\n"
    open(rules, "w").write(text)
    code, said, complaint = run(CONTROL, "mask", "--geometry", geometry, "--out", out, rules, *files)
    check(code == 0 and "% of 35280 pixels masked" in said, "a mask by places", said + complaint)
    expected = np.zeros(DETECTOR, bool)
    for name, (a, b, c, d) in PANELS.items():
        part = panel(expected, name)
        part[:2], part[-2:], part[:, :2], part[:, -2:] = True, True, True, True
        if name == "left":
            part[20:91, 30:61] = True
        ss, fs = np.mgrid[c:d + 1, a:b + 1]
        # CrystFEL's x grows to the left as seen from the source, as ours: x, y of the geometry are the laboratory's.
        part |= np.hypot((fs + 0.5 - 102) * 0.1 - 2.5, (ss + 0.5 - 98) * 0.1 - 1.5) <= 2
        if name == "left":
            part[30:36, 40:46] = False
    with h5py.File(out) as f:
        mask = f[MASK][:]
        kept = text_of(f[MASK].attrs["rules"])
    check(mask.dtype == np.uint8 and mask.shape == DETECTOR, f"of the data's shape: {mask.shape} {mask.dtype}")
    check(all((panel(mask, n) == panel(expected, n)).all() for n in PANELS), "read by CrystFEL's way: a panel's box of the dataset")
    check(kept == text, "the rules are kept beside it")
    found = {}
    for name, extra in [("without", []), ("with", ["--set", f"detector.mask={out}"])]:
        job = os.path.join(place, "job-" + name)
        code, said, complaint = run(ENGINE, "stills", "--stages", "spots", "--out", job, "--set", "hit.min_spots=1", "--set",
                                    f"detector.geometry={geometry}", *extra, files[0])
        with h5py.File(os.path.join(job, "spots.h5")) as f:
            s = {c: f["spots"][c][:] for c in f["spots"]}
        at = np.zeros(len(s["fs"]), bool)
        for i, name_of in enumerate(PANELS):
            own = s["panel"] == i
            box = panel(expected, name_of)
            at[own] = box[s["ss"][own].astype(int), s["fs"][own].astype(int)]
        found[name] = (len(at), int(at.sum()))
    check(found["without"][1] > 20 and found["with"][1] == 0 and found["with"][0] > found["without"][0] / 3,
          f"stills finds no spots there: (spots, masked) {found}")


def planted(place, files, geometry, kind):
    rules = os.path.join(place, "planted.txt")
    open(rules, "w").write("shots 60\nstatistics dead hot noisy\n")
    sums = []
    for i, order in enumerate([files, files[::-1]]):
        out = os.path.join(place, f"planted-{i}.h5")
        code, said, complaint = run(CONTROL, "mask", "--geometry", geometry, "--out", out, rules, *order)
        sums.append(open(out, "rb").read() if code == 0 else complaint)
    with h5py.File(os.path.join(place, "planted-0.h5")) as f:
        mask = f[MASK][:]
    bad = sum(int((panel(kind, n) > 0).sum()) for n in PANELS)
    good = sum(int((panel(kind, n) == 0).sum()) for n in PANELS)
    found = sum(int(panel(mask, n)[panel(kind, n) > 0].sum()) for n in PANELS)
    false = sum(int(panel(mask, n)[panel(kind, n) == 0].sum()) for n in PANELS)
    check(found >= 0.99 * bad and false <= 0.001 * good, f"planted pixels: {found} of {bad} found, {false} of {good} false")
    check(sums[0] == sums[1] and len(sums[0]) > 1000, "the order of the files changes nothing")


def edited(place, files, geometry):
    """Over serve: progress, the kept rules, what they began with, the same bytes."""
    import serve_client
    serve = serve_client.Serve(CONTROL)
    ask = lambda mask, keep, rules, wanted=(), file=True: serve.ask(
        serve_client.MASK, files[0], geometry, mask, list(wanted), keep, rules, file, (-150.0, -150.0, 150.0, 150.0), 300, 300).unpack()
    old = os.path.join(place, "old.h5")
    with h5py.File(old, "w") as f:
        mask = np.zeros(DETECTOR, np.uint8)
        mask[50:60, 20:40] = 1
        f["/mask"] = mask
    first = ask(old, True, "")
    check(first[3] == "" and first[8] == 200 and first[9] == 200, "a mask of somebody else is what the rules begin with", first[:10])
    again = ask(old, False, "rectangle left 0 9 0 9\nunmask rectangle left 15 19 42 46\n")
    check(again[4] == [100, 25] and again[9] == 275, "rules on top of it", again[4:10])
    mine = os.path.join(place, "mine.h5")
    open(mine, "wb").write(bytes(again[13]))
    back = ask(mine, True, "")
    check(back[3] == again[3] and back[8] == 200 and bytes(back[13]) == bytes(again[13]), "edited again it begins where it began")
    shade = np.frombuffer(bytes(back[12]), np.uint8).reshape(300, 300)
    x, y = 150 + 5 - 102, 150 - (8 - 98)  # corner of `left`, y downwards
    check((shade[y - 9:y, x + 1:x + 9] == 255).all() and shade.sum() <= 255 * 300, "the picture shows it")
    answers = [ask("", False, "shots 60\nstatistics hot\n", files)]
    while answers[-1][0] < answers[-1][1]:
        answers.append(ask("", False, "shots 60\nstatistics hot\n", files))
    check(answers[-1][:3] == (60, 60, 0) and answers[-1][9] > 50, f"measured in {len(answers)} answers", answers[-1][:10])
    try:
        ask("", False, "squiggle 1\n")
        check(False, "what is no rule is refused")
    except serve_client.ServeError as error:
        check("mask:1: 'squiggle'" in str(error), f"what is no rule is refused: {error}"[:100])
    serve.close()


def experiment(place, files, geometry):
    store, runs = os.path.join(place, "experiment"), os.path.join(place, "runs")
    block, rules = os.path.join(place, "block"), os.path.join(place, "rules.txt")
    open(block, "w").write(f"[detector]\ngeometry = {geometry}\n")
    open(rules, "w").write("edges 1\n")
    os.makedirs(runs)
    code, _, complaint = run(CONTROL, "experiment", "--store", store, "--watch", runs, "--block", block, "--launcher", "env", "--engine", ENGINE)
    code, said, complaint = run(CONTROL, "mask", "--store", store, "--geometry", geometry, "--name", "edges", rules, *files)
    db = sqlite3.connect([os.path.join(store, f) for f in os.listdir(store) if f.endswith((".sqlite", ".db", ".firstlight"))][0])
    rows = db.execute("SELECT name, active, params FROM block ORDER BY id").fetchall()
    told = re.search(r"mask = (\S+)", rows[-1][2])
    check(code == 0 and [r[:2] for r in rows] == [("block", 0), ("edges", 1)] and "geometry =" in rows[1][2] and told
          and re.fullmatch(r"masks/edges-[0-9a-f]{12}\.h5", told[1]), f"a new block: {told and told[1]}", f"{said} {complaint} {rows}")
    with h5py.File(os.path.join(store, told[1])) as f:
        check(text_of(f[MASK].attrs["rules"]) == "edges 1\n", "its file lies in the experiment's folder")
    code, _, complaint = run(CONTROL, "mask", "--store", store, "--geometry", geometry, "--name", "edges", rules, *files)
    check(code == 2 and "there is such a block" in complaint and complaint.count("\n") == 1, f"a name that is taken: {complaint.strip()}")
    bad = os.path.join(place, "bad.txt")
    open(bad, "w").write("edges 1\nrectangle nowhere 0 1 0 1\n")
    code, _, complaint = run(CONTROL, "mask", "--out", os.path.join(place, "no.h5"), "--geometry", geometry, bad, *files)
    check(code == 2 and "bad.txt:2: no panel 'nowhere'" in complaint and complaint.count("\n") == 1, f"a panel that is not there: {complaint.strip()}")


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    shots, geom, planted_kind = make(folder)
    places(folder, shots, geom)
    planted(folder, shots, geom, planted_kind)
    edited(folder, shots, geom)
    experiment(folder, shots, geom)
print(f"1..{number}")
