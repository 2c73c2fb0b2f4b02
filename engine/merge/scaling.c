#include "engine/merge/scaling.h"

#include <stdlib.h>

#include "engine/merge/partiality.h"
#include "engine/merge/scaling-fit.h"

#define LEAST_COMMON 3
#define LEAST_OTHERS 1e-4 /* of the weight, or what is left is the difference of equal sums */
#define STEP         0.7  /* of the way to where the fit is best */

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
  set->width = factor * median_over_ranks (set, inverse_domain);
  set->width_slope = factor * median_over_ranks (set, mosaicity);
  for (guint i = 0; i < set->lattices->len; i++)
    {
      FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      lattice->scale = 1;
      lattice->b = 0;
      lattice->rotation[0] = lattice->rotation[1] = lattice->rotation[2] = 0;
      lattice->width = (float) set->width;
      lattice->width_slope = (float) set->width_slope;
      lattice->correlation = NAN;
      lattice->common = 0;
    }
}

/* What the lattice itself has given to a reflection of the reference. */
typedef struct
{
  double weight, sum; /* of weight times intensity */
  guint32 n;
} Own;

/* The reference as it would be without the lattice; NaN where there is none. */
static double
without (const FlMergeReference *reference, guint32 unique, const Own *own)
{
  double intensity = (double) reference->intensity[unique], weight = (double) reference->weight[unique];
  if (own->n == 0 || isnan (weight))
    return reference->count[unique] > 0 ? intensity : (double) NAN;
  double others = weight - own->weight;
  if (reference->count[unique] <= own->n || !(others > LEAST_OTHERS * weight))
    return (double) NAN;
  return (intensity * weight - own->sum) / others;
}

/* `own`: zeros, by number in the list; zeros again afterwards. */
static void
collect (const FlMergeSet *set, const FlMergeLattice *lattice, const FlUniqueList *list,
         const FlMergeReference *reference, Own *own, GArray *rows)
{
  FlMergeLattice accepted = *lattice; /* one that was rejected may come back */
  accepted.reason = FL_MERGE_ACCEPTED;
  g_array_set_size (rows, 0);
  for (guint64 o = lattice->first; o < lattice->first + lattice->n; o++)
    {
      const FlObservation *at = &set->observations[o];
      FlContribution c;
      if (at->unique >= reference->n)
        continue;
      FlScalingRow row = { .observation = at, .d = (double) fl_unique_list_at (list, at->unique)->d };
      if (!fl_merge_contribution (&accepted, at, row.d, &c))
        continue;
      row.share = c.share / (double) G_MAXUINT16;
      g_array_append_val (rows, row);
      if (lattice->reason != FL_MERGE_ACCEPTED)
        continue;
      own[at->unique].weight += (double) c.weight;
      own[at->unique].sum += (double) c.weight * (double) c.intensity;
      own[at->unique].n++;
    }
  FlScalingRow *row = (FlScalingRow *) (gpointer) rows->data;
  guint n = 0;
  for (guint i = 0; i < rows->len; i++)
    {
      row[n] = row[i];
      row[n].reference = without (reference, row[i].observation->unique, &own[row[i].observation->unique]);
      n += isfinite (row[n].reference);
    }
  for (guint64 o = lattice->first; o < lattice->first + lattice->n; o++)
    if (set->observations[o].unique < reference->n)
      own[set->observations[o].unique] = (Own){ 0 };
  g_array_set_size (rows, n);
}

static float
between (float from, float to)
{
  return from + (float) STEP * (to - from);
}

static float
between_logarithms (float from, float to)
{
  return from > 0 && to > 0 ? (float) (pow ((double) from, 1 - STEP) * pow ((double) to, STEP)) : to;
}

/* Two lattices that share a reflection each go to where the other was, cycle by cycle, unless they go a part of the way. */
static void
damp (FlMergeLattice *lattice, const FlMergeLattice *before)
{
  lattice->scale = between_logarithms (before->scale, lattice->scale);
  lattice->width = between_logarithms (before->width, lattice->width);
  lattice->width_slope = between_logarithms (before->width_slope, lattice->width_slope);
  lattice->b = between (before->b, lattice->b);
  for (int i = 0; i < 3; i++)
    lattice->rotation[i] = between (before->rotation[i], lattice->rotation[i]);
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
  if (!isnan (before.correlation))
    damp (lattice, &before);
  lattice->correlation = (float) fl_scaling_correlation (lattice, row, rows->len);
  if (options->min_cc > -1 && !((double) lattice->correlation >= options->min_cc))
    return FL_MERGE_CORRELATION;
  double most_b = options->most_b > 0 ? options->most_b : 150;
  return fabs ((double) lattice->b) > most_b ? FL_MERGE_SCALE : FL_MERGE_ACCEPTED;
}

static double
accepted_fall (const FlMergeLattice *lattice)
{
  return lattice->reason == FL_MERGE_ACCEPTED ? exp ((double) lattice->b / 100) : 0;
}

/* A reference made of the lattices is, like them, only known up to a scale and a B factor: the median lattice has scale 1 and B 0. */
static void
normalise (FlMergeSet *set, gboolean b, double most)
{
  double middle = median_over_ranks (set, accepted_scale);
  double fall = b ? median_over_ranks (set, accepted_fall) : 0;
  for (guint i = 0; i < set->lattices->len && middle > 0; i++)
    {
      FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      double scale = (double) lattice->scale / middle;
      lattice->scale = (float) scale;
      lattice->b -= fall > 0 ? (float) (100 * log (fall)) : 0;
      if (lattice->reason == FL_MERGE_ACCEPTED && !(scale < most && scale > 1 / most))
        lattice->reason = FL_MERGE_SCALE;
    }
}

void
fl_merge_scale (FlMergeSet *set, const FlUniqueList *list, const FlMergeReference *reference,
                const FlScalingOptions *options)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlScalingRow));
  g_autofree Own *own = g_new0 (Own, (gsize) fl_unique_list_n (list) + 1);
  FlScalingOptions drawn = *options;
  drawn.width_centre = set->width + set->width_slope;
  for (guint i = 0; i < set->lattices->len; i++)
    {
      FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      if (lattice->reason != FL_MERGE_ACCEPTED && lattice->reason < FL_MERGE_FEW_COMMON)
        continue;
      collect (set, lattice, list, reference, own, rows);
      lattice->reason = (guint8) scale_one (lattice, rows, &drawn);
    }
  normalise (set, options->b && !options->fall_known, options->most_scale > 0 ? options->most_scale : 1000);
}
