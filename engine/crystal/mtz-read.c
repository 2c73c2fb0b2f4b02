/* Reads MTZ files. libccp4 trusts headers (damaged ones send it into endless loops), so this does not ask it: every record of
 * the header must be of a known form, its numbers in range and in agreement with each other and with the file's length. */

#include "engine/crystal/mtz.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

#define RECORD       80
#define START        80 /* of the reflections */
#define BATCH_BYTES  (2 * RECORD + 185 * 4 + RECORD)
#define MOST_COLUMNS 1000
#define MOST_SETS    100
#define MOST_HISTORY 1000

typedef struct
{
  const char *path;
  char *data;
  gsize length, at; /* at: the next record */
  gint64 columns, rows, batches, operators;
  gint64 sets, seen_columns, seen_operators, seen_sets, seen_batches;
  gint64 set_ids[MOST_SETS], column_sets[MOST_COLUMNS];
  gboolean has_cell, has_version;
  double missing;                /* the number that stands for none; NaN does in any case */
  GPtrArray *operators_in_words; /* char * */
  FlMtz *mtz;                    /* filled on the way */
} FlMtzReader;

static gboolean G_GNUC_PRINTF (3, 4)
    wrong (const FlMtzReader *reader, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", reader->path, message);
  return FALSE;
}

/* `n` whole numbers from low to high. */
static gboolean
whole_numbers (char **words, guint n, gint64 low, gint64 high, gint64 *values)
{
  for (guint i = 0; i < n; i++)
    {
      char *end;
      if (words[i] == NULL)
        return FALSE;
      values[i] = g_ascii_strtoll (words[i], &end, 10);
      if (end == words[i] || *end != '\0' || values[i] < low || values[i] > high)
        return FALSE;
    }
  return TRUE;
}

static gboolean
reals (char **words, guint n, double low, double high, double *values)
{
  for (guint i = 0; i < n; i++)
    {
      char *end;
      if (words[i] == NULL)
        return FALSE;
      values[i] = g_ascii_strtod (words[i], &end);
      if (!(values[i] >= low && values[i] <= high) || end == words[i] || *end != '\0')
        return FALSE;
    }
  return TRUE;
}

static gboolean
parse_cell (char **words, FlCell *cell)
{
  double v[6];
  return reals (words, 3, 0.1, 1e5, v) && reals (words + 3, 3, 1, 179, v + 3)
         && fl_cell_from_degrees (v, cell, NULL);
}

static gboolean
is_set (const FlMtzReader *reader, char **words)
{
  gint64 id;
  if (!whole_numbers (words, 1, 0, 100000, &id))
    return FALSE;
  for (gint64 i = 0; i < reader->seen_sets; i++)
    if (reader->set_ids[i] == id)
      return TRUE;
  return FALSE;
}

/* NCOL columns rows batches */
static gboolean
counts (FlMtzReader *reader, char **words)
{
  gint64 v[3];
  if (reader->columns > 0 || !whole_numbers (words, 3, 0, G_MAXINT32, v) || v[0] < 3 || v[0] > MOST_COLUMNS
      || (reader->length - START) / 4 / (gsize) v[0] < (gsize) v[1]
      || v[2] > (gint64) (reader->length / BATCH_BYTES))
    return FALSE;
  reader->columns = v[0];
  reader->rows = v[1];
  reader->batches = v[2];
  return TRUE;
}

/* SYMINF operators primitive-operators lattice number 'name' point-group: the quotes may hold spaces. */
static gboolean
is_symmetry (FlMtzReader *reader, char **words, const char *rest)
{
  gint64 v[2], number;
  if (reader->operators > 0 || !whole_numbers (words, 2, 1, 192, v) || v[1] > v[0] || words[2] == NULL
      || strlen (words[2]) != 1 || !whole_numbers (words + 3, 1, 0, 100000, &number))
    return FALSE;
  reader->operators = v[0];
  const char *name = strchr (rest, '\'');
  if (name != NULL)
    {
      g_autofree char *raw = g_strndup (name + 1, strcspn (name + 1, "'"));
      g_free (reader->mtz->group);
      reader->mtz->group = g_utf8_make_valid (raw, -1);
    }
  reader->mtz->space_group = number >= 1 && number <= 230 ? (guint) number : 0;
  return TRUE;
}

