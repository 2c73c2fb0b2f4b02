"""A private MariaDB for a test that kills it: prints the URL of a database that is to be made, or "none"; then obeys the lines
"kill" and "start" ("done" each), and ends with its input.

server.py"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "store"))
import mariadb

if not mariadb.available():
    print("none", flush=True)
    sys.exit(0)
with mariadb.Server() as server:
    server.sql("CREATE DATABASE room")
    print(server.url("room"), flush=True)
    for line in sys.stdin:
        if line.strip() == "kill":
            server.kill9()
        else:
            server.start()
        print("done", flush=True)
