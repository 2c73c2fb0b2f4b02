#!/usr/bin/python3
"""SMV, TIFF and CBF images made here, as dxtbx and fabio read them: every panel's numbers, every pixel.
Usage: oracle-images.py FIRSTLIGHT-CONTROL DUMP-FRAMES"""
import bz2
import gzip
import math
import os
import re
import subprocess
import sys
import tempfile
import zlib

os.environ["PATH"] = "/usr/bin:/bin"  # another Python's folder there leads cctbx astray
try:
    import numpy as np
    import dxtbx
    import fabio
    import h5py
except (ImportError, OSError) as why:
    print(f"DIALS or fabio are not there: {why}")
    sys.exit(77)

control, dump = sys.argv[1:3]
from image_writers import (ADSC, EIGER, EIGER_MODULE, PILATUS, PILATUS_MODULE, RIGAKU, cbf, counts, full_cbf, gapped, rayonix,
                           smv, tiff)

# --- comparing ---


def close(a, b, what):
    assert len(a) == len(b) and all(abs(x - y) <= 2e-5 * max(1, abs(x)) for x, y in zip(a, b)), (what, a, b)


def numbers(text):
    return [math.inf if v == "inf" else -math.inf if v == "-inf" else float(v) for v in re.split(r"[,\s]+", text)]


def ours(path):
    inspect = subprocess.run([control, "inspect", "--panels", "--imgcif", path], stdout=subprocess.PIPE,
                             check=True, text=True).stdout
    subprocess.run([dump, path, "-", "1", path + ".pixels"], check=True, stdout=subprocess.DEVNULL)
    panel = re.findall(r"^panel (\S+): (\d+) x (\d+) px, pixel (\S+) x (\S+) mm, origin (\S+ \S+ \S+), fast (\S+ \S+ \S+), "
                       r"slow (\S+ \S+ \S+), distance (\S+) mm, trusted (\S+) to (\S+), gain (\S+)$", inspect, re.M)
    assert len(panel) == 1, inspect
    return inspect, panel[0], np.fromfile(path + ".pixels")


def check_dxtbx(path, pedestal=0):
    inspect, panel, pixels = ours(path)
    image = dxtbx.load(path)
    theirs = image.get_detector()[0]
    close([int(panel[1]), int(panel[2])], theirs.get_image_size(), "size")
    close(numbers(panel[3] + " " + panel[4]), theirs.get_pixel_size(), "pixel size")
    close(numbers(panel[5]), theirs.get_origin(), "origin")
    close(numbers(panel[6]), theirs.get_fast_axis(), "fast")
    close(numbers(panel[7]), theirs.get_slow_axis(), "slow")
    close(numbers(panel[9] + " " + panel[10]), theirs.get_trusted_range(), "trusted range")
    close(numbers(panel[11]), [theirs.get_gain()], "gain")
    wavelength = float(re.search(r"^wavelength: (\S+) A", inspect, re.M).group(1))
    close([wavelength], [image.get_beam().get_wavelength()], "wavelength")
    raw = image.get_raw_data()
    raw = raw[0] if isinstance(raw, tuple) else raw
    assert np.array_equal(pixels, np.array(list(raw), float) - pedestal), "pixels"
    return inspect


def check_fabio(path, dtype=None):
    inspect, _, pixels = ours(path)
    theirs = fabio.open(path).data
    assert np.array_equal(pixels, theirs.astype(dtype or theirs.dtype).astype(float).ravel()), "pixels"
    return inspect


