"""What merging made lattices costs, and that neither ranks nor memory change what comes out.

cost.py MERGE-COST [MPIRUN…] -- LATTICES…   a table, one line a number of lattices and of ranks
cost.py MERGE-COST [MPIRUN…] --check        TAP: the same bytes on 1, 2, 4 and 5 ranks and from a spool, near the truth"""
import re, shutil, subprocess, sys, tempfile

at = sys.argv.index("--") if "--" in sys.argv else sys.argv.index("--check")
PROGRAM, MPIRUN, NUMBERS = sys.argv[1], [a for a in sys.argv[2:at] if a], sys.argv[at + 1:]


def run(spool, lattices, ranks, memory):
    """Words of the program's line, and CPU seconds and peak MiB of all ranks."""
    start = [*MPIRUN, "-n", str(ranks)] if MPIRUN else []
    done = subprocess.run([*start, PROGRAM, str(lattices), spool, str(memory)], stdout=subprocess.PIPE, text=True, timeout=3600)
    found = re.search(r"(\d+) observations; (\d+) ranks; made in ([\d.]+) s; (\d+) cycles in ([\d.]+) s; the rest in ([\d.]+) s; "
                      r"CPU ([\d.]+) s; (\d+) MiB; CC1/2 ([\d.]+), to the truth ([\d.]+); (\w+)", done.stdout)
    if done.returncode != 0 or found is None:
        sys.exit(f"failed: {done.stdout}")
    return found.groups()


def check(spool):
    lattices, number, hashes = 4000, 0, set()
    for ranks in (1, 2, 4, 5) if MPIRUN else (1,):
        for memory in (8,) if ranks > 1 else (8, 512):
            _, _, _, cycles, _, _, _, peak, half, truth, words = run(spool, lattices, ranks, memory)
            hashes.add(words)
            number += 1
            good = len(hashes) == 1 and float(half) > 0.99 and float(truth) > 0.995 and int(cycles) < 20
            print(("ok" if good else "not ok"), number, f"- {ranks} ranks, {memory} MiB: CC1/2 {half}, {truth} to the truth, {peak} MiB, {words}", flush=True)
    print(f"1..{number}")


def table(spool):
    print("| lattices | ranks | observations | making, s | scaling, s (cycles) | the rest, s | CPU, s | observations/s a core | peak, MiB | CC1/2 |\n|---|---|---|---|---|---|---|---|---|---|")
    for lattices in NUMBERS:
        for ranks in (1, 2, 4) if MPIRUN else (1,):
            n, _, made, cycles, scaled, rest, cpu, peak, half, _, _ = run(spool, lattices, ranks, 1024)
            print(f"| {lattices} | {ranks} | {n} | {made} | {scaled} ({cycles}) | {rest} | {cpu} | {int(n) / float(cpu):.3g} | {peak} | {half} |", flush=True)


folder = tempfile.mkdtemp()
try:
    check(folder) if sys.argv[at] == "--check" else table(folder)
finally:
    shutil.rmtree(folder)
