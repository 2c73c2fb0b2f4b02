/* DIALS' form, from the common one: an experiment list of one experiment without images, as dxtbx writes them. Groups that lie within
 * each other become its hierarchy; all stand in the laboratory's frame, so that panels have their places in it. */

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/shots/geometry-private.h"

#define UNLIMITED 2147483647 /* of a trusted range */

/* In steps of 1 / `per_unit`, and never "-0". */
static json_t *
number (double value, double per_unit)
{
  return json_real (rint (value * per_unit) / per_unit + 0.0);
}

/* dxtbx has y up and z against the beam. */
static json_t *
vector (FlVec3 v, double per_unit)
{
  return json_pack ("[o, o, o]", number (-v.x, per_unit), number (v.y, per_unit), number (-v.z, per_unit));
}

static json_t *
frame (const char *name, FlVec3 fast, FlVec3 slow, FlVec3 origin)
{
  return json_pack ("{s:s, s:s, s:o, s:o, s:o}", "name", name, "type", "", "fast_axis", vector (fast, 1e12),
                    "slow_axis", vector (slow, 1e12), "origin", vector (origin, 1e9));
}

/* --- panels --- */

static json_t *
rectangle (double fs, double ss, double end_fs, double end_ss)
{
  return json_pack ("[i, i, i, i]", (int) fs, (int) ss, (int) end_fs, (int) end_ss);
}

/* Bad regions, edges, and a panel that is not to be used. */
static json_t *
masks_of (const FlGeom *geom, const FlGeomPanel *panel)
{
  json_t *masks = json_array ();
  guint n_fs = fl_geometry_n_fs (panel), n_ss = fl_geometry_n_ss (panel), edge = panel->mask_edge;
  if (panel->no_index || 2 * edge >= MIN (n_fs, n_ss))
    {
      json_array_append_new (masks, rectangle (0, 0, n_fs, n_ss));
      return masks;
    }
  if (edge > 0)
    {
      json_array_append_new (masks, rectangle (0, 0, n_fs, edge));
      json_array_append_new (masks, rectangle (0, n_ss - edge, n_fs, n_ss));
      json_array_append_new (masks, rectangle (0, edge, edge, n_ss - edge));
      json_array_append_new (masks, rectangle (n_fs - edge, edge, n_fs, n_ss - edge));
    }
  for (guint i = 0; i < geom->bad->len; i++)
    {
      const FlGeomBad *bad = &g_array_index (geom->bad, FlGeomBad, i);
      if (bad->panel == NULL || strcmp (bad->panel, panel->name) != 0)
        continue;
      double fs = MAX (ceil (bad->min_fs) - panel->min_fs, 0),
             ss = MAX (ceil (bad->min_ss) - panel->min_ss, 0),
             end_fs = MIN (floor (bad->max_fs) - panel->min_fs + 1, n_fs),
             end_ss = MIN (floor (bad->max_ss) - panel->min_ss + 1, n_ss);
      if (fs < end_fs && ss < end_ss)
        json_array_append_new (masks, rectangle (fs, ss, end_fs, end_ss));
    }
  return masks;
}

static double
gain_of (const FlGeom *geom, const FlGeomPanel *panel)
{
  double wavelength = fl_geometry_wavelength (geom);
  if (!isnan (panel->adu_per_photon))
    return panel->adu_per_photon;
  return !isnan (panel->adu_per_ev) && wavelength > 0
             ? panel->adu_per_ev * fl_energy_from_wavelength (wavelength)
             : 1;
}