def check_sacla(folder):
    """Cheetah's file of a run at SACLA: two shots on the eight sensors of an MPCCD."""
    path = os.path.join(folder, "sacla.h5")
    shots = [np.random.default_rng(i).poisson(4, (8192, 512)).astype("u2") for i in range(2)]
    mask = np.zeros((8192, 512), "u2")
    mask[::100, 7:9] = 1
    with h5py.File(path, "w") as f:
        m = f.create_group("metadata")
        m["sensor_id"] = [b"MPCCD-8B0-2-006-%d" % i for i in range(8)]
        m["posx_in_um"] = [1820.3, 1750, -800, -810, 790, 780, -1650, -1655]
        m["posy_in_um"] = [51624.4, 24944, -1808, -28466, 28544, 1840, -24900, -51626]
        m["posz_in_um"] = [0, 10, 0, 0, 0, -20, 0, 0]
        m["angle_in_rad"] = [-89.8, -89.9, -89.98, -89.9, 89.96, 89.9, 90, 90.03]  # the name is wrong, not the values
        m["distance_in_mm"], m["pixelmask"] = 99.5, mask
        for i, shot in enumerate(shots):
            f[f"tag-{1870 + i}/data"], f[f"tag-{1870 + i}/photon_energy_ev"] = shot, 9956. + i
    inspect = subprocess.run([control, "inspect", "--panels", "--imgcif", path], capture_output=True, check=True, text=True).stdout
    panels = re.findall(r"^panel q\d: 512 x 1024 px, pixel 0.05 x 0.05 mm, origin (.*), fast (.*), slow (.*), distance .* gain 10$",
                        inspect, re.M)
    assert len(panels) == 8 and f"masked {int(mask.sum())}\n" in inspect, inspect
    for a, b in zip(panels, dxtbx.load(path).get_detector()):
        close(numbers(" ".join(a)), b.get_origin() + b.get_fast_axis() + b.get_slow_axis(), "sensor")
    rows = subprocess.run([dump, path, "-", "1", path + ".pixels"], capture_output=True, check=True, text=True).stdout.splitlines()
    assert [float(row.split()[2]) for row in rows] == [9956, 9957], rows
    assert np.array_equal(np.fromfile(path + ".pixels"), shots[1].ravel().astype(float))


def group(f, path, kind):
    g = f.require_group(path)
    g.attrs["NX_class"] = kind
    return g


def with_unit(g, name, value, unit):
    g[name] = value
    g[name].attrs["units"] = unit


def check_channels(folder):
    """A master of an Eiger 2 as its file writer makes them since 2024: an image a threshold, each with its mask."""
    path, ny, nx = os.path.join(folder, "series_1_master.h5"), 40, 50
    whole = np.random.default_rng(1).poisson(4, (3, 2, ny, nx)).astype("u4")
    place = np.array([20.5 * 0.075, 10.25 * 0.075, 120]) * 1e-3
    with h5py.File(path, "w") as f:
        group(f, "entry", "NXentry")["definition"] = "NXmx"
        data, d = group(f, "entry/data", "NXdata"), group(f, "entry/instrument/detector", "NXdetector")
        group(f, "entry/instrument", "NXinstrument")
        with_unit(group(f, "entry/instrument/beam", "NXbeam"), "incident_wavelength", 0.98, "angstrom")
        data.attrs["signal"] = "data"
        data["data"], data["channel"], data["data_scaling_factor"] = whole, ["threshold_1", "difference"], 0.125
        for name, step in ("threshold_1", 7), ("difference", 3):
            mask = np.zeros((ny, nx), "u4")
            mask[::step] = 8
            group(d, name + "_channel", "NXdetector_channel")["pixel_mask"] = mask
        d["bit_depth_readout"], d["saturation_value"] = 16, 5000
        m = group(d, "module", "NXdetector_module")
        m["data_origin"], m["data_size"] = [0, 0], [ny, nx]
        for name, v in ("fast", (-1., 0, 0)), ("slow", (0, -1., 0)):
            with_unit(m, name + "_pixel_direction", 75e-6, "m")
            m[name + "_pixel_direction"].attrs.update(vector=v, depends_on=".", offset=place, transformation_type="translation")
    inspect, panel, pixels = ours(path)
    assert np.array_equal(pixels, whole[2, 0].ravel()), "first channel"
    assert "has 2 channels" in inspect and "masked 300\n" in inspect and "to 5001" in inspect, inspect
    close(numbers(panel[5]), [-1.5375, 0.76875, -120], "place")
    close(numbers(panel[11]), [8], "gain")


def check_esrf(folder):
    """A Jungfrau of ESRF's ID29: what is known of it lies in a group of its own."""
    path = os.path.join(folder, "id29.h5")
    whole = np.random.default_rng(2).integers(-200, 400, (2, 40, 50)).astype("i4")
    whole[1, 3, 3] = -2 ** 31
    with h5py.File(path, "w") as f:
        group(f, "entry_0000", "NXentry"), group(f, "entry_0000/instrument", "NXinstrument")
        d = group(f, "entry_0000/instrument/jungfrau4m_rr4_smx", "NXdetector")
        d["data"] = whole
        with_unit(d, "beam/incident_wavelength", 1.07, "angstrom")
        i = d.create_group("detector_information")
        for name in "x_pixel_size", "y_pixel_size":
            with_unit(i, name, 75e-6, "m")
        with_unit(i, "detector_distance", 0.15, "m")
        for name, v in ("beam_center_x", 20.), ("beam_center_y", 10.5), ("adus_per_photon", 8.), ("saturation_value", 300):
            i[name] = v
        i["pixel_mask"] = (np.arange(2000) % 40 == 0).astype("u1").reshape(40, 50)
    inspect, panel, pixels = ours(path)
    assert np.array_equal(pixels, whole[1].ravel()) and "masked 50\n" in inspect, inspect
    close(numbers(panel[5]), [-1.5, 0.7875, -150], "place")
    close(numbers(" ".join(panel[9:12])), [-2 ** 31, 301, 8], "limits and gain")


