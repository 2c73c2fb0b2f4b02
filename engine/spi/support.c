#include "engine/spi/support.h"

#include <math.h>
#include <string.h>

#define CUT  2.5
#define BINS 65536

/* Along x of [rows][n], written as [n][rows]: three times round, x is fastest again. */
static void
blur_rows (const float *from, float *to, guint n, const float *weight, int reach)
{
  const gsize rows = (gsize) n * n;
  g_autofree float *line = g_new (float, n + 2 * (guint) reach);
  for (gsize row = 0; row < rows; row++)
    {
      for (int i = -reach; i < (int) n + reach; i++)
        line[i + reach] = from[row * n + (gsize) ((i + 4 * (int) n) % (int) n)];
      for (guint i = 0; i < n; i++)
        {
          float sum = 0;
          for (int k = 0; k <= 2 * reach; k++)
            sum += weight[k] * line[(int) i + k];
          to[i * rows + row] = sum;
        }
    }
}

void
fl_support_blur (float *value, float *work, guint n, double sigma)
{
  int reach = MAX ((int) (CUT * sigma), 1);
  g_autofree float *weight = g_new (float, 2 * (guint) reach + 1);
  double total = 0;
  for (int k = -reach; k <= reach; k++)
    total += exp (-k * k / (2 * sigma * sigma));
  for (int k = -reach; k <= reach; k++)
    weight[k + reach] = (float) (exp (-k * k / (2 * sigma * sigma)) / total);
  blur_rows (value, work, n, weight, reach);
  blur_rows (work, value, n, weight, reach);
  blur_rows (value, work, n, weight, reach);
  memcpy (value, work, (gsize) n * n * n * sizeof *value);
}

/* The threshold that leaves at most `most`, by a histogram. */
static float
threshold_of (const float *value, gsize n_points, float largest, gsize most)
{
  g_autofree guint *count = g_new0 (guint, BINS);
  float per = (BINS - 1) / largest;
  for (gsize i = 0; i < n_points; i++)
    if (value[i] > 0)
      count[(guint) (value[i] * per)]++;
  gsize above = 0;
  guint bin = BINS;
  while (bin > 1 && above + count[bin - 1] <= most)
    above += count[--bin];
  return (float) bin / per;
}

gsize
fl_support_draw (const float *value, gsize n_points, double part, gsize most, float *mask)
{
  float largest = 0;
  gsize n = 0;
  for (gsize i = 0; i < n_points; i++)
    largest = MAX (largest, value[i]);
  float least = largest > 0 ? MAX ((float) part * largest, threshold_of (value, n_points, largest, most)) : 1;
  for (gsize i = 0; i < n_points; i++)
    {
      mask[i] = value[i] >= least ? 1 : 0;
      n += mask[i] > 0;
    }
  return n;
}
