/* symmetry.h: space-group operators, as far as intensities need them.
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

typedef struct
{
  guint n;
  FlSymmetryOperator *ops; /* the identity first; centring translations included */
} FlSymmetry;

typedef struct
{
  int h, k, l;
} FlMiller;

/* From a space group's symbol: "P43212", "P 43 21 2" and "C2221" are all understood. FL_ERROR_UNSUPPORTED when it is
 * not in the table of groups that proteins crystallise in. */
FlSymmetry *fl_symmetry_from_symbol (const char *symbol, GError **error);
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
