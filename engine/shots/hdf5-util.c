#include "engine/shots/hdf5-util.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "engine/base/error.h"

void
fl_h5_init (void)
{
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
}

/* The innermost entry says what really happened. */
static herr_t
keep_reason (unsigned n, const H5E_error2_t *entry, void *data)
{
  char **reason = data;
  if (n == 0)
    *reason = g_strdup (entry->desc);
  return 0;
}

gboolean
fl_h5_fail (GError **error, int code, const char *path, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  /* Names from the file may hold anything; a message is one line. */
  g_autofree char *message = g_strdelimit (g_strdup_vprintf (format, args), "\n\r\t", ' ');
  va_end (args);
  g_autofree char *reason = NULL;
  H5Ewalk2 (H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, &reason);
  H5Eclear2 (H5E_DEFAULT);
  if (reason != NULL)
    g_strdelimit (g_strstrip (reason), "\n\r", ' ');
  g_set_error (error, FL_ERROR, code, "%s: %s%s%.160s%s", path, message, reason != NULL ? " (HDF5: " : "",
               reason != NULL ? reason : "", reason != NULL ? ")" : "");
  return FALSE;
}

hid_t
fl_h5_open (const char *path, GError **error)
{
  fl_h5_init ();
  H5Eclear2 (H5E_DEFAULT);
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: no such file, expected an HDF5 file", path);
      return -1;
    }
  g_auto (FlHid) access = H5Pcreate (H5P_FILE_ACCESS);
  H5Pset_fclose_degree (access, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking (access, FALSE, TRUE);
#endif
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, access);
  if (file < 0)
    fl_h5_fail (error, FL_ERROR_INPUT, path, "cannot be opened, expected a whole HDF5 file");
  return file;
}

gboolean
fl_h5_exists (hid_t file, const char *path)
{
  /* H5Oexists_by_name follows the last link only when the ones before it exist. */
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  g_autoptr (GString) so_far = g_string_new ("");
  gboolean exists = TRUE;
  for (char **part = parts; exists && *part != NULL; part++)
    if (**part != '\0')
      {
        g_string_append_printf (so_far, "/%s", *part);
        exists = H5Lexists (file, so_far->str, H5P_DEFAULT) > 0
                 && H5Oexists_by_name (file, so_far->str, H5P_DEFAULT) > 0;
      }
  H5Eclear2 (H5E_DEFAULT);
  return exists;
}

