#include <math.h>

#include "engine/spi/alignment-private.h"

#define FIRST_TURN  0.25 /* rad · |s| · diameter */
#define LEAST_TURN  0.02
#define FIRST_SHIFT 0.25 /* voxels */
#define LEAST_SHIFT 0.01

typedef struct
{
  FlTransform *t;
  FlResampler *b;
  FlVolume *moved;
  const FlAlignmentRange *range;
  float complex *a;     /* of t's grid, every shell scaled to 1, 0 outside the range */
  float complex *other; /* b's, as last turned */
  double n_inside;
  FlMotion motion; /* of the last score */
} Work;

/* Leaves the range, every shell's mean |F|² 1. Returns the number of points there. */
static double
whiten (FlTransform *t, double voxel, const FlAlignmentRange *range)
{
  int h = (int) t->n / 2;
  double per = t->n * voxel, inside = 0;
  g_autofree double *power = g_new0 (double, h), *count = g_new0 (double, h);
  for (int pass = 0; pass < 2; pass++)
    for (int z = -h; z < h; z++)
      for (int y = -h; y < h; y++)
        for (int x = -h; x < h; x++)
          {
            double s = sqrt (x * x + y * y + z * z);
            float complex *f = &t->grid[fl_transform_at (t, x, y, z)];
            int shell = (int) (s + 0.5);
            gboolean in = s >= range->s_low * per && s <= range->s_high * per && shell < h;
            if (pass == 0 && in)
              {
                power[shell] += crealf (*f * conjf (*f));
                count[shell]++;
              }
            else if (pass == 1)
              *f = in && power[shell] > 0 ? *f * (float) sqrt (count[shell] / power[shell]) : 0;
            inside += pass == 0 && in;
          }
  return inside;
}

/* How far the top of a parabola through three values lies from the middle one. */
static double
parabola (double before, double at, double after)
{
  double curve = before - 2 * at + after;
  return curve < 0 ? CLAMP ((before - after) / (2 * curve), -0.5, 0.5) : 0;
}

static double
part (const FlTransform *t, gsize at, int hand)
{
  return hand ? cimagf (t->grid[at]) : crealf (t->grid[at]);
}

/* The grid's highest point in its real (imaginary) part, and where the top lies about it, in voxels. */
static double
find_peak (const FlTransform *t, int hand, FlVec3 *at)
{
  int n = (int) t->n;
  gsize best = 0;
  for (gsize i = 1; i < fl_transform_points (t); i++)
    if (part (t, i, hand) > part (t, best, hand))
      best = i;
  int k[3] = { (int) best % n, (int) best / n % n, (int) best / (n * n) };
  double top[3], here = part (t, best, hand);
  for (int d = 0; d < 3; d++)
    {
      int low[3] = { k[0], k[1], k[2] }, high[3] = { k[0], k[1], k[2] };
      low[d] = (low[d] + n - 1) % n;
      high[d] = (high[d] + 1) % n;
      top[d] = fl_transform_k (t, (guint) k[d])
               + parabola (part (t, fl_transform_at (t, low[0], low[1], low[2]), hand), here,
                           part (t, fl_transform_at (t, high[0], high[1], high[2]), hand));
    }
  *at = fl_vec3 (top[0], top[1], top[2]);
  return here;
}

/* Correlation at the best shift and hand. */
static double
score (FlQuat rotation, gpointer data)
{
  Work *w = data;
  FlTransform *t = w->t;
  w->motion = (FlMotion){ .rotation = rotation };
  fl_resampler_move (w->b, &w->motion, w->moved);
  fl_transform_put (t, w->moved, NULL);
  fl_transform_run (t, FALSE);
  whiten (t, w->moved->voxel, w->range);
  for (gsize i = 0; i < fl_transform_points (t); i++)
    {
      float complex f = w->other[i] = t->grid[i];
      t->grid[i] =
          w->a[i] * conjf (f) + I * (w->a[i] * f); /* the mirrored one's transform is the conjugate */
    }
  fl_transform_run (t, TRUE);
  FlVec3 at[2];
  double peak[2];
  for (int hand = 0; hand < 2; hand++)
    peak[hand] = find_peak (t, hand, &at[hand]);
  w->motion.hand = peak[1] > peak[0];
  w->motion.shift = fl_vec3_scale (at[w->motion.hand], w->moved->voxel);
  return MAX (peak[0], peak[1]) / w->n_inside;
}

