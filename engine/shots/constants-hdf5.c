#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/constants-files.h"
#include "engine/shots/hdf5-util.h"

#define MAX_VALUES ((gsize) 1 << 32)
#define MAX_EMPTY  ((gsize) 1 << 26) /* more must be in the file, packed 1100 times at most */

/* Names in the order of trust: ours (psana's), PSI's, Cheetah's of AGIPD, Cheetah's and CrystFEL's dark. */
static const char *const names[FL_CONSTANT_KINDS][7] = {
  [FL_CONSTANT_PEDESTAL] = { "pedestals", "gainPedestals", "AnalogOffset", "pedestal", "data/data", "dark" },
  [FL_CONSTANT_GAIN] = { "pixel_gain", "gains", "gain" },
  [FL_CONSTANT_OFFSET] = { "pixel_offset" },
  [FL_CONSTANT_RMS] = { "pixel_rms", "gainPedestalsRMS", "rms" },
  [FL_CONSTANT_STATUS] = { "pixel_status", "pixel_mask", "pixelMask", "Badpixel", "mask" },
  [FL_CONSTANT_THRESHOLD] = { "pixel_threshold", "DigitalGainLevel" },
  [FL_CONSTANT_CONFIG] = { "pixel_config" },
};

static gboolean
read_array (hid_t file, const char *path, const char *name, FlNdarray *array, GError **error)
{
  g_auto (FlHid) dataset = H5Dopen2 (file, name, H5P_DEFAULT);
  g_auto (FlHid) space = dataset > 0 ? H5Dget_space (dataset) : -1;
  g_auto (FlHid) type = dataset > 0 ? H5Dget_type (dataset) : -1;
  hsize_t dims[H5S_MAX_RANK];
  FlPixelType any;
  int n_dims = space > 0 ? H5Sget_simple_extent_ndims (space) : -1;
  if (n_dims < 1 || n_dims > FL_NDARRAY_DIMS || !fl_h5_pixel_type (type, &any)
      || H5Sget_simple_extent_dims (space, dims, NULL) != n_dims)
    return fl_h5_fail (error, FL_ERROR_INPUT, path, "%s is no array of numbers, expected constants", name);
  array->n = 1;
  array->n_dims = (guint) n_dims;
  for (int i = 0; i < n_dims; i++)
    {
      if (dims[i] == 0 || array->n > MAX_VALUES / dims[i])
        return fl_h5_fail (error, FL_ERROR_INPUT, path, "%s has a wrong size, expected constants", name);
      array->dims[i] = (gsize) dims[i];
      array->n *= (gsize) dims[i];
    }
  g_auto (FlHid) create = H5Dget_create_plist (dataset);
  if (array->n > MAX_EMPTY && H5Pget_layout (create) == H5D_CHUNKED
      && H5Dget_storage_size (dataset) < array->n / 1100)
    return fl_h5_fail (error, FL_ERROR_INPUT, path, "%s claims more values than it holds", name);
  array->values = g_try_new (float, array->n);
  if (array->values == NULL
      || H5Dread (dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->values) < 0)
    return fl_h5_fail (error, FL_ERROR_INPUT, path, "%s cannot be read", name);
  array->path = g_strdup (path);
  return TRUE;
}

static gboolean
is_dataset (hid_t file, const char *name)
{
  g_auto (FlHid) object = fl_h5_exists (file, name) ? H5Oopen (file, name, H5P_DEFAULT) : -1;
  return object > 0 && H5Iget_type (object) == H5I_DATASET;
}

/* Our attribute; PSI's and AGIPD's names tell as well. */
static FlDetectorKind
told_kind (hid_t file)
{
  if (fl_h5_exists (file, "AnalogOffset"))
    return FL_DETECTOR_AGIPD;
  if (fl_h5_exists (file, "gainPedestals"))
    return FL_DETECTOR_JUNGFRAU;
  g_autofree char *text = fl_h5_exists (file, "detector") ? fl_h5_read_text (file, "detector") : NULL;
  return text != NULL ? fl_detector_kind_of_name (text) : FL_DETECTOR_AUTO;
}

gboolean
fl_constant_files_add_hdf5 (const char *path, FlConstantFiles *files, GError **error)
{
  g_auto (FlHid) file = fl_h5_open (path, error);
  if (file < 0)
    return FALSE;
  for (guint kind = 0; kind < FL_CONSTANT_KINDS; kind++)
    for (guint i = 0; names[kind][i] != NULL && files->arrays[kind].values == NULL; i++)
      if (is_dataset (file, names[kind][i])
          && !read_array (file, path, names[kind][i], &files->arrays[kind], error))
        return FALSE;
  if (files->kind == FL_DETECTOR_AUTO)
    files->kind = told_kind (file);
  return TRUE;
}
