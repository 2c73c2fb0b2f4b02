/* support.h: where a density may be: redrawn from its blurred self (shrinkwrap). On a periodic n³ grid, x fastest. Thread: one. */
#pragma once

#include <glib.h>

/* value[n³], in place, by a Gaussian of `sigma` points, cut at 2.5 sigma; `work` as large. */
void fl_support_blur (float *value, float *work, guint n, double sigma);

/* mask 1 where value ≥ part · its largest; returns how many. Where that would be more than `most`, the `most` largest. */
gsize fl_support_draw (const float *value, gsize n_points, double part, gsize most, float *mask);
