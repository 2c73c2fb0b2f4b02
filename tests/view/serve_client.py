"""`firstlight-control serve` from Python: requests, pictures as numpy arrays, a geometry's panels."""
import re
import struct
import subprocess

import numpy as np
from gi.repository import GLib

HELLO, IMAGE, SPOTS, SOURCE, LOG, CANCEL, INFLIGHT, LATTICES, TRY = range(1, 10)
OK, ERROR, CANCELLED = range(3)
TYPES = {IMAGE: '(usssudddduuu)', SPOTS: '(ssssu)', SOURCE: '(sss)', LOG: '(sxu)', INFLIGHT: '(s)', HELLO: '(u)',
         LATTICES: '(ssssu)', TRY: '(sssus)'}
FOUND = 'a(ddddddyuuuddddd)a(unnnddudddddu)'  # lattices, reflections
REPLIES = {IMAGE: '(tsuddddd(dddd)(dddd)uuadau)', SPOTS: '(yudsa(ddudddd))', SOURCE: '(ussd(dddd)a(sdddddduu))',
           LOG: '(ttay)', INFLIGHT: 'a(uuuuutt)', HELLO: '(us)', LATTICES: '(%s)' % FOUND,
           TRY: '(u(yudsa(ddudddd))(%s))' % FOUND}
MEAN, MAXIMUM, NEAREST = range(3)


class Serve:
    def __init__(self, control, *options):
        self.child = subprocess.Popen([control, 'serve', *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.id = 0

    def ask(self, operation, *values):
        self.id += 1
        body = GLib.Variant(TYPES[operation], values).get_data_as_bytes().get_data()
        self.child.stdin.write(struct.pack('<4sIIHH', b'FLV1', len(body), self.id, operation, 0) + body)
        self.child.stdin.flush()
        magic, length, reply_id, op, status = struct.unpack('<4sIIHH', self.child.stdout.read(16))
        body = self.child.stdout.read(length)
        assert (magic, reply_id, op) == (b'FLV1', self.id, operation)
        if status == ERROR:
            raise ServeError(*parse('(is)', body).unpack())
        assert status == OK
        return parse(REPLIES[operation], body)

    def image(self, path, geometry='', mask='', frame=0, rect=(0, 0, 0, 0), reduce=MEAN, width=800, height=800):
        v = self.ask(IMAGE, 1, path, geometry, mask, frame, *rect, reduce, width, height)
        keys = ('shot event frames energy wavelength camera_length pixel_size saturation rect whole width height '
                'percentiles').split()
        result = {k: v.get_child_value(i).unpack() for i, k in enumerate(keys)}
        raster = np.frombuffer(v.get_child_value(13).get_data_as_bytes().get_data(), '<f4')
        result['raster'] = raster.reshape(height, width)
        return result

    def close(self):
        self.child.stdin.close()
        assert self.child.wait(10) == 0

    def rss_mb(self):
        with open('/proc/%d/status' % self.child.pid) as f:
            return int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1)) / 1024


class ServeError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def parse(kind, body):
    return GLib.Variant.new_from_bytes(GLib.VariantType(kind), GLib.Bytes(body), False)


def read_geom(path):
    """The panels of a flat CrystFEL geometry, by a reader of a few lines."""
    panels, common = {}, {}
    for line in open(path):
        line = line.split(';')[0].strip()
        if '=' not in line:
            continue
        name, value = [s.strip() for s in line.split('=', 1)]
        if '/' in name:
            panel, key = name.split('/')
            panels.setdefault(panel, {})[key] = value
        else:
            common[name] = value
    def vector(text):
        parts = dict((axis, float(n)) for n, axis in re.findall(r'([-+]?\s*[\d.]+)\s*([xyz])', text))
        return np.array([parts.get('x', 0), parts.get('y', 0)])
    return common, [dict(fs=vector(p['fs']), ss=vector(p['ss']), corner=np.array([float(p['corner_x']), float(p['corner_y'])]),
                         f=(int(p['min_fs']), int(p['max_fs']) + 1), s=(int(p['min_ss']), int(p['max_ss']) + 1))
                    for p in panels.values()]
