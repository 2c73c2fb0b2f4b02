"""What the fuzzers of texts, and of HDF5 files as texts (fuzz-h5.h), start from."""
import io
import struct
import tarfile
import zlib

NXMX = """\
/entry @NX_class=NXentry
/entry/definition s NXmx
/entry/data @NX_class=NXdata @signal=data
/entry/instrument @NX_class=NXinstrument
/entry/instrument/detector @NX_class=NXdetector
/entry/instrument/detector/t @NX_class=NXtransformations
/entry/instrument/beam @NX_class=NXbeam
/entry/instrument/detector/saturation_value f8 - 60000
/entry/instrument/detector/underload_value i4 - -1
/entry/instrument/detector/pixel_mask u4 2x8x10 c2x8x10 z 0 0 1
/entry/instrument/detector/start_time @start=2026-11-22T05:00:00.5Z
/entry/instrument/beam/incident_wavelength f8 {n} 1.2 1.3 @units=angstrom
/entry/instrument/beam/incident_wavelength_weights f4 {n}x{n} 1 0.5
/entry/instrument/detector/t/z f8 1 100 @units=mm @transformation_type=translation @vector:0,0,1 @depends_on=.
/entry/instrument/detector/t/arm f8 1 5 @units=deg @transformation_type=rotation @vector:0,1,0 @depends_on=z @offset:1,0,0 @offset_units=mm
"""
MODULE = """\
/entry/instrument/detector/m{i} @NX_class=NXdetector_module
/entry/instrument/detector/m{i}/data_origin i4 2 {at} 0
/entry/instrument/detector/m{i}/data_size i4 2 8 10
/entry/instrument/detector/m{i}/data_stride i4 2 1 1
/entry/instrument/detector/m{i}/module_offset f8 1 0 @units=mm @transformation_type=translation @vector:1,0,0 @offset:0,{at},0 @depends_on=/entry/instrument/detector/t/arm
/entry/instrument/detector/m{i}/fast_pixel_direction f8 1 0.1 @units=mm @transformation_type=translation @vector:-1,0,0 @depends_on=/entry/instrument/detector/m{i}/module_offset
/entry/instrument/detector/m{i}/slow_pixel_direction f8 1 0.1 @units=mm @transformation_type=translation @vector:0,-1,0 @depends_on=/entry/instrument/detector/m{i}/module_offset
"""
IMAGES = {
    "packed": "/entry/data/data u2 2x16x10 c1x16x10 s z 1 2 3 60001",
    "link": "/real u2 2x16x10 5 6\n/entry/data/data -> /real",
    "virtual": "/real u2 2x8x10 5 6\n/entry/data/data v u2 2x16x10 . /real 0x0x0 2x8x10 A /x 0x8x0 2x8x10\n!\n/x u2 2x8x10 9 8",
    "raw": "/entry/data/data u2 1x16x10 c1x16x10 q32008 0 0 0 0 0 0 1 64 0 0 4 0 0 0 0 12 31 0 1 0 255 40 80 0 0 0 0 0",
    "lz4": "/entry/data/data u2 1x16x10 c1x16x10 q32004 0 0 0 0 0 0 1 64 0 0 1 64 0 0 0 12 31 0 1 0 255 40 80 0 0 0 0 0",
    "nosignal": "/entry/data @signal=images\n/entry/data/images i4B 3x16x10 c1x8x10 f -1 7",
    "groups": "/entry/instrument/g @NX_class=NXdetector_group\n/entry/instrument/g/d @NX_class=NXdetector\n"
              "/entry/instrument/g/d/data u1 2x8x8 1\n/entry/data/data f4 2x16x10 1.5 nan",
}
DECTRIS = """\
/entry/data/data_000001 u4 3x12x9 c1x12x9 s z 7 4294967295 @image_nr_low;1 @image_nr_high;3
/entry/data/data_000002 => A /entry/data/data
/entry/data/data_000003 => nowhere.h5 /entry/data/data
/entry/instrument/detector/x_pixel_size f4 - 7.5e-5 @units=m
/entry/instrument/detector/y_pixel_size f4 - 7.5e-5 @units=m
/entry/instrument/detector/detector_distance f4 - 0.1 @units=m
/entry/instrument/detector/beam_center_x f4 - 4.5
/entry/instrument/detector/beam_center_y f4 - 6
/entry/instrument/detector/bit_depth_image u4 - 32
/entry/instrument/detector/geometry/orientation/value f4 1x6 -1 0 0 0 -1 0
/entry/instrument/detector/geometry/translation/distances f4 1x3 1e-3 1e-3 -.1
/entry/instrument/detector/detectorSpecific/pixel_mask u4 12x9 0 1 16
/entry/instrument/detector/detectorSpecific/countrate_correction_count_cutoff u4 - 9000
/entry/instrument/detector/detectorSpecific/photon_energy f4 - 12400 @units=eV
!
/entry/data/data u4 2x12x9 c1x12x9 q32004 0 0 0 0 0 0 1 176 0 0 1 176 0 0 0 12 31 0 1 0 255 152 80 0 0 0 0 0
"""
CXI = """\
/entry_1/data_1/data i2 4x12x9 -3 70
/entry_1/data_1/mask u1 12x9 0 1
/entry_1/instrument_1/detector_1/distance f8 - 0.1
/entry_1/instrument_1/detector_1/x_pixel_size f8 - 1e-4
/entry_1/instrument_1/detector_1/y_pixel_size f8 - 1e-4
/entry_1/instrument_1/detector_1/beam_center_x f8 - 4
/entry_1/instrument_1/detector_1/beam_center_y f8 - 5
/entry_1/instrument_1/source_1/energy f8 4 1.3e-15
/LCLS/photon_energy_eV f8 4 8000
/LCLS/machineTime u4 4 1400000000
/LCLS/machineTimeNanoSeconds u4 4 5
"""
SACLA = """\
/tag-101/data u2 8192x512 c128x512 z 7 65535
/tag-101/photon_energy_ev f8 - 10000
/tag-102/data u2 8192x512 c128x512 z 9
/tag-102/photon_energy_ev f8 - 10001
/metadata/posx_in_um f8 8 1 2 3 4
/metadata/posy_in_um f8 8 100
/metadata/posz_in_um f8 8 0
/metadata/angle_in_rad f8 8 90 -90
/metadata/pixelsize_in_um f8 - 50
/metadata/distance_in_mm f8 - 50
/metadata/adu_per_photon f8 - 10
/metadata/pixelmask u1 8192x512 c128x512 z 0 1
"""
PAL = """\
/R0001/scan_dat/raymx_data u2 2x8x8 5 9
/R0001/scan_dat/photon_wavelength f8 2 1.3
/R0001/header/detector_0_distance f8 - 100
"""
SMALL_SACLA = SACLA.replace("8192x512 c128x512", "16x8 c16x8")


