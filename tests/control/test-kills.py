"""kill -9 at seeded moments of the conductor, and of whatever it has started: every shot counts once, no attempt is started
twice, no job is lost. With a number as argument: so many kills (default 20)."""
import random
import signal
import sys
import time

from conduct import DONE, FAILED, Experiment, main


def play(seed, kills):
    draw = random.Random(seed)
    e = Experiment(shot_ms=12)
    want, killed = {}, 0
    for kill in range(kills):
        if kill % 2 == 0:  # runs arrive meanwhile
            run, shots = kill // 2 + 1, [draw.randrange(5, 60) for _ in range(draw.randrange(1, 4))]
            e.add_run(f"r{run:04d}", *shots)
            want[run] = (sum(shots), sum((n + 3) // 4 for n in shots))
        conductor = e.conduct()
        time.sleep(draw.choice([0.02, 0.1, 0.3, 0.6]) * (0.5 + draw.random()))
        if draw.random() < 0.6:
            jobs = [job for (job,) in e.query("SELECT id FROM job WHERE state IN (1, 2, 3)")]
            if jobs:
                killed += e.kill_session(draw.choice(jobs))
        conductor.send_signal(signal.SIGKILL)
        conductor.wait()
        for job, (shots, hits) in e.counts().items():
            run = e.query("SELECT name FROM job JOIN run ON run.id = job.run WHERE job.id = ?", job)[0][0]
            assert shots <= want[int(run[1:])][0], (seed, kill, job, shots)
    e.finish()
    for (job,) in e.query("SELECT id FROM job WHERE state = ?", FAILED):  # killed thrice before its first shot
        reason = e.query("SELECT reason FROM job WHERE id = ?", job)[0][0]
        assert "given up" in reason, (seed, job, reason)
        e.want("retry_wanted", job)
        e.finish()
    e.check_each_started_once()
    jobs = e.query("SELECT job.id, run.name, job.state FROM job JOIN run ON run.id = job.run")
    assert sorted(row[1] for row in jobs) == [f"r{run:04d}" for run in sorted(want)], jobs
    counts = e.counts()
    for job, run, state in jobs:
        assert state == DONE, (seed, job, state)
        assert counts[job] == want[int(run[1:])], (seed, run, counts[job], want[int(run[1:])])
    print(f"# {kills} conductors and {killed} attempts killed, {len(e.query('SELECT id FROM attempt'))} attempts")
    e.remove()


def seed_1():
    play(1, KILLS)


def seed_2():
    play(2, KILLS)


KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
main([seed_1, seed_2])
