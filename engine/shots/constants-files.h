/* constants-files.h: finds and reads a detector's constants as they lie in files (private to the room).
 *
 *   psana          a folder with pedestals/, pixel_gain/, pixel_rms/, pixel_status/, pixel_offset/ of files RUN-END.data
 *                  (END a number or "end"), or with one to four levels above them: calib/<group>/<source>/…
 *   arrays         a folder of .bin, .raw, .npy, .txt or .data files whose names tell: "pede" and not "rms" pedestals,
 *                  "rms" noise, "gain" gains, "offset", "status" or "mask", "threshold", "config"; a name with G0, G1, G2
 *                  is one gain's; files of one kind and gain are modules in the order of their numbers
 *   HDF5           ours (what `darks` writes), PSI's (gains, gainPedestals), Cheetah's and CrystFEL's dark (/data/data),
 *                  Cheetah's of AGIPD; a file, or any in the folder of arrays
 * Errors: one line, FL_ERROR_MISSING, _INPUT. Thread: HDF5's. */
#pragma once

#include "engine/shots/calibration.h"
#include "engine/shots/ndarray.h"

typedef enum
{
  FL_CONSTANT_PEDESTAL,
  FL_CONSTANT_GAIN,
  FL_CONSTANT_OFFSET,
  FL_CONSTANT_RMS,
  FL_CONSTANT_STATUS,
  FL_CONSTANT_THRESHOLD,
  FL_CONSTANT_CONFIG,
  FL_CONSTANT_KINDS
} FlConstantKind;

typedef struct
{
  FlNdarray arrays[FL_CONSTANT_KINDS]; /* values NULL: there are none */
  FlDetectorKind kind;                 /* told by a name or an attribute; else FL_DETECTOR_AUTO */
} FlConstantFiles;

void fl_constant_files_clear (FlConstantFiles *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlConstantFiles, fl_constant_files_clear)

/* Arrays of binary files have n_pixels, or so many for each of `stages` gains. */
gboolean fl_constant_files_read (const FlCalibrationOptions *options, gsize n_pixels, guint stages,
                                 FlConstantFiles *files, GError **error);

/* constants-hdf5.c: adds what `path` has and `files` lack. */
gboolean fl_constant_files_add_hdf5 (const char *path, FlConstantFiles *files, GError **error);

/* "jungfrau", "epix10k" … in a name; FL_DETECTOR_AUTO: none of them. */
FlDetectorKind fl_detector_kind_of_name (const char *name);
const char *fl_detector_kind_name (FlDetectorKind kind);
