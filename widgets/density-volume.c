#include "widgets/density-volume.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

struct _FlwDensityVolume
{
  gatomicrefcount ref_count;
  FlwDensityGrid grid;
  char *unit;
  double to_grid[3][3];
  double lowest, highest;
  guint32 histogram[FLW_DENSITY_BINS];
  FlwDensityStore store;
  float *values, *brick_lowest, *brick_highest;
};

static gboolean
invert (const double step[3][3], double to_grid[3][3])
{
  /* step's rows are the axes: place = Σ grid[a]·step[a]; so to_grid is the transposed inverse of its rows' matrix. */
  double det = 0, size = 1;

  for (int a = 0; a < 3; a++)
    {
      const double *p = step[(a + 1) % 3], *q = step[(a + 2) % 3];
      to_grid[a][0] = p[1] * q[2] - p[2] * q[1];
      to_grid[a][1] = p[2] * q[0] - p[0] * q[2];
      to_grid[a][2] = p[0] * q[1] - p[1] * q[0];
      size *= sqrt (step[a][0] * step[a][0] + step[a][1] * step[a][1] + step[a][2] * step[a][2]);
    }
  for (int x = 0; x < 3; x++)
    det += step[0][x] * to_grid[0][x];
  if (!(fabs (det) > 1e-6 * size) || !isfinite (det))
    return FALSE;
  for (int a = 0; a < 3; a++)
    for (int x = 0; x < 3; x++)
      to_grid[a][x] /= det;
  return TRUE;
}

/* FALSE when no value is finite. */
static gboolean
find_statistics (FlwDensityVolume *volume, float *values, gsize n)
{
  double sum = 0, squares = 0, mean, width;
  float lowest = INFINITY, highest = -INFINITY;
  gsize finite = 0;

  for (gsize i = 0; i < n; i++)
    if (isfinite (values[i]))
      {
        sum += (double) values[i];
        lowest = MIN (lowest, values[i]);
        highest = MAX (highest, values[i]);
        finite++;
      }
  if (finite == 0)
    return FALSE;
  mean = sum / (double) finite;
  for (gsize i = 0; i < n; i++)
    if (isfinite (values[i]))
      squares += ((double) values[i] - mean) * ((double) values[i] - mean);
    else
      values[i] = (float) mean;
  if (!(volume->grid.sigma > 0))
    {
      volume->grid.mean = mean;
      volume->grid.sigma = sqrt (squares / (double) finite);
    }
  if (!(volume->grid.sigma > 0)) /* a constant: any unit will do */
    volume->grid.sigma = 1;
  volume->lowest = (double) lowest;
  volume->highest = (double) highest;
  width = fmax (volume->highest - volume->lowest, 1e-30) / FLW_DENSITY_BINS;
  for (gsize i = 0; i < n; i++)
    volume
        ->histogram[CLAMP ((int) (((double) values[i] - volume->lowest) / width), 0, FLW_DENSITY_BINS - 1)]++;
  return TRUE;
}

/* The first planes again behind the last. */
static float *
repeat_edges (const guint n[3], const float *values)
{
  float *padded = g_new (float, (gsize) (n[0] + 1) * (n[1] + 1) * (n[2] + 1)), *to = padded;

  for (guint z = 0; z <= n[2]; z++)
    for (guint y = 0; y <= n[1]; y++)
      {
        const float *row = values + ((gsize) (z % n[2]) * n[1] + y % n[1]) * n[0];
        memcpy (to, row, n[0] * sizeof *to);
        to[n[0]] = row[0];
        to += n[0] + 1;
      }
  return padded;
}

/* Least and greatest along one axis of `from` (size[3]) into bricks of it. `reach`: points of a brick and a cell around. */
static void
reduce (const float *from, const int size[3], int axis, int bricks, gboolean periodic, gboolean least,
        float *to)
{
  gsize inner = 1, outer = 1;

  for (int a = 0; a < axis; a++)
    inner *= (gsize) size[a];
  for (int a = axis + 1; a < 3; a++)
    outer *= (gsize) size[a];
  for (gsize o = 0; o < outer; o++)
    for (int b = 0; b < bricks; b++)
      {
        float *out = to + (o * (gsize) bricks + (gsize) b) * inner;
        int first = b * FLW_DENSITY_BRICK - 1, last = (b + 1) * FLW_DENSITY_BRICK + 1;

        for (int i = first; i <= last; i++)
          {
            int at = periodic ? (i + size[axis] - 1) % (size[axis] - 1) : CLAMP (i, 0, size[axis] - 1);
            const float *in = from + (o * (gsize) size[axis] + (gsize) at) * inner;
            if (i == first)
              memcpy (out, in, inner * sizeof *out);
            else if (least)
              for (gsize j = 0; j < inner; j++)
                out[j] = in[j] < out[j] ? in[j] : out[j];
            else
              for (gsize j = 0; j < inner; j++)
                out[j] = in[j] > out[j] ? in[j] : out[j];
          }
      }
}

