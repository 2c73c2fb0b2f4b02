#!/usr/bin/env python3
"""What a reconstruction costs, part by part and on 1, 2 and 4 ranks, and what it would cost elsewhere.

bench-reconstruct.py ENGINE [MPIRUN]

The set is the one of Dragonfly's figures, but for the molecule (made up: a ring of two times seven, 185 Å): 3,000 patterns of
101² pixels, a thousand photons each in the mean. CPU seconds of all ranks, but the parts' are a rank's share of them by
the clock. The model is fitted to what was measured, stage by stage, on one rank."""
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

import h5py
import numpy

ENGINE, MPIRUN = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
PATTERNS, DRAGONFLY, LINK = 3000, 961, 12.5e9
GENERATION, TYPES = 15, ["u1", "<u2", "<u4", "<u8", "<f4", "<f8", None, "<i2"]
PARTS = ("slice", "match", "merge", "phase", "other")


def run(*command):
    """CPU seconds of it and all its children."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    complaint = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: {complaint.decode()[-500:]}")
    return used.ru_utime + used.ru_stime


def write_molecule(path):
    """Heaps of atoms in two rings of seven, turned over for each other."""
    random = numpy.random.default_rng(1)
    unit = numpy.concatenate([random.normal((48, 0, 38), (14, 9, 16), (1, 3)) + random.normal(0, 3, (25, 3)) for _ in range(24)])
    with open(path, "w") as file:
        for i in range(14):
            a = 2 * numpy.pi * i / 7
            turn = numpy.array([[numpy.cos(a), -numpy.sin(a), 0], [numpy.sin(a), numpy.cos(a), 0], [0, 0, 1]])
            for k, r in enumerate((unit * (1, 1, 1) if i < 7 else unit * (1, -1, -1)) @ turn.T):
                file.write("ATOM  %5d  C   ALA A%4d    %8.3f%8.3f%8.3f  1.00  0.00           C\n" % (k, i, *r))


def generations(job):
    """All that the job has told of its generations."""
    data = b"".join(open(path, "rb").read() for path in glob.glob(job + "/attempt-0001/*.flj"))
    at, rows = 0, []
    while at < len(data):
        _, length, _, kind, _, _, n, _, _ = struct.unpack_from("<4sIIHHIIQQ", data, at)
        if kind == GENERATION:
            columns, p = {}, at + 40 + 8
            while p < at + 40 + length:
                kept, name_length = data[p], data[p + 1]
                name = data[p + 2:p + 2 + name_length].decode()
                values = numpy.frombuffer(data, TYPES[kept & 127], 1 if kept & 128 else n, p + 2 + name_length)
                columns[name] = numpy.broadcast_to(values, n)
                p += 2 + name_length + values.nbytes
            rows += [{name: column[i] for name, column in columns.items()} for i in range(n)]
        at += 40 + length
    return rows


def work_of(row, diameter, patterns):
    """What a generation is about: orientations, cells of a pattern, lit ones, points a side of the autocorrelation."""
    s, pitch, lit = patterns
    edge = 1 / row["resolution"]
    width = max(1, int(0.4 / (diameter * pitch))) * pitch
    cell = numpy.floor(s[0] / width + 0.5) + 4096 * numpy.floor(s[1] / width + 0.5)
    near = numpy.flatnonzero(numpy.hypot(*s) < edge)
    counts = [len(numpy.unique(cell[numpy.intersect1d(one, near)])) for one in lit]
    return (int(row["orientations"]), len(numpy.unique(cell[near])), numpy.mean(counts),
            2 * int(numpy.ceil(diameter * 1.03 * 2 * 1.08 * edge)) + 1)


def read_patterns(folder):
    """Places of pixels in 1/Å, their pitch, and which pixels of some patterns are lit."""
    with h5py.File(folder + "/detector.h5") as file:
        unit = file["ewald_rad"][()] * file["wavelength"][()]
        s = numpy.stack([file["qx"][:], file["qy"][:]]) / unit
    with open(folder + "/particles.emc", "rb") as file:
        n = numpy.fromfile(file, "<i4", 256)[0]
        ones, multi = (numpy.fromfile(file, "<i4", n) for _ in range(2))
        where = [numpy.split(numpy.fromfile(file, "<i4", number.sum()), number.cumsum()[:-1]) for number in (ones, multi)]
    lit = [numpy.concatenate(pair) for pair in zip(*(part[:200] for part in where))]
    return s, numpy.median(numpy.hypot(*numpy.diff(s))), lit


# --- the model: seconds of a generation, with as many groups as half sets ---


def features(work, patterns, ranks=1, node=1):
    """What each coefficient is multiplied by; ranks, and how many of them a node has."""
    rows, cells, lit, m = work
    lit = min(lit, cells / 3)  # denser patterns are multiplied as they are, a third as dear a cell
    return {"slice": (2 * rows * cells / node,),  # once a node
            "match": (patterns * rows * lit / ranks, patterns * rows / ranks),  # products; exponentials
            "merge": (2 * rows * cells / ranks, 2 * m ** 3, patterns * lit / ranks)}  # spread; solved everywhere; means


def fit(measured):
    """Coefficients, seconds, none below 0, by least relative squares of (work, seconds by part)."""
    fitted = {}
    for part in ("slice", "match", "merge"):
        a = numpy.array([features(work, PATTERNS)[part] for work, _ in measured])
        b = numpy.array([seconds[part] for _, seconds in measured])
        weight = 1 / (b + 0.2 * b.max())
        scale = numpy.abs(a).max(0)
        live = list(range(a.shape[1]))
        while True:
            x = numpy.linalg.lstsq(a[:, live] / scale[live] * weight[:, None], b * weight, rcond=None)[0]
            if (x >= 0).all():
                break
            del live[int(x.argmin())]
        fitted[part] = numpy.zeros(a.shape[1])
        fitted[part][live] = x / scale[live]
    return fitted


def predict(fitted, work, patterns, ranks=1, node=1):
    rows, cells, _, m = work
    parts = {part: float(fitted[part] @ numpy.array(of)) for part, of in features(work, patterns, ranks, node).items()}
    # Each rank's images of all orientations, summed and dealt, and the sums that are solved: through its node's link.
    parts["travel"] = 2 * 4 * (rows * cells + 2 * (9 * m ** 3)) * (1 - node / ranks) * node / LINK
    return parts


def tell_parts(ranks, cpu, rows):
    seconds = [sum(float(row["t_" + part]) for row in rows) for part in PARTS]
    print(f"{ranks} ranks: {len(rows)} generations, {cpu:.0f} CPU s, {DRAGONFLY / cpu:.1f} times less than Dragonfly's {DRAGONFLY};"
          " of them " + ", ".join(f"{part} {s / sum(seconds) * cpu:.1f}" for part, s in zip(PARTS, seconds)), flush=True)


def tell_model(cpu, rows, diameter, patterns):
    share = cpu / sum(float(row["t_" + part]) for row in rows for part in PARTS)
    measured = []
    print("orientations cells lit side: seconds of a generation by part, in brackets the model's")
    for stage in sorted({row["stage"] for row in rows}):
        some = [row for row in rows if row["stage"] == stage][:3]  # half sets are apart for three at least
        measured.append((work_of(some[0], diameter, patterns),
                         {part: share * numpy.mean([float(row["t_" + part]) for row in some]) for part in PARTS}))
    fitted = fit(measured)
    for work, seconds in measured:
        told = predict(fitted, work, PATTERNS)
        print("%d %d %.0f %d: " % work + ", ".join(f"{part} {seconds[part]:.3f} ({told[part]:.3f})" for part in fitted))
    print("coefficients:", {part: [float(f"{v:.3g}") for v in values] for part, values in fitted.items()})
    work = measured[-1][0]
    for ranks, node in ((1, 1), (64, 64), (1024, 64)):
        told = predict(fitted, work, 131000, ranks, node)
        print(f"131,000 patterns on {ranks} ranks, {node} a node, {LINK / 1e9:.1f} GB/s a node: a generation of the last grid takes "
              f"{sum(told.values()):.2f} s: " + ", ".join(f"{part} {s:.3f}" for part, s in told.items()), flush=True)


def main():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        molecule, data = place + "/ring.pdb", place + "/data"
        write_molecule(molecule)
        run(ENGINE, "simulate-spi", "--out", data, "--model", molecule, "--shots", str(PATTERNS), "--quiet",
            "--set", "simulate_spi.fluence=gamma")
        for ranks in (1, 2, 4) if MPIRUN else (1,):
            job = f"{place}/ranks{ranks}"
            start = [MPIRUN, "-n", str(ranks)] if ranks > 1 else []
            cpu = run(*start, ENGINE, "reconstruct", "--out", job, data + "/particles.emc")
            rows = generations(job)
            tell_parts(ranks, cpu, rows)
            if ranks == 1:
                tell_model(cpu, rows, json.load(open(job + "/reconstruction.json"))["diameter"], read_patterns(data))


if __name__ == "__main__":
    main()
