#include "engine/crystal/ccp4-map.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/space-group.h"

#define HEADER      1024
#define RECORD      80
#define MOST_POINTS (1u << 31) /* 8 GiB of floats */
#define MOST_LABELS 10

/* Words of the header, from 0. */
enum
{
  W_N = 0,
  W_MODE = 3,
  W_START = 4,
  W_SAMPLING = 7,
  W_CELL = 10,
  W_AXES = 16,
  W_MIN = 19,
  W_GROUP = 22,
  W_SYMMETRY = 23,
  W_EXTENSION = 26,
  W_VERSION = 27,
  W_ORIGIN = 49,
  W_MAGIC = 52,
  W_STAMP = 53,
  W_SIGMA = 54,
  W_LABELS = 55,
  W_TEXT = 56,
};

/* --- maps --- */

static FlSymmetry *
copy_symmetry (const FlSymmetry *symmetry)
{
  if (symmetry == NULL)
    return fl_symmetry_from_hall (1);
  FlSymmetry *copy = g_new (FlSymmetry, 1);
  *copy = *symmetry;
  copy->ops = g_new (FlSymmetryOperator, symmetry->n);
  memcpy (copy->ops, symmetry->ops, symmetry->n * sizeof *symmetry->ops);
  return copy;
}

FlMap *
fl_map_new (const FlCell *cell, const FlSymmetry *symmetry, const int sampling[3], const int start[3],
            const int n[3])
{
  FlMap *map = g_new0 (FlMap, 1);
  map->cell = *cell;
  map->symmetry = copy_symmetry (symmetry);
  for (int i = 0; i < 3; i++)
    {
      map->sampling[i] = sampling[i];
      map->start[i] = start != NULL ? start[i] : 0;
      map->n[i] = start != NULL ? n[i] : sampling[i];
    }
  map->data = g_new0 (float, fl_map_points (map));
  return map;
}

void
fl_map_free (FlMap *map)
{
  if (map == NULL)
    return;
  fl_symmetry_free (map->symmetry);
  g_free (map->data);
  g_free (map);
}

void
fl_map_measure (FlMap *map)
{
  gsize n = fl_map_points (map);
  double sum = 0, second = 0, third = 0;
  map->min = INFINITY;
  map->max = -INFINITY;
  for (gsize i = 0; i < n; i++)
    {
      double value = (double) map->data[i];
      sum += value;
      map->min = MIN (map->min, value);
      map->max = MAX (map->max, value);
    }
  map->mean = sum / (double) n;
  for (gsize i = 0; i < n; i++)
    {
      double d = (double) map->data[i] - map->mean;
      second += d * d;
      third += d * d * d;
    }
  map->sigma = sqrt (second / (double) n);
  map->skewness = map->sigma > 0 ? third / (double) n / pow (map->sigma, 3) : 0;
}

static inline int
wrap (gint64 i, int n)
{
  int rest = (int) (i % n);
  return rest < 0 ? rest + n : rest;
}

double
fl_map_value (const FlMap *map, const double fractional[3])
{
  int at[3][2];
  double part[3], sum = 0;
  for (int i = 0; i < 3; i++)
    {
      double x = (fractional[i] - floor (fractional[i])) * map->n[i];
      part[i] = x - floor (x);
      at[i][0] = wrap ((gint64) floor (x) - map->start[i], map->n[i]);
      at[i][1] = wrap (at[i][0] + 1, map->n[i]);
    }
  for (int c = 0; c < 8; c++)
    {
      int u = c & 1, v = c >> 1 & 1, w = c >> 2;
      double weight = (u ? part[0] : 1 - part[0]) * (v ? part[1] : 1 - part[1]) * (w ? part[2] : 1 - part[2]);
      sum += weight * (double) *fl_map_at (map, at[0][u], at[1][v], at[2][w]);
    }
  return sum;
}

FlMap *
fl_map_cut (const FlMap *whole, const int start[3], const int n[3])
{
  FlMap *brick = fl_map_new (&whole->cell, whole->symmetry, whole->sampling, start, n);
  const int *s = whole->start, *m = whole->n;
  for (int k = 0; k < n[2]; k++)
    for (int j = 0; j < n[1]; j++)
      {
        int y = wrap (start[1] + j - s[1], m[1]), z = wrap (start[2] + k - s[2], m[2]);
        for (int i = 0; i < n[0]; i++)
          *fl_map_at (brick, i, j, k) = *fl_map_at (whole, wrap (start[0] + i - s[0], m[0]), y, z);
      }
  fl_map_measure (brick);
  return brick;
}

