#include <glib/gstdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/hdf5-util.h"
#include "engine/spi/pattern-file.h"

#define CHUNK         16384
#define DEFLATE_LEVEL 1
#define VERSION       1

/* Columns that grow; the first of photons. */
typedef enum
{
  COLUMN_ID,
  COLUMN_ROW,
  COLUMN_CLASS,
  COLUMN_SCORE,
  COLUMN_DIAMETER,
  COLUMN_START,
  COLUMN_PIXEL,
  COLUMN_COUNT,
  N_COLUMNS
} Column;

struct FlPatternWriter
{
  char *path, *temporary;
  hid_t file, columns[N_COLUMNS];
  guint n_pixels;
  guint64 photons; /* lit pixels so far */
};

static hid_t
column_type (Column column)
{
  return column == COLUMN_ID || column == COLUMN_START         ? H5T_NATIVE_UINT64
         : column == COLUMN_CLASS                              ? H5T_NATIVE_UINT8
         : column == COLUMN_SCORE || column == COLUMN_DIAMETER ? H5T_NATIVE_FLOAT
                                                               : H5T_NATIVE_UINT32;
}

static gboolean
fail (const FlPatternWriter *writer, GError **error)
{
  return fl_h5_fail (error, FL_ERROR_FAILED, writer->path, "cannot be written (is the disk full?)");
}

/* No times in it, so that the same patterns give the same bytes. */
static hid_t
create (hid_t parent, const char *name, hid_t type, hid_t space, const hsize_t *chunk)
{
  g_auto (FlHid) plist = H5Pcreate (H5P_DATASET_CREATE), links = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_obj_track_times (plist, FALSE);
  H5Pset_create_intermediate_group (links, 1);
  if (chunk != NULL)
    {
      H5Pset_chunk (plist, 1, chunk);
      H5Pset_shuffle (plist);
      H5Pset_deflate (plist, DEFLATE_LEVEL);
    }
  return H5Dcreate (parent, name, type, space, links, plist, H5P_DEFAULT);
}

static gboolean
put (hid_t parent, const char *name, hid_t type, int rank, const hsize_t *dims, const void *values)
{
  g_auto (FlHid) space = rank > 0 ? H5Screate_simple (rank, dims, NULL) : H5Screate (H5S_SCALAR);
  g_auto (FlHid) set = create (parent, name, type, space, NULL);
  return set >= 0 && H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
}

static gboolean
append (FlPatternWriter *writer, Column column, hsize_t n, const void *values)
{
  hid_t set = writer->columns[column];
  hsize_t before, after;
  g_auto (FlHid) old = H5Dget_space (set);
  if (n == 0)
    return TRUE;
  if (old < 0 || H5Sget_simple_extent_dims (old, &before, NULL) != 1)
    return FALSE;
  after = before + n;
  if (H5Dset_extent (set, &after) < 0)
    return FALSE;
  g_auto (FlHid) file = H5Dget_space (set), memory = H5Screate_simple (1, &n, NULL);
  return H5Sselect_hyperslab (file, H5S_SELECT_SET, &before, NULL, &n, NULL) >= 0
         && H5Dwrite (set, column_type (column), memory, file, H5P_DEFAULT, values) >= 0;
}

static gboolean
write_detector (FlPatternWriter *writer, const FlPatternPixels *pixels)
{
  const hsize_t dims[] = { pixels->n, 3 };
  hid_t f = writer->file;
  return put (f, "detector/s", H5T_NATIVE_DOUBLE, 2, dims, pixels->s)
         && put (f, "detector/factor", H5T_NATIVE_FLOAT, 1, dims, pixels->factor)
         && put (f, "detector/mask", H5T_NATIVE_UINT8, 1, dims, pixels->mask)
         && put (f, "detector/wavelength", H5T_NATIVE_DOUBLE, 0, NULL, &pixels->wavelength)
         && (pixels->background == NULL
             || put (f, "detector/background", H5T_NATIVE_FLOAT, 1, dims, pixels->background));
}

