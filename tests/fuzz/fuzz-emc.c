/* Dragonfly's photon files. The first three bytes are frames, pixels and type. */

#include "engine/shots/emc.h"
#include "tests/fuzz/fuzz-file.h"
#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 3)
    return 0;
  guint32 head[256] = { data[0], data[1], data[2] % 3 };
  g_autofree char *path = fuzz_named ("fuzz.emc", head, sizeof head, data + 3, size - 3);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlEmc) emc = fl_emc_open (path, &error);
  fuzz_error (emc != NULL, error, path);
  g_auto (FlEmcFrames) frames = { 0 };
  if (emc != NULL && fl_emc_read (emc, 0, fl_emc_n_frames (emc), &frames, NULL))
    for (guint64 i = 0; i < frames.start[frames.n]; i++)
      g_assert_true (frames.pixel[i] < fl_emc_n_pixels (emc) && frames.count[i] > 0);
  return fuzz_source_path (path, G_MAXSIZE);
}
