/* strong-radial-profile.c: medians and interquartile ranges of 2θ bins on each panel (kernels/profile.h). */
#include "engine/sfx/strong-pixels.h"
#include "kernels/profile.h"

#include <math.h>
#include <string.h>

typedef struct
{
  double n_iqr;
  gint32 blur; /* FlkBlur */
  guint n_bins;

  guint version; /* of the layout that the bins were made for */
  guint16 *bin;
  guint32 *place, *start;
  FlkProfileArgs args;
  FlkBuffer bin_at, place_at, start_at, value_at, by_bin_at, limit_at;
} RadialProfile;

static gpointer
make (const FlParams *params)
{
  RadialProfile *self = g_new0 (RadialProfile, 1);
  self->n_iqr = fl_params_real (params, "radial_profile.n_iqr");
  self->blur = (gint32) fl_params_choice (params, "radial_profile.blur");
  self->n_bins = (guint) fl_params_int (params, "radial_profile.n_bins");
  return self;
}

static void
destroy (gpointer state, FlkDevice *device)
{
  RadialProfile *self = state;
  FlkBuffer *buffers[] = { &self->bin_at,   &self->place_at,  &self->start_at,
                           &self->value_at, &self->by_bin_at, &self->limit_at };
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    flk_buffer_clear (device, buffers[i]);
  g_free (self->bin);
  g_free (self->place);
  g_free (self->start);
  g_free (self);
}

/* Of the pixel's corner, as DIALS has it. */
static double
two_theta (const FlLayout *layout, const FlPanel *panel, guint fs, guint ss)
{
  return fl_two_theta (fl_vec3_add (fl_panel_position (panel, fs, ss), layout->shift));
}

/* Bins of equal width from the panel's least 2θ to its largest; `start[bin + 1]` counts their pixels. */
static void
fill_panel (RadialProfile *self, const FlLayout *layout, const FlPanel *panel, double *angle, guint32 *start)
{
  double least = INFINITY, most = -INFINITY, *at = angle;
  for (guint ss = 0; ss < panel->n_ss; ss++)
    for (guint fs = 0; fs < panel->n_fs; fs++)
      {
        *at = two_theta (layout, panel, fs, ss);
        least = MIN (least, *at);
        most = MAX (most, *at);
        at++;
      }
  double scale = self->n_bins / (most - least + 1e-10);
  at = angle;
  for (guint ss = 0; ss < panel->n_ss; ss++)
    for (guint fs = 0; fs < panel->n_fs; fs++)
      {
        guint bin = (guint) ((*at++ - least) * scale);
        bin = MIN (bin, self->n_bins - 1);
        self->bin[panel->offset + ss * panel->stride + fs] = (guint16) bin;
        start[bin + 1]++;
      }
}

static void
fill_places (RadialProfile *self, const FlPanel *panel, guint32 *next)
{
  for (guint ss = 0; ss < panel->n_ss; ss++)
    for (guint fs = 0; fs < panel->n_fs; fs++)
      {
        gsize i = panel->offset + ss * panel->stride + fs;
        self->place[i] = next[self->bin[i]]++;
      }
}

static void
fill_bins (RadialProfile *self, const FlLayout *layout)
{
  const FlDetector *detector = layout->detector;
  gsize n = detector->n_pixels, n_limits = (gsize) detector->n_panels * self->n_bins;
  g_autofree double *angle = g_new (double, n);
  self->bin = g_renew (guint16, self->bin, n);
  self->place = g_renew (guint32, self->place, n);
  self->start = g_renew (guint32, self->start, n_limits + 1);
  memset (self->bin, 0xff, n * sizeof *self->bin); /* FLK_PROFILE_NO_BIN */
  memset (self->start, 0, (n_limits + 1) * sizeof *self->start);
  for (guint p = 0; p < detector->n_panels; p++)
    fill_panel (self, layout, &detector->panels[p], angle, self->start + (gsize) p * self->n_bins);
  for (gsize i = 0; i < n_limits; i++)
    self->start[i + 1] += self->start[i];
  g_autofree guint32 *next = g_memdup2 (self->start, n_limits * sizeof *next);
  for (guint p = 0; p < detector->n_panels; p++)
    fill_places (self, &detector->panels[p], next + (gsize) p * self->n_bins);
}

/* The detector's part of the arguments. */
static gboolean
stage_bins (RadialProfile *self, const FlStrongShot *shot)
{
  const FlLayout *layout = shot->layout;
  FlkDevice *device = shot->device;
  FlkProfileArgs *a = &self->args;
  fill_bins (self, layout);
  gsize n = shot->n_pixels, n_limits = (gsize) layout->n_panels * self->n_bins;
  *a = (FlkProfileArgs){
    .panels = layout->panels,
    .n_panels = layout->n_panels,
    .tile_ss = layout->tile_ss,
    .bin = flk_stage (device, &self->bin_at, self->bin, n * sizeof *self->bin),
    .place = flk_stage (device, &self->place_at, self->place, n * sizeof *self->place),
    .start = flk_stage (device, &self->start_at, self->start, (n_limits + 1) * sizeof *self->start),
    .n_bins = self->n_bins,
    .blur = self->blur,
    .n_iqr = self->n_iqr,
    .gain = layout->gain,
    .gain_map = layout->gain_map,
    .value = flk_buffer_need (device, &self->value_at, n * sizeof *a->value),
    .by_bin = flk_buffer_need (device, &self->by_bin_at, n * sizeof *a->by_bin),
    .limit = flk_buffer_need (device, &self->limit_at, n_limits * sizeof *a->limit),
  };
  return a->bin != NULL && a->place != NULL && a->start != NULL && a->value != NULL && a->by_bin != NULL
         && a->limit != NULL && flk_sync (device);
}

static gboolean
find (gpointer state, const FlStrongShot *shot)
{
  RadialProfile *self = state;
  FlkProfileArgs *a = &self->args;
  const FlLayout *layout = shot->layout;
  if (self->version != layout->version && !stage_bins (self, shot))
    return FALSE;
  self->version = layout->version;
  a->pixels = shot->pixels;
  a->strong = shot->strong;
  return flk_launch (shot->device, "profile_values", layout->teams, 0, a, sizeof *a)
         && flk_launch (shot->device, "profile_limits", layout->n_panels * self->n_bins, 0, a, sizeof *a)
         && flk_launch (shot->device, "profile_strong", layout->teams, 0, a, sizeof *a);
}

const FlStrongAlgorithm fl_strong_radial_profile = {
  "radial_profile", make, destroy, find, NULL, NULL, NULL
};