def nxmx(images):
    modules = "".join(MODULE.format(i=i, at=8 * i) for i in range(2))
    return NXMX.format(n=3 if images == "nosignal" else 2) + ("" if images == "groups" else modules) + IMAGES[images] + "\n"


def table(group, n, **columns):
    return "".join(f"/{group}/{name} {kind} {n} {values}\n" for name, (kind, values) in columns.items())


SEGMENT = (
    table("shots", 2, id=("u8", "11 12"), source=("u4", "0"), frame=("u4", "0 1"), spots=("u4", "2 1"), outcome=("u1", "1"),
          first_spot=("u8", "0 2"), n_spots=("u8", "2 1"), first_lattice=("u8", "0 1"), n_lattices=("u8", "1 1"),
          first_reflection=("u8", "0 3"), n_reflections=("u8", "3 1"))
    + table("spots", 3, shot=("u8", "11 11 12"), panel=("u2", "0"), fs=("f4", "1.5"), ss=("f4", "2.5"))
    + table("lattices", 2, shot=("u8", "11 12"), number=("u2", "0"), confidence=("f4", "1"))
    + table("reflections", 4, shot=("u8", "11 11 11 12"), lattice=("u2", "0"), h=("i2", "1"), intensity=("f4", "5"))
    + "/ @version;1 @attempt;1 @format=firstlight\n")
PATTERNS = """\
/ @format=firstlight~patterns @version;1
/detector/s f4 4x3 0.1 0.2 0
/detector/factor f4 4 1
/detector/mask u1 4 0
/detector/wavelength f8 - 1.3
/patterns/id u8 2 1 2
/patterns/row u4 2 0 1
/patterns/class u1 2 1
/patterns/score f4 2 0.5
/patterns/diameter f4 2 300
/patterns/start u8 3 0 2 3
/photons/pixel u4 3 0 3 1
/photons/count u4 3 1 2 1
"""
PDB = """\
   52.000   58.600   61.900  90.00  90.00  90.00 P 21 21 21    8
REMARK 290   SMTRY1   1  1.000000  0.000000  0.000000        0.00000
REMARK 290   SMTRY2   1  0.000000  1.000000  0.000000        0.00000
REMARK 290   SMTRY3   1  0.000000  0.000000  1.000000        0.00000
MODEL        1
ATOM      1  N   LYS A   1      24.969  13.428  30.692  1.00 31.58           N
HETATM    2 ZN   ZN  A 201A     25.000  13.000  30.000  0.50 10.00          ZN2+
ENDMDL
END
"""
CIF = """\
_cell.length_a 52.0
_cell.length_b 58.6
_cell.length_c 61.9
_cell.angle_alpha 90
_cell.angle_beta 90
_cell.angle_gamma 90
_symmetry.space_group_name_H-M 'P 21 21 21'
loop_
_space_group_symop.id
_space_group_symop.operation_xyz
1 x,y,z
2 1/2-x,-y,1/2+z
loop_
_atom_site.group_PDB
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_comp_id
_atom_site.auth_asym_id
_atom_site.auth_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.B_iso_or_equiv
ATOM N N LYS A 1 24.969 13.428 30.692 1.00 31.58
ATOM C "CA'" LYS A 1 1 2 3 1.00 .
_entry.details
;
text
;
"""


