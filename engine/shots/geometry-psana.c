/* psana's tables, read. One object a line, with its parent: where its frame lies in the parent's. An object turns first about z,
 * then about y, then about x, by ROT + TILT, and is shifted then. psana's laboratory has x down, as the rows of an image, y along
 * its columns and z against the beam; ours is (−y, −x, −z) of it. Segments (the leaves) lie in the data one upon the other, in the
 * order of the file. */

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/geometry-private.h"
#include "engine/shots/psana-segments.h"

#define MAX_OBJECTS 65536
#define MAX_DEPTH   32
#define MAX_PIXELS  ((guint64) 1 << 30)
#define FIELDS      13

typedef struct
{
  char *parent, *name; /* with the index: "QUAD:V1 0" */
  char *kind;          /* without */
  int index;
  FlVec3 shift; /* µm */
  FlMat3 turn;
  guint line;
  GArray *children; /* guint: in the table's order */
} Object;

typedef struct
{
  const char *path;
  GArray *objects;     /* of Object */
  GHashTable *by_name; /* name → index + 1, of those that are no segments */
  FlGeom *geom;
  guint n_segments, rows, cols; /* of a segment */
  char *shape_of;               /* the first one's kind */
  GError **error;
} Table;

static gboolean G_GNUC_PRINTF (3, 4) fail_at (const Table *table, guint line, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (table->error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: %s", table->path, line, message);
  return FALSE;
}

static void
object_clear (gpointer data)
{
  Object *object = data;
  g_free (object->parent);
  g_free (object->name);
  g_free (object->kind);
  g_array_unref (object->children);
}

static Object *
object_at (const Table *table, guint i)
{
  return &g_array_index (table->objects, Object, i);
}

/* --- lines --- */

static gboolean
read_index (const char *text, int *index)
{
  char *end;
  gint64 v = g_ascii_strtoll (text, &end, 10);
  *index = (int) v;
  return end != text && *end == '\0' && v >= 0 && v < 1 << 20;
}

/* The words of a line that is no comment; NULL: there are none. */
static char **
split_row (const char *line)
{
  const char *text = line + strspn (line, " \t\r");
  if (*text == '\0' || *text == '#')
    return NULL;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  while (*text != '\0' && words->len <= FIELDS)
    {
      gsize n = strcspn (text, " \t\r");
      g_ptr_array_add (words, g_strndup (text, n));
      text += n;
      text += strspn (text, " \t\r");
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

/* about z, then y, then x */
static FlMat3
turn_of (const double degrees[3])
{
  FlMat3 z = fl_mat3_rotation (fl_vec3 (0, 0, 1), fl_radians (degrees[0])),
         y = fl_mat3_rotation (fl_vec3 (0, 1, 0), fl_radians (degrees[1])),
         x = fl_mat3_rotation (fl_vec3 (1, 0, 0), fl_radians (degrees[2]));
  FlMat3 yz = fl_mat3_multiply (&y, &z);
  return fl_mat3_multiply (&x, &yz);
}

static gboolean
read_row (Table *table, char **words, guint line)
{
  static const char *const names[] = { "PARENT", "index", "OBJECT", "index",  "X0",     "Y0",    "Z0",
                                       "ROT_Z",  "ROT_Y", "ROT_X",  "TILT_Z", "TILT_Y", "TILT_X" };
  double v[FIELDS] = { 0 };
  int index[2];
  guint n = g_strv_length (words);
  if (n != FIELDS)
    return fail_at (table, line, "%s%u words, expected 13: PARENT index OBJECT index X0 Y0 Z0 and six angles",
                    n > FIELDS ? "more than " : "", MIN (n, FIELDS));
  for (guint i = 0; i < 2; i++)
    if (!read_index (words[2 * i + 1], &index[i]))
      return fail_at (table, line, "index '%.40s', expected a number from 0", words[2 * i + 1]);
  for (guint i = 4; i < FIELDS; i++)
    {
      char *end;
      v[i] = g_ascii_strtod (words[i], &end);
      if (*end != '\0' || !(fabs (v[i]) < 1e9))
        return fail_at (table, line, "%s is '%.40s', expected a number", names[i], words[i]);
    }
  if (table->objects->len == MAX_OBJECTS)
    return fail_at (table, line, "more than %d objects", MAX_OBJECTS);
  /* psana, too, takes a detector to be downstream of the sample, whatever the sign. */
  if (g_str_has_prefix (words[0], "IP"))
    v[6] = -fabs (v[6]);
  const double degrees[3] = { v[7] + v[10], v[8] + v[11], v[9] + v[12] };
  Object object = { .parent = g_strdup_printf ("%s %d", words[0], index[0]),
                    .name = g_strdup_printf ("%s %d", words[2], index[1]),
                    .kind = g_strdup (words[2]),
                    .index = index[1],
                    .shift = fl_vec3 (v[4], v[5], v[6]),
                    .turn = turn_of (degrees),
                    .line = line,
                    .children = g_array_new (FALSE, FALSE, sizeof (guint)) };
  g_array_append_val (table->objects, object);
  return TRUE;
}

static gboolean
read_rows (Table *table, const char *text, gsize length)
{
  guint line = 0;
  for (gsize at = 0; at < length;)
    {
      const char *end = memchr (text + at, '\n', length - at);
      gsize n = end != NULL ? (gsize) (end - text) - at : length - at;
      g_autofree char *row = g_utf8_make_valid (text + at, (gssize) n);
      g_auto (GStrv) words = split_row (row);
      line++;
      if (words != NULL && !read_row (table, words, line))
        return FALSE;
      if (words == NULL && row[strspn (row, " \t\r")] == '#')
        {
          const char *comment = strchr (row, '#') + 1;
          comment += *comment == ' ';
          if (!g_str_has_prefix (comment, "HDR ") && *comment != '\0')
            fl_geom_add_comment (table->geom, comment);
        }
      at += n + 1;
    }
  return table->objects->len > 0 || fail_at (table, line, "no object, expected a psana geometry");
}

/* --- the tree --- */

/* Children go to their parents; an object whose parent no line describes stands at the top. */
static gboolean
link_objects (Table *table, GArray *tops)
{
  FlPsanaSegment unused;
  for (guint i = 0; i < table->objects->len; i++)
    {
      const Object *object = object_at (table, i);
      guint other = GPOINTER_TO_UINT (g_hash_table_lookup (table->by_name, object->name));
      if (fl_psana_segment_find (object->kind, &unused))
        continue;
      if (other != 0)
        return fail_at (table, object->line, "object %s is on line %u, too", object->name,
                        object_at (table, other - 1)->line);
      g_hash_table_insert (table->by_name, object->name, GUINT_TO_POINTER (i + 1));
    }
  for (guint i = 0; i < table->objects->len; i++)
    {
      guint parent = GPOINTER_TO_UINT (g_hash_table_lookup (table->by_name, object_at (table, i)->parent));
      g_array_append_val (parent != 0 ? object_at (table, parent - 1)->children : tops, i);
    }
  return tops->len > 0 || fail_at (table, object_at (table, 0)->line, "the objects are each other's parents");
}

/* A frame: what lies at v in it lies at turn · v + shift. */
typedef struct
{
  FlMat3 turn;
  FlVec3 shift;
} Frame;

static FlVec3
to_lab (FlVec3 v) /* µm to mm */
{
  return fl_vec3 (-v.y * 1e-3, -v.x * 1e-3, -v.z * 1e-3);
}

static gboolean
add_segment (Table *table, const Object *object, const FlPsanaSegment *segment, const Frame *frame,
             GPtrArray *members)
{
  guint rows = segment->n_rows * segment->asic_rows, cols = segment->n_cols * segment->asic_cols;
  if (table->n_segments == 0)
    {
      table->rows = rows;
      table->cols = cols;
      table->shape_of = object->kind;
    }
  if (rows != table->rows || cols != table->cols)
    return fail_at (table, object->line, "%s is of another shape than %s, expected segments of one shape",
                    object->kind, table->shape_of);
  if ((guint64) (table->n_segments + 1) * rows * cols > MAX_PIXELS)
    return fail_at (table, object->line, "more than 2^30 pixels, expected a detector");
  for (guint a = 0; a < segment->n_rows * segment->n_cols; a++)
    {
      g_autofree char *name = g_strdup_printf ("p%ua%u", table->n_segments, a);
      FlGeomPanel *panel = fl_geom_add_panel (table->geom, name);
      FlGeometryPlace place = {
        to_lab (fl_vec3_add (fl_mat3_apply (&frame->turn, segment->corner[a]), frame->shift)),
        to_lab (fl_mat3_apply (&frame->turn, segment->fs)), to_lab (fl_mat3_apply (&frame->turn, segment->ss))
      };
      fl_geometry_set_place (panel, &place, fl_geometry_clen (table->geom));
      panel->line = object->line;
      panel->min_fs = (int) (a % segment->n_cols * segment->asic_cols);
      panel->max_fs = panel->min_fs + (int) segment->asic_cols - 1;
      panel->min_ss = (int) (table->n_segments * rows + a / segment->n_cols * segment->asic_rows);
      panel->max_ss = panel->min_ss + (int) segment->asic_rows - 1;
      panel->dims[0] = FL_GEOM_DIM_FRAME;
      panel->dims[1] = FL_GEOM_DIM_SS;
      panel->dims[2] = FL_GEOM_DIM_FS;
      panel->n_dims = 3;
      panel->data = g_strdup (FL_GEOMETRY_DATA);
      g_ptr_array_add (members, panel->name);
    }
  table->n_segments++;
  return TRUE;
}

static char **
copy_names (const GPtrArray *names, guint from)
{
  char **copy = g_new0 (char *, names->len - from + 1);
  for (guint i = from; i < names->len; i++)
    copy[i - from] = g_strdup (names->pdata[i]);
  return copy;
}

/* What is between the detector and its segments becomes a rigid group. */
static void
add_group (Table *table, const Object *object, const GPtrArray *members, guint from)
{
  g_autofree char *kind = g_ascii_strdown (object->kind, (gssize) strcspn (object->kind, ":"));
  g_autofree char *name = g_strdup_printf (
      "%s%d", strcmp (kind, "quad") == 0 ? "q" : g_strcanon (kind, FL_GEOMETRY_LETTERS, '_'), object->index);
  fl_geom_add_group (table->geom->rigid, name, copy_names (members, from), FALSE);
}

static gboolean
walk (Table *table, guint number, const Frame *parent, guint depth, GPtrArray *members)
{
  const Object *object = object_at (table, number);
  FlPsanaSegment segment;
  FlVec3 shift = fl_mat3_apply (&parent->turn, object->shift);
  Frame frame = { fl_mat3_multiply (&parent->turn, &object->turn), fl_vec3_add (parent->shift, shift) };
  guint before = members->len;
  if (fl_psana_segment_find (object->kind, &segment))
    return add_segment (table, object, &segment, &frame, members);
  if (depth == MAX_DEPTH)
    return fail_at (table, object->line, "more than %d objects within each other", MAX_DEPTH);
  if (object->children->len == 0)
    return fail_at (table, object->line,
                    "%s is no segment known here, nor anything's parent, expected SENS2X1:V1, EPIX10KA:V1, "
                    "JUNGFRAU:V2, MTRX:V2:rows:columns:size:size …",
                    object->name);
  for (guint i = 0; i < object->children->len; i++)
    if (!walk (table, g_array_index (object->children, guint, i), &frame, depth + 1, members))
      return FALSE;
  if (depth > 0)
    add_group (table, object, members, before);
  return TRUE;
}

/* A group for each segment that has several panels. */
static void
add_sensors (Table *table, guint n_asics)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (guint s = 0; n_asics > 1 && s < table->n_segments; s++)
    {
      char **members = g_new0 (char *, n_asics + 1);
      for (guint a = 0; a < n_asics; a++)
        members[a] = g_strdup (fl_geometry_panel (table->geom, s * n_asics + a)->name);
      g_ptr_array_add (names, g_strdup_printf ("p%u", s));
      fl_geom_add_group (table->geom->rigid, names->pdata[s], members, FALSE);
    }
  if (names->len > 1)
    fl_geom_add_group (table->geom->rigid, "sensors", copy_names (names, 0), TRUE);
}

static gboolean
walk_all (Table *table, const GArray *tops)
{
  const Frame lab = { { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } }, { 0, 0, 0 } };
  g_autoptr (GPtrArray) members = g_ptr_array_new ();
  const Object *first = object_at (table, g_array_index (tops, guint, 0));
  guint reached = 0;
  if (g_str_has_prefix (first->parent, "IP"))
    fl_geometry_set_clen (table->geom, -first->shift.z * 1e-3);
  for (guint i = 0; i < tops->len; i++)
    if (!walk (table, g_array_index (tops, guint, i), &lab, 0, members))
      return FALSE;
  FlPsanaSegment segment;
  for (guint i = 0; i < table->objects->len; i++)
    reached += fl_psana_segment_find (object_at (table, i)->kind, &segment);
  if (reached != table->n_segments)
    return fail_at (table, object_at (table, 0)->line,
                    "%u of %u segments hang from objects that are each other's parents",
                    reached - table->n_segments, reached);
  add_sensors (table, table->geom->panels->len / MAX (table->n_segments, 1));
  if (strcmp (table->shape_of, "EPIX10KA:V1") == 0)
    g_ptr_array_add (table->geom->notes, g_strdup ("EPIX10KA:V1: 3 px between ASICs, as in LCLS-I's psana"));
  if (g_str_has_prefix (first->kind, "CSPAD2X2"))
    g_ptr_array_add (
        table->geom->notes,
        g_strdup ("CSPAD2X2: psana's own arrays have the two sensors pixel by pixel, here they are a stack"));
  return TRUE;
}

FlGeom *
fl_geometry_read_psana (const char *path, const char *text, gsize length, GError **error)
{
  g_autoptr (FlGeom) geom = fl_geom_new (path);
  g_autoptr (GArray) objects = g_array_new (FALSE, FALSE, sizeof (Object));
  g_autoptr (GArray) tops = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_array_set_clear_func (objects, object_clear);
  Table table = { .path = path, .objects = objects, .by_name = by_name, .geom = geom, .error = error };
  return read_rows (&table, text, length) && link_objects (&table, tops) && walk_all (&table, tops)
                 && fl_geom_finish (geom, error)
             ? g_steal_pointer (&geom)
             : NULL;
}

gboolean
fl_geometry_is_psana (const char *text, gsize length)
{
  if (memchr (text, 0, length) != NULL)
    return FALSE;
  for (gsize at = 0; at < length;)
    {
      const char *end = memchr (text + at, '\n', length - at);
      gsize n = end != NULL ? (gsize) (end - text) - at : length - at;
      g_autofree char *row = g_strndup (text + at, n);
      g_auto (GStrv) words = split_row (row);
      int index;
      if (words != NULL)
        return g_strv_length (words) >= 5 && strchr (row, '=') == NULL && read_index (words[1], &index)
               && read_index (words[3], &index);
      at += n + 1;
    }
  return FALSE;
}
