#include "engine/programs/inspect-known.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/error.h"
#include "engine/base/journal.h"
#include "engine/base/units.h"
#include "engine/crystal/cell-file.h"
#include "engine/crystal/mmcif.h"
#include "engine/crystal/mtz.h"
#include "engine/results/refl-table.h"

/* Whole files are read up to here; text beyond it is not counted. */
#define MAX_READ ((gsize) 1 << 30)

static gboolean G_GNUC_PRINTF (3, 4) fail (const char *path, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", path, message);
  return FALSE;
}

/* gzopen() reads plain files as they are. */
static gboolean
read_some (const char *path, gsize max, GByteArray *bytes, GError **error)
{
  guint8 piece[1 << 16];
  int n = 0;
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s, expected a file", path,
                   g_file_test (path, G_FILE_TEST_EXISTS) ? "not a regular file" : "no such file");
      return FALSE;
    }
  gzFile file = gzopen (path, "rb");
  if (file == NULL)
    return fail (path, error, "%s, expected a file that can be read", g_strerror (errno));
  while (bytes->len < max && (n = gzread (file, piece, (unsigned) MIN (sizeof piece, max - bytes->len))) > 0)
    g_byte_array_append (bytes, piece, (guint) n);
  int status = Z_OK;
  gzerror (file, &status);
  gzclose (file);
  if (n < 0 || status == Z_BUF_ERROR)
    return fail (path, error, "cut off or damaged, expected a whole %s file",
                 n < 0 || status != Z_OK ? "gzip" : "");
  return TRUE;
}

gboolean
fl_inspect_head (const char *path, guint8 *head, gsize size, gsize *length, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  if (!read_some (path, size, bytes, error))
    return FALSE;
  *length = bytes->len;
  if (bytes->len > 0)
    memcpy (head, bytes->data, bytes->len);
  return TRUE;
}

/* --- a file in memory, and lines of it --- */

typedef struct
{
  const char *path;
  const guint8 *data; /* NUL behind */
  gsize length;
  GString *text;
} File;

static gboolean
begins (const File *file, const char *with)
{
  return file->length >= strlen (with) && memcmp (file->data, with, strlen (with)) == 0;
}

static guint32
u32_at (const File *file, gsize at)
{
  guint32 v;
  memcpy (&v, file->data + at, sizeof v);
  return GUINT32_FROM_LE (v);
}

static float
f32_at (const File *file, gsize at)
{
  guint32 bits = u32_at (file, at);
  float v;
  memcpy (&v, &bits, sizeof v);
  return v;
}

/* Next line without its end; NULL at the end of the file. */
static char *
next_line (const File *file, gsize *at)
{
  if (*at >= file->length)
    return NULL;
  const guint8 *begin = file->data + *at, *end = memchr (begin, '\n', file->length - *at);
  gsize n = end != NULL ? (gsize) (end - begin) : file->length - *at;
  *at += n + 1;
  return g_strchomp (g_strndup ((const char *) begin, n));
}

static gboolean
is_text (const File *file)
{
  return memchr (file->data, '\0', MIN (file->length, 65536)) == NULL;
}

#define say(file, ...) g_string_append_printf ((file)->text, __VA_ARGS__)

/* The readers of engine/crystal open the file themselves, and do not unpack. */
static gboolean
is_plain (const File *file)
{
  return !g_str_has_suffix (file->path, ".gz");
}

/* --- CrystFEL --- */

static gboolean
stream (const File *file, GError **error)
{
  guint chunks = 0, ended = 0, hits = 0, crystals = 0;
  guint64 reflections = 0;
  g_autofree char *first = NULL;
  for (gsize at = 0;;)
    {
      g_autofree char *line = next_line (file, &at);
      if (line == NULL)
        break;
      if (first == NULL)
        first = g_strdup (line);
      chunks += g_str_has_prefix (line, "----- Begin chunk");
      ended += g_str_has_prefix (line, "----- End chunk");
      hits += strcmp (line, "hit = 1") == 0;
      crystals += g_str_has_prefix (line, "--- Begin crystal");
      if (g_str_has_prefix (line, "num_reflections = "))
        reflections += g_ascii_strtoull (line + strlen ("num_reflections = "), NULL, 10);
    }
  say (file, "format: %s\nchunks: %u\nhits: %u\ncrystals: %u\nreflections: %" G_GUINT64_FORMAT "\n", first,
       chunks, hits, crystals, reflections);
  return chunks == ended
         || fail (file->path, error, "%u chunks begin and %u end, expected as many (cut off?)", chunks,
                  ended);
}

