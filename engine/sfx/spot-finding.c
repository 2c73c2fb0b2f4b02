#include "engine/sfx/spot-finding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/sfx/layout.h"
#include "engine/sfx/strong-pixels.h"
#include "kernels/device.h"
#include "kernels/radial.h"
#include "kernels/spots.h"

#define PROFILE_SCALE 16.0 /* counts in steps of 1/16 */
/* That lists of spots first hold: of a GPU they are fetched whole. */
#define SPOTS_OF_PANEL 64
#define SPOTS_OF_SHOT  1024

/* The rules that decide about spots and hits. */
typedef struct
{
  guint min_size, max_size, min_spots, max_spots;
  double gain, max_separation, max_strong_fraction, min_resolution, max_resolution;
  double low_angle, high_angle; /* rad of 2θ */
} Rules;

struct FlSpotFinder
{
  Rules rules;
  FlkDevice *device;
  FlLayout layout;
  FlStrongPixels *algorithm;
  guint8 *mask; /* of a shot that brings its own, or has values that are bad */
  gsize n_mask;
  FlkBuffer pixels_at, mask_at, list_at, list_scratch_at, spots_at, counts_at, bins_at;
  FlkHostBuffer pixels_by, mask_by, counts_by, spots_by, bins_by;
  guint32 list_capacity, spot_capacity; /* a panel */

  /* the shot that was begun */
  const FlShot *shot;
  FlStrongShot begun;
  gboolean waits; /* the algorithm is to be told to go on */
  /* fetched: there after flk_sync() */
  const guint32 *counts; /* strong pixels, then spots, of each panel */
  const FlkSpot *raw;
  const FlkRadialBin *bins;

  guint8 *strong;
  gsize n_strong_bytes;

  GArray *spots; /* FlSpotRow */
  float *profile;
};

static Rules
read_rules (const FlParams *params)
{
  return (Rules){
    .min_size = (guint) fl_params_int (params, "spots.min_size"),
    .max_size = (guint) fl_params_int (params, "spots.max_size"),
    .min_spots = (guint) fl_params_int (params, "hit.min_spots"),
    .max_spots = (guint) fl_params_int (params, "hit.max_spots"),
    /* Unless it is given, the detector knows its gain. */
    .gain = fl_params_is_default (params, "spots.gain") ? 0 : fl_params_real (params, "spots.gain"),
    .max_separation = fl_params_real (params, "spots.max_separation"),
    .max_strong_fraction = fl_params_real (params, "spots.max_strong_fraction"),
    .min_resolution = fl_params_real (params, "spots.min_resolution"),
    .max_resolution = fl_params_real (params, "spots.max_resolution"),
    .low_angle = fl_radians (fl_params_real (params, "profile.two_theta_low")),
    .high_angle = fl_radians (fl_params_real (params, "profile.two_theta_high")),
  };
}

FlSpotFinder *
fl_spot_finder_new (const FlParams *params, guint index, char **message, GError **error)
{
  char why[1024] = "";
  FlkDevice *device = flk_device_open (fl_params_text (params, "engine.device"), index, 1, why, sizeof why);
  if (device == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "engine.device: %s", why);
      return NULL;
    }
  if (message != NULL)
    *message = g_strdup (why);
  FlSpotFinder *self = g_new0 (FlSpotFinder, 1);
  self->device = device;
  self->rules = read_rules (params);
  self->algorithm = fl_strong_pixels_new (params);
  self->list_capacity = 4096;
  self->spot_capacity = SPOTS_OF_PANEL;
  self->spots = g_array_new (FALSE, FALSE, sizeof (FlSpotRow));
  return self;
}

/* All that the device has of it. */
static void
leave_device (FlSpotFinder *finder)
{
  FlkBuffer *buffers[] = { &finder->pixels_at, &finder->mask_at,   &finder->list_at, &finder->list_scratch_at,
                           &finder->spots_at,  &finder->counts_at, &finder->bins_at };
  FlkHostBuffer *host_buffers[] = { &finder->pixels_by, &finder->mask_by, &finder->counts_by,
                                    &finder->spots_by, &finder->bins_by };
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    flk_buffer_clear (finder->device, buffers[i]);
  for (guint i = 0; i < G_N_ELEMENTS (host_buffers); i++)
    flk_host_buffer_clear (finder->device, host_buffers[i]);
  fl_strong_pixels_free (finder->algorithm, finder->device);
  fl_layout_clear (&finder->layout, finder->device);
  finder->begun = (FlStrongShot){ 0 };
}

FlkDevice *
fl_spot_finder_change_device (FlSpotFinder *finder, const FlParams *params, FlkDevice *device)
{
  leave_device (finder);
  FlkDevice *before = finder->device;
  finder->device = device;
  finder->algorithm = fl_strong_pixels_new (params);
  return before;
}

