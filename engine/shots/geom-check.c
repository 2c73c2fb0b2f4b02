#include "engine/shots/geom-check.h"

#include <limits.h>
#include <math.h>

#include "engine/base/error.h"
#include "engine/shots/geometry-private.h"

#define MAX_PARTS 65536
#define MAX_REACH 1e9 /* mm; beyond, sums lose pixels and squares lose numbers */

typedef struct
{
  FlGeom *geom;
  GHashTable *panel_index;
  GError **error;
} Checker;

static gboolean G_GNUC_PRINTF (3, 4) fail_at (const Checker *checker, guint line, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  if (line > 0)
    g_set_error (checker->error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: %s", checker->geom->path, line, message);
  else
    g_set_error (checker->error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", checker->geom->path, message);
  return FALSE;
}

/* It may be there with a slip of the pen. */
static gboolean
fail_missing (const Checker *checker, const FlGeomPanel *panel, const char *key)
{
  const GPtrArray *notes = checker->geom->notes;
  for (guint i = 0; i < notes->len; i++)
    if (g_str_has_suffix (notes->pdata[i], "is not known and passed over"))
      return fail_at (checker, panel->line, "panel %s has no %s (%s)", panel->name, key,
                      (char *) notes->pdata[i]);
  return fail_at (checker, panel->line, "panel %s has no %s", panel->name, key);
}

/* Without a word dim0 is ss and dim1 is fs. */
static gboolean
check_dims (const Checker *checker, FlGeomPanel *panel)
{
  guint n_ss = 0, n_fs = 0;
  panel->n_dims = MAX (panel->n_dims, 2);
  if (panel->dims[0] == FL_GEOM_DIM_NONE)
    panel->dims[0] = FL_GEOM_DIM_SS;
  if (panel->dims[1] == FL_GEOM_DIM_NONE)
    panel->dims[1] = FL_GEOM_DIM_FS;
  for (guint i = 0; i < panel->n_dims; i++)
    {
      if (panel->dims[i] == FL_GEOM_DIM_NONE)
        return fail_at (checker, panel->line, "panel %s has no dim%u below dim%u", panel->name, i,
                        panel->n_dims - 1);
      if (panel->dims[i] == FL_GEOM_DIM_FS && n_ss == 0)
        return fail_at (checker, panel->line, "panel %s has dimension fs before ss, expected ss first",
                        panel->name);
      n_ss += panel->dims[i] == FL_GEOM_DIM_SS;
      n_fs += panel->dims[i] == FL_GEOM_DIM_FS;
    }
  if (n_ss != 1 || n_fs != 1)
    return fail_at (
        checker, panel->line,
        "panel %s has %u dimensions ss and %u fs (dim0 is ss, dim1 fs where not said), expected one of each",
        panel->name, n_ss, n_fs);
  return TRUE;
}

static gboolean
check_panel (const Checker *checker, FlGeomPanel *panel)
{
  const struct
  {
    const char *name;
    gboolean missing;
  } required[] = { { "min_fs", panel->min_fs == INT_MIN },
                   { "max_fs", panel->max_fs == INT_MIN },
                   { "min_ss", panel->min_ss == INT_MIN },
                   { "max_ss", panel->max_ss == INT_MIN },
                   { "corner_x", isnan (panel->corner_x) },
                   { "corner_y", isnan (panel->corner_y) },
                   { "fs", isnan (panel->fs[0]) },
                   { "ss", isnan (panel->ss[0]) },
                   { "res", isnan (panel->res) } };
  for (gsize i = 0; i < G_N_ELEMENTS (required); i++)
    if (required[i].missing)
      return fail_missing (checker, panel, required[i].name);
  if (panel->min_fs < 0 || panel->min_ss < 0 || panel->max_fs < panel->min_fs
      || panel->max_ss < panel->min_ss)
    return fail_at (checker, panel->line,
                    "panel %s spans fs %d to %d and ss %d to %d, expected 0 ≤ min ≤ max", panel->name,
                    panel->min_fs, panel->max_fs, panel->min_ss, panel->max_ss);
  if (!(panel->res > 0))
    return fail_at (checker, panel->line, "panel %s has res %g, expected pixels per metre", panel->name,
                    panel->res);
  double cross[3];
  for (int i = 0; i < 3; i++)
    cross[i] =
        panel->fs[(i + 1) % 3] * panel->ss[(i + 2) % 3] - panel->fs[(i + 2) % 3] * panel->ss[(i + 1) % 3];
  if (!(cross[0] * cross[0] + cross[1] * cross[1] + cross[2] * cross[2] > 1e-12))
    return fail_at (checker, panel->line, "panel %s has fs and ss along one line, expected a plane",
                    panel->name);
  if (panel->data == NULL)
    panel->data = g_strdup ("/data/data");
  return check_dims (checker, panel);
}

/* --- bad regions --- */

static gboolean
has_fs_ss (const FlGeomBad *bad)
{
  return bad->panel != NULL || !isnan (bad->min_fs) || !isnan (bad->max_fs) || !isnan (bad->min_ss)
         || !isnan (bad->max_ss);
}

static gboolean
check_bad (const Checker *checker, FlGeomBad *bad)
{
  gboolean lab = !isnan (bad->min_x) || !isnan (bad->max_x) || !isnan (bad->min_y) || !isnan (bad->max_y);
  if (lab && has_fs_ss (bad))
    return fail_at (checker, bad->line, "bad region %s mixes x/y with fs/ss, expected one of the two",
                    bad->name);
  if (bad->panel != NULL && !g_hash_table_contains (checker->panel_index, bad->panel))
    return fail_at (checker, bad->line, "bad region %s is on panel %s, which does not exist", bad->name,
                    bad->panel);
  double sum = lab ? bad->min_x + bad->max_x + bad->min_y + bad->max_y
                   : bad->min_fs + bad->max_fs + bad->min_ss + bad->max_ss;
  if (isnan (sum))
    return fail_at (checker, bad->line, "bad region %s lacks a limit, expected min and max of %s", bad->name,
                    lab ? "x and y" : "fs and ss");
  return TRUE;
}

/* The part of a region that names no panel which lies on this one. Of several panels each has its own name for it. */
static void
add_part (GArray *parts, const FlGeomBad *whole, const FlGeomPanel *panel, gboolean only)
{
  FlGeomBad part = *whole;
  part.min_fs = MAX (whole->min_fs, panel->min_fs);
  part.max_fs = MIN (whole->max_fs, panel->max_fs);
  part.min_ss = MAX (whole->min_ss, panel->min_ss);
  part.max_ss = MIN (whole->max_ss, panel->max_ss);
  if (part.min_fs > part.max_fs || part.min_ss > part.max_ss)
    return;
  part.name = only ? g_strdup (whole->name) : g_strdup_printf ("%s_%s", whole->name, panel->name);
  part.panel = g_strdup (panel->name);
  g_array_append_val (parts, part);
}

/* A region in fs and ss that names no panel holds wherever the data array has it, as in CrystFEL up to 0.9 (later releases take it
 * on detectors of one panel alone). */
static gboolean
settle_regions (const Checker *checker)
{
  const GArray *panels = checker->geom->panels;
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (FlGeomBad));
  GArray *bad = checker->geom->bad;
  gboolean too_many = FALSE;
  for (guint i = bad->len; !too_many && i-- > 0;)
    {
      const FlGeomBad *whole = &g_array_index (bad, FlGeomBad, i);
      if (!has_fs_ss (whole) || whole->panel != NULL)
        continue;
      for (guint p = 0; p < panels->len; p++)
        add_part (parts, whole, &g_array_index (panels, FlGeomPanel, p), panels->len == 1);
      if (panels->len > 1)
        g_ptr_array_add (checker->geom->notes,
                         g_strdup_printf ("line %u: %s names no panel and holds on all, as in CrystFEL "
                                          "before 0.10",
                                          whole->line, whole->name));
      if (parts->len > MAX_PARTS)
        too_many = TRUE;
      g_array_remove_index_fast (bad, i);
    }
  if (parts->len > 0)
    g_array_append_vals (bad, parts->data, parts->len);
  return !too_many
         || fail_at (checker, g_array_index (bad, FlGeomBad, 0).line,
                     "bad regions without a panel make more than %d pieces, expected them panel by panel",
                     MAX_PARTS);
}

/* --- groups and camera length --- */

/* Members are panels or groups that come earlier. */
static gboolean
check_groups (const Checker *checker)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < checker->geom->groups->len; i++)
    {
      const FlGeomGroup *group = &g_array_index (checker->geom->groups, FlGeomGroup, i);
      for (char **member = group->members; *member != NULL; member++)
        if (!g_hash_table_contains (known, *member) && !g_hash_table_contains (checker->panel_index, *member))
          {
            g_set_error (checker->error, FL_ERROR, FL_ERROR_INPUT,
                         "%s: group %s holds '%s', which is neither a panel nor a group before it",
                         checker->geom->path, group->name, *member);
            return FALSE;
          }
      g_hash_table_add (known, group->name);
    }
  return TRUE;
}

