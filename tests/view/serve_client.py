"""`firstlight-control serve` from Python: requests, pictures as numpy arrays, a geometry's panels."""
import re
import struct
import subprocess
import zlib

import numpy as np
from gi.repository import GLib

HELLO, IMAGE, SPOTS, SOURCE, LOG, CANCEL, INFLIGHT, LATTICES, TRY, FIND, FEED, MAP, MODEL, MASK = range(1, 15)
OK, ERROR, CANCELLED = range(3)
MORE, DEFLATED, FAR = 1, 2, 4
RAW, COMPACT = range(2)
TYPES = {IMAGE: '(ussssudddduuuy)', SPOTS: '(sssssu)', SOURCE: '(ssss)', LOG: '(sxu)', INFLIGHT: '(s)', HELLO: '(u)',
         LATTICES: '(sssssu)', TRY: '(ssssus)', FIND: '(sst)', FEED: '(sayu)', MAP: '(suy)', MODEL: '(s)',
         MASK: '(ssssasbsb(dddd)uu)'}
CALIBRATION = {IMAGE: 4, SPOTS: 4, LATTICES: 4, SOURCE: 3, TRY: 3, MASK: 3}  # its place, after the mask's
FOUND = 'a(ddddddyuuuddddd)a(unnnddudddddu)tb'  # lattices, reflections, what they are made from
REPLIES = {IMAGE: '(tsuddddd(dddd)(dddd)uuadauaytb)', SPOTS: '(yudsa(ddudddd)tb)', SOURCE: '(ussd(dddd)a(sdddddduu))',
           LOG: '(ttay)', INFLIGHT: 'a(uuuuutt)', HELLO: '(us)', LATTICES: '(%s)' % FOUND,
           TRY: '(u(yudsa(ddudddd)tb)(%s))' % FOUND, FIND: '(btttstt)', FEED: '(ay)', MAP: '(uuuuadbddddyaiay)',
           MODEL: '(a(iiissssiyy))', MASK: '(uuusaua(sttt)ttttuuayay)'}
MEAN, MAXIMUM, NEAREST = range(3)


class Serve:
    calibration = ''  # trial text of detector.*: files hold raw pixels

    def __init__(self, control, *options):
        self.child = subprocess.Popen([control, 'serve', *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.id = self.received = 0
        self.far = False  # asks for compact pictures and deflated bodies

    def ask(self, operation, *values):
        self.id += 1
        at = CALIBRATION.get(operation)
        if at is not None:
            values = values[:at] + (self.calibration,) + values[at:]
        body = GLib.Variant(TYPES[operation], values).get_data_as_bytes().get_data()
        self.child.stdin.write(struct.pack('<4sIIHBB', b'FLV1', len(body), self.id, operation, 0, FAR * self.far) + body)
        self.child.stdin.flush()
        body, more, self.received = b'', True, 0
        while more:
            magic, length, reply_id, op, status, flags = struct.unpack('<4sIIHBB', self.child.stdout.read(16))
            body += self.child.stdout.read(length)
            self.received += 16 + length
            more = flags & MORE
            assert (magic, reply_id, op) == (b'FLV1', self.id, operation) and length <= 65536
        if flags & DEFLATED:
            size, body = struct.unpack('<I', body[:4])[0], zlib.decompress(body[4:])
            assert len(body) == size
        if status == ERROR:
            raise ServeError(*parse('(is)', body).unpack())
        assert status == OK
        return parse(REPLIES[operation], body)

    def image(self, path, geometry='', mask='', frame=0, rect=(0, 0, 0, 0), reduce=MEAN, width=800, height=800):
        v = self.ask(IMAGE, 1, path, geometry, mask, frame, *rect, reduce, width, height, COMPACT if self.far else RAW)
        keys = ('shot event frames energy wavelength camera_length pixel_size saturation rect whole width height '
                'percentiles').split()
        result = {k: v.get_child_value(i).unpack() for i, k in enumerate(keys)}
        raster = np.frombuffer(v.get_child_value(13).get_data_as_bytes().get_data(), '<f4')
        result['raster'] = unpack(v.get_child_value(14).get_data_as_bytes().get_data(), height, width) if self.far \
            else raster.reshape(height, width)
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


def unpack(packed, height, width):
    """A compact raster by numpy and a few loops, from the description in engine/view/raster-codec.[ch]."""
    version, mode, q, zero, size = struct.unpack('<BBxxddI', packed[:24])
    raw = zlib.decompress(packed[24:])
    assert version == 1 and len(raw) == size
    if mode == 2:
        return np.frombuffer(raw, '<f4').reshape(height, width)
    n = struct.unpack_from('<I', raw)[0]
    runs, at, raster, filled, shift, number = raw[4:4 + n], 4 + n, np.zeros(height * width, 'f4'), 0, 0, 0
    for byte in runs:
        number |= (byte & 127) << shift
        shift = shift + 7 if byte > 127 else 0
        if shift == 0:
            raster[filled:filled + (number >> 2)] = (0, np.nan, -np.inf)[number & 3]
            filled, number = filled + (number >> 2), 0
    assert filled == height * width
    raster = raster.reshape(height, width)
    n = struct.unpack_from('<I', raw, at)[0]
    escapes, at = iter(np.frombuffer(raw, '<u4', n, at + 4)), at + 4 + 4 * n
    bands, at = raw[at:at + (height + 15) // 16], at + (height + 15) // 16
    symbols = iter(raw[at:])
    levels, above = np.zeros((height, width)), [0] * width
    for y in range(height):
        row, finite = [0] * width, np.isfinite(raster[y])
        for x in range(width):
            if not finite[x]:
                row[x] = row[x - 1] if x else above[0]
                continue
            symbol = next(symbols)
            symbol = int(next(escapes)) if symbol == 255 else symbol
            guess = (0, above[x], ((row[x - 1] if x else above[0]) + above[max(x - 1, 0)] + above[x]
                                   + above[min(x + 1, width - 1)] + 2) >> 2)[bands[y // 16]]
            row[x] = guess + (symbol >> 1 ^ -(symbol & 1))
        levels[y], above = row, row
    assert next(symbols, None) is None and next(escapes, None) is None
    values = levels if mode == 1 else np.where(
        levels < 0, levels * np.sqrt(zero) / 4.75, ((levels * q / 9.5 + np.sqrt(zero)) ** 2 - zero) / q)
    return np.where(np.isfinite(raster), values, raster)


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
