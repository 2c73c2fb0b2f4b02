"""Speed of finding spots: CPU seconds a shot of the whole program on one core, as the slope between n and 4n shots (start-up
cancels), decoding reported apart; beside dials.find_spots on the same images in the same run, and beside CrystFEL's
peakfinder8 (measured once on another machine, a 2.3 GHz Xeon, user and system: 14.8 CPU-s for the 280 frames of A, read
uncompressed; 6.2 CPU-s for 60 frames of another detector of B's size, gzipped).

bench-spots.py ENGINE; needs FIRSTLIGHT_TEST_DATA, and DIALS for its part. FIRSTLIGHT_BENCH_REPEATS (3): the least counts."""
import os, re, subprocess, sys, tempfile

engine = sys.argv[1]
data = os.environ.get("FIRSTLIGHT_TEST_DATA", "")
repeats = int(os.environ.get("FIRSTLIGHT_BENCH_REPEATS", "3"))
temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
if not os.path.isdir(data):
    print("bench-spots: skipped: FIRSTLIGHT_TEST_DATA is not set")
    sys.exit(0)


def cpu(command, cwd=None):
    """User and system seconds of a command and its children, and its stderr."""
    with tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        err.seek(0)
        text = err.read()
    assert status == 0, (command, text)
    return usage.ru_utime + usage.ru_stime, text


def slope(n, measure):
    """Seconds a shot between n and 4n shots, of each of the values that measure(shots) gives; least of the repeats."""
    few, many = ([min(v) for v in zip(*(measure(k) for _ in range(repeats)))] for k in (n, 4 * n))
    return [(b - a) / (3 * n) for a, b in zip(few, many)]


def ours(inputs, settings):
    def measure(n):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as out:
            line = [engine, "stills", "--stages", "spots", "--timing", "--out", out + "/job"]
            for setting in settings:
                line += ["--set", setting]
            total, err = cpu(line + inputs(n))
        parts = re.search(r"read ([\d.]+) \(decode ([\d.]+)\) find ([\d.]+) .*write ([\d.]+)", err)
        return (total, *map(float, parts.groups()))
    return measure


def report(name, measured, beside):
    total, read, decode, find, write = (1e3 * v for v in measured)
    print(f"{name}: {total:.2f} CPU-ms a shot (decode {decode:.2f}, rest of reading {read - decode:.2f}, find {find:.2f}, "
          f"write {write:.2f})")
    for who, milliseconds, goal in beside:
        print(f"  {who}: {milliseconds:.1f} CPU-ms a shot: {milliseconds / total:.1f} times ours "
              f"({milliseconds / (total - decode):.1f} times without our decoding), goal {goal}")


def frames_of(name):
    folder = os.path.join(data, "crystfel-sim")

    def inputs(n):
        path = os.path.join(temporary.name, f"{name}-{n}.lst")
        with open(path, "w") as file:
            file.writelines(f"{folder}/{name}.h5 //{i}\n" for i in range(n))
        return [path]
    return inputs, f"detector.geometry={folder}/{name}.geom"


def uncompressed(name, frames):
    """The first frames of a set, stored as the peer read them."""
    import h5py
    folder = os.path.join(data, "crystfel-sim")
    path = os.path.join(temporary.name, f"{name}.h5")
    with h5py.File(f"{folder}/{name}.h5") as source, h5py.File(path, "w") as target:
        target.create_dataset("/entry/data/data", data=source["/entry/data/data"][:frames])
        target["/entry/photon_energy_eV"] = source["/entry/photon_energy_eV"][:frames]

    def inputs(n):
        listed = os.path.join(temporary.name, f"{name}-raw-{n}.lst")
        with open(listed, "w") as file:
            file.writelines(f"{path} //{i}\n" for i in range(n))
        return [listed]
    return inputs, f"detector.geometry={folder}/{name}.geom"


stills = os.path.join(data, "stills", "cspad_thermolysin")
names = sorted(n for n in os.listdir(stills) if n.endswith(".cbf"))


def copies(n):
    folder = os.path.join(temporary.name, f"stills-{n}")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        for i in range(n):
            os.symlink(os.path.join(stills, names[i % len(names)]), os.path.join(folder, f"still-{i:04d}.cbf"))
    return [folder]


def dials(n):
    folder = copies(n)[0]
    if not os.path.exists(f"{folder}/imported.expt"):
        subprocess.run(["dials.import", *sorted(n for n in os.listdir(folder) if n.endswith(".cbf"))], cwd=folder,
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    total, _ = cpu(["dials.find_spots", "imported.expt", "threshold.algorithm=dispersion", "global_threshold=100", "gain=1",
                    "min_spot_size=3", "nproc=1"], cwd=folder)
    return (total,)


cspad = slope(12, ours(copies, ["spots.algorithm=dispersion", "spots.global_threshold=100"]))
try:
    theirs = [("dials.find_spots", 1e3 * slope(2, dials)[0], 20)]
except FileNotFoundError:
    theirs = []
    print("dials.find_spots: skipped: no DIALS here")
report("CSPAD stills (2.3 Mpx, CBF packed, dispersion)", cspad, theirs)
for title, n, (inputs, geometry), peer in (
        ("set A (1 Mpx, 128 panels)", 30, uncompressed("lyso-agipd1m", 120), 14.8 / 280),
        ("set A, gzip", 70, frames_of("lyso-agipd1m"), (14.8 + 2) / 280),
        ("set B (4.2 Mpx, 8 panels, gzip)", 8, frames_of("lyso-jf4m"), 6.2 / 60)):
    for algorithm in "dispersion_extended", "dispersion":
        report(f"{title}, {algorithm}", slope(n, ours(inputs, [geometry, f"spots.algorithm={algorithm}"])),
               [("CrystFEL peakfinder8", 1e3 * peer, 10)])
temporary.cleanup()