def mtz():
    rows = struct.pack("<12f", 1, 0, 0, 5.5, 0, 1, 0, float("nan"), 0, 0, 1, -2)
    records = ["VERS MTZ:V1.1", "TITLE a table", "NCOL 4 3 0", "CELL 52 58.6 61.9 90 90 90", "SORT 1 2 3 0 0",
               "SYMINF 4 4 P 19 'P 21 21 21' PG222", "SYMM x,y,z", "SYMM -x+1/2,-y,z+1/2", "SYMM x+1/2,-y+1/2,-z",
               "SYMM -x,y+1/2,-z+1/2", "RESO 0.0003 0.0004", "VALM NAN", "COLUMN H H 0 1 0", "COLUMN K H 0 1 0",
               "COLUMN L H 0 1 0", "COLUMN IMEAN J -2 5.5 1", "NDIF 2", "PROJECT 0 HKL_base", "CRYSTAL 0 HKL_base",
               "DATASET 0 HKL_base", "DCELL 0 52 58.6 61.9 90 90 90", "DWAVEL 0 0", "PROJECT 1 p", "CRYSTAL 1 x", "DATASET 1 d",
               "DCELL 1 52 58.6 61.9 90 90 90", "DWAVEL 1 1.3", "END", "MTZENDOFHEADERS"]
    head = b"MTZ \0\0\0\0\x44\x41\0\0".ljust(80, b"\0")
    return struct.pack("<H", len(rows) // 4) + head + rows + b"".join(r.encode().ljust(80) for r in records)


EXPT = """{"__id__": "ExperimentList", "experiment": [{"__id__": "Experiment", "identifier": "a", "beam": 0, "detector": 0,
"crystal": 0, "imageset": 0}], "imageset": [{"__id__": "ImageSet", "images": ["a.cbf"], "single_file_indices": [3]}], "beam":
[{"direction": [0.0, 0.1, 1.0], "wavelength": 1.3}], "detector": [{"panels": [{"name": "p0", "fast_axis": [1.0, 0.0, 0.0],
"slow_axis": [0.0, -1.0, 0.0], "origin": [-5.0, 5.0, -100.0], "pixel_size": [0.1, 0.1], "image_size": [100, 100],
"trusted_range": [-1.0, 60000.0]}], "hierarchy": {"name": "", "origin": [0.0, 0.0, 0.0], "fast_axis": [1.0, 0.0, 0.0],
"slow_axis": [0.0, 1.0, 0.0], "children": [{"panel": 0}]}}], "crystal": [{"real_space_a": [52.0, 0.0, 0.0], "real_space_b":
[0.0, 58.6, 0.0], "real_space_c": [0.0, 0.0, 61.9], "space_group_hall_symbol": " P 2ac 2ab", "ML_half_mosaicity_deg": 0.1,
"ML_domain_size_ang": 2000.0}], "goniometer": [], "scan": []}"""
GROUPED = EXPT.replace('"children": [{"panel": 0}]', '"children": [{"name": "q 0", "origin": [1.0, 0.0, 0.0], "fast_axis": [1.0, 0.0, 0.0], '
                       '"slow_axis": [0.0, 1.0, 0.0], "children": [{"panel": 0}]}, {"panel": 1}]').replace(
                           '[{"name": "p0"', '[{"name": "p1", "origin": [20.0, 5.0, -100.0], "fast_axis": [1.0, 0.0, 0.0], "slow_axis": '
                           '[0.0, -1.0, 0.0], "pixel_size": [0.1, 0.1], "image_size": [100, 100], "trusted_range": [-1.0, 60000.0]}, {"name": "p0"')
KEY = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACBhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NQ==
-----END OPENSSH PRIVATE KEY-----
"""
IMGCIF = """\
data_geometry
_diffrn_source.diffrn_id DS1
_diffrn_radiation_wavelength.wavelength 1.3
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
AXIS_Z translation detector . 0 0 1 0 0 0
AXIS_P0_F translation detector AXIS_Z -1 0 0 5 5 0
AXIS_P0_S translation detector AXIS_P0_F 0 -1 0 0 0 0
loop_
_array_structure_list.array_id
_array_structure_list.index
_array_structure_list.dimension
_array_structure_list.precedence
_array_structure_list.direction
_array_structure_list.axis_set_id
P0 1 100 1 increasing AXIS_P0_F
P0 2 100 2 increasing AXIS_P0_S
loop_
_array_structure_list_axis.axis_set_id
_array_structure_list_axis.axis_id
_array_structure_list_axis.displacement
_array_structure_list_axis.displacement_increment
AXIS_P0_F AXIS_P0_F 0.05 0.1
AXIS_P0_S AXIS_P0_S 0.05 0.1
"""
IMGCIF_SECTIONS = """\
data_geometry
loop_
_diffrn_detector_element.id
_diffrn_detector_element.detector_id
 ELE1 DETECTOR
 ELE2 DETECTOR
 ELE3 DETECTOR
loop_
_diffrn_data_frame.id
_diffrn_data_frame.detector_element_id
_diffrn_data_frame.array_id
_diffrn_data_frame.binary_id
 FRAME1 ELE1 ARRAY1 1
 FRAME1 ELE2 ARRAY2 2
 FRAME1 ELE3 ARRAY3 3
loop_
_array_structure_list.array_id
_array_structure_list.array_section_id
_array_structure_list.index
_array_structure_list.dimension
_array_structure_list.precedence
_array_structure_list.direction
_array_structure_list.axis_set_id
 ARRAY1 . 1 10 1 increasing .
 ARRAY1 . 2 8 2 increasing .
 ARRAY2 . 1 10 1 increasing .
 ARRAY3 . 1 10 1 increasing .
 ARRAY2 . 2 8 2 increasing .
 ARRAY3 . 2 8 2 increasing .
 ARRAY1 p0 1 10 1 increasing AXIS_p0_F
 ARRAY1 p0 2 8 2 increasing AXIS_p0_S
 ARRAY2 p1 1 10 1 increasing AXIS_p1_F
 ARRAY3 p2 1 10 1 increasing AXIS_p2_F
 ARRAY2 p1 2 8 2 increasing AXIS_p1_S
 ARRAY3 p2 2 8 2 increasing AXIS_p2_S
loop_
_array_structure_list_section.array_id
_array_structure_list_section.id
_array_structure_list_section.index
_array_structure_list_section.start
_array_structure_list_section.end
 ARRAY1 p0 1 1 10
 ARRAY1 p0 2 1 8
 ARRAY2 p1 1 1 10
 ARRAY3 p2 1 1 10
 ARRAY2 p1 2 1 8
 ARRAY3 p2 2 1 8
loop_
_array_structure_list_axis.axis_set_id
_array_structure_list_axis.axis_id
_array_structure_list_axis.displacement
_array_structure_list_axis.displacement_increment
 AXIS_p0_F AXIS_p0_F 0 0.1
 AXIS_p0_S AXIS_p0_S 0 0.102
 AXIS_p1_F AXIS_p1_F 0 0.1
 AXIS_p2_F AXIS_p2_F 0 0.1
 AXIS_p1_S AXIS_p1_S 0 0.1
 AXIS_p2_S AXIS_p2_S 0 0.1
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
_axis.equipment_component
 AXIS_SOURCE general source . 0 0 1 . . . .
 AXIS_GRAVITY general gravity . 0 -1 0 . . . .
 AXIS_DETECTOR_Z translation detector . 0 0 1 0 0 0 detector_arm
 FS_q0 rotation detector AXIS_DETECTOR_Z 0 0 1 1 0 0 quads
 AXIS_p0_S translation detector FS_q0 0 0.98 0.196 0.5 0.45 -1 detector_panel
 AXIS_p0_F translation detector AXIS_p0_S -1 -0.001 0 0 0 0 detector_panel
 AXIS_p1_S translation detector FS_q0 0 1 0 -0.5 0.45 0 detector_panel
 AXIS_p2_S translation detector AXIS_DETECTOR_Z 0 1 0 -0.5 0.45 0 detector_panel
 AXIS_p1_F translation detector AXIS_p1_S -1 0 0 0 0 0 detector_panel
 AXIS_p2_F translation detector AXIS_p2_S -1 0 0 0 0 0 detector_panel
loop_
_diffrn_scan_axis.axis_id
_diffrn_scan_axis.scan_id
_diffrn_scan_axis.angle_start
_diffrn_scan_axis.angle_range
_diffrn_scan_axis.angle_increment
_diffrn_scan_axis.displacement_start
_diffrn_scan_axis.displacement_range
_diffrn_scan_axis.displacement_increment
 AXIS_SOURCE SCAN1 0 0 0 0 0 0
 AXIS_GRAVITY SCAN1 0 0 0 0 0 0
 AXIS_DETECTOR_Z SCAN1 0 0 0 -100 0 0
 AXIS_p0_S SCAN1 0 0 0 0 0 0
 AXIS_p0_F SCAN1 0 0 0 0 0 0
 AXIS_p1_S SCAN1 0 0 0 0 0 0
 AXIS_p2_S SCAN1 0 0 0 0 0 0
 AXIS_p1_F SCAN1 0 0 0 0 0 0
 AXIS_p2_F SCAN1 0 0 0 0 0 0
loop_
_diffrn_scan_frame_axis.axis_id
_diffrn_scan_frame_axis.frame_id
_diffrn_scan_frame_axis.angle
_diffrn_scan_frame_axis.displacement
 AXIS_SOURCE FRAME1 0 0
 AXIS_GRAVITY FRAME1 0 0
 AXIS_DETECTOR_Z FRAME1 0 -100
 AXIS_p0_S FRAME1 0 0
 FS_q0 FRAME1 5 0
 AXIS_p0_F FRAME1 0 0
 AXIS_p1_S FRAME1 0 0
 AXIS_p2_S FRAME1 0 0
 AXIS_p1_F FRAME1 0 0
 AXIS_p2_F FRAME1 0 0
_diffrn_radiation.diffrn_id DS1
_diffrn_radiation.wavelength_id WAVELENGTH1
_diffrn_radiation.probe x-ray
_diffrn_radiation_wavelength.id WAVELENGTH1
_diffrn_radiation_wavelength.wavelength 1.3776
_diffrn_radiation_wavelength.wt 1.0
loop_
_array_intensities.array_id
_array_intensities.binary_id
_array_intensities.linearity
_array_intensities.gain
_array_intensities.overload
_array_intensities.undefined_value
 ARRAY1 1 linear 1 60000.00390625 .
 ARRAY2 2 linear 1 . .
 ARRAY3 2 linear 1 . .
"""
GEOM = """\
photon_energy = /LCLS/photon_energy_eV
clen = 0.1 m
adu_per_photon = 1
res = 10000
data = /entry_%/data
dim0 = %
dim1 = ss
dim2 = fs
mask0_data = /entry_1/data_1/mask
mask0_goodbits = 0x0
mask0_badbits = 0xffff
bad_ring/min_x = -20
bad_ring/max_x = 20
bad_ring/min_y = -5
bad_ring/max_y = 5
rigid_group_a = p0,p1
rigid_group_collection_all = a
p0/min_fs = 0
p0/max_fs = 9
p0/min_ss = 0
p0/max_ss = 7
p0/corner_x = -5
p0/corner_y = 4.5
p0/fs = +1.000000x -0.001y
p0/ss = +0.001x +1.000000y -0.2z
p0/coffset = 1e-3
p0/max_adu = 60000
p1/min_fs = 0
p1/max_fs = 9
p1/min_ss = 8
p1/max_ss = 15
p1/corner_x = 5
p1/corner_y = 4.5
p1/fs = x
p1/ss = y
p1/no_index = 0
"""
STREAM = """\
CrystFEL stream format 2.3
Generated by CrystFEL 0.9.1
----- Begin geometry file -----
res = 10000
p0/min_fs = 0
p0/max_fs = 9
p0/min_ss = 0
p0/max_ss = 9
p0/corner_x = 0
p0/corner_y = 0
----- End geometry file -----
----- Begin unit cell -----
CrystFEL unit cell file version 1.0
----- End unit cell -----
----- Begin chunk -----
Image filename: a.h5
Event: //3
Image serial number: 1
hit = 1
indexed_by = xgandalf
photon_energy_eV = 9500.000000
average_camera_length = 0.1 m
num_peaks = 1
Peaks from peak search
  fs/px   ss/px (1/d)/nm^-1   Intensity  Panel
   3.50    4.50       1.00     100.00   p0
End of peak list
--- Begin crystal
Cell parameters 5.20000 5.86000 6.19000 nm, 90.00000 90.00000 90.00000 deg
astar = +0.1923077 +0.0000000 +0.0000000 nm^-1
bstar = +0.0000000 +0.1706485 +0.0000000 nm^-1
cstar = +0.0000000 +0.0000000 +0.1615509 nm^-1
lattice_type = orthorhombic
centering = P
profile_radius = 0.00300 nm^-1
predict_refine/det_shift x = 0.010 y = -0.020 mm
diffraction_resolution_limit = 4.00 nm^-1 or 2.50 A
num_reflections = 1
Reflections measured after indexing
   h    k    l          I   sigma(I)       peak background  fs/px  ss/px panel
   1    2    3      12.50       1.25       9.00       0.50    3.5    4.5 p0
End of reflections
--- End crystal
----- End chunk -----
"""


def ccp4_map():
    words = [2, 3, 4, 2, 0, 0, 0, 4, 3, 2] + [0] * 46
    words[16:19], words[22], words[23], words[27] = (3, 2, 1), 19, 80, 20140
    head = bytearray(struct.pack("<56i", *words))
    head[40:64], head[76:88] = struct.pack("<6f", 52, 58.6, 61.9, 90, 90, 90), struct.pack("<3f", -1, 1, 0)
    head[208:216] = b"MAP \x44\x41\0\0"
    return bytes(head) + bytes(800) + b"X,Y,Z".ljust(80) + struct.pack("<24f", *range(24))


def refl():
    """A reflection table in MessagePack."""
    def text(t):
        return bytes([0xd9, len(t)]) + t.encode()

    columns = {"id": ("int", struct.pack("<2i", 0, 0)), "flags": ("std::size_t", struct.pack("<2Q", 4, 32)),
               "miller_index": ("cctbx::miller::index<>", struct.pack("<6i", 1, 2, 3, 0, 0, 1)),
               "xyzobs.px.value": ("vec3<double>", struct.pack("<6d", 1.5, 2.5, 0, 3, 4, 0))}
    data = b"".join(text(n) + b"\x92" + text(kind) + b"\x92\x02" + bytes([0xc4, len(b)]) + b for n, (kind, b) in columns.items())
    return (b"\x93" + text("dials::af::reflection_table") + b"\x01\x83" + text("identifiers") + b"\x81\0" + text("a") + text("nrows")
            + b"\x02" + text("data") + bytes([0x80 + len(columns)]) + data)


def dials():
    """Models, and behind a zero byte a table of spots, indexed and not, integrated in both ways."""
    def text(t):
        return bytes([0xd9, len(t)]) + t.encode()

    def column(kind, form, *values):
        packed = struct.pack("<" + form, *values)
        return text(kind) + b"\x92\x04" + bytes([0xc5]) + struct.pack(">H", len(packed)) + packed

    columns = {"id": column("int", "4i", 0, 0, 0, -1), "imageset_id": column("int", "4i", 0, 0, 0, 0),
               "panel": column("std::size_t", "4Q", 0, 0, 0, 0), "flags": column("std::size_t", "4Q", 32, 4 | 256, 4 | 512, 32),
               "miller_index": column("cctbx::miller::index<>", "12i", *range(9), 0, 0, 0),
               "xyzobs.px.value": column("vec3<double>", "12d", *(4.5 * i for i in range(12))),
               "xyzcal.px": column("vec3<double>", "12d", *(4.4 * i for i in range(12))),
               "xyzobs.px.variance": column("vec3<double>", "12d", *[0.1] * 12),
               **{name: column("double", "4d", 1, 5, 30, 4) for name in (
                   "intensity.sum.value", "intensity.sum.variance", "intensity.prf.value", "intensity.prf.variance", "background.mean")},
               "n_signal": column("int", "4i", 1, 2, 3, 4)}
    data = b"".join(text(name) + b"\x92" + packed for name, packed in columns.items())
    return (EXPT.encode() + b"\0\x93" + text("dials::af::reflection_table") + b"\x01\x83" + text("identifiers") + b"\x81\0"
            + text("a") + text("nrows") + b"\x04" + text("data") + b"\xde" + struct.pack(">H", len(columns)) + data)


def stream2(plain=False):
    """Behind the beginning that the target writes: seven pairs more."""
    def text(t):
        return bytes([0x60 + len(t)]) + t

    packed = struct.pack(">QI", 64, 64) + struct.pack(">I", 11) + b"\x1f\0\1\0\x27\x50" + bytes(5)
    pairs = [(b"series_id", b"\x10"), (b"image_id", b"\0"), (b"real_time", b"\x82\1\2"), (b"start_time", b"\x82\0\5"),
             (b"stop_time", b"\x82\1\5"), (b"series_date", b"\xc0" + text(b"2024-03-07")),
             (b"data", b"\xa1" + text(b"threshold_1") + b"\xd8\x28\x82\x82\4\4" + (
                 b"\xd8\x45\x58\x20" + bytes(range(32)) if plain else
                 b"\xd8\x46\xd9\xdc\xb4\x83" + text(b"bslz4") + b"\4" + bytes([0x58, len(packed)]) + packed))]
    return b"".join(text(key) + value for key, value in pairs)


def start():
    """What follows "type": "start" in a map of nine."""
    def text(t):
        return bytes([0x60 + len(t)]) + t if len(t) < 24 else bytes([0x78, len(t)]) + t

    def real(v):
        return b"\xfb" + struct.pack(">d", v)

    mask = b"\xa1" + text(b"threshold_1") + b"\xd8\x28\x82\x82\4\4\xd8\x46\x58\x40" + bytes([1, 0, 0, 0]) + bytes(60)
    pairs = [(b"series_id", b"\x10"), (b"pixel_mask", mask), (b"pixel_size_x", real(75e-6)), (b"pixel_size_y", real(75e-6)),
             (b"beam_center_x", real(2)), (b"incident_energy", real(9000)), (b"detector_translation", b"\x83" + real(0) * 2 + real(-0.1)),
             (b"detector_description", text(b"EIGER2"))]
    return b"\xff\xff=start" + b"".join(text(key) + value for key, value in pairs)


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as out:
        for name, text in ("x/archive.ini", b"[archive]\n"), ("x/jobs/\u00e4" + "b" * 110, b"abc"), ("x/MANIFEST", b"# 3\n"):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            out.addfile(info, io.BytesIO(text))
    return file.getvalue()


def batch(kind, rows, *columns):
    """Columns (name, type, packed values), of type + 128 one value for all rows."""
    return struct.pack("<HHI", kind, len(columns), rows) + b"".join(
        bytes([kind, len(name)]) + name.encode() + values for name, kind, values in columns)


def frame(payload, sequence):
    """Of a journal; its sum is the target's to make."""
    return struct.pack("<4sIIHHIIQQ", b"FLJ1", len(payload), 0, *struct.unpack("<H", payload[:2]), 1, 3,
                       *struct.unpack("<I", payload[4:8]), sequence, 1 << 60) + payload


BATCHES = [
    batch(0, 1, ("text", 6, struct.pack("<I", 5) + b"a\tb\tc")),
    batch(1, 3, ("id", 3, struct.pack("<3Q", 1, 2, 3)), ("t_read", 2, struct.pack("<3I", 4, 5, 6)), ("outcome", 128, b"\2"),
          ("resolution", 4 + 128, struct.pack("<f", 1.8)), ("new", 7, bytes(6))),
    batch(3, 2, ("path", 6, struct.pack("<I", 3) + b"a.h" + struct.pack("<I", 0)), ("frames", 2 + 128, struct.pack("<I", 9))),
    batch(19, 0),
]
CONTROL = ["hello (uint32 1,)", "answer (int64 1, uint32 2, ['a', 'b'])", "connect (int64 3,)", "disconnect (int64 3,)",
           "probe (int64 3, true)", "stop-probe (int64 3,)", "channel (int64 3, ['ssh', 'x'])", "welcome (uint32 1, 'x')",
           "link (int64 3, 'up', int64 4, uint64 5, 'x')", "void (int64 3, uint32 1)", "probed (int64 3, true)",
           "question (int64 3, uint32 1, uint32 2, 's', 't', ['p'], [true])", "step (int64 3, 'a', 'b', 'c', 'd', 0.5)",
           "granted ('x',)", "refused ('x',)"]
SPOTS = "(1, 1, 2.5, 'm', [(1.0, 2, 0, 1, 2, 30, 2.5)], 5, false)"
LATTICES = "([(79.0, 79, 38, 1.57, 1.57, 1.57, 80, 96, 20, 30, 0.9, 0.5, 2000, 0.001, 2)], [(0, 1, 2, 3, 1.0, 2, 0, 3, 4, 50, 5, 2.5, 1)], 5, true)"


def octets(data):
    return "[" + ", ".join(map(str, data)) + "]"


def map_reply(encoding, operators, values, n=(2, 1, 2)):
    frame = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 52, 58, 61, 1.57, 1.57, 1.57]
    return (f"({n[0]}, {n[1]}, {n[2]}, 1, {[float(x) for x in frame]}, true, 0.0, 1.0, -1.0, 1.0, {encoding}, {operators}, "
            f"{octets(values)})")


