"""control_socket.py: the control room's side of the conductor's socket (engine/control/control-socket.h)."""
import glob
import os
import socket
import struct
import time

from gi.repository import GLib

TYPES = {"hello": "(u)", "answer": "(xuas)", "connect": "(x)", "disconnect": "(x)", "probe": "(xb)", "stop-probe": "(x)",
         "channel": "(xas)"}


class ControlSocket:
    """`runtime`: the XDG_RUNTIME_DIR of the conductor, which has one experiment's socket in it."""

    def __init__(self, runtime, seconds=60):
        until = time.monotonic() + seconds
        self.socket, self.buffer = socket.socket(socket.AF_UNIX), b""
        while True:
            paths = glob.glob(os.path.join(runtime, "firstlight", "*.sock"))
            try:
                self.socket.connect(paths[0])
                break
            except (IndexError, OSError):
                if time.monotonic() > until:
                    raise AssertionError(f"nobody answers at {paths or runtime}")
                time.sleep(0.05)
        self.say("hello", 1)

    def say(self, word, *values):
        body = GLib.Variant("(sv)", (word, GLib.Variant(TYPES[word], values))).get_data_as_bytes().get_data()
        self.socket.sendall(struct.pack("<I", len(body)) + body)

    def hear(self, seconds=60):
        """The next word and its values."""
        self.socket.settimeout(seconds)
        while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack_from("<I", self.buffer)[0]:
            more = self.socket.recv(65536)
            if not more:
                raise AssertionError("the conductor has hung up")
            self.buffer += more
        length = struct.unpack_from("<I", self.buffer)[0]
        body, self.buffer = self.buffer[4:4 + length], self.buffer[4 + length:]
        return GLib.Variant.new_from_bytes(GLib.VariantType("(sv)"), GLib.Bytes(body), False).unpack()

    def probe(self, site, push, seconds=240):
        """What the wizard shows once the link is up: {step: (state, message, advice)}, and whether all is well."""
        steps, until, asked = {}, time.monotonic() + seconds, False
        while time.monotonic() < until:
            word, values = self.hear(seconds)
            if word == "link" and values[:2] == (site, "up") and not asked:
                self.say("probe", site, push)
                asked = True
            elif word == "step":
                steps[values[1]] = values[2:5]
            elif word == "probed":
                return steps, values[1]
        raise AssertionError(f"not probed within {seconds} s: {steps}")

    def close(self):
        self.socket.close()
