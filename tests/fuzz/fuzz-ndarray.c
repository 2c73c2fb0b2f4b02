/* Arrays of constants: psana's text, .npy, binary. The first byte of the input chooses. */
#include "engine/shots/ndarray.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  g_autoptr (GError) error = NULL;
  g_auto (FlNdarray) array = { 0 };
  guint kind = *data++ % 3;
  gboolean ok = kind == 0   ? fl_ndarray_parse ("fuzz.data", (const char *) data, size - 1, &array, &error)
                : kind == 1 ? fl_ndarray_parse_npy ("fuzz.data", data, size - 1, &array, &error)
                            : fl_ndarray_parse_binary ("fuzz.data", data, size - 1, 3, 7, &array, &error);
  fuzz_error (ok, error, "fuzz.data");
  if (!ok)
    return 0;
  gsize n = 1;
  for (guint i = 0; i < array.n_dims; i++)
    n *= array.dims[i];
  g_assert_true (n == array.n && n > 0 && n <= size);
  return 0;
}
