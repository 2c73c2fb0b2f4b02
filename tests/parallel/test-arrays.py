"""Arrays: sums of all ranks are exact to the bit and in order of rank, bytes of rank 0 reach all, a node's memory is one."""
import subprocess, sys

program, mpirun = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
counts = [1, 2, 4] if mpirun else [1]
for number, ranks in enumerate(counts, 1):
    launcher = [mpirun, "-n", str(ranks)] if mpirun else []
    out = subprocess.run(launcher + [program], stdout=subprocess.PIPE, text=True, timeout=100).stdout
    print("ok" if out == "good\n" else "not ok", number, f"- {ranks} ranks", "" if out == "good\n" else out.strip())
print(f"1..{len(counts)}")