static gboolean
write_attributes (hid_t file)
{
  static const char format[] = FL_PATTERN_FILE_FORMAT;
  const guint64 version = VERSION;
  g_auto (FlHid) scalar = H5Screate (H5S_SCALAR), text = H5Tcopy (H5T_C_S1);
  H5Tset_size (text, sizeof format);
  g_auto (FlHid) first = H5Acreate (file, "format", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
  g_auto (FlHid) second = H5Acreate (file, "version", H5T_STD_U64LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
  return first >= 0 && second >= 0 && H5Awrite (first, text, format) >= 0
         && H5Awrite (second, H5T_NATIVE_UINT64, &version) >= 0;
}

static gboolean
create_columns (FlPatternWriter *writer)
{
  static const char *const names[] = { "patterns/id",    "patterns/row",      "patterns/class",
                                       "patterns/score", "patterns/diameter", "patterns/start",
                                       "photons/pixel",  "photons/count" };
  const hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = CHUNK;
  const guint64 start = 0;
  g_auto (FlHid) space = H5Screate_simple (1, &none, &unlimited);
  for (guint c = 0; c < N_COLUMNS; c++)
    {
      writer->columns[c] = create (writer->file, names[c], column_type ((Column) c), space, &chunk);
      if (writer->columns[c] < 0)
        return FALSE;
    }
  return append (writer, COLUMN_START, 1, &start);
}

FlPatternWriter *
fl_pattern_writer_new (const char *path, const FlPatternPixels *pixels, GError **error)
{
  FlPatternWriter *writer = g_new0 (FlPatternWriter, 1);
  writer->path = g_strdup (path);
  writer->temporary = g_strconcat (path, ".inprogress", NULL);
  writer->n_pixels = pixels->n;
  fl_h5_init ();
  H5Eclear2 (H5E_DEFAULT);
  writer->file = H5Fcreate (writer->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (writer->file >= 0 && write_attributes (writer->file) && write_detector (writer, pixels)
      && create_columns (writer))
    return writer;
  fail (writer, error);
  fl_pattern_writer_abandon (writer);
  return NULL;
}

gboolean
fl_pattern_writer_append (FlPatternWriter *writer, const FlPatterns *patterns, const FlParticleRow *rows,
                          GError **error)
{
  guint n = patterns->n;
  g_return_val_if_fail (patterns->pixels->n == writer->n_pixels, FALSE);
  g_autofree guint64 *start = g_new (guint64, n);
  g_autofree float *score = g_new0 (float, n), *diameter = g_new0 (float, n);
  g_autofree guint8 *class = g_malloc (n);
  for (guint i = 0; i < n; i++)
    {
      start[i] = writer->photons + patterns->start[i + 1];
      class[i] = rows != NULL ? rows[i].class : FL_PARTICLE_SINGLE;
      score[i] = rows != NULL ? rows[i].score : 0;
      diameter[i] = rows != NULL ? rows[i].diameter : 0;
    }
  writer->photons += patterns->start[n];
  return (append (writer, COLUMN_ID, n, patterns->id) && append (writer, COLUMN_ROW, n, patterns->row)
          && append (writer, COLUMN_CLASS, n, class) && append (writer, COLUMN_SCORE, n, score)
          && append (writer, COLUMN_DIAMETER, n, diameter) && append (writer, COLUMN_START, n, start)
          && append (writer, COLUMN_PIXEL, patterns->start[n], patterns->pixel)
          && append (writer, COLUMN_COUNT, patterns->start[n], patterns->count))
         || fail (writer, error);
}

static gboolean
close_file (FlPatternWriter *writer)
{
  for (guint c = 0; c < N_COLUMNS; c++)
    if (writer->columns[c] > 0)
      H5Dclose (writer->columns[c]);
  gboolean ok = writer->file < 0 || H5Fclose (writer->file) >= 0;
  writer->file = -1;
  return ok;
}

static void
writer_free (FlPatternWriter *writer)
{
  g_free (writer->path);
  g_free (writer->temporary);
  g_free (writer);
}

gboolean
fl_pattern_writer_finish (FlPatternWriter *writer, GError **error)
{
  gboolean ok =
      (close_file (writer) && g_rename (writer->temporary, writer->path) == 0) || fail (writer, error);
  if (!ok)
    g_unlink (writer->temporary);
  writer_free (writer);
  return ok;
}

void
fl_pattern_writer_abandon (FlPatternWriter *writer)
{
  if (writer == NULL)
    return;
  close_file (writer);
  g_unlink (writer->temporary);
  writer_free (writer);
}
