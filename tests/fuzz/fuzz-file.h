/* fuzz-file.h: bytes as a file that never touches a disk. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct
{
  int fd;
  char path[32]; /* as long as it is open */
} FuzzFile;

static inline void
fuzz_file_close (FuzzFile *file)
{
  close (file->fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FuzzFile, fuzz_file_close)

/* `magic`, without which nothing is read, then the data. */
static inline FuzzFile
fuzz_file (gconstpointer magic, gsize length, gconstpointer data, gsize size)
{
  FuzzFile file = { .fd = memfd_create ("fuzz", MFD_CLOEXEC) };
  g_snprintf (file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
  if ((length > 0 && write (file.fd, magic, length) < 0) || (size > 0 && write (file.fd, data, size) < 0))
    g_error ("no room for a test file");
  return file;
}

/* The same with a name, in a folder of this process, where a reader asks for one; the path (g_free). */
static inline char *
fuzz_named (const char *name, gconstpointer magic, gsize length, gconstpointer data, gsize size)
{
  static char *folder;
  if (folder == NULL)
    folder = g_dir_make_tmp ("firstlight-fuzz-XXXXXX", NULL);
  char *path = g_build_filename (folder, name, NULL);
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if ((length > 0 && write (fd, magic, length) < 0) || (size > 0 && write (fd, data, size) < 0))
    g_error ("no room for a test file");
  close (fd);
  return path;
}

static inline int
fuzz_remove_one (const char *path, const struct stat *about G_GNUC_UNUSED, int kind G_GNUC_UNUSED,
                 struct FTW *where G_GNUC_UNUSED)
{
  return remove (path);
}

static inline void
fuzz_remove_tree (const char *path)
{
  nftw (path, fuzz_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* For who writes seeds: with FUZZ_TELL set, what is refused is said. */
static inline void
fuzz_tell (const GError *error)
{
  static int tell = -1;
  if (tell < 0)
    tell = g_getenv ("FUZZ_TELL") != NULL;
  if (tell == 1 && error != NULL)
    g_printerr ("refused: %s\n", error->message);
}

/* Where an error is set, it is one line, and begins with the file's name. */
static inline void
fuzz_error (gboolean ok, const GError *error, const char *path)
{
  g_assert_true (ok == (error == NULL));
  fuzz_tell (error);
  if (error != NULL)
    {
      g_assert_true (g_str_has_prefix (error->message, path));
      g_assert_null (strchr (error->message, '\n'));
    }
}
