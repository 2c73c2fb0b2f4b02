/* patterns.h: diffraction patterns of single particles as photons on the pixels of one detector: those of one rank.
 *
 * A pixel of pattern d expects φ_d · factor · I(R_d⁻¹ s) + background photons; I is the particle's intensity. Sparse: only lit
 * pixels are kept. Thread: one; whoever makes them owns them. */
#pragma once

#include <glib.h>

#include "engine/base/vec.h"

typedef enum
{
  FL_PATTERN_GOOD = 0,
  FL_PATTERN_MERGED = 1, /* Dragonfly's 1: not for orientations. Reconstructions leave it out */
  FL_PATTERN_BAD = 2
} FlPatternMask;

/* The detector. */
typedef struct
{
  guint n;           /* pixels */
  FlVec3 *s;         /* [n] Å⁻¹, (k_out − k_in)/λ without 2π, laboratory frame, beam along z */
  float *factor;     /* [n] polarisation × solid angle, relative: mean of good pixels 1 */
  float *background; /* [n] photons a pattern that are not the particle's; NULL: none */
  guint8 *mask;      /* [n] FlPatternMask */
  double wavelength; /* Å */
} FlPatternPixels;

typedef struct
{
  FlPatternPixels *pixels; /* the same at all ranks */
  guint n;                 /* patterns */
  guint64 *id;             /* [n] fl_shot_id(): what seeds and halves are drawn from */
  guint32 *row;            /* [n] the pattern's number among all of all ranks, as the inputs have them */
  guint64 *start;          /* [n + 1] photons of pattern i lie at start[i] … start[i + 1] − 1 */
  guint32 *pixel;          /* [start[n]] ascending within a pattern; never of bad pixels */
  guint32 *count;          /* [start[n]] 1 or more */
} FlPatterns;

FlPatternPixels *fl_pattern_pixels_new (guint n);
void fl_pattern_pixels_free (FlPatternPixels *pixels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPatternPixels, fl_pattern_pixels_free)

/* Takes the pixels over. No patterns yet. */
FlPatterns *fl_patterns_new (FlPatternPixels *pixels);
void fl_patterns_free (FlPatterns *patterns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPatterns, fl_patterns_free)

/* One more: `n` lit pixels, ascending; those of bad pixels are left out. */
void fl_patterns_add (FlPatterns *patterns, guint64 id, guint32 row, guint n, const guint32 *pixel,
                      const guint32 *count);
/* Photons of one. */
guint64 fl_patterns_photons (const FlPatterns *patterns, guint i);