PLAIN_RASTER = b"\1\2\0\0" + bytes(16) + struct.pack("<I", 16) + zlib.compress(struct.pack("<4f", 1, 2, 3, 4))
IMAGE = "(7, 'ev', 3, 9000.0, 1.3, 100, 0.1, 60000, (0.0, 0, 2, 2), (0.0, 0, 4, 4), 2, 2, [1.0, 2, 3, 4, 5, 6], %s, %s, 5, true)"
TURN = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, -1, 0, 0, 0, -1, 0, 0, 0, 1, 1, 0, 1]
VIEW = [  # in the order of the target's kinds
    "(1, 'a.h5', '', '', '', 3, 0.0, 0, 4, 4, 1, 2, 2, 1)", "('job', 'a.h5', '', '', '', 3)", "('a.h5', '', '', '')", "('log', -5, 100)",
    "('log', 'error', 0)", "('store', [1, 2], 100)", "('job',)", "('a.h5', '', '', '', 3, 'sigma = 3')", "('a.map', 0, 1)", "('a.pdb',)",
    "('a.h5', '', '', '', ['a.h5'], true, 'border 1', true, (0.0, 0, 4, 4), 2, 2)", IMAGE % ("[0, 1, 2, 1065353216]", "[]"), SPOTS,
    "(3, 'hdf5', 'd', 0.1, (0.0, 0, 4, 4), [('p0', 0.0, 0, 1, 0, 0, 1, 4, 4)])", "(0, 10, [97, 98])", "[(0, 1, 0, 0, 5, 7, 9)]", LATTICES,
    f"(12, {SPOTS}, {LATTICES})", "(true, 1, 2, 3, 'line', 10, 10)", "([97, 98],)", map_reply(0, [], bytes(16)),
    "([(1000, 2000, 3000, 'C', 'CA', 'LYS', 'A', 1, 0, 0)],)", "(1, 2, 0, 'border 1', [3], [('p0', 100, 1, 2)], 100, 1, 0, 2, 2, 2, [0, 1, 2, 255], [97])"]
