/* CrystFEL's form, from the common one. What all panels have alike stands once, above them. */

#include <math.h>
#include <string.h>

#include "engine/shots/geometry-private.h"

static void G_GNUC_PRINTF (2, 3) add_line (GPtrArray *lines, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_ptr_array_add (lines, g_strdup_vprintf (format, args));
  va_end (args);
}

static void
add_value (GPtrArray *lines, const char *key, double value, int digits)
{
  g_autoptr (GString) text = g_string_new (key);
  g_string_append (text, " = ");
  fl_geometry_add_digits (text, value, digits);
  g_ptr_array_add (lines, g_strdup (text->str));
}

/* --- what panels may have from a default --- */

static void
add_dims (GPtrArray *lines, const FlGeomPanel *panel)
{
  for (guint i = 0; i < panel->n_dims; i++)
    switch (panel->dims[i])
      {
      case FL_GEOM_DIM_FRAME:
        add_line (lines, "dim%u = %%", i);
        break;
      case FL_GEOM_DIM_SS:
        add_line (lines, "dim%u = ss", i);
        break;
      case FL_GEOM_DIM_FS:
        add_line (lines, "dim%u = fs", i);
        break;
      default:
        add_line (lines, "dim%u = %d", i, panel->dims[i]);
      }
}

static char *
anchored (const char *file, const char *folder)
{
  g_autofree char *there =
      folder == NULL || g_path_is_absolute (file) ? NULL : g_build_filename (folder, file, NULL);
  if (there == NULL || !g_file_test (there, G_FILE_TEST_EXISTS))
    return g_strdup (file);
  g_autofree char *here = g_get_current_dir ();
  return g_path_is_absolute (there) ? g_steal_pointer (&there) : g_build_filename (here, there, NULL);
}

static void
add_masks (GPtrArray *lines, const FlGeomPanel *panel, const char *folder)
{
  for (guint i = 0; i < FL_GEOM_MASKS; i++)
    {
      const FlGeomMask *mask = &panel->masks[i];
      if (mask->data == NULL)
        continue;
      add_line (lines, "mask%u_data = %s", i, mask->data);
      g_autofree char *file = mask->file != NULL ? anchored (mask->file, folder) : NULL;
      if (file != NULL)
        add_line (lines, "mask%u_file = %s", i, file);
      add_line (lines, "mask%u_goodbits = 0x%" G_GINT64_MODIFIER "x", i, mask->good_bits);
      add_line (lines, "mask%u_badbits = 0x%" G_GINT64_MODIFIER "x", i, mask->bad_bits);
    }
}

static GPtrArray *
lines_of (const FlGeomPanel *panel, const char *folder)
{
  static const char *const flags[] = { "flag_lessthan", "flag_morethan", "flag_equal" };
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  add_value (lines, "res", panel->res, 12);
  g_autoptr (GString) coffset = g_string_new ("coffset = ");
  fl_geometry_add_number (coffset, panel->coffset, 12);
  if (strcmp (coffset->str, "coffset = 0") != 0)
    add_line (lines, "%s", coffset->str);
  add_line (lines, "data = %s", panel->data);
  add_dims (lines, panel);
  if (!isnan (panel->adu_per_photon))
    add_value (lines, "adu_per_photon", panel->adu_per_photon, 12);
  if (!isnan (panel->adu_per_ev))
    add_value (lines, "adu_per_eV", panel->adu_per_ev, 12);
  if (isfinite (panel->max_adu))
    add_value (lines, "max_adu", panel->max_adu, 12);
  for (guint i = 0; i < panel->n_flags; i++)
    add_value (lines, flags[panel->flags[i].kind], panel->flags[i].value, 15);
  add_masks (lines, panel, folder);
  if (panel->mask_edge > 0)
    add_line (lines, "mask_edge_pixels = %u", panel->mask_edge);
  g_autofree char *map =
      panel->saturation_map_file != NULL ? anchored (panel->saturation_map_file, folder) : NULL;
  if (panel->saturation_map != NULL)
    add_line (lines, "saturation_map = %s", panel->saturation_map);
  if (map != NULL)
    add_line (lines, "saturation_map_file = %s", map);
  if (panel->no_index)
    add_line (lines, "no_index = 1");
  return lines;
}