/* The value of a "key = value unit" line. */
static char *
find_value (const File *file, const char *key)
{
  for (gsize at = 0;;)
    {
      g_autofree char *line = next_line (file, &at);
      if (line == NULL)
        return NULL;
      line[strcspn (line, ";")] = '\0';
      char *equals = strchr (line, '=');
      if (equals == NULL)
        continue;
      *equals = '\0';
      if (strcmp (g_strstrip (line), key) == 0)
        return g_strdup (g_strstrip (equals + 1));
    }
}

static gboolean
unit_cell (const File *file, GError **error)
{
  static const char *const keys[] = { "lattice_type", "centering", "unique_axis", "a", "b", "c",
                                      "al",           "be",        "ga" };
  FlKnownCell known;
  g_autofree char *a = find_value (file, "a"); /* a lattice type alone is a file, too */
  if (a != NULL && is_plain (file) && !fl_cell_file_read (file->path, &known, error))
    return FALSE;
  say (file, "format: CrystFEL unit cell\n");
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *value = find_value (file, keys[i]);
      if (value != NULL)
        say (file, "%s: %s\n", keys[i], value);
    }
  return TRUE;
}

static gboolean
reflection_list (const File *file, GError **error)
{
  guint64 n = 0;
  gboolean ended = FALSE, heading = FALSE;
  say (file, "format: CrystFEL reflection list\n");
  for (gsize at = 0; !ended;)
    {
      g_autofree char *line = next_line (file, &at);
      if (line == NULL)
        break;
      if (g_str_has_prefix (line, "Symmetry: "))
        say (file, "point group: %s\n", line + strlen ("Symmetry: "));
      ended = g_str_has_prefix (line, "End of reflections");
      n += heading && !ended;
      heading |= strstr (line, " h    k    l ") != NULL || strstr (line, "h   k   l") != NULL;
    }
  say (file, "reflections: %" G_GUINT64_FORMAT "\n", n);
  return ended || fail (file->path, error, "no line 'End of reflections', expected it at the end (cut off?)");
}

/* --- crystallography --- */

static gboolean
mtz (const File *file, GError **error)
{
  g_autoptr (FlMtz) mtz = fl_mtz_read_header (file->path, error);
  if (mtz == NULL)
    return FALSE;
  const FlCell *c = &mtz->cell;
  say (file, "format: MTZ\nreflections: %u\ncell: %.4f %.4f %.4f %.4f %.4f %.4f\nspace group: %s\n", mtz->n,
       c->a, c->b, c->c, fl_degrees (c->alpha), fl_degrees (c->beta), fl_degrees (c->gamma), mtz->group);
  if (mtz->wavelength > 0)
    say (file, "wavelength: %.5f A\n", mtz->wavelength);
  if (mtz->n_batches > 0)
    say (file, "batches: %u\n", mtz->n_batches);
  say (file, "columns:");
  for (guint i = 0; i < mtz->n_columns; i++)
    say (file, " %s", mtz->columns[i].label);
  say (file, "\n");
  return TRUE;
}

static gboolean
ccp4_map (const File *file, GError **error)
{
  guint32 n[3] = { u32_at (file, 0), u32_at (file, 4), u32_at (file, 8) }, mode = u32_at (file, 12);
  static const guint bytes[] = { 1, 2, 4, 4, 8, 0, 2 };
  say (file, "format: CCP4/MRC map\ngrid: %u x %u x %u\nmode: %u\ncell: %g %g %g %g %g %g\nspace group: %u\n",
       n[0], n[1], n[2], mode, f32_at (file, 40), f32_at (file, 44), f32_at (file, 48), f32_at (file, 52),
       f32_at (file, 56), f32_at (file, 60), u32_at (file, 88));
  say (file, "values: %g to %g, mean %g\n", f32_at (file, 76), f32_at (file, 80), f32_at (file, 84));
  if (mode >= G_N_ELEMENTS (bytes) || bytes[mode] == 0)
    return fail (file->path, error, "map mode %u, expected 0 to 4 or 6", mode);
  double expected = 1024. + u32_at (file, 92) + (double) n[0] * n[1] * n[2] * bytes[mode];
  return (double) file->length >= MIN (expected, (double) MAX_READ)
         || fail (file->path, error, "%" G_GSIZE_FORMAT " bytes, expected %.0f (cut off)", file->length,
                  expected);
}