static gboolean
is_column (FlMtzReader *reader, char **words)
{
  if (g_strv_length (words) < 5 || strlen (words[0]) > 30 || strlen (words[1]) != 1
      || !g_ascii_isalpha (*words[1]))
    return FALSE;
  if (reader->seen_columns == MOST_COLUMNS
      || !whole_numbers (words + 4, 1, 0, 100000, &reader->column_sets[reader->seen_columns]))
    return FALSE;
  FlMtz *mtz = reader->mtz;
  mtz->columns = g_renew (FlMtzColumn, mtz->columns, mtz->n_columns + 1);
  mtz->columns[mtz->n_columns] = (FlMtzColumn){ .type = *words[1] };
  g_strlcpy (mtz->columns[mtz->n_columns++].label, words[0], FL_MTZ_LABEL);
  reader->seen_columns++;
  return TRUE;
}

/* DATASET (or PROJECT, CRYSTAL) id name */
static gboolean
is_name (FlMtzReader *reader, const char *key, char **words)
{
  gint64 id;
  if (!whole_numbers (words, 1, 0, 100000, &id) || (words[1] != NULL && strlen (words[1]) > 64))
    return FALSE;
  if (strcmp (key, "PROJECT") != 0)
    return is_set (reader, words);
  if (reader->seen_sets == MOST_SETS || is_set (reader, words))
    return FALSE;
  reader->set_ids[reader->seen_sets++] = id;
  return TRUE;
}

static gboolean
read_record (FlMtzReader *reader, const char *key, char **words, const char *rest)
{
  gint64 v[5];
  double r[2];
  FlCell cell;
  if (strcmp (key, "VERS") == 0)
    return reader->has_version = words[0] != NULL && g_str_has_prefix (words[0], "MTZ:V1.");
  if (strcmp (key, "COLSRC") == 0 || strcmp (key, "COLGRP") == 0)
    return TRUE;
  if (strcmp (key, "TITLE") == 0)
    {
      g_free (reader->mtz->title);
      reader->mtz->title = g_strstrip (g_utf8_make_valid (rest, -1));
      return TRUE;
    }
  if (strcmp (key, "NCOL") == 0)
    return counts (reader, words);
  if (strcmp (key, "CELL") == 0)
    return reader->has_cell = parse_cell (words, &reader->mtz->cell);
  if (strcmp (key, "SORT") == 0)
    return whole_numbers (words, 5, 0, MOST_COLUMNS, v);
  if (strcmp (key, "SYMINF") == 0)
    return is_symmetry (reader, words, rest);
  if (strcmp (key, "SYMM") == 0)
    {
      g_ptr_array_add (reader->operators_in_words, g_strdup (rest));
      return reader->seen_operators++ < FL_SYMMETRY_MOST;
    }
  if (strcmp (key, "RESO") == 0)
    return reals (words, 2, 0, 1e6, r);
  if (strcmp (key, "VALM") == 0)
    return words[0] != NULL
           && (g_ascii_strcasecmp (words[0], "nan") == 0 || reals (words, 1, -1e38, 1e38, &reader->missing));
  if (strcmp (key, "COLUMN") == 0)
    return is_column (reader, words);
  if (strcmp (key, "NDIF") == 0)
    return reader->sets == 0 && whole_numbers (words, 1, 1, MOST_SETS, &reader->sets);
  if (strcmp (key, "PROJECT") == 0 || strcmp (key, "CRYSTAL") == 0 || strcmp (key, "DATASET") == 0)
    return is_name (reader, key, words);
  if (strcmp (key, "DCELL") == 0)
    return is_set (reader, words) && parse_cell (words + 1, &cell);
  if (strcmp (key, "DWAVEL") == 0)
    {
      if (!is_set (reader, words) || !reals (words + 1, 1, 0, 1e6, r))
        return FALSE;
      if (r[0] > 0)
        reader->mtz->wavelength = r[0];
      return TRUE;
    }
  if (strcmp (key, "BATCH") == 0)
    {
      for (char **word = words; *word != NULL; word++, reader->seen_batches++)
        if (!whole_numbers (word, 1, 0, G_MAXINT32, v))
          return FALSE;
      return reader->batches > 0;
    }
  return FALSE;
}