VIEWS = [(i, text) for i, text in enumerate(VIEW)] + [
    (11, IMAGE % ("[]", octets(PLAIN_RASTER))), (20, map_reply(1, [], bytes(4))), (20, map_reply(1, TURN[:12], bytes([1, 2, 3, 4]))),
    (20, map_reply(1, TURN, bytes([5, 250]) * 9, (3, 3, 3)))]
GEOM_H5 = """\
/data u2 3x16x10 5 6 60001
/mask u2 16x10 0 1
/masks u1 3x16x10 0 1
/far u4 16x10 3
/saturation f4 16x10 1000 2000
/energy f8 3 9000
/distance f8 - 100
M:/mask
=data = /data
=dim0 = %
=dim1 = ss
=dim2 = fs
=photon_energy = /energy eV
=clen = /distance mm
=adu_per_photon = 2
=res = 10000
=mask = /mask
=mask_good = 0x0
=mask_bad = 0x1
=mask1_data = /masks
=mask1_badbits = 0x2
=saturation_map = /saturation
=max_adu = 50000
=p0/min_fs = 0
=p0/max_fs = 9
=p0/min_ss = 0
=p0/max_ss = 7
=p0/corner_x = -5
=p0/corner_y = 4.5
=p0/fs = x
=p0/ss = y
=p1/min_fs = 0
=p1/max_fs = 9
=p1/min_ss = 8
=p1/max_ss = 15
=p1/corner_x = 5
=p1/corner_y = 4.5
=p1/fs = x
=p1/ss = y
=bad0/panel = p1
=bad0/min_fs = 2
=bad0/max_fs = 3
=bad0/min_ss = 9
=bad0/max_ss = 9
"""
GEOM_TWO = GEOM_H5.replace("/data u2 3x16x10 5 6 60001", "/0/data f4 2x8x10 5 nan\n/1/data f4 2x8x10 7").replace(
    "=data = /data\n", "").replace("=p0/min_fs", "=p0/data = /0/data\n=p0/min_fs").replace("=p1/min_fs", "=p1/data = /1/data\n=p1/min_fs").replace("min_ss = 8", "min_ss = 0").replace("max_ss = 15", "max_ss = 7").replace(
    "16x10", "8x10").replace("f8 3", "f8 2").replace(
        "M:/mask", "/flat u1 160 0 1\nM:/flat")
