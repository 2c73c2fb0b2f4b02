"""Writes SMV, TIFF and CBF images as the makers of detectors do: for the oracle of their readers and as seeds for fuzzing."""
import struct

import numpy as np

random = np.random.default_rng(11)
WIDTH, HEIGHT = 96, 64
PILATUS_MODULE, EIGER_MODULE = (487, 195), (1030, 514)  # dxtbx knows where their gaps are


def counts(dtype, width=WIDTH, height=HEIGHT):
    image = random.poisson(60, (height, width)).astype(dtype)
    image[::7, ::11] = 40000 if np.dtype(dtype) != np.int16 else 20000
    image[5] = 0
    return image


# --- writers ---


def smv(header, pixels, order="little_endian"):
    text = "{\nHEADER_BYTES= 2048;\nDIM=2;\nBYTE_ORDER=%s;\nSIZE1=%d;\nSIZE2=%d;\n" % (
        order, pixels.shape[1], pixels.shape[0])
    text += "".join("%s=%s;\n" % item for item in header.items()) + "}\n\f\n"
    stored = pixels.astype(pixels.dtype.newbyteorder(">" if order == "big_endian" else "<"))
    return text.encode().ljust(2048) + stored.tobytes()


ADSC = {"TYPE": "unsigned_short", "PIXEL_SIZE": "0.1026", "TIME": "1.0", "DISTANCE": "210.25", "OSC_START": "0",
        "OSC_RANGE": "1", "WAVELENGTH": "0.97934", "BEAM_CENTER_X": "3.1", "BEAM_CENTER_Y": "4.7"}

RIGAKU = {
    "Data_type": "unsigned short int", "DETECTOR_NUMBER": "1", "DETECTOR_NAMES": "CCD_", "CRYSTAL_GONIO_NUM_VALUES": "3",
    "CRYSTAL_GONIO_NAMES": "Omega Chi Phi", "CRYSTAL_GONIO_UNITS": "deg deg deg", "CRYSTAL_GONIO_VALUES": "0 0 0",
    "ROTATION": "0 1 1 10 0 0 0 0 0 0", "ROTATION_AXIS_NAME": "Omega", "ROTATION_VECTOR": "1 0 0",
    "SOURCE_VECTORS": "0 0 1 0 1 0", "DTREK_DATE_TIME": "05-Mar-2010 10:11:12", "SOURCE_WAVELENGTH": "1 1.5418",
    "SCAN_WAVELENGTH": "1.5418", "SOURCE_POLARZ": "0.5 1 0 0", "SATURATED_VALUE": "60000",
    "CCD_DETECTOR_DIMENSIONS": f"{WIDTH} {HEIGHT}", "CCD_DETECTOR_SIZE": "9.6 6.4",
    "CCD_DETECTOR_VECTORS": "1 0 0 0 1 0", "CCD_GONIO_NUM_VALUES": "6",
    "CCD_GONIO_NAMES": "RotZ RotX/Swing RotY TransX TransY TransZ/Distance", "CCD_GONIO_UNITS": "deg deg deg mm mm mm",
    "CCD_GONIO_VALUES": "0.3 -20 0.1 0.5 -0.25 -45.1", "CCD_GONIO_VECTORS": "0 0 1 1 0 0 0 1 0 1 0 0 0 1 0 0 0 1",
    "CCD_SPATIAL_BEAM_POSITION": "40.25 31.5", "CCD_SPATIAL_DISTORTION_INFO": "40.25 31.5 0.09 0.095",
    "CCD_SPATIAL_DISTORTION_TYPE": "Simple_spatial", "CCD_SPATIAL_DISTORTION_VECTORS": "1 0 0 -1",
    "CCD_DETECTOR_IDENTIFICATION": "Saturn 92",
}


