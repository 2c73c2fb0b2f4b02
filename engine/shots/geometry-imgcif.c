/* imgCIF's form, read: places come from cbf-geometry.c; here are what they do not need: groups (axes on which several panels
 * depend), their collections (an axis' equipment_component), comments, camera length. */

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/cbf-geometry.h"
#include "engine/shots/geometry-private.h"

/* Lines that begin with '#' between the first and the data block. */
static void
read_comments (FlGeom *geom, const char *text)
{
  const char *line = strchr (text, '\n');
  for (line = line != NULL ? line + 1 : ""; *line == '#' || *line == '\n' || *line == '\r';)
    {
      gsize n = strcspn (line, "\r\n");
      const char *from = line + (n > 1 && line[1] == ' ' ? 2 : 1);
      g_autofree char *comment = n > 1 ? g_strndup (from, (gsize) (line + n - from)) : NULL;
      if (comment != NULL)
        fl_geom_add_comment (geom, comment);
      line += n + (line[n] != '\0');
    }
}

/* Row of the axis that a panel's fast direction runs along; −1: none. */
static int
fast_axis (const FlCbf *cbf, const char *panel)
{
  gboolean sections = fl_cbf_n_rows (cbf, "array_structure_list_section.id") > 0
                      && fl_cbf_n_rows (cbf, "array_structure_list.array_section_id") > 0;
  const char *column = sections ? "array_structure_list.array_section_id" : "array_structure_list.array_id";
  for (int row = fl_cbf_find (cbf, column, panel, 0); row >= 0;
       row = fl_cbf_find (cbf, column, panel, (guint) row + 1))
    if (fl_cbf_number (cbf, "array_structure_list.precedence", (guint) row, 0) == 1)
      {
        const char *set = fl_cbf_text (cbf, "array_structure_list.axis_set_id", (guint) row);
        int set_row = set != NULL ? fl_cbf_find (cbf, "array_structure_list_axis.axis_set_id", set, 0) : -1;
        const char *axis =
            set_row >= 0 ? fl_cbf_text (cbf, "array_structure_list_axis.axis_id", (guint) set_row) : NULL;
        return axis != NULL ? fl_cbf_find (cbf, "axis.id", axis, 0) : -1;
      }
  return -1;
}

static int
parent_axis (const FlCbf *cbf, int row)
{
  const char *parent = fl_cbf_text (cbf, "axis.depends_on", (guint) row);
  return parent != NULL ? fl_cbf_find (cbf, "axis.id", parent, 0) : -1;
}

/* The last axis, when it is a translation along the beam: by so much, mm, downstream. */
static double
camera_length (const FlCbf *cbf, int row)
{
  int parent, last = row;
  for (guint depth = 0; (parent = parent_axis (cbf, last)) >= 0 && depth < 100; depth++)
    last = parent;
  const char *id = fl_cbf_text (cbf, "axis.id", (guint) last);
  if (g_strcmp0 (fl_cbf_text (cbf, "axis.type", (guint) last), "translation") != 0 || id == NULL)
    return 0;
  double z = fl_cbf_number (cbf, "axis.vector[3]", (guint) last, 0);
  if (fl_cbf_number (cbf, "axis.vector[1]", (guint) last, 0) != 0
      || fl_cbf_number (cbf, "axis.vector[2]", (guint) last, 0) != 0)
    return 0;
  double v = NAN;
  int at = fl_cbf_find (cbf, "diffrn_scan_frame_axis.axis_id", id, 0);
  if (at >= 0)
    v = fl_cbf_number (cbf, "diffrn_scan_frame_axis.displacement", (guint) at, NAN);
  at = isnan (v) ? fl_cbf_find (cbf, "diffrn_scan_axis.axis_id", id, 0) : -1;
  if (at >= 0)
    v = fl_cbf_number (cbf, "diffrn_scan_axis.displacement_start", (guint) at, 0);
  return isnan (v) ? 0 : z > 0 ? -v : v;
}

static gboolean
same_members (const GPtrArray *a, const GPtrArray *b)
{
  return a->len == b->len && memcmp (a->pdata, b->pdata, a->len * sizeof *a->pdata) == 0;
}

static void
add_to_collection (GPtrArray *names, GPtrArray *lists, const char *collection, const char *group)
{
  guint i = 0;
  while (i < names->len && strcmp (names->pdata[i], collection) != 0)
    i++;
  if (i == names->len)
    {
      g_ptr_array_add (names, (char *) collection);
      g_ptr_array_add (lists, g_ptr_array_new ());
    }
  g_ptr_array_add (lists->pdata[i], (char *) group);
}

static char **
copy_names (const GPtrArray *names)
{
  char **copy = g_new0 (char *, names->len + 1);
  for (guint i = 0; i < names->len; i++)
    copy[i] = g_strdup (names->pdata[i]);
  return copy;
}

/* Axes that turn several panels, but not all. `members`: axis row → the panels' names. */
static void
add_groups (FlGeom *geom, const FlCbf *cbf, GPtrArray **members)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GPtrArray) lists = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  const GPtrArray *before = NULL;
  for (guint row = 0; row < fl_cbf_n_rows (cbf, "axis.id"); row++)
    {
      const char *id = fl_cbf_text (cbf, "axis.id", row);
      if (members[row] == NULL || members[row]->len < 2 || members[row]->len == geom->panels->len
          || g_strcmp0 (fl_cbf_text (cbf, "axis.type", row), "rotation") != 0
          || (before != NULL && same_members (before, members[row])))
        continue;
      before = members[row];
      const char *name = g_str_has_prefix (id, "FS_") ? id + 3 : id;
      const char *collection = fl_cbf_text (cbf, "axis.equipment_component", row);
      fl_geom_add_group (geom->rigid, name, copy_names (before), FALSE);
      if (collection != NULL && !g_str_has_prefix (collection, "detector"))
        add_to_collection (names, lists, collection, name);
    }
  for (guint i = 0; i < names->len; i++)
    fl_geom_add_group (geom->rigid, names->pdata[i], copy_names (lists->pdata[i]), TRUE);
}