def check_cheetah(folder):
    """Cheetah's CXI: every frame has its photon energy, in J."""
    path = os.path.join(folder, "cheetah.cxi")
    with h5py.File(path, "w") as f:
        f["entry_1/data_1/data"] = np.zeros((3, 4, 5), "i2")
        f["entry_1/instrument_1/source_1/energy"] = np.array([9000., 9010, 9020]) * 1.602176634e-19
    rows = subprocess.run([dump, path, "-", "1"], capture_output=True, check=True, text=True).stdout.splitlines()
    close([float(row.split()[2]) for row in rows], [9000, 9010, 9020], "energies")


def check_pal(folder):
    """A run of PAL-XFEL."""
    np.float = float  # which dxtbx still asks for
    path = os.path.join(folder, "pal.h5")
    whole = np.random.default_rng(4).poisson(9, (2, 45, 45)).astype("u2")
    with h5py.File(path, "w") as f:
        f["R0007/header/detector_0_distance"], f["R0007/scan_dat/raymx_header"] = 110., np.zeros(2)
        f["R0007/scan_dat/raymx_data"], f["R0007/scan_dat/photon_wavelength"] = whole, [1.3, 1.31]
        f["R0007/scan_dat/N"] = [1, 2]
    inspect, panel, pixels = ours(path)
    theirs = dxtbx.load(path).get_detector()[0]
    close(numbers(" ".join(panel[3:8])), theirs.get_pixel_size() + theirs.get_origin() + theirs.get_fast_axis() +
          theirs.get_slow_axis(), "place")
    assert np.array_equal(pixels, whole[1].ravel()) and "Rayonix of PAL-XFEL" in inspect, inspect
    rows = subprocess.run([dump, path, "-", "1"], capture_output=True, check=True, text=True).stdout.splitlines()
    close([12398.4198 / float(row.split()[2]) for row in rows], [1.3, 1.31], "wavelengths")


def check_wide_master(folder):
    """Diamond's masters of 2019: 64 bits are declared over counts of 16, which are delivered as they are."""
    whole = np.random.default_rng(6).poisson(9, (2, 8, 10)).astype("u2")
    for fill, dtype in (0, "u2"), (-1, "f8"):
        path = os.path.join(folder, f"wide{fill}.nxs")
        with h5py.File(path, "w") as f:
            f["entry/data/data_000001"] = whole
            layout = h5py.VirtualLayout((2, 8, 10), "i8")
            layout[...] = h5py.VirtualSource(".", "/entry/data/data_000001", shape=whole.shape)
            f.create_virtual_dataset("entry/data/data", layout, fillvalue=fill)
            f["entry/instrument/detector/saturation_value"] = 65535
        rows = subprocess.run([dump, path, "-", "1"], capture_output=True, check=True, text=True).stdout.splitlines()
        assert [int(row.split()[3], 16) for row in rows] == [zlib.crc32(shot.astype(dtype).tobytes()) for shot in whole], rows
        inspect = subprocess.run([control, "inspect", path], capture_output=True, check=True, text=True).stdout
        assert fill < 0 or "trusted range: -inf to 65535 " in inspect, inspect  # exclusive