void
fl_spot_finder_free (FlSpotFinder *finder)
{
  if (finder == NULL)
    return;
  leave_device (finder);
  flk_device_close (finder->device);
  g_array_unref (finder->spots);
  g_free (finder->mask);
  g_free (finder->strong);
  g_free (finder->profile);
  g_free (finder);
}

const char *
fl_spot_finder_device (const FlSpotFinder *finder)
{
  return flk_device_description (finder->device);
}

FlkDevice *
fl_spot_finder_stream (FlSpotFinder *finder)
{
  return finder->device;
}

double
fl_spot_finder_gain (const FlSpotFinder *finder)
{
  return finder->layout.gain;
}

static gboolean
device_failed (const FlSpotFinder *finder, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s", flk_error (finder->device));
  return FALSE;
}

/* --- pixels to strong pixels to lists of spots --- */

/* The mask of this shot; NULL on a device error. */
static const guint8 *
stage_mask (FlSpotFinder *finder, const FlShot *shot, const FlDetector *detector)
{
  const FlLayout *layout = &finder->layout;
  if (shot->mask == NULL && !layout->bad_values)
    return layout->mask;
  const guint8 *mask = shot->mask;
  if (layout->bad_values)
    {
      if (finder->n_mask < shot->n_pixels)
        finder->mask = g_realloc (finder->mask, finder->n_mask = shot->n_pixels);
      memcpy (finder->mask, mask != NULL ? mask : detector->mask, shot->n_pixels);
      fl_shot_flag_pixels (shot, detector, finder->mask);
      mask = finder->mask;
    }
  return flk_stage_by (finder->device, &finder->mask_at, &finder->mask_by, mask, shot->n_pixels);
}

/* counts[] and raw[] are there when the device has done it. */
static gboolean
list_spots (FlSpotFinder *finder)
{
  FlkDevice *device = finder->device;
  const FlStrongShot *strong = &finder->begun;
  gsize n = finder->layout.n_panels, list = finder->list_capacity, kept = finder->spot_capacity;
  FlkSpotsArgs args = {
    .pixels = strong->pixels,
    .panels = finder->layout.panels,
    .n_panels = (guint32) n,
    .list_capacity = finder->list_capacity,
    .spot_capacity = finder->spot_capacity,
    .min_pixels = finder->rules.min_size,
    .strong = strong->strong,
    .list = flk_buffer_need (device, &finder->list_at, n * list * sizeof (guint32)),
    .scratch = flk_buffer_need (device, &finder->list_scratch_at, 2 * n * list * sizeof (guint32)),
    .spots = flk_buffer_need (device, &finder->spots_at, n * kept * sizeof (FlkSpot)),
    .n_strong = flk_buffer_need (device, &finder->counts_at, 2 * n * sizeof (guint32)),
  };
  if (args.list == NULL || args.scratch == NULL || args.spots == NULL || args.n_strong == NULL)
    return FALSE;
  args.n_spots = args.n_strong + n;
  fl_strong_pixels_connect (finder->algorithm, &args);
  if (!flk_launch (device, "spots", (guint32) n, 0, &args, sizeof args)
      || !fl_strong_pixels_judge (finder->algorithm, strong, &args))
    return FALSE;
  finder->counts = flk_fetch_later (device, &finder->counts_by, args.n_strong, 2 * n * sizeof (guint32));
  finder->raw = flk_fetch_later (device, &finder->spots_by, args.spots, n * kept * sizeof (FlkSpot));
  return finder->counts != NULL && finder->raw != NULL;
}

/* Whether the lists were long enough for all; else they will be. */
static gboolean
lists_hold_all (FlSpotFinder *finder)
{
  gsize n = finder->layout.n_panels;
  guint32 most_strong = 0, most_spots = 0;
  for (gsize i = 0; i < n; i++)
    {
      most_strong = MAX (most_strong, finder->counts[i]);
      most_spots = MAX (most_spots, finder->counts[n + i]);
    }
  if (most_strong <= finder->list_capacity && most_spots <= finder->spot_capacity)
    return TRUE;
  /* With a list too short the number of spots is not known, but it is not larger than that of strong pixels. */
  finder->list_capacity = MAX (finder->list_capacity, most_strong + most_strong / 4);
  finder->spot_capacity = MAX (finder->spot_capacity, most_spots + most_spots / 4);
  return FALSE;
}

/* --- spots to rows --- */

