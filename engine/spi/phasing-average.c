#include <math.h>
#include <string.h>

#include "engine/spi/phasing-private.h"
#include "engine/spi/shift.h"
#include "engine/spi/support.h"

#define TIGHT 1.12 /* a support that fits has at most the least Fourier error of all times this */
#define WORSE 1.05 /* a Fourier error over the least one's of its tightness by this is another solution */
#define LIKE  0.9  /* as much like the best one as its best mate, times this */

/* Frequencies of the starts. */
typedef struct
{
  FlPhasing *p;
  float complex **f; /* [n] up to s_edge */
  guint n, best;
  double box; /* Å */
  float complex **white;
  double *correlation; /* [n] with the best one */
} Ensemble;

static float complex *
copy_grid (const FlTransform *t)
{
  float complex *copy = g_new (float complex, fl_transform_points (t));
  memcpy (copy, t->grid, fl_transform_points (t) * sizeof *copy);
  return copy;
}

/* Of f: its whitened copy. */
static float complex *
whitened (const Ensemble *e, const float complex *f)
{
  FlTransform *t = e->p->transform;
  memcpy (t->grid, f, fl_transform_points (t) * sizeof *f);
  fl_shift_whiten (t, e->p->options.s_low * e->box, e->p->options.s_edge * e->box);
  return copy_grid (t);
}

/* f of the density mirrored and shifted. */
static void
shift_frequencies (const FlTransform *t, float complex *f, const FlShift *shift)
{
  int h = (int) t->n / 2;
  double turn = 2 * G_PI / t->n;
  for (int z = -h; z < h; z++)
    for (int y = -h; y < h; y++)
      for (int x = -h; x < h; x++)
        {
          float complex *here = &f[fl_transform_at (t, x, y, z)];
          double angle = -turn * (x * shift->by.x + y * shift->by.y + z * shift->by.z);
          *here = (shift->hand ? conjf (*here) : *here) * (float complex) (cos (angle) + I * sin (angle));
        }
}

static guint
tightness (guint start)
{
  return start / 2 % FL_PHASING_TIGHTNESSES;
}

/* Of least error: of a tightness. e->n: none. */
static guint
least_of (const Ensemble *e, const double *errors, guint tight)
{
  guint least = e->n;
  for (guint i = 0; i < e->n; i++)
    if (tightness (i) == tight && (least == e->n || errors[i] < errors[least]))
      least = i;
  return least;
}

/* The highest correlation of `start` with another of its tightness. */
static double
mate_of (const Ensemble *e, guint start)
{
  double most = -1;
  for (guint i = 0; i < e->n; i++)
    if (i != start && tightness (i) == tightness (start))
      most = MAX (most, fl_shift_find (e->p->transform, e->white[start], e->white[i]).correlation);
  return most;
}

/* Too loose a support leaves every start a solution of its own, too tight a one fits the amplitudes badly: of those that fit, the
 * one whose best start is most like another. Returns that start, and how much. */
static guint
choose_best (const Ensemble *e, const double *errors, double *mate)
{
  double least = errors[0];
  guint best = 0;
  *mate = -1;
  for (guint i = 0; i < e->n; i++)
    {
      best = errors[i] < errors[best] ? i : best;
      least = errors[best];
    }
  for (guint tight = 0; tight < FL_PHASING_TIGHTNESSES; tight++)
    {
      guint i = least_of (e, errors, tight);
      double like = i < e->n && errors[i] <= TIGHT * least ? mate_of (e, i) : -1;
      if (like <= *mate)
        continue;
      *mate = like;
      best = i;
    }
  return best;
}

static void
align (Ensemble *e)
{
  FlTransform *t = e->p->transform;
  const float complex *best = e->white[e->best];
  for (guint i = 0; i < e->n; i++)
    {
      if (i == e->best)
        continue;
      FlShift shift = fl_shift_find (t, best, e->white[i]);
      fl_shift_refine (t, best, e->white[i], &shift);
      shift_frequencies (t, e->f[i], &shift);
      e->correlation[i] = shift.correlation;
    }
}

/* Starts of about the least error of their tightness. Of these, those like the best one: but where fewer than a quarter of all
 * are, there is no solution that starts agree upon, and nothing is hidden. */
static void
choose (const Ensemble *e, double mate, FlPhased *phased)
{
  guint n_like = 0;
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < e->n; i++)
      {
        guint least = least_of (e, phased->errors, tightness (i));
        gboolean fits = phased->errors[i] <= WORSE * phased->errors[least]
                        && phased->errors[i] <= WORSE * TIGHT * phased->errors[e->best],
                 like = i == e->best || (fits && e->correlation[i] >= LIKE * mate);
        n_like += pass == 0 && like;
        phased->kept[i] = like || (fits && pass == 1 && 4 * n_like < e->n);
        phased->n_kept += pass == 1 && phased->kept[i];
      }
}

