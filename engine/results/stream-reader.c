#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/results/stream.h"

struct FlStreamReader
{
  FILE *file;
  char *line; /* getline's, without its end */
  gsize allocated;
  GString *geometry;
  GArray *panels;
  GHashTable *by_name; /* panel -> index + 1 */
  guint damaged;
  gboolean in_chunk; /* the line that is held begins a chunk */
};

/* What follows `key` on the line; NULL when it begins with something else. */
static const char *
after (const char *line, const char *key)
{
  gsize n = strlen (key);
  return strncmp (line, key, n) == 0 ? line + n : NULL;
}

static gboolean
read_line (FlStreamReader *reader)
{
  ssize_t n = getline (&reader->line, &reader->allocated, reader->file);
  if (n < 0)
    return FALSE;
  while (n > 0 && (reader->line[n - 1] == '\n' || reader->line[n - 1] == '\r'))
    reader->line[--n] = '\0';
  return TRUE;
}

/* Takes up to `n` finite numbers off the text; how many there were. */
static guint
take_numbers (const char **text, double *values, guint n)
{
  guint i = 0;
  for (; i < n; i++)
    {
      char *end;
      double value = g_ascii_strtod (*text, &end);
      if (end == *text || !isfinite (value))
        break;
      values[i] = value;
      *text = end;
    }
  return i;
}

/* --- panels --- */

static guint
add_panel (GArray *panels, GHashTable *by_name, const char *name)
{
  guint at = GPOINTER_TO_UINT (g_hash_table_lookup (by_name, name));
  if (at > 0)
    return at - 1;
  FlPanelPlace place = { .name = g_strdup (name), .trusted_min = -INFINITY, .saturation = INFINITY };
  g_array_append_val (panels, place);
  g_hash_table_insert (by_name, g_strdup (name), GUINT_TO_POINTER (panels->len));
  return panels->len - 1;
}

/* One `name/key = value` line of a geometry. */
static void
take_geometry_line (GArray *panels, GHashTable *by_name, double defaults[4], char *line)
{
  static const char *const keys[] = { "min_fs", "min_ss", "max_fs", "max_ss" };
  line[strcspn (line, ";")] = '\0';
  char *equals = strchr (line, '=');
  if (equals == NULL)
    return;
  *equals = '\0';
  char *name = g_strstrip (line), *slash = strchr (name, '/');
  const char *key = slash != NULL ? slash + 1 : name;
  if (slash != NULL)
    *slash = '\0';
  if (slash != NULL && g_str_has_prefix (name, "bad"))
    return;
  guint known = slash != NULL ? panels->len : 0, at = slash != NULL ? add_panel (panels, by_name, name) : 0;
  double value = g_ascii_strtod (equals + 1, NULL);
  double limits[4];
  memcpy (limits, defaults, sizeof limits);
  if (slash != NULL && at < known)
    {
      const FlPanelPlace *p = &g_array_index (panels, FlPanelPlace, at);
      memcpy (limits, (double[]){ p->min_fs, p->min_ss, p->min_fs + p->n_fs - 1, p->min_ss + p->n_ss - 1 },
              sizeof limits);
    }
  for (guint k = 0; k < 4; k++)
    if (strcmp (key, keys[k]) == 0)
      (slash != NULL ? limits : defaults)[k] = CLAMP (value, 0, 1e7);
  if (slash == NULL)
    return;
  FlPanelPlace *p = &g_array_index (panels, FlPanelPlace, at);
  if (strcmp (key, "no_index") == 0)
    p->no_index = value != 0 || strcmp (g_strstrip (equals + 1), "true") == 0;
  p->min_fs = limits[0];
  p->min_ss = limits[1];
  p->n_fs = limits[2] >= limits[0] ? (guint) (limits[2] - limits[0] + 1) : 0;
  p->n_ss = limits[3] >= limits[1] ? (guint) (limits[3] - limits[1] + 1) : 0;
}

