#include "engine/crystal/fourier.h"

#include <math.h>
#include <string.h>

#include "engine/base/units.h"

#define MOST_RADIX 5

int
fl_fourier_size (int at_least)
{
  for (int n = MAX (at_least, 1);; n++)
    {
      int rest = n;
      for (int p = 2; p <= MOST_RADIX; p++)
        while (rest % p == 0)
          rest /= p;
      if (rest == 1)
        return n;
    }
}

/* One pass: to[k of p] = twiddle_k · Σ_j from[j] ω^(jk) for `count` neighbours; `step` numbers lie between the inputs. */
static void
butterfly (const double *from, double *to, int p, gsize step, gsize count, const double (*roots)[2],
           const double (*twiddles)[2])
{
  for (int k = 0; k < p; k++)
    {
      double *restrict out = to + 2 * (gsize) k * count;
      const double tr = twiddles[k][0], ti = twiddles[k][1];
      for (int j = 0; j < p; j++)
        {
          const double *restrict in = from + 2 * (gsize) j * step, *root = roots[j * k % p];
          const double c = root[0] * tr - root[1] * ti, s = root[0] * ti + root[1] * tr;
          if (j == 0)
            for (gsize r = 0; r < 2 * count; r += 2)
              {
                out[r] = in[r] * c - in[r + 1] * s;
                out[r + 1] = in[r] * s + in[r + 1] * c;
              }
          else
            for (gsize r = 0; r < 2 * count; r += 2)
              {
                out[r] += in[r] * c - in[r + 1] * s;
                out[r + 1] += in[r] * s + in[r + 1] * c;
              }
        }
    }
}

double complex *
fl_fourier_transform (double complex *in, double complex *work, int n, gsize batch)
{
  double complex *from = in, *to = work;
  int done = 1; /* product of the factors so far */
  for (int length = n, p = MOST_RADIX; length > 1;)
    {
      if (length % p != 0)
        {
          p--;
          continue;
        }
      int rest = length / p;
      gsize count = batch * (gsize) done;
      double roots[MOST_RADIX][2], twiddles[MOST_RADIX][2];
      for (int j = 0; j < p; j++)
        {
          roots[j][0] = cos (2 * FL_PI * j / p);
          roots[j][1] = sin (2 * FL_PI * j / p);
        }
      for (int q = 0; q < rest; q++)
        {
          for (int k = 0; k < p; k++)
            {
              double angle = 2 * FL_PI * q * k / length;
              twiddles[k][0] = cos (angle);
              twiddles[k][1] = sin (angle);
            }
          butterfly ((const double *) (from + (gsize) q * count), (double *) (to + (gsize) (q * p) * count),
                     p, (gsize) rest * count, count, (const double (*)[2]) roots,
                     (const double (*)[2]) twiddles);
        }
      double complex *other = from;
      from = to;
      to = other;
      length = rest;
      done *= p;
    }
  return from;
}

/* Rows −limit … limit of [n][batch], side by side. */
static void
take_rows (const double complex *from, int n, gsize batch, int limit, double scale, double complex *to)
{
  for (int h = -limit; h <= limit; h++)
    for (gsize i = 0; i < batch; i++)
      to[(gsize) (h + limit) * batch + i] = scale * from[(gsize) ((h + n) % n) * batch + i];
}

