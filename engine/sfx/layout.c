#include "engine/sfx/layout.h"

#include <math.h>
#include <string.h>

#include "kernels/radial.h"

/* Pixels that the profile is made of, about: a bin of 0.1° then holds hundreds where it matters, and the profile costs
 * less than the threshold. */
#define PROFILE_PIXELS   (1u << 18)
#define SHIFT_TOLERANCE  0.02 /* mm: a small part of a pixel on the profile */
#define ENERGY_TOLERANCE 1e-3 /* of the gain of a detector that counts in eV */

static gboolean
panel_equal (const FlPanel *a, const FlPanel *b)
{
  return a->n_fs == b->n_fs && a->n_ss == b->n_ss && a->offset == b->offset && a->stride == b->stride
         && memcmp (&a->origin, &b->origin, sizeof a->origin) == 0
         && memcmp (&a->fs, &b->fs, sizeof a->fs) == 0 && memcmp (&a->ss, &b->ss, sizeof a->ss) == 0
         && a->gain == b->gain && a->counts_per_ev == b->counts_per_ev && a->trusted_min == b->trusted_min
         && a->trusted_max == b->trusted_max && a->n_bad_values == b->n_bad_values
         && (a->n_bad_values == 0
             || memcmp (a->bad_values, b->bad_values, a->n_bad_values * sizeof (double)) == 0);
}

gboolean
fl_detector_equal (const FlDetector *a, const FlDetector *b)
{
  if (a == b)
    return TRUE;
  if (a == NULL || b == NULL || a->n_panels != b->n_panels || a->n_pixels != b->n_pixels
      || a->placed != b->placed)
    return FALSE;
  for (guint i = 0; i < a->n_panels; i++)
    if (!panel_equal (&a->panels[i], &b->panels[i]))
      return FALSE;
  return memcmp (a->mask, b->mask, a->n_pixels) == 0;
}

static void
fill_panels (FlLayout *layout, guint32 tile_ss)
{
  const FlDetector *detector = layout->detector;
  layout->n_panels = detector->n_panels;
  layout->host_panels = g_renew (FlkPanel, layout->host_panels, detector->n_panels);
  layout->bad_values = FALSE;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *panel = &detector->panels[i];
      layout->host_panels[i] = (FlkPanel){ .offset = panel->offset,
                                           .stride = panel->stride,
                                           .n_fs = panel->n_fs,
                                           .n_ss = panel->n_ss,
                                           .trusted_min = panel->trusted_min,
                                           .trusted_max = panel->trusted_max };
      layout->bad_values = layout->bad_values || panel->n_bad_values > 0;
    }
  layout->tile_ss = tile_ss;
  layout->teams = flk_panels_tile (layout->host_panels, detector->n_panels, tile_ss);
}

static guint
profile_step (const FlDetector *detector)
{
  return (guint) MAX (1, detector->n_pixels / PROFILE_PIXELS);
}

static void
fill_radial_panels (FlLayout *layout)
{
  guint n = layout->n_panels, step = profile_step (layout->detector);
  layout->host_radial_panels = g_renew (FlkPanel, layout->host_radial_panels, n);
  for (guint i = 0; i < n; i++)
    {
      FlkPanel *panel = &layout->host_radial_panels[i];
      *panel = layout->host_panels[i];
      panel->n_ss = (panel->n_ss + step - 1) / step;
      panel->stride *= step;
    }
  layout->radial_teams = flk_panels_tile (layout->host_radial_panels, n, layout->tile_ss);
}

#define FOR_EACH_ROW(panel, ss, step, detector)                                                              \
  for (const FlPanel *panel = (detector)->panels; panel < (detector)->panels + (detector)->n_panels;         \
       panel++)                                                                                              \
    for (guint ss = 0; ss < panel->n_ss; ss += step)

static gsize
count_good (const FlDetector *detector)
{
  gsize good = 0;
  FOR_EACH_ROW (panel, ss, 1, detector)
  for (guint fs = 0; fs < panel->n_fs; fs++)
    good += detector->mask[panel->offset + ss * panel->stride + fs] == 0;
  return good;
}

