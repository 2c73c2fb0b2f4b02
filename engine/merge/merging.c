#include "engine/merge/merging.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/merge/group.h"
#include "engine/parallel/exchange.h"

#define MAD_TO_SIGMA    1.4826 /* of a normal distribution */
#define OUTLIER_LEAST_N 5      /* with fewer, a median means little */

/* Means that are kept of a reflection: all, half 0 and 1, then with Bijvoet mates + and −, those of half 0, those of half 1. */
#define N_MEANS       3
#define N_MEANS_MATES 9

typedef struct
{
  guint32 unique, outliers;
  FlMerged means[N_MEANS_MATES];
} FinalRecord;

struct FlMerger
{
  FlMergingOptions options;
  guint64 limit;
  GArray *records; /* FinalRecord */
  GArray *buffer;  /* double, for medians */
};

FlMerger *
fl_merger_new (const FlMergingOptions *options, guint64 limit)
{
  FlMerger *self = g_new (FlMerger, 1);
  *self = (FlMerger){ *options, limit, g_array_new (FALSE, FALSE, sizeof (FinalRecord)),
                      g_array_new (FALSE, FALSE, sizeof (double)) };
  return self;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare_doubles);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

typedef struct
{
  double weight, sum;
  guint n;
} Sum;

static void
add (Sum *s, double intensity, double w)
{
  s->weight += w;
  s->sum += w * intensity;
  s->n++;
}

static FlMerged
mean_of (const Sum *s, guint least)
{
  if (s->n < MAX (least, 1))
    return (FlMerged){ NAN, NAN, 0 };
  return (FlMerged){ (float) (s->sum / s->weight), (float) (1 / sqrt (s->weight)), s->n };
}

/* The centre and the robust standard deviation; infinite where outliers are not looked for. */
static void
spread (FlMerger *self, const FlContribution *c, guint n, double *centre, double *deviation)
{
  *centre = 0;
  *deviation = INFINITY;
  if (self->options.outlier <= 0 || n < OUTLIER_LEAST_N)
    return;
  g_array_set_size (self->buffer, n);
  double *values = (double *) (gpointer) self->buffer->data;
  for (guint i = 0; i < n; i++)
    values[i] = (double) c[i].intensity;
  *centre = median (values, n);
  for (guint i = 0; i < n; i++)
    values[i] = fabs ((double) c[i].intensity - *centre);
  *deviation = MAD_TO_SIGMA * median (values, n);
}

void
fl_merger_add (FlMerger *self, guint32 unique, const FlContribution *c, guint n)
{
  Sum sums[N_MEANS_MATES] = { 0 };
  double mean = 0, weights = 0, centre, deviation;
  FinalRecord record = { .unique = unique };
  while (n > 0 && c[n - 1].lattice >= self->limit)
    n--;
  spread (self, c, n, &centre, &deviation);
  for (guint i = 0; i < n; i++)
    {
      mean += (double) c[i].weight * (double) c[i].intensity;
      weights += (double) c[i].weight;
    }
  mean /= weights;
  for (guint i = 0; i < n; i++)
    {
      double intensity = (double) c[i].intensity;
      double sigma = fl_error_model_sigma (&self->options.error_model, (double) c[i].sigma, mean,
                                           (double) c[i].correlation);
      guint half = c[i].half & 1, minus = c[i].minus ? 1 : 0;
      /* One that is uncertain may well be far. */
      if (fabs (intensity - centre) > self->options.outlier * MAX (deviation, sigma))
        {
          record.outliers++;
          continue;
        }
      if (!(sigma > 0))
        continue;
      double weight = c[i].share / (G_MAXUINT16 * sigma * sigma);
      add (&sums[0], intensity, weight);
      add (&sums[1 + half], intensity, weight);
      add (&sums[3 + minus], intensity, weight);
      add (&sums[5 + 2 * half + minus], intensity, weight);
    }
  for (guint i = 0; i < N_MEANS_MATES; i++)
    record.means[i] = mean_of (&sums[i], i < N_MEANS ? self->options.min_multiplicity : 1);
  if (sums[0].n > 0 || record.outliers > 0)
    g_array_append_val (self->records, record);
}

static FlMerged *
new_means (guint n)
{
  FlMerged *means = g_new (FlMerged, n);
  for (guint i = 0; i < n; i++)
    means[i] = (FlMerged){ NAN, NAN, 0 };
  return means;
}

/* Its arrays in the order of FinalRecord.means. */
static guint
list_means (FlMergeResult *result, FlMerged **to[N_MEANS_MATES], gboolean mates)
{
  FlMerged **all[N_MEANS_MATES] = {
    &result->all,
    &result->half[0],
    &result->half[1],
    &result->mate[0],
    &result->mate[1],
    &result->half_mate[0][0],
    &result->half_mate[0][1],
    &result->half_mate[1][0],
    &result->half_mate[1][1],
  };
  memcpy (to, all, sizeof all);
  return mates ? N_MEANS_MATES : N_MEANS;
}

static guint64
count_lattices (const FlMergeSet *set, guint64 limit)
{
  guint64 n = 0;
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      n += lattice->reason == FL_MERGE_ACCEPTED && lattice->number < limit;
    }
  fl_parallel_sum_u64 (set->parallel, &n, 1);
  return n;
}

FlMergeResult *
fl_merger_finish (FlMerger *self, const FlMergeSet *set, guint n_unique)
{
  FlMergeResult *result = g_new0 (FlMergeResult, 1);
  FlMerged **means[N_MEANS_MATES];
  guint n_means = list_means (result, means, self->options.anomalous);
  guint64 length;
  result->n = n_unique;
  for (guint i = 0; i < n_means; i++)
    *means[i] = new_means (n_unique);
  g_autofree FinalRecord *all = (FinalRecord *) fl_parallel_gather_all (
      set->parallel, self->records->data, (guint64) self->records->len * sizeof (FinalRecord), &length);
  for (guint64 r = 0; r < length / sizeof *all; r++)
    {
      for (guint i = 0; i < n_means; i++)
        (*means[i])[all[r].unique] = all[r].means[i];
      result->observations += all[r].means[0].n;
      result->outliers += all[r].outliers;
    }
  result->lattices = count_lattices (set, self->limit);
  g_array_unref (self->records);
  g_array_unref (self->buffer);
  g_free (self);
  return result;
}

static void
merge_final (guint32 unique, FlContribution *contributions, guint n, gpointer data)
{
  fl_merger_add (data, unique, contributions, n);
}

FlMergeResult *
fl_merging_final (const FlMergeSet *set, const FlUniqueList *list, const FlMergingOptions *options,
                  gsize memory)
{
  FlMerger *merger = fl_merger_new (options, G_MAXUINT64);
  fl_merge_group (set, list, memory, merge_final, merger);
  return fl_merger_finish (merger, set, fl_unique_list_n (list));
}

void
fl_merge_result_free (FlMergeResult *result)
{
  FlMerged **means[N_MEANS_MATES];
  if (result == NULL)
    return;
  list_means (result, means, TRUE);
  for (guint i = 0; i < N_MEANS_MATES; i++)
    g_free (*means[i]);
  g_free (result);
}