static void
read_panels (const char *geometry, GArray *panels, GHashTable *by_name)
{
  double defaults[4] = { 0, 0, -1, -1 };
  g_auto (GStrv) lines = g_strsplit (geometry, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    take_geometry_line (panels, by_name, defaults, *line);
  for (guint i = panels->len; i > 0; i--)
    if (g_array_index (panels, FlPanelPlace, i - 1).no_index)
      g_array_remove_index (panels, i - 1);
  g_hash_table_remove_all (by_name);
  for (guint i = 0; i < panels->len; i++)
    g_hash_table_insert (by_name, g_strdup (g_array_index (panels, FlPanelPlace, i).name),
                         GUINT_TO_POINTER (i + 1));
}

GArray *
fl_stream_panels (const char *geometry)
{
  GArray *panels = fl_panel_places_new ();
  g_autoptr (GHashTable) by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  read_panels (geometry, panels, by_name);
  return panels;
}

/* By its name at the end of a row, or, in streams of before there was one, by where it lies; −1: nowhere. */
static int
find_panel (FlStreamReader *reader, const char *name, double fs, double ss)
{
  while (*name == ' ')
    name++;
  if (*name != '\0')
    {
      guint at = add_panel (reader->panels, reader->by_name, name);
      return at <= G_MAXUINT16 ? (int) at : -1;
    }
  for (guint i = 0; i < MIN (reader->panels->len, G_MAXUINT16); i++)
    {
      const FlPanelPlace *p = &g_array_index (reader->panels, FlPanelPlace, i);
      if (fs >= p->min_fs && fs < p->min_fs + p->n_fs && ss >= p->min_ss && ss < p->min_ss + p->n_ss)
        return (int) i;
    }
  return -1;
}

static const FlPanelPlace *
panel_at (const FlStreamReader *reader, int panel)
{
  return &g_array_index (reader->panels, FlPanelPlace, (guint) panel);
}

/* --- opening --- */

FlStreamReader *
fl_stream_reader_open (const char *path, GError **error)
{
  FILE *file = fopen (path, "re");
  if (file == NULL)
    {
      g_set_error (error, FL_ERROR, errno == ENOENT ? FL_ERROR_MISSING : FL_ERROR_INPUT,
                   "%s: cannot be opened: %s", path, g_strerror (errno));
      return NULL;
    }
  FlStreamReader *self = g_new0 (FlStreamReader, 1);
  self->file = file;
  self->geometry = g_string_new (NULL);
  self->panels = fl_panel_places_new ();
  self->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!read_line (self) || after (self->line, "CrystFEL stream format 2.") == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: is not a stream, expected 'CrystFEL stream format 2.…' in its first line", path);
      fl_stream_reader_free (self);
      return NULL;
    }
  gboolean in_geometry = FALSE;
  while (!self->in_chunk && read_line (self))
    if (after (self->line, "----- Begin geometry file -----") != NULL)
      in_geometry = TRUE;
    else if (after (self->line, "----- End geometry file -----") != NULL)
      in_geometry = FALSE;
    else if (in_geometry)
      g_string_append_printf (self->geometry, "%s\n", self->line);
    else
      self->in_chunk = after (self->line, "----- Begin chunk -----") != NULL;
  read_panels (self->geometry->str, self->panels, self->by_name);
  return self;
}

void
fl_stream_reader_free (FlStreamReader *reader)
{
  if (reader == NULL)
    return;
  fclose (reader->file);
  free (reader->line);
  g_string_free (reader->geometry, TRUE);
  g_array_unref (reader->panels);
  g_hash_table_unref (reader->by_name);
  g_free (reader);
}

const char *
fl_stream_reader_geometry (const FlStreamReader *reader)
{
  return reader->geometry->str;
}

const GArray *
fl_stream_reader_panels (const FlStreamReader *reader)
{
  return reader->panels;
}

guint
fl_stream_reader_damaged (const FlStreamReader *reader)
{
  return reader->damaged;
}

/* --- chunks --- */