def tiff(pixels, offset=4096, tags=(), fill=None, big=False):
    """One strip at `offset`; tags: (number, type, count, value)."""
    e = ">" if big else "<"
    entries = [(256, 4, 1, pixels.shape[1]), (257, 4, 1, pixels.shape[0]), (258, 3, 1, pixels.itemsize * 8),
               (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, offset), (277, 3, 1, 1), (278, 4, 1, pixels.shape[0]),
               (279, 4, 1, pixels.nbytes)] + list(tags)
    head = bytearray(struct.pack(e + "2sHI", b"MM" if big else b"II", 42, 8) + struct.pack(e + "H", len(entries)))
    for number, kind, count, value in sorted(entries):
        head += struct.pack(e + "HHI", number, kind, count)
        head += struct.pack(e + "HH", value, 0) if kind == 3 else struct.pack(e + "I", value)
    head = head.ljust(offset, b"\0")
    for at, data in (fill or {}).items():
        head[at:at + len(data)] = data
    return bytes(head) + pixels.astype(pixels.dtype.newbyteorder(e)).tobytes()


def rayonix(pixels, beam, bias=0, two_theta=0, big=False):
    e = ">" if big else "<"
    i = lambda *values: struct.pack(e + "%di" % len(values), *(round(v) for v in values))
    return tiff(pixels, big=big, fill={
        1104: i(pixels.shape[1], pixels.shape[0], 2), 1128: i(65535), 1136: i(1, 0, 0, 0), 1664: i(151234),
        1668: i(beam[0] * 1000, beam[1] * 1000), 1692: i(two_theta * 1000), 1724: i(two_theta * 1000),
        1796: i(88500, 88500), 1804: i(bias * 1000), 1932: i(103300), 2368: b"032112302011.45"})


PILATUS = """# Detector: PILATUS 2M, S/N 24-0107
# 2011-03-21T12:30:11.450
# Pixel_size 172e-6 m x 172e-6 m
# Silicon sensor, thickness 0.000320 m
# Exposure_time 0.197 s
# Exposure_period 0.2 s
# Tau = 199.7e-09 s
# Count_cutoff 300000 counts
# Threshold_setting 6329 eV
# N_excluded_pixels = 321
# Excluded_pixels: badpix_mask.tif
# Flat_field: FF_p2m0107_E12658_T6329_vrf_m0p3.tif
# Wavelength 0.9795 A
# Detector_distance 0.20137 m
# Beam_xy (41.25, 30.5) pixels
# Start_angle 0.0 deg.
# Angle_increment 0.1 deg.
"""
EIGER = PILATUS.replace("PILATUS 2M, S/N 24-0107", "Dectris Eiger 4M, S/N E-08-0104").replace(
    "172e-6 m x 172e-6", "7.5e-05 m x 7.5e-05").replace("# Beam_xy (41.25, 30.5) pixels", "# Beam_xy (40.75, 33.125) pixels")


def byte_offset(pixels):
    out, last = bytearray(), 0
    for v in pixels.ravel().tolist():
        d, last = v - last, v
        if -128 < d < 128:
            out += struct.pack("<b", d)
        elif -32768 < d < 32768:
            out += struct.pack("<bh", -128, d)
        else:
            out += struct.pack("<bhi", -128, -32768, d)
    return bytes(out)


def cbf(pixels, convention, comments, before="", after=""):
    data = byte_offset(pixels)
    head = ("###CBF: VERSION 1.5, CBFlib v0.7.8 - SLS/DECTRIS PILATUS detectors\r\n\r\ndata_image_1\r\n\r\n" + before +
            f'_array_data.header_convention "{convention}"\r\n_array_data.header_contents\r\n;\r\n' +
            comments.replace("\n", "\r\n") + ";\r\n\r\n_array_data.data\r\n;\r\n--CIF-BINARY-FORMAT-SECTION--\r\n"
            'Content-Type: application/octet-stream;\r\n     conversions="x-CBF_BYTE_OFFSET"\r\n'
            f"Content-Transfer-Encoding: BINARY\r\nX-Binary-Size: {len(data)}\r\nX-Binary-ID: 1\r\n"
            'X-Binary-Element-Type: "signed 32-bit integer"\r\nX-Binary-Element-Byte-Order: LITTLE_ENDIAN\r\n'
            f"X-Binary-Number-of-Elements: {pixels.size}\r\nX-Binary-Size-Fastest-Dimension: {pixels.shape[1]}\r\n"
            f"X-Binary-Size-Second-Dimension: {pixels.shape[0]}\r\nX-Binary-Size-Padding: 4095\r\n\r\n")
    return head.encode() + b"\x0c\x1a\x04\xd5" + data + b"\0" * 4095 + b"\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n" + after.encode()


