/* Our own results in whole HDF5 files (fuzz-h5.h): segments and masters of shots, tables, files of patterns. */

#include "engine/results/segment.h"
#include "engine/results/table.h"
#include "engine/spi/pattern-file.h"
#include "tests/fuzz/fuzz-h5.h"

/* As who looks for a shot's results reads them. */
static void
read_tables (const char *path, const FlShotIndex *index)
{
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  for (guint i = 0; i < MIN (fl_batch_rows (index->shots), 10); i++)
    for (guint part = 0; part < FL_PART_LAST; part++)
      {
        FlBatch *rows = fl_table_read (file, fl_parts[part].table, fl_parts[part].kind, index->first[part][i],
                                       index->count[part][i], NULL);
        g_clear_pointer (&rows, fl_batch_free);
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
  g_autoptr (FlPatterns) patterns =
      fl_patterns_new (fl_pattern_pixels_new (fl_pattern_file_pixels (file)->n));
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
