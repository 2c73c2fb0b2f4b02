#include "engine/merge/error-model.h"

#include <math.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/merge/group.h"
#include "engine/merge/simplex.h"
#include "engine/parallel/exchange.h"

#define SAMPLES_MOST      (1u << 18) /* that a fit looks at: parameters to a few parts in a thousand */
#define SAMPLES_EACH      100        /* of a reflection */
#define LEAST_N           3          /* observations of a reflection that is looked at */
#define LEAST_OTHERS      1e-3       /* of the weight, or the mean is the observation itself */
#define REFLECTIONS_LEAST 100
#define SEED              50298
#define N_BINS            100
#define TAIL              0.005 /* of the reflections, at either end, outside the bins */
#define NU                10.0  /* Student's t */
#define MOST_U            1e20  /* so that its 11th power is a number */
/* Student's likelihood calls the width of its core σ. This makes σ the standard deviation of normal errors: 1/s with
 * ⟨(ν + 1) u²/(ν s² + u²)⟩ = 1 for normal u. */
#define STUDENT_TO_NORMAL 1.08976
#define TOLERANCE         1e-8 /* of the loss, which is flat at its least: parameters to 1e-4 */
#define EVALUATIONS       1500
#define RESTARTS          3

static const char *const names[] = { "none", "ev11", "mm24" };

/* ev11: an observation and the mean; mm24: two observations. */
typedef struct
{
  guint32 unique;
  float mean, difference; /* ⟨I⟩; ev11's free of the observation's own part in it */
  float variance[2], correlation[2];
} Sample;

typedef struct
{
  const FlUniqueList *list;
  FlErrorModelKind kind;
  guint each;        /* samples of a reflection, at most */
  guint64 threshold; /* reflections whose hash is greater are passed over */
  GArray *samples;
} Sampler;

typedef struct
{
  FlErrorModelKind kind;
  const Sample *samples;
  const guint16 *bins; /* of each sample; N_BINS: none */
  guint64 n;
  double pairs[N_BINS], reflections[N_BINS];
} Fit;

const char *
fl_error_model_name (FlErrorModelKind kind)
{
  return names[kind];
}

FlErrorModelKind
fl_error_model_kind (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (name, names[i]) == 0)
      return (FlErrorModelKind) i;
  return FL_ERROR_MODEL_NONE;
}

static inline double
variance (const FlErrorModel *m, double counting, double mean, double correlation)
{
  double i = MAX (mean, 0), cc = isfinite (correlation) ? correlation : 0;
  switch (m->kind)
    {
    case FL_ERROR_MODEL_EV11:
      return m->sfac * m->sfac * (counting + m->sb * m->sb * i + m->sadd[0] * m->sadd[0] * i * i);
    case FL_ERROR_MODEL_MM24:
      {
        double s2 = m->sadd[0] * m->sadd[0] * exp (-m->sadd[1] * cc) + m->sadd[2] * m->sadd[2];
        return m->sfac * m->sfac * (counting + s2 * i * i);
      }
    case FL_ERROR_MODEL_NONE:
    default:
      return counting;
    }
}

double
fl_error_model_sigma (const FlErrorModel *model, double sigma, double mean, double correlation)
{
  return sqrt (variance (model, sigma * sigma, mean, correlation));
}

/* --- what is looked at --- */

static void
take_pair (const Sampler *s, guint32 unique, double mean, const FlContribution *a, const FlContribution *b)
{
  Sample sample = { .unique = unique,
                    .mean = (float) mean,
                    .difference = a->intensity - b->intensity,
                    .variance = { a->sigma * a->sigma, b->sigma * b->sigma },
                    .correlation = { a->correlation, b->correlation } };
  if (a->sigma > 0 && b->sigma > 0)
    g_array_append_val (s->samples, sample);
}

/* √((n − 1)/n) of the difference to the others' mean, where n, of observations that count alike, is Σw/w. */
static void
take_one (const Sampler *s, guint32 unique, double mean, double weights, const FlContribution *a)
{
  double others = weights - (double) a->weight;
  Sample sample = { .unique = unique,
                    .mean = (float) mean,
                    .difference = (float) (sqrt (weights / others) * ((double) a->intensity - mean)),
                    .variance = { a->sigma * a->sigma },
                    .correlation = { a->correlation } };
  if (a->sigma > 0 && others > LEAST_OTHERS * weights)
    g_array_append_val (s->samples, sample);
}

