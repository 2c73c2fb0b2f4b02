/* Maps: whatever the bytes, one is read whole or not at all; what is read can be completed to a cell, or not. */

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/crystal/ccp4-map.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  int fd = memfd_create ("map", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  g_autoptr (FlMap) map = fl_map_read (path, NULL);
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
  close (fd);
  return 0;
}
