/* binning.h: a detector's pixels gathered into cells, and patterns on them: what orientations are judged by.
 *
 * A speckle of a particle of diameter D is 1/D wide; cells of a third of that lose nothing and are fewer than pixels.
 * A cell is a square of the (s_x, s_y) plane; it stands at the mean of its good pixels, and its factor is their sum, so
 * that gaps, masks and curved spheres need no care. Thread: one. */
#pragma once

#include "engine/spi/patterns.h"

typedef struct
{
  guint n;           /* cells, by rising |s| */
  guint stride;      /* n rounded up to 16 */
  FlVec3 *s;         /* [n] Å⁻¹ */
  float *size;       /* [n] |s| */
  float *factor;     /* [stride] Σ factor; 0 beyond n */
  float *background; /* [stride] Σ background; NULL: none */
  guint *cell;       /* [pixels] the cell of each, G_MAXUINT: none */
} FlBinning;

/* Cells of `width` (Å⁻¹) out of the good pixels with |s| ≤ `s_max`; below `s_fine`, where the intensity falls steeply, each
 * pixel is a cell. */
FlBinning *fl_binning_new (const FlPatternPixels *pixels, double width, double s_fine, double s_max);
void fl_binning_free (FlBinning *binning);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlBinning, fl_binning_free)

/* Photons of patterns first … first + n − 1 in each cell: counts[n][stride], zeroed first. */
void fl_binning_counts (const FlBinning *binning, const FlPatterns *patterns, guint first, guint n,
                        float *counts);
