"""Being asked to stop: it kills no rank and none forgets it, whether it comes before, while or after MPI starts (which
takes about 0.2 s)."""
import signal, subprocess, sys

program, mpirun = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
number = 0
for ranks in [1, 3] if mpirun else [1]:
    for what in (signal.SIGTERM, signal.SIGUSR1):
        for after_ms in (0, 30, 60, 90, 130, 200, 1000):
            launcher = [mpirun, "-n", str(ranks)] if mpirun else []
            job = subprocess.run(launcher + [program, str(int(what)), str(1000 * after_ms)], stdout=subprocess.PIPE,
                                 text=True, timeout=100)
            number += 1
            print("ok" if (job.returncode, job.stdout) == (0, f"{ranks} of {ranks}\n") else "not ok", number,
                  f"- {ranks} ranks, {what.name} after {after_ms} ms: exit {job.returncode}, {job.stdout.strip()!r} asked")
print(f"1..{number}")
