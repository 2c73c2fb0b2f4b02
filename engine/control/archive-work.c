/* Where an archive is made until it is whole: a folder beside it, locked, removed by whoever comes next. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/control/archive-private.h"

#define SUFFIX ".partial"
#define ROOM   (16 << 20) /* bytes that are left free at least */

static gboolean
fail (GError **error, const char *path, int number)
{
  g_set_error (error, FL_ERROR, number == ENOENT ? FL_ERROR_MISSING : FL_ERROR_FAILED, "%s: %s", path,
               g_strerror (number));
  return FALSE;
}

static int
remove_one (const char *path, const struct stat *about G_GNUC_UNUSED, int kind G_GNUC_UNUSED,
            struct FTW *where G_GNUC_UNUSED)
{
  return remove (path);
}

/* Only what this file has made: anything else in the way is somebody's. */
static gboolean
remove_old (const char *folder, GError **error)
{
  static const char *const ours[] = { "tree", "archive.tar", NULL };
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  for (const char *name = dir != NULL ? g_dir_read_name (dir) : NULL; name != NULL;
       name = g_dir_read_name (dir))
    if (!g_strv_contains (ours, name))
      {
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is in the way, and holds other things (%s)",
                     folder, name);
        return FALSE;
      }
  for (guint i = 0; ours[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (folder, ours[i], NULL);
      if (nftw (path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return fail (error, path, errno);
    }
  return TRUE;
}

static gboolean
lock (FlArchivePlace *place, GError **error)
{
  if (g_mkdir (place->folder, 0777) != 0 && errno != EEXIST)
    return fail (error, place->folder, errno);
  place->lock = open (place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (place->lock < 0)
    return fail (error, place->folder, errno);
  if (flock (place->lock, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno != EWOULDBLOCK)
    return fail (error, place->folder, errno);
  g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: somebody is making this archive now", place->to);
  close (place->lock);
  place->lock = -1;
  return FALSE;
}

FlArchivePlace *
fl_archive_place_begin (const char *to, GError **error)
{
  g_autoptr (FlArchivePlace) place = g_new0 (FlArchivePlace, 1);
  place->lock = -1;
  place->to = g_canonicalize_filename (to, NULL);
  place->folder = g_strconcat (place->to, SUFFIX, NULL);
  struct stat about;
  if (lstat (place->to, &about) == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is there already, expected a new name", place->to);
      return NULL;
    }
  if (!lock (place, error))
    return NULL;
  if (remove_old (place->folder, error))
    return g_steal_pointer (&place);
  close (place->lock); /* not ours: stays */
  place->lock = -1;
  return NULL;
}

gboolean
fl_archive_place_finish (FlArchivePlace *place, const char *made, GError **error)
{
  g_autofree char *from = g_build_filename (place->folder, made, NULL);
  if (syncfs (place->lock) != 0)
    return fail (error, place->folder, errno);
  /* Some file systems cannot refuse to replace. */
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, place->to, RENAME_NOREPLACE) != 0
      && (errno != EINVAL || g_access (place->to, F_OK) == 0 || g_rename (from, place->to) != 0))
    return fail (error, place->to, errno);
  g_autofree char *parent = g_path_get_dirname (place->to);
  int fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0)
    {
      fsync (fd);
      close (fd);
    }
  return TRUE;
}

void
fl_archive_place_end (FlArchivePlace *place)
{
  if (place == NULL)
    return;
  if (place->lock >= 0)
    {
      remove_old (place->folder, NULL);
      g_rmdir (place->folder);
      close (place->lock);
    }
  g_free (place->to);
  g_free (place->folder);
  g_free (place);
}

gboolean
fl_archive_has_room (const char *folder, gint64 bytes, GError **error)
{
  struct statvfs about;
  if (statvfs (folder, &about) != 0)
    return fail (error, folder, errno);
  gint64 room = (gint64) about.f_bavail * (gint64) about.f_frsize;
  if (bytes + ROOM <= room)
    return TRUE;
  g_autofree char *wanted = g_format_size ((guint64) bytes), *have = g_format_size ((guint64) room);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s are needed, %s are free", folder, wanted, have);
  return FALSE;
}