/* Correlation of what score() turned last, shifted by `shift`. */
static double
score_shift (const Work *w, FlVec3 shift)
{
  int h = (int) w->t->n / 2;
  double sum = 0, turn = 2 * G_PI / (w->t->n * w->moved->voxel);
  for (int z = 0; z < h; z++)
    for (int y = -h; y < h; y++)
      for (int x = -h; x < h; x++)
        {
          gsize i = fl_transform_at (w->t, x, y, z);
          if (w->a[i] == 0)
            continue;
          float complex f = w->motion.hand ? conjf (w->other[i]) : w->other[i];
          double angle = turn * (x * shift.x + y * shift.y + z * shift.z);
          sum += (z == 0 ? 1 : 2)
                 * creal (w->a[i] * conjf (f) * (float complex) (cos (angle) + I * sin (angle)));
        }
  return sum / w->n_inside;
}

static double
climb_shift (const Work *w, FlVec3 *shift)
{
  double best = score_shift (w, *shift), least = LEAST_SHIFT * w->moved->voxel;
  for (double step = FIRST_SHIFT * w->moved->voxel; step > least;)
    {
      FlVec3 from = *shift;
      for (int k = 0; k < 6; k++)
        {
          double by = k % 2 ? -step : step;
          FlVec3 other =
              fl_vec3_add (from, fl_vec3 (k / 2 == 0 ? by : 0, k / 2 == 1 ? by : 0, k / 2 == 2 ? by : 0));
          double value = score_shift (w, other);
          if (value > best)
            {
              best = value;
              *shift = other;
            }
        }
      if (fl_vec3_norm (fl_vec3_sub (*shift, from)) == 0)
        step /= 2;
    }
  return best;
}

static FlAlignment
climb (Work *w, const FlCandidate *candidates, guint n)
{
  FlCandidate best = { candidates[0].rotation, -2 };
  for (guint i = 0; i < n; i++)
    {
      double value = score (candidates[i].rotation, w);
      if (value > best.score)
        best = (FlCandidate){ candidates[i].rotation, value };
    }
  double angle = 1 / (w->range->s_high * w->range->diameter);
  fl_alignment_climb (&best, FIRST_TURN * angle, LEAST_TURN * angle, score, w);
  score (best.rotation, w);
  FlAlignment found = { .motion = w->motion };
  found.correlation = climb_shift (w, &found.motion.shift);
  return found;
}

static void
work_clear (Work *w)
{
  fl_transform_free (w->t);
  fl_resampler_free (w->b);
  fl_volume_free (w->moved);
  g_free (w->a);
  g_free (w->other);
}

gboolean
fl_align_densities (const FlVolume *a, const FlVolume *b, const FlAlignmentRange *range,
                    FlAlignment *alignment, GError **error)
{
  FlCandidate candidates[FL_ALIGNMENT_CANDIDATES];
  guint n = fl_alignment_candidates (a, b, TRUE, range, candidates, error);
  Work w = { .range = range };
  if (n > 0 && (w.t = fl_transform_new (a->m, error)) != NULL && (w.b = fl_resampler_new (b, error)) != NULL)
    {
      w.moved = fl_volume_new (b->m, b->voxel);
      w.a = g_new (float complex, fl_transform_points (w.t));
      w.other = g_new (float complex, fl_transform_points (w.t));
      fl_transform_put (w.t, a, NULL);
      fl_transform_run (w.t, FALSE);
      w.n_inside = whiten (w.t, a->voxel, range);
      for (gsize i = 0; i < fl_transform_points (w.t); i++)
        w.a[i] = w.t->grid[i];
      *alignment = climb (&w, candidates, n);
    }
  else
    n = 0;
  work_clear (&w);
  return n > 0;
}
