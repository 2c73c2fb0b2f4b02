/* Archives as tar files: pax, members sorted, without owners, so that the same archive gives the same bytes. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/base/write-all.h"
#include "engine/control/archive-private.h"

#define PIECE         (1u << 20) /* bytes */
#define MOST_MANIFEST (256u << 20)
#define MOST_HOLES    1024 /* times the tar file's length: a member with holes may be so long */

/* --- writing --- */

struct FlArchiveTar
{
  struct archive *out;
  char *path, *name;
  int fd;
};

static gboolean
tar_fail (GError **error, const char *path, struct archive *tar)
{
  const char *why = archive_error_string (tar);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", path, why != NULL ? why : "cannot be written");
  return FALSE;
}

FlArchiveTar *
fl_archive_tar_new (const char *path, const char *name, gboolean odd_names, GError **error)
{
  g_autoptr (FlArchiveTar) tar = g_new0 (FlArchiveTar, 1);
  tar->path = g_strdup (path);
  tar->name = g_strdup (name);
  tar->fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (tar->fd < 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", path, g_strerror (errno));
      return NULL;
    }
  tar->out = archive_write_new ();
  archive_write_set_format_pax_restricted (tar->out);
  /* Names are bytes, whatever the locale; where all are ASCII no reader need hear of it. */
  if (odd_names)
    archive_write_set_option (tar->out, NULL, "hdrcharset", "BINARY");
  archive_write_set_bytes_in_last_block (tar->out, 1);
  if (archive_write_open_fd (tar->out, tar->fd) == ARCHIVE_OK)
    return g_steal_pointer (&tar);
  tar_fail (error, path, tar->out);
  return NULL;
}

void
fl_archive_tar_free (FlArchiveTar *tar)
{
  if (tar == NULL)
    return;
  if (tar->out != NULL)
    archive_write_free (tar->out);
  if (tar->fd >= 0)
    close (tar->fd);
  g_free (tar->path);
  g_free (tar->name);
  g_free (tar);
}

gboolean
fl_archive_tar_close (FlArchiveTar *tar, GError **error)
{
  return archive_write_close (tar->out) == ARCHIVE_OK || tar_fail (error, tar->path, tar->out);
}

static gboolean
begin_member (FlArchiveTar *tar, const char *path, gint64 size, mode_t mode, const struct timespec *time,
              GError **error)
{
  g_autofree char *name = g_build_filename (tar->name, path, NULL);
  struct archive_entry *entry = archive_entry_new ();
  archive_entry_set_pathname (entry, name);
  archive_entry_set_size (entry, size);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, mode);
  archive_entry_set_mtime (entry, time->tv_sec, 0);
  int code = archive_write_header (tar->out, entry);
  archive_entry_free (entry);
  return code >= ARCHIVE_WARN || tar_fail (error, tar->path, tar->out);
}

static gboolean
write_piece (FlArchiveTar *tar, gconstpointer data, gsize length, GError **error)
{
  return archive_write_data (tar->out, data, length) == (la_ssize_t) length
         || tar_fail (error, tar->path, tar->out);
}

gboolean
fl_archive_tar_add_text (FlArchiveTar *tar, const char *path, const char *text, gsize length, guint64 made,
                         GError **error)
{
  const struct timespec time = { .tv_sec = (time_t) (made / FL_NS_PER_S) };
  return begin_member (tar, path, (gint64) length, 0644, &time, error)
         && write_piece (tar, text, length, error);
}

/* As many bytes as the file had when it was opened: what grows meanwhile (a log) is cut there. */
static gboolean
pour (FlArchiveTar *tar, FlArchiveWork *work, int fd, const char *source, gint64 size, GChecksum *sum,
      GError **error)
{
  g_autofree guchar *piece = g_malloc (PIECE);
  while (size > 0)
    {
      ssize_t n = read (fd, piece, (gsize) MIN (size, (gint64) PIECE));
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", source,
                       n < 0 ? g_strerror (errno) : "became shorter while it was read; try again");
          return FALSE;
        }
      g_checksum_update (sum, piece, n);
      if (!write_piece (tar, piece, (gsize) n, error))
        return FALSE;
      size -= n;
      fl_archive_work_add (work, n);
    }
  return TRUE;
}

gboolean
fl_archive_tar_add (FlArchiveTar *tar, FlArchiveWork *work, const char *source, const char *path,
                    char sha256[65], gint64 *size, GError **error)
{
  struct stat about;
  int fd = open (source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat (fd, &about) != 0 || !S_ISREG (about.st_mode))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s", source,
                   fd < 0 ? g_strerror (errno) : "is no plain file");
      if (fd >= 0)
        close (fd);
      return FALSE;
    }
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  *size = about.st_size;
  gboolean ok =
      begin_member (tar, path, *size, (about.st_mode & 0777) | S_IRUSR | S_IWUSR, &about.st_mtim, error)
      && pour (tar, work, fd, source, *size, sum, error);
  close (fd);
  g_strlcpy (sha256, g_checksum_get_string (sum), 65);
  return ok;
}

/* --- reading --- */

typedef struct
{
  const char *file, *to;
  gint64 length; /* of the tar file, bytes */
  struct archive *in;
  FlArchiveWork *work;
  char *top; /* the folder that all members are in */
  GHashTable *names;
  GPtrArray *found;
  char **manifest;
  gsize *manifest_length;
} Reading;

static gboolean
refuse (const Reading *reading, const char *name, const char *why, GError **error)
{
  g_autofree char *shown = g_strescape (name, NULL);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: '%.200s' %s", reading->file, shown, why);
  return FALSE;
}

