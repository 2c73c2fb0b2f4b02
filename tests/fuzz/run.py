#!/usr/bin/python3
"""Runs fuzz targets on all cores until every format has had its share of CPU time, which is remembered between calls: the
format with the least is next. Usage: run.py BUILD-FOLDER SECONDS; keeps BUILD-FOLDER/corpus, /found and /fuzzed.json.
Exit 1 when something was found. It has to run where the sources are: others.supp is named from there."""
import collections
import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

ROUND = 300  # seconds; a corpus of thousands is read again each time
INTERRUPTED = 72  # what libFuzzer then ends with
OURS = pathlib.Path(__file__).resolve().parent / "ours"

# Targets that read one format, or what only ever comes together. Who is not named here is a format of its own.
TOGETHER = {
    "HDF5": ["nxmx", "hdf5", "chunk", "constants", "results"],
    "constants": ["calibration", "ndarray"],
    "CBF": ["cbf", "cbf-codec", "imgcif", "image-file"],
    "DIALS .expt": ["dials", "expt"],
    ".geom": ["geom", "geom-h5", "mask-rules"],
    "journals": ["journal", "batch", "learned"],
    "trials": ["params", "record", "tags"],
    "our sockets": ["control", "feed", "raster", "view"],
}
FORMAT = {name: what for what, names in TOGETHER.items() for name in names}
LONG = {"hdf5", "tiff", "cbf", "dials", "xtc2"}  # whose smallest whole files are not small

OPTIONS = ["-timeout=60", "-rss_limit_mb=4096", "-malloc_limit_mb=1000000", "-print_final_stats=1", "-verbosity=0"]
# HDF5 1.10 itself crashes, hangs and leaks on damaged files: what counts is what ends in our code.
HDF5 = ["-fork=1", "-ignore_crashes=1", "-ignore_timeouts=1", "-ignore_ooms=1", "-detect_leaks=0"]


class Rounds:
    """What has been run; one for all threads."""

    def __init__(self, build, seconds):
        self.build, self.seconds = build, seconds
        self.path = build / "fuzzed.json"
        self.spent = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.lock, self.busy, self.found, self.stopped = threading.Lock(), set(), {}, False
        self.names = sorted(t.name[5:] for t in (build / "tests/fuzz").glob("fuzz-*") if t.is_file() and os.access(t, os.X_OK))

    def of_formats(self):
        total = collections.Counter()
        for name in self.names:
            total[FORMAT.get(name, name)] += self.spent.get(name, 0)
        return total

    def take(self):
        """The next target and for how long, or None: each target has a tenth of its format's share, at least."""
        with self.lock:
            formats = self.of_formats()
            lacks = {name: max(self.seconds - formats[FORMAT.get(name, name)], self.seconds / 10 - self.spent.get(name, 0))
                     for name in self.names if name not in self.busy and name not in self.found}
            lacks = {name: lack for name, lack in lacks.items() if lack > 0}
            if not lacks or self.stopped:
                return None
            name = min(lacks, key=lambda name: (formats[FORMAT.get(name, name)], self.spent.get(name, 0)))
            self.busy.add(name)
            return name, max(1, min(ROUND, round(lacks[name])))

    def give(self, name, seconds, found):
        with self.lock:
            self.busy.discard(name)
            self.spent[name] = round(self.spent.get(name, 0) + seconds, 1)
            if found:
                self.found[name] = found
            self.path.write_text(json.dumps(self.spent, indent=1))
            print(f"{name}: {seconds:.0f} s, {self.spent[name] / 60:.1f} min in all{', ' + found if found else ''}", flush=True)

    def run(self, name, seconds):
        corpus, found = self.build / "corpus" / ("fuzz-" + name), self.build / "found"
        for folder in corpus, found:
            folder.mkdir(parents=True, exist_ok=True)
        words = corpus.with_suffix(".dict")
        before = set(found.glob(name + "-*"))
        target = self.build / "tests/fuzz" / ("fuzz-" + name)
        with open(self.build / f"fuzz-{name}.log", "ab") as log:
            child = subprocess.Popen(
                [target, f"-max_total_time={seconds}", f"-max_len={65536 if name in LONG else 20000}", *OPTIONS,
                 *([f"-dict={words}"] if words.exists() else []), *(HDF5 if name == "hdf5" else []),
                 f"-artifact_prefix={found / name}-", corpus], stdout=log, stderr=log)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.stopped |= child.returncode == INTERRUPTED
        new = sorted(set(found.glob(name + "-*")) - before)
        if name == "hdf5":
            what = subprocess.run([OURS, target, *new], capture_output=True, text=True).stdout.strip()
        else:
            what = ", ".join(str(path) for path in new) or (
                f"exit {child.returncode}" if child.returncode not in (0, INTERRUPTED) else "")
        self.give(name, used.ru_utime + used.ru_stime, "FOUND " + what if what else "")

    def work(self):
        while (next_one := self.take()) is not None:
            self.run(*next_one)


def main():
    rounds = Rounds(pathlib.Path(sys.argv[1]), float(sys.argv[2]))
    cores = len(os.sched_getaffinity(0))
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        workers = [pool.submit(rounds.work) for _ in range(cores)]
        signal.signal(signal.SIGINT, lambda *_: None)  # which ends the targets, and these with them
        for worker in workers:
            worker.result()
    for what, seconds in sorted(rounds.of_formats().items(), key=lambda item: item[1]):
        print(f"{what:12} {seconds / 60:6.1f} CPU minutes")
    print(f"{len(rounds.found)} of {len(rounds.names)} targets found something: {', '.join(rounds.found) or 'none'}")
    sys.exit(bool(rounds.found))


if __name__ == "__main__":
    main()
