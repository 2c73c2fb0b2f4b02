/* pattern-source.h: shots of single particles, whatever file they lie in, as photons on the pixels of a detector.
 *
 *   .emc              Dragonfly's photons; its detector (detector.h5: qx, qy, qz, corr, mask, ewald_rad; or detector.dat)
 *                     in the same folder or the one above, or given
 *   .cxi, .h5 …       frames with a CrystFEL geometry: given, or detector.geom in the same folder or the one above, or
 *                     what the file tells itself; counts are divided by the panel's adu_per_photon and rounded
 *   .h5 of skopi      intensities that are no whole numbers are rounded up or down at random (seeded by the shot), so
 *                     that means stay
 *   .h5 of ours       pattern-file.h
 *
 * Negative values are 0 photons. Pixels of CXI files lie where the geometry says for every shot: a shot's own energy
 * or shift is not looked at. Bad pixels of one frame are 0 photons there. Errors: one line with the file's name,
 * FL_ERROR_INPUT, _MISSING or _UNSUPPORTED. Thread: one (HDF5). */
#pragma once

#include "engine/base/params.h"
#include "engine/shots/calibration.h"
#include "engine/spi/patterns.h"

typedef enum
{
  FL_POLARISED_HORIZONTALLY,
  FL_POLARISED_VERTICALLY,
  FL_NOT_POLARISED
} FlPolarised;

typedef struct
{
  const char *detector;                    /* .h5, .dat or .geom; NULL or "": beside the file */
  double wavelength;                       /* Å, for detectors that do not tell; 0: not given */
  FlPolarised polarised;                   /* for geometries, which do not tell */
  const FlCalibrationOptions *calibration; /* of raw frames; NULL: they are as they are */
} FlPatternSourceOptions;

/* From the patterns.* parameters; `params` must outlive them. */
FlPatternSourceOptions fl_pattern_source_options (const FlParams *params);

typedef struct FlPatternSource FlPatternSource;

FlPatternSource *fl_pattern_source_open (const char *path, const FlPatternSourceOptions *options,
                                         GError **error);
void fl_pattern_source_close (FlPatternSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPatternSource, fl_pattern_source_close)

const char *fl_pattern_source_path (const FlPatternSource *source);
const char *
fl_pattern_source_format (const FlPatternSource *source); /* "EMC", "CXI", "skopi", "patterns" … */
guint32 fl_pattern_source_n_frames (const FlPatternSource *source);
/* The source's own. fl_pattern_pixels_copy() for a FlPatterns to read into. */
const FlPatternPixels *fl_pattern_source_pixels (const FlPatternSource *source);
/* fl_shot_id() of file and frame; of our own files the id that the shot had when it was taken. */
guint64 fl_pattern_source_id (const FlPatternSource *source, guint32 frame);
/* Appends frames first … first + n − 1, which the source must have, with rows row, row + 1 … On an error those before the
 * damaged one are there. `patterns` has this source's pixels. */
gboolean fl_pattern_source_read (FlPatternSource *source, guint32 first, guint32 n, guint32 row,
                                 FlPatterns *patterns, GError **error);

FlPatternPixels *fl_pattern_pixels_copy (const FlPatternPixels *pixels);
/* The same detector, to a millionth of the largest |s|, the same mask; else FL_ERROR_INPUT: "PATH: …, expected those of
 * OTHER". Backgrounds may differ. */
gboolean fl_pattern_pixels_agree (const FlPatternPixels *pixels, const char *path,
                                  const FlPatternPixels *other, const char *other_path, GError **error);
