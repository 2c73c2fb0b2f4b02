/* A file of one image, as it is or packed with gzip or bzip2: its head and the whole agree. */

#include "engine/shots/image-file.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, data, size);
  guint8 head[512];
  gsize n = fl_image_file_head (file.path, head, sizeof head), length = 0;
  g_assert_cmpuint (n, <=, sizeof head);
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *whole = fl_image_file_load (file.path, &length, &error);
  fuzz_error (whole != NULL, error, file.path);
  if (whole != NULL)
    g_assert_true (n == MIN (length, sizeof head) && memcmp (head, whole, n) == 0);
  for (guint i = 0; whole != NULL && i < FL_IMAGE_PADDING; i++)
    g_assert_cmpuint (whole[length + i], ==, 0);
  return 0;
}
