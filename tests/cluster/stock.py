"""stock.py: what tests take from the build."""
import os
import re
import sys


def programs(n):
    """The first arguments: paths, for tests that work in other folders; "" is none."""
    return [path and os.path.abspath(path) for path in sys.argv[1:n + 1]]


def kernels(engine):
    """The modules of kernels that belong to an engine, wherever its build has them."""
    here = os.path.dirname(os.path.abspath(engine))
    for folder in (here, here + "/../../kernels", here + "/../lib/firstlight"):
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        found = [os.path.join(folder, name) for name in names if re.fullmatch(r"flk-.*\.so", name)]
        if found:
            return found
    return []
