/* Tar files as archives: looked through, never unpacked. Sums of headers, which no fuzzer would guess, are made right. */

#include "engine/control/archive-private.h"
#include "tests/fuzz/fuzz-file.h"

#define BLOCK 512

static void
sum_up (guint8 *block)
{
  guint sum = 0;
  memset (block + 148, ' ', 8);
  for (guint i = 0; i < BLOCK; i++)
    sum += block[i];
  g_snprintf ((char *) block + 148, 8, "%06o", sum);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree guint8 *bytes = g_memdup2 (data, size);
  for (gsize at = 0; at + BLOCK <= size; at += BLOCK)
    if (memcmp (bytes + at + 257, "ustar", 5) == 0)
      sum_up (bytes + at);
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, bytes, size);
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
