#include "engine/shots/detector.h"

#include <string.h>

FlDetector *
fl_detector_new (guint n_panels, gsize n_pixels)
{
  FlDetector *detector = g_new0 (FlDetector, 1);
  detector->ref_count = 1;
  detector->n_panels = n_panels;
  detector->n_pixels = n_pixels;
  detector->panels = g_new0 (FlPanel, n_panels);
  detector->mask = g_new0 (guint8, n_pixels);
  for (guint i = 0; i < n_panels; i++)
    {
      FlPanel *panel = &detector->panels[i];
      panel->name = g_strdup ("");
      panel->gain = 1;
      panel->saturation = panel->trusted_max = INFINITY;
      panel->trusted_min = -INFINITY;
    }
  return detector;
}

FlDetector *
fl_detector_ref (FlDetector *detector)
{
  g_atomic_int_inc (&detector->ref_count);
  return detector;
}

void
fl_detector_unref (FlDetector *detector)
{
  if (detector == NULL || !g_atomic_int_dec_and_test (&detector->ref_count))
    return;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      g_free (detector->panels[i].name);
      g_free (detector->panels[i].dataset);
      g_free (detector->panels[i].bad_values);
    }
  g_free (detector->panels);
  g_free (detector->mask);
  g_free (detector->saturation);
  g_free (detector);
}

double
fl_two_theta (FlVec3 position)
{
  return atan2 (hypot (position.x, position.y), position.z);
}

double
fl_resolution (FlVec3 position, double wavelength)
{
  return wavelength / (2 * sin (0.5 * fl_two_theta (position)));
}

/* Solves origin + f·fs + s·ss = t·direction for f, s and t > 0 by Cramer's rule. */
static gboolean
intersect_panel (const FlPanel *panel, FlVec3 direction, double *fs, double *ss, double *distance)
{
  FlVec3 normal = fl_vec3_cross (panel->fs, panel->ss);
  double along = fl_vec3_dot (direction, normal);
  if (along == 0)
    return FALSE;
  double t = fl_vec3_dot (panel->origin, normal) / along;
  if (!(t > 0))
    return FALSE;
  FlVec3 in_plane = fl_vec3_sub (fl_vec3_scale (direction, t), panel->origin);
  double area = fl_vec3_dot (normal, normal);
  *fs = fl_vec3_dot (fl_vec3_cross (in_plane, panel->ss), normal) / area;
  *ss = fl_vec3_dot (fl_vec3_cross (panel->fs, in_plane), normal) / area;
  *distance = t;
  return *fs >= 0 && *fs < panel->n_fs && *ss >= 0 && *ss < panel->n_ss;
}

gboolean
fl_detector_intersect (const FlDetector *detector, FlVec3 direction, guint *panel, double *fs, double *ss)
{
  double nearest = INFINITY;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      double f, s, distance;
      if (intersect_panel (&detector->panels[i], direction, &f, &s, &distance) && distance < nearest)
        {
          nearest = distance;
          *panel = i;
          *fs = f;
          *ss = s;
        }
    }
  return nearest < INFINITY;
}
