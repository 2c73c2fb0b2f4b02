#!/usr/bin/env python3
"""Every kernel of kernels/kernel-list.h is the business of a test that runs on all devices (on_devices_launched()), which
then fails unless it launched it.

kernel-list.py SOURCE"""
import glob, re, sys

source = sys.argv[1]
kernels = set(re.findall(r"^ +X \((\w+)\)", open(f"{source}/kernels/kernel-list.h", encoding="utf-8").read(), re.M))
named = {}
for path in glob.glob(f"{source}/tests/kernels/test-*.c"):
    text = open(path, encoding="utf-8").read()
    for call in re.findall(r"on_devices_launched \(((?:\s*\"[^\"]*\")+)\)", text):
        for name in "".join(re.findall(r'"([^"]*)"', call)).split():
            named[name] = path
print("1..1")
print("ok 1 -" if kernels and set(named) == kernels else "not ok 1 -", f"{len(kernels)} kernels, each with a test on all devices")
for name in sorted(kernels ^ set(named)):
    print(f"# {name}: {'no test' if name in kernels else 'named by ' + named[name] + ', no kernel'}")
