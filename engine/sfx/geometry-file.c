#include "engine/sfx/geometry-file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/geom.h"

#define SAME 1e-6 /* mm: heights that differ less are one */

/* One line that sets something. */
typedef struct
{
  char *owner; /* panel; NULL: all */
  char *key;
  gsize value, length; /* of the value, in the text */
  gsize end;           /* of the line: after its line end */
} Line;

typedef struct
{
  gsize at, length; /* in the text: what is replaced */
  guint order;
  char *by;
} Edit;

typedef struct
{
  const char *text;
  const char *line_end;
  FlGeom *geom;
  GArray *lines; /* of Line */
  GArray *edits; /* of Edit */
  double raised,
      for_all; /* mm: what clen has been raised by, and a coffset that holds for panels without their own */
} File;

static void
line_clear (gpointer data)
{
  Line *line = data;
  g_free (line->owner);
  g_free (line->key);
}

static void
edit_clear (gpointer data)
{
  g_free (((Edit *) data)->by);
}

/* text[*from … to) without spaces at its ends. */
static void
strip (const char *text, gsize *from, gsize *to)
{
  while (*from < *to && g_ascii_isspace (text[*from]))
    ++*from;
  while (*to > *from && g_ascii_isspace (text[*to - 1]))
    --*to;
}

static void
read_line (File *file, gsize from, gsize to, gsize end)
{
  const char *text = file->text, *semicolon = memchr (text + from, ';', to - from);
  if (semicolon != NULL)
    to = (gsize) (semicolon - text);
  const char *equals = memchr (text + from, '=', to - from);
  if (equals == NULL)
    return;
  gsize middle = (gsize) (equals - text), value = middle + 1;
  strip (text, &from, &middle);
  strip (text, &value, &to);
  g_autofree char *name = g_strndup (text + from, middle - from);
  char *slash = strchr (name, '/');
  Line line = { .owner = slash != NULL ? g_strchomp (g_strndup (name, (gsize) (slash - name))) : NULL,
                .key = g_strchug (g_strdup (slash != NULL ? slash + 1 : name)),
                .value = value,
                .length = to - value,
                .end = end };
  g_array_append_val (file->lines, line);
}

static void
read_lines (File *file)
{
  gsize length = strlen (file->text);
  file->lines = g_array_new (FALSE, FALSE, sizeof (Line));
  g_array_set_clear_func (file->lines, line_clear);
  file->line_end = strstr (file->text, "\r\n") != NULL ? "\r\n" : "\n";
  for (gsize at = 0; at < length;)
    {
      gsize to = at + strcspn (file->text + at, "\r\n");
      gsize end = to + (file->text[to] == '\r' && file->text[to + 1] == '\n' ? 2 : file->text[to] != '\0');
      read_line (file, at, to, end);
      at = end;
    }
}

/* The line that counts: the last. `key` NULL: any. */
static const Line *
find_line (const File *file, const char *owner, const char *key)
{
  for (guint i = file->lines->len; i-- > 0;)
    {
      const Line *line = &g_array_index (file->lines, Line, i);
      if (g_strcmp0 (line->owner, owner) == 0 && (key == NULL || strcmp (line->key, key) == 0))
        return line;
    }
  return NULL;
}

/* --- changes --- */

/* Takes `by`. */
static void
change (File *file, gsize at, gsize length, char *by)
{
  Edit edit = { at, length, file->edits->len, by };
  g_array_append_val (file->edits, edit);
}

/* Sets panel's key; a line of its own where the panel has none. */
static void
set_value (File *file, const char *panel, const char *key, const char *value)
{
  const Line *line = find_line (file, panel, key), *last = find_line (file, panel, NULL);
  if (line != NULL)
    change (file, line->value, line->length, g_strdup (value));
  else
    {
      gboolean ended = last->end > 0 && strchr ("\r\n", file->text[last->end - 1]) != NULL;
      change (
          file, last->end, 0,
          g_strdup_printf ("%s%s/%s = %s%s", ended ? "" : file->line_end, panel, key, value, file->line_end));
    }
}

