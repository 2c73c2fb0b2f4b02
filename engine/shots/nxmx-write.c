#include "engine/shots/nxmx-write.h"

#include <string.h>

void
fl_nxmx_group (FlNxmxFields *f, const char *path, const char *class)
{
  hid_t group = f->failed ? -1 : H5Gcreate2 (f->file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  f->failed |= group < 0 || H5Gclose (group) < 0;
  if (class != NULL)
    fl_nxmx_text_attribute (f, path, "NX_class", class);
}

static void
write_field (FlNxmxFields *f, const char *path, hid_t type, gsize n, const void *values)
{
  hsize_t dims = n;
  if (f->failed)
    return;
  hid_t space = n == 0 ? H5Screate (H5S_SCALAR) : H5Screate_simple (1, &dims, NULL);
  hid_t create = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_obj_track_times (create, 0); /* the same shots give the same bytes */
  hid_t set = H5Dcreate2 (f->file, path, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
  f->failed = set < 0 || H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0;
  if (set >= 0)
    H5Dclose (set);
  H5Pclose (create);
  H5Sclose (space);
}

void
fl_nxmx_reals (FlNxmxFields *f, const char *path, gsize n, const double *values, const char *units)
{
  write_field (f, path, H5T_NATIVE_DOUBLE, n, values);
  if (units != NULL)
    fl_nxmx_text_attribute (f, path, "units", units);
}

void
fl_nxmx_whole (FlNxmxFields *f, const char *path, gsize n, const gint64 *values)
{
  write_field (f, path, H5T_NATIVE_INT64, n, values);
}

static hid_t
text_type (const char *text)
{
  hid_t type = H5Tcopy (H5T_C_S1);
  H5Tset_size (type, MAX (strlen (text), 1));
  H5Tset_strpad (type, H5T_STR_NULLPAD);
  H5Tset_cset (type, H5T_CSET_UTF8);
  return type;
}

void
fl_nxmx_text (FlNxmxFields *f, const char *path, const char *text)
{
  hid_t type = text_type (text);
  write_field (f, path, type, 0, text);
  H5Tclose (type);
}

static void
write_attribute (FlNxmxFields *f, const char *path, const char *name, hid_t type, gsize n, const void *values)
{
  hsize_t dims = n;
  if (f->failed)
    return;
  hid_t space = n == 0 ? H5Screate (H5S_SCALAR) : H5Screate_simple (1, &dims, NULL);
  hid_t attribute =
      H5Acreate_by_name (f->file, path, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  f->failed = attribute < 0 || H5Awrite (attribute, type, values) < 0;
  if (attribute >= 0)
    H5Aclose (attribute);
  H5Sclose (space);
}

void
fl_nxmx_text_attribute (FlNxmxFields *f, const char *path, const char *name, const char *text)
{
  hid_t type = text_type (text);
  write_attribute (f, path, name, type, 0, text);
  H5Tclose (type);
}

void
fl_nxmx_real_attribute (FlNxmxFields *f, const char *path, const char *name, gsize n, const double *values)
{
  write_attribute (f, path, name, H5T_NATIVE_DOUBLE, n, values);
}

void
fl_nxmx_axis (FlNxmxFields *f, const char *path, gboolean rotation, gsize n, const double *values,
              const char *units, const double vector[3], const char *depends_on)
{
  static const double none[3] = { 0, 0, 0 };
  fl_nxmx_reals (f, path, n, values, units);
  fl_nxmx_text_attribute (f, path, "transformation_type", rotation ? "rotation" : "translation");
  fl_nxmx_real_attribute (f, path, "vector", 3, vector);
  fl_nxmx_real_attribute (f, path, "offset", 3, none);
  fl_nxmx_text_attribute (f, path, "offset_units", "mm");
  fl_nxmx_text_attribute (f, path, "depends_on", depends_on);
}
