#include "engine/spi/pattern-detector.h"

#include <errno.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/hdf5-util.h"

#define MOST_PIXELS 268435456 /* more is damage */

gboolean
fl_pattern_pixels_normalise (FlPatternPixels *pixels)
{
  double sum = 0;
  guint good = 0;
  for (guint i = 0; i < pixels->n; i++)
    {
      FlVec3 s = pixels->s[i];
      if (!(pixels->factor[i] > 0 && isfinite (pixels->factor[i]) && isfinite (fl_vec3_norm (s))))
        {
          pixels->mask[i] = FL_PATTERN_BAD;
          pixels->factor[i] = 0;
          pixels->s[i] = isfinite (fl_vec3_norm (s)) ? s : fl_vec3 (0, 0, 0);
        }
      if (pixels->mask[i] == FL_PATTERN_BAD)
        continue;
      sum += (double) pixels->factor[i];
      good++;
    }
  for (guint i = 0; i < pixels->n && good > 0; i++)
    pixels->factor[i] = (float) ((double) pixels->factor[i] * good / sum);
  return good > 0;
}

/* --- Dragonfly's --- */

static FlPatternPixels *
finish (FlPatternPixels *pixels, const char *path, double radius, GError **error)
{
  for (guint i = 0; i < pixels->n; i++)
    pixels->s[i] = fl_vec3_scale (pixels->s[i], 1 / (radius * pixels->wavelength));
  if (fl_pattern_pixels_normalise (pixels))
    return pixels;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has no good pixel, expected some of mask 0", path);
  fl_pattern_pixels_free (pixels);
  return NULL;
}

static gboolean
check_numbers (const char *path, double wavelength, double radius, GError **error)
{
  if (!(radius > 0 && isfinite (radius)))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: ewald_rad is %g, expected voxels, above 0", path,
                 radius);
  else if (!(wavelength > 0 && isfinite (wavelength)))
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: tells no wavelength, expected patterns.wavelength",
                 path);
  else
    return TRUE;
  return FALSE;
}

static guint8
mask_of (double value)
{
  return value == 0 ? FL_PATTERN_GOOD : value == 1 ? FL_PATTERN_MERGED : FL_PATTERN_BAD;
}

static FlPatternPixels *
read_hdf5 (const char *path, double wavelength, GError **error)
{
  static const char *const names[] = { "qx", "qy", "qz", "corr", "mask" };
  g_auto (FlHid) file = fl_h5_open (path, error);
  if (file < 0)
    return NULL;
  double radius = fl_h5_read_number (file, "ewald_rad", fl_h5_read_number (file, "detd", 0));
  double told = fl_h5_read_number (file, "wavelength", 0);
  if (!check_numbers (path, told > 0 ? told : wavelength, radius, error))
    return NULL;
  g_autoptr (FlPatternPixels) pixels = NULL;
  for (guint c = 0; c < G_N_ELEMENTS (names); c++)
    {
      gsize n = 0;
      g_autofree double *values = fl_h5_read_numbers (file, path, names[c], MOST_PIXELS, &n, error);
      if (values == NULL)
        return NULL;
      if (pixels == NULL)
        pixels = fl_pattern_pixels_new ((guint) n);
      if (n != pixels->n)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: /%s has %" G_GSIZE_FORMAT " values, expected %u",
                       path, names[c], n, pixels->n);
          return NULL;
        }
      for (gsize i = 0; i < n; i++)
        {
          if (c < 3)
            (&pixels->s[i].x)[c] = values[i];
          else if (c == 3)
            pixels->factor[i] = (float) values[i];
          else
            pixels->mask[i] = mask_of (values[i]);
        }
    }
  pixels->wavelength = told > 0 ? told : wavelength;
  return finish (g_steal_pointer (&pixels), path, radius, error);
}

/* The next number of `at`; NAN when there is none. */
static double
next_number (const char **at)
{
  char *end;
  double value = g_ascii_strtod (*at, &end);
  if (end == *at)
    return NAN;
  *at = end;
  return value;
}