/* All of a reflection's pairs, or so many drawn by its indices. */
static void
sample_reflection (guint32 unique, FlContribution *c, guint n, gpointer data)
{
  const Sampler *s = data;
  const FlUnique *u = fl_unique_list_at (s->list, unique);
  int hkl[3] = { u->hkl.h, u->hkl.k, u->hkl.l };
  FlRandom random = fl_random (fl_hash64 (hkl, sizeof hkl, SEED));
  double mean = 0, weights = 0;
  if (n < LEAST_N || fl_random_u64 (&random) > s->threshold)
    return;
  for (guint i = 0; i < n; i++)
    {
      mean += (double) c[i].weight * (double) c[i].intensity;
      weights += (double) c[i].weight;
    }
  mean /= weights;
  gboolean pairs = s->kind == FL_ERROR_MODEL_MM24;
  guint64 there = pairs ? (guint64) n * (n - 1) / 2 : n;
  if (there <= s->each)
    {
      for (guint i = 0; i < n; i++)
        if (!pairs)
          take_one (s, unique, mean, weights, &c[i]);
        else
          for (guint j = 0; j < i; j++)
            take_pair (s, unique, mean, &c[i], &c[j]);
      return;
    }
  for (guint k = 0; k < s->each; k++)
    {
      guint i = (guint) (fl_random_u64 (&random) % n), j = (guint) (fl_random_u64 (&random) % (n - 1));
      if (pairs)
        take_pair (s, unique, mean, &c[i], &c[j + (j >= i)]);
      else
        take_one (s, unique, mean, weights, &c[i]);
    }
}

static int
by_unique (const void *a, const void *b, gpointer data)
{
  const Sample *x = a, *y = b;
  (void) data;
  return (x->unique > y->unique) - (x->unique < y->unique);
}

/* The same on every rank, whatever their number. */
static Sample *
collect (FlErrorModelKind kind, const FlMergeSet *set, const FlUniqueList *list, gsize memory, guint64 *n)
{
  guint n_unique = MAX (fl_unique_list_n (list), 1);
  g_autoptr (GArray) samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  double share = MIN (1.0, (double) SAMPLES_MOST / n_unique);
  Sampler sampler = { list, kind, CLAMP (SAMPLES_MOST / n_unique, 1, SAMPLES_EACH),
                      share < 1 ? (guint64) (share * 0x1p64) : G_MAXUINT64, samples };
  guint64 length;
  fl_merge_group (set, list, memory, sample_reflection, &sampler);
  Sample *all = (Sample *) fl_parallel_gather_all (set->parallel, samples->data,
                                                   (guint64) samples->len * sizeof (Sample), &length);
  *n = length / sizeof *all;
  g_qsort_with_data (all, (gint) *n, sizeof *all, by_unique, NULL); /* stable */
  return all;
}

/* --- the fit --- */

static int
compare_floats (const void *a, const void *b, gpointer data)
{
  float x = *(const float *) a, y = *(const float *) b;
  (void) data;
  return (x > y) - (x < y);
}

/* Bins of equal width in ⟨I⟩. FALSE: too few reflections. */
static gboolean
fill_bins (Fit *fit, guint16 *bins)
{
  g_autoptr (GArray) means = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint64 i = 0; i < fit->n; i++)
    if (i == 0 || fit->samples[i].unique != fit->samples[i - 1].unique)
      g_array_append_val (means, fit->samples[i].mean);
  if (means->len < REFLECTIONS_LEAST)
    return FALSE;
  g_qsort_with_data (means->data, (gint) means->len, sizeof (float), compare_floats, NULL);
  guint tail = (guint) (TAIL * means->len);
  double low = (double) g_array_index (means, float, tail);
  double high = (double) g_array_index (means, float, means->len - 1 - tail);
  for (guint64 i = 0; i < fit->n; i++)
    {
      double place = N_BINS * ((double) fit->samples[i].mean - low) / (high - low);
      bins[i] = place >= 0 && place <= N_BINS ? (guint16) MIN (place, N_BINS - 1) : N_BINS;
      if (bins[i] == N_BINS)
        continue;
      fit->pairs[bins[i]]++;
      fit->reflections[bins[i]] += i == 0 || fit->samples[i].unique != fit->samples[i - 1].unique;
    }
  return high > low;
}

