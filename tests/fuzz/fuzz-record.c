/* Records as edits keep them: what is read is written as lines that mean the same. The first byte is the table. */

#include "engine/store/fields.h"
#include "engine/store/store-private.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  FlTable table = data[0] % FL_TABLE_LAST;
  g_autofree char *lines = g_strndup ((const char *) data + 1, size - 1);
  gpointer record = fl_record_of_lines (table, lines);
  if (record == NULL)
    return 0;
  g_autofree char *first = fl_record_lines (table, record);
  gpointer again = fl_record_of_lines (table, first);
  g_assert_nonnull (again);
  g_autofree char *second = fl_record_lines (table, again);
  g_assert_cmpstr (first, ==, second);
  fl_record_free (table, record);
  fl_record_free (table, again);
  return 0;
}