static gboolean
pdb (const File *file, GError **error)
{
  guint atoms = 0, hetero = 0, models = 0;
  gboolean chains[256] = { FALSE };
  (void) error;
  say (file, "format: PDB\n");
  for (gsize at = 0;;)
    {
      g_autofree char *line = next_line (file, &at);
      if (line == NULL)
        break;
      gboolean het = g_str_has_prefix (line, "HETATM");
      if (het || g_str_has_prefix (line, "ATOM  "))
        {
          atoms++;
          hetero += het;
          if (strlen (line) > 21)
            chains[(guint8) line[21]] = TRUE;
        }
      models += g_str_has_prefix (line, "MODEL ");
      if (g_str_has_prefix (line, "CRYST1") && strlen (line) > 55)
        {
          g_autofree char *cell = g_strstrip (g_strndup (line + 6, 48));
          g_autofree char *group = g_strstrip (g_strndup (line + 55, 11));
          say (file, "cell: %s\nspace group: %s\n", cell, group);
        }
    }
  guint n = 0;
  for (int i = 0; i < 256; i++)
    n += chains[i];
  say (file, "atoms: %u, of these %u hetero\nchains: %u\nmodels: %u\n", atoms, hetero, n, MAX (models, 1));
  return TRUE;
}

static gboolean
mmcif (const File *file, GError **error)
{
  static const char *const keys[] = { "_cell.length_a",
                                      "_cell.length_b",
                                      "_cell.length_c",
                                      "_cell.angle_alpha",
                                      "_cell.angle_beta",
                                      "_cell.angle_gamma",
                                      "_symmetry.space_group_name_H-M" };
  guint atoms = 0;
  FlCell cell;
  g_autoptr (FlSymmetry) symmetry = NULL;
  /* Of what is no crystal there is no cell to check. */
  if (g_strstr_len ((const char *) file->data, (gssize) file->length, "\n_cell.length_a") != NULL
      && is_plain (file) && !fl_mmcif_read_cell (file->path, &cell, &symmetry, error))
    return FALSE;
  say (file, "format: mmCIF\n");
  for (gsize at = 0;;)
    {
      g_autofree char *line = next_line (file, &at);
      if (line == NULL)
        break;
      atoms += g_str_has_prefix (line, "ATOM ") || g_str_has_prefix (line, "HETATM ");
      for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
        if (g_str_has_prefix (line, keys[i]) && g_ascii_isspace (line[strlen (keys[i])]))
          say (file, "%s: %s\n", keys[i] + 1, g_strstrip (line + strlen (keys[i])));
    }
  say (file, "atoms: %u\n", atoms);
  return TRUE;
}

/* --- ours and our neighbours' --- */

static gboolean
journal (const File *file, GError **error)
{
  g_autoptr (FlJournalReader) reader = fl_journal_reader_open (file->path, 0, error);
  g_autoptr (GHashTable) writers = g_hash_table_new (NULL, NULL);
  g_autoptr (GError) local = NULL;
  guint64 rows[FL_KIND_LAST] = { 0 }, frames = 0;
  FlFrame frame;
  if (reader == NULL)
    return FALSE;
  while (fl_journal_reader_next (reader, &frame, &local))
    {
      frames++;
      if ((guint) frame.kind < FL_KIND_LAST)
        rows[frame.kind] += frame.rows;
      g_hash_table_add (writers, GUINT_TO_POINTER (frame.writer));
    }
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  say (file, "format: Firstlight journal\nframes: %" G_GUINT64_FORMAT "\nwriters: %u\n", frames,
       g_hash_table_size (writers));
  for (int i = 1; i < FL_KIND_LAST; i++)
    if (rows[i] > 0)
      say (file, "%s rows: %" G_GUINT64_FORMAT "\n", fl_schema ((FlKind) i)->name, rows[i]);
  guint64 skipped = fl_journal_reader_skipped (reader);
  return skipped == 0
         || fail (file->path, error, "%" G_GUINT64_FORMAT " damaged bytes between its frames, expected none",
                  skipped);
}

