/* Batches: whatever decodes has rows that can be read, and decodes to the same again. A batch may say that it has very
 * many rows of which none is written; here that would only cost time. */

#include <string.h>

#include "engine/base/batch.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* Into room of the schema's own size, so that what is written beyond it is seen. */
static void
read_rows (const FlBatch *batch)
{
  g_autofree void *row = g_malloc (fl_schema (fl_batch_kind (batch))->row_size);
  for (guint i = 0; i < fl_batch_rows (batch); i++)
    fl_batch_row (batch, i, row);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint32 rows = 0;
  if (size >= 8)
    memcpy (&rows, data + 4, sizeof rows);
  if (rows > 1 << 16)
    return 0;
  g_autoptr (FlBatch) batch = fl_batch_decode (data, size, NULL);
  if (batch == NULL)
    return 0;
  read_rows (batch);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  fl_batch_encode (batch, bytes);
  g_autoptr (FlBatch) again = fl_batch_decode (bytes->data, bytes->len, NULL);
  g_assert_nonnull (again);
  g_assert_cmpuint (fl_batch_rows (again), ==, fl_batch_rows (batch));
  return 0;
}
