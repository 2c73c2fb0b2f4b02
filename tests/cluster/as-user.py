"""as-user.py TEST ARGUMENT…: runs a test of this folder as the unprivileged user, when we are root."""
import os
import subprocess
import sys

import cluster

why = cluster.missing() or ("" if os.getuid() == 0 else "not root: the test as it is runs as a user")
if not why:
    user = cluster.unprivileged()
    dropped = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
    needed = [os.path.abspath(path) for path in sys.argv[1:3]]
    if subprocess.run(["test", "-r", needed[0], "-a", "-r", needed[1]], **dropped).returncode != 0:
        why = "the user cannot read this folder"
if why:
    print(f"1..0 # SKIP {why}")
    sys.exit(0)
hidden = ("DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
environment = {name: text for name, text in os.environ.items() if name not in hidden}
test = [os.path.abspath(word) if os.path.exists(word) else word for word in sys.argv[1:]]
sys.exit(subprocess.call(["/usr/bin/python3", "-B", *test], env={**environment, "HOME": "/var/tmp"}, **dropped))
