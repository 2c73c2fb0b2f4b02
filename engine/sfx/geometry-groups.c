#include <string.h>

#include "engine/base/error.h"
#include "engine/sfx/geometry-file.h"

/* A name and what it holds, of a rigid_group_…, a rigid_group_collection_… or a group_… line. */
typedef struct
{
  char *name;
  char **members;
  gboolean collection;
} Named;

static void
named_clear (gpointer data)
{
  g_free (((Named *) data)->name);
  g_strfreev (((Named *) data)->members);
}

static void
read_line (GArray *all, char *line)
{
  line[strcspn (line, ";")] = '\0';
  char *equals = strchr (line, '=');
  if (equals == NULL)
    return;
  *equals = '\0';
  const char *key = g_strstrip (line);
  const char *name = NULL;
  gboolean collection = g_str_has_prefix (key, "rigid_group_collection_");
  if (collection)
    name = key + strlen ("rigid_group_collection_");
  else if (g_str_has_prefix (key, "rigid_group_"))
    name = key + strlen ("rigid_group_");
  else if (g_str_has_prefix (key, "group_"))
    name = key + strlen ("group_");
  if (name == NULL)
    return;
  Named named = { g_strdup (name), g_strsplit (equals + 1, ",", -1), collection };
  for (char **member = named.members; *member != NULL; member++)
    g_strstrip (*member);
  g_array_append_val (all, named);
}

static GArray *
read_groups (const char *text)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Named));
  g_auto (GStrv) lines = g_strsplit_set (text, "\r\n", -1);
  g_array_set_clear_func (all, named_clear);
  for (char **line = lines; *line != NULL; line++)
    read_line (all, *line);
  return all;
}

static const Named *
find (const GArray *all, const char *name, gboolean collection)
{
  for (guint i = 0; i < all->len; i++)
    {
      const Named *named = &g_array_index (all, Named, i);
      if (named->collection == collection && strcmp (named->name, name) == 0)
        return named;
    }
  return NULL;
}

/* Is the panel in the group, or in one that the group holds? */
static gboolean
holds (const GArray *all, const Named *group, const char *panel, guint depth)
{
  for (char **member = group->members; *member != NULL; member++)
    {
      const Named *inner = depth < 8 ? find (all, *member, FALSE) : NULL;
      if (strcmp (*member, panel) == 0
          || (inner != NULL && inner != group && holds (all, inner, panel, depth + 1)))
        return TRUE;
    }
  return FALSE;
}

static void
set_names (FlGeometryGroups *groups, char **names, const char *source)
{
  groups->names = names;
  groups->n = g_strv_length (names);
  groups->source = g_strdup (source);
}

/* Do these groups hold each panel once? Then they are the groups. */
static gboolean
try_members (const GArray *all, char **members, const char *source, const FlDetector *detector,
             FlGeometryGroups *groups)
{
  g_autofree guint *of_panel = g_new (guint, detector->n_panels);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      guint n = 0;
      for (guint k = 0; members[k] != NULL; k++)
        {
          const Named *group = find (all, members[k], FALSE);
          if (strcmp (members[k], detector->panels[i].name) == 0
              || (group != NULL && holds (all, group, detector->panels[i].name, 0)))
            {
              of_panel[i] = k;
              n++;
            }
        }
      if (n != 1)
        return FALSE;
    }
  fl_geometry_groups_clear (groups);
  set_names (groups, g_strdupv (members), source);
  groups->of_panel = g_steal_pointer (&of_panel);
  return TRUE;
}

static gboolean
try_named (const GArray *all, const Named *named, const FlDetector *detector, FlGeometryGroups *groups)
{
  g_autofree char *source =
      g_strdup_printf ("%s%s", named->collection ? "rigid_group_collection_" : "group_", named->name);
  return try_members (all, named->members, source, detector, groups);
}

