/* Tar files as archives: looked through, and then unpacked. Sums of headers, which no fuzzer would guess, are made right. */

#include "engine/control/archive-private.h"
#include "tests/fuzz/fuzz-file.h"

#define BLOCK       512
#define MOST_UNPACK (1 << 20)

static void
sum_up (guint8 *block)
{
  guint sum = 0;
  memset (block + 148, ' ', 8);
  for (guint i = 0; i < BLOCK; i++)
    sum += block[i];
  g_snprintf ((char *) block + 148, 8, "%06o", sum);
}

/* The number of bytes; -1: refused. */
static gint64
take (const char *path, const char *to)
{
  g_auto (FlArchiveWork) work = { 0 };
  fl_archive_work_init (&work, "", 0, NULL, NULL);
  g_autoptr (GPtrArray) found = fl_archive_files_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *manifest = NULL;
  gsize length = 0;
  gboolean ok = fl_archive_tar_read (path, to, &work, found, &manifest, &length, &error);
  g_assert_true (ok == (error == NULL));
  fuzz_tell (error);
  gint64 bytes = 0;
  for (guint i = 0; ok && i < found->len; i++)
    {
      const FlArchiveFile *file = found->pdata[i];
      g_assert_true (fl_archive_path_is_safe (file->path));
      bytes += file->size;
      if (to != NULL)
        {
          g_autofree char *there = g_build_filename (to, file->path, NULL);
          g_assert_true (g_file_test (there, G_FILE_TEST_IS_REGULAR));
        }
    }
  return ok ? bytes : -1;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree guint8 *bytes = g_malloc (size + 1);
  memcpy (bytes, data, size);
  for (gsize at = 0; at + BLOCK <= size; at += BLOCK)
    if (memcmp (bytes + at + 257, "ustar", 5) == 0)
      sum_up (bytes + at);
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, bytes, size);
  gint64 inside = take (file.path, NULL);
  if (inside < 0 || inside > MOST_UNPACK)
    return 0;
  g_autofree char *to = g_strdup_printf ("%s/fuzz-%d-tar", g_get_tmp_dir (), (int) getpid ());
  take (file.path, to);
  fuzz_remove_tree (to);
  return 0;
}
