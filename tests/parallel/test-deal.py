"""Dealing: every shot once on any number of ranks, suspects alone and last, a stop by any rank stops all."""
import os, shutil, subprocess, sys, tempfile

program, mpirun = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""


def deal(ranks, n, suspects, stop_rank=-1, stop_after=-1):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        launcher = [mpirun, "-n", str(ranks)] if mpirun else []
        out = subprocess.run(launcher + [program, folder] + [str(x) for x in (n, suspects, stop_rank, stop_after)],
                             stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout.split()
        rows, ends = [], []
        for rank in range(ranks):
            lines = open(os.path.join(folder, str(rank))).read().split("\n")[:-1]
            ends.append(lines.pop())
            for line in lines:
                kind, source, frame, begin, end = line.split()
                rows.append((kind, int(source) * 100 + int(frame), int(begin), int(end), rank))
        assert int(out[0]) == len(rows), (out, len(rows))
        return rows, ends, int(out[1])


number = 0


def check(name, good):
    global number
    number += 1
    print(("ok" if good else "not ok"), number, "-", name)


for ranks in [1, 2, 5] if mpirun else [1]:
    for n, suspects in [(0, 0), (1, 0), (3, 2), (1500, 0), (1500, 3)]:
        rows, ends, heard = deal(ranks, n, suspects)
        normal = [r for r in rows if r[0] == "shot"]
        late = sorted((r for r in rows if r[0] == "suspect"), key=lambda r: r[2])
        alone = all(a[3] <= b[2] for a, b in zip(late, late[1:])) and \
            (not late or max((r[3] for r in normal), default=0) <= late[0][2])
        check(f"{ranks} ranks, {n} shots, {suspects} suspects: each once, suspects alone and last",
              sorted(r[1] for r in normal) == list(range(n)) and sorted(r[1] for r in late) == list(range(n, n + suspects))
              and alone and set(ends) == {"end"} and heard == n + suspects)
        if n == 1500 and not suspects and ranks > 1:
            shares = [sum(r[4] == k for r in rows) for k in range(ranks)]
            check(f"{ranks} ranks: all work ({shares})", min(shares) > n / ranks / 4)
    for stop_rank in sorted({0, ranks - 1}):
        rows, ends, _ = deal(ranks, 20000, 2, stop_rank, 20)
        ids = [r[1] for r in rows]
        check(f"{ranks} ranks: rank {stop_rank} asks to stop after 20: {len(rows)} of 20000 done, none twice",
              len(set(ids)) == len(ids) < 2000 and set(ends) == {"stopped"} and all(r[0] == "shot" for r in rows))
print(f"1..{number}")
