/* Our own results in whole HDF5 files (fuzz-h5.h): segments and masters of shots, tables, files of patterns. */

#include "engine/results/segment.h"
#include "engine/results/table.h"
#include "engine/spi/pattern-file.h"
#include "tests/fuzz/fuzz-h5.h"

static void
read_tables (const char *path, const FlShotIndex *index)
{
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  for (guint part = 0; part < FL_PART_LAST; part++)
    {
      g_autoptr (FlBatch) rows = fl_table_read (file, fl_parts[part].table, fl_parts[part].kind, 0,
                                                MIN (index->rows[part], 1000), NULL);
      for (guint i = 0; i < fl_batch_rows (index->shots); i++)
        g_assert_true (index->first[part][i] <= index->rows[part]
                       && index->count[part][i] <= index->rows[part] - index->first[part][i]);
    }
  H5Fclose (file);
}

static void
read_patterns (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlPatternFile) file = fl_pattern_file_open (path, &error);
  fuzz_error (file != NULL, error, path);
  if (file == NULL)
    return;
  g_autoptr (FlPatterns) patterns = fl_patterns_new (fl_pattern_file_pixels (file)->n);
  fl_pattern_file_read (file, 0, MIN (fl_pattern_file_n (file), 100), 0, patterns, NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = fuzz_h5_write (data, size);
  g_autoptr (GError) error = NULL;
  g_auto (FlShotIndex) index = { 0 };
  gboolean ok = fl_segment_read_index (path, &index, &error);
  fuzz_error (ok, error, path);
  if (ok)
    read_tables (path, &index);
  if (fl_pattern_file_is_one (path))
    read_patterns (path);
  return 0;
}
