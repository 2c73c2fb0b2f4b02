#include "engine/merge/ambiguity.h"

#include <stdlib.h>

#define BINS         20
#define STARTS       6
#define FIRST_GROWTH 8  /* lattices behind the mean after the first round; doubled in every other one */
#define MOST_ROUNDS  20 /* after all are in */
#define LEAST_COMMON 3
#define FIXED        1048576.0 /* sums over ranks are in steps of its inverse, so that their order does not count */

typedef struct
{
  FlMergeSet *set;
  const FlUniqueList *list;
  const FlReindexing *settings;
  guint n_settings; /* with the one as indexed */
  guint n_unique;
  double step;          /* of the bins, 1/Å² */
  double bins[BINS];    /* mean of I/lattice's mean */
  double *means;        /* of the lattices of this rank */
  guint64 *sum, *count; /* of the growing mean, over all ranks; `sum` signed, in fixed point */
  guint8 *in;           /* is the lattice behind the mean? */
  guint8 *chosen;       /* its setting */
  double *by_number;    /* of all lattices */
  const FlMergeStop *stop;
  gboolean stopped;
} Resolver;

static guint64
fixed (double value)
{
  return (guint64) (gint64) llround (value * FIXED);
}

static double
unfixed (guint64 value)
{
  return (double) (gint64) value / FIXED;
}

static gboolean
takes_part (const FlMergeLattice *lattice)
{
  return lattice->reason == FL_MERGE_ACCEPTED || lattice->reason >= FL_MERGE_FEW_COMMON;
}

static guint
bin_of (const Resolver *r, guint32 unique)
{
  double d = (double) fl_unique_list_at (r->list, unique)->d;
  return (guint) CLAMP (1 / (d * d) / r->step, 0, BINS - 1);
}

/* Number of the observation's reflection in a setting. */
static guint32
number_in (const Resolver *r, const FlObservation *o, guint setting)
{
  if ((o->flags & FL_OBSERVATION_SATURATED) != 0)
    return FL_UNIQUE_NONE;
  gboolean minus;
  return fl_merge_find (r->list, r->settings, setting, (FlMiller){ o->h, o->k, o->l }, &minus);
}

/* Amplitude free of scale and of the fall with resolution, so that neither of them correlates. */
static double
amplitude (const Resolver *r, guint lattice, const FlObservation *o, guint32 unique)
{
  double mean = r->means[lattice] * r->bins[bin_of (r, unique)];
  return mean > 0 ? sqrt (CLAMP ((double) o->intensity / mean, 0, 16)) : 0;
}

static void
find_means (Resolver *r)
{
  double most = 0;
  for (guint u = 0; u < r->n_unique; u++)
    most = MAX (
        most, 1 / ((double) fl_unique_list_at (r->list, u)->d * (double) fl_unique_list_at (r->list, u)->d));
  r->step = most / BINS;
  guint64 sums[2 * BINS] = { 0 };
  for (guint i = 0; i < r->set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = fl_merge_set_lattice (r->set, i);
      double sum = 0;
      for (guint32 k = 0; k < lattice->n; k++)
        sum += (double) r->set->observations[lattice->first + k].intensity;
      r->means[i] = lattice->n > 0 ? sum / lattice->n : 0;
      if (!takes_part (lattice) || !(r->means[i] > 0))
        continue;
      for (guint32 k = 0; k < lattice->n; k++)
        {
          const FlObservation *o = &r->set->observations[lattice->first + k];
          guint32 unique = number_in (r, o, 0);
          if (unique == FL_UNIQUE_NONE)
            continue;
          guint bin = bin_of (r, unique);
          sums[2 * bin] += fixed (CLAMP ((double) o->intensity / r->means[i], -1000, 1000));
          sums[2 * bin + 1]++;
        }
    }
  fl_parallel_sum_u64 (r->set->parallel, sums, 2 * BINS);
  for (guint b = 0; b < BINS; b++)
    r->bins[b] = sums[2 * b + 1] > 0 ? unfixed (sums[2 * b]) / (double) sums[2 * b + 1] : 0;
}

/* Puts a lattice's observations into the mean, or takes them out (sign −1). */
static void
add (Resolver *r, guint i, int sign)
{
  const FlMergeLattice *lattice = fl_merge_set_lattice (r->set, i);
  for (guint32 k = 0; k < lattice->n; k++)
    {
      const FlObservation *o = &r->set->observations[lattice->first + k];
      guint32 unique = number_in (r, o, r->chosen[i]);
      if (unique == FL_UNIQUE_NONE)
        continue;
      r->sum[unique] += fixed (sign * amplitude (r, i, o, unique));
      r->count[unique] += (guint64) (gint64) sign;
    }
}

