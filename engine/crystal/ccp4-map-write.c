#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/ccp4-map-words.h"
#include "engine/crystal/ccp4-map.h"
#include "engine/crystal/space-group.h"

#define LABELS 10

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
  put_whole (words, W_SYMMETRY, (gint32) (FL_MAP_RECORD * map->symmetry->n));
  memcpy (&words[W_EXTENSION], "CCP4", 4);
  put_whole (words, W_VERSION, 20140);
  memcpy (&words[W_MAGIC], "MAP ", 4);
  memcpy (&words[W_STAMP], "\x44\x44\0\0", 4);
  put_real (words, W_SIGMA, map->sigma);
  put_whole (words, W_LABELS, 1);
  memset (&words[W_TEXT], ' ', FL_MAP_RECORD * LABELS);
  memcpy (&words[W_TEXT], title, MIN (strlen (title), FL_MAP_RECORD));
}

/* "-X+1/2,Y,Z+3/4", as CCP4 writes it. */
static void
write_operator (const FlSymmetryOperator *op, char record[FL_MAP_RECORD])
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
  memset (record, ' ', FL_MAP_RECORD);
  memcpy (record, words->str, MIN (words->len, FL_MAP_RECORD));
}

static gboolean
write_all (FILE *file, const FlMap *map, const char *title)
{
  guint32 words[FL_MAP_HEADER / 4] = { 0 };
  fill_header (words, map, title);
  gboolean good = fwrite (words, 1, FL_MAP_HEADER, file) == FL_MAP_HEADER;
  for (guint o = 0; o < map->symmetry->n && good; o++)
    {
      char record[FL_MAP_RECORD];
      write_operator (&map->symmetry->ops[o], record);
      good = fwrite (record, 1, FL_MAP_RECORD, file) == FL_MAP_RECORD;
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