/* The mean of those kept into the transform's grid, and the curve. */
static void
average (const Ensemble *e, FlPhased *phased)
{
  FlTransform *t = e->p->transform;
  int h = (int) t->n / 2;
  phased->step = 1 / e->box;
  phased->n_shells = MIN ((guint) (e->p->options.s_edge * e->box + 0.5) + 1, (guint) h);
  phased->prtf = g_new0 (double, phased->n_shells);
  g_autofree double *count = g_new0 (double, phased->n_shells);
  const float part = 1 / (float) phased->n_kept;
  for (int z = -h; z < h; z++)
    for (int y = -h; y < h; y++)
      for (int x = -h; x < h; x++)
        {
          gsize at = fl_transform_at (t, x, y, z);
          guint shell = (guint) (sqrt (x * x + y * y + z * z) + 0.5);
          float complex sum = 0, phases = 0;
          for (guint i = 0; i < e->n; i++)
            if (phased->kept[i])
              {
                float size = cabsf (e->f[i][at]);
                sum += e->f[i][at];
                phases += size > 0 ? e->f[i][at] / size : 0;
              }
          t->grid[at] = sum * part;
          if (shell < phased->n_shells && phases != 0)
            {
              phased->prtf[shell] += part * cabsf (phases);
              count[shell]++;
            }
        }
  for (guint i = 0; i < phased->n_shells; i++)
    phased->prtf[i] /= MAX (count[i], 1);
}

static void
find_fall (FlPhased *phased, double s_low, double s_edge)
{
  const double threshold = exp (-1);
  phased->prtf_s = s_edge;
  for (guint i = MAX ((guint) ceil (s_low / phased->step), 1); i < phased->n_shells && !phased->prtf_fell;
       i++)
    if (phased->prtf[i] < threshold)
      {
        double before = phased->prtf[i - 1],
               part = (threshold - phased->prtf[i]) / (before - phased->prtf[i]);
        phased->prtf_s = phased->step * (before > threshold ? i - part : i);
        phased->prtf_fell = TRUE;
      }
}

FlPhased *
fl_phasing_average (FlPhasing *p, guint n, const FlPhasingStart *starts)
{
  FlTransform *t = p->transform;
  Ensemble e = { .p = p, .n = n, .box = t->n * p->voxel };
  FlPhased *phased = g_new0 (FlPhased, 1);
  double mate;
  phased->n_starts = n;
  phased->errors = g_new (double, n);
  phased->kept = g_new0 (guint8, n);
  e.f = g_new (float complex *, n);
  e.white = g_new (float complex *, n);
  e.correlation = g_new0 (double, n);
  for (guint i = 0; i < n; i++)
    {
      fl_transform_put (t, starts[i].density, NULL);
      fl_transform_run (t, FALSE);
      e.f[i] = copy_grid (t);
      e.white[i] = whitened (&e, e.f[i]);
      phased->errors[i] = starts[i].error;
    }
  e.best = choose_best (&e, phased->errors, &mate);
  align (&e);
  choose (&e, mate, phased);
  average (&e, phased);
  find_fall (phased, p->options.s_low, p->options.s_edge);
  fl_transform_run (t, TRUE);
  phased->density = fl_volume_new (p->m, p->voxel);
  fl_transform_take (t, 1 / (float) fl_transform_points (t), phased->density, NULL);
  phased->support = fl_phasing_support (p, phased->density, starts[e.best].filled);
  for (guint i = 0; i < n; i++)
    {
      g_free (e.f[i]);
      g_free (e.white[i]);
    }
  g_free (e.f);
  g_free (e.white);
  g_free (e.correlation);
  return phased;
}

FlPhased *
fl_phase (const FlVolume *autocorrelation, const FlPhasingOptions *options, GError **error)
{
  g_autoptr (FlPhasing) p = fl_phasing_new (autocorrelation, options, error);
  if (p == NULL)
    return NULL;
  g_autofree FlPhasingStart *starts = g_new0 (FlPhasingStart, options->starts + 1);
  gboolean ok = TRUE;
  for (guint i = 0; i < options->starts && ok; i += 2)
    ok = fl_phasing_run (p, i / 2, starts + i, error);
  FlPhased *phased = ok ? fl_phasing_average (p, options->starts, starts) : NULL;
  for (guint i = 0; i <= options->starts; i++)
    fl_phasing_start_clear (&starts[i]);
  return phased;
}

void
fl_phased_free (FlPhased *phased)
{
  if (phased == NULL)
    return;
  fl_volume_free (phased->density);
  fl_volume_free (phased->support);
  g_free (phased->errors);
  g_free (phased->kept);
  g_free (phased->prtf);
  g_free (phased);
}