static void
find_sums (Resolver *r)
{
  for (guint u = 0; u < r->n_unique; u++)
    r->sum[u] = r->count[u] = 0;
  for (guint i = 0; i < r->set->lattices->len; i++)
    if (r->in[i])
      add (r, i, 1);
  fl_parallel_sum_u64 (r->set->parallel, r->sum, r->n_unique);
  fl_parallel_sum_u64 (r->set->parallel, r->count, r->n_unique);
}

/* With the mean, in one setting; 0 when there is too little in common. */
static double
correlate (const Resolver *r, guint i, guint setting, guint *common)
{
  const FlMergeLattice *lattice = fl_merge_set_lattice (r->set, i);
  double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (guint32 k = 0; k < lattice->n; k++)
    {
      const FlObservation *o = &r->set->observations[lattice->first + k];
      guint32 unique = number_in (r, o, setting);
      if (unique == FL_UNIQUE_NONE || r->count[unique] == 0)
        continue;
      double a = amplitude (r, i, o, unique), b = unfixed (r->sum[unique]) / (double) r->count[unique];
      n++;
      x += a;
      y += b;
      xx += a * a;
      xy += a * b;
      yy += b * b;
    }
  *common = (guint) n;
  double product = (n * xx - x * x) * (n * yy - y * y);
  return n >= LEAST_COMMON && product > 0 ? (n * xy - x * y) / sqrt (product) : 0;
}

/* The best setting against the others' mean, its correlation, and how well it is told from the next. */
static guint
judge (Resolver *r, guint i, double *best_cc, double *margin)
{
  double best = -2, second = -2;
  guint setting = 0, common = 0;
  if (r->in[i])
    add (r, i, -1);
  for (guint s = 0; s < r->n_settings; s++)
    {
      guint n;
      double cc = correlate (r, i, s, &n);
      second = MAX (second, MIN (cc, best));
      if (cc > best)
        {
          best = cc;
          setting = s;
          common = n;
        }
    }
  if (r->in[i])
    add (r, i, 1);
  *best_cc = best;
  *margin = (best - second) * sqrt ((double) common);
  return setting;
}

static int
compare_down (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x > y ? -1 : x < y;
}

/* What the `n`th largest of a value of each lattice is, over all ranks; `values` by lattice of this rank. */
static double
nth_largest (Resolver *r, const double *values, guint64 n, double *total)
{
  guint all = (guint) r->set->n_lattices;
  for (guint i = 0; i < all; i++)
    r->by_number[i] = 0;
  for (guint i = 0; i < r->set->lattices->len; i++)
    r->by_number[fl_merge_set_lattice (r->set, i)->number] = values[i];
  fl_parallel_sum_f64 (r->set->parallel, r->by_number, all);
  *total = 0;
  for (guint i = 0; i < all; i++)
    *total += r->by_number[i];
  qsort (r->by_number, all, sizeof *r->by_number, compare_down);
  return n > 0 && n <= all ? r->by_number[n - 1] : 0;
}

/* One round: all lattices against the mean; the `n` that are told apart best make the next. How many changed, over all ranks;
 * none when stopped. */
static guint64
advance (Resolver *r, guint64 n, double *score)
{
  guint mine = r->set->lattices->len;
  g_autofree double *margins = g_new0 (double, mine + 1), *ccs = g_new0 (double, mine + 1);
  g_autofree guint8 *next = g_new0 (guint8, mine + 1);
  guint64 changed = 0;
  r->stopped = r->stopped || (r->stop != NULL && r->stop->asked (r->stop->data));
  if (r->stopped)
    return 0;
  find_sums (r);
  for (guint i = 0; i < mine; i++)
    if (takes_part (fl_merge_set_lattice (r->set, i)))
      next[i] = (guint8) judge (r, i, &ccs[i], &margins[i]);
  double unused, least = nth_largest (r, margins, n, &unused);
  nth_largest (r, ccs, 0, score);
  for (guint i = 0; i < mine; i++)
    {
      guint8 in = takes_part (fl_merge_set_lattice (r->set, i)) && margins[i] >= least;
      changed += in != r->in[i] || next[i] != r->chosen[i];
      r->in[i] = in;
      r->chosen[i] = next[i];
    }
  fl_parallel_sum_u64 (r->set->parallel, &changed, 1);
  return changed;
}

/* Grows a mean from one lattice; how consistent all is at the end. */
static double
grow (Resolver *r, guint32 seed)
{
  double score = 0;
  for (guint i = 0; i < r->set->lattices->len; i++)
    {
      r->in[i] = fl_merge_set_lattice (r->set, i)->number == seed;
      r->chosen[i] = 0;
    }
  for (guint64 n = FIRST_GROWTH; n < r->set->n_lattices; n *= 2)
    advance (r, n, &score);
  for (guint round = 0; round < MOST_ROUNDS && advance (r, r->set->n_lattices, &score) > 0; round++)
    ;
  return score;
}

