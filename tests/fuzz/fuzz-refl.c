/* DIALS' reflection tables: a column is there only with all its bytes. */

#include <sys/mman.h>
#include <unistd.h>

#include "engine/results/refl-table.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  int fd = memfd_create ("refl", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  g_autoptr (FlReflTable) table = fl_refl_table_read (path, NULL);
  const guint8 *ids = table != NULL ? fl_refl_table_column (table, "id", "int") : NULL;
  guint sum = 0;
  for (guint64 i = 0; ids != NULL && i < 4 * fl_refl_table_rows (table); i++)
    sum += ids[i];
  close (fd);
  return sum > 0 && table == NULL;
}
