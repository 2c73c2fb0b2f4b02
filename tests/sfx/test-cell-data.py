"""Cells that nobody gave, from files: two real stills, real and made-up spot lists, sets made by another program, shots of
our own simulator.

test-cell-data.py CELL-TOOL ENGINE [accept]"""
import glob, os, subprocess, sys, tempfile

tool, engine = sys.argv[1:3]
accept = len(sys.argv) > 3
sanitized = "FIRSTLIGHT_SANITIZED" in os.environ  # a few shots of each kind
data = os.environ.get("FIRSTLIGHT_TEST_DATA", "")
number = 0


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def missing(name):
    global number
    number += 1
    print(f"ok {number} # SKIP no {name} in {data or 'FIRSTLIGHT_TEST_DATA'}", flush=True)


def run(*arguments):
    """Rows of the tool: shots' best candidates, the others, proposals; CPU-ms a shot."""
    rows = {"shot": [], "other": [], "proposal": [], "cpu": []}
    text = subprocess.run([tool, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in text.splitlines():
        kind, *values = line.split()
        rows[kind].append(values)
    return rows["shot"], rows["other"], rows["proposal"], float(rows["cpu"][0][0])


def near(values, cell, relative=0.005, degrees=0.7):
    """The lengths, and all angles right or 120."""
    numbers = [float(v) for v in values]
    return all(abs(a / b - 1) < relative for a, b in zip(numbers[:3], cell)) and all(
        abs(a - b) < degrees for a, b in zip(numbers[3:], cell[3:]))


def proposed(rows, cell, kind, centring, relative=0.005):
    """The first proposal, and how sure."""
    return bool(rows) and near(rows[0][:6], cell, relative) and rows[0][6:8] == [kind, centring] and float(rows[0][10]) > 0.5


def text(rows):
    return " ".join(rows[0]) if rows else "nothing"


LYSOZYME = [79.1, 79.1, 37.9, 90, 90, 90]
THERMOLYSIN = [92.9, 92.9, 130.5, 90, 90, 120]

folder = os.path.join(data, "crystfel-sim")
if os.path.isdir(folder):
    for name in ("lyso-agipd1m", "lyso-jf4m"):
        with tempfile.NamedTemporaryFile("w", suffix=".lst") as few:
            few.writelines(f"{folder}/{name}.h5 //{i}\n" for i in range(24))
            few.flush()
            shots, _, proposals, cpu = run("--set", "engine.device=cpu", "--geometry", f"{folder}/{name}.geom",
                                           few.name if sanitized else f"{folder}/{name}.lst")
        right = sum(near(s[4:10], LYSOZYME, 0.01) for s in shots)
        check(f"{name}: {text(proposals)}; {right} of {len(shots)} shots by themselves; {cpu:.0f} CPU-ms a shot",
              proposed(proposals, LYSOZYME, "tetragonal", "P") and right >= 0.97 * len(shots))
else:
    missing("crystfel-sim")

stills = sorted(glob.glob(os.path.join(data, "stills/cspad_thermolysin/*.cbf")))
if stills:
    settings = sum((["--set", s] for s in ("engine.device=cpu", "spots.algorithm=dispersion", "spots.global_threshold=100",
                                           "spots.gain=1", "spots.min_size=3")), [])
    for still in stills:
        shots, others, _, _ = run(*settings, still)
        check(f"{os.path.basename(still)}: {text(shots)}",
              any(near(s[4:10], THERMOLYSIN, 0.01) and s[10:] == ["hexagonal", "P"] for s in shots + others))
    proposals = run(*settings, *stills)[2]
    check(f"both stills: {text(proposals)}", proposed(proposals, THERMOLYSIN, "hexagonal", "P"))
else:
    missing("stills/cspad_thermolysin")

folder = os.path.join(data, "spots")
if os.path.isdir(folder):
    lists = sorted(glob.glob(f"{folder}/image*.txt"))
    proposals = run("--set", "engine.device=cpu", "--list", *lists)[2]
    check(f"{len(lists)} lists of lysozyme: {text(proposals)}",
          proposed(proposals, [78.5, 78.5, 36.9, 90, 90, 90], "tetragonal", "P", 0.01))
    for path in sorted(glob.glob(f"{folder}/test*.txt")):
        cell = {"test0": [30, 40, 50, 90, 90, 90, "orthorhombic"],
                "test1": [80, 80, 90, 90, 90, 120, "hexagonal"]}.get(os.path.basename(path)[:5])
        if cell:
            proposals = run("--set", "engine.device=cpu", "--list", path)[2]
            check(f"{os.path.basename(path)}: {text(proposals)}", proposed(proposals, cell[:6], cell[6], "P"))
else:
    missing("spots")


def simulated(n, cell, kind, centring, *settings):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as out:
        settings = sum((["--set", s] for s in ("simulate.hit_fraction=1", *settings)), [])
        subprocess.run([engine, "simulate-sfx", "--out", out, "--shots", str(n), *settings], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shots, _, proposals, cpu = run("--set", "engine.device=cpu", "--geometry", f"{out}/detector.geom",
                                       *sorted(glob.glob(f"{out}/r*/*.cxi")))
        right = sum(near(s[4:10], cell, 0.01) and s[10:] == [kind, centring] for s in shots)
        check(f"{n} simulated shots: {text(proposals)}; {right} of {len(shots)} by themselves; {cpu:.0f} CPU-ms a shot",
              proposed(proposals, cell, kind, centring) and right >= 0.9 * n)


simulated(500 if accept else 12 if sanitized else 40, LYSOZYME, "tetragonal", "P")
simulated(6 if sanitized else 12, [118, 62, 81, 90, 104, 90], "monoclinic", "C", "simulate.cell=118,62,81,90,104,90",
          "simulate.space_group=C121", "simulate.detector=jungfrau-4m")
simulated(6 if sanitized else 12, [186, 186, 186, 90, 90, 90], "cubic", "I", "simulate.cell=186,186,186,90,90,90",
          "simulate.space_group=I23", "simulate.detector=jungfrau-4m")
print(f"1..{number}")
