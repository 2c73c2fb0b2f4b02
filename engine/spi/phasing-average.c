#include <math.h>
#include <string.h>

#include "engine/spi/phasing-private.h"
#include "engine/spi/shift.h"
#include "engine/spi/support.h"

#define WORSE 1.05 /* a Fourier error over the least one's by this is another solution */
#define LIKE  0.9  /* as much like the best one as its best mate, times this */

/* Frequencies of the starts, on the best one's frame. */
typedef struct
{
  FlPhasing *p;
  float complex **f; /* [n] up to s_edge */
  guint n, best;
  double box;          /* Å */
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

static void
align (Ensemble *e)
{
  FlTransform *t = e->p->transform;
  g_autofree float complex *best = whitened (e, e->f[e->best]);
  for (guint i = 0; i < e->n; i++)
    {
      if (i == e->best)
        continue;
      g_autofree float complex *other = whitened (e, e->f[i]);
      FlShift shift = fl_shift_find (t, best, other);
      fl_shift_refine (t, best, other, &shift);
      shift_frequencies (t, e->f[i], &shift);
      e->correlation[i] = shift.correlation;
    }
}

/* Starts of about the least error. Of these, those like the best one: but where fewer than a quarter of all are, there is no
 * solution that starts agree upon, and nothing is hidden. */
static void
choose (const Ensemble *e, FlPhased *phased)
{
  double mate = 0, most = WORSE * phased->errors[e->best];
  guint n_like = 1;
  for (guint i = 0; i < e->n; i++)
    if (i != e->best && phased->errors[i] <= most)
      mate = MAX (mate, e->correlation[i]);
  for (guint i = 0; i < e->n; i++)
    n_like += i != e->best && phased->errors[i] <= most && e->correlation[i] >= LIKE * mate;
  for (guint i = 0; i < e->n; i++)
    {
      gboolean like = e->correlation[i] >= LIKE * mate || 4 * n_like < e->n;
      phased->kept[i] = i == e->best || (phased->errors[i] <= most && like);
      phased->n_kept += phased->kept[i];
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
  phased->n_starts = n;
  phased->errors = g_new (double, n);
  phased->kept = g_new0 (guint8, n);
  e.f = g_new (float complex *, n);
  e.correlation = g_new0 (double, n);
  for (guint i = 0; i < n; i++)
    {
      fl_transform_put (t, starts[i].density, NULL);
      fl_transform_run (t, FALSE);
      e.f[i] = copy_grid (t);
      phased->errors[i] = starts[i].error;
      e.best = starts[i].error < starts[e.best].error ? i : e.best;
    }
  align (&e);
  choose (&e, phased);
  average (&e, phased);
  find_fall (phased, p->options.s_low, p->options.s_edge);
  fl_transform_run (t, TRUE);
  phased->density = fl_volume_new (p->m, p->voxel);
  fl_transform_take (t, 1 / (float) fl_transform_points (t), phased->density, NULL);
  phased->support = fl_phasing_support (p, phased->density);
  for (guint i = 0; i < n; i++)
    g_free (e.f[i]);
  g_free (e.f);
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
  for (guint i = 0; i < options->starts; i += 2)
    fl_phasing_run (p, i / 2, starts + i);
  FlPhased *phased = fl_phasing_average (p, options->starts, starts);
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