static float *
find_bricks (const FlwDensityVolume *volume, gboolean least)
{
  const FlwDensityStore *store = &volume->store;
  int size[3] = { store->points[0], store->points[1], store->points[2] };
  g_autofree float *first = NULL, *second = NULL;
  float *third;

  first = g_new (float, (gsize) size[0] * (gsize) size[1] * (gsize) store->bricks[2]);
  reduce (store->values, size, 2, store->bricks[2], volume->grid.periodic, least, first);
  size[2] = store->bricks[2];
  second = g_new (float, (gsize) size[0] * (gsize) store->bricks[1] * (gsize) size[2]);
  reduce (first, size, 1, store->bricks[1], volume->grid.periodic, least, second);
  size[1] = store->bricks[1];
  third = g_new (float, (gsize) store->bricks[0] * (gsize) size[1] * (gsize) size[2]);
  reduce (second, size, 0, store->bricks[0], volume->grid.periodic, least, third);
  return third;
}

FlwDensityVolume *
flw_density_volume_new (const FlwDensityGrid *grid, float *values, GError **error)
{
  g_autofree float *taken = values;
  g_autoptr (FlwDensityVolume) volume = g_new0 (FlwDensityVolume, 1);
  double n = (double) grid->n[0] * grid->n[1] * grid->n[2];

  g_atomic_ref_count_init (&volume->ref_count);
  volume->grid = *grid;
  volume->grid.unit = volume->unit = g_strdup (grid->unit);
  if (MIN (MIN (grid->n[0], grid->n[1]), grid->n[2]) < 2 || n > FLW_DENSITY_MAX_POINTS)
    {
      g_set_error (
          error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
          _ ("a grid of %u × %u × %u points cannot be shown: from 2 along each axis to %d in all are"),
          grid->n[0], grid->n[1], grid->n[2], FLW_DENSITY_MAX_POINTS);
      return NULL;
    }
  if (!invert (volume->grid.step, volume->to_grid))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   _ ("the map's grid has no volume: its axes lie in one plane"));
      return NULL;
    }
  if (!find_statistics (volume, taken, (gsize) n))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("the map has no finite value"));
      return NULL;
    }
  volume->values = grid->periodic ? repeat_edges (grid->n, taken) : g_steal_pointer (&taken);
  volume->store.values = volume->values;
  for (int a = 0; a < 3; a++)
    {
      volume->store.points[a] = (int) grid->n[a] + (grid->periodic ? 1 : 0);
      volume->store.cells[a] = volume->store.points[a] - 1;
      volume->store.bricks[a] = (volume->store.cells[a] + FLW_DENSITY_BRICK - 1) / FLW_DENSITY_BRICK;
    }
  volume->store.lowest = volume->brick_lowest = find_bricks (volume, TRUE);
  volume->store.highest = volume->brick_highest = find_bricks (volume, FALSE);
  return g_steal_pointer (&volume);
}

FlwDensityVolume *
flw_density_volume_ref (FlwDensityVolume *volume)
{
  g_atomic_ref_count_inc (&volume->ref_count);
  return volume;
}

void
flw_density_volume_unref (FlwDensityVolume *volume)
{
  if (!g_atomic_ref_count_dec (&volume->ref_count))
    return;
  g_free (volume->values);
  g_free (volume->brick_lowest);
  g_free (volume->brick_highest);
  g_free (volume->unit);
  g_free (volume);
}

const FlwDensityGrid *
flw_density_volume_grid (const FlwDensityVolume *volume)
{
  return &volume->grid;
}

void
flw_density_volume_range (const FlwDensityVolume *volume, double *lowest, double *highest)
{
  *lowest = volume->lowest;
  *highest = volume->highest;
}

const guint32 *
flw_density_volume_histogram (const FlwDensityVolume *volume)
{
  return volume->histogram;
}

void
flw_density_volume_to_grid (const FlwDensityVolume *volume, double to_grid[3][3])
{
  memcpy (to_grid, volume->to_grid, sizeof volume->to_grid);
}

