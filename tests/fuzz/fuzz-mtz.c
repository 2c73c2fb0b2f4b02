/* MTZ, which our own reader takes apart before CCP4's library would. The first record's place of the header is not guessed: the
 * first two bytes of the input say it. */

#include "engine/crystal/mtz.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 82)
    return 0;
  g_autofree guint8 *bytes = g_memdup2 (data + 2, size - 2);
  guint32 words = (guint32) (20 + (data[0] | data[1] << 8) % ((size - 2) / 4)) + 1;
  memcpy (bytes, "MTZ ", 4);
  memcpy (bytes + 4, &words, 4);
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, bytes, size - 2);
  g_autoptr (GError) error = NULL, of_header = NULL;
  g_autoptr (FlMtz) mtz = fl_mtz_read (file.path, &error);
  fuzz_error (mtz != NULL, error, file.path);
  g_autoptr (FlMtz) header = fl_mtz_read_header (file.path, &of_header);
  g_assert_true (mtz == NULL || (header != NULL && header->n == mtz->n));
  for (gsize i = 0; mtz != NULL && i < (gsize) mtz->n * mtz->n_columns; i++)
    g_assert_false (mtz->data[i] > 0 && mtz->data[i] < 0);
  return 0;
}