static void
list_free (gpointer list)
{
  if (list != NULL)
    g_ptr_array_unref (list);
}

static void
read_groups (FlGeom *geom, const FlCbf *cbf)
{
  guint n_axes = fl_cbf_n_rows (cbf, "axis.id");
  g_autoptr (GPtrArray) members = g_ptr_array_new_with_free_func (list_free);
  g_ptr_array_set_size (members, (gint) n_axes);
  for (guint i = 0; i < geom->panels->len; i++)
    {
      char *name = g_array_index (geom->panels, FlGeomPanel, i).name;
      int row = fast_axis (cbf, name);
      for (guint depth = 0; row >= 0 && depth <= n_axes; depth++, row = parent_axis (cbf, row))
        {
          if (members->pdata[row] == NULL)
            members->pdata[row] = g_ptr_array_new ();
          g_ptr_array_add (members->pdata[row], name);
        }
    }
  add_groups (geom, cbf, (GPtrArray **) members->pdata);
}

/* --- arrays without pixels --- */

#define MAX_PIXELS ((gsize) 1 << 28)

/* Enlarges an array's dimension to what a row of a table says of it. */
static void
grow (const FlCbf *cbf, guint row, const char *table, const char *size_column, gsize dims[3])
{
  g_autofree char *index_name = g_strconcat (table, ".index", NULL);
  g_autofree char *size_name = g_strconcat (table, ".", size_column, NULL);
  double index = fl_cbf_number (cbf, index_name, row, 0), size = fl_cbf_number (cbf, size_name, row, 0);
  if (index >= 1 && index <= 3 && size >= 1 && size < 1 << 24)
    dims[(int) index - 1] = MAX (dims[(int) index - 1], (gsize) size);
}

static void
describe_array (FlCbf *cbf, GPtrArray *names, const char *array)
{
  FlCbfSection section = { .type = FL_PIXEL_I32 };
  gsize *dims = section.coding.dims;
  dims[0] = dims[1] = dims[2] = 1;
  for (guint row = 0; row < fl_cbf_n_rows (cbf, "array_structure_list.array_id"); row++)
    if (g_strcmp0 (fl_cbf_text (cbf, "array_structure_list.array_id", row), array) == 0
        && fl_cbf_text (cbf, "array_structure_list.array_section_id", row) == NULL)
      grow (cbf, row, "array_structure_list", "dimension", dims);
  for (guint row = 0; row < fl_cbf_n_rows (cbf, "array_structure_list_section.array_id"); row++)
    if (g_strcmp0 (fl_cbf_text (cbf, "array_structure_list_section.array_id", row), array) == 0)
      grow (cbf, row, "array_structure_list_section", "end", dims);
  section.n_elements = dims[0] * dims[1] * dims[2];
  if (dims[0] * dims[1] > MAX_PIXELS || section.n_elements > MAX_PIXELS)
    section.n_elements = MAX_PIXELS + 1;
  g_array_append_val (cbf->sections, section);
  g_ptr_array_add (names, g_strdup (array));
}

/* A header without pixels gets the sections that its tables describe. FALSE: more pixels than a detector has. */
static gboolean
describe_arrays (FlCbf *cbf)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  gsize total = 0;
  for (guint row = 0; row < fl_cbf_n_rows (cbf, "array_structure_list.array_id"); row++)
    {
      const char *name = fl_cbf_text (cbf, "array_structure_list.array_id", row);
      if (name != NULL && fl_cbf_find (cbf, "array_structure_list.array_id", name, 0) == (int) row)
        describe_array (cbf, names, name);
    }
  g_hash_table_replace (cbf->columns, g_strdup ("array_data.array_id"), names);
  for (guint i = 0; i < cbf->sections->len && total <= MAX_PIXELS; i++)
    total += g_array_index (cbf->sections, FlCbfSection, i).n_elements;
  return total <= MAX_PIXELS;
}

FlGeom *
fl_geometry_read_imgcif (const char *path, const char *text, gsize length, GError **error)
{
  g_autoptr (FlCbf) cbf = fl_cbf_parse_header (path, (const guint8 *) text, length, error);
  if (cbf == NULL)
    return NULL;
  if (cbf->sections->len == 0 && (!describe_arrays (cbf) || cbf->sections->len == 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: %s, expected array_structure_list to describe a detector", path,
                   cbf->sections->len == 0 ? "no array" : "more than 2^28 pixels");
      return NULL;
    }
  g_autoptr (FlDetector) detector = fl_cbf_detector (cbf, path, error);
  if (detector == NULL)
    return NULL;
  if (!detector->placed)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: the header does not tell where the pixels are",
                   path);
      return NULL;
    }
  int row = fast_axis (cbf, detector->panels[0].name);
  double clen = row >= 0 ? camera_length (cbf, row) : detector->panels[0].origin.z;
  g_autoptr (FlGeom) geom = fl_geometry_from_detector (path, detector, clen);
  read_comments (geom, text);
  if (row >= 0)
    read_groups (geom, cbf);
  return fl_geom_finish (geom, error) ? g_steal_pointer (&geom) : NULL;
}
