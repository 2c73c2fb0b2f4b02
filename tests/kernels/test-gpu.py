#!/usr/bin/env python3
"""The kernels' GPU modules, on whatever this machine has.

test-gpu.py SOURCE TESTS [KIND MODULES]: SOURCE is the checkout, TESTS the folder of test-kernels-*, MODULES that of modules of
cuda or hip that are built already.

Else, where there is a compiler: configures a folder of its own, builds the module without one warning, opens it. Where there is no
device, every test on it is skipped with one and the same line; where there is one, they pass, and with compute-sanitizer
(NVIDIA) under its memcheck, racecheck and synccheck too."""
import glob, os, re, shutil, subprocess, sys, tempfile

source, tests = sys.argv[1:3]
built = dict([sys.argv[3:5]]) if sys.argv[4:] else {}
number = 0
PATIENCE = 600  # s for a program
programs = [path for path in sorted(glob.glob(os.path.join(tests, "test-kernels-*")))
            if os.access(path, os.X_OK) and os.path.isfile(path) and "-tsan-" not in os.path.basename(path)
            # two need no device, one opens others too
            and not path.endswith(("-pyramid", "-adaptive-finds", "-device"))]


def tell(ok, name, why=""):
    global number
    number += 1
    print("ok" if ok else "not ok", number, "-", name, flush=True)
    if not ok:
        print("\n".join("# " + line for line in str(why).split("\n")[-30:]), flush=True)
    return ok


def skip(name, why):
    global number
    number += 1
    print("ok", number, "-", name, "# SKIP", why, flush=True)


def run(command, **more):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    except subprocess.TimeoutExpired as late:
        return 124, f"{(late.stdout or b'').decode(errors='replace')}\nran past {late.timeout:.0f} s"
    return done.returncode, done.stdout


def build(kind, folder, compiler):
    code, said = run(["meson", "setup", folder, source, f"-D{kind}=enabled", f"-D{'hip' if kind == 'cuda' else 'cuda'}=disabled",
                      *(f"-D{part}=disabled" for part in ("gui", "control", "mpi", "mysql", "keyring")), "-Dtests=false"])
    if not tell(code == 0, f"{kind}: configured with {compiler}", said):
        return False
    code, said = run(["ninja", "-C", folder, f"kernels/flk-{kind}.so", "kernels/flk-cpu-baseline.so", "kernels/flk-cpu-v3.so",
                      "kernels/flk-cpu-v4.so"])
    return tell(code == 0, f"{kind}: built", said) and tell("warning" not in said, f"{kind}: without a warning", said)


def on_device(kind, modules):
    """Runs all tests on the module; what they say when there is no device, "" when there is one."""
    environment = dict(os.environ, FIRSTLIGHT_KERNELS=modules, FIRSTLIGHT_TEST_DEVICES=kind)
    skipped, passed, bad = set(), 0, []
    for path in programs:
        code, said = run([path], env=environment, timeout=PATIENCE)
        of_this = re.findall(rf"^ok \d+ \S*/{kind}(?: # SKIP (.*))?$", said, re.M)
        skipped |= {why for why in of_this if why}
        passed += sum(not why for why in of_this)
        if code != 0 or not of_this:
            bad.append(f"{os.path.basename(path)}: exit {code}\n{said}")
    if passed == 0 and len(skipped) == 1 and not bad:
        tell(True, f"{kind}: opens, and says in one line why nothing runs")
        return skipped.pop()
    tell(passed > 0 and not skipped and not bad, f"{kind}: {passed} tests on the device", "\n".join(bad) or skipped)
    return ""


def sanitize(modules, none):
    sanitizer = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    environment = dict(os.environ, FIRSTLIGHT_KERNELS=modules, FIRSTLIGHT_TEST_DEVICES="cuda")
    for tool in ("memcheck", "racecheck", "synccheck"):
        if none:
            skip(f"cuda: {tool}", none)
        elif not os.path.exists(sanitizer):
            skip(f"cuda: {tool}", "no compute-sanitizer")
        else:
            for path in programs:
                name = os.path.basename(path)[len("test-kernels-"):]
                code, said = run([sanitizer, "--tool", tool, "--error-exitcode", "9", path], env=environment, timeout=PATIENCE)
                tell(code == 0, f"cuda: {tool}: {name}", said)


def check(kind, modules):
    none = on_device(kind, modules)
    if none:
        skip(f"{kind}: on the device", none)
    if kind == "cuda":
        sanitize(modules, none)


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
    for kind, modules in built.items():
        check(kind, modules)
    for kind, compilers in ({} if built else {"cuda": ("nvcc", "/usr/local/cuda/bin/nvcc"),
                                              "hip": ("hipcc", "/opt/rocm/bin/hipcc")}).items():
        compiler = next((c for c in compilers if shutil.which(c)), None)
        folder = os.path.join(place, kind)
        if compiler is None:
            skip(kind, f"no {compilers[0]}")
        elif build(kind, folder, compiler):
            check(kind, os.path.join(folder, "kernels"))
print(f"1..{number}")