/* Old files give the camera length by panel: the first becomes the detector's, differences go into coffset. */
static gboolean
settle_clen (const Checker *checker)
{
  FlGeom *geom = checker->geom;
  for (guint i = 0; i < geom->panels->len; i++)
    {
      FlGeomPanel *panel = &g_array_index (geom->panels, FlGeomPanel, i);
      if (!panel->clen.set)
        continue;
      if (!geom->clen.set)
        {
          geom->clen = panel->clen;
          geom->clen.path = g_strdup (panel->clen.path);
          g_ptr_array_add (geom->notes,
                           g_strdup_printf ("line %u: camera length by panel, as in old files", panel->line));
        }
      if (g_strcmp0 (panel->clen.path, geom->clen.path) != 0)
        return fail_at (checker, panel->line,
                        "panel %s has its camera length elsewhere than the others, expected one",
                        panel->name);
      if (panel->clen.path == NULL)
        panel->coffset += (panel->clen.value - geom->clen.value) * 1e-3;
    }
  return TRUE;
}

gboolean
fl_geom_check_reach (FlGeom *geom, GError **error)
{
  const Checker checker = { geom, NULL, error };
  for (guint i = 0; i < fl_geometry_n (geom); i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (geom, i);
      FlGeometryPlace place = fl_geometry_place (geom, panel);
      double reach = fl_vec3_norm (place.origin) + fl_geometry_n_fs (panel) * fl_vec3_norm (place.fs)
                     + fl_geometry_n_ss (panel) * fl_vec3_norm (place.ss);
      if (!(reach < MAX_REACH))
        return fail_at (&checker, panel->line,
                        "panel %s reaches %g mm far, expected a detector's size and place", panel->name,
                        reach);
    }
  return TRUE;
}

gboolean
fl_geom_check (FlGeom *geom, GHashTable *panel_index, GError **error)
{
  const Checker checker = { geom, panel_index, error };
  for (guint i = 0; i < geom->panels->len; i++)
    if (!check_panel (&checker, &g_array_index (geom->panels, FlGeomPanel, i)))
      return FALSE;
  for (guint i = 0; i < geom->bad->len; i++)
    if (!check_bad (&checker, &g_array_index (geom->bad, FlGeomBad, i)))
      return FALSE;
  return settle_regions (&checker) && check_groups (&checker) && settle_clen (&checker)
         && fl_geom_check_reach (geom, error);
}
