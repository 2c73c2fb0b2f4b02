/* skopi.h: the HDF5 files of single particles that skopi writes and Spinifel reads.
 *
 * /intensities (N, …, any more axes: the pixels of a frame) or /photons in its place; /pixel_position_reciprocal (3
 * first or last, then as the pixels) in m⁻¹ without 2π; and where they are there /polarization, /solid_angle (as the
 * pixels), /orientations (N, 1, 4: w x y z), /conformation (N). Errors: one line with the file's name,
 * FL_ERROR_INPUT or _MISSING. Thread: one (HDF5). */
#pragma once

#include <glib.h>

#include "engine/base/vec.h"

typedef struct FlSkopi FlSkopi;

FlSkopi *fl_skopi_open (const char *path, GError **error);
void fl_skopi_close (FlSkopi *skopi);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSkopi, fl_skopi_close)

guint fl_skopi_n_frames (const FlSkopi *skopi);
gsize fl_skopi_n_pixels (const FlSkopi *skopi);
/* [n_pixels] Å⁻¹. */
const FlVec3 *fl_skopi_s (const FlSkopi *skopi);
/* [n_pixels] polarisation × solid angle; 1 for what the file does not have. */
const double *fl_skopi_factor (const FlSkopi *skopi);
/* [n_frames] as simulated; NULL: not in the file. */
const FlQuat *fl_skopi_orientations (const FlSkopi *skopi);
const gint32 *fl_skopi_conformations (const FlSkopi *skopi);
/* Frames first … first + n − 1, which the file must have: values[n][n_pixels]. Values that are not finite are an
   error. */
gboolean fl_skopi_read (FlSkopi *skopi, guint first, guint n, float *values, GError **error);