static FlPatternPixels *
read_text (const char *path, double wavelength, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  GError *why = NULL;
  if (!g_file_get_contents (path, &text, &length, &why))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path, why->message);
      g_error_free (why);
      return NULL;
    }
  const char *at = text;
  double n = next_number (&at), distance = next_number (&at), radius = next_number (&at);
  /* A line has at least ten characters. */
  if (!(n >= 1 && n <= MOST_PIXELS && n * 10 <= (double) length && distance > 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: no detector file, expected a first line of pixels, detd and ewald_rad", path);
      return NULL;
    }
  if (!check_numbers (path, wavelength, radius, error))
    return NULL;
  g_autoptr (FlPatternPixels) pixels = fl_pattern_pixels_new ((guint) n);
  pixels->wavelength = wavelength;
  for (guint i = 0; i < pixels->n; i++)
    {
      double x = next_number (&at), y = next_number (&at), z = next_number (&at), corr = next_number (&at),
             mask = next_number (&at);
      if (isnan (mask))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                       "%s: pixel %u is not qx, qy, qz, corr and mask, expected %u such lines", path, i,
                       pixels->n);
          return NULL;
        }
      pixels->s[i] = fl_vec3 (x, y, z);
      pixels->factor[i] = (float) corr;
      pixels->mask[i] = mask_of (mask);
    }
  return finish (g_steal_pointer (&pixels), path, radius, error);
}

FlPatternPixels *
fl_pattern_detector_read (const char *path, double wavelength, GError **error)
{
  return g_str_has_suffix (path, ".dat") ? read_text (path, wavelength, error)
                                         : read_hdf5 (path, wavelength, error);
}

/* --- others' --- */

/* Polarisation times solid angle (sr) of a pixel at `place` (mm); `area`: fs × ss, mm². */
static double
pixel_factor (FlVec3 place, FlVec3 area, FlPolarised polarised)
{
  FlVec3 u = fl_vec3_unit (place);
  double along = polarised == FL_POLARISED_HORIZONTALLY ? u.x
                 : polarised == FL_POLARISED_VERTICALLY ? u.y
                                                        : 0;
  return (1 - along * along) * fabs (fl_vec3_dot (u, area)) / fl_vec3_dot (place, place);
}

FlPatternPixels *
fl_pattern_detector_from_panels (const FlDetector *detector, FlVec3 shift, double wavelength,
                                 FlPolarised polarised)
{
  FlPatternPixels *pixels = fl_pattern_pixels_new ((guint) detector->n_pixels);
  memset (pixels->mask, FL_PATTERN_BAD, pixels->n);
  pixels->wavelength = wavelength;
  for (guint p = 0; p < detector->n_panels; p++)
    {
      const FlPanel *panel = &detector->panels[p];
      FlVec3 area = fl_vec3_cross (panel->fs, panel->ss);
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            gsize i = panel->offset + ss * panel->stride + fs;
            FlVec3 place = fl_vec3_add (fl_panel_position (panel, fs + 0.5, ss + 0.5), shift);
            pixels->s[i] =
                fl_vec3_scale (fl_vec3_sub (fl_vec3_unit (place), fl_vec3 (0, 0, 1)), 1 / wavelength);
            pixels->factor[i] = (float) pixel_factor (place, area, polarised);
            pixels->mask[i] = detector->mask[i] ? FL_PATTERN_BAD : FL_PATTERN_GOOD;
          }
    }
  return pixels;
}

/* Elastic: s_z = −λ |s|² / 2. Least squares. */
static double
curvature_wavelength (const FlVec3 *s, gsize n)
{
  double up = 0, down = 0;
  for (gsize i = 0; i < n; i++)
    {
      double square = fl_vec3_dot (s[i], s[i]);
      up -= 2 * s[i].z * square;
      down += square * square;
    }
  return down > 0 ? fabs (up / down) : 0;
}

FlPatternPixels *
fl_pattern_detector_from_skopi (const FlSkopi *skopi, double wavelength)
{
  gsize n = fl_skopi_n_pixels (skopi);
  const FlVec3 *s = fl_skopi_s (skopi);
  const double *factor = fl_skopi_factor (skopi);
  double curvature = curvature_wavelength (s, n);
  if (curvature <= 0)
    curvature = wavelength;
  if (curvature <= 0)
    return NULL;
  FlPatternPixels *pixels = fl_pattern_pixels_new ((guint) n);
  pixels->wavelength = curvature;
  for (gsize i = 0; i < n; i++)
    {
      pixels->s[i] = s[i];
      pixels->factor[i] = (float) factor[i];
    }
  return pixels;
}