/* Set 0 is the base and need not be listed. */
static gboolean
columns_have_sets (const FlMtzReader *reader)
{
  for (gint64 i = 0; i < reader->seen_columns; i++)
    {
      gboolean found = reader->column_sets[i] == 0;
      for (gint64 j = 0; j < reader->seen_sets; j++)
        found = found || reader->set_ids[j] == reader->column_sets[i];
      if (!found)
        return FALSE;
    }
  return TRUE;
}

/* The next 80 bytes as text; NULL at the end or when they are none. */
static char *
next_record (FlMtzReader *reader)
{
  if (reader->length - reader->at < RECORD)
    return NULL;
  char *record = g_strndup (reader->data + reader->at, RECORD);
  reader->at += RECORD;
  for (char *p = record; *p != '\0'; p++)
    if ((guchar) *p < ' ')
      {
        if (*p == '\n' || *p == '\r' || *p == '\t')
          *p = ' ';
        else
          {
            g_free (record);
            return NULL;
          }
      }
  return g_strchomp (record);
}

/* The words of a record behind its key, empty ones left out. */
static char **
split_words (const char *text)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_auto (GStrv) parts = g_strsplit (text, " ", -1);
  for (char **part = parts; *part != NULL; part++)
    if (**part != '\0')
      g_ptr_array_add (words, g_strdup (*part));
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

/* Programs of CCP4 list the batches once for each time that they opened the file. */
static gboolean
all_batches (const FlMtzReader *reader)
{
  gint64 seen = reader->seen_batches, batches = reader->batches;
  return batches == 0 ? seen == 0 : seen > 0 && seen % batches == 0;
}

static gboolean
read_header (FlMtzReader *reader, GError **error)
{
  for (guint n = 1;; n++)
    {
      g_autofree char *record = next_record (reader);
      if (record == NULL)
        return wrong (reader, error, "cut off or damaged in record %u of its header, expected END", n);
      g_auto (GStrv) words = split_words (record);
      if (words[0] != NULL && strcmp (words[0], "END") == 0)
        break;
      const char *rest = words[0] != NULL ? record + strlen (words[0]) : "";
      if (words[0] == NULL || !read_record (reader, words[0], words + 1, rest))
        {
          g_autofree char *plain = g_strescape (record, NULL);
          return wrong (reader, error, "damaged: record %u of its header, '%s', is not as MTZ files have it",
                        n, plain);
        }
    }
  if (!reader->has_version || !reader->has_cell || reader->seen_columns != reader->columns
      || reader->columns < 3 || reader->seen_operators != reader->operators
      || reader->seen_sets != reader->sets || !all_batches (reader))
    return wrong (reader, error,
                  "damaged: its header says %d columns, %d operators, %d data sets and %d batches, but lists "
                  "%d, %d, %d and %d",
                  (int) reader->columns, (int) reader->operators, (int) reader->sets, (int) reader->batches,
                  (int) reader->seen_columns, (int) reader->seen_operators, (int) reader->seen_sets,
                  (int) reader->seen_batches);
  return columns_have_sets (reader)
         || wrong (reader, error, "damaged: a column of a data set that is not listed");
}

/* History and batches, to MTZENDOFHEADERS. */
static gboolean
read_tail (FlMtzReader *reader, GError **error)
{
  for (;;)
    {
      g_autofree char *record = next_record (reader);
      gint64 lines;
      if (record == NULL)
        return wrong (reader, error, "cut off or damaged behind its header, expected MTZENDOFHEADERS");
      g_auto (GStrv) words = split_words (record);
      const char *key = words[0] != NULL ? words[0] : "";
      if (strcmp (key, "MTZENDOFHEADERS") == 0)
        return TRUE;
      gsize skip = 0;
      if (strcmp (key, "MTZHIST") == 0 && whole_numbers (words + 1, 1, 0, MOST_HISTORY, &lines))
        skip = (gsize) lines * RECORD;
      else if (strcmp (key, "MTZBATS") == 0)
        skip = (gsize) reader->batches * BATCH_BYTES;
      else
        return wrong (reader, error, "damaged behind its header: '%.8s', expected MTZENDOFHEADERS", key);
      if (skip > reader->length - reader->at)
        return wrong (reader, error, "cut off in its history or batches");
      reader->at += skip;
    }
}