MASK_RULES = """\
# a comment
shots 20
edges 1
edges 2 p0
asic-edges 1 4 8 #1
panel p1
unmask rectangle p1 1 3 2 5
rectangle -0.5 -0.5 0.5 1
circle 0.2 0.3 0.4
circle p0 3 4 2
ellipse #0 3 4 2 1.5
polygon p0 1,1 5,1 3,7
unmask polygon 0,0 1,0 1,1
below -5
above 60000
statistics dead hot noisy z=4 mean<1 mean>1000 std<0.1 std>50 over=200,0.1
"""
INFLIGHT = struct.pack("<3I52x", 0x32494c46, 2, 128) + (
    struct.pack("<4I", 3, 1, 11, 0) + struct.pack("<4IQ2IQ", 0, 77, 2, 0, 9, 0, 5, 1 << 60) * 2 + bytes(32)) * 2
PSANA_CONSTANTS = "".join(
    f"Jungfrau::CalibV1/CxiDs1.0:Jungfrau.0/{kind}/{runs}.data # NDIM 2\\n# DIM:1 3\\n# DIM:2 32\\n{value}\n"
    for kind, runs, value in (("pedestals", "0-end", "2500 " * 32 + "13600 " * 32 + "14200 " * 32), ("pedestals", "10-20", "1 " * 96),
                              ("pixel_gain", "0-end", "40 " * 32 + "-1 " * 32 + "-0.1 " * 32), ("pixel_status", "0-end", "0 " * 96),
                              ("pixel_rms", "0-end", "5 " * 95 + "50"))) + "@detector.run=3\n@detector.noise_high=4\n@detector.mask_edges=1\n"