double
flw_density_volume_at (const FlwDensityVolume *volume, const double place[3])
{
  const FlwDensityStore *store = &volume->store;
  double f[3], value = 0;
  int cell[3];

  for (int a = 0; a < 3; a++)
    {
      double g = 0;
      for (int x = 0; x < 3; x++)
        g += volume->to_grid[a][x] * (place[x] - volume->grid.origin[x]);
      if (volume->grid.periodic)
        g -= store->cells[a] * floor (g / store->cells[a]);
      if (!(g >= 0 && g <= store->cells[a]))
        return NAN;
      cell[a] = MIN ((int) g, store->cells[a] - 1);
      f[a] = g - cell[a];
    }
  for (int corner = 0; corner < 8; corner++)
    {
      gsize at = 0;
      double weight = 1;
      for (int a = 2; a >= 0; a--)
        {
          int far = corner >> a & 1;
          at = at * (gsize) store->points[a] + (gsize) (cell[a] + far);
          weight *= far ? f[a] : 1 - f[a];
        }
      value += weight * (double) store->values[at];
    }
  return value;
}

double
flw_density_volume_quantile (const FlwDensityVolume *volume, double upper)
{
  double above = 0, total = (double) volume->grid.n[0] * volume->grid.n[1] * volume->grid.n[2];
  int bin = FLW_DENSITY_BINS;

  while (bin > 0 && above < upper * total)
    above += volume->histogram[--bin];
  return volume->lowest + (volume->highest - volume->lowest) * bin / FLW_DENSITY_BINS;
}

double
flw_density_volume_threshold (const FlwDensityVolume *volume)
{
  double total = 0, sum = 0, below = 0, below_sum = 0, most = -1, best = FLW_DENSITY_BINS / 2.;

  for (int bin = 0; bin < FLW_DENSITY_BINS; bin++)
    {
      total += volume->histogram[bin];
      sum += (double) bin * volume->histogram[bin];
    }
  for (int bin = 0; bin < FLW_DENSITY_BINS - 1; bin++)
    {
      below += volume->histogram[bin];
      below_sum += (double) bin * volume->histogram[bin];
      if (!(below > 0) || !(below < total))
        continue;
      double nothing = below_sum / below, apart = (sum - below_sum) / (total - below) - nothing;
      if (below * (total - below) * apart * apart > most)
        {
          most = below * (total - below) * apart * apart;
          best = nothing + apart / 3 + 0.5;
        }
    }
  return volume->lowest + (volume->highest - volume->lowest) * best / FLW_DENSITY_BINS;
}

void
flw_density_volume_bounds (const FlwDensityVolume *volume, double centre[3], double *radius)
{
  *radius = 0;
  for (int x = 0; x < 3; x++)
    {
      centre[x] = volume->grid.origin[x];
      for (int a = 0; a < 3; a++)
        centre[x] += 0.5 * volume->store.cells[a] * volume->grid.step[a][x];
    }
  for (int corner = 0; corner < 4; corner++) /* the other four are as far */
    {
      double squares = 0;
      for (int x = 0; x < 3; x++)
        {
          double d = 0.5 * volume->store.cells[2] * volume->grid.step[2][x];
          for (int a = 0; a < 2; a++)
            d += (corner >> a & 1 ? 0.5 : -0.5) * volume->store.cells[a] * volume->grid.step[a][x];
          squares += d * d;
        }
      *radius = fmax (*radius, sqrt (squares));
    }
}

double
flw_density_volume_spread (const FlwDensityVolume *volume, double level, double centre[3])
{
  const FlwDensityStore *store = &volume->store;
  const FlwDensityGrid *grid = &volume->grid;
  double n = 0, sum[3] = { 0 }, squares = 0;
  gsize at = 0;

  for (int k = 0; k < store->points[2]; k++)
    for (int j = 0; j < store->points[1]; j++)
      for (int i = 0; i < store->points[0]; i++, at++)
        for (int x = 0; x < 3 && (double) store->values[at] > level; x++)
          {
            double place =
                grid->origin[x] + i * grid->step[0][x] + j * grid->step[1][x] + k * grid->step[2][x];
            n += x == 0;
            sum[x] += place;
            squares += place * place;
          }
  for (int x = 0; x < 3; x++)
    {
      centre[x] = sum[x] / fmax (n, 1);
      squares -= n * centre[x] * centre[x];
    }
  return sqrt (fmax (squares, 0) / fmax (n, 1));
}

const FlwDensityStore *
flw_density_volume_store (const FlwDensityVolume *volume)
{
  return &volume->store;
}
