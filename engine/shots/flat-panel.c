#include "engine/shots/flat-panel.h"

#include <string.h>

#include "engine/base/units.h"

FlDetector *
fl_flat_detector (const FlFlatPanel *from)
{
  FlDetector *detector = fl_detector_new (1, (gsize) from->n_fs * from->n_ss);
  FlPanel *panel = &detector->panels[0];
  g_free (panel->name);
  panel->name = g_strdup ("Panel");
  panel->n_fs = from->n_fs;
  panel->n_ss = from->n_ss;
  panel->stride = from->n_fs;
  detector->placed = from->pixel_fs > 0 && from->pixel_ss > 0 && from->distance > 0
                     && isfinite (from->pixel_fs + from->pixel_ss + from->distance)
                     && isfinite (from->beam_fs + from->beam_ss + from->two_theta);
  if (!detector->placed)
    {
      panel->pixel_size = 1;
      panel->fs = fl_vec3 (1, 0, 0);
      panel->ss = fl_vec3 (0, 1, 0);
      return detector;
    }
  FlMat3 turn = fl_mat3_rotation (fl_vec3 (-1, 0, 0), fl_radians (from->two_theta));
  panel->pixel_size = from->pixel_fs;
  panel->fs = fl_mat3_apply (&turn, fl_vec3 (-from->pixel_fs, 0, 0));
  panel->ss = fl_mat3_apply (&turn, fl_vec3 (0, -from->pixel_ss, 0));
  panel->origin = fl_mat3_apply (&turn, fl_vec3 (from->beam_fs, from->beam_ss, from->distance));
  return detector;
}

/* --- DECTRIS' comments --- */

/* The number number `skip` of the line that begins with a word, "# Detector_distance 0.2 m", "# Beam_xy (1, 2) pixels",
 * and (unit: g_free) the word behind it; NAN: none. */
static double
number (const char *header, const char *word, guint skip, char **unit)
{
  const char *p = header;
  gsize length = strlen (word);
  while ((p = strstr (p, word)) != NULL && !strchr (" \t=:(", p[length]))
    p += length;
  g_autofree char *text = p != NULL ? g_strndup (p + length, strcspn (p + length, "\r\n")) : g_strdup ("");
  g_strdelimit (text, "(),=:", ' ');
  g_auto (GStrv) words = g_strsplit_set (text, " \t", -1);
  for (char **w = words; *w != NULL; w++)
    {
      char *end;
      double v = g_ascii_strtod (*w, &end);
      if (end == *w || *end != '\0' || skip-- > 0)
        continue;
      if (unit != NULL)
        *unit = g_strdup (w[1]);
      return v;
    }
  return NAN;
}

/* mm; DECTRIS' own unit is m, which some beamlines change. */
static double
length (const char *header, const char *word, guint skip)
{
  g_autofree char *unit = NULL;
  double v = number (header, word, skip, &unit);
  return v * (g_strcmp0 (unit, "mm") == 0 ? 1 : g_strcmp0 (unit, "um") == 0 ? 1e-3 : 1e3);
}

double
fl_dectris_wavelength (const char *header)
{
  static const char *const energies[] = { "Photon_energy", "Energy" };
  double v = number (header, "Wavelength", 0, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (energies) && !(v > 0); i++)
    {
      g_autofree char *unit = NULL;
      double energy = number (header, energies[i], 0, &unit) * (g_strcmp0 (unit, "keV") == 0 ? 1e3 : 1);
      if (energy > 0)
        v = fl_wavelength_from_energy (energy);
    }
  return v > 0 && isfinite (v) ? v : 0;
}

/* Diamond's P12M on I23: 24 rows of modules on a part of a cylinder about the beam's crossing, each row turned by a
 * module and a gap; the numbers are its drawings', as dxtbx has them. The header's centre is that of the unrolled image. */
static FlDetector *
p12m_detector (const char *header, guint n_fs, guint n_ss)
{
  const guint rows = 24, height = 195, gap = 17;
  const double pixel = 0.172, radius = 250, left = 184.9, up = 16.8, module = 7.903, between = 0.441;
  double shift_x = pixel * (1075 - number (header, "Beam_xy", 0, NULL));
  double shift_y = pixel * (2594 - number (header, "Beam_xy", 1, NULL));
  double distance = length (header, "Detector_distance", 0);
  FlDetector *detector = fl_detector_new (rows, (gsize) n_fs * n_ss);
  memset (detector->mask, 1, detector->n_pixels);
  detector->placed = TRUE;
  for (guint i = 0; i < rows; i++)
    {
      FlPanel *panel = &detector->panels[i];
      double angle = fl_radians (-12.2 + 0.5 * module + i * (module + between)), s = sin (angle),
             c = cos (angle);
      g_free (panel->name);
      panel->name = g_strdup_printf ("row-%02u", i);
      panel->n_fs = n_fs;
      panel->stride = n_fs;
      panel->n_ss = height;
      panel->offset = (gsize) i * (height + gap) * n_fs;
      panel->pixel_size = pixel;
      panel->fs = fl_vec3 (pixel, 0, 0);
      panel->ss = fl_vec3 (0, pixel * s, pixel * c);
      panel->origin = fl_vec3 (shift_x - left, shift_y - radius * c - up * s, distance + radius * s - up * c);
      memset (detector->mask + panel->offset, 0, (gsize) height * n_fs);
    }
  if (isfinite (shift_x + shift_y + distance))
    return detector;
  fl_detector_unref (detector);
  return NULL;
}

FlDetector *
fl_dectris_detector (const char *header, guint n_fs, guint n_ss)
{
  FlFlatPanel flat = { .n_fs = n_fs,
                       .n_ss = n_ss,
                       .pixel_fs = length (header, "Pixel_size", 0),
                       .pixel_ss = length (header, "Pixel_size", 1),
                       .distance = length (header, "Detector_distance", 0) };
  flat.beam_fs = flat.pixel_fs * number (header, "Beam_xy", 0, NULL);
  flat.beam_ss = flat.pixel_ss * number (header, "Beam_xy", 1, NULL);
  gboolean curved = strstr (header, "S/N 120-0100") != NULL && n_fs == 2463 && n_ss == 5071;
  FlDetector *detector = curved ? p12m_detector (header, n_fs, n_ss) : NULL;
  if (detector == NULL)
    detector = fl_flat_detector (&flat);
  double cutoff = number (header, "Count_cutoff", 0, NULL);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      FlPanel *panel = &detector->panels[i];
      /* Gaps between modules are −1, dead pixels −2. */
      panel->trusted_min = -1;
      if (cutoff > 0)
        panel->saturation = panel->trusted_max = cutoff;
    }
  detector->wavelength = fl_dectris_wavelength (header);
  return detector;
}
