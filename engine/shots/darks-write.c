#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/shots/constants-files.h"
#include "engine/shots/darks.h"
#include "engine/shots/hdf5-util.h"

static const struct
{
  const char *name, *format;
  FlConstantKind kind;
} written[] = {
  { "pedestals", "%.7g", FL_CONSTANT_PEDESTAL },  { "pixel_rms", "%.7g", FL_CONSTANT_RMS },
  { "pixel_status", "%.0f", FL_CONSTANT_STATUS }, { "pixel_gain", "", FL_CONSTANT_GAIN },
  { "pixel_offset", "", FL_CONSTANT_OFFSET },     { "pixel_threshold", "", FL_CONSTANT_THRESHOLD },
  { "pixel_config", "", FL_CONSTANT_CONFIG }
};

#define N_MEASURED 3 /* of these */

/* Gains that were not seen keep what the file had. */
static gboolean
keep_old (const FlDarks *darks, const FlNdarray *old, FlNdarray *array, GError **error)
{
  if (old->values == NULL)
    return TRUE;
  if (old->n != array->n)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: has %" G_GSIZE_FORMAT " numbers, expected %" G_GSIZE_FORMAT
                   " as these darks; write to another place",
                   old->path, old->n, array->n);
      return FALSE;
    }
  for (guint stage = 0; stage < darks->n_stages; stage++)
    if (darks->measured[stage] == 0)
      memcpy (array->values + stage * darks->n_pixels, old->values + stage * darks->n_pixels,
              darks->n_pixels * sizeof (float));
  return TRUE;
}

/* --- HDF5 --- */

static gboolean
put_array (hid_t file, const char *name, const FlNdarray *array)
{
  hsize_t dims[FL_NDARRAY_DIMS], chunk[FL_NDARRAY_DIMS];
  for (guint i = 0; i < array->n_dims; i++)
    {
      dims[i] = array->dims[i];
      chunk[i] = i + 1 == array->n_dims ? MIN (array->dims[i], 1 << 16) : 1;
    }
  g_auto (FlHid) space = H5Screate_simple ((int) array->n_dims, dims, NULL);
  g_auto (FlHid) how = H5Pcreate (H5P_DATASET_CREATE);
  if (array->n > 64)
    {
      H5Pset_chunk (how, (int) array->n_dims, chunk);
      H5Pset_shuffle (how);
      H5Pset_deflate (how, 1);
    }
  g_auto (FlHid) set = H5Dcreate2 (file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
  return set > 0 && H5Dwrite (set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->values) >= 0;
}

static gboolean
put_kind (hid_t file, const char *kind)
{
  g_auto (FlHid) type = H5Tcopy (H5T_C_S1), space = H5Screate (H5S_SCALAR);
  H5Tset_size (type, strlen (kind));
  g_auto (FlHid) set = H5Dcreate2 (file, "detector", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  return set > 0 && H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, kind) >= 0;
}

static gboolean
put_all (const FlDarks *darks, const FlConstantFiles *all, const char *path)
{
  g_auto (FlHid) file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = file > 0 && put_kind (file, fl_detector_kind_name (darks->kind));
  for (gsize i = 0; ok && i < G_N_ELEMENTS (written); i++)
    {
      const FlNdarray *array = &all->arrays[written[i].kind];
      ok = array->values == NULL || put_array (file, written[i].name, array);
    }
  return ok && H5Fflush (file, H5F_SCOPE_GLOBAL) >= 0;
}

static gboolean
write_hdf5 (const FlDarks *darks, FlNdarray *const *arrays, const char *out, GError **error)
{
  g_auto (FlConstantFiles) all = { 0 };
  if (g_file_test (out, G_FILE_TEST_EXISTS) && !fl_constant_files_add_hdf5 (out, &all, error))
    return FALSE;
  for (guint i = 0; i < N_MEASURED; i++)
    {
      FlNdarray *old = &all.arrays[written[i].kind];
      if (!keep_old (darks, old, arrays[i], error))
        return FALSE;
      fl_ndarray_clear (old);
      *old = *arrays[i];
      *arrays[i] = (FlNdarray){ 0 };
    }
  g_autofree char *partial = g_strconcat (out, ".part", NULL);
  fl_h5_init ();
  if (put_all (darks, &all, partial) && rename (partial, out) == 0)
    return TRUE;
  unlink (partial);
  return fl_h5_fail (error, FL_ERROR_FAILED, out, "cannot be written");
}

/* --- psana's folder --- */

static gboolean
write_folder (const FlDarks *darks, FlNdarray *const *arrays, const char *out, gint64 run, GError **error)
{
  for (guint i = 0; i < N_MEASURED; i++)
    {
      g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT "-end.data", MAX (run, 0));
      g_autofree char *folder = g_build_filename (out, written[i].name, NULL);
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_auto (FlNdarray) old = { 0 };
      if (g_mkdir_with_parents (folder, 0777) != 0)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", folder, g_strerror (errno));
          return FALSE;
        }
      if ((g_file_test (path, G_FILE_TEST_EXISTS) && !fl_ndarray_read (path, 0, 1, &old, error))
          || !keep_old (darks, &old, arrays[i], error)
          || !fl_ndarray_write (path, arrays[i], written[i].format, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
fl_darks_write (const FlDarks *darks, FlDarkArrays *arrays, const char *out, gint64 run, GError **error)
{
  FlNdarray *const list[N_MEASURED] = { &arrays->pedestal, &arrays->rms, &arrays->status };
  return g_str_has_suffix (out, ".h5") ? write_hdf5 (darks, list, out, error)
                                       : write_folder (darks, list, out, run, error);
}
