/* A compact raster. The first three bytes are its width, height and mode; the rest is what is inside its zlib stream, whose
 * checksum no fuzzer would guess. */

#include <string.h>
#include <zlib.h>

#include "engine/view/raster-codec.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 3)
    return 0;
  guint32 width = data[0] % 64 + 1u, height = data[1] % 64 + 1u, length = (guint32) (size - 3);
  g_autofree float *raster = g_new (float, width *height);
  uLongf packed = compressBound (length);
  g_autofree guint8 *bytes = g_malloc0 (24 + packed);
  static const double q = 0.25, zero = 0.5;
  bytes[0] = 1;
  bytes[1] = data[2] % 4;
  memcpy (bytes + 4, &q, sizeof q);
  memcpy (bytes + 12, &zero, sizeof zero);
  memcpy (bytes + 20, &length, sizeof length);
  compress2 (bytes + 24, &packed, data + 3, length, 0);
  (void) fl_raster_unpack (bytes, 24 + packed, width, height, raster, NULL);
  return 0;
}