static json_t *
panel_of (const FlGeom *geom, const FlGeomPanel *panel, const char *name)
{
  const FlGeometryPlace place = fl_geometry_place (geom, panel);
  double low = -UNLIMITED, high = MIN (panel->max_adu, UNLIMITED);
  for (guint i = 0; i < panel->n_flags; i++)
    if (panel->flags[i].kind == FL_GEOM_LESS)
      low = MAX (low, panel->flags[i].value);
    else if (panel->flags[i].kind == FL_GEOM_MORE)
      high = MIN (high, panel->flags[i].value);
  double pixel_fs = rint (fl_vec3_norm (place.fs) * 1e12) / 1e12,
         pixel_ss = rint (fl_vec3_norm (place.ss) * 1e12) / 1e12;
  json_t *object = frame (name, fl_vec3_scale (place.fs, 1 / pixel_fs),
                          fl_vec3_scale (place.ss, 1 / pixel_ss), place.origin);
  json_t *more =
      json_pack ("{s:s, s:[i, i], s:[i, i], s:[f, f], s:[f, f], s:f, s:s, s:f, s:s, s:o, s:f, s:f, s:{s:s}}",
                 "type", "SENSOR_PAD", "raw_image_offset", panel->min_fs, panel->min_ss, "image_size",
                 (int) fl_geometry_n_fs (panel), (int) fl_geometry_n_ss (panel), "pixel_size", pixel_fs,
                 pixel_ss, "trusted_range", low, high, "thickness", 0.0, "material", "", "mu", 0.0,
                 "identifier", "", "mask", masks_of (geom, panel), "gain", gain_of (geom, panel), "pedestal",
                 0.0, "px_mm_strategy", "type", "SimplePxMmStrategy");
  json_object_update (object, more);
  json_decref (more);
  return object;
}

/* --- the hierarchy --- */

typedef struct
{
  json_t *object; /* of the node */
  GArray *panels; /* of guint, below it; NULL: one that another has taken in */
} Node;

static json_t *
group_node (const char *name)
{
  json_t *node = frame (name, fl_vec3 (-1, 0, 0), fl_vec3 (0, 1, 0), fl_vec3 (0, 0, 0));
  json_object_set_new (node, "children", json_array ());
  return node;
}

static guint
panel_number (const FlGeom *geom, const char *name)
{
  for (guint i = 0; i < geom->panels->len; i++)
    if (strcmp (fl_geometry_panel (geom, i)->name, name) == 0)
      return i;
  return G_MAXUINT;
}

/* top[panel] is the node that stands above it so far. FALSE: the group cuts through another, or is one that is there. */
static gboolean
add_group (const FlGeom *geom, const FlGeomGroup *group, GArray *nodes, guint *top)
{
  gsize n = 0, members = g_strv_length (group->members);
  g_autoptr (GArray) under = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree guint8 *seen = g_new0 (guint8, nodes->len);
  for (gsize i = 0; i < members; i++)
    {
      guint panel = panel_number (geom, group->members[i]);
      if (panel == G_MAXUINT)
        return FALSE;
      if (seen[top[panel]]++ == 0)
        {
          g_array_append_val (under, top[panel]);
          n += g_array_index (nodes, Node, top[panel]).panels->len;
        }
      seen[top[panel]] = 1;
    }
  if (n != members || under->len < 2)
    return FALSE;
  Node node = { group_node (group->name), g_array_new (FALSE, FALSE, sizeof (guint)) };
  for (guint i = 0; i < under->len; i++)
    {
      Node *below = &g_array_index (nodes, Node, g_array_index (under, guint, i));
      json_array_append_new (json_object_get (node.object, "children"), below->object);
      g_array_append_vals (node.panels, below->panels->data, below->panels->len);
      g_clear_pointer (&below->panels, g_array_unref);
    }
  for (guint i = 0; i < node.panels->len; i++)
    top[g_array_index (node.panels, guint, i)] = nodes->len;
  g_array_append_val (nodes, node);
  return TRUE;
}

static int
by_size (const void *a, const void *b)
{
  guint x = g_strv_length (((const FlGeomGroup *) a)->members),
        y = g_strv_length (((const FlGeomGroup *) b)->members);
  return (x > y) - (x < y);
}

static json_t *
hierarchy_of (const FlGeom *geom, GPtrArray *losses)
{
  guint n = geom->panels->len, lost = 0;
  g_autoptr (GArray) groups = fl_geometry_groups (geom);
  g_autoptr (GArray) nodes = g_array_new (FALSE, FALSE, sizeof (Node));
  g_autofree guint *top = g_new (guint, n);
  for (guint i = 0; i < n; i++)
    {
      Node node = { json_pack ("{s:i}", "panel", (int) i), g_array_new (FALSE, FALSE, sizeof (guint)) };
      g_array_append_val (node.panels, i);
      g_array_append_val (nodes, node);
      top[i] = i;
    }
  g_array_sort (groups, by_size);
  for (guint i = 0; i < groups->len; i++)
    {
      const FlGeomGroup *group = &g_array_index (groups, FlGeomGroup, i);
      guint members = g_strv_length (group->members);
      if (members > 1 && members < n)
        lost += !add_group (geom, group, nodes, top);
    }
  if (lost > 0)
    fl_geometry_lose (losses, "%u groups that cut through others, or hold what others do", lost);
  json_t *root = group_node ("");
  for (guint i = 0; i < nodes->len; i++)
    {
      Node *node = &g_array_index (nodes, Node, i);
      if (node->panels != NULL)
        json_array_append_new (json_object_get (root, "children"), node->object);
      g_clear_pointer (&node->panels, g_array_unref);
    }
  return root;
}

