/* This machine as a host. */
#include "engine/remote/host-local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/base/write-all.h"
#include "engine/remote/host-private.h"

#define COPY_BYTES (1u << 20)

/* FALSE, always. */
static gboolean
fail (GError **error, const char *path, const char *what)
{
  int problem = errno;
  FlError code = FL_ERROR_FAILED;
  if (problem == ENOENT || problem == ENOTDIR)
    code = FL_ERROR_MISSING;
  else if (problem == EACCES || problem == EPERM || problem == EROFS || problem == EISDIR || problem == EEXIST
           || problem == EINVAL || problem == ENAMETOOLONG || problem == ELOOP)
    code = FL_ERROR_INPUT;
  g_set_error (error, FL_ERROR, code, "%s: %s: %s", path, what, g_strerror (problem));
  return FALSE;
}

static FlHostEntry *
entry_new (const char *name, const struct stat *about)
{
  FlHostEntry entry = { .name = g_strdup (name),
                        .size = (guint64) about->st_size,
                        .modified =
                            (guint64) about->st_mtim.tv_sec * FL_NS_PER_S + (guint64) about->st_mtim.tv_nsec,
                        .mode = about->st_mode };
  return g_memdup2 (&entry, sizeof entry);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(FlHostEntry *const *) a)->name, (*(FlHostEntry *const *) b)->name);
}

static GPtrArray *
local_list (FlHost *host, const char *folder, GError **error)
{
  (void) host;
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  GDir *dir = fd >= 0 ? g_dir_open (folder, 0, NULL) : NULL;
  if (dir == NULL)
    {
      fail (error, folder, "cannot be read");
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_host_entry_free);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      struct stat about;
      if (fstatat (fd, name, &about, 0) == 0 || fstatat (fd, name, &about, AT_SYMLINK_NOFOLLOW) == 0)
        g_ptr_array_add (entries, entry_new (name, &about));
    }
  g_dir_close (dir);
  close (fd);
  g_ptr_array_sort (entries, compare_names);
  return entries;
}

static FlHostEntry *
local_stat (FlHost *host, const char *path, GError **error)
{
  (void) host;
  struct stat about;
  if (stat (path, &about) != 0)
    {
      fail (error, path, "cannot be read");
      return NULL;
    }
  g_autofree char *name = g_path_get_basename (path);
  return entry_new (name, &about);
}

static void
read_part (FlHostPart *part)
{
  /* Not held up by a pipe that nobody writes. */
  int fd = open (part->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat about;
  if (fd < 0 || fstat (fd, &about) != 0)
    fail (&part->error, part->path, "cannot be read");
  else if (!S_ISREG (about.st_mode))
    g_set_error (&part->error, FL_ERROR, FL_ERROR_INPUT, "%s: is no file", part->path);
  else
    {
      gint64 from = part->offset >= 0 ? part->offset : MAX (about.st_size + part->offset, 0);
      gsize most = (gsize) CLAMP (about.st_size - from, 0, (gint64) MIN (part->most, (gsize) G_MAXINT64)),
            done = 0;
      char *bytes = g_malloc (most + 1);
      ssize_t got = 0;
      while (done < most
             && ((got = pread (fd, bytes + done, most - done, from + (gint64) done)) > 0
                 || (got < 0 && errno == EINTR)))
        done += (gsize) MAX (got, 0);
      part->size = (guint64) about.st_size;
      if (got < 0)
        {
          fail (&part->error, part->path, "cannot be read");
          g_free (bytes);
        }
      else
        part->bytes = g_bytes_new_take (bytes, done);
    }
  if (fd >= 0)
    close (fd);
}

static gboolean
local_read_parts (FlHost *host, FlHostPart *parts, guint n, GError **error)
{
  (void) host;
  (void) error;
  for (guint i = 0; i < n; i++)
    {
      parts[i].bytes = NULL;
      parts[i].error = NULL;
      parts[i].size = 0;
      read_part (&parts[i]);
    }
  return TRUE;
}

/* --- writing --- */

/* Beside `path`; *name is freed by settle(). */
static int
open_beside (const char *path, char **name, GError **error)
{
  *name = g_strdup_printf ("%s.new-XXXXXX", path);
  int fd = g_mkstemp_full (*name, O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      fail (error, path, "cannot be written");
      g_clear_pointer (name, g_free);
    }
  return fd;
}

/* Gives the new file its name, or takes it away. */
static gboolean
settle (gboolean ok, int fd, char *name, const char *path, guint32 mode, GError **error)
{
  ok = ok && fchmod (fd, mode) == 0;
  int problem = errno;
  if (close (fd) != 0 && ok)
    {
      ok = FALSE;
      problem = errno;
    }
  if (ok && rename (name, path) != 0)
    {
      ok = FALSE;
      problem = errno;
    }
  if (!ok)
    {
      unlink (name);
      errno = problem;
      if (error != NULL && *error == NULL)
        fail (error, path, "cannot be written");
    }
  g_free (name);
  return ok;
}

static gboolean
local_write (FlHost *host, const char *path, gconstpointer data, gsize length, guint32 mode, GError **error)
{
  (void) host;
  char *name;
  int fd = open_beside (path, &name, error);
  return fd >= 0 && settle (fl_write_all (fd, data, length), fd, name, path, mode, error);
}

static gboolean
copy (int from, int to, guint64 whole, GCancellable *cancellable, FlHostProgress progress, gpointer data,
      GError **error)
{
  g_autofree char *bytes = g_malloc (COPY_BYTES);
  guint64 done = 0;
  for (;;)
    {
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "copying was cancelled");
          return FALSE;
        }
      ssize_t got = read (from, bytes, COPY_BYTES);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return got == 0;
      if (!fl_write_all (to, bytes, (gsize) got))
        return FALSE;
      done += (guint64) got;
      if (progress != NULL)
        progress (done, whole, data);
    }
}

static gboolean
local_put (FlHost *host, const char *local_path, const char *path, guint32 mode, GCancellable *cancellable,
           FlHostProgress progress, gpointer data, GError **error)
{
  (void) host;
  struct stat about;
  int from = open (local_path, O_RDONLY | O_CLOEXEC);
  if (from < 0 || fstat (from, &about) != 0)
    {
      fail (error, local_path, "cannot be read");
      if (from >= 0)
        close (from);
      return FALSE;
    }
  char *name;
  int to = open_beside (path, &name, error);
  GError *problem = NULL;
  gboolean ok = to >= 0
                && settle (copy (from, to, (guint64) about.st_size, cancellable, progress, data, &problem),
                           to, name, path, mode, &problem);
  if (problem != NULL)
    g_propagate_error (error, problem);
  close (from);
  return ok;
}

static gboolean
local_make_folder (FlHost *host, const char *path, GError **error)
{
  (void) host;
  return g_mkdir_with_parents (path, 0777) == 0 || fail (error, path, "cannot be made");
}

static gboolean
local_remove (FlHost *host, const char *path, GError **error)
{
  (void) host;
  return unlink (path) == 0 || errno == ENOENT || fail (error, path, "cannot be removed");
}

static void
local_finalize (FlHost *host)
{
  (void) host;
}

FlHost *
fl_host_new_local (void)
{
  static const FlHostClass klass = { .run = fl_local_run,
                                     .open = fl_local_open,
                                     .list = local_list,
                                     .stat = local_stat,
                                     .read_parts = local_read_parts,
                                     .write = local_write,
                                     .put = local_put,
                                     .make_folder = local_make_folder,
                                     .remove = local_remove,
                                     .finalize = local_finalize };
  return fl_host_new (&klass, "this machine", NULL);
}
