"""Exchange: what each rank sends each, and all ranks, arrives whole and in order of rank."""
import subprocess, sys

program, mpirun = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
counts = [1, 2, 5] if mpirun else [1]
for number, ranks in enumerate(counts, 1):
    launcher = [mpirun, "-n", str(ranks)] if mpirun else []
    out = subprocess.run(launcher + [program], stdout=subprocess.PIPE, text=True, timeout=100).stdout
    print("ok" if out == "good\n" else "not ok", number, f"- {ranks} ranks")
print(f"1..{len(counts)}")
