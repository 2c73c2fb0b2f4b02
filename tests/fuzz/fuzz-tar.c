/* Tar files as archives: looked through, never unpacked. */

#include "engine/control/archive-private.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, data, size);
  g_auto (FlArchiveWork) work = { 0 };
  fl_archive_work_init (&work, "", 0, NULL, NULL);
  g_autoptr (GPtrArray) found = fl_archive_files_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *manifest = NULL;
  gsize length = 0;
  gboolean ok = fl_archive_tar_read (file.path, NULL, &work, found, &manifest, &length, &error);
  g_assert_true (ok == (error == NULL));
  for (guint i = 0; ok && i < found->len; i++)
    g_assert_true (fl_archive_path_is_safe (((FlArchiveFile *) found->pdata[i])->path));
  return 0;
}