static void
add_spot (FlSpotFinder *finder, const FlShot *shot, guint panel_index, const FlkSpot *spot, double wavelength)
{
  const Rules *rules = &finder->rules;
  const FlPanel *panel = &finder->layout.detector->panels[panel_index];
  double apart = hypot (spot->peak_fs + 0.5 - spot->fs, spot->peak_ss + 0.5 - spot->ss), d = 0;
  if (spot->n_pixels == 0)
    return;
  if (!fl_strong_pixels_judges (finder->algorithm)
      && (spot->n_pixels < rules->min_size || spot->n_pixels > rules->max_size
          || apart > rules->max_separation))
    return;
  if (finder->layout.n_bins > 0 && wavelength > 0)
    d = fl_resolution (fl_vec3_add (fl_panel_position (panel, spot->fs, spot->ss), shot->shift), wavelength);
  if (d > 0 && ((rules->min_resolution > 0 && d > rules->min_resolution) || d < rules->max_resolution))
    return;
  double below = spot->n_pixels * (double) spot->background;
  /* Poisson counts of `gain` each, and the error of the background's mean. */
  const FlLayout *layout = &finder->layout;
  double gain = layout->host_gain != NULL ? (double) layout->host_gain[panel->offset] : layout->gain;
  double spread = spot->n_background > 0 ? spot->n_pixels / (double) spot->n_background : 0;
  double variance = gain * (fabs (spot->intensity) + fabs (below) * spread);
  FlSpotRow row = { .shot = shot->id,
                    .panel = (guint16) panel_index,
                    .pixels = (guint16) MIN (spot->n_pixels, G_MAXUINT16),
                    .fs = (float) spot->fs,
                    .ss = (float) spot->ss,
                    .var_fs = (float) spot->var_fs,
                    .var_ss = (float) spot->var_ss,
                    .intensity = (float) (spot->intensity - below),
                    .var_intensity = (float) variance,
                    .peak = spot->peak,
                    .background = spot->background,
                    .d = (float) d };
  g_array_append_val (finder->spots, row);
}

static gboolean
collect (FlSpotFinder *finder, FlFound *found, GError **error)
{
  const FlLayout *layout = &finder->layout;
  const FlShot *shot = finder->shot;
  gsize n = layout->n_panels, kept = finder->spot_capacity;
  double wavelength =
      shot->energy > 0 ? fl_wavelength_from_energy (shot->energy) : layout->detector->wavelength;
  found->n_strong = 0;
  for (gsize i = 0; i < n; i++)
    found->n_strong += finder->counts[i];
  if ((double) found->n_strong > finder->rules.max_strong_fraction * (double) layout->n_good)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%" G_GUINT64_FORMAT " of %" G_GSIZE_FORMAT
                   " pixels are strong, expected at most %g of them "
                   "(spots.max_strong_fraction)",
                   found->n_strong, layout->n_good, finder->rules.max_strong_fraction);
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < finder->counts[n + i]; k++)
      add_spot (finder, shot, i, &finder->raw[i * kept + k], wavelength);
  return TRUE;
}

