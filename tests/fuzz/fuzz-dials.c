/* DIALS' models of experiments (JSON), and with them a table, which follows a zero byte. */

#include "engine/results/dials.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const guint8 *zero = memchr (data, 0, size);
  gsize length = zero != NULL ? (gsize) (zero - data) : size;
  g_auto (FuzzFile) expt = fuzz_file (NULL, 0, data, length);
  g_auto (FuzzFile) refl = fuzz_file (NULL, 0, data + length + 1, zero != NULL ? size - length - 1 : 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlDialsFile) file = fl_dials_read (expt.path, zero != NULL ? refl.path : NULL, &error);
  g_assert_true ((file != NULL) == (error == NULL));
  g_assert_true (error == NULL || strchr (error->message, '\n') == NULL);
  fuzz_tell (error);
  for (guint i = 0; file != NULL && i < file->patterns->len; i++)
    {
      const FlPattern *pattern = file->patterns->pdata[i];
      for (guint k = 0; k < pattern->reflections->len; k++)
        g_assert_cmpuint (g_array_index (pattern->reflections, FlReflectionRow, k).lattice, <,
                          pattern->lattices->len);
    }
  return 0;
}