static void
take_peak (FlStreamReader *reader, FlPattern *pattern)
{
  double v[4]; /* fs, ss, 1/d, intensity */
  const char *rest = reader->line;
  int panel = take_numbers (&rest, v, 4) == 4 ? find_panel (reader, rest, v[0], v[1]) : -1;
  if (panel < 0)
    {
      reader->damaged++;
      return;
    }
  FlSpotRow spot = { .panel = (guint16) panel,
                     .fs = (float) (v[0] - panel_at (reader, panel)->min_fs),
                     .ss = (float) (v[1] - panel_at (reader, panel)->min_ss),
                     .intensity = (float) v[3],
                     .d = v[2] > 0 ? (float) (10 / v[2]) : 0 };
  g_array_append_val (pattern->spots, spot);
}

static gboolean
is_index (double value)
{
  return fabs (value) <= G_MAXINT16 && value == floor (value);
}

static void
take_reflection (FlStreamReader *reader, FlPattern *pattern, guint number)
{
  double v[9]; /* h, k, l, I, sigma, peak, background, fs, ss */
  const char *rest = reader->line;
  int panel =
      take_numbers (&rest, v, 9) == 9 && is_index (v[0]) && is_index (v[1]) && is_index (v[2]) && v[4] >= 0
          ? find_panel (reader, rest, v[7], v[8])
          : -1;
  if (panel < 0)
    {
      reader->damaged++;
      return;
    }
  FlReflectionRow r = { .lattice = (guint16) number,
                        .h = (gint16) v[0],
                        .k = (gint16) v[1],
                        .l = (gint16) v[2],
                        .panel = (guint16) panel,
                        .fs = (float) (v[7] - panel_at (reader, panel)->min_fs),
                        .ss = (float) (v[8] - panel_at (reader, panel)->min_ss),
                        .intensity = (float) v[3],
                        .sigma = (float) v[4],
                        .peak = (float) v[5],
                        .background = (float) v[6],
                        .partiality = 1 };
  g_array_append_val (pattern->reflections, r);
}

/* The rows of peaks, or of reflections of lattice `number`, after their title. FALSE: the chunk, or the file, ended
 * first. */
static gboolean
take_rows (FlStreamReader *reader, FlPattern *pattern, gboolean peaks, guint number)
{
  const char *end = peaks ? "End of peak list" : "End of reflections";
  if (!read_line (reader)) /* the columns' heading */
    return FALSE;
  while (read_line (reader))
    if (strcmp (reader->line, end) == 0)
      return TRUE;
    else if (after (reader->line, "-----") != NULL)
      return FALSE;
    else if (peaks)
      take_peak (reader, pattern);
    else
      take_reflection (reader, pattern, number);
  return FALSE;
}

/* A line of a crystal that is not a reflection. */
static void
take_crystal_line (const char *line, FlLatticeRow *lattice)
{
  static const char *const stars[] = { "astar = ", "bstar = ", "cstar = " };
  const char *rest;
  double v[3];
  for (guint i = 0; i < 3; i++)
    if ((rest = after (line, stars[i])) != NULL && take_numbers (&rest, v, 3) == 3)
      for (guint k = 0; k < 3; k++)
        lattice->a_star[3 * i + k] = (float) (v[k] / 10);
  if ((rest = after (line, "centering = ")) != NULL && *rest != '\0' && strchr ("PABCIFRH", *rest) != NULL)
    lattice->centring = (guint8) (*rest == 'H'   ? 'R'
                                  : *rest == 'R' ? 'P'
                                                 : *rest); /* R: on rhombohedral axes */
  if ((rest = after (line, "profile_radius = ")) != NULL && take_numbers (&rest, v, 1) == 1 && v[0] > 0)
    lattice->domain_size = (float) (10 / v[0]);
  if ((rest = after (line, "predict_refine/det_shift x = ")) != NULL && take_numbers (&rest, v, 1) == 1
      && (rest = strstr (rest, "y = ")) != NULL && (rest += 4, take_numbers (&rest, v + 1, 1)) == 1)
    {
      lattice->shift[0] = (float) v[0];
      lattice->shift[1] = (float) v[1];
    }
  if ((rest = after (line, "diffraction_resolution_limit = ")) != NULL && take_numbers (&rest, v, 1) == 1
      && v[0] > 0)
    lattice->resolution = (float) (10 / v[0]);
}

