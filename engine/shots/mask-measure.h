/* mask-measure.h: how pixels behave over many shots, and which of them do not behave as the others of their ring.
 *
 * A pulse may be ten times as bright as the one before, and a crystal's spots are a thousand times as bright as what lies round
 * them; a pixel is judged all the same. In each shot a pixel's value becomes z = (value − median) / spread of the good pixels
 * at the same resolution in that shot (spread: 1.4826 times the median absolute deviation, or, where photons are few, the root
 * of their mean), cut off at ±4, so that a few spots cannot make a pixel look bad. Over the shots a pixel has a mean and a
 * variance of z. By how many robust standard deviations these differ from the median of its ring decides:
 *   dead   always the same value, while the others of the ring vary; or its mean is too low (it answers too little)
 *   hot    its mean is too high
 *   noisy  its variance is too high
 * The limits are widened by six shots' worth of the largest z, so that few photons make no bad pixels; fewer than about 30 shots
 * therefore find only the worst. A ring of which more than a tenth would be called dead or hot by its mean is bimodal (a shadow,
 * a panel of another gain) and is not judged by it.
 *
 * Sums are integers: the result does not depend on the order of the shots. Raw values are kept to 1 count (integer types)
 * or 1/256 count (floats), within ±2²⁴ such steps. Memory: about 40 bytes a pixel. Thread: one at a time. */
#pragma once

#include "engine/shots/source.h"

typedef enum
{
  FL_MASK_DEAD = 1 << 0,
  FL_MASK_HOT = 1 << 1,
  FL_MASK_NOISY = 1 << 2
} FlMaskFlaw;

typedef struct
{
  guint flaws;                                         /* FlMaskFlaw, or'ed; 0: not asked for */
  double z;                                            /* robust standard deviations */
  double mean_below, mean_above, std_below, std_above; /* counts; NAN: not asked for */
  double over, fraction; /* above `over` counts in more than `fraction` of the shots; NAN: not asked for */
} FlMaskTests;

typedef struct FlMaskMeasure FlMaskMeasure;

/* `over`: counts, whose excesses are counted; NAN: none. Takes a reference of the detector; pixels of its mask are left out. */
FlMaskMeasure *fl_mask_measure_new (FlDetector *detector, double over);
void fl_mask_measure_free (FlMaskMeasure *measure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMaskMeasure, fl_mask_measure_free)
/* A shot of that detector; what it calls bad itself (FlShot.mask, bad values) is left out of it. */
void fl_mask_measure_add (FlMaskMeasure *measure, const FlShot *shot);

/* n_pixels; nothing is said of pixels that were good in fewer than half of the shots. */
guint8 *fl_mask_measure_test (const FlMaskMeasure *measure, const FlMaskTests *tests);
/* Below (or above) `value` in every shot. */
guint8 *fl_mask_measure_always (const FlMaskMeasure *measure, double value, gboolean above);
