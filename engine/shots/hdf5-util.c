#include "engine/shots/hdf5-util.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

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

typedef struct
{
  const char *names; /* separated by blanks */
  double factor;
} Unit;

static double
find_unit (const Unit *units, gsize n, const char *name, double otherwise)
{
  if (name == NULL || *name == '\0')
    return otherwise;
  for (gsize i = 0; i < n; i++)
    {
      g_auto (GStrv) names = g_strsplit (units[i].names, " ", -1);
      if (g_strv_contains ((const char *const *) names, name))
        return units[i].factor;
    }
  return NAN;
}

double
fl_h5_length_unit (const char *unit, double otherwise)
{
  static const Unit units[] = { { "mm millimeter millimetre millimeters millimetres", 1 },
                                { "m metre meter metres meters", 1e3 },
                                { "um µm μm micron microns micrometer micrometre", 1e-3 },
                                { "cm centimeter centimetre", 10 },
                                { "nm nanometer nanometre", 1e-6 },
                                { "angstrom Angstrom angstroms A Å Å", 1e-7 } };
  return find_unit (units, G_N_ELEMENTS (units), unit, otherwise);
}

double
fl_h5_angle_unit (const char *unit, double otherwise)
{
  static const Unit units[] = { { "deg degree degrees Degrees °", FL_PI / 180 },
                                { "rad radian radians", 1 },
                                { "mrad milliradian", 1e-3 } };
  return find_unit (units, G_N_ELEMENTS (units), unit, otherwise);
}

double
fl_h5_wavelength_unit (const char *unit, double otherwise)
{
  return fl_h5_length_unit (unit, otherwise * 1e-7) * 1e7;
}

double
fl_h5_read_length (hid_t file, const char *path)
{
  double value = fl_h5_read_number (file, path, NAN);
  if (isnan (value))
    return value;
  g_autofree char *unit = fl_h5_attribute_text (file, path, "units");
  double factor = fl_h5_length_unit (unit, 1e3);
  return value * (isnan (factor) ? 1e3 : factor);
}

/* Negative: none. */
static hid_t
open_attribute (hid_t file, const char *path, const char *name)
{
  hid_t attribute = fl_h5_exists (file, path) && H5Aexists_by_name (file, path, name, H5P_DEFAULT) > 0
                        ? H5Aopen_by_name (file, path, name, H5P_DEFAULT, H5P_DEFAULT)
                        : -1;
  H5Eclear2 (H5E_DEFAULT);
  return attribute;
}

char *
fl_h5_attribute_text (hid_t file, const char *path, const char *name)
{
  g_auto (FlHid) attribute = open_attribute (file, path, name);
  char *text = attribute < 0 ? NULL : read_string (attribute, TRUE);
  H5Eclear2 (H5E_DEFAULT);
  return text;
}

gboolean
fl_h5_attribute_numbers (hid_t file, const char *path, const char *name, gsize n, double *values)
{
  g_auto (FlHid) attribute = open_attribute (file, path, name);
  if (attribute < 0)
    return FALSE;
  g_auto (FlHid) space = H5Aget_space (attribute);
  g_auto (FlHid) type = H5Aget_type (attribute);
  H5T_class_t class = H5Tget_class (type);
  gboolean ok = (class == H5T_INTEGER || class == H5T_FLOAT)
                && H5Sget_simple_extent_npoints (space) == (hssize_t) n
                && H5Aread (attribute, H5T_NATIVE_DOUBLE, values) >= 0;
  H5Eclear2 (H5E_DEFAULT);
  return ok;
}

static herr_t
add_child (hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  (void) group;
  (void) info;
  g_ptr_array_add (data, g_strdup (name));
  return 0;
}

char **
fl_h5_children (hid_t file, const char *path, const char *class)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_auto (FlHid) object =
      strcmp (path, "/") == 0 || fl_h5_exists (file, path) ? H5Oopen (file, path, H5P_DEFAULT) : -1;
  if (object >= 0 && H5Iget_type (object) == H5I_GROUP)
    H5Literate (object, H5_INDEX_NAME, H5_ITER_INC, NULL, add_child, names);
  for (guint i = names->len; class != NULL && i-- > 0;)
    {
      g_autofree char *child =
          g_strdup_printf ("%s/%s", strcmp (path, "/") == 0 ? "" : path, (char *) names->pdata[i]);
      g_autofree char *own = fl_h5_attribute_text (file, child, "NX_class");
      if (g_strcmp0 (own, class) != 0)
        g_ptr_array_remove_index (names, i);
    }
  H5Eclear2 (H5E_DEFAULT);
  GPtrArray *result = g_ptr_array_new ();
  for (guint i = 0; i < names->len; i++)
    g_ptr_array_add (result, g_strdup (names->pdata[i]));
  g_ptr_array_add (result, NULL);
  return (char **) g_ptr_array_free (result, FALSE);
}

/* NULL: the link at `path` is none to another file. */
static char *
link_target (hid_t file, const char *path)
{
  H5L_info_t info;
  if (H5Lget_info (file, path, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_EXTERNAL
      || info.u.val_size > 1 << 16)
    return NULL;
  g_autofree char *value = g_malloc0 (info.u.val_size + 1);
  const char *target = NULL, *object;
  unsigned flags;
  if (H5Lget_val (file, path, value, info.u.val_size, H5P_DEFAULT) < 0
      || H5Lunpack_elink_val (value, info.u.val_size, &flags, &target, &object) < 0 || target == NULL)
    return NULL;
  return g_utf8_make_valid (target, -1);
}

char *
fl_h5_external_file (hid_t file, const char *path, gboolean missing)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  g_autoptr (GString) so_far = g_string_new ("");
  char *target = NULL;
  for (char **part = parts; target == NULL && *part != NULL; part++)
    if (**part != '\0')
      {
        g_string_append_printf (so_far, "/%s", *part);
        if (H5Lexists (file, so_far->str, H5P_DEFAULT) <= 0)
          break;
        target = link_target (file, so_far->str);
      }
  if (missing && target != NULL && H5Oexists_by_name (file, so_far->str, H5P_DEFAULT) > 0)
    g_clear_pointer (&target, g_free);
  H5Eclear2 (H5E_DEFAULT);
  return target;
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
