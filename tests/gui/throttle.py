#!/usr/bin/env python3
"""throttle.py: a command behind a slow link, so that it can stand for the command: what goes either way comes half the round
trip later, what comes back at so many bytes a second at most.

FIRSTLIGHT_THROTTLE="ROUND-TRIP-MS BYTES-A-SECOND COMMAND" throttle.py ARGUMENT…"""
import collections
import os
import subprocess
import sys
import threading
import time

round_trip, rate, command = os.environ["FIRSTLIGHT_THROTTLE"].split(" ", 2)
delay = float(round_trip) / 2000
child = subprocess.Popen([command, *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def carry(source, sink, rate):
    """Two halves, so that the delay holds nothing up; little is under way at a time, as in a socket."""
    due, changed, window = collections.deque(), threading.Condition(), 32

    def take():
        free = 0.0
        while True:
            data = os.read(source, 16384)
            free = max(free, time.monotonic()) + len(data) / rate
            with changed:
                changed.wait_for(lambda: len(due) < window)
                due.append((free + delay, data))
                changed.notify_all()
            if not data:
                return

    threading.Thread(target=take, daemon=True).start()
    while True:
        with changed:
            changed.wait_for(lambda: due)
            when, data = due.popleft()
            changed.notify_all()
        time.sleep(max(0.0, when - time.monotonic()))
        if not data:
            os.close(sink)
            return
        while data:
            data = data[os.write(sink, data):]


threading.Thread(target=carry, args=(0, child.stdin.fileno(), 1e12), daemon=True).start()
try:
    carry(child.stdout.fileno(), 1, float(rate))
except BrokenPipeError:
    pass
child.kill()
os._exit(child.wait() != 0)