gboolean
fl_map_grid_obeys (const FlSymmetry *symmetry, const int sampling[3])
{
  for (guint o = 0; o < symmetry->n; o++)
    for (int i = 0; i < 3; i++)
      {
        double t = symmetry->ops[o].t[i] * sampling[i];
        if (fabs (t - rint (t)) > 1e-6)
          return FALSE;
        for (int j = 0; j < 3; j++)
          if (symmetry->ops[o].r[i][j] != 0 && sampling[i] != sampling[j])
            return FALSE;
      }
  return TRUE;
}

/* Copies a brick's points to where one operator takes them; how many were new. */
static gsize
spread (const FlMap *brick, const FlSymmetryOperator *op, FlMap *whole, guint8 *known)
{
  gsize found = 0;
  int t[3];
  for (int i = 0; i < 3; i++)
    t[i] = (int) lrint (op->t[i] * whole->n[i]);
  for (int k = 0; k < brick->n[2]; k++)
    for (int j = 0; j < brick->n[1]; j++)
      for (int i = 0; i < brick->n[0]; i++)
        {
          const int x[3] = { brick->start[0] + i, brick->start[1] + j, brick->start[2] + k };
          int y[3];
          for (int a = 0; a < 3; a++)
            y[a] = wrap ((gint64) op->r[a][0] * x[0] + (gint64) op->r[a][1] * x[1]
                             + (gint64) op->r[a][2] * x[2] + t[a],
                         whole->n[a]);
          float *to = fl_map_at (whole, y[0], y[1], y[2]);
          if (known[to - whole->data])
            continue;
          known[to - whole->data] = 1;
          *to = *fl_map_at (brick, i, j, k);
          found++;
        }
  return found;
}

FlMap *
fl_map_complete (const FlMap *brick, GError **error)
{
  if (!fl_map_grid_obeys (brick->symmetry, brick->sampling))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "a grid of %d × %d × %d does not obey the map's symmetry, expected one that does",
                   brick->sampling[0], brick->sampling[1], brick->sampling[2]);
      return NULL;
    }
  g_autoptr (FlMap) whole = fl_map_new (&brick->cell, brick->symmetry, brick->sampling, NULL, NULL);
  g_autofree guint8 *known = g_new0 (guint8, fl_map_points (whole));
  gsize found = 0;
  for (guint o = 0; o < brick->symmetry->n && found < fl_map_points (whole); o++)
    found += spread (brick, &brick->symmetry->ops[o], whole, known);
  if (found < fl_map_points (whole))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "the map holds %.0f %% of what makes a whole cell, expected an asymmetric unit",
                   100 * (double) found / (double) fl_map_points (whole));
      return NULL;
    }
  fl_map_measure (whole);
  return g_steal_pointer (&whole);
}

/* --- reading --- */

typedef struct
{
  const char *path;
  FILE *file;
  gboolean swapped;
  guint32 words[HEADER / 4];
  int mode, axes[3]; /* axes: 0–2, of columns, rows, sections */
} FlMapReader;

static gboolean G_GNUC_PRINTF (3, 4)
    wrong (const FlMapReader *reader, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", reader->path, what);
  return FALSE;
}

static gint32
whole (const FlMapReader *reader, int word)
{
  guint32 value = reader->swapped ? GUINT32_SWAP_LE_BE (reader->words[word]) : reader->words[word];
  return (gint32) value;
}

static double
real (const FlMapReader *reader, int word)
{
  gint32 bits = whole (reader, word);
  float value;
  memcpy (&value, &bits, sizeof value);
  return (double) value;
}

/* Old writers left the stamp out: the mode, a small number, says the order of bytes. */
static gboolean
is_swapped (const guint32 *words)
{
  guint32 mode = words[W_MODE];
  return mode > 255 && GUINT32_SWAP_LE_BE (mode) <= 255;
}

gboolean
fl_map_recognise (const guint8 *head, gsize length)
{
  return length >= HEADER && memcmp (head + 4 * W_MAGIC, "MAP", 3) == 0;
}

