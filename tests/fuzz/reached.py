#!/usr/bin/python3
"""What the inputs of the fuzzers do not reach: which seeds their readers refuse, and for each source file the functions of which
five lines or more are never run (lines not run / all). Writers, and what only a whole program calls, are among them.

Usage: reached.py CORPUS-FOLDER BUILD-FOLDER, the latter made by
CC=clang meson setup BUILD-FOLDER -Dgui=disabled -Dcuda=disabled -Dhip=disabled -Dfuzz=true -Db_lundef=false \\
  -Dc_args='-fprofile-instr-generate -fcoverage-mapping' -Dc_link_args=-fprofile-instr-generate"""
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LLVM = max(pathlib.Path("/usr/lib").glob("llvm-*/bin"), default=pathlib.Path("/usr/bin"))
FEW = 5  # lines


def refused(target, corpus):
    for seed in sorted(corpus.glob("seed-*")):
        run = subprocess.run([target, seed], capture_output=True, env={**os.environ, "FUZZ_TELL": "1", "LLVM_PROFILE_FILE": "/dev/null"})
        for line in run.stderr.decode(errors="replace").splitlines():
            if line.startswith("refused: "):
                print(f"{corpus.name}/{seed.name}: {line}")


def lines_of(targets, profile):
    """path → {line: how often}"""
    out = subprocess.run([LLVM / "llvm-cov", "export", "-format=lcov", f"-instr-profile={profile}", targets[0],
                          *(word for target in targets[1:] for word in ("-object", target))], capture_output=True, text=True, check=True)
    files, lines = collections.defaultdict(dict), None
    for line in out.stdout.splitlines():
        if line.startswith("SF:"):
            lines = files[os.path.normpath(line[3:])]
        elif line.startswith("DA:"):
            number, times = map(int, line[3:].split(",")[:2])
            lines[number] = max(lines.get(number, 0), times)
    return files


def functions(path, lines):
    """name → [how often each of its lines]; a name stands at the beginning of a line, its body between braces there."""
    names, name, before = collections.defaultdict(list), "?", "?"
    for number, text in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r"(\w+) \(", text)
        before = match[1] if match else before
        name = before if text == "{" else name
        if number in lines:
            names[name].append(lines[number])
    return names


def main():
    corpus, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    here = pathlib.Path(__file__).resolve().parent
    names = sorted(source.stem for source in here.glob("fuzz-*.c") if (corpus / source.stem).is_dir())
    subprocess.run(["ninja", "-C", build, *(f"tests/fuzz/{name}" for name in names)], check=True, stdout=subprocess.DEVNULL)
    targets, work = [build / "tests/fuzz" / name for name in names], pathlib.Path(tempfile.mkdtemp())
    for name, target in zip(names, targets):
        refused(target, corpus / name)
        subprocess.run([target, "-runs=0", "-rss_limit_mb=0", "-max_len=65536", corpus / name], capture_output=True,
                       env={**os.environ, "LLVM_PROFILE_FILE": str(work / name)})
    profile = work / "all.profdata"
    subprocess.run([LLVM / "llvm-profdata", "merge", "-sparse", *(work / name for name in names if (work / name).exists()),
                    "-o", profile], check=True)
    for path, lines in sorted(lines_of(targets, profile).items()):
        if "/engine/" not in path or not any(lines.values()):
            continue
        missed = [f"{name} {runs.count(0)}/{len(runs)}" for name, runs in functions(pathlib.Path(path), lines).items()
                  if runs.count(0) >= FEW]
        if missed:
            print(f"{path[path.index('/engine/') + 1:]}: {', '.join(missed)}")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
