/* The reference of the next cycle. Observations need not come together for it: sums are enough, and in fixed point these are the same
 * in whatever order and on however many ranks they are made. */
#include <math.h>
#include <string.h>

#include "engine/merge/merging.h"
#include "engine/merge/partiality.h"
#include "engine/parallel/exchange.h"

#define BITS                                                                                                 \
  62 /* of the largest single value, which goes through an integer of 64; 2^64 of them fit into a sum */
#define LIMB      48 /* bits that ranks' sums are added up in */
#define LIMBS     3
#define LIMB_MASK ((G_GUINT64_CONSTANT (1) << LIMB) - 1)

__extension__ typedef __int128 Fixed;

/* w and I of a contribution: Σ w, Σ wI, and for the scatter Σ (wI)², Σ w²I, Σ w². */
enum
{
  WEIGHT,
  SUM,
  SQUARE,
  CROSS,
  WEIGHT2,
  N_SUMS
};

typedef struct
{
  Fixed sums[N_SUMS];
} Sums;

typedef struct
{
  double unit[N_SUMS]; /* powers of 2 that values are taken in */
  Sums *sums;          /* by number in the list */
  guint64 *count;
} Accumulator;

/* The exponent of the largest of all ranks' values. */
static int
exponent_over_ranks (FlParallel *parallel, double value)
{
  guint64 length;
  int exponent = 0;
  g_autofree double *all =
      (double *) (gpointer) fl_parallel_gather_all (parallel, &value, sizeof value, &length);
  for (guint i = 0; i < length / sizeof *all; i++)
    value = MAX (value, all[i]);
  frexp (value, &exponent);
  return exponent;
}

static void
find_units (const FlMergeSet *set, const FlUniqueList *list, double unit[N_SUMS])
{
  double most = 0, weight = 0, s[2] = { HUGE_VAL, 0 };
  for (guint u = 0; u < fl_unique_list_n (list); u++)
    {
      double d = (double) fl_unique_list_at (list, u)->d;
      s[0] = MIN (s[0], 1 / (2 * d * d));
      s[1] = MAX (s[1], 1 / (2 * d * d));
    }
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      if (lattice->reason != FL_MERGE_ACCEPTED)
        continue;
      for (guint end = 0; end < 2; end++)
        weight = MAX (weight, (double) lattice->scale * exp (-(double) lattice->b * s[end]));
      for (guint64 o = lattice->first; o < lattice->first + lattice->n; o++)
        most = MAX (most, fabs ((double) set->observations[o].intensity));
    }
  int w = exponent_over_ranks (set->parallel, weight), i = exponent_over_ranks (set->parallel, most);
  const int exponents[N_SUMS] = { w, i, 2 * i, w + i, 2 * w };
  for (guint k = 0; k < N_SUMS; k++)
    unit[k] = ldexp (1, exponents[k] - BITS);
}

static void
accumulate (const FlMergeSet *set, const FlUniqueList *list, Accumulator *to)
{
  double inverse[N_SUMS];
  for (guint k = 0; k < N_SUMS; k++)
    inverse[k] = 1 / to->unit[k];
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      for (guint64 o = lattice->first; o < lattice->first + lattice->n; o++)
        {
          const FlObservation *at = &set->observations[o];
          FlContribution c;
          if (at->unique == FL_UNIQUE_NONE
              || !fl_merge_contribution (lattice, at, (double) fl_unique_list_at (list, at->unique)->d, &c))
            continue;
          double w = (double) c.weight, sum = w * (double) c.intensity;
          const double values[N_SUMS] = { w, sum, sum * sum, w * sum, w * w };
          for (guint k = 0; k < N_SUMS; k++)
            to->sums[at->unique].sums[k] += (gint64) (values[k] * inverse[k]);
          to->count[at->unique]++;
        }
    }
}

static void
sum_over_ranks (FlParallel *parallel, Accumulator *of, guint n)
{
  Fixed *values = (Fixed *) (gpointer) of->sums;
  gsize total = (gsize) n * N_SUMS;
  fl_parallel_sum_u64 (parallel, of->count, n);
  g_autofree guint64 *limb = g_new (guint64, total + 1);
  g_autofree Fixed *sum = g_new0 (Fixed, total + 1);
  for (guint k = 0; k < LIMBS; k++)
    {
      for (gsize i = 0; i < total; i++)
        limb[i] = (guint64) (values[i] >> (k * LIMB)) & (k < LIMBS - 1 ? LIMB_MASK : G_MAXUINT64);
      fl_parallel_sum_u64 (parallel, limb, (guint) total);
      for (gsize i = 0; i < total; i++)
        sum[i] += (k < LIMBS - 1 ? (Fixed) limb[i] : (Fixed) (gint64) limb[i]) * ((Fixed) 1 << (k * LIMB));
    }
  memcpy (values, sum, total * sizeof *values);
}

static void
fill (FlMergeReference *reference, guint32 unique, const Accumulator *from)
{
  double s[N_SUMS], n = (double) from->count[unique];
  for (guint k = 0; k < N_SUMS; k++)
    s[k] = (double) from->sums[unique].sums[k] * from->unit[k];
  double mean = s[SUM] / s[WEIGHT];
  double scatter = MAX (s[SQUARE] - 2 * mean * s[CROSS] + mean * mean * s[WEIGHT2], 0);
  reference->intensity[unique] = (float) mean;
  reference->sigma[unique] = n > 1 ? (float) (sqrt (scatter * n / (n - 1)) / s[WEIGHT]) : (float) fabs (mean);
  reference->weight[unique] = (float) s[WEIGHT];
  reference->count[unique] = (guint32) n;
}

FlMergeReference *
fl_merging_reference (const FlMergeSet *set, const FlUniqueList *list, guint min_multiplicity)
{
  guint n = fl_unique_list_n (list);
  g_autofree Sums *sums = g_new0 (Sums, (gsize) n + 1);
  g_autofree guint64 *count = g_new0 (guint64, (gsize) n + 1);
  Accumulator accumulator = { .sums = sums, .count = count };
  FlMergeReference *reference = fl_merge_reference_new (n);
  find_units (set, list, accumulator.unit);
  accumulate (set, list, &accumulator);
  if (fl_parallel_ranks (set->parallel) > 1)
    sum_over_ranks (set->parallel, &accumulator, n);
  for (guint u = 0; u < n; u++)
    if (count[u] >= MAX (min_multiplicity, 1) && sums[u].sums[WEIGHT] > 0)
      fill (reference, u, &accumulator);
  return reference;
}