static gboolean
read_axes (FlMapReader *reader, FlMap *map, GError **error)
{
  guint seen = 0;
  for (int c = 0; c < 3; c++)
    {
      gint32 axis = whole (reader, W_AXES + c) - 1;
      if (whole (reader, W_AXES) == 0) /* not said */
        axis = c;
      if (axis < 0 || axis > 2 || (seen >> axis & 1) != 0)
        return wrong (reader, error, "its axes are damaged, expected each of 1, 2, 3 once");
      seen |= 1u << axis;
      reader->axes[c] = axis;
      map->n[axis] = whole (reader, W_N + c);
      map->start[axis] = whole (reader, W_START + c);
    }
  return TRUE;
}

static gboolean
read_grid (FlMapReader *reader, FlMap *map, GError **error)
{
  double points = 1;
  if (!read_axes (reader, map, error))
    return FALSE;
  for (int i = 0; i < 3; i++)
    {
      map->sampling[i] = whole (reader, W_SAMPLING + i);
      if (map->sampling[i] == 0)
        map->sampling[i] = map->n[i];
      if (map->n[i] < 1 || map->sampling[i] < 1 || map->sampling[i] > 1 << 20
          || ABS ((gint64) map->start[i]) > 1 << 20)
        return wrong (reader, error, "its grid is damaged, expected numbers of points from 1");
      points *= map->n[i];
      map->origin[i] = real (reader, W_ORIGIN + i);
      if (!(fabs (map->origin[i]) < 1e6))
        map->origin[i] = 0;
    }
  return points <= MOST_POINTS
         || wrong (reader, error, "has %.3g points, expected %u at most", points, MOST_POINTS);
}

/* A file without a cell gets one of 1 Å a point. */
static gboolean
read_cell (const FlMapReader *reader, FlMap *map, GError **error)
{
  double values[6];
  for (int i = 0; i < 6; i++)
    values[i] = real (reader, W_CELL + i);
  for (int i = 0; i < 3; i++)
    {
      if (values[i] == 0)
        values[i] = map->sampling[i];
      if (values[i + 3] == 0)
        values[i + 3] = 90;
    }
  g_autoptr (GError) local = NULL;
  return fl_cell_from_degrees (values, &map->cell, &local) || wrong (reader, error, "%s", local->message);
}

/* From the records where they hold operators, else from the group's number. */
static gboolean
read_symmetry (const FlMapReader *reader, FlMap *map, GError **error)
{
  gint32 bytes = whole (reader, W_SYMMETRY), group = whole (reader, W_GROUP);
  if (bytes < 0 || bytes > 1 << 24)
    return wrong (reader, error, "%d bytes of symmetry, expected a multiple of 80", bytes);
  g_autofree char *text = g_malloc0 ((gsize) bytes + 1);
  if (fread (text, 1, (gsize) bytes, reader->file) != (gsize) bytes)
    return wrong (reader, error, "ends within its symmetry");
  if (group > 1 && group <= 230)
    {
      g_autoptr (GPtrArray) operators = g_ptr_array_new_with_free_func (g_free);
      for (gint32 at = 0; at + RECORD <= bytes && operators->len < FL_SYMMETRY_MOST; at += RECORD)
        {
          char *record = g_strstrip (g_strndup (text + at, RECORD));
          g_ptr_array_add (operators, record);
        }
      g_ptr_array_add (operators, NULL);
      if (operators->len > 1)
        map->symmetry = fl_symmetry_from_words ((const char *const *) operators->pdata, NULL);
      g_autofree char *number = g_strdup_printf ("%d", group);
      if (map->symmetry == NULL)
        map->symmetry = fl_symmetry_from_hall (fl_space_group_find (number, &map->cell));
    }
  else
    map->symmetry = fl_symmetry_from_hall (1);
  return TRUE;
}

static gsize
bytes_of_mode (int mode)
{
  switch (mode)
    {
    case 0:
      return 1;
    case 1:
    case 6:
      return 2;
    default:
      return 4;
    }
}

static float
decode (const FlMapReader *reader, const guint8 *at)
{
  guint16 two;
  guint32 four;
  float value;
  switch (reader->mode)
    {
    case 0:
      return (float) (gint8) *at;
    case 1:
    case 6:
      memcpy (&two, at, sizeof two);
      two = reader->swapped ? GUINT16_SWAP_LE_BE (two) : two;
      return reader->mode == 1 ? (float) (gint16) two : (float) two;
    default:
      memcpy (&four, at, sizeof four);
      four = reader->swapped ? GUINT32_SWAP_LE_BE (four) : four;
      memcpy (&value, &four, sizeof value);
      return value;
    }
}

