/* calibration-constants.h: a detector's constants as tables that pixels are looked up in (private to the room). Read once
 * for all sources of a process that ask for the same. */
#pragma once

#include "engine/shots/calibration.h"

#define FL_GAIN_SLOTS 4 /* as of kernels/gain-modes.h */

typedef struct
{
  FlDetectorKind kind; /* never FL_DETECTOR_AUTO */
  gsize n_pixels;
  guint n_cells;
  gboolean per_photon; /* a factor turns ADU into photons; else into keV */
  /* [cell][pixel]; NULL: no such slot. A pixel that is bad in a slot has NAN there. */
  float *pedestal[FL_GAIN_SLOTS], *factor[FL_GAIN_SLOTS];
  float *threshold[2]; /* AGIPD: [cell][pixel] */
  guint8 *bad;         /* n_pixels: in the slot of the highest gain, in every cell */
  guint last_slot;     /* of the lowest gain */
  double unit_per_adu; /* median of |factor[0]| */

  int ref_count;
  char *key;
  GPtrArray *paths; /* what was read, and when it was written: */
  GArray *times;    /* gint64 */
} FlConstants;

/* `detector`: its pixels' order and, where the constants have no gains, its panels' gains. */
FlConstants *fl_constants_get (const FlCalibrationOptions *options, const FlDetector *detector,
                               GError **error);
void fl_constants_unref (FlConstants *constants);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlConstants, fl_constants_unref)

/* Orders `values`; the middle one, or the mean of the two. 0 for none. */
float fl_median (float *values, gsize n);
