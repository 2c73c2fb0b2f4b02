#include "engine/spi/pattern-file.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/hdf5-util.h"

#define MOST_PIXELS 268435456 /* more is damage */

struct FlPatternFile
{
  char *path;
  hid_t file, pixel, count;
  guint n;
  FlPatternPixels *pixels;
  guint64 *id, *start;
  guint8 *class;
};

gboolean
fl_pattern_file_is_one (const char *path)
{
  char format[sizeof FL_PATTERN_FILE_FORMAT] = "";
  g_auto (FlHid) file = fl_h5_open (path, NULL);
  if (file < 0 || H5Aexists (file, "format") <= 0)
    return FALSE;
  g_auto (FlHid) attribute = H5Aopen (file, "format", H5P_DEFAULT);
  g_auto (FlHid) type = H5Aget_type (attribute), space = H5Aget_space (attribute);
  return H5Tget_class (type) == H5T_STRING && H5Tis_variable_str (type) == 0
         && H5Tget_size (type) == sizeof format && H5Sget_simple_extent_npoints (space) == 1
         && H5Aread (attribute, type, format) >= 0
         && memcmp (format, FL_PATTERN_FILE_FORMAT, sizeof format) == 0;
}

/* Opens a dataset of one axis (of `wide` > 1: two, the second so long) and numbers; −1 with error. */
static hid_t
open_set (const FlPatternFile *self, const char *name, hsize_t wide, hsize_t *n, GError **error)
{
  hsize_t dims[2] = { 0, 1 };
  int axes = wide > 1 ? 2 : 1;
  g_auto (FlHid) set = fl_h5_exists (self->file, name) ? H5Dopen (self->file, name, H5P_DEFAULT) : -1;
  if (set < 0)
    {
      fl_h5_fail (error, FL_ERROR_MISSING, self->path, "no dataset /%s", name);
      return -1;
    }
  g_auto (FlHid) space = H5Dget_space (set), type = H5Dget_type (set);
  H5T_class_t class = H5Tget_class (type);
  if (H5Sget_simple_extent_ndims (space) == axes && (class == H5T_INTEGER || class == H5T_FLOAT))
    H5Sget_simple_extent_dims (space, dims, NULL);
  else
    dims[1] = 0;
  *n = dims[0];
  if (dims[1] == wide)
    {
      hid_t taken = set;
      set = 0;
      return taken;
    }
  fl_h5_fail (error, FL_ERROR_INPUT, self->path, "/%s has another shape, expected that of patterns", name);
  return -1;
}

