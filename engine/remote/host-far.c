#include "engine/remote/host-far.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/far-run.h"
#include "engine/remote/sftp-files.h"

typedef struct
{
  GMutex mutex;
  FlLink *link;
} Far;

/* A reference to the link that is up, or NULL with an error. */
static FlLink *
far_link (FlHost *host, GError **error)
{
  Far *far = host->self;
  g_mutex_lock (&far->mutex);
  FlLink *link = far->link != NULL && !fl_link_is_over (far->link) ? fl_link_ref (far->link) : NULL;
  g_mutex_unlock (&far->mutex);
  if (link == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: not connected", host->name);
  return link;
}

void
fl_host_far_set_link (FlHost *host, FlLink *link)
{
  Far *far = host->self;
  g_mutex_lock (&far->mutex);
  FlLink *before = far->link;
  far->link = link != NULL ? fl_link_ref (link) : NULL;
  g_mutex_unlock (&far->mutex);
  if (before != NULL)
    fl_link_unref (before);
}

/* --- commands --- */

static gboolean
far_run (FlHost *host, const char *const *argv, GBytes *input, guint timeout_s, GCancellable *cancellable,
         FlHostOutput *output, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  return link != NULL && fl_far_run (link, argv, input, timeout_s, cancellable, output, error);
}

static int
far_open (FlHost *host, const char *const *argv, FlHostLine errors, gpointer data, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  return link != NULL ? fl_far_open (link, argv, errors, data, error) : -1;
}

/* --- files --- */

static GPtrArray *
far_list (FlHost *host, const char *folder, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  return link != NULL ? fl_sftp_list (fl_link_sftp (link), folder, error) : NULL;
}

static FlHostEntry *
far_stat (FlHost *host, const char *path, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  return link != NULL ? fl_sftp_stat (fl_link_sftp (link), path, error) : NULL;
}

static gboolean
far_read_parts (FlHost *host, FlHostPart *parts, guint n, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  return link != NULL && fl_sftp_read_parts (fl_link_sftp (link), parts, n, error);
}

typedef struct
{
  const guint8 *data;
  gsize left;
} Memory;

static gssize
from_memory (guint8 *data, gsize most, gpointer user_data, GError **error)
{
  (void) error;
  Memory *memory = user_data;
  gsize n = MIN (most, memory->left);
  if (n > 0)
    memcpy (data, memory->data, n);
  memory->data += n;
  memory->left -= n;
  return (gssize) n;
}

static gboolean
far_write (FlHost *host, const char *path, gconstpointer data, gsize length, guint32 mode, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  Memory memory = { data, length };
  return link != NULL
         && fl_sftp_write (fl_link_sftp (link), path, mode, from_memory, &memory, length, NULL, NULL, error);
}

typedef struct
{
  int fd;
  const char *path;
  GCancellable *cancellable;
} LocalFile;

static gssize
from_file (guint8 *data, gsize most, gpointer user_data, GError **error)
{
  LocalFile *file = user_data;
  if (g_cancellable_is_cancelled (file->cancellable))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "%s: cancelled", file->path);
      return -1;
    }
  ssize_t n;
  do
    n = read (file->fd, data, most);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", file->path, g_strerror (errno));
  return n;
}

static gboolean
far_put (FlHost *host, const char *local_path, const char *path, guint32 mode, GCancellable *cancellable,
         FlHostProgress progress, gpointer data, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  if (link == NULL)
    return FALSE;
  LocalFile file = { .fd = open (local_path, O_RDONLY | O_CLOEXEC),
                     .path = local_path,
                     .cancellable = cancellable };
  struct stat status;
  gboolean ok = file.fd >= 0 && fstat (file.fd, &status) == 0;
  if (!ok)
    g_set_error (error, FL_ERROR, errno == ENOENT ? FL_ERROR_MISSING : FL_ERROR_INPUT, "%s: %s", local_path,
                 g_strerror (errno));
  else
    ok = fl_sftp_write (fl_link_sftp (link), path, mode, from_file, &file, (guint64) status.st_size, progress,
                        data, error);
  if (file.fd >= 0)
    close (file.fd);
  return ok;
}

static gboolean
far_make_folder (FlHost *host, const char *path, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  return link != NULL && fl_sftp_make_folder (fl_link_sftp (link), path, error);
}

static gboolean
far_remove (FlHost *host, const char *path, GError **error)
{
  g_autoptr (FlLink) link = far_link (host, error);
  return link != NULL && fl_sftp_remove (fl_link_sftp (link), path, error);
}

static void
far_finalize (FlHost *host)
{
  Far *far = host->self;
  fl_host_far_set_link (host, NULL);
  g_mutex_clear (&far->mutex);
  g_free (far);
}

FlHost *
fl_host_far_new (const char *name)
{
  static const FlHostClass far_class = { .run = far_run,
                                         .open = far_open,
                                         .list = far_list,
                                         .stat = far_stat,
                                         .read_parts = far_read_parts,
                                         .write = far_write,
                                         .put = far_put,
                                         .make_folder = far_make_folder,
                                         .remove = far_remove,
                                         .finalize = far_finalize };
  Far *far = g_new0 (Far, 1);
  g_mutex_init (&far->mutex);
  return fl_host_new (&far_class, name, far);
}
