#include "engine/spi/contrast.h"

#include <math.h>

static float *
upload (FlkDevice *device, const float *values, guint n)
{
  float *memory = flk_alloc (device, n * sizeof *values);
  if (memory != NULL && flk_upload (device, memory, values, n * sizeof *values) && flk_sync (device))
    return memory;
  flk_free (device, memory);
  return NULL;
}

FlContrast *
fl_contrast_new (FlkDevice *device, const FlSpiStage *stage)
{
  const FlBinning *binning = stage->binning;
  guint n = binning->n;
  g_autoptr (FlContrast) contrast = g_new0 (FlContrast, 1);
  g_autofree float *shape = g_new (float, n), *background = g_new0 (float, n), *counted = g_new (float, n);
  double sum = 0;
  for (guint i = 0; i < n; i++)
    {
      shape[i] = 1 / stage->radial[i];
      counted[i] = binning->factor[i] * stage->radial[i];
      background[i] = binning->background != NULL ? binning->background[i] / counted[i] : 0;
      sum += counted[i] * (1 + background[i]);
    }
  contrast->device = device;
  contrast->log_sum = log (sum);
  contrast->shape = upload (device, shape, n);
  contrast->background = upload (device, background, n);
  contrast->counted = upload (device, counted, n);
  return contrast->shape != NULL && contrast->background != NULL && contrast->counted != NULL
             ? g_steal_pointer (&contrast)
             : NULL;
}

void
fl_contrast_free (FlContrast *contrast)
{
  if (contrast == NULL)
    return;
  flk_free (contrast->device, contrast->shape);
  flk_free (contrast->device, contrast->background);
  flk_free (contrast->device, contrast->counted);
  g_free (contrast);
}

FlkSlicesOut
fl_contrast_slices (const FlContrast *contrast, float *log_model, float *log_sum)
{
  return (FlkSlicesOut){ .scale = 1,
                         .floor = FL_CONTRAST_FLOOR,
                         .factor = contrast->shape,
                         .background = contrast->background,
                         .counted = contrast->counted,
                         .log_model = log_model,
                         .log_sum = log_sum };
}