/* All rigid groups together, where they hold every panel once. */
static gboolean
try_all_rigid (const GArray *all, const FlDetector *detector, FlGeometryGroups *groups)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < all->len; i++)
    if (!g_array_index (all, Named, i).collection)
      g_ptr_array_add (names, g_array_index (all, Named, i).name);
  g_ptr_array_add (names, NULL);
  return names->len > 1 && try_members (all, (char **) names->pdata, "rigid_group", detector, groups);
}

/* The fewest groups, but more than one, that hold every panel once. */
static gboolean
choose (const GArray *all, const FlDetector *detector, FlGeometryGroups *groups)
{
  const Named *quadrants = find (all, "quadrants", TRUE), *best = NULL;
  if (quadrants != NULL && try_named (all, quadrants, detector, groups))
    return TRUE;
  for (guint i = 0; i < all->len; i++)
    {
      const Named *named = &g_array_index (all, Named, i);
      guint n = g_strv_length (named->members);
      gboolean of_groups = named->collection || find (all, named->members[0], FALSE) != NULL;
      if (of_groups && n > 1 && (best == NULL || n < g_strv_length (best->members))
          && try_named (all, named, detector, groups))
        best = named;
    }
  return best != NULL || try_all_rigid (all, detector, groups);
}

/* By the panels' centres about the middle of them all. */
static void
propose_quadrants (const FlDetector *detector, FlGeometryGroups *groups)
{
  static const char *const words[] = { "left bottom", "right bottom", "left top", "right top" };
  guint number[4] = { 0 }, n = 0;
  FlVec3 low = fl_vec3 (INFINITY, INFINITY, 0), high = fl_vec3 (-INFINITY, -INFINITY, 0);
  char **names = g_new0 (char *, 5);
  groups->of_panel = g_new (guint, detector->n_panels);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *p = &detector->panels[i];
      FlVec3 centre = fl_panel_position (p, p->n_fs / 2.0, p->n_ss / 2.0);
      low = fl_vec3 (MIN (low.x, centre.x), MIN (low.y, centre.y), 0);
      high = fl_vec3 (MAX (high.x, centre.x), MAX (high.y, centre.y), 0);
    }
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *p = &detector->panels[i];
      FlVec3 centre = fl_panel_position (p, p->n_fs / 2.0, p->n_ss / 2.0);
      guint quadrant = (centre.x > (low.x + high.x) / 2 ? 1 : 0) + (centre.y > (low.y + high.y) / 2 ? 2 : 0);
      if (number[quadrant] == 0)
        {
          names[n] = g_strdup (words[quadrant]);
          number[quadrant] = ++n;
        }
      groups->of_panel[i] = number[quadrant] - 1;
    }
  set_names (groups, names, "quadrants, as the geometry names no groups");
}

gboolean
fl_geometry_groups_find (const char *path, const char *text, const char *wanted, const FlDetector *detector,
                         FlGeometryGroups *groups, GError **error)
{
  g_autoptr (GArray) all = read_groups (text);
  gboolean named = *wanted != '\0' && strcmp (wanted, "auto") != 0;
  *groups = (FlGeometryGroups){ 0 };
  if (!named)
    {
      if (!choose (all, detector, groups))
        propose_quadrants (detector, groups);
      return TRUE;
    }
  const Named *collection = find (all, wanted, TRUE);
  if (collection == NULL)
    collection = find (all, wanted, FALSE);
  if (collection != NULL && try_named (all, collection, detector, groups))
    return TRUE;
  g_set_error (
      error, FL_ERROR, FL_ERROR_INPUT, "%s: %s '%s', expected groups that hold every panel once", path,
      collection == NULL ? "names no collection of groups" : "panels are missing from, or twice in,", wanted);
  return FALSE;
}

void
fl_geometry_groups_clear (FlGeometryGroups *groups)
{
  g_clear_pointer (&groups->of_panel, g_free);
  g_clear_pointer (&groups->names, g_strfreev);
  g_clear_pointer (&groups->source, g_free);
  groups->n = 0;
}
