/* Journal frames: every byte is skipped, taken or waited for, and the scan always comes to an end. */

#include "engine/base/journal.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  for (gsize at = 0;;)
    {
      FlFrame frame;
      FlScan scan = fl_frame_scan (data + at, size - at, &frame);
      g_assert_cmpuint (frame.length, <=, size - at);
      at += frame.length;
      if (scan == FL_SCAN_MORE)
        return 0;
      g_assert_cmpuint (frame.length, >, 0);
      g_autoptr (FlBatch) batch = fl_batch_decode (frame.payload, frame.payload_length, NULL);
    }
}