/* --- the whole --- */

static void
add_geom_value (GString *text, const char *key, const FlGeomValue *value, const char *unit, double per_unit)
{
  if (!value->set)
    return;
  g_string_append_printf (text, "%s = ", key);
  if (value->path != NULL)
    g_string_append (text, value->path);
  else
    fl_geometry_add_digits (text, value->value / per_unit, 12);
  g_string_append_printf (text, "%s%s\n", *unit != '\0' ? " " : "", unit);
}

static void
add_beam (GString *text, const FlGeom *geom)
{
  static const struct
  {
    const char *key, *unit, *large_unit;
    double large;
  } beams[] = { { "", "", "", 1 },
                { "photon_energy", "eV", "keV", 1e3 },
                { "wavelength", "A", "m", 1e10 },
                { "electron_voltage", "V", "kV", 1e3 } };
  const char *unit = geom->beam.path != NULL && geom->beam.factor == beams[geom->beam_kind].large
                         ? beams[geom->beam_kind].large_unit
                         : beams[geom->beam_kind].unit;
  add_geom_value (text, beams[geom->beam_kind].key, &geom->beam, unit, 1);
  if (geom->bandwidth != FL_GEOM_BANDWIDTH)
    {
      g_string_append (text, "bandwidth = ");
      fl_geometry_add_digits (text, geom->bandwidth, 12);
      g_string_append_c (text, '\n');
    }
}

static void
add_head (GString *text, const FlGeom *geom)
{
  for (guint i = 0; i < geom->comments->len; i++)
    g_string_append_printf (text, "; %s\n", (char *) geom->comments->pdata[i]);
  add_beam (text, geom);
  add_geom_value (text, "clen", &geom->clen,
                  geom->clen.path == NULL    ? "m"
                  : geom->clen.factor == 1.0 ? "mm"
                                             : "m",
                  1e3);
  add_geom_value (text, "detector_shift_x", &geom->shift_x, geom->shift_x.factor == 1 ? "mm" : "m",
                  geom->shift_x.factor);
  add_geom_value (text, "detector_shift_y", &geom->shift_y, geom->shift_y.factor == 1 ? "mm" : "m",
                  geom->shift_y.factor);
  if (geom->peak_list != NULL)
    g_string_append_printf (text, "peak_list = %s\n", geom->peak_list);
  if (geom->peak_list_type != NULL)
    g_string_append_printf (text, "peak_list_type = %s\n", geom->peak_list_type);
}

static void
add_direction (GString *text, const char *name, const char *key, const double v[3])
{
  g_string_append_printf (text, "%s/%s =", name, key);
  for (int i = 0; i < 3; i++)
    if (i < 2 || fabs (v[i]) >= 5e-13)
      {
        g_string_append (text, v[i] < -4e-13 ? " " : " +");
        fl_geometry_add_number (text, v[i], 12);
        g_string_append_c (text, (char) ('x' + i));
      }
  g_string_append_c (text, '\n');
}

static void
add_panel (GString *text, const char *name, const FlGeomPanel *panel, const GPtrArray *lines,
           GHashTable *common)
{
  g_string_append_printf (text, "\n%s/min_fs = %d\n%s/max_fs = %d\n%s/min_ss = %d\n%s/max_ss = %d\n", name,
                          panel->min_fs, name, panel->max_fs, name, panel->min_ss, name, panel->max_ss);
  add_direction (text, name, "fs", panel->fs);
  add_direction (text, name, "ss", panel->ss);
  g_string_append_printf (text, "%s/corner_x = ", name);
  fl_geometry_add_number (text, panel->corner_x, 9);
  g_string_append_printf (text, "\n%s/corner_y = ", name);
  fl_geometry_add_number (text, panel->corner_y, 9);
  g_string_append_c (text, '\n');
  for (guint i = 0; i < lines->len; i++)
    if (!g_hash_table_contains (common, lines->pdata[i]))
      g_string_append_printf (text, "%s/%s\n", name, (char *) lines->pdata[i]);
}