/* A member's path without the folder that all are in; NULL: not that of an archive. */
static const char *
path_within (Reading *reading, const char *name)
{
  const char *slash = strchr (name, '/');
  if (slash == NULL || !fl_archive_path_is_safe (name))
    return NULL;
  if (reading->top == NULL)
    reading->top = g_strndup (name, (gsize) (slash - name));
  gsize length = strlen (reading->top);
  return strncmp (name, reading->top, length) == 0 && name[length] == '/' ? name + length + 1 : NULL;
}

static gboolean
take_data (Reading *reading, const char *path, int fd, GByteArray *kept, GError **error)
{
  g_autofree guchar *piece = g_malloc (PIECE);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gint64 size = 0;
  for (la_ssize_t n = archive_read_data (reading->in, piece, PIECE); n != 0;
       n = archive_read_data (reading->in, piece, PIECE))
    {
      if (n < 0)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", reading->file,
                       archive_error_string (reading->in));
          return FALSE;
        }
      g_checksum_update (sum, piece, n);
      if (fd >= 0 && !fl_write_all (fd, piece, (gsize) n))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", path, g_strerror (errno));
          return FALSE;
        }
      if (kept != NULL && kept->len + (gsize) n > MOST_MANIFEST)
        return refuse (reading, path, "is too long", error);
      if (kept != NULL)
        g_byte_array_append (kept, piece, (guint) n);
      size += n;
      fl_archive_work_add (reading->work, n);
    }
  fl_archive_files_add (reading->found, path, g_checksum_get_string (sum), size);
  return TRUE;
}

static gboolean
take_member (Reading *reading, struct archive_entry *entry, const char *path, GError **error)
{
  g_autofree char *to = reading->to != NULL ? g_build_filename (reading->to, path, NULL) : NULL;
  g_autoptr (GByteArray) kept = strcmp (path, FL_ARCHIVE_MANIFEST) == 0 ? g_byte_array_new () : NULL;
  int fd = -1;
  if (to != NULL)
    {
      if (!fl_archive_make_parent (to, error))
        return FALSE;
      fd = open (to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
      if (fd < 0)
        {
          gboolean theirs = errno == EEXIST || errno == EISDIR; /* a file where there is a folder */
          g_set_error (error, FL_ERROR, theirs ? FL_ERROR_INPUT : FL_ERROR_FAILED, "%s: %s", to,
                       g_strerror (errno));
          return FALSE;
        }
    }
  gboolean ok = take_data (reading, path, fd, kept, error);
  if (fd >= 0)
    {
      const struct timespec time = { archive_entry_mtime (entry), archive_entry_mtime_nsec (entry) };
      const struct timespec times[2] = { time, time };
      futimens (fd, times);
      fchmod (fd, (archive_entry_perm (entry) & 0755) | S_IRUSR | S_IWUSR);
      close (fd);
    }
  if (ok && kept != NULL)
    {
      *reading->manifest_length = kept->len;
      g_byte_array_append (kept, (const guint8 *) "", 1);
      *reading->manifest = (char *) g_byte_array_free (g_steal_pointer (&kept), FALSE);
    }
  return ok;
}

static gboolean
take_entry (Reading *reading, struct archive_entry *entry, GError **error)
{
  const char *name = archive_entry_pathname (entry);
  if (name == NULL)
    return refuse (reading, "", "a name that cannot be read", error);
  if (archive_entry_hardlink (entry) != NULL || archive_entry_symlink (entry) != NULL)
    return refuse (reading, name, "is a link; archives hold none", error);
  if (archive_entry_filetype (entry) == AE_IFDIR)
    return TRUE; /* made when something is in them */
  if (archive_entry_filetype (entry) != AE_IFREG)
    return refuse (reading, name, "is no plain file", error);
  const char *path = path_within (reading, name);
  if (path == NULL)
    return refuse (reading, name, "leads out of the archive's folder", error);
  if (!g_hash_table_add (reading->names, g_strdup (path)))
    return refuse (reading, name, "is in it twice", error);
  if (archive_entry_size (entry) / MOST_HOLES > reading->length)
    return refuse (reading, name, "claims to be longer than the whole could hold", error);
  return take_member (reading, entry, path, error);
}

static gboolean
read_all (Reading *reading, GError **error)
{
  struct archive_entry *entry;
  gint64 told = g_get_monotonic_time ();
  for (;;)
    {
      int code = archive_read_next_header (reading->in, &entry);
      if (code == ARCHIVE_EOF)
        return TRUE;
      if (code < ARCHIVE_WARN)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is damaged or no tar file (%s)", reading->file,
                       archive_error_string (reading->in));
          return FALSE;
        }
      if (!take_entry (reading, entry, error))
        return FALSE;
      gint64 now = g_get_monotonic_time ();
      if (reading->work->func != NULL && now - told > G_USEC_PER_SEC / 2)
        {
          told = now;
          reading->work->func (reading->work->what, reading->work->done, reading->work->all,
                               reading->work->data);
        }
    }
}

gboolean
fl_archive_tar_read (const char *path, const char *to, FlArchiveWork *work, GPtrArray *found, char **manifest,
                     gsize *length, GError **error)
{
  Reading reading = { .file = path,
                      .to = to,
                      .in = archive_read_new (),
                      .work = work,
                      .names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                      .found = found,
                      .manifest = manifest,
                      .manifest_length = length };
  *manifest = NULL;
  archive_read_support_format_tar (reading.in);
  archive_read_set_option (reading.in, NULL, "hdrcharset", "BINARY");
  struct stat about;
  reading.length = stat (path, &about) == 0 ? about.st_size : 0;
  gboolean ok = archive_read_open_filename (reading.in, path, PIECE) == ARCHIVE_OK;
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", path, archive_error_string (reading.in));
  ok = ok && read_all (&reading, error);
  archive_read_free (reading.in);
  g_hash_table_unref (reading.names);
  g_free (reading.top);
  return ok;
}