double complex *
fl_fourier_coefficients (const float *map, const int n[3], const int limits[3])
{
  gsize n1 = (gsize) n[1], n2 = (gsize) n[2], k = 2 * (gsize) limits[1] + 1, l = (gsize) limits[2] + 1;
  g_autofree double complex *plane = g_new (double complex, n1 *n2), *spare = g_new (double complex, n1 *n2);
  g_autofree double complex *stack = g_new (double complex, (gsize) n[0] * k * l),
                            *work = g_new (double complex, (gsize) n[0] * k * l);
  /* Planes of x go through z and y one at a time, so that the whole grid is never complex. */
  for (gsize x = 0; x < (gsize) n[0]; x++)
    {
      for (gsize z = 0; z < n2; z++) /* z outermost: all y of a plane in one batch */
        for (gsize y = 0; y < n1; y++)
          plane[z * n1 + y] = (double) map[(x * n1 + y) * n2 + z];
      double complex *along_z = fl_fourier_transform (plane, spare, n[2], n1);
      double complex *other = along_z == plane ? spare : plane;
      for (gsize y = 0; y < n1; y++)
        for (gsize m = 0; m < l; m++)
          other[y * l + m] = along_z[m * n1 + y];
      double complex *along_y = fl_fourier_transform (other, along_z, n[1], l);
      take_rows (along_y, n[1], l, limits[1], 1, stack + x * k * l);
    }
  double complex *along_x = fl_fourier_transform (stack, work, n[0], k * l);
  double complex *result = g_new (double complex, (2 * (gsize) limits[0] + 1) * k * l);
  take_rows (along_x, n[0], k * l, limits[0], 1.0 / ((double) n[0] * (double) n1 * (double) n2), result);
  return result;
}

/* Puts rows −limit … limit where a transform of n looks for them; what was there is zeroed. Conjugated: the transform's sign is +. */
static void
spread_rows (const double complex *from, int limit, gsize batch, int n, double complex *to)
{
  memset (to, 0, (gsize) n * batch * sizeof *to);
  for (int h = -limit; h <= limit; h++)
    memcpy (to + (gsize) ((h + n) % n) * batch, from + (gsize) (h + limit) * batch, batch * sizeof *to);
}

/* One plane of z: [n1][n0] from [n1][limit + 1] coefficients along x. Two rows share a transform, as its real and its imaginary
 * part. */
static void
synthesise_rows (const double complex *plane, int limit, const int n[3], double complex *work,
                 double complex *spare, float *map)
{
  gsize wide = (gsize) limit + 1, n0 = (gsize) n[0], n1 = (gsize) n[1], pairs = (n1 + 1) / 2;
  memset (work, 0, n0 * pairs * sizeof *work);
  for (gsize p = 0; p < pairs; p++)
    {
      const double complex *a = plane + 2 * p * wide, *b = a + wide;
      for (gsize h = 0; h < wide; h++)
        {
          double complex second = 2 * p + 1 < n1 ? b[h] : 0;
          work[h * pairs + p] = a[h] + I * second;
          if (h > 0)
            work[(n0 - h) * pairs + p] = conj (a[h]) + I * conj (second);
        }
    }
  const double complex *done = fl_fourier_transform (work, spare, n[0], pairs);
  for (gsize y = 0; y < n1; y++)
    for (gsize x = 0; x < n0; x++)
      {
        double complex both = done[x * pairs + y / 2];
        map[y * n0 + x] = (float) (y % 2 == 0 ? creal (both) : cimag (both));
      }
}

void
fl_fourier_synthesis (const double complex *half, const int limits[3], const int n[3], float *map)
{
  gsize wide = (gsize) limits[0] + 1, k = 2 * (gsize) limits[1] + 1;
  gsize plane = (gsize) n[1] * MAX (wide, (gsize) n[0] / 2 + 2) + (gsize) n[0];
  g_autofree double complex *stack = g_new (double complex, (gsize) n[2] * k * wide);
  g_autofree double complex *other = g_new (double complex, (gsize) n[2] * k * wide);
  g_autofree double complex *rows = g_new (double complex, plane), *spare = g_new (double complex, plane),
                            *work = g_new (double complex, plane);
  spread_rows (half, limits[2], k * wide, n[2], stack);
  for (gsize i = 0; i < (gsize) n[2] * k * wide; i++)
    stack[i] = conj (stack[i]);
  const double complex *along_z = fl_fourier_transform (stack, other, n[2], k * wide);
  for (gsize z = 0; z < (gsize) n[2]; z++)
    {
      spread_rows (along_z + z * k * wide, limits[1], wide, n[1], rows);
      double complex *along_y = fl_fourier_transform (rows, spare, n[1], wide);
      synthesise_rows (along_y, limits[0], n, work, along_y == rows ? spare : rows,
                       map + z * (gsize) n[1] * (gsize) n[0]);
    }
}