/* "+0.999999x -0.000512y" */
static char *
direction_text (FlVec3 v)
{
  char x[G_ASCII_DTOSTR_BUF_SIZE], y[G_ASCII_DTOSTR_BUF_SIZE], z[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (x, sizeof x, "%+.9f", v.x);
  g_ascii_formatd (y, sizeof y, "%+.9f", v.y);
  g_ascii_formatd (z, sizeof z, "%+.9f", v.z);
  return fabs (v.z) >= 5e-10 ? g_strdup_printf ("%sx %sy %sz", x, y, z) : g_strdup_printf ("%sx %sy", x, y);
}

static gboolean
is_new (double a, double b, double least)
{
  return fabs (a - b) >= least;
}

static gboolean
is_turned (FlVec3 now, const double was[3])
{
  return is_new (now.x, was[0], 5e-10) || is_new (now.y, was[1], 5e-10) || is_new (now.z, was[2], 5e-10);
}

static void
set_number (File *file, const char *panel, const char *key, const char *format, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  set_value (file, panel, key, g_ascii_formatd (text, sizeof text, format, value));
}

static void
set_panel (File *file, const FlGeomPanel *was, const FlPanel *before, const FlPanel *after)
{
  double px = was->res / 1000; /* 1/mm */
  FlVec3 fs = fl_vec3_scale (after->fs, px), ss = fl_vec3_scale (after->ss, px);
  g_autofree char *fs_text = direction_text (fs), *ss_text = direction_text (ss);
  double x = after->origin.x * px, y = after->origin.y * px,
         up = after->origin.z - before->origin.z - file->raised; /* mm */
  if (is_turned (fs, was->fs))
    set_value (file, was->name, "fs", fs_text);
  if (is_turned (ss, was->ss))
    set_value (file, was->name, "ss", ss_text);
  if (is_new (x, was->corner_x, 5e-7))
    set_number (file, was->name, "corner_x", "%.6f", x);
  if (is_new (y, was->corner_y, 5e-7))
    set_number (file, was->name, "corner_y", "%.6f", y);
  if (fabs (up - file->for_all) < SAME)
    return;
  double own =
      was->clen.set ? (was->clen.value - file->geom->clen.value) * 1e-3 : 0; /* m: in coffset already */
  set_number (file, was->name, "coffset", "%.9f", was->coffset - own + up * 1e-3);
}

/* --- the distance --- */

static int
by_value (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* mm: what most panels have been raised by. */
static double
median_raise (const FlDetector *before, const FlDetector *after)
{
  g_autofree double *up = g_new (double, before->n_panels);
  for (guint i = 0; i < before->n_panels; i++)
    {
      const FlPanel *a = &after->panels[i], *b = &before->panels[i];
      up[i] = fl_panel_position (a, a->n_fs / 2.0, a->n_ss / 2.0).z
              - fl_panel_position (b, b->n_fs / 2.0, b->n_ss / 2.0).z;
    }
  qsort (up, before->n_panels, sizeof *up, by_value);
  return up[before->n_panels / 2];
}

static gboolean
any_has (const File *file, const char *key)
{
  for (guint i = 0; i < file->lines->len; i++)
    if (g_array_index (file->lines, Line, i).owner != NULL
        && strcmp (g_array_index (file->lines, Line, i).key, key) == 0)
      return TRUE;
  return FALSE;
}

/* Where the file says one distance for all it says the new one there: in clen, or, when that is in the data, in a coffset for
 * all. */
static void
raise_whole (File *file, const FlDetector *before, const FlDetector *after)
{
  const Line *clen = find_line (file, NULL, "clen"), *coffset = find_line (file, NULL, "coffset");
  double up = median_raise (before, after);
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  if (fabs (up) < SAME)
    return;
  if (clen != NULL && file->geom->clen.path == NULL && !any_has (file, "clen"))
    {
      gboolean mm = g_strstr_len (file->text + clen->value, (gssize) clen->length, "mm") != NULL;
      char *end;
      g_ascii_strtod (file->text + clen->value, &end);
      double now = rint ((file->geom->clen.value + up) * 1e6) / 1e6; /* nm */
      g_ascii_formatd (number, sizeof number, mm ? "%.6f" : "%.9f", mm ? now : now / 1000);
      change (file, clen->value, (gsize) (end - file->text) - clen->value, g_strdup (number));
      file->raised = now - file->geom->clen.value;
      return;
    }
  if (any_has (file, "coffset") || any_has (file, "clen"))
    return; /* panel by panel */
  const Line *first = &g_array_index (file->lines, Line, 0);
  while (first->owner == NULL)
    first++;
  if (coffset != NULL && coffset > first)
    return; /* a default of later panels alone */
  double was = g_array_index (file->geom->panels, FlGeomPanel, 0).coffset,
         now = rint (1e9 * was + up * 1e6) / 1e9;
  g_ascii_formatd (number, sizeof number, "%.9f", now);
  if (coffset != NULL)
    change (file, coffset->value, coffset->length, g_strdup (number));
  else
    {
      const Line *last = first - 1;
      gsize at = first > &g_array_index (file->lines, Line, 0) ? last->end : 0;
      change (file, at, 0, g_strdup_printf ("coffset = %s%s", number, file->line_end));
    }
  file->for_all = (now - was) * 1e3;
}

/* --- the whole --- */

static int
by_place (const void *a, const void *b)
{
  const Edit *x = a, *y = b;
  return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : (x->order > y->order) - (x->order < y->order);
}

static char *
apply (File *file)
{
  GString *out = g_string_new (NULL);
  gsize at = 0;
  g_array_sort (file->edits, by_place);
  for (guint i = 0; i < file->edits->len; i++)
    {
      const Edit *edit = &g_array_index (file->edits, Edit, i);
      g_string_append_len (out, file->text + at, (gssize) (edit->at - at));
      g_string_append (out, edit->by);
      at = edit->at + edit->length;
    }
  g_string_append (out, file->text + at);
  return g_string_free (out, FALSE);
}

static const FlGeomPanel *
panel_named (const FlGeom *geom, const char *name)
{
  for (guint i = 0; i < geom->panels->len; i++)
    if (strcmp (g_array_index (geom->panels, FlGeomPanel, i).name, name) == 0)
      return &g_array_index (geom->panels, FlGeomPanel, i);
  return NULL;
}

char *
fl_geometry_file_move (const char *path, const char *text, const FlDetector *before, const FlDetector *after,
                       GError **error)
{
  g_autoptr (FlGeom) geom = fl_geom_parse (path, text, strlen (text), error);
  if (geom == NULL)
    return NULL;
  for (guint i = 0; i < before->n_panels; i++)
    if (panel_named (geom, before->panels[i].name) == NULL)
      {
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has no panel %s, expected the detector's panels",
                     path, before->panels[i].name);
        return NULL;
      }
  File file = { .text = text, .geom = geom, .edits = g_array_new (FALSE, FALSE, sizeof (Edit)) };
  g_array_set_clear_func (file.edits, edit_clear);
  read_lines (&file);
  raise_whole (&file, before, after);
  for (guint i = 0; i < before->n_panels; i++)
    set_panel (&file, panel_named (geom, before->panels[i].name), &before->panels[i], &after->panels[i]);
  char *moved = apply (&file);
  g_array_unref (file.lines);
  g_array_unref (file.edits);
  return moved;
}

/* mask_file, mask0_file … mask7_file, saturation_map_file. */
static gboolean
names_file (const char *key)
{
  return g_str_has_suffix (key, "_file")
         && (g_str_has_prefix (key, "mask") || g_str_has_prefix (key, "saturation"));
}

char *
fl_geometry_file_anchor (const char *text, const char *folder)
{
  File file = { .text = text, .edits = g_array_new (FALSE, FALSE, sizeof (Edit)) };
  g_array_set_clear_func (file.edits, edit_clear);
  read_lines (&file);
  for (guint i = 0; i < file.lines->len; i++)
    {
      const Line *line = &g_array_index (file.lines, Line, i);
      g_autofree char *name = g_strndup (text + line->value, line->length);
      g_autofree char *path = g_build_filename (folder, name, NULL);
      if (names_file (line->key) && !g_path_is_absolute (name) && g_file_test (path, G_FILE_TEST_EXISTS))
        change (&file, line->value, line->length, g_steal_pointer (&path));
    }
  char *anchored = apply (&file);
  g_array_unref (file.lines);
  g_array_unref (file.edits);
  return anchored;
}