ARRAYS = ("mod8_pedeG0.bin " + "\\020\\047" * 32 + "\nmod8_pedeG1.txt " + "13600 " * 32 + "\nmod8_pedeG2.txt " + "14200 " * 32
          + "\n@detector.kind=jungfrau\n@detector.gain=40,-1,-0.1\n@detector.common_mode=rows\n@detector.common_mode_limit=100\n")
EPIX = ("Epix10ka2M::V1/MfxEndstation.0:Epix10ka2M.0/pedestals/5-end.data # NDIM 2\\n# DIM:1 7\\n# DIM:2 32\\n" + "1000 " * 224
        + "\nEpix10ka2M::V1/MfxEndstation.0:Epix10ka2M.0/pixel_config/5-end.data # NDIM 1\\n# DIM:1 32\\n" + "12 " * 32 + "\n@detector.unit=kev\n")
ALONE = (NXMX.format(n=2).replace("t/z f8 1 100", "t/z f8 1 0") + MODULE.format(i=0, at=0).replace("4 2 8 10", "4 2 16 10") + IMAGES["packed"]
         + "\n/entry/instrument/detector/beam_center_x f8 - 4\n/entry/instrument/detector/beam_center_y f8 - 5\n"
         "/entry/instrument/detector/distance f8 - 0.1 @units=m\n")