static void
fill_bins (FlLayout *layout)
{
  const FlDetector *detector = layout->detector;
  guint last = 0;
  layout->n_bins = 0;
  g_clear_pointer (&layout->host_bin, g_free);
  if (!detector->placed)
    return;
  layout->host_bin = g_new (guint16, detector->n_pixels);
  memset (layout->host_bin, 0xff, detector->n_pixels * sizeof (guint16)); /* FLK_RADIAL_NO_BIN */
  FOR_EACH_ROW (panel, ss, profile_step (detector), detector)
  for (guint fs = 0; fs < panel->n_fs; fs++)
    {
      FlVec3 at = fl_vec3_add (fl_panel_position (panel, fs + 0.5, ss + 0.5), layout->shift);
      guint bin = (guint) (fl_two_theta (at) / FL_PROFILE_STEP);
      layout->host_bin[panel->offset + ss * panel->stride + fs] = (guint16) bin;
      last = MAX (last, bin);
    }
  layout->n_bins = last + 1;
}

static double
panel_gain (const FlPanel *panel, double energy)
{
  double gain = panel->counts_per_ev > 0 && energy > 0 ? panel->counts_per_ev * energy : panel->gain;
  return gain > 0 ? gain : 1;
}

static void
fill_gain (FlLayout *layout, double gain)
{
  const FlDetector *detector = layout->detector;
  gboolean same = TRUE;
  g_clear_pointer (&layout->host_gain, g_free);
  layout->gain = gain > 0 ? gain : panel_gain (&detector->panels[0], layout->energy);
  for (guint i = 0; gain <= 0 && i < detector->n_panels; i++)
    same = same && panel_gain (&detector->panels[i], layout->energy) == layout->gain;
  if (same)
    return;
  layout->host_gain = g_new0 (float, detector->n_pixels);
  FOR_EACH_ROW (panel, ss, 1, detector)
  for (guint fs = 0; fs < panel->n_fs; fs++)
    layout->host_gain[panel->offset + ss * panel->stride + fs] = (float) panel_gain (panel, layout->energy);
}

static gboolean
stage (FlLayout *layout, FlkDevice *device)
{
  const FlDetector *detector = layout->detector;
  gsize n = detector->n_pixels;
  layout->panels = flk_stage (device, &layout->on_device[0], layout->host_panels,
                              layout->n_panels * sizeof *layout->host_panels);
  layout->radial_panels = flk_stage (device, &layout->on_device[4], layout->host_radial_panels,
                                     layout->n_panels * sizeof *layout->host_radial_panels);
  layout->mask = flk_stage (device, &layout->on_device[1], detector->mask, n);
  layout->gain_map = NULL;
  layout->bin = NULL;
  if (layout->host_gain != NULL)
    layout->gain_map = flk_stage (device, &layout->on_device[2], layout->host_gain, n * sizeof (float));
  if (layout->host_bin != NULL)
    layout->bin = flk_stage (device, &layout->on_device[3], layout->host_bin, n * sizeof (guint16));
  return layout->panels != NULL && layout->radial_panels != NULL && layout->mask != NULL
         && (layout->gain_map != NULL) == (layout->host_gain != NULL)
         && (layout->bin != NULL) == (layout->host_bin != NULL) && flk_sync (device);
}

gboolean
fl_layout_update (FlLayout *layout, FlkDevice *device, FlDetector *detector, const FlShot *shot, double gain)
{
  gboolean same = fl_detector_equal (layout->detector, detector);
  gboolean in_place = same && fl_vec3_norm (fl_vec3_sub (layout->shift, shot->shift)) < SHIFT_TOLERANCE;
  gboolean by_energy = gain <= 0 && detector->panels[0].counts_per_ev > 0;
  gboolean same_gain = same && (!by_energy || fabs (shot->energy / layout->energy - 1) < ENERGY_TOLERANCE);
  if (in_place && same_gain)
    return TRUE;
  layout->version++;
  if (!same)
    {
      g_clear_pointer (&layout->detector, fl_detector_unref);
      layout->detector = fl_detector_ref (detector);
      fill_panels (layout, flk_device_tile_ss (device));
      fill_radial_panels (layout);
      layout->n_good = count_good (detector);
    }
  if (!in_place)
    {
      layout->shift = shot->shift;
      fill_bins (layout);
    }
  if (!same_gain)
    {
      layout->energy = shot->energy;
      fill_gain (layout, gain);
    }
  return stage (layout, device);
}

void
fl_layout_clear (FlLayout *layout, FlkDevice *device)
{
  for (guint i = 0; i < G_N_ELEMENTS (layout->on_device); i++)
    flk_buffer_clear (device, &layout->on_device[i]);
  g_clear_pointer (&layout->detector, fl_detector_unref);
  g_free (layout->host_panels);
  g_free (layout->host_radial_panels);
  g_free (layout->host_gain);
  g_free (layout->host_bin);
  memset (layout, 0, sizeof *layout);
}
