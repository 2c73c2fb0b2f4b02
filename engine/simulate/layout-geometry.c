/* A detector laid out as a geometry of any form says, its panels one below the other in the data. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/geometry.h"
#include "engine/simulate/detector-layout.h"

/* Lines that name groups of panels go into the geometry of the data, too. */
static char *
group_lines (const char *path)
{
  g_autofree char *text = fl_geometry_read_text (path, NULL);
  g_autoptr (GString) groups = g_string_new (NULL);
  if (text != NULL)
    {
      g_auto (GStrv) lines = g_strsplit_set (text, "\r\n", -1);
      for (char **line = lines; *line != NULL; line++)
        if (g_str_has_prefix (*line, "rigid_group") || g_str_has_prefix (*line, "group_"))
          g_string_append_printf (groups, "%s\n", *line);
    }
  return g_strdup (groups->str);
}

/* z less what most panels have: their middle is at the camera length. */
static double
mean_height (const FlDetector *detector)
{
  double sum = 0;
  for (guint i = 0; i < detector->n_panels; i++)
    sum += detector->panels[i].origin.z / detector->n_panels;
  return sum;
}

/* The panels one below the other; what is beside narrow ones is a gap. */
static void
stack (FlDetectorLayout *layout, const FlDetector *from)
{
  for (guint i = 0; i < from->n_panels; i++)
    {
      layout->width = MAX (layout->width, from->panels[i].n_fs);
      layout->height += from->panels[i].n_ss;
    }
  FlDetector *detector = layout->detector =
      fl_detector_new (from->n_panels, (gsize) layout->width * layout->height);
  double height = mean_height (from);
  gsize row = 0;
  layout->state = g_malloc (detector->n_pixels);
  memset (layout->state, FL_PIXEL_GAP, detector->n_pixels);
  for (guint i = 0; i < from->n_panels; i++)
    {
      FlPanel *panel = &detector->panels[i];
      g_free (panel->name);
      panel->name = g_strdup (from->panels[i].name);
      panel->n_fs = from->panels[i].n_fs;
      panel->n_ss = from->panels[i].n_ss;
      panel->stride = layout->width;
      panel->offset = row * layout->width;
      panel->origin = from->panels[i].origin;
      panel->origin.z += layout->camera_length - height;
      panel->fs = from->panels[i].fs;
      panel->ss = from->panels[i].ss;
      panel->pixel_size = from->panels[i].pixel_size;
      for (guint ss = 0; ss < panel->n_ss; ss++)
        memset (layout->state + panel->offset + ss * panel->stride, FL_PIXEL_GOOD, panel->n_fs);
      row += panel->n_ss;
    }
}

gboolean
fl_detector_layout_read (FlDetectorLayout *layout, const char *path, double camera_length, GError **error)
{
  g_autoptr (FlGeom) geom = fl_geometry_read (path, NULL, error);
  g_autoptr (FlGeomLayout) places = geom != NULL ? fl_geom_layout_new (geom, error) : NULL;
  if (places == NULL)
    return FALSE;
  g_autoptr (FlDetector) from = fl_geom_detector (geom, places, geom->clen.value, 0);
  layout->camera_length = camera_length > 0 ? camera_length : mean_height (from);
  if (!(layout->camera_length > 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: its camera length is in the images, expected simulate.camera_length", path);
      return FALSE;
    }
  g_autofree char *base = g_path_get_basename (path);
  layout->name = g_strdup (base);
  layout->groups = group_lines (path);
  stack (layout, from);
  return TRUE;
}