def main(folder):
    done = []

    def make(name, data):
        stem, ending = os.path.splitext(name)
        path = os.path.join(folder, stem + "_0001" + ending)  # dxtbx wants a number
        with open(path, "wb") as file:
            file.write(data)
        done.append(name)
        return path

    u16 = counts(np.uint16)
    for order in "little_endian", "big_endian":
        path = make(order + ".img", smv(ADSC, u16, order))
        check_dxtbx(path)
        check_fabio(path)
    check_dxtbx(make("pedestal.img", smv({**ADSC, "IMAGE_PEDESTAL": "40", "GAIN": "2.4"}, u16)), 40)
    check_dxtbx(make("gain.img", smv({**ADSC, "GAIN": "1.7"}, u16)))
    check_dxtbx(make("sn905.img", smv({**ADSC, "DATE": "Thu Nov  3 18:15:34 2005", "DETECTOR_SN": "905", "DENZO_XBEAM": "2.9",
                                      "DENZO_YBEAM": "4.4", "IMAGE_PEDESTAL": "40", "GAIN": "2.4"}, u16)), 40)
    check_dxtbx(make("sn914.img", smv({**ADSC, "DATE": "Thu Nov  3 18:15:34 2005", "DETECTOR_SN": "914", "GAIN": "2.4",
                                      "CCD_SPATIAL_BEAM_POSITION": "30.5 44.25"}, u16)))
    check_dxtbx(make("both.img", smv({**RIGAKU, **ADSC}, u16)))
    check_dxtbx(make("saturn.img", smv(RIGAKU, u16)))
    check_dxtbx(make("saturn_big.img", smv({**RIGAKU, "CCD_SPATIAL_DISTORTION_VECTORS": "0 1 1 0"}, u16, "big_endian")))
    for name, dtype in (("long int", np.int32), ("unsigned long int", np.uint32), ("short int", np.int16),
                        ("unsigned char", np.uint8), ("float IEEE", np.float32)):
        data = counts(dtype) if np.dtype(dtype).itemsize > 1 else counts(np.uint16).astype(np.uint8)
        check_fabio(make(name.replace(" ", "_") + ".img", smv({"Data_type": name}, data, "big_endian")))

    square = counts(np.uint16, 80, 80)
    check_dxtbx(make("rayonix.mccd", rayonix(square, (41.5, 38.25))))
    check_dxtbx(make("bias.mccd", rayonix(square, (41.5, 38.25), 10, 12)))  # dxtbx takes the bias away as well
    check_dxtbx(make("mm.mccd", rayonix(square, (3.6, 3.5))))  # a centre in mm
    assert "format: MarCCD or Rayonix TIFF" in check_fabio(make("big.mccd", rayonix(square, (41.5, 38.25), big=True)))
    gaps, eiger = gapped(counts(np.int32, *PILATUS_MODULE)), gapped(counts(np.int32, *EIGER_MODULE))
    text = PILATUS.replace("\n", "\r\n").encode() + b"\0"
    inspect = check_fabio(make("pilatus.tif", tiff(gaps, tags=[(270, 2, len(text), 1024)], fill={1024: text})), np.int32)
    assert "format: Pilatus TIFF" in inspect and "trusted range: -1 to 300000" in inspect, inspect
    assert "distance: 201.37 mm" in inspect and "frame 0: i32, -2 to" in inspect, inspect
    for dtype in np.uint8, np.uint16, np.int32, np.float32:
        data = counts(np.uint16).astype(dtype)
        kind = {"u": 1, "i": 2, "f": 3}[np.dtype(dtype).kind]
        inspect = check_fabio(make(np.dtype(dtype).name + ".tif", tiff(data, tags=[(339, 3, 1, kind)])))
        assert "the file does not tell where its pixels are" in inspect

    for name, data in (("pilatus.cbf", cbf(gaps, "PILATUS_1.2", PILATUS)), ("sls.cbf", cbf(gaps, "SLS_1.0", PILATUS)),
                       ("eiger.cbf", cbf(eiger, "PILATUS_1.2", EIGER)), ("full.cbf", full_cbf(gaps)),
                       ("full_back.cbf", full_cbf(gaps, backwards=True))):
        path = make(name, data)
        check_dxtbx(path)
        if "full" not in name:  # fabio finds no image among so many tables
            check_fabio(path)
        with gzip.open(path + ".gz", "wb") as file:
            file.write(data)
        assert np.array_equal(ours(path + ".gz")[2], ours(path)[2])
        with open(path + ".bz2", "wb") as file:  # two streams, as parallel packers make them
            file.write(bz2.compress(data[:70000]) + bz2.compress(data[70000:]))
        assert np.array_equal(ours(path + ".bz2")[2], ours(path)[2])
    # The same detector by the first pixel's centre, as the dictionary has it (dxtbx takes that for the corner, too).
    centred = full_cbf(gaps, backwards=True).replace(b" 0.0 0.172", b" 0.086 0.172").replace(b" 0.0 -0.172", b" -0.086 -0.172")
    assert centred.count(b"0.086") == 2
    assert ours(make("centred.cbf", centred))[1] == ours(os.path.join(folder, "full_0001.cbf"))[1]
    check_sacla(folder)
    check_channels(folder)
    check_esrf(folder)
    check_cheetah(folder)
    check_pal(folder)
    check_wide_master(folder)
    print(f"{len(done)} images equal")
    assert len(done) == 29, len(done)


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
    main(place)