/* From after "--- Begin crystal". FALSE: the chunk, or the file, ended first. A crystal without a lattice is left out. */
static gboolean
take_crystal (FlStreamReader *reader, FlPattern *pattern)
{
  FlLatticeRow lattice = { .number = (guint16) pattern->lattices->len, .centring = 'P', .confidence = 1 };
  guint first = pattern->reflections->len;
  gboolean whole = TRUE, ended = FALSE;
  while (whole && !ended && (whole = read_line (reader)))
    if (strcmp (reader->line, "--- End crystal") == 0)
      ended = TRUE;
    else if (after (reader->line, "-----") != NULL)
      whole = FALSE;
    else if (strcmp (reader->line, "Reflections measured after indexing") == 0)
      whole = take_rows (reader, pattern, FALSE, lattice.number);
    else
      take_crystal_line (reader->line, &lattice);
  lattice.reflections = pattern->reflections->len - first;
  if (ended && pattern->lattices->len < G_MAXUINT16 && fl_pattern_derive (pattern, &lattice, first))
    g_array_append_val (pattern->lattices, lattice);
  else
    {
      g_array_set_size (pattern->reflections, first);
      reader->damaged++;
    }
  return whole;
}

static void
take_event (FlPattern *pattern, const char *event)
{
  const char *slashes = strstr (event, "//");
  g_free (pattern->event);
  pattern->event = g_strdup (event);
  if (slashes != NULL && slashes[2] != '\0' && slashes[2 + strspn (slashes + 2, "0123456789")] == '\0')
    pattern->frame = (gint64) MIN (g_ascii_strtoull (slashes + 2, NULL, 10), G_MAXUINT32);
}

static void
take_chunk_line (const char *line, FlPattern *pattern)
{
  const char *rest;
  double v;
  if ((rest = after (line, "Image filename: ")) != NULL)
    {
      g_free (pattern->file);
      pattern->file = g_strdup (rest);
    }
  else if ((rest = after (line, "Event: ")) != NULL)
    take_event (pattern, rest);
  else if ((rest = after (line, "hit = ")) != NULL)
    pattern->hit = *rest == '1';
  else if ((rest = after (line, "photon_energy_eV = ")) != NULL && take_numbers (&rest, &v, 1) == 1)
    pattern->energy = v;
  else if ((rest = after (line, "peak_resolution = ")) != NULL && take_numbers (&rest, &v, 1) == 1 && v > 0)
    pattern->resolution = 10 / v;
}

/* From after "----- Begin chunk -----". FALSE: it has no end; the line that is held may begin another. */
static gboolean
take_chunk (FlStreamReader *reader, FlPattern *pattern)
{
  gboolean whole = TRUE;
  while (whole && (whole = read_line (reader)))
    if (strcmp (reader->line, "----- End chunk -----") == 0)
      return TRUE;
    else if (after (reader->line, "-----") != NULL)
      return FALSE;
    else if (strcmp (reader->line, "Peaks from peak search") == 0)
      whole = take_rows (reader, pattern, TRUE, 0);
    else if (strcmp (reader->line, "--- Begin crystal") == 0)
      whole = take_crystal (reader, pattern);
    else
      take_chunk_line (reader->line, pattern);
  return FALSE;
}

gboolean
fl_stream_reader_next (FlStreamReader *reader, FlPattern *pattern)
{
  while (reader->in_chunk)
    {
      fl_pattern_clear (pattern);
      gboolean whole = take_chunk (reader, pattern) && pattern->file != NULL && pattern->energy > 0;
      reader->damaged += !whole;
      reader->in_chunk = !feof (reader->file) && after (reader->line, "----- Begin chunk -----") != NULL;
      while (!reader->in_chunk && read_line (reader))
        reader->in_chunk = after (reader->line, "----- Begin chunk -----") != NULL;
      if (whole)
        return TRUE;
    }
  return FALSE;
}
