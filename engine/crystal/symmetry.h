/* symmetry.h: space-group operators and what they do to reflections.
 *
 * An operator takes fractional x to R x + t; a reflection h to h R (row vector), with phase factor exp(2πi h·t).
 * Thread: any; immutable once made. */
#pragma once

#include <glib.h>

typedef struct
{
  int r[3][3];
  double t[3]; /* in [0, 1) */
} FlSymmetryOperator;

#define FL_SYMMETRY_MOST 192 /* Fm-3m has as many operators */

typedef struct
{
  guint n;
  FlSymmetryOperator *ops; /* the identity first; centring translations included */
  guint hall;              /* the setting's number, 1–530 (space-group.h); 0: none that is listed */
} FlSymmetry;

typedef struct
{
  int h, k, l;
} FlMiller;

/* From a space group's symbol, as fl_space_group_find() understands it. FL_ERROR_UNSUPPORTED when it is not known. */
FlSymmetry *fl_symmetry_from_symbol (const char *symbol, GError **error);
/* From a setting's number, 1–530. */
FlSymmetry *fl_symmetry_from_hall (guint hall);
/* From operators in words, "-Y+1/2,X+1/2,Z+3/4"; closes them to a group. */
FlSymmetry *fl_symmetry_from_words (const char *const *words, GError **error);
void fl_symmetry_free (FlSymmetry *symmetry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSymmetry, fl_symmetry_free)

/* hR */
static inline FlMiller
fl_miller_transform (FlMiller m, const FlSymmetryOperator *op)
{
  return (FlMiller){ m.h * op->r[0][0] + m.k * op->r[1][0] + m.l * op->r[2][0],
                     m.h * op->r[0][1] + m.k * op->r[1][1] + m.l * op->r[2][1],
                     m.h * op->r[0][2] + m.k * op->r[1][2] + m.l * op->r[2][2] };
}

typedef struct
{
  FlMiller representative; /* the same for all of ±hR */
  guint epsilon;           /* operators that leave it where it is, centring translations counted */
  gboolean centric, absent;
} FlReflectionClass;

FlReflectionClass fl_symmetry_classify (const FlSymmetry *symmetry, FlMiller hkl);
