"""How long from a run's last shot to the merged version that holds it, drawn on the Merging page: the demo's beamtime as
./dev demo plays it, with its killed job and its damaged file. And what the versions' maps show, without a click: the ligand
that their model lacks.  turn-around.py DEV BUILD-FOLDER WATCH-MERGING"""
import os, re, shutil, signal, sqlite3, statistics, subprocess, sys, tempfile, threading, time

import h5py

import ligand

dev, built, watch = sys.argv[1:]
RUNS, PATIENCE, GOAL = 4, 420, 60  # s
MODEL = os.path.join(os.path.dirname(dev), "resources", "demo", "made-protein.pdb")


def rows(database, query, *values):
    store = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)
    try:
        return store.execute(query, values).fetchall()
    finally:
        store.close()


def last_shot(folder, run):
    """When it was taken, s, as its file says."""
    names = sorted(name for name in os.listdir(os.path.join(folder, "data", run)) if name.endswith(".cxi"))
    with h5py.File(os.path.join(folder, "data", run, names[-1]), "r") as file:
        return file["LCLS/machineTime"][-1] + 1e-9 * file["LCLS/machineTimeNanoSeconds"][-1]


def merged(database):
    """Of each version: number; when it was made; when its merge began and ended, and what it said."""
    return rows(database, """SELECT version.id, version.number, version.created / 1e9, attempt.started / 1e9, attempt.ended / 1e9,
                  attempt.reason FROM dataset_version AS version JOIN job ON job.version = version.id
                  JOIN task ON task.id = job.task JOIN attempt ON attempt.job = job.id
                  WHERE task.type = 'merge' AND attempt.state = 4 ORDER BY version.number""")


def newest_input(database, version):
    """Its run, and when that was found complete and its job's last attempt began and ended."""
    return rows(database, """SELECT run.name, job.created / 1e9, max(attempt.started) / 1e9, max(attempt.ended) / 1e9 FROM version_job
                  JOIN job ON job.id = version_job.job JOIN run ON run.id = job.run JOIN attempt ON attempt.job = job.id
                  WHERE version_job.version = ? GROUP BY job.id ORDER BY run.completed DESC LIMIT 1""", version)[0]


def map_of(folder, version):
    return [found for found in ligand.maps(folder, MODEL) if found[0] == version and found[1]]


def play(folder, shown):
    """Until every run is merged, mapped, drawn, and said so in `shown`: version -> s."""
    database = os.path.join(folder, "firstlight.sqlite")
    log = open(folder + ".log", "w")
    demo = subprocess.Popen([dev, "demo", "--built", built, "--dir", folder, "--play"], stdin=subprocess.DEVNULL, stdout=log,
                            stderr=log, start_new_session=True)
    room = None
    try:
        until = time.monotonic() + PATIENCE
        while not os.path.exists(os.path.join(folder, "conductor.log")) and time.monotonic() < until:
            time.sleep(0.1)
        room = subprocess.Popen([watch, folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)

        def listen():
            for line in room.stdout:
                when, facts = line.rstrip("\n").split("\t", 1)
                number = re.search(r"version (\d+)", facts)
                if number:
                    shown.setdefault(int(number[1]), int(when) / 1e9)

        threading.Thread(target=listen, daemon=True).start()
        while time.monotonic() < until and room.poll() is None and demo.poll() is None:
            versions = [row for row in merged(database) if row[1] in shown]
            if len({newest_input(database, row[0])[0] for row in versions}) == RUNS and map_of(folder, versions[-1][1]):
                return True
            time.sleep(0.5)
        return False
    finally:
        for process in (room, demo):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()
        log.close()


def main():
    if "DISPLAY" not in os.environ or shutil.which("mpirun") is None:
        print("1..0 # SKIP no display or no mpirun: run the suite under xvfb-run")
        return 0
    print("1..3")
    top = tempfile.mkdtemp(prefix="firstlight-turn-around-")
    folder, shown = os.path.join(top, "demo"), {}
    whole = play(folder, shown)
    database = os.path.join(folder, "firstlight.sqlite")
    print("# s after the last shot:  run  found  stills began  ended  version  merge began  ended  drawn")
    times, steps = [], []
    for version, number, made, began, ended, said in merged(database):
        run, found, stills, done = newest_input(database, version)
        if number not in shown:
            continue
        moments = [found, stills, done, made, began, ended, shown[number]]
        after = [moment - last_shot(folder, run) for moment in moments]
        print("#  version", number, run, " ".join(f"{t:6.2f}" for t in after), said)
        times.append(after[-1])
        steps.append([b - a for a, b in zip([0] + after, after)])
    print(("ok" if whole else "not ok"), "1 - every run is in a merged version that the page has shown")
    if not whole:
        print("#", open(folder + ".log").read()[-2000:].replace("\n", "\n# "))
    names = ["run complete", "stills submitted", "stills", "version", "merge submitted", "merge", "taken in and drawn"]
    for name, *parts in zip(names, *steps):
        print(f"# {name}: {statistics.median(parts):.2f} s")
    median = statistics.median(times) if times else float("inf")
    print(f"# from last shot to screen: median {median:.1f} s, {' '.join(f'{t:.1f}' for t in times)}")
    print(("ok" if median < GOAL else "not ok"), f"2 - less than {GOAL} s, median")
    found = ligand.maps(folder, MODEL) if whole else []
    for version, done, took, sigmas, off, other in found:
        print(f"#  version {version}: map {'done' if done else 'failed'} in {took:.1f} s, highest difference {sigmas:.1f} sigma, "
              f"{off:.2f} Å from the ligand's P; elsewhere {other:.1f} sigma at most")
    numbers = [row[1] for row in merged(database)]
    print(("ok" if found and [row[0] for row in found] == numbers and all(ligand.shows(*row) for row in found) else "not ok"),
          "3 - every version has a map, and its highest difference is the ligand")
    shutil.rmtree(top, ignore_errors=True)
    return 0


sys.exit(main())