/* The whole of it, which has `expected` rows (0: any); NULL with error. */
static void *
read_all (const FlPatternFile *self, const char *name, hid_t type, hsize_t wide, hsize_t expected, hsize_t *n,
          GError **error)
{
  g_auto (FlHid) set = open_set (self, name, wide, n, error);
  if (set < 0)
    return NULL;
  if (*n < 1 || *n > MOST_PIXELS || (expected > 0 && *n != expected))
    {
      fl_h5_fail (error, FL_ERROR_INPUT, self->path,
                  "/%s has %" G_GUINT64_FORMAT " rows, expected %" G_GUINT64_FORMAT, name, (guint64) *n,
                  (guint64) MAX (expected, 1));
      return NULL;
    }
  g_autofree void *values = g_malloc_n (*n * wide, H5Tget_size (type));
  if (H5Dread (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0)
    return g_steal_pointer (&values);
  fl_h5_fail (error, FL_ERROR_INPUT, self->path, "/%s cannot be read", name);
  return NULL;
}

static gboolean
check_pixels (const FlPatternFile *self, GError **error)
{
  const FlPatternPixels *p = self->pixels;
  gboolean ok = p->wavelength > 0 && isfinite (p->wavelength), good = FALSE;
  for (guint i = 0; i < p->n && ok; i++)
    {
      ok = p->mask[i] <= FL_PATTERN_BAD && isfinite (fl_vec3_norm (p->s[i])) && isfinite (p->factor[i])
           && (p->background == NULL || (p->background[i] >= 0 && isfinite (p->background[i])));
      good = good || p->mask[i] == FL_PATTERN_GOOD;
    }
  return (ok && good) || fl_h5_fail (error, FL_ERROR_INPUT, self->path, "/detector is damaged");
}

static gboolean
read_detector (FlPatternFile *self, GError **error)
{
  hsize_t n;
  g_autofree FlVec3 *s = read_all (self, "detector/s", H5T_NATIVE_DOUBLE, 3, 0, &n, error);
  if (s == NULL)
    return FALSE;
  FlPatternPixels *pixels = self->pixels = g_new0 (FlPatternPixels, 1);
  pixels->n = (guint) n;
  pixels->s = g_steal_pointer (&s);
  pixels->factor = read_all (self, "detector/factor", H5T_NATIVE_FLOAT, 1, n, &n, error);
  pixels->mask =
      pixels->factor != NULL ? read_all (self, "detector/mask", H5T_NATIVE_UINT8, 1, n, &n, error) : NULL;
  if (pixels->mask == NULL)
    return FALSE;
  if (fl_h5_exists (self->file, "detector/background")
      && (pixels->background = read_all (self, "detector/background", H5T_NATIVE_FLOAT, 1, n, &n, error))
             == NULL)
    return FALSE;
  pixels->wavelength = fl_h5_read_number (self->file, "detector/wavelength", 0);
  return check_pixels (self, error);
}

static gboolean
read_table (FlPatternFile *self, GError **error)
{
  hsize_t n, photons, counts;
  self->start = read_all (self, "patterns/start", H5T_NATIVE_UINT64, 1, 0, &n, error);
  if (self->start == NULL)
    return FALSE;
  self->n = (guint) n - 1;
  if (self->n > 0)
    {
      self->id = read_all (self, "patterns/id", H5T_NATIVE_UINT64, 1, n - 1, &n, error);
      self->class =
          self->id != NULL ? read_all (self, "patterns/class", H5T_NATIVE_UINT8, 1, n, &n, error) : NULL;
      if (self->class == NULL)
        return FALSE;
    }
  self->pixel = open_set (self, "photons/pixel", 1, &photons, error);
  self->count = self->pixel >= 0 ? open_set (self, "photons/count", 1, &counts, error) : -1;
  if (self->count < 0)
    return FALSE;
  gboolean ok = self->start[0] == 0 && self->start[self->n] == photons && photons == counts;
  for (guint i = 0; i < self->n && ok; i++)
    ok = self->start[i] <= self->start[i + 1] && self->start[i + 1] - self->start[i] <= self->pixels->n
         && self->class[i] < FL_PARTICLE_LAST;
  return ok
         || fl_h5_fail (error, FL_ERROR_INPUT, self->path, "/patterns is damaged: its numbers do not agree");
}

FlPatternFile *
fl_pattern_file_open (const char *path, GError **error)
{
  fl_h5_init ();
  g_autoptr (FlPatternFile) self = g_new0 (FlPatternFile, 1);
  self->path = g_strdup (path);
  self->pixel = self->count = -1;
  self->file = fl_h5_open (path, error);
  if (self->file < 0 || !read_detector (self, error) || !read_table (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
fl_pattern_file_close (FlPatternFile *self)
{
  if (self == NULL)
    return;
  if (self->pixel >= 0)
    H5Dclose (self->pixel);
  if (self->count >= 0)
    H5Dclose (self->count);
  if (self->file >= 0)
    H5Fclose (self->file);
  fl_pattern_pixels_free (self->pixels);
  g_free (self->id);
  g_free (self->start);
  g_free (self->class);
  g_free (self->path);
  g_free (self);
}

guint
fl_pattern_file_n (const FlPatternFile *self)
{
  return self->n;
}

const FlPatternPixels *
fl_pattern_file_pixels (const FlPatternFile *self)
{
  return self->pixels;
}

const guint64 *
fl_pattern_file_ids (const FlPatternFile *self)
{
  return self->id;
}

const guint8 *
fl_pattern_file_classes (const FlPatternFile *self)
{
  return self->class;
}

static gboolean
read_part (hid_t set, guint64 first, guint64 n, guint32 *values)
{
  const hsize_t start = first, count = n;
  g_auto (FlHid) file = H5Dget_space (set), memory = H5Screate_simple (1, &count, NULL);
  return n == 0
         || (H5Sselect_hyperslab (file, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0
             && H5Dread (set, H5T_NATIVE_UINT32, memory, file, H5P_DEFAULT, values) >= 0);
}

gboolean
fl_pattern_file_read (FlPatternFile *self, guint first, guint n, guint32 row, FlPatterns *patterns,
                      GError **error)
{
  g_return_val_if_fail (first <= self->n && n <= self->n - first, FALSE);
  guint64 from = self->start[first], lit = self->start[first + n] - from;
  g_autofree guint32 *pixel = g_new (guint32, lit), *count = g_new (guint32, lit);
  if (!read_part (self->pixel, from, lit, pixel) || !read_part (self->count, from, lit, count))
    return fl_h5_fail (error, FL_ERROR_INPUT, self->path, "patterns %u to %u cannot be read", first,
                       first + n - 1);
  for (guint i = first; i < first + n; i++)
    {
      guint64 a = self->start[i] - from, b = self->start[i + 1] - from;
      for (guint64 k = a; k < b; k++)
        if (pixel[k] >= self->pixels->n || (k > a && pixel[k] <= pixel[k - 1]))
          return fl_h5_fail (error, FL_ERROR_INPUT, self->path,
                             "pattern %u has photons in pixel %u, expected rising numbers below %u", i,
                             pixel[k], self->pixels->n);
      fl_patterns_add (patterns, self->id[i], row + (i - first), (guint) (b - a), pixel + a, count + a);
    }
  return TRUE;
}