/* --- the whole --- */

static void
lose_rest (const FlGeom *geom, GPtrArray *losses)
{
  guint values = 0, masks = 0, regions = 0, ev = 0, dims = 0, skew = 0;
  for (guint i = 0; i < geom->panels->len; i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (geom, i);
      const FlGeometryPlace place = fl_geometry_place (geom, panel);
      for (guint k = 0; k < panel->n_flags; k++)
        values += panel->flags[k].kind == FL_GEOM_EQUAL;
      for (guint k = 0; k < FL_GEOM_MASKS; k++)
        masks += panel->masks[k].data != NULL;
      masks += panel->saturation_map != NULL;
      ev += !isnan (panel->adu_per_ev);
      dims += panel->n_dims != 3 || panel->dims[0] != FL_GEOM_DIM_FRAME
              || strcmp (panel->data, FL_GEOMETRY_DATA) != 0;
      skew += fabs (fl_vec3_dot (fl_vec3_unit (place.fs), fl_vec3_unit (place.ss))) > 1e-6;
    }
  for (guint i = 0; i < geom->bad->len; i++)
    regions += g_array_index (geom->bad, FlGeomBad, i).panel == NULL;
  if (dims > 0)
    fl_geometry_lose (losses, "paths and dimensions of the data");
  if (values > 0)
    fl_geometry_lose (losses, "values of bad pixels (flag_equal)");
  if (masks > 0)
    fl_geometry_lose (losses, "masks and saturation maps");
  if (regions > 0)
    fl_geometry_lose (losses, "bad regions in x and y");
  if (ev > 0)
    fl_geometry_lose (losses, fl_geometry_wavelength (geom) > 0
                                  ? "gain by energy (adu_per_eV): it becomes counts per photon of this energy"
                                  : "gain by energy (adu_per_eV), as the photons' energy is not known");
  if (skew > 0)
    fl_geometry_lose (losses, "axes that are no right angle: it takes none (--upright turns them)");
}

char *
fl_geometry_write_dials (const FlGeom *geom, GPtrArray *losses)
{
  double wavelength = fl_geometry_wavelength (geom);
  g_auto (GStrv) names = fl_geometry_names (geom);
  json_t *panels = json_array (), *beams = json_array ();
  json_t *experiment = json_pack ("{s:s, s:s, s:i}", "__id__", "Experiment", "identifier", "", "detector", 0);
  for (guint i = 0; i < geom->panels->len; i++)
    json_array_append_new (panels, panel_of (geom, fl_geometry_panel (geom, i), names[i]));
  if (wavelength > 0)
    {
      json_array_append_new (beams,
                             json_pack ("{s:s, s:[f, f, f], s:o, s:f, s:f, s:[f, f, f], s:f, s:f, s:f}",
                                        "__id__", "monochromatic", "direction", 0.0, 0.0, 1.0, "wavelength",
                                        number (wavelength, 1e12), "divergence", 0.0, "sigma_divergence", 0.0,
                                        "polarization_normal", 0.0, 1.0, 0.0, "polarization_fraction", 0.999,
                                        "flux", 0.0, "transmission", 1.0));
      json_object_set_new (experiment, "beam", json_integer (0));
    }
  json_t *root = json_pack ("{s:s, s:[o], s:[], s:o, s:[{s:o, s:o}], s:[], s:[], s:[], s:[], s:[]}", "__id__",
                            "ExperimentList", "experiment", experiment, "imageset", "beam", beams, "detector",
                            "panels", panels, "hierarchy", hierarchy_of (geom, losses), "goniometer", "scan",
                            "crystal", "profile", "scaling_model");
  lose_rest (geom, losses);
  char *text = json_dumps (root, JSON_INDENT (2) | JSON_REAL_PRECISION (15));
  json_decref (root);
  char *copy = g_strconcat (text, "\n", NULL);
  free (text);
  return copy;
}
