/* Maps: whatever the bytes, one is read whole or not at all; what is read can be completed to a cell, or not. */

#include <math.h>
#include "engine/crystal/ccp4-map.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlMap) map = fl_map_read (file.path, &error);
  fuzz_error (map != NULL, error, file.path);
  if (map != NULL)
    {
      for (gsize i = 0; i < fl_map_points (map); i++)
        g_assert_true (isfinite (map->data[i]));
      if ((double) map->sampling[0] * map->sampling[1] * map->sampling[2] < 1e5)
        {
          g_autoptr (FlMap) whole = fl_map_complete (map, NULL);
          g_assert_true (whole == NULL
                         || isfinite (fl_map_value (whole, (const double[]){ 0.3, -0.7, 5.1 })));
        }
    }
  return 0;
}
