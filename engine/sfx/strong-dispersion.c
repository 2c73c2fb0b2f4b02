/* strong-dispersion.c: the index of dispersion in a window, plain and extended (kernels/dispersion.h). */
#include "engine/sfx/strong-pixels.h"
#include "kernels/dispersion.h"

typedef struct
{
  gint32 kernel, min_local;
  double sigma_background, sigma_strong, global_threshold;
  FlkBuffer scratch;
} Dispersion;

static gpointer
make (const FlParams *params)
{
  Dispersion *self = g_new0 (Dispersion, 1);
  self->kernel = (gint32) fl_params_int (params, "spots.kernel");
  self->min_local = (gint32) fl_params_int (params, "spots.min_local");
  self->sigma_background = fl_params_real (params, "spots.sigma_background");
  self->sigma_strong = fl_params_real (params, "spots.sigma_strong");
  self->global_threshold = fl_params_real (params, "spots.global_threshold");
  return self;
}

static void
destroy (gpointer state, FlkDevice *device)
{
  Dispersion *self = state;
  flk_buffer_clear (device, &self->scratch);
  g_free (self);
}

static gboolean
launch (const Dispersion *self, const FlStrongShot *shot, guint8 *scratch, const char *const *kernels)
{
  const FlLayout *layout = shot->layout;
  FlkDispersionArgs args = {
    .pixels = shot->pixels,
    .panels = layout->panels,
    .n_panels = layout->n_panels,
    .tile_ss = layout->tile_ss,
    .half_fs = self->kernel,
    .half_ss = self->kernel,
    .min_local = self->min_local,
    .sigma_background = self->sigma_background,
    .sigma_strong = self->sigma_strong,
    .global_threshold = self->global_threshold,
    .gain = layout->gain,
    .gain_map = layout->gain_map,
    .strong = shot->strong,
    .scratch = scratch,
  };
  for (; *kernels != NULL; kernels++)
    if (!flk_launch (shot->device, *kernels, layout->teams, 0, &args, sizeof args))
      return FALSE;
  return TRUE;
}

static gboolean
find (gpointer state, const FlStrongShot *shot)
{
  static const char *const kernels[] = { "dispersion", NULL };
  return launch (state, shot, NULL, kernels);
}

static gboolean
find_extended (gpointer state, const FlStrongShot *shot)
{
  static const char *const kernels[] = { "dispersion_halo", "dispersion_erode", "dispersion_extended", NULL };
  Dispersion *self = state;
  guint8 *scratch = flk_buffer_need (shot->device, &self->scratch, shot->n_pixels);
  return scratch != NULL && launch (self, shot, scratch, kernels);
}

const FlStrongAlgorithm fl_strong_dispersion = { "dispersion", make, destroy, find, NULL, NULL, NULL };
const FlStrongAlgorithm fl_strong_dispersion_extended = {
  "dispersion_extended", make, destroy, find_extended, NULL, NULL, NULL
};
