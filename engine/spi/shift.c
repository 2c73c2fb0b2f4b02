#include "engine/spi/shift.h"

#include <math.h>

#include "kernels/fft.h"

#define FIRST_STEP 0.25 /* points */
#define LAST_STEP  0.01

void
fl_shift_whiten (FlTransform *t, double low, double high)
{
  int h = (int) t->n / 2;
  g_autofree double *power = g_new0 (double, t->n), *count = g_new0 (double, t->n);
  for (int pass = 0; pass < 2; pass++)
    for (int z = -h; z < h; z++)
      for (int y = -h; y < h; y++)
        for (int x = -h; x < h; x++)
          {
            double s = sqrt (x * x + y * y + z * z);
            float complex *f = &t->grid[fl_transform_at (t, x, y, z)];
            int shell = (int) (s + 0.5);
            gboolean in = s >= low && s <= high && shell < h;
            if (pass == 0 && in)
              {
                power[shell] += crealf (*f * conjf (*f));
                count[shell]++;
              }
            else if (pass == 1)
              *f = in && power[shell] > 0 ? *f * (float) sqrt (count[shell] / power[shell]) : 0;
          }
}

static double
power_of (const FlTransform *t, const float complex *f)
{
  double sum = 0;
  for (gsize i = 0; i < fl_transform_points (t); i++)
    sum += crealf (f[i] * conjf (f[i]));
  return sum;
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

/* The grid's highest point in its real (imaginary) part, and where the top lies about it. */
static double
find_peak (const FlTransform *t, int hand, FlVec3 *at)
{
  guint n = t->n;
  gsize best = 0;
  for (gsize i = 1; i < fl_transform_points (t); i++)
    if (part (t, i, hand) > part (t, best, hand))
      best = i;
  int k[3] = { (int) (best % n), (int) (best / n % n), (int) (best / n / n) };
  double top[3], here = part (t, best, hand);
  for (int d = 0; d < 3; d++)
    {
      int low[3] = { k[0], k[1], k[2] }, high[3] = { k[0], k[1], k[2] };
      low[d] = (low[d] + (int) n - 1) % (int) n;
      high[d] = (high[d] + 1) % (int) n;
      top[d] = fl_transform_k (t, (guint) k[d])
               + parabola (part (t, fl_transform_at (t, low[0], low[1], low[2]), hand), here,
                           part (t, fl_transform_at (t, high[0], high[1], high[2]), hand));
    }
  *at = fl_vec3 (top[0], top[1], top[2]);
  return here;
}

FlShift
fl_shift_find (FlTransform *t, const float complex *a, const float complex *b)
{
  /* The mirrored one's transform is the conjugate. Both correlations are real: they share one transform. */
  for (gsize i = 0; i < fl_transform_points (t); i++)
    t->grid[i] = a[i] * conjf (b[i]) + I * (a[i] * b[i]);
  fl_transform_run (t, TRUE);
  FlVec3 at[2];
  double peak[2], power = sqrt (power_of (t, a) * power_of (t, b));
  for (int hand = 0; hand < 2; hand++)
    peak[hand] = find_peak (t, hand, &at[hand]);
  gboolean hand = peak[1] > peak[0];
  return (FlShift){ .by = at[hand], .hand = hand, .correlation = power > 0 ? peak[hand] / power : 0 };
}

/* exp (2πi k by / n) of every index. */
static void
list_waves (const FlTransform *t, double by, float complex *waves)
{
  for (guint i = 0; i < t->n; i++)
    {
      double angle = 2 * G_PI / t->n * fl_transform_k (t, i) * by;
      waves[i] = (float complex) (cos (angle) + I * sin (angle));
    }
}

/* Σ a b* of half of the grid, b mirrored and shifted. */
static double
correlate (const FlTransform *t, const float complex *a, const float complex *b, gboolean hand, FlVec3 by)
{
  guint n = t->n;
  float complex waves[3][FLK_FFT_MAX];
  double sum = 0;
  list_waves (t, by.x, waves[0]);
  list_waves (t, by.y, waves[1]);
  list_waves (t, by.z, waves[2]);
  for (guint z = 0; z < n / 2; z++)
    for (guint y = 0; y < n; y++)
      {
        gsize row = ((gsize) z * n + y) * n;
        float complex line = 0;
        for (guint x = 0; x < n; x++)
          line += waves[0][x] * a[row + x] * (hand ? b[row + x] : conjf (b[row + x]));
        sum += (z == 0 ? 1 : 2) * crealf (line * waves[1][y] * waves[2][z]);
      }
  return sum;
}

void
fl_shift_refine (const FlTransform *t, const float complex *a, const float complex *b, FlShift *shift)
{
  double best = correlate (t, a, b, shift->hand, shift->by);
  for (double step = FIRST_STEP; step > LAST_STEP;)
    {
      FlVec3 from = shift->by;
      for (int k = 0; k < 6; k++)
        {
          double by = k % 2 ? -step : step;
          FlVec3 other =
              fl_vec3_add (from, fl_vec3 (k / 2 == 0 ? by : 0, k / 2 == 1 ? by : 0, k / 2 == 2 ? by : 0));
          double value = correlate (t, a, b, shift->hand, other);
          if (value > best)
            {
              best = value;
              shift->by = other;
            }
        }
      if (fl_vec3_norm (fl_vec3_sub (shift->by, from)) == 0)
        step /= 2;
    }
  double power = sqrt (power_of (t, a) * power_of (t, b));
  shift->correlation = power > 0 ? best / power : 0;
}
