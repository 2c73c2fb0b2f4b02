#include "engine/programs/exchange-panels.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/geometry.h"

/* A panel's name where it has one, else by its number: names must differ, and must not begin like bad regions. */
static char *
panel_name (const FlDetector *detector, guint i)
{
  const char *name = detector->panels[i].name;
  gboolean good =
      name != NULL && *name != '\0' && !g_str_has_prefix (name, "bad") && strpbrk (name, "/=; \t") == NULL;
  for (guint k = 0; good && k < detector->n_panels; k++)
    good = k == i || g_strcmp0 (detector->panels[k].name, name) != 0;
  return good ? g_strdup (name) : g_strdup_printf ("p%u", i);
}

char *
fl_exchange_geometry (const FlDetector *detector, double energy)
{
  GString *text = g_string_new ("; written by Firstlight " FL_VERSION " from what the images say\n");
  if (energy > 0)
    g_string_append_printf (text, "photon_energy = %.6f eV\n", energy);
  g_string_append (text, "clen = 0 m\n");
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *p = &detector->panels[i];
      g_autofree char *name = panel_name (detector, i);
      double size = fl_vec3_norm (p->fs);
      gsize fs = p->stride > 0 ? p->offset % p->stride : 0, ss = p->stride > 0 ? p->offset / p->stride : 0;
      g_string_append_printf (text,
                              "\n%s/min_fs = %" G_GSIZE_FORMAT "\n%s/max_fs = %" G_GSIZE_FORMAT
                              "\n%s/min_ss = %" G_GSIZE_FORMAT "\n%s/max_ss = %" G_GSIZE_FORMAT "\n",
                              name, fs, name, fs + p->n_fs - 1, name, ss, name, ss + p->n_ss - 1);
      g_string_append_printf (text, "%s/res = %.9f\n%s/adu_per_photon = %.9f\n", name, 1000 / size, name,
                              p->gain > 0 ? p->gain : 1);
      g_string_append_printf (text, "%s/fs = %+.9fx %+.9fy %+.9fz\n", name, p->fs.x / size, p->fs.y / size,
                              p->fs.z / size);
      g_string_append_printf (text, "%s/ss = %+.9fx %+.9fy %+.9fz\n", name, p->ss.x / size, p->ss.y / size,
                              p->ss.z / size);
      g_string_append_printf (text, "%s/corner_x = %.6f\n%s/corner_y = %.6f\n%s/coffset = %.9f\n", name,
                              p->origin.x / size, name, p->origin.y / size, name, p->origin.z / 1000);
    }
  return g_string_free (text, FALSE);
}

static const FlPanelPlace *
find_named (const GArray *named, const char *name)
{
  for (guint i = 0; named != NULL && i < named->len; i++)
    if (g_strcmp0 (g_array_index (named, FlPanelPlace, i).name, name) == 0)
      return &g_array_index (named, FlPanelPlace, i);
  return NULL;
}

GArray *
fl_exchange_panels (const FlDetector *detector, const GArray *named)
{
  GArray *places = fl_panel_places_new ();
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *p = &detector->panels[i];
      const FlPanelPlace *known = find_named (named, p->name);
      FlPanelPlace place = { .name = panel_name (detector, i),
                             .min_fs = p->stride > 0 ? (double) (p->offset % p->stride) : 0,
                             .min_ss = p->stride > 0 ? (double) (p->offset / p->stride) : 0,
                             .n_fs = p->n_fs,
                             .n_ss = p->n_ss,
                             .origin = p->origin,
                             .fs = p->fs,
                             .ss = p->ss,
                             .trusted_min = p->trusted_min,
                             .saturation = MIN (p->saturation, p->trusted_max) };
      if (known != NULL)
        {
          place.min_fs = known->min_fs;
          place.min_ss = known->min_ss;
        }
      g_array_append_val (places, place);
    }
  return places;
}

FlDetector *
fl_exchange_stack (const GArray *panels)
{
  guint width = 0;
  gsize rows = 0;
  for (guint i = 0; i < panels->len; i++)
    {
      width = MAX (width, g_array_index (panels, FlPanelPlace, i).n_fs);
      rows += g_array_index (panels, FlPanelPlace, i).n_ss;
    }
  FlDetector *detector = fl_detector_new (panels->len, rows * width);
  rows = 0;
  for (guint i = 0; i < panels->len; i++)
    {
      const FlPanelPlace *place = &g_array_index (panels, FlPanelPlace, i);
      FlPanel *panel = &detector->panels[i];
      g_free (panel->name);
      panel->name = g_strdup (place->name);
      panel->n_fs = place->n_fs;
      panel->n_ss = place->n_ss;
      panel->offset = rows * width;
      panel->stride = width;
      panel->origin = place->origin;
      panel->fs = place->fs;
      panel->ss = place->ss;
      panel->pixel_size = fl_vec3_norm (place->fs);
      rows += place->n_ss;
    }
  return detector;
}

FlDetector *
fl_exchange_detector (const char *geometry_path, GError **error)
{
  g_autoptr (FlGeom) geom = fl_geometry_read (geometry_path, NULL, error);
  if (geom == NULL)
    return NULL;
  if (!geom->clen.set || geom->clen.path != NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: the camera length is in the images, expected one of them", geometry_path);
      return NULL;
    }
  g_autoptr (FlGeomLayout) layout = fl_geom_layout_new (geom, error);
  return layout != NULL ? fl_geom_detector (geom, layout, geom->clen.value, 0) : NULL;
}