static void
add_limit (GString *text, const char *name, const char *key, double value)
{
  if (isnan (value))
    return;
  g_string_append_printf (text, "%s/%s = ", name, key);
  fl_geometry_add_digits (text, value, 12);
  g_string_append_c (text, '\n');
}

static const char *
renamed (const FlGeom *geom, char **names, const char *panel)
{
  for (guint i = 0; i < geom->panels->len; i++)
    if (strcmp (fl_geometry_panel (geom, i)->name, panel) == 0)
      return names[i];
  return panel;
}

static void
add_bad (GString *text, const FlGeom *geom, char **names, const FlGeomBad *bad)
{
  g_string_append_c (text, '\n');
  if (bad->panel != NULL)
    g_string_append_printf (text, "%s/panel = %s\n", bad->name, renamed (geom, names, bad->panel));
  add_limit (text, bad->name, "min_x", bad->min_x);
  add_limit (text, bad->name, "max_x", bad->max_x);
  add_limit (text, bad->name, "min_y", bad->min_y);
  add_limit (text, bad->name, "max_y", bad->max_y);
  add_limit (text, bad->name, "min_fs", bad->min_fs);
  add_limit (text, bad->name, "max_fs", bad->max_fs);
  add_limit (text, bad->name, "min_ss", bad->min_ss);
  add_limit (text, bad->name, "max_ss", bad->max_ss);
}

static void
add_groups (GString *text, const FlGeom *geom, char **names, const GArray *groups, const char *prefix,
            gboolean collections)
{
  for (guint i = 0; i < groups->len; i++)
    {
      const FlGeomGroup *group = &g_array_index (groups, FlGeomGroup, i);
      if (group->collection != collections)
        continue;
      g_string_append_printf (text, "%s%s = ", prefix, group->name);
      for (char **member = group->members; *member != NULL; member++)
        g_string_append_printf (text, "%s%s", member == group->members ? "" : ",",
                                collections ? *member : renamed (geom, names, *member));
      g_string_append_c (text, '\n');
    }
}

char *
fl_geometry_write_crystfel (const FlGeom *geom, const char *folder, GPtrArray *losses)
{
  (void) losses;
  GString *text = g_string_new ("");
  guint n = geom->panels->len;
  g_auto (GStrv) names = fl_geometry_names (geom);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GHashTable) common = g_hash_table_new (g_str_hash, g_str_equal);
  add_head (text, geom);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (all, lines_of (fl_geometry_panel (geom, i), folder));
  const GPtrArray *first = all->pdata[0];
  for (guint k = 0; k < first->len; k++)
    {
      gboolean in_all = TRUE;
      for (guint i = 1; in_all && i < n; i++)
        in_all = g_ptr_array_find_with_equal_func (all->pdata[i], first->pdata[k], g_str_equal, NULL);
      if (in_all && g_hash_table_add (common, first->pdata[k]))
        g_string_append_printf (text, "%s\n", (char *) first->pdata[k]);
    }
  for (guint i = 0; i < n; i++)
    add_panel (text, names[i], fl_geometry_panel (geom, i), all->pdata[i], common);
  g_string_append_c (text, '\n');
  add_groups (text, geom, names, geom->rigid, "rigid_group_", FALSE);
  add_groups (text, geom, names, geom->rigid, "rigid_group_collection_", TRUE);
  add_groups (text, geom, names, geom->groups, "group_", FALSE);
  for (guint i = 0; i < geom->bad->len; i++)
    add_bad (text, geom, names, &g_array_index (geom->bad, FlGeomBad, i));
  return g_string_free (text, FALSE);
}
