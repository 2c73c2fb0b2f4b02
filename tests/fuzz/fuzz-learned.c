/* What an attempt leaves beside its results: what a learning pass has found, ranks' table in flight. The
 * first byte says which. */

#include "engine/base/inflight.h"
#include "engine/programs/stills-learned.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  if (data[0] % 2 == 0)
    {
      g_autofree char *text = g_strndup ((const char *) data + 1, size - 1);
      g_auto (FlLearned) learned = { 0 };
      g_autoptr (GError) error = NULL;
      fuzz_error (fl_learned_parse (text, "learned", &learned, &error), error, "learned");
      return 0;
    }
  g_autofree char *path = fuzz_named ("inflight-a.fli", NULL, 0, data + 1, size - 1),
                  *folder = g_path_get_dirname (path);
  g_array_unref (fl_inflight_read (folder));
  return 0;
}
