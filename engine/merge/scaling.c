#include "engine/merge/scaling.h"

#include <stdlib.h>

#include "engine/merge/partiality.h"
#include "engine/merge/scaling-fit.h"

#define LEAST_COMMON 3

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

/* Of what is more than 0 of one number of each lattice of this rank, over all ranks; 0 when nothing is. */
static double
median_over_ranks (FlMergeSet *set, double (*value) (const FlMergeLattice *lattice))
{
  g_autofree double *values = g_new0 (double, set->n_lattices + 1);
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      values[lattice->number] = value (lattice);
    }
  fl_parallel_sum_f64 (set->parallel, values, (guint) set->n_lattices);
  guint n = 0;
  for (guint64 i = 0; i < set->n_lattices; i++)
    if (values[i] > 0)
      values[n++] = values[i];
  if (n == 0)
    return 0;
  qsort (values, n, sizeof *values, compare);
  return values[n / 2];
}

static double
inverse_domain (const FlMergeLattice *lattice)
{
  return lattice->domain_size > 0 ? 1 / (double) lattice->domain_size : 0;
}

static double
mosaicity (const FlMergeLattice *lattice)
{
  return (double) lattice->mosaicity;
}

static double
accepted_scale (const FlMergeLattice *lattice)
{
  return lattice->reason == FL_MERGE_ACCEPTED ? (double) lattice->scale : 0;
}

void
fl_merge_scale_start (FlMergeSet *set, double factor)
{
  double width = factor * median_over_ranks (set, inverse_domain);
  double slope = factor * median_over_ranks (set, mosaicity);
  for (guint i = 0; i < set->lattices->len; i++)
    {
      FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      lattice->scale = 1;
      lattice->b = 0;
      lattice->rotation[0] = lattice->rotation[1] = lattice->rotation[2] = 0;
      lattice->width = (float) width;
      lattice->width_slope = (float) slope;
      lattice->correlation = NAN;
      lattice->common = 0;
    }
}

/* Has the reference more than single observations? Then those, which may be the lattice's own, are no standard for it. */
static guint32
least_count (const FlMergeReference *reference)
{
  for (guint i = 0; i < reference->n; i++)
    if (reference->count[i] > 1)
      return 2;
  return 1;
}

static void
collect (const FlMergeSet *set, const FlMergeLattice *lattice, const FlUniqueList *list,
         const FlMergeReference *reference, guint32 least, GArray *rows)
{
  g_array_set_size (rows, 0);
  for (guint64 o = lattice->first; o < lattice->first + lattice->n; o++)
    {
      const FlObservation *at = &set->observations[o];
      if (at->unique >= reference->n || (at->flags & FL_OBSERVATION_SATURATED) != 0
          || reference->count[at->unique] < least || !isfinite (reference->intensity[at->unique]))
        continue;
      FlScalingRow row = { .observation = at,
                           .reference = (double) reference->intensity[at->unique],
                           .d = (double) fl_unique_list_at (list, at->unique)->d };
      double p = fl_merge_partiality (lattice, fl_merge_excitation (lattice, at, NULL), row.d);
      if (p >= FL_PARTIALITY_LEAST)
        g_array_append_val (rows, row);
    }
}

static FlMergeReason
scale_one (FlMergeLattice *lattice, const GArray *rows, const FlScalingOptions *options)
{
  const FlScalingRow *row = (const FlScalingRow *) (void *) rows->data;
  FlMergeLattice before = *lattice;
  lattice->common = rows->len;
  lattice->correlation = NAN;
  if (rows->len < LEAST_COMMON)
    return FL_MERGE_FEW_COMMON;
  if (!fl_scaling_fit (lattice, row, rows->len, options))
    {
      lattice->correlation = (float) fl_scaling_correlation (&before, row, rows->len);
      lattice->scale = before.scale; /* a later cycle starts where this one did */
      lattice->b = before.b;
      lattice->width = before.width;
      lattice->width_slope = before.width_slope;
      for (int i = 0; i < 3; i++)
        lattice->rotation[i] = before.rotation[i];
      return lattice->correlation > 0 ? FL_MERGE_DIVERGED : FL_MERGE_CORRELATION;
    }
  lattice->correlation = (float) fl_scaling_correlation (lattice, row, rows->len);
  if (options->min_cc > -1 && !((double) lattice->correlation >= options->min_cc))
    return FL_MERGE_CORRELATION;
  double most_b = options->most_b > 0 ? options->most_b : 150;
  return fabs ((double) lattice->b) > most_b ? FL_MERGE_SCALE : FL_MERGE_ACCEPTED;
}

/* Reference and scales are only known up to a factor: the median lattice has scale 1. */
static void
normalise (FlMergeSet *set, double most)
{
  double middle = median_over_ranks (set, accepted_scale);
  for (guint i = 0; i < set->lattices->len && middle > 0; i++)
    {
      FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      double scale = (double) lattice->scale / middle;
      lattice->scale = (float) scale;
      if (lattice->reason == FL_MERGE_ACCEPTED && !(scale < most && scale > 1 / most))
        lattice->reason = FL_MERGE_SCALE;
    }
}

void
fl_merge_scale (FlMergeSet *set, const FlUniqueList *list, const FlMergeReference *reference,
                const FlScalingOptions *options)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlScalingRow));
  guint32 least = least_count (reference);
  for (guint i = 0; i < set->lattices->len; i++)
    {
      FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      if (lattice->reason != FL_MERGE_ACCEPTED && lattice->reason < FL_MERGE_FEW_COMMON)
        continue;
      collect (set, lattice, list, reference, least, rows);
      lattice->reason = (guint8) scale_one (lattice, rows, options);
    }
  normalise (set, options->most_scale > 0 ? options->most_scale : 1000);
}
