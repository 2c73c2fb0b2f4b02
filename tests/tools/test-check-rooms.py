#!/usr/bin/env python3
"""check-rooms itself: a house in order passes, each trespass is named with its line. Prints TAP."""
import os
import subprocess
import sys
import tempfile

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'check-rooms')

IN_ORDER = {
    'engine/base/error.h': '#include <glib.h>\n',
    'engine/parallel/deal.c': '#include <mpi.h>\n#include "engine/base/error.h"\n',
    'engine/view/client.h': '#include <gio/gio.h>\n#include "engine/base/error.h"\n',
    'gui/images-page.c': '#include <gtk/gtk.h>\n#include "gui/images-page.h"\n#include "engine/view/client.h"\nf (_("Images"));\n',
    'gui/images-page.h': '',
    'gui/runs-page.h': '',
    'gui/window.c': '#include "gui/images-page.h"\n#include "gui/runs-page.h"\nconst char *s = N_ ("Runs");\n',
    'kernels/radial.c': '#include <math.h>\n',
    'po/POTFILES.in': '# what is translated\ngui/images-page.c\ngui/window.c\n',
    'resources/ui/form.ui': '<property name="label">42</property>\n',
}

TRESPASSES = [  # file, text, what is said
    ('engine/base/vec.h', '\n#include "engine/shots/source.h"\n', 'engine/base/vec.h:2: engine/base may not include from engine/shots'),
    ('engine/sfx/spots.c', '#include "engine/store/store.h"\n', 'engine/sfx/spots.c:1: engine/sfx may not include from engine/store'),
    ('engine/store/store.c', '#  include "kernels/radial.h"\n', 'engine/store may not include from kernels'),
    ('gui/live.c', '#include "engine/shots/source.h"\n', 'gui may not include from engine/shots'),
    ('widgets/plot.c', '#include "engine/base/error.h"\n', 'widgets may not include from engine/base'),
    ('kernels/fft.c', '#include "engine/base/vec.h"\n', 'kernels may not include from engine/base'),
    ('gui/runs-page.c', '#include "gui/images-page.h"\n', 'gui/runs-page.c:1: a page may not include another page'),
    ('engine/base/near.c', '#include "error.h"\n', 'engine/base/near.c:1: includes "error.h" without its room'),
    ('engine/shots/far.c', '#include "engine/cellar/wine.h"\n', 'in no room'),
    ('engine/cellar/wine.c', '', 'engine/cellar is not a room'),
    ('engine/sfx/index.c', '#include <mpi.h>\n', 'only engine/parallel knows MPI'),
    ('engine/shots/cbf.c', '#include <gio/gio.h>\n', 'no GObject and no GIO'),
    ('engine/programs/serve.c', '#include <gtk/gtk.h>\n', 'only gui and widgets have windows'),
    ('gui/peek.c', '#include <hdf5.h>\n', 'opened by the compute plane'),
    ('engine/control/site.c', '#include <sqlite3.h>\n', 'only engine/store'),
    ('gui/jobs.c', 'g_print (_("Jobs"));\n', 'po/POTFILES.in:4: gui/jobs.c is missing'),
    ('resources/ui/form.ui', '<property name="label" translatable="yes">Runs</property>\n', 'resources/ui/form.ui is missing'),
    ('po/POTFILES.in', 'gui/window.c\ngui/images-page.c\n', 'po/POTFILES.in:2: gui/images-page.c is out of order'),
    ('po/POTFILES.in', 'gui/gone.c\ngui/images-page.c\ngui/window.c\n', 'po/POTFILES.in:1: gui/gone.c is not there'),
    ('po/POTFILES.in', 'gui/images-page.c\ngui/runs-page.h\ngui/window.c\n', 'gui/runs-page.h has nothing to translate'),
]


def run(files):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as top:
        for path, text in files.items():
            os.makedirs(os.path.join(top, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(top, path), 'w') as f:
                f.write(text)
        done = subprocess.run([sys.executable, CHECK, top], capture_output=True, text=True)
        return done.returncode, done.stdout


def main():
    print('1..%d' % (len(TRESPASSES) + 1))
    status, said = run(IN_ORDER)
    failures = int(status != 0)
    print('not ok' if status else 'ok', '1 a house in order\n# ' + said.strip())
    for number, (path, text, expected) in enumerate(TRESPASSES, 2):
        status, said = run({**IN_ORDER, path: text})
        good = status == 1 and expected in said and len(said.splitlines()) == 1
        failures += not good
        print('ok' if good else 'not ok', number, expected)
        if not good:
            print('# said: ' + said.replace('\n', '\n# '))
    return failures


sys.exit(main() != 0)
