/* integration-box.h: the pixels round one predicted place, sorted into peak and ring. Private to integration.
 * Thread: a box belongs to one. */
#pragma once

#include "engine/shots/source.h"

/* Pixels about a place: `x`, `y` px from it to the pixels' centres, `v` counts. */
typedef struct
{
  guint n;
  float *x, *y, *v;
  float *w; /* of the peak: the part of the pixel inside the disc; of the ring: 1 = used, 0 = rejected */
} FlBoxPixels;

typedef struct
{
  float radius, inner, outer; /* px */
  guint room;                 /* pixels that the lists and buffers hold */
  FlBoxPixels peak, ring;
  gboolean cut;       /* peak pixels are bad or lie off the panel: they are not in the list */
  gboolean shared;    /* … are claimed by other reflections: they are in the list … */
  gboolean saturated; /* … are saturated */
  guint8 *claimed;    /* … and marked here, one a peak pixel */
  float *value;       /* the rectangle, scratch */
  guint8 *bad;
} FlBox;

void fl_box_init (FlBox *box, double radius, double inner, double outer);
void fl_box_clear (FlBox *box);

/* Adds `step` (+1), or sets to zero (0), the claims of the peak's pixels. `claims`: n_pixels; saturates at 255. */
void fl_box_claim (const FlBox *box, const FlPanel *panel, double fs, double ss, guint step, guint8 *claims);

/* Fills the lists. FALSE: the place is not on the panel. Ring pixels that are bad or claimed by anyone are left out. */
gboolean fl_box_gather (FlBox *box, const FlShot *shot, const FlDetector *detector, guint panel, double fs,
                        double ss, const guint8 *claims);
