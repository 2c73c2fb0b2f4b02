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

/* The number number `skip` of the line that begins with a word: "# Detector_distance 0.2 m", "# Beam_xy (1, 2) pixels". */
static double
number (const char *header, const char *word, guint skip)
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
      if (end != *w && *end == '\0' && skip-- == 0)
        return v;
    }
  return NAN;
}

double
fl_dectris_wavelength (const char *header)
{
  double v = number (header, "Wavelength", 0);
  return v > 0 && isfinite (v) ? v : 0;
}

FlDetector *
fl_dectris_detector (const char *header, guint n_fs, guint n_ss)
{
  FlFlatPanel flat = { .n_fs = n_fs,
                       .n_ss = n_ss,
                       .pixel_fs = 1e3 * number (header, "Pixel_size", 0),
                       .pixel_ss = 1e3 * number (header, "Pixel_size", 1),
                       .distance = 1e3 * number (header, "Detector_distance", 0) };
  flat.beam_fs = flat.pixel_fs * number (header, "Beam_xy", 0);
  flat.beam_ss = flat.pixel_ss * number (header, "Beam_xy", 1);
  FlDetector *detector = fl_flat_detector (&flat);
  FlPanel *panel = &detector->panels[0];
  /* Gaps between modules are −1, dead pixels −2. */
  panel->trusted_min = -1;
  double cutoff = number (header, "Count_cutoff", 0);
  if (cutoff > 0)
    panel->saturation = panel->trusted_max = cutoff;
  detector->wavelength = fl_dectris_wavelength (header);
  return detector;
}
