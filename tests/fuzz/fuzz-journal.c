/* Journal frames: every byte is skipped, taken or waited for, the scan always comes to an end, and who reads the file finds as
 * many. Sums of frames, which no
 * fuzzer would guess, are made right, but for those whose first byte is 255. */

#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/journal.h"
#include "tests/fuzz/fuzz-file.h"

static void
sum_up (guint8 *frame, gsize left)
{
  guint32 length, sum = 0;
  memcpy (&length, frame + 4, sizeof length);
  if (frame[8] == 255 || length > left - FL_JOURNAL_HEADER)
    return;
  memcpy (frame + 8, &sum, sizeof sum);
  sum = fl_crc32c (0, frame, FL_JOURNAL_HEADER + length);
  memcpy (frame + 8, &sum, sizeof sum);
}

static guint
count_in_file (const guint8 *data, gsize size)
{
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, data, size);
  g_autoptr (FlJournalReader) reader = fl_journal_reader_open (file.path, 0, NULL);
  FlFrame frame;
  guint n = 0;
  while (fl_journal_reader_next (reader, &frame, NULL))
    n++;
  g_assert_cmpuint (fl_journal_reader_offset (reader), <=, size);
  g_assert_cmpuint (fl_journal_reader_skipped (reader), <=, fl_journal_reader_offset (reader));
  return n;
}

int
LLVMFuzzerTestOneInput (const guint8 *input, gsize size)
{
  const guint32 magic = FL_JOURNAL_MAGIC;
  g_autofree guint8 *data = g_malloc (size + 1);
  memcpy (data, input, size);
  for (gsize at = size; at-- > 0;) /* from behind: a frame may be in another's payload */
    if (size - at >= FL_JOURNAL_HEADER && memcmp (data + at, &magic, sizeof magic) == 0)
      sum_up (data + at, size - at);
  guint n = 0;
  for (gsize at = 0;;)
    {
      FlFrame frame;
      FlScan scan = fl_frame_scan (data + at, size - at, &frame);
      g_assert_cmpuint (frame.length, <=, size - at);
      at += frame.length;
      if (scan == FL_SCAN_MORE)
        break;
      n += scan == FL_SCAN_FRAME;
      g_assert_cmpuint (frame.length, >, 0);
      /* A batch that says that it has very many rows, of which none is written, would only cost time here. */
      guint32 rows = 0;
      if (frame.payload_length >= 8)
        memcpy (&rows, frame.payload + 4, sizeof rows);
      FlBatch *batch = rows <= 1 << 16 ? fl_batch_decode (frame.payload, frame.payload_length, NULL) : NULL;
      g_clear_pointer (&batch, fl_batch_free);
    }
  g_assert_cmpuint (count_in_file (data, size), ==, n);
  return 0;
}
