/* DIALS' reflection tables: a column is there only with all its bytes. */

#include "engine/results/refl-table.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlReflTable) table = fl_refl_table_read (file.path, &error);
  fuzz_error (table != NULL, error, file.path);
  const guint8 *ids = table != NULL ? fl_refl_table_column (table, "id", "int") : NULL;
  guint sum = 0;
  for (guint64 i = 0; ids != NULL && i < 4 * fl_refl_table_rows (table); i++)
    sum += ids[i];
  return sum > 0 && table == NULL;
}
