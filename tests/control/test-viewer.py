"""A viewer changes nothing, by whatever path: every program that writes, a conductor, a control room's exported actions; once kept
out by our own roles, once by the server's grants alone (a program that does not know of roles)."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "store"))
import mariadb
from conduct import CONTROL, DONE, Experiment, main

PASSWORD = "vera-5521"
FIRSTLIGHT = os.environ.get("FIRSTLIGHT")
servers = []


def server():
    if not servers:
        servers.append(mariadb.Server())
    return servers[0]


def make():
    """An experiment with a job that is done, and the folder of a viewer's window on it."""
    e = Experiment(server=server())
    e.add_run("r0001", 12)
    e.finish()
    e.viewer = os.path.join(e.folder, "vera")
    os.mkdir(e.viewer)
    options = os.path.join(e.viewer, "options.cnf")
    with open(options, "w") as file:
        file.write(f"[firstlight]\npassword={PASSWORD}\n")
    with open(os.path.join(e.viewer, "database.ini"), "w") as file:
        file.write(f"[database]\nurl=mysql://vera@127.0.0.1:{server().port}/{e.database}\ntls=off\noption_file={options}\n"
                   f"home={e.folder}\n")
    server().sql("DROP USER IF EXISTS 'vera'@'%'")
    return e


def contents(e):
    tables = [table for table, in e.query("SHOW TABLES") if table != "presence"]
    return e.query("CHECKSUM TABLE " + ", ".join(f"`{table}`" for table in tables))


def writing(e):
    trial = os.path.join(e.folder, "trial.txt")
    open(trial, "w").write("[spots]\nsigma_strong = 4\n")
    journal = next(folder for folder, _, names in os.walk(os.path.join(e.folder, "jobs")) if any("journal" in n for n in names))
    v = e.viewer
    return [["conduct", "--store", v, "--once"],
            ["experiment", "--store", v, "--tag", "water"],
            ["experiment", "--store", v, "--trial", trial],
            ["experiment", "--store", v, "--cores", "1"],
            ["dataset", "--store", v, "--name", "d", "--expression", "runs 1-"],
            ["dataset", "--store", v, "--tag-runs", "water=r0001"],
            ["site", "--store", v, "--name", "local", "--engine", "/bin/true"],
            ["site", "--store", v, "--name", "local", "--remove"],
            ["job", "--store", v, "--retry", "1"],
            ["job", "--store", v, "--stop", "1"],
            ["people", v, "--role", "vera=owner"],
            ["database", "grant", v, "vera", "owner"],
            ["ingest", "--store", v, "--attempt", "1", "--compact", journal],
            ["ingest", "--store", v, "--attempt", "1", "--follow", journal],
            ["channel", "--store", v, "--site", "local", "--", "touch", os.path.join(e.folder, "touched")]]


def refused(e, arguments, before):
    done = e.run(*arguments, check=False)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2, (arguments, done.returncode, done.stdout, done.stderr)
    assert len(lines) == 1 and re.search("viewer|may not", lines[0]), (arguments, done.stderr)
    assert contents(e) == before, arguments


def test_by_role():
    e = make()
    server().add_account("vera", PASSWORD, [f"ALL ON {e.database}.*"])  # the server would let her
    e.run("people", e.folder, "--role", "root=owner", "--role", "vera=viewer")
    before = contents(e)
    for arguments in writing(e):
        refused(e, arguments, before)
    e.remove()