static gboolean
read_data (const FlMapReader *reader, FlMap *map, GError **error)
{
  const int *axes = reader->axes;
  gsize size = bytes_of_mode (reader->mode), columns = (gsize) map->n[axes[0]];
  g_autofree guint8 *row = g_malloc (columns * size);
  map->data = g_try_new (float, fl_map_points (map));
  if (map->data == NULL)
    return wrong (reader, error, "does not fit into memory");
  for (int s = 0; s < map->n[axes[2]]; s++)
    for (int r = 0; r < map->n[axes[1]]; r++)
      {
        if (fread (row, size, columns, reader->file) != columns)
          return wrong (reader, error, "ends within its data: section %d of %d", s + 1, map->n[axes[2]]);
        int at[3];
        at[axes[1]] = r;
        at[axes[2]] = s;
        for (int c = 0; c < map->n[axes[0]]; c++)
          {
            at[axes[0]] = c;
            *fl_map_at (map, at[0], at[1], at[2]) = decode (reader, row + (gsize) c * size);
          }
      }
  return TRUE;
}

static void
mend_data (FlMap *map)
{
  double sum = 0;
  gsize good = 0, n = fl_map_points (map);
  for (gsize i = 0; i < n; i++)
    if (isfinite (map->data[i]))
      {
        sum += (double) map->data[i];
        good++;
      }
  for (gsize i = 0; i < n && good < n; i++)
    if (!isfinite (map->data[i]))
      map->data[i] = (float) (good > 0 ? sum / (double) good : 0);
  fl_map_measure (map);
}

/* The bytes behind the header must be there before memory is asked for. */
static gboolean
is_long_enough (const FlMapReader *reader, const FlMap *map)
{
  GStatBuf status;
  double wanted = HEADER + (double) whole (reader, W_SYMMETRY)
                  + (double) fl_map_points (map) * (double) bytes_of_mode (reader->mode);
  return g_stat (reader->path, &status) == 0 && (double) status.st_size >= wanted;
}

static gboolean
read_file (FlMapReader *reader, FlMap *map, gboolean with_data, GError **error)
{
  if (fread (reader->words, 1, HEADER, reader->file) != HEADER)
    return wrong (reader, error, "too short for a map, expected a header of %d bytes", HEADER);
  reader->swapped = is_swapped (reader->words);
  reader->mode = whole (reader, W_MODE);
  if (reader->mode != 0 && reader->mode != 1 && reader->mode != 2 && reader->mode != 6)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "%s: mode %d is not read (or no map at all), expected 0, 1, 2 or 6", reader->path,
                   reader->mode);
      return FALSE;
    }
  if (!read_grid (reader, map, error) || !read_cell (reader, map, error)
      || !read_symmetry (reader, map, error))
    return FALSE;
  if (!is_long_enough (reader, map))
    return wrong (reader, error, "is cut off: %d × %d × %d points do not fit into it", map->n[0], map->n[1],
                  map->n[2]);
  map->min = real (reader, W_MIN);
  map->max = real (reader, W_MIN + 1);
  map->mean = real (reader, W_MIN + 2);
  map->sigma = real (reader, W_SIGMA);
  if (!with_data)
    return TRUE;
  if (!read_data (reader, map, error))
    return FALSE;
  mend_data (map);
  return TRUE;
}

static FlMap *
read_map (const char *path, gboolean with_data, GError **error)
{
  FlMapReader reader = { .path = path, .file = fopen (path, "rb") };
  if (reader.file == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path, g_strerror (errno));
      return NULL;
    }
  g_autoptr (FlMap) map = g_new0 (FlMap, 1);
  gboolean good = read_file (&reader, map, with_data, error);
  fclose (reader.file);
  return good ? g_steal_pointer (&map) : NULL;
}

FlMap *
fl_map_read (const char *path, GError **error)
{
  return read_map (path, TRUE, error);
}

FlMap *
fl_map_read_header (const char *path, GError **error)
{
  return read_map (path, FALSE, error);
}

/* --- writing --- */

static void
put_whole (guint32 *words, int word, gint32 value)
{
  words[word] = GUINT32_TO_LE ((guint32) value);
}

static void
put_real (guint32 *words, int word, double value)
{
  float narrow = (float) value;
  guint32 bits;
  memcpy (&bits, &narrow, sizeof bits);
  words[word] = GUINT32_TO_LE (bits);
}

