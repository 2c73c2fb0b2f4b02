/* LCLS-II's raw data through the source that reads it. */

#include "engine/shots/inspect-shots.h"
#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* A configure's header. */
  static const guint8 magic[] = { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0 };
  g_auto (FuzzFile) file = fuzz_file (magic, sizeof magic, data, size);
  gboolean whole;
  g_free (fl_inspect_xtc2 (file.path, &whole, NULL));
  return fuzz_source_path (file.path, G_MAXSIZE);
}
