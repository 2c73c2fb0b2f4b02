/* Constants of detectors, masks that we made, and simulated patterns, in whole HDF5 files (fuzz-h5.h). */

#include "engine/shots/constants-files.h"
#include "engine/shots/mask-file.h"
#include "engine/shots/skopi.h"
#include "tests/fuzz/fuzz-h5.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = fuzz_h5_write (data, size);
  g_autoptr (GError) error = NULL, of_skopi = NULL;
  g_auto (FlConstantFiles) files = { 0 };
  fuzz_error (fl_constant_files_add_hdf5 (path, &files, &error), error, path);
  g_autofree char *base = NULL;
  g_free (fl_mask_file_rules (path, &base));
  g_autoptr (FlSkopi) skopi = fl_skopi_open (path, &of_skopi);
  fuzz_error (skopi != NULL, of_skopi, path);
  if (skopi != NULL && fl_skopi_n_pixels (skopi) <= 1 << 20)
    {
      g_autofree float *values = g_new (float, fl_skopi_n_pixels (skopi));
      fl_skopi_read (skopi, fl_skopi_n_frames (skopi) - 1, 1, values, NULL);
    }
  return 0;
}
