#include "tests/gui/made.h"

void
made_must (gboolean good, GError **error)
{
  if (!good)
    g_error ("made: %s", *error ? (*error)->message : "failed");
}

gint64
made_save (FlStore *store, FlTable table, gpointer record)
{
  GError *error = NULL;
  made_must (fl_store_save (store, table, record, &error), &error);
  return *(gint64 *) record;
}

void
made_add_slice (FlStore *store, gint64 attempt, guint32 writer, guint64 sequence, const FlBatch *batch)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  GError *error = NULL;
  fl_batch_encode (batch, bytes);
  made_must (fl_store_add_slice (store, attempt, writer, sequence, (int) fl_batch_kind (batch), bytes->data,
                                 bytes->len, NULL, &error),
             &error);
}