static void
fill_header (guint32 *words, const FlMap *map, const char *title)
{
  const FlCell *cell = &map->cell;
  const double values[6] = {
    cell->a, cell->b, cell->c, fl_degrees (cell->alpha), fl_degrees (cell->beta), fl_degrees (cell->gamma)
  };
  FlSpaceGroup group = { .number = 1 };
  if (map->symmetry->hall != 0)
    fl_space_group_get (map->symmetry->hall, &group);
  put_whole (words, W_MODE, 2);
  for (int i = 0; i < 3; i++)
    {
      put_whole (words, W_N + i, map->n[i]);
      put_whole (words, W_START + i, map->start[i]);
      put_whole (words, W_SAMPLING + i, map->sampling[i]);
      put_whole (words, W_AXES + i, i + 1);
      put_real (words, W_ORIGIN + i, map->origin[i]);
    }
  for (int i = 0; i < 6; i++)
    put_real (words, W_CELL + i, values[i]);
  put_real (words, W_MIN, map->min);
  put_real (words, W_MIN + 1, map->max);
  put_real (words, W_MIN + 2, map->mean);
  put_whole (words, W_GROUP, (gint32) group.number);
  put_whole (words, W_SYMMETRY, (gint32) (RECORD * map->symmetry->n));
  memcpy (&words[W_EXTENSION], "CCP4", 4);
  put_whole (words, W_VERSION, 20140);
  memcpy (&words[W_MAGIC], "MAP ", 4);
  memcpy (&words[W_STAMP], "\x44\x44\0\0", 4);
  put_real (words, W_SIGMA, map->sigma);
  put_whole (words, W_LABELS, 1);
  memset (&words[W_TEXT], ' ', RECORD * MOST_LABELS);
  memcpy (&words[W_TEXT], title, MIN (strlen (title), RECORD));
}

/* "-X+1/2,Y,Z+3/4", as CCP4 writes it. */
static void
write_operator (const FlSymmetryOperator *op, char record[RECORD])
{
  g_autoptr (GString) words = g_string_new (NULL);
  for (int i = 0; i < 3; i++)
    {
      gsize before = words->len;
      int twelfths = (int) lrint (op->t[i] * 12), divisor = 12;
      for (int j = 0; j < 3; j++)
        if (op->r[i][j] != 0)
          g_string_append_printf (words, "%s%c",
                                  op->r[i][j] < 0       ? "-"
                                  : words->len > before ? "+"
                                                        : "",
                                  "XYZ"[j]);
      for (int p = 2; p <= 3; p++)
        while (twelfths % p == 0 && divisor % p == 0 && twelfths != 0)
          {
            twelfths /= p;
            divisor /= p;
          }
      if (twelfths != 0)
        g_string_append_printf (words, "+%d/%d", twelfths, divisor);
      g_string_append (words, i < 2 ? ", " : "");
    }
  memset (record, ' ', RECORD);
  memcpy (record, words->str, MIN (words->len, RECORD));
}

static gboolean
write_all (FILE *file, const FlMap *map, const char *title)
{
  guint32 words[HEADER / 4] = { 0 };
  fill_header (words, map, title);
  gboolean good = fwrite (words, 1, HEADER, file) == HEADER;
  for (guint o = 0; o < map->symmetry->n && good; o++)
    {
      char record[RECORD];
      write_operator (&map->symmetry->ops[o], record);
      good = fwrite (record, 1, RECORD, file) == RECORD;
    }
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  return good && fwrite (map->data, sizeof (float), fl_map_points (map), file) == fl_map_points (map);
#else
  for (gsize i = 0; i < fl_map_points (map) && good; i++)
    {
      guint32 word;
      put_real (&word, 0, (double) map->data[i]);
      good = fwrite (&word, sizeof word, 1, file) == 1;
    }
  return good;
#endif
}

gboolean
fl_map_write (const char *path, const FlMap *map, const char *title, GError **error)
{
  g_autofree char *partial = g_strconcat (path, ".part", NULL);
  FILE *file = fopen (partial, "wb");
  gboolean good = file != NULL && write_all (file, map, title);
  if (file != NULL && fclose (file) != 0)
    good = FALSE;
  if (good && g_rename (partial, path) == 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", path, g_strerror (errno));
  if (file != NULL)
    g_unlink (partial);
  return FALSE;
}