static int
by_number (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

double
fl_spots_resolution (const FlSpotRow *spots, guint n_spots)
{
  g_autofree float *d = g_new (float, n_spots + 1);
  guint n = 0;
  for (guint i = 0; i < n_spots; i++)
    if (spots[i].d > 0 && isfinite (spots[i].d))
      d[n++] = spots[i].d;
  guint out = MAX (2, n / 50);
  if (n <= out)
    return 0;
  qsort (d, n, sizeof *d, by_number);
  return d[out];
}

/* --- the radial profile --- */

static double
profile_at (const FlSpotFinder *finder, double angle)
{
  double sum = 0, n = 0, at = angle / FL_PROFILE_STEP - 0.5;
  for (int k = -1; k <= 1; k++)
    {
      double bin = floor (at + 0.5) + k;
      if (bin >= 0 && bin < finder->layout.n_bins)
        {
          sum += flk_radial_sum (&finder->bins[(guint) bin], PROFILE_SCALE);
          n += (double) finder->bins[(guint) bin].n;
        }
    }
  return n > 0 ? sum / n : -1;
}

/* bins[] is there when the device has done it. */
static gboolean
sum_rings (FlSpotFinder *finder)
{
  const FlLayout *layout = &finder->layout;
  FlkDevice *device = finder->device;
  gsize size = layout->n_bins * sizeof (FlkRadialBin);
  if (layout->n_bins == 0)
    return TRUE;
  FlkRadialArgs args = { .pixels = finder->begun.pixels,
                         .panels = layout->radial_panels,
                         .n_panels = layout->n_panels,
                         .tile_ss = layout->tile_ss,
                         .bin = layout->bin,
                         .n_bins = layout->n_bins,
                         .scale = (float) PROFILE_SCALE,
                         .bins = flk_buffer_need (device, &finder->bins_at, size) };
  if (args.bins == NULL || !flk_zero (device, args.bins, size)
      || !flk_launch (device, "radial", layout->radial_teams, 0, &args, sizeof args))
    return FALSE;
  finder->bins = flk_fetch_later (device, &finder->bins_by, args.bins, size);
  return finder->bins != NULL;
}

static void
make_profile (FlSpotFinder *finder, FlFound *found)
{
  guint n = finder->layout.n_bins;
  const FlkRadialBin *bins = finder->bins;
  if (n == 0)
    return;
  finder->profile = g_renew (float, finder->profile, n);
  for (guint i = 0; i < n; i++)
    finder->profile[i] =
        bins[i].n > 0 ? (float) (flk_radial_sum (&bins[i], PROFILE_SCALE) / (double) bins[i].n) : NAN;
  double low = profile_at (finder, finder->rules.low_angle);
  double high = profile_at (finder, finder->rules.high_angle);
  found->n_bins = n;
  found->profile = finder->profile;
  found->solvent = low > 0 && high >= 0 ? (float) (high / low) : 0;
}

/* --- */

gboolean
fl_spot_finder_begin (FlSpotFinder *finder, const FlShot *shot, FlDetector *detector, GError **error)
{
  FlkDevice *device = finder->device;
  finder->shot = shot;
  finder->waits = fl_strong_pixels_waits (finder->algorithm);
  if (!fl_layout_update (&finder->layout, device, detector, shot, finder->rules.gain))
    return device_failed (finder, error);
  finder->spot_capacity = MAX (finder->spot_capacity, SPOTS_OF_SHOT / MAX (finder->layout.n_panels, 1));
  FlkPixels pixels = {
    .data = flk_stage_by (device, &finder->pixels_at, &finder->pixels_by, shot->pixels,
                          shot->n_pixels * fl_pixel_size (shot->type)),
    .mask = stage_mask (finder, shot, detector),
    .factor_all = 1,
    .type = (int32_t) shot->type,
  };
  finder->begun = (FlStrongShot){
    .device = device, .layout = &finder->layout, .pixels = pixels, .n_pixels = shot->n_pixels
  };
  if (pixels.data == NULL || pixels.mask == NULL || !fl_strong_pixels_find (finder->algorithm, &finder->begun)
      || (!finder->waits && !(list_spots (finder) && sum_rings (finder))))
    return device_failed (finder, error);
  return TRUE;
}

gboolean
fl_spot_finder_push (FlSpotFinder *finder, GError **error)
{
  if (!finder->waits)
    return TRUE;
  finder->waits = FALSE;
  if (!flk_sync (finder->device) || !fl_strong_pixels_go_on (finder->algorithm, &finder->begun)
      || !list_spots (finder) || !sum_rings (finder))
    return device_failed (finder, error);
  return TRUE;
}

gboolean
fl_spot_finder_end (FlSpotFinder *finder, FlFound *found, GError **error)
{
  const Rules *rules = &finder->rules;
  *found = (FlFound){ 0 };
  g_array_set_size (finder->spots, 0);
  if (!fl_spot_finder_push (finder, error))
    return FALSE;
  gboolean good = flk_sync (finder->device);
  while (good && !lists_hold_all (finder))
    good = list_spots (finder) && flk_sync (finder->device);
  if (!good)
    return device_failed (finder, error);
  make_profile (finder, found);
  if (!collect (finder, found, error))
    return FALSE;
  found->spots = (const FlSpotRow *) (void *) finder->spots->data;
  found->n_spots = finder->spots->len;
  found->hit =
      found->n_spots >= rules->min_spots && (rules->max_spots == 0 || found->n_spots <= rules->max_spots);
  found->resolution = (float) fl_spots_resolution (found->spots, found->n_spots);
  return TRUE;
}

gboolean
fl_spot_finder_find (FlSpotFinder *finder, const FlShot *shot, FlDetector *detector, FlFound *found,
                     GError **error)
{
  return fl_spot_finder_begin (finder, shot, detector, error) && fl_spot_finder_end (finder, found, error);
}

const guint8 *
fl_spot_finder_strong (FlSpotFinder *finder, GError **error)
{
  gsize n = finder->layout.detector != NULL ? finder->layout.detector->n_pixels : 0;
  if (finder->n_strong_bytes < n)
    finder->strong = g_realloc (finder->strong, finder->n_strong_bytes = n);
  const guint8 *strong = n > 0 ? flk_fetch (finder->device, finder->strong, finder->begun.strong, n) : NULL;
  if (strong == NULL)
    device_failed (finder, error);
  return strong;
}