static FlErrorModel
model_of (FlErrorModelKind kind, const double *x)
{
  if (kind == FL_ERROR_MODEL_EV11)
    return (FlErrorModel){ kind, fabs (x[0]), { fabs (x[1]) }, fabs (x[2]) };
  return (FlErrorModel){ kind, fabs (x[0]), { fabs (x[1]), fabs (x[2]), fabs (x[3]) }, 0 };
}

/* Σ over bins of √N (1 − √⟨δ²⟩)² */
static double
loss_ev11 (const double *x, gpointer data)
{
  const Fit *fit = data;
  FlErrorModel m = model_of (fit->kind, x);
  double sums[N_BINS + 1] = { 0 }, loss = 0;
  for (guint64 i = 0; i < fit->n; i++)
    {
      const Sample *s = &fit->samples[i];
      sums[fit->bins[i]] +=
          (double) s->difference * (double) s->difference
          / variance (&m, (double) s->variance[0], (double) s->mean, (double) s->correlation[0]);
    }
  for (guint b = 0; b < N_BINS; b++)
    if (fit->pairs[b] > 0)
      loss += sqrt (fit->pairs[b]) * pow (1 - sqrt (sums[b] / fit->pairs[b]), 2);
  return loss;
}

/* Minus the logarithm of Student's likelihood of the pairs; a bin counts as the root of its reflections. */
static double
loss_mm24 (const double *x, gpointer data)
{
  const Fit *fit = data;
  FlErrorModel m = model_of (fit->kind, x);
  double sums[N_BINS + 1] = { 0 }, loss = 0;
  for (guint64 i = 0; i < fit->n; i++)
    {
      const Sample *s = &fit->samples[i];
      double v = variance (&m, (double) s->variance[0], (double) s->mean, (double) s->correlation[0])
                 + variance (&m, (double) s->variance[1], (double) s->mean, (double) s->correlation[1]);
      double u = 1 + MIN ((double) s->difference * (double) s->difference / (NU * v), MOST_U), u2 = u * u;
      double u10 = u2 * u2 * u2 * u2 * u2;
      sums[fit->bins[i]] += log (v * u10 * u) / 2; /* one logarithm: ν + 1 is 11 */
    }
  for (guint b = 0; b < N_BINS; b++)
    if (fit->pairs[b] > 0)
      loss += sqrt (fit->reflections[b]) * sums[b] / fit->pairs[b];
  return loss;
}

static FlErrorModel
minimise (Fit *fit)
{
  gboolean ev11 = fit->kind == FL_ERROR_MODEL_EV11;
  double counting = 0, intensity = 0, steps[4] = { 0.5, 0.3, 2, 0.1 };
  for (guint64 i = 0; i < fit->n; i++)
    {
      counting += (double) fit->samples[i].variance[0];
      intensity += MAX ((double) fit->samples[i].mean, 0);
    }
  double x[4] = { 1, 0.1, 2, 0.1 };
  if (ev11 && intensity > 0)
    x[2] = steps[2] = sqrt (counting / intensity) / 2;
  /* A simplex can collapse where it should not: it begins anew from where it got to. */
  for (guint i = 0; i < RESTARTS; i++)
    fl_simplex_minimise (ev11 ? loss_ev11 : loss_mm24, fit, ev11 ? 3 : 4, x, steps, TOLERANCE, EVALUATIONS);
  FlErrorModel model = model_of (fit->kind, x);
  model.sfac *= ev11 ? 1 : STUDENT_TO_NORMAL;
  return model;
}

FlErrorModel
fl_error_model_fit (FlErrorModelKind kind, const FlMergeSet *set, const FlUniqueList *list, gsize memory)
{
  FlErrorModel none = { FL_ERROR_MODEL_NONE, 1, { 0 }, 0 };
  Fit fit = { .kind = kind };
  if (kind == FL_ERROR_MODEL_NONE)
    return none;
  g_autofree Sample *samples = collect (kind, set, list, memory, &fit.n);
  g_autofree guint16 *bins = g_new (guint16, fit.n + 1);
  fit.samples = samples;
  fit.bins = bins;
  /* One rank works, the others sleep: they may share its cores. */
  gboolean mine = fl_parallel_rank (set->parallel) == 0;
  FlErrorModel model = mine && fill_bins (&fit, bins) ? minimise (&fit) : none;
  guint64 length;
  g_autofree FlErrorModel *shared =
      (FlErrorModel *) fl_parallel_gather_all (set->parallel, &model, mine ? sizeof model : 0, &length);
  return *shared;
}
