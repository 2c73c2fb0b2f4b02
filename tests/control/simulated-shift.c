#include "simulated-shift.h"

#include <math.h>
#include <string.h>

#define N_SUMS  (SHIFT_SUBSETS + 1) /* nested subsets, all first; the earlier version */
#define EARLIER SHIFT_SUBSETS
#define PI      3.14159265358979323846

static const float edges[SHIFT_SHELLS + 1] = { 30, 2.9F, 2.3F, 2 };

typedef struct
{
  double sum[2][2]; /* half, mate */
  guint32 n[2][2];
} Sums;

typedef struct
{
  guint64 state;
  guint n, least;      /* reflections (all shells), fewest observations that count */
  double *truth[2];    /* by mate */
  double *seen;        /* how easily */
  double *wrong[2][2]; /* half, mate: what no number of lattices mends */
  Sums *sums[N_SUMS];
  guint64 lattices[N_SUMS];
  double draws, noise, partial; /* per lattice; per observation */
} Shift;

static double
uniform (Shift *s)
{
  s->state += 0x9e3779b97f4a7c15U; /* splitmix64 */
  guint64 z = s->state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  z ^= z >> 31;
  return ((double) (z >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal (Shift *s)
{
  double u = uniform (s);
  return sqrt (-2 * log (u)) * cos (2 * PI * uniform (s));
}

static double
between (Shift *s, double low, double high)
{
  return low + (high - low) * uniform (s);
}

static guint
shell_of (const Shift *s, guint i)
{
  return i * SHIFT_SHELLS / s->n;
}

static void
make_truth (Shift *s, SimulatedShift *out)
{
  static const double falloff[SHIFT_SHELLS] = { 1, 0.45, 0.2 };
  double anomalous = between (s, 0.05, 0.3), hidden = uniform (s) < 0.3 ? between (s, 0, 0.1) : 0;
  double uneven = between (s, 0.3, 1.5);
  out->ceiling = uniform (s) < 1.0 / 3;
  double ceiling = out->ceiling ? between (s, 0.3, 0.95) : 1, wrong = sqrt (1 / ceiling - 1);
  for (guint i = 0; i < s->n; i++)
    {
      double mean = falloff[shell_of (s, i)], intensity = -mean * log (uniform (s));
      double difference = anomalous * intensity * normal (s);
      s->truth[0][i] = intensity + difference / 2;
      s->truth[1][i] = intensity - difference / 2;
      s->seen[i] = uniform (s) < hidden ? 0 : pow (uniform (s), uneven);
      for (guint half = 0; half < 2; half++)
        {
          double common = mean * wrong * normal (s);
          for (guint mate = 0; mate < 2; mate++)
            s->wrong[half][mate][i] = common + 0.5 * anomalous * mean * wrong * normal (s);
        }
    }
}

/* `into`: bits of the sums that it belongs to. */
static void
add_lattice (Shift *s, guint into)
{
  guint half = uniform (s) < 0.5;
  double scale = exp (0.25 * normal (s)), reach = uniform (s);
  guint shells = reach < 0.2 ? 1 : reach < 0.4 ? 2 : 3;
  guint draws = (guint) (s->draws * exp (0.5 * normal (s)));
  for (guint k = 0; k < N_SUMS; k++)
    s->lattices[k] += into >> k & 1;
  for (guint d = 0; d < draws; d++)
    {
      guint i = MIN ((guint) (uniform (s) * s->n), s->n - 1), mate = uniform (s) < 0.5;
      if (uniform (s) > s->seen[i] || shell_of (s, i) >= shells)
        continue;
      double value = scale * exp (s->partial * normal (s)) * s->truth[mate][i] + s->noise * normal (s);
      for (guint k = 0; k < N_SUMS; k++)
        if (into >> k & 1)
          {
            s->sums[k][i].sum[half][mate] += value;
            s->sums[k][i].n[half][mate]++;
          }
    }
}

/* --- merging --- */

typedef struct
{
  double n, x, y, xx, yy, xy;
} Moments;

static void
moments_add (Moments *m, double x, double y)
{
  m->n++;
  m->x += x;
  m->y += y;
  m->xx += x * x;
  m->yy += y * y;
  m->xy += x * y;
}

static double
correlation (const Moments *m)
{
  double d = (m->n * m->xx - m->x * m->x) * (m->n * m->yy - m->y * m->y);
  return m->n > 2 && d > 0 ? (m->n * m->xy - m->x * m->y) / sqrt (d) : NAN;
}

static void
add_reflection (const Shift *s, const Sums *sums, guint i, FlShellRow *row, Moments *cc, Moments *ano)
{
  guint32 n[2] = { sums->n[0][0] + sums->n[0][1], sums->n[1][0] + sums->n[1][1] };
  row->possible++;
  if (n[0] + n[1] < s->least)
    return;
  row->unique++;
  row->observations += n[0] + n[1];
  if (n[0] < s->least || n[1] < s->least)
    return;
  double mean[2], difference[2];
  gboolean mates = TRUE;
  for (guint half = 0; half < 2; half++)
    {
      const double *sum = sums->sum[half];
      const guint32 *count = sums->n[half];
      double plus = sum[0] / MAX (count[0], 1) + s->wrong[half][0][i];
      double minus = sum[1] / MAX (count[1], 1) + s->wrong[half][1][i];
      mean[half] = (sum[0] + sum[1]) / n[half] + (s->wrong[half][0][i] + s->wrong[half][1][i]) / 2;
      difference[half] = plus - minus;
      mates = mates && count[0] > 0 && count[1] > 0;
    }
  moments_add (cc, mean[0], mean[1]);
  if (mates)
    moments_add (ano, difference[0], difference[1]);
}

static void
merge (const Shift *s, guint which, FlShellRow *rows)
{
  Moments cc[SHIFT_SHELLS + 1] = { 0 }, ano[SHIFT_SHELLS + 1] = { 0 };
  memset (rows, 0, (SHIFT_SHELLS + 1) * sizeof *rows);
  for (guint i = 0; i < s->n; i++)
    {
      guint shell = shell_of (s, i) + 1;
      add_reflection (s, &s->sums[which][i], i, &rows[0], &cc[0], &ano[0]);
      add_reflection (s, &s->sums[which][i], i, &rows[shell], &cc[shell], &ano[shell]);
    }
  for (guint k = 0; k <= SHIFT_SHELLS; k++)
    {
      FlShellRow *row = &rows[k];
      row->number = (guint16) k;
      row->d_max = edges[k == 0 ? 0 : k - 1];
      row->d_min = edges[k == 0 ? SHIFT_SHELLS : k];
      row->pairs = (guint32) cc[k].n;
      row->completeness = (float) row->unique / (float) row->possible;
      row->multiplicity = row->unique > 0 ? (float) row->observations / (float) row->unique : NAN;
      row->cc_half = (float) correlation (&cc[k]);
      row->cc_ano = (float) correlation (&ano[k]);
    }
}

/* --- a shift --- */

static void
keep_trend (const Shift *s, SimulatedShift *out)
{
  guint n = 0;
  for (guint subset = SHIFT_SUBSETS; subset-- > 0;)
    {
      FlShellRow rows[SHIFT_SHELLS + 1];
      merge (s, subset, rows);
      for (guint k = 0; k <= SHIFT_SHELLS; k++)
        out->trend[n++] = (FlTrendRow){ .lattices = s->lattices[subset],
                                        .number = rows[k].number,
                                        .d_max = rows[k].d_max,
                                        .d_min = rows[k].d_min,
                                        .possible = rows[k].possible,
                                        .pairs = rows[k].pairs,
                                        .completeness = rows[k].completeness,
                                        .multiplicity = rows[k].multiplicity,
                                        .cc_half = rows[k].cc_half,
                                        .cc_ano = rows[k].cc_ano };
    }
  for (guint v = 0; v < 2; v++)
    {
      guint which = v == 0 ? EARLIER : 0;
      merge (s, which, out->shells[v]);
      out->versions[v] = (FlForecastVersion){ .shells = out->shells[v],
                                              .n_shells = SHIFT_SHELLS + 1,
                                              .lattices = s->lattices[which] };
    }
  out->versions[1].trend = out->trend;
  out->versions[1].n_trend = n;
}

static void
keep_step (const Shift *s, SimulatedShift *out, guint step, guint shell)
{
  FlShellRow rows[SHIFT_SHELLS + 1];
  double unique = 0, possible = 0, observations = 0;
  merge (s, 0, rows);
  for (guint k = 1; k <= shell; k++)
    {
      unique += rows[k].unique;
      possible += rows[k].possible;
      observations += (double) rows[k].observations;
    }
  out->lattices[step] = (double) s->lattices[0];
  out->value[FL_METRIC_COMPLETENESS][step] = unique / possible;
  out->value[FL_METRIC_MULTIPLICITY][step] = observations / unique;
  out->value[FL_METRIC_CC_HALF][step] = rows[shell].cc_half;
  out->value[FL_METRIC_CC_ANO][step] = rows[0].cc_ano;
}

void
simulated_shift_make (guint64 seed, SimulatedShift *out)
{
  Shift s = { .state = seed };
  memset (out, 0, sizeof *out);
  s.n = (guint) exp (between (&s, log (900), log (6000)));
  s.least = uniform (&s) < 0.5 ? 1 : 2;
  guint start = (guint) exp (between (&s, log (60), log (400))), shell = 2 + (uniform (&s) < 0.5);
  /* At the start a reflection has been seen this often, on average. */
  s.draws = exp (between (&s, log (3), log (25))) * s.n / start;
  s.noise = exp (between (&s, log (0.2), log (1.5)));
  s.partial = between (&s, 0.4, 1);
  double earlier = between (&s, 0.3, 0.8);
  out->d_min = edges[shell];
  for (guint i = 0; i < 7; i++)
    *(i < 2 ? &s.truth[i] : i < 6 ? &s.wrong[(i - 2) / 2][i % 2] : &s.seen) = g_new (double, s.n);
  for (guint k = 0; k < N_SUMS; k++)
    s.sums[k] = g_new0 (Sums, s.n);
  make_truth (&s, out);
  for (guint i = 0; i < start; i++)
    {
      guint depth = (guint) MIN (-log2 (uniform (&s)), SHIFT_SUBSETS - 1);
      add_lattice (&s, ((2U << depth) - 1) | (i < earlier * start ? 1U << EARLIER : 0));
    }
  keep_trend (&s, out);
  for (guint step = 0; step < SHIFT_LADDER; step++)
    {
      while ((double) s.lattices[0] < round (start * exp2 (step / 4.0)))
        add_lattice (&s, 1);
      keep_step (&s, out, step, shell);
    }
  for (guint k = 0; k < N_SUMS; k++)
    g_free (s.sums[k]);
  for (guint i = 0; i < 7; i++)
    g_free (i < 2 ? s.truth[i] : i < 6 ? s.wrong[(i - 2) / 2][i % 2] : s.seen);
}
