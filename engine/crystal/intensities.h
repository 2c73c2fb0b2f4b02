/* intensities.h: |F|² (electrons²) of every reflection of a sphere, for look-up by Miller index.
 *
 * Filled by direct summation over a model (structure-factors.h), by Wilson's statistics (wilson.h) or from a list
 * (hkl-file.h). Thread: any, once filled. */
#pragma once

#include <glib.h>

#include "engine/crystal/cell.h"
#include "engine/crystal/symmetry.h"

typedef struct
{
  FlCell cell;
  double d_min;  /* Å */
  int limits[3]; /* |h| ≤ limits[0] … */
  float *values; /* [2 limits[0] + 1][2 limits[1] + 1][2 limits[2] + 1]; 0 where there is none */
} FlIntensities;

/* All zero. FL_ERROR_INPUT when the sphere holds more than 2³⁰ indices. */
FlIntensities *fl_intensities_new (const FlCell *cell, double d_min, GError **error);
void fl_intensities_free (FlIntensities *intensities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlIntensities, fl_intensities_free)

static inline float *
fl_intensities_at (const FlIntensities *i, int h, int k, int l)
{
  const int *m = i->limits;
  if (h < -m[0] || h > m[0] || k < -m[1] || k > m[1] || l < -m[2] || l > m[2])
    return NULL;
  return &i->values[((gsize) (h + m[0]) * (gsize) (2 * m[1] + 1) + (gsize) (k + m[1]))
                        * (gsize) (2 * m[2] + 1)
                    + (gsize) (l + m[2])];
}

/* 0 outside. */
static inline float
fl_intensities_get (const FlIntensities *i, int h, int k, int l)
{
  const float *p = fl_intensities_at (i, h, k, l);
  return p != NULL ? *p : 0;
}

/* Sets `value` for all ±hR of a reflection, under Friedel's law; what lies outside is left out. */
void fl_intensities_set_class (FlIntensities *intensities, const FlSymmetry *symmetry, FlMiller hkl,
                               float value);