double *
fl_h5_read_numbers (hid_t file, const char *file_path, const char *path, gsize max, gsize *n, GError **error)
{
  g_auto (FlHid) dataset = fl_h5_exists (file, path) ? H5Dopen2 (file, path, H5P_DEFAULT) : -1;
  if (dataset < 0)
    {
      fl_h5_fail (error, FL_ERROR_MISSING, file_path, "no dataset %s, expected numbers there", path);
      return NULL;
    }
  g_auto (FlHid) space = H5Dget_space (dataset);
  g_auto (FlHid) type = H5Dget_type (dataset);
  H5T_class_t class = H5Tget_class (type);
  hssize_t length = H5Sget_simple_extent_npoints (space);
  if ((class != H5T_INTEGER && class != H5T_FLOAT) || length < 1 || (guint64) length > max)
    {
      fl_h5_fail (error, FL_ERROR_INPUT, file_path,
                  "dataset %s holds %" G_GINT64_FORMAT " values%s, expected 1 to %" G_GSIZE_FORMAT " numbers",
                  path, (gint64) length,
                  class != H5T_INTEGER && class != H5T_FLOAT ? " that are no numbers" : "", max);
      return NULL;
    }
  g_autofree double *values = g_new (double, length);
  if (H5Dread (dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    {
      fl_h5_fail (error, FL_ERROR_INPUT, file_path, "dataset %s cannot be read", path);
      return NULL;
    }
  *n = (gsize) length;
  return g_steal_pointer (&values);
}

double
fl_h5_read_number (hid_t file, const char *path, double otherwise)
{
  gsize n;
  g_autofree double *values = fl_h5_read_numbers (file, "", path, 1 << 20, &n, NULL);
  return values != NULL ? values[0] : otherwise;
}

/* One string, of fixed or variable length, from a dataset or attribute; `read` is H5Dread or H5Aread in this shape. */
static char *
read_string (hid_t id, gboolean attribute)
{
  g_auto (FlHid) type = attribute ? H5Aget_type (id) : H5Dget_type (id);
  g_auto (FlHid) space = attribute ? H5Aget_space (id) : H5Dget_space (id);
  if (H5Tget_class (type) != H5T_STRING || H5Sget_simple_extent_npoints (space) != 1)
    return NULL;
  g_auto (FlHid) memory = H5Tcopy (H5T_C_S1);
  H5Tset_cset (memory, H5Tget_cset (type));
  gboolean variable = H5Tis_variable_str (type) > 0;
  gsize size = variable ? 0 : H5Tget_size (type);
  if (size > 1 << 20)
    return NULL;
  H5Tset_size (memory, variable ? H5T_VARIABLE : size + 1);
  g_autofree char *fixed = g_malloc0 (size + 1);
  char *pointer = NULL;
  void *to = variable ? (void *) &pointer : (void *) fixed;
  herr_t status =
      attribute ? H5Aread (id, memory, to) : H5Dread (id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
  char *text =
      status < 0 ? NULL : g_utf8_make_valid (variable ? (pointer != NULL ? pointer : "") : fixed, -1);
  if (pointer != NULL)
    H5free_memory (pointer);
  return text != NULL ? g_strstrip (text) : NULL;
}

char *
fl_h5_read_text (hid_t file, const char *path)
{
  g_auto (FlHid) dataset = fl_h5_exists (file, path) ? H5Dopen2 (file, path, H5P_DEFAULT) : -1;
  char *text = dataset < 0 ? NULL : read_string (dataset, FALSE);
  H5Eclear2 (H5E_DEFAULT);
  return text;
}

double
fl_h5_read_length (hid_t file, const char *path)
{
  double value = fl_h5_read_number (file, path, NAN);
  g_autofree char *unit = NULL;
  if (isnan (value))
    return value;
  if (H5Aexists_by_name (file, path, "units", H5P_DEFAULT) > 0)
    {
      g_auto (FlHid) attribute = H5Aopen_by_name (file, path, "units", H5P_DEFAULT, H5P_DEFAULT);
      unit = attribute < 0 ? NULL : read_string (attribute, TRUE);
    }
  H5Eclear2 (H5E_DEFAULT);
  if (g_strcmp0 (unit, "mm") == 0)
    return value;
  return g_strcmp0 (unit, "um") == 0 ? value * 1e-3 : value * 1e3;
}

gboolean
fl_h5_pixel_type (hid_t type, FlPixelType *pixel_type)
{
  H5T_class_t class = H5Tget_class (type);
  gsize size = H5Tget_size (type);
  if (class == H5T_INTEGER && size <= 4)
    {
      int base = H5Tget_sign (type) == H5T_SGN_NONE ? FL_PIXEL_U8 : FL_PIXEL_I8;
      *pixel_type = (FlPixelType) (base + (size == 1 ? 0 : size == 2 ? 1 : 2));
    }
  else if (class == H5T_INTEGER || (class == H5T_FLOAT && size > 4))
    *pixel_type = FL_PIXEL_F64;
  else if (class == H5T_FLOAT)
    *pixel_type = FL_PIXEL_F32;
  else
    return FALSE;
  return TRUE;
}

hid_t
fl_h5_memory_type (FlPixelType pixel_type)
{
  switch (pixel_type)
    {
    case FL_PIXEL_U8:
      return H5T_NATIVE_UINT8;
    case FL_PIXEL_U16:
      return H5T_NATIVE_UINT16;
    case FL_PIXEL_U32:
      return H5T_NATIVE_UINT32;
    case FL_PIXEL_I8:
      return H5T_NATIVE_INT8;
    case FL_PIXEL_I16:
      return H5T_NATIVE_INT16;
    case FL_PIXEL_I32:
      return H5T_NATIVE_INT32;
    case FL_PIXEL_F32:
      return H5T_NATIVE_FLOAT;
    case FL_PIXEL_F64:
    default:
      return H5T_NATIVE_DOUBLE;
    }
}
