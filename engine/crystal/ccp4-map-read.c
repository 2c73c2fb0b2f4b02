/* Reads maps. Every number of the header is looked at before it is believed. */
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/crystal/ccp4-map-words.h"
#include "engine/crystal/ccp4-map.h"
#include "engine/crystal/space-group.h"

#define MOST_POINTS (1u << 31) /* 8 GiB of floats */

typedef struct
{
  const char *path;
  FILE *file;
  gboolean swapped;
  guint32 words[FL_MAP_HEADER / 4];
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

static gboolean
read_axes (FlMapReader *reader, FlMap *map, GError **error)
{
  guint seen = 0;
  for (int c = 0; c < 3; c++)
    {
      gint32 said = whole (reader, W_AXES) != 0 ? whole (reader, W_AXES + c) : c + 1;
      if (said < 1 || said > 3 || (seen >> said & 1) != 0)
        return wrong (reader, error, "its axes are damaged, expected each of 1, 2, 3 once");
      seen |= 1u << said;
      gint32 axis = said - 1;
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
      for (gint32 at = 0; at + FL_MAP_RECORD <= bytes && operators->len < FL_SYMMETRY_MOST;
           at += FL_MAP_RECORD)
        {
          char *record = g_strstrip (g_strndup (text + at, FL_MAP_RECORD));
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
  double wanted = FL_MAP_HEADER + (double) whole (reader, W_SYMMETRY)
                  + (double) fl_map_points (map) * (double) bytes_of_mode (reader->mode);
  return g_stat (reader->path, &status) == 0 && (double) status.st_size >= wanted;
}

static gboolean
read_file (FlMapReader *reader, FlMap *map, gboolean with_data, GError **error)
{
  if (fread (reader->words, 1, FL_MAP_HEADER, reader->file) != FL_MAP_HEADER)
    return wrong (reader, error, "too short for a map, expected a header of %d bytes", FL_MAP_HEADER);
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