typedef struct
{
  double n;
  guint32 number;
} Seed;

static int
compare_seeds (const void *a, const void *b)
{
  const Seed *x = a, *y = b;
  if (x->n < y->n || x->n > y->n)
    return x->n > y->n ? -1 : 1;
  return x->number < y->number ? -1 : x->number > y->number;
}

/* The lattices with most reflections. */
static guint
find_seeds (Resolver *r, guint32 numbers[STARTS])
{
  guint all = (guint) r->set->n_lattices, n = 0;
  for (guint i = 0; i < all; i++)
    r->by_number[i] = 0;
  for (guint i = 0; i < r->set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = fl_merge_set_lattice (r->set, i);
      r->by_number[lattice->number] = takes_part (lattice) ? (double) lattice->n : 0;
    }
  fl_parallel_sum_f64 (r->set->parallel, r->by_number, all);
  g_autofree Seed *seeds = g_new (Seed, all + 1);
  for (guint i = 0; i < all; i++)
    seeds[i] = (Seed){ r->by_number[i], i };
  if (all > 1)
    qsort (seeds, all, sizeof *seeds, compare_seeds);
  for (; n < MIN (all, STARTS) && seeds[n].n > 0; n++)
    numbers[n] = seeds[n].number;
  return n;
}

static void
resolve_alone (Resolver *r)
{
  guint32 seeds[STARTS];
  guint n = find_seeds (r, seeds), mine = r->set->lattices->len;
  g_autofree guint8 *best = g_new0 (guint8, mine + 1);
  double best_score = -INFINITY;
  for (guint s = 0; s < n; s++)
    {
      double score = grow (r, seeds[s]);
      for (guint i = 0; i < mine && score > best_score; i++)
        best[i] = r->chosen[i];
      best_score = MAX (score, best_score);
    }
  for (guint i = 0; i < mine; i++)
    r->chosen[i] = best[i];
}

/* The reference in the place of the mean, as amplitudes like those of lattices. */
static void
resolve_against (Resolver *r, const FlMergeReference *reference)
{
  double sums[BINS] = { 0 }, counts[BINS] = { 0 }, unused;
  for (int pass = 0; pass < 2; pass++)
    for (guint u = 0; u < MIN (reference->n, r->n_unique); u++)
      {
        double intensity = (double) reference->intensity[u];
        guint bin = bin_of (r, u);
        if (!isfinite (intensity))
          continue;
        if (pass == 0)
          {
            sums[bin] += intensity;
            counts[bin]++;
          }
        else if (sums[bin] > 0)
          {
            r->sum[u] = fixed (sqrt (CLAMP (intensity * counts[bin] / sums[bin], 0, 16)));
            r->count[u] = 1;
          }
      }
  for (guint i = 0; i < r->set->lattices->len; i++)
    if (takes_part (fl_merge_set_lattice (r->set, i)))
      r->chosen[i] = (guint8) judge (r, i, &unused, &unused);
}

gboolean
fl_merge_resolve (FlMergeSet *set, const FlUniqueList *list, const FlReindexing *settings, guint n_settings,
                  const FlMergeReference *reference, const FlMergeStop *stop, guint64 *changed)
{
  guint n = fl_unique_list_n (list), mine = set->lattices->len;
  *changed = 0;
  if (n_settings == 0 || n == 0)
    return TRUE;
  g_autofree double *means = g_new0 (double, mine + 1), *by_number = g_new (double, set->n_lattices + 1);
  g_autofree guint64 *sum = g_new0 (guint64, n), *count = g_new0 (guint64, n);
  g_autofree guint8 *in = g_new0 (guint8, mine + 1), *chosen = g_new0 (guint8, mine + 1);
  Resolver r = { .set = set,
                 .list = list,
                 .settings = settings,
                 .n_settings = n_settings + 1,
                 .n_unique = n,
                 .means = means,
                 .sum = sum,
                 .count = count,
                 .in = in,
                 .chosen = chosen,
                 .by_number = by_number,
                 .stop = stop };
  find_means (&r);
  if (reference != NULL)
    resolve_against (&r, reference);
  else
    resolve_alone (&r);
  if (r.stopped)
    return FALSE;
  for (guint i = 0; i < mine; i++)
    {
      FlMergeLattice *lattice = fl_merge_set_lattice (set, i);
      lattice->setting = chosen[i];
      *changed += takes_part (lattice) && chosen[i] != 0;
    }
  fl_parallel_sum_u64 (set->parallel, changed, 1);
  fl_merge_set_index (set, list, settings);
  return TRUE;
}
