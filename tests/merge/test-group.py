"""Merging gives the same bits on any number of ranks, in one slice or in many."""
import subprocess, sys

program, mpirun = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
wanted, number = None, 0
for ranks in [1, 2, 5] if mpirun else [1]:
    for memory in [0, 300000]:
        launcher = [mpirun, "-n", str(ranks)] if mpirun else []
        out = subprocess.run(launcher + [program, str(memory)], stdout=subprocess.PIPE, text=True, timeout=100)
        wanted = wanted or out.stdout
        number += 1
        good = out.returncode == 0 and out.stdout == wanted and len(out.stdout.split()) > 20
        print("ok" if good else "not ok", number, f"- {ranks} ranks, {memory or 'much'} memory")
        if not good:
            print("#", out.stdout)
print(f"1..{number}")
