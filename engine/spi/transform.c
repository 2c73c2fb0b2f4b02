#include "engine/spi/transform.h"

#include <string.h>

#include "engine/base/error.h"
#include "kernels/device.h"
#include "kernels/fft.h"

FlTransform *
fl_transform_new (guint n_least, GError **error)
{
  g_autoptr (FlTransform) t = g_new0 (FlTransform, 1);
  char message[256] = "";
  t->n = flk_fft_good_size (n_least);
  if (t->n == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "a volume of %u points a side is too large, expected at most %d", n_least, FLK_FFT_MAX);
      return NULL;
    }
  t->device = flk_device_open ("cpu", 0, 1, message, sizeof message);
  if (t->device != NULL)
    {
      t->fft = flk_fft_new (t->device, (const uint32_t[3]){ t->n, t->n, t->n }, FLK_F32);
      t->grid = flk_alloc (t->device, fl_transform_points (t) * sizeof *t->grid);
    }
  if (t->fft == NULL || t->grid == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "a transform of %u³ points: %s", t->n,
                   t->device != NULL ? flk_error (t->device) : message);
      return NULL;
    }
  return g_steal_pointer (&t);
}

void
fl_transform_free (FlTransform *t)
{
  if (t == NULL)
    return;
  if (t->fft != NULL)
    flk_fft_free (t->fft);
  if (t->grid != NULL)
    flk_free (t->device, t->grid);
  if (t->device != NULL)
    flk_device_close (t->device);
  g_free (t);
}

/* The voxels −half … half about the middle that both have. */
static int
common_half (const FlTransform *t, const FlVolume *volume)
{
  return MIN ((int) (volume->m - 1) / 2, (int) t->n / 2 - 1);
}

static gsize
at_volume (const FlVolume *volume, int x, int y, int z)
{
  int m = (int) volume->m, h = (m - 1) / 2;
  return (gsize) (((z + h) * m + y + h) * m + x + h);
}

void
fl_transform_put (FlTransform *t, const FlVolume *real, const FlVolume *imaginary)
{
  float *grid = (float *) t->grid;
  memset (t->grid, 0, fl_transform_points (t) * sizeof *t->grid);
  for (int part = 0; part < 2; part++)
    {
      const FlVolume *volume = part ? imaginary : real;
      int half = volume != NULL ? common_half (t, volume) : -1;
      for (int z = -half; z <= half; z++)
        for (int y = -half; y <= half; y++)
          for (int x = -half; x <= half; x++)
            grid[2 * fl_transform_at (t, x, y, z) + (gsize) part] = volume->data[at_volume (volume, x, y, z)];
    }
}

void
fl_transform_take (const FlTransform *t, float scale, FlVolume *real, FlVolume *imaginary)
{
  const float *grid = (const float *) t->grid;
  for (int part = 0; part < 2; part++)
    {
      FlVolume *volume = part ? imaginary : real;
      if (volume == NULL)
        continue;
      int half = common_half (t, volume);
      memset (volume->data, 0, fl_volume_points (volume) * sizeof *volume->data);
      for (int z = -half; z <= half; z++)
        for (int y = -half; y <= half; y++)
          for (int x = -half; x <= half; x++)
            volume->data[at_volume (volume, x, y, z)] =
                scale * grid[2 * fl_transform_at (t, x, y, z) + (gsize) part];
    }
}

void
fl_transform_run (FlTransform *t, gboolean inverse)
{
  /* Host memory and a plan that exists: nothing is left that could fail. */
  if (!flk_fft_run (t->fft, t->grid, inverse) || !flk_sync (t->device))
    g_error ("transform of %u³ points: %s", t->n, flk_error (t->device));
}