static gboolean
refl_table (const File *file, GError **error)
{
  const char *name;
  if (!is_plain (file))
    return fail (file->path, error, "packed, expected a DIALS reflection table as it is");
  g_autoptr (FlReflTable) table = fl_refl_table_read (file->path, error);
  if (table == NULL)
    return FALSE;
  say (file, "format: DIALS reflection table\nreflections: %" G_GUINT64_FORMAT "\nexperiments: %u\ncolumns:",
       fl_refl_table_rows (table), fl_refl_table_n_identifiers (table));
  for (guint i = 0; (name = fl_refl_table_name (table, i)) != NULL; i++)
    say (file, " %s", name);
  say (file, "\n");
  return TRUE;
}

/* host,image,2026-11-21T00:50Z10.468,state,message */
static gboolean
is_weather_line (const char *line)
{
  const char *time = strchr (line, ',');
  time = time != NULL ? strchr (time + 1, ',') : NULL;
  return time != NULL && strlen (time) > 25 && time[5] == '-' && time[11] == 'T' && time[17] == 'Z'
         && time[24] == ',';
}

static gboolean
weather (const File *file, GError **error)
{
  guint images = 0, stopped = 0, failed = 0, done = 0, other = 0;
  (void) error;
  for (gsize at = 0;;)
    {
      g_autofree char *line = next_line (file, &at);
      if (line == NULL)
        break;
      if (!is_weather_line (line))
        {
          other += *line != '\0';
          continue;
        }
      images += g_str_has_suffix (line, ",start");
      stopped += strstr (line, ",stop,") != NULL;
      failed += strstr (line, ",fail,") != NULL;
      done += strstr (line, ",done,") != NULL;
    }
  say (file, "format: weather log of cctbx.xfel\nimages: %u\nstopped: %u\nfailed: %u\ndone: %u\n", images,
       stopped, failed, done);
  if (other > 0)
    say (file, "lines passed over: %u\n", other);
  return TRUE;
}

/* --- all --- */

static gboolean
is_mmcif (const File *file)
{
  return begins (file, "data_")
         && g_strstr_len ((const char *) file->data, (gssize) file->length, "\n_") != NULL;
}

static gboolean
is_pdb (const File *file)
{
  static const char *const records[] = { "HEADER ", "CRYST1 ", "ATOM  ", "REMARK ",
                                         "TITLE  ", "MODEL ",  "HETATM" };
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    if (begins (file, records[i]))
      return TRUE;
  return FALSE;
}

static gboolean
is_map (const File *file)
{
  return file->length >= 1024 && memcmp (file->data + 208, "MAP", 3) == 0;
}

static gboolean
is_weather (const File *file)
{
  gsize at = 0;
  g_autofree char *line = NULL;
  while ((line = next_line (file, &at)) != NULL && *line == '\0')
    g_clear_pointer (&line, g_free);
  return line != NULL && is_weather_line (line);
}

gboolean
fl_inspect_known (const char *path, GString *text, GError **error)
{
  static const struct
  {
    const char *magic;
    gboolean (*is) (const File *file);
    gboolean is_text;
    gboolean (*tell) (const File *file, GError **error);
  } formats[] = { { "CrystFEL stream format", NULL, TRUE, stream },
                  { "CrystFEL unit cell file", NULL, TRUE, unit_cell },
                  { "CrystFEL reflection list", NULL, TRUE, reflection_list },
                  { "MTZ ", NULL, FALSE, mtz },
                  { "\x93\xbb"
                    "dials::af::reflection_table",
                    NULL, FALSE, refl_table },
                  { "FLJ1", NULL, FALSE, journal },
                  { NULL, is_map, FALSE, ccp4_map },
                  { NULL, is_pdb, TRUE, pdb },
                  { NULL, is_mmcif, TRUE, mmcif },
                  { NULL, is_weather, TRUE, weather } };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  if (!read_some (path, MAX_READ, bytes, error))
    return FALSE;
  File file = { path, NULL, bytes->len, text };
  g_byte_array_append (bytes, (const guint8 *) "", 1);
  file.data = bytes->data;
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if ((formats[i].magic != NULL ? begins (&file, formats[i].magic) : formats[i].is (&file))
        && (!formats[i].is_text || is_text (&file)))
      return formats[i].tell (&file, error);
  return FALSE;
}
