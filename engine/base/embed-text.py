#!/usr/bin/env python3
"""embed-text.py NAME OUT FILE...: the files, one after another, as the C string NAME."""
import sys

name, out, files = sys.argv[1], sys.argv[2], sys.argv[3:]
data = b"\n".join(open(f, "rb").read() for f in files) + b"\0"
with open(out, "w") as c:
    c.write(f"extern const char {name}[];\nconst char {name}[] = {{\n")
    for i in range(0, len(data), 20):
        c.write(",".join(str(b if b < 128 else b - 256) for b in data[i:i + 20]) + ",\n")
    c.write("};\n")