FULL = """_diffrn.id DLS_I04
_diffrn.crystal_id xtal001
loop_
_diffrn_source.diffrn_id
_diffrn_source.source
_diffrn_source.type
 DLS_I04 synchrotron 'Diamond Light Source I04'
loop_
_diffrn_radiation.diffrn_id
_diffrn_radiation.wavelength_id
_diffrn_radiation.polarizn_source_ratio
 DLS_I04 WAVELENGTH1 0.8
loop_
_diffrn_radiation_wavelength.id
_diffrn_radiation_wavelength.wavelength
_diffrn_radiation_wavelength.wt
 WAVELENGTH1 0.97950 1.0
loop_
_diffrn_measurement.diffrn_id
_diffrn_measurement.id
_diffrn_measurement.number_of_axes
_diffrn_measurement.method
 DLS_I04 GONIOMETER 1 rotation
loop_
_diffrn_measurement_axis.measurement_id
_diffrn_measurement_axis.axis_id
 GONIOMETER GON_OMEGA
loop_
_diffrn_detector.diffrn_id
_diffrn_detector.id
_diffrn_detector.type
_diffrn_detector.details
_diffrn_detector.number_of_axes
 DLS_I04 PILATUS 'PILATUS 2M' 'full' 4
loop_
_diffrn_detector_axis.detector_id
_diffrn_detector_axis.axis_id
 PILATUS DETECTOR_X
 PILATUS DETECTOR_Y
 PILATUS DETECTOR_Z
 PILATUS DETECTOR_PITCH
loop_
_diffrn_detector_element.id
_diffrn_detector_element.detector_id
 ELEMENT1 PILATUS
loop_
_diffrn_data_frame.id
_diffrn_data_frame.detector_element_id
_diffrn_data_frame.array_id
_diffrn_data_frame.binary_id
 FRAME1 ELEMENT1 ARRAY1 1
loop_
_diffrn_scan.id
_diffrn_scan.frame_id_start
_diffrn_scan.frame_id_end
_diffrn_scan.frames
 SCAN1 FRAME1 FRAME1 1
loop_
_diffrn_scan_axis.scan_id
_diffrn_scan_axis.axis_id
_diffrn_scan_axis.angle_start
_diffrn_scan_axis.angle_range
_diffrn_scan_axis.angle_increment
_diffrn_scan_axis.displacement_start
_diffrn_scan_axis.displacement_range
_diffrn_scan_axis.displacement_increment
 SCAN1 GON_OMEGA 0.0 0.1 0.1 0.0 0.0 0.0
 SCAN1 DETECTOR_X 0.0 0.0 0.0 0.0 0.0 0.0
 SCAN1 DETECTOR_Y 0.0 0.0 0.0 0.0 0.0 0.0
 SCAN1 DETECTOR_Z 0.0 0.0 0.0 201.37 0.0 0.0
 SCAN1 DETECTOR_PITCH 0.0 0.0 0.0 0.0 0.0 0.0
loop_
_diffrn_scan_frame.frame_id
_diffrn_scan_frame.frame_number
_diffrn_scan_frame.integration_time
_diffrn_scan_frame.exposure_time
_diffrn_scan_frame.scan_id
_diffrn_scan_frame.date
 FRAME1 1 0.2 0.2 SCAN1 2011-03-21T12:30:11
loop_
_diffrn_scan_frame_axis.frame_id
_diffrn_scan_frame_axis.axis_id
_diffrn_scan_frame_axis.angle
_diffrn_scan_frame_axis.displacement
 FRAME1 GON_OMEGA 0.0 0.0
 FRAME1 DETECTOR_X 0.0 0.0
 FRAME1 DETECTOR_Y 0.0 0.0
 FRAME1 DETECTOR_Z 0.0 201.37
 FRAME1 DETECTOR_PITCH 1.5 0.0
loop_
_axis.id
_axis.type
_axis.equipment
_axis.depends_on
_axis.vector[1]
_axis.vector[2]
_axis.vector[3]
_axis.offset[1]
_axis.offset[2]
_axis.offset[3]
 SOURCE general source . 0 0 1 . . .
 GRAVITY general gravity . 0 -1 0 . . .
 GON_OMEGA rotation goniometer . 1 0 0 . . .
 DETECTOR_Z translation detector . 0 0 -1 0 0 0
 DETECTOR_Y translation detector DETECTOR_Z 0 1 0 0 0 0
 DETECTOR_X translation detector DETECTOR_Y 1 0 0 0 0 0
 DETECTOR_PITCH rotation detector DETECTOR_X 0 1 0 0 0 0
 ELEMENT_X translation detector DETECTOR_PITCH 1 0 0 -7.1 5.2 0
 ELEMENT_Y translation detector ELEMENT_X 0 -1 0 0 0 0
loop_
_array_structure_list.array_id
_array_structure_list.index
_array_structure_list.dimension
_array_structure_list.precedence
_array_structure_list.direction
_array_structure_list.axis_set_id
 ARRAY1 1 %d 1 increasing ELEMENT_X
 ARRAY1 2 %d 2 increasing ELEMENT_Y
loop_
_array_structure_list_axis.axis_set_id
_array_structure_list_axis.axis_id
_array_structure_list_axis.displacement
_array_structure_list_axis.displacement_increment
 ELEMENT_X ELEMENT_X 0.0 0.172
 ELEMENT_Y ELEMENT_Y 0.0 0.172
loop_
_array_element_size.array_id
_array_element_size.index
_array_element_size.size
 ARRAY1 1 0.172e-3
 ARRAY1 2 0.172e-3
loop_
_array_intensities.array_id
_array_intensities.binary_id
_array_intensities.linearity
_array_intensities.gain
_array_intensities.gain_esd
_array_intensities.overload
_array_intensities.undefined_value
 ARRAY1 1 linear 1.0 . 300000 -1
loop_
_array_structure.id
_array_structure.encoding_type
_array_structure.compression_type
_array_structure.byte_order
 ARRAY1 "signed 32-bit integer" byte_offset little_endian
loop_
_array_data.array_id
_array_data.binary_id
_array_data.header_convention
_array_data.header_contents
_array_data.data
 ARRAY1 1 "PILATUS_1.2"
;
""" % PILATUS_MODULE


def full_cbf(pixels, backwards=False):
    """As Diamond's beamlines wrote them: all of imgCIF's axes, and the comments of the miniCBF too. Backwards: the same
    detector, with a slow axis that points up and is counted down, as most templates have it."""
    mini = cbf(pixels, "PILATUS_1.2", "")
    data = mini[mini.index(b"--CIF-BINARY"):]
    full = FULL.replace("ELEMENT_X 0 -1 0", "ELEMENT_X 0 1 0").replace("ELEMENT_Y 0.0 0.172", "ELEMENT_Y 0.0 -0.172")
    tables = (full if backwards else FULL) + PILATUS
    return ("###CBF: VERSION 1.5\n\ndata_image_1\n\n" + tables + ";\n;\n").replace("\n", "\r\n").encode() + data


def gapped(pixels):
    pixels = pixels.astype(np.int32)
    pixels[20:24] = -1
    pixels[30, 7] = -2
    return pixels