static gboolean
read_bytes (FlMtzReader *reader, GError **error)
{
  gint32 word;
  if (reader->length < START + RECORD || memcmp (reader->data, "MTZ ", 4) != 0)
    return wrong (reader, error, "not an MTZ file, or cut off");
  if (((guchar) reader->data[8] >> 4) != 4)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "%s: numbers of another machine, expected little-endian ones", reader->path);
      return FALSE;
    }
  memcpy (&word, reader->data + 4, sizeof word);
  gint64 position = GINT32_FROM_LE (word);
  if (position == -1)
    {
      memcpy (&position, reader->data + 12, sizeof position);
      position = GINT64_FROM_LE (position);
    }
  if (position < START / 4 + 1 || position > (gint64) (reader->length / 4))
    return wrong (reader, error, "cut off: its header should be at word %" G_GINT64_FORMAT, position);
  reader->at = (gsize) (position - 1) * 4;
  gsize header = reader->at;
  if (!read_header (reader, error))
    return FALSE;
  if ((gsize) (reader->columns * reader->rows) * 4 + START != header)
    return wrong (reader, error,
                  "damaged: room for %" G_GSIZE_FORMAT " numbers, expected %d columns of %d rows",
                  (header - START) / 4, (int) reader->columns, (int) reader->rows);
  return read_tail (reader, error);
}

static gboolean
read_rows (FlMtzReader *reader, GError **error)
{
  FlMtz *mtz = reader->mtz;
  gsize n = (gsize) mtz->n * mtz->n_columns;
  mtz->data = g_new (float, MAX (n, 1));
  memcpy (mtz->data, reader->data + START, n * sizeof (float));
  for (gsize i = 0; i < n; i++)
    {
      float *value = &mtz->data[i];
      if ((double) *value == reader->missing)
        *value = NAN;
      if (i % mtz->n_columns < 3 && !(fabsf (*value) < 10000))
        return wrong (reader, error, "damaged: row %" G_GSIZE_FORMAT " has no Miller indices",
                      i / mtz->n_columns + 1);
    }
  return TRUE;
}

static gboolean
finish (FlMtzReader *reader, gboolean rows, GError **error)
{
  FlMtz *mtz = reader->mtz;
  g_autoptr (GError) local = NULL;
  mtz->n = (guint) reader->rows;
  mtz->n_batches = (guint) reader->batches;
  for (int i = 0; i < 3; i++)
    if (mtz->columns[i].type != 'H')
      return wrong (reader, error, "its first columns are not Miller indices, expected H, K, L");
  g_ptr_array_add (reader->operators_in_words, NULL);
  mtz->symmetry = fl_symmetry_from_words ((const char *const *) reader->operators_in_words->pdata, &local);
  if (mtz->symmetry == NULL)
    return wrong (reader, error, "%s", local->message);
  return !rows || read_rows (reader, error);
}

static FlMtz *
read_file (const char *path, gboolean rows, GError **error)
{
  FlMtzReader reader = { .path = path, .missing = NAN };
  g_autoptr (GError) local = NULL;
  if (!g_file_get_contents (path, &reader.data, &reader.length, &local))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path, local->message);
      return NULL;
    }
  reader.operators_in_words = g_ptr_array_new_with_free_func (g_free);
  reader.mtz = g_new0 (FlMtz, 1);
  reader.mtz->title = g_strdup ("");
  reader.mtz->group = g_strdup ("");
  if (!read_bytes (&reader, error) || !finish (&reader, rows, error))
    g_clear_pointer (&reader.mtz, fl_mtz_free);
  g_ptr_array_unref (reader.operators_in_words);
  g_free (reader.data);
  return reader.mtz;
}

FlMtz *
fl_mtz_read (const char *path, GError **error)
{
  return read_file (path, TRUE, error);
}

FlMtz *
fl_mtz_read_header (const char *path, GError **error)
{
  return read_file (path, FALSE, error);
}
