/* Bytes of archives: read, summed up, copied, in several threads. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/write-all.h"
#include "engine/control/archive-private.h"

#define PIECE        (1u << 20) /* bytes */
#define MOST_THREADS 8u
#define TELL_US      (G_USEC_PER_SEC / 2)

/* --- threads --- */

void
fl_archive_work_init (FlArchiveWork *work, const char *what, gint64 all, FlArchiveFunc func, gpointer data)
{
  *work = (FlArchiveWork){ .what = what, .all = all, .func = func, .data = data };
  g_mutex_init (&work->lock);
  g_cond_init (&work->ended);
}

void
fl_archive_work_clear (FlArchiveWork *work)
{
  g_mutex_clear (&work->lock);
  g_cond_clear (&work->ended);
}

void
fl_archive_work_add (FlArchiveWork *work, gint64 bytes)
{
  g_mutex_lock (&work->lock);
  work->done += bytes;
  g_mutex_unlock (&work->lock);
}

typedef struct
{
  FlArchiveWork *work;
  GFunc func;
  gpointer data;
} Each;

static void
run_one (gpointer item, gpointer data)
{
  Each *each = data;
  each->func (item, each->data);
  g_mutex_lock (&each->work->lock);
  each->work->waiting--;
  g_cond_signal (&each->work->ended);
  g_mutex_unlock (&each->work->lock);
}

void
fl_archive_work_each (FlArchiveWork *work, GPtrArray *items, GFunc func, gpointer data)
{
  Each each = { work, func, data };
  GThreadPool *pool =
      g_thread_pool_new (run_one, &each, (int) MIN (g_get_num_processors (), MOST_THREADS), FALSE, NULL);
  g_mutex_lock (&work->lock);
  work->waiting = items->len;
  for (guint i = 0; i < items->len; i++)
    g_thread_pool_push (pool, items->pdata[i], NULL);
  for (gint64 due = g_get_monotonic_time () + TELL_US; work->waiting > 0;)
    if (!g_cond_wait_until (&work->ended, &work->lock, due))
      {
        gint64 done = work->done;
        g_mutex_unlock (&work->lock);
        if (work->func != NULL)
          work->func (work->what, done, work->all, work->data);
        g_mutex_lock (&work->lock);
        due = g_get_monotonic_time () + TELL_US;
      }
  g_mutex_unlock (&work->lock);
  g_thread_pool_free (pool, FALSE, TRUE);
}

/* --- a file --- */

static gboolean
fail (GError **error, const char *path, int number)
{
  FlError code = number == ENOENT                                            ? FL_ERROR_MISSING
                 : number == ENOTDIR || number == EEXIST || number == EISDIR ? FL_ERROR_INPUT
                                                                             : FL_ERROR_FAILED;
  g_set_error (error, FL_ERROR, code, "%s: %s", path, g_strerror (number));
  return FALSE;
}

gboolean
fl_archive_make_parent (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  return g_mkdir_with_parents (folder, 0777) == 0 || fail (error, folder, errno);
}

/* To its end; `to` < 0: no copy. */
static gboolean
pour (FlArchiveWork *work, int from, const char *source, int to, const char *path, GChecksum *sum,
      gint64 *size, GError **error)
{
  g_autofree guchar *piece = g_malloc (PIECE);
  for (;;)
    {
      ssize_t n = read (from, piece, PIECE);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail (error, source, errno);
      if (n == 0)
        return TRUE;
      g_checksum_update (sum, piece, n);
      if (to >= 0 && !fl_write_all (to, piece, (gsize) n))
        return fail (error, path, errno);
      *size += n;
      fl_archive_work_add (work, n);
    }
}

/* Where the file system can, the copy shares the blocks until either is changed: then the copy is what is summed up. */
static gboolean
copy (FlArchiveWork *work, int from, const char *source, const char *path, GChecksum *sum, gint64 *size,
      GError **error)
{
  struct stat about;
  if (!fl_archive_make_parent (path, error))
    return FALSE;
  int to = open (path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (to < 0)
    return fail (error, path, errno);
  gboolean shared = ioctl (to, FICLONE, from) == 0;
  gboolean ok = shared ? pour (work, to, path, -1, NULL, sum, size, error)
                       : pour (work, from, source, to, path, sum, size, error);
  if (ok && fstat (from, &about) == 0)
    {
      const struct timespec times[2] = { about.st_mtim, about.st_mtim };
      futimens (to, times);
      fchmod (to, (about.st_mode & 0777) | S_IRUSR | S_IWUSR);
    }
  if (close (to) != 0 && ok)
    return fail (error, path, errno);
  return ok;
}

gboolean
fl_archive_take_file (FlArchiveWork *work, const char *source, const char *to, char sha256[65], gint64 *size,
                      GError **error)
{
  struct stat about;
  int from =
      open (source, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe that came in its place is not waited for */
  if (from < 0)
    return fail (error, source, errno);
  if (fstat (from, &about) != 0 || !S_ISREG (about.st_mode))
    {
      close (from);
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is no plain file", source);
      return FALSE;
    }
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  *size = 0;
  gboolean ok = to != NULL ? copy (work, from, source, to, sum, size, error)
                           : pour (work, from, source, -1, NULL, sum, size, error);
  close (from);
  g_strlcpy (sha256, g_checksum_get_string (sum), 65);
  return ok;
}