def test_by_grants():
    """With the rights of `database grant`, by a client of no roles: the server refuses each table but `presence`."""
    e = make()
    subprocess.run([CONTROL, "database", "grant", "--create", e.folder, "vera", "viewer"], env=e.environment, check=True,
                   input=PASSWORD + "\n", text=True, capture_output=True)
    before = contents(e)
    for table, in e.query("SHOW TABLES"):
        for sql in (f"INSERT INTO `{table}` SELECT * FROM `{table}`", f"DELETE FROM `{table}`",
                    f"ALTER TABLE `{table}` ADD COLUMN x INT", f"DROP TABLE `{table}`"):
            if table == "presence" and sql.split()[0] in ("INSERT", "DELETE"):
                continue
            try:
                server().sql(sql, user="vera", password=PASSWORD, database=e.database)
                raise AssertionError(f"{sql}: was allowed")
            except RuntimeError as error:
                assert "denied" in str(error), (sql, error)
    assert contents(e) == before
    for arguments in writing(e):
        refused(e, arguments, before)
    e.run("job", "--store", e.viewer)  # what she may
    e.run("dataset", "--store", e.viewer)
    e.remove()


def test_control_room():
    """No conductor is started for her, and no exported action does anything."""
    e = make()
    subprocess.run([CONTROL, "database", "grant", "--create", e.folder, "vera", "viewer"], env=e.environment, check=True,
                   input=PASSWORD + "\n", text=True, capture_output=True)
    before = contents(e)
    script = r"""
"$FIRSTLIGHT" "$VIEWER" > "$VIEWER/said" 2>&1 &
window=$!
for n in $(seq 200); do
  for NAME in $(gdbus call --session --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus \
      --method org.freedesktop.DBus.ListNames | grep -o "':1\.[0-9]*'" | tr -d "'"); do
    gdbus call --session --timeout 2 --dest "$NAME" --object-path /io/firstlight/Firstlight --method org.gtk.Actions.List \
      > /dev/null 2>&1 && break 2
    NAME=
  done
  sleep 0.1
done
sleep 6
for path in $(gdbus introspect --session --dest "$NAME" --object-path /io/firstlight/Firstlight --recurse | grep -o 'node /[^ ]*' | cut -d ' ' -f 2); do
  for action in $(gdbus call --session --dest "$NAME" --object-path "$path" --method org.gtk.Actions.List 2> /dev/null |
      grep -o "'[^']*'" | tr -d "'"); do
    case $action in *quit* | *close*) continue ;; esac
    echo "$path $action"
    gdbus call --session --timeout 5 --dest "$NAME" --object-path "$path" --method org.gtk.Actions.Activate "$action" '[]' '{}' \
      > /dev/null 2>&1
  done
done
sleep 3
kill -0 $window && echo alive
kill $window
wait $window
"""
    done = subprocess.run(["dbus-run-session", "--", "xvfb-run", "-a", "-s", "-screen 0 1280x800x24 -noreset", "sh", "-c", script],
                          env=dict(e.environment, FIRSTLIGHT=FIRSTLIGHT, VIEWER=e.viewer, GSK_RENDERER="cairo", GTK_A11Y="none",
                                   GSETTINGS_BACKEND="memory", NO_AT_BRIDGE="1", HOME=e.viewer, XDG_RUNTIME_DIR=e.viewer),
                          capture_output=True, text=True, timeout=100)
    actions = [line for line in done.stdout.splitlines() if line.startswith("/")]
    assert len(actions) > 3 and "alive" in done.stdout, (done.stdout, done.stderr[-2000:], open(f"{e.viewer}/said").read())
    assert contents(e) == before
    assert not os.path.exists(os.path.join(e.viewer, "conductor.log")), "a conductor was started for a viewer"
    assert not [pid for pid in e.processes() if b"conduct\0" in open(f"/proc/{pid}/cmdline", "rb").read()]
    print(f"# {len(actions)} actions asked for over D-Bus: " + " ".join(line.split()[1] for line in actions))
    e.remove()


if not mariadb.available():
    print("1..0 # SKIP no MariaDB server is installed")
    sys.exit(0)
TESTS = [test_by_role, test_by_grants] + ([test_control_room] if FIRSTLIGHT else [])
if chosen := sys.argv[1:]:
    TESTS = [test for test in TESTS if test.__name__ in chosen]
try:
    main(TESTS)
finally:
    for one in servers:
        one.stop()