TEXTS = {
    "calibration": {"psana": PSANA_CONSTANTS, "arrays": ARRAYS, "epix": EPIX},
    "record": [bytes([i]) + text for i in range(24) for text in (b"", b"name=a\\nb\ncomment=x\\\\y\nstarted=5\nnumber=-3\n")],
    "mask-rules": [MASK_RULES],
    "batch": BATCHES,
    "journal": [frame(BATCHES[1], 1), b"".join(frame(payload, i) for i, payload in enumerate(BATCHES)),
                frame(BATCHES[3], 1)[:30] + frame(BATCHES[2], 7)],
    "control": [*(line + "\n" for line in CONTROL), "\n".join(CONTROL), CONTROL[1] + "\n!3 200\n" + CONTROL[0]],
    "nxmx": {**{f"nxmx-{name}": nxmx(name) for name in IMAGES}, "alone": ALONE, "dectris": DECTRIS, "cxi": CXI, "sacla": SACLA, "pal": PAL, "sacla-small": SMALL_SACLA,
             "plain": "/data/data f4 2x9x12 c1x9x12 1 2\n"},
    "results": {"segment": SEGMENT, "patterns": PATTERNS},
    "constants": {
        "ours": "/pedestals f4 3x8x10 100 200\n/pixel_gain f4 3x8x10 41 -1.4\n/pixel_status u4 3x8x10 0 1\n/pixel_rms f4 3x8x10 3\n"
                "/detector s jungfrau\n",
        "psi": "/gainPedestals f8 3x8x10 5\n/gains f8 3x8x10 1\n/pixelMask u4 8x10 0\n",
        "agipd": "/AnalogOffset i2 3x2x8x8 5\n/DigitalGainLevel i2 3x2x8x8 9\n/Badpixel u1 3x2x8x8 0\n",
        "mask": "/entry/instrument/detector/pixel_mask u1 8x10 0 1 @rules=border~1\n/entry/instrument/detector/base_mask u1 8x10 0\n",
        "skopi": "/intensities f4 2x1x3x4 1 0.5\n/pixel_position_reciprocal f8 3x1x3x4 1e9 2e9\n/polarization f4 1x3x4 1\n"
                 "/solid_angle f4 1x3x4 1e-6\n/orientations f4 2x1x4 1 0 0 0\n/conformation i4 2 0 1\n"},
    "view": [bytes([i]) + text.encode() for i, text in VIEWS],
    "geom-h5": {"one": GEOM_H5, "two": GEOM_TWO, "middle": GEOM_H5.replace("=dim0 = %\n=dim1 = ss", "=dim0 = ss\n=dim1 = %").replace("3x16x10", "16x3x10"),
                "rules": GEOM_H5.replace("M:/mask", "M").replace("=mask = ", "=flag_lessthan = -5\n=flag_morethan = 60000\n=flag_equal = 7\n"
                         "=mask_edge_pixels = 1\n=bad1/min_x = -2\n=bad1/max_x = 2\n=bad1/min_y = -2\n=bad1/max_y = 2\n=mask = "),
                "ev": GEOM_H5.replace("adu_per_photon", "adu_per_eV"),
                "frames": GEOM_H5.replace("=dim0 = %\n=dim1", "=dim0").replace("dim2", "dim1").replace("3x16x10", "16x10").replace("f8 3", "f8 1")},
    "geom": [GEOM], "stream": [STREAM], "map": [ccp4_map(), ccp4_map().replace(struct.pack("<3i", 3, 2, 1), struct.pack("<3i", 3, 2, -2**31))], "refl": [refl()], "stream2": [stream2(), stream2() + start(), stream2(True)],
    "ndarray": [b"\0# TITLE x\n# DTYPE float64\n# NDIM 2\n# DIM:1 2\n# DIM:2 3\n\n1 2 3\n4 5 6\n",
                b"\1\x93NUMPY\1\0\x46\0" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".ljust(69) + b"\n" + bytes(24),
                b"\2" + bytes(84)],
    "tags": ["a and not (b or c)\n", "run:5-9 or \"two words\"\n"],
    "model": ["\0" + PDB, "\1" + CIF, "\2HEADER\nCRYST1" + PDB],
    "mtz": [mtz()],
    "lists": ["\0Symmetry: 4/mmm\n   h    k    l          I    phase   sigma(I)   nmeas\n   1    2    3      12.50        -       1.25      20\n"
              "End of reflections\n", "\1\nlattice_type = monoclinic\ncentering = P\nunique_axis = b\n\na = 52 A\nb = 58 A\nc = 61 A\n"
              "al = 90 deg\nbe = 95.1 deg\nga = 90 deg\n", "\2/data/a.h5 //3\nb c.cbf\n"],
    "emc": [bytes([2, 9, 0]) + struct.pack("<2i2i3i1i1i", 2, 1, 1, 0, 0, 5, 8, 3, 4), bytes([1, 2, 1]) + struct.pack("<2i", 0, 7)],
    "dials": [EXPT, dials(), GROUPED], "expt": [EXPT, GROUPED],
    "imgcif": [IMGCIF, IMGCIF_SECTIONS],
    "chunk": [bytes([0, 0, 0, 255]) + zlib.compress(bytes(range(256))), bytes([3, 0, 0, 100]) + struct.pack(">QII", 101, 101, 20) + bytes(20),
              bytes([0x46, 0, 1, 63]) + struct.pack(">QII", 202, 8192, 9) + bytes([31, 0, 1, 0, 255, 33, 80, 0, 0]),
              bytes([2, 0, 0, 9]) + bytes([3, 1, 2, 3, 4, 0x60, 1]), bytes([5, 0, 0, 63]) + bytes(64),
              bytes([4, 0, 0, 9]) + bytes.fromhex("28b52ffd200a51000001020304050607080910")],
    "slurm": ["\1", "\x00" "123_4|PENDING|0|1||Resources|fl-1-2\n", "\1" "123|COMPLETED|0:0|1700000000|1700000100|2|n[1-2]|fl-1\n",
              "\x02" "123                                     256\n", "\3Submitted batch job 123\n", "\4123 1700000000 0\n",
              "\4" "0 1700000000 123 0 yes\n"],
    "keys": ["\0" + KEY, b"\1*o*\355\340*x* ssh-ed25519 AAAA\n", "\1host.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1\n"
             "@revoked *.example,!a ssh-rsa AAAA\n|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= ssh-ed25519 AAAA\n"],
    "ini": ["\0[database]\nurl=mysql://ana@db.example:3306/lyso\ntls=verify\nhome=/data/x\ncommand=ssh;db;\n",
            "\1[follow]\ncommand=ssh;beamline;\nstore=/data/x\n",
            "\2[archive]\nformat=1\nmade=2026-11-22T05:00:00Z\nexperiment=x\nsource=/data/x\nby=f\nhost=h\nlive=false\nschema=9\nruns=1\n"
            "shots=2\njobs=1\ndatasets=0\nfiles=3\nbytes=9\nrunning=0\nreferenced=a;\nmissing=\nplaces=/data/runs;roots/r;\n",
            "\3# 12\n" + "0" * 64 + "  jobs/a\n", "\4mysql://ana@[::1]:3306/lyso?socket=/run/x&tls=off&ca=/a%20b\n"],
    "tar": [tar()],
    "weather": ["n1,a.cbf:3,2026-11-22T05:00Z01.500,start,\nn1,a.cbf:3,2026-11-22T05:00Z02.500,spotfind_start,\n"
                "n1,a.cbf:3,2026-11-22T05:00Z03.500,stop,indexing_failed_40\n"],
    "learned": [b"\1" + INFLIGHT, "\0shots 1.9807e+30\nhits nan\n",
                "\0; Learned\nshots 100\nhits 50\nlattices 40\ncell told 0x1p5 0x1p5 0x1p5 0x1.9p0 0x1.9p0 0x1.9p0 3 P 19\n"
                "mosaic 0x1p10 0x1p-9 0x1p-10 0x0p0\ncandidate 1 1 1 2 2 3 3 1 1 1 1 1 1 3 80 19 40 50 1 0\n"],
    "params": ["[spots]\nsigma_strong = 3\nmin_size = 2 ; a comment\n[indexing]\nunit_cell = 79,79,38,90,90,90\nspace_group = P43212\n"],
}
MORE_WORDS = {
    "nxmx": "wavelength incident_energy photon_energy @units=eV @units=keV @units=m @units=rad @units=deg @units=counts /entry/sample NXsample "
            "/entry/instrument/detector/depends_on /entry/instrument/detector/distance detector_distance bit_depth_readout "
            "/entry/instrument/detector/data count_cutoff /entry/instrument/detector/detectorSpecific/counts_per_photon image_key "
            "saturation_value pixel_mask_1 /entry/instrument/detector/detectorSpecific/saturation_value @offset_units=m data_% "
            "/entry_1/instrument_1/detector_1/data /entry_1/image_1/data 1e308 -1e308 nan inf 18446744073709551615 2147483648 1048575 "
            "0x0x0 q32000 q32015 q32008.3 q32008.0 1x1x1 4294967296x16x16 c1x1x1 u1 u8 i8 f4 f8 i4B e p -> => v",
    "constants": "1073741824 4294967296x16 c1x1 f8 u1 inf nan photons",
    "results": "18446744073709551615 4294967296 c1 9223372036854775808 -1 nan",
}
