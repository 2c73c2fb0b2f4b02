/* A new file: written beside, under another name, and renamed when all of it is acknowledged. */
#include "engine/remote/sftp-files.h"

#include <string.h>

#include "engine/base/error.h"

#define MOST_AHEAD  64 /* writes under way: 2 MiB */
#define LEAST_AHEAD 4
/* An acknowledgement that takes longer than this means that bytes queue up, and that others wait behind them. */
#define SLOW (400 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  FlSftp *sftp;
  const char *path;
  char *beside;
  guint8 *handle;
  gsize handle_length;
  FlSftpCall calls[MOST_AHEAD];
  gsize lengths[MOST_AHEAD];
  guint first, under_way, ahead; /* a ring; how many may be under way */
  guint64 sent, acknowledged;
} Writing;

static gboolean
finish_call (FlSftp *sftp, FlSftpCall *call, const char *path, GError **error)
{
  gboolean ok = fl_sftp_wait (sftp, call, error)
                && fl_sftp_expect (sftp, call, FL_SFTP_STATUS, path, NULL, NULL, error);
  fl_sftp_call_clear (sftp, call);
  return ok;
}

static gboolean
open_beside (Writing *writing, guint32 mode, GError **error)
{
  FlSftpCall call = { 0 };
  FlSftpCursor cursor;
  GByteArray *packet = fl_sftp_packet_new (FL_SFTP_OPEN);
  fl_sftp_put_text (packet, writing->beside);
  fl_sftp_put_u32 (packet, 0x2 | 0x8 | 0x20); /* to write, to create, not one that is there */
  fl_sftp_put_u32 (packet, mode != 0 ? 4 : 0);
  if (mode != 0)
    fl_sftp_put_u32 (packet, mode & 0777);
  fl_sftp_send (writing->sftp, &call, packet);
  if (fl_sftp_wait (writing->sftp, &call, error)
      && fl_sftp_expect (writing->sftp, &call, FL_SFTP_HANDLE, writing->path, &cursor, NULL, error))
    {
      const guint8 *handle = fl_sftp_take_string (&cursor, &writing->handle_length);
      if (handle != NULL)
        writing->handle = g_memdup2 (handle, writing->handle_length);
      else
        fl_sftp_distrust (writing->sftp, writing->path, error);
    }
  fl_sftp_call_clear (writing->sftp, &call);
  return writing->handle != NULL;
}

static GByteArray *
about_handle (const Writing *writing, guint8 type)
{
  GByteArray *packet = fl_sftp_packet_new (type);
  fl_sftp_put_string (packet, writing->handle, writing->handle_length);
  return packet;
}

static gboolean
take_oldest (Writing *writing, GError **error)
{
  FlSftpCall *call = &writing->calls[writing->first];
  gint64 sent = call->sent;
  if (!finish_call (writing->sftp, call, writing->path, error))
    return FALSE;
  writing->acknowledged += writing->lengths[writing->first];
  writing->first = (writing->first + 1) % MOST_AHEAD;
  writing->under_way--;
  if (g_get_monotonic_time () - sent < SLOW)
    writing->ahead = MIN (writing->ahead + 1, MOST_AHEAD);
  else
    writing->ahead = MAX (writing->ahead - writing->ahead / 4, LEAST_AHEAD);
  return TRUE;
}

static void
send_chunk (Writing *writing, const guint8 *data, gsize length)
{
  guint k = (writing->first + writing->under_way) % MOST_AHEAD;
  GByteArray *packet = about_handle (writing, FL_SFTP_WRITE);
  fl_sftp_put_u64 (packet, writing->sent);
  fl_sftp_put_string (packet, data, length);
  fl_sftp_send (writing->sftp, &writing->calls[k], packet);
  writing->lengths[k] = length;
  writing->under_way++;
  writing->sent += length;
}

static gboolean
write_all (Writing *writing, FlSftpSource source, gpointer source_data, guint64 whole,
           FlHostProgress progress, gpointer data, GError **error)
{
  g_autofree guint8 *chunk = g_malloc (FL_SFTP_CHUNK);
  gboolean ok = TRUE, more = TRUE;
  while (ok && (more || writing->under_way > 0))
    {
      if (more && writing->under_way < writing->ahead)
        {
          gssize length = source (chunk, FL_SFTP_CHUNK, source_data, error);
          ok = length >= 0;
          more = length > 0;
          if (more)
            send_chunk (writing, chunk, (gsize) length);
          continue;
        }
      ok = take_oldest (writing, error);
      if (ok && progress != NULL)
        progress (writing->acknowledged, whole, data);
    }
  for (guint i = 0; i < MOST_AHEAD; i++)
    fl_sftp_call_clear (writing->sftp, &writing->calls[i]);
  return ok;
}

/* Its permissions, on to the disk, closed. */
static gboolean
settle (Writing *writing, guint32 mode, GError **error)
{
  FlSftp *sftp = writing->sftp;
  FlSftpCall permissions = { 0 }, sync = { 0 }, closing = { 0 };
  gboolean ok = TRUE;
  if (mode != 0)
    {
      GByteArray *packet = about_handle (writing, FL_SFTP_FSETSTAT);
      fl_sftp_put_u32 (packet, 4);
      fl_sftp_put_u32 (packet, mode & 07777);
      fl_sftp_send (sftp, &permissions, packet);
    }
  if (fl_sftp_has_sync (sftp))
    {
      GByteArray *packet = fl_sftp_packet_new (FL_SFTP_EXTENDED);
      fl_sftp_put_text (packet, "fsync@openssh.com");
      fl_sftp_put_string (packet, writing->handle, writing->handle_length);
      fl_sftp_send (sftp, &sync, packet);
    }
  fl_sftp_send (sftp, &closing, about_handle (writing, FL_SFTP_CLOSE));
  g_clear_pointer (&writing->handle, g_free);
  if (mode != 0)
    ok = finish_call (sftp, &permissions, writing->path, error);
  if (sync.id != 0 && ok)
    ok = finish_call (sftp, &sync, writing->path, error);
  if (ok)
    ok = finish_call (sftp, &closing, writing->path, error);
  fl_sftp_call_clear (sftp, &sync);
  fl_sftp_call_clear (sftp, &closing);
  return ok;
}

static gboolean
rename_over (Writing *writing, GError **error)
{
  FlSftp *sftp = writing->sftp;
  FlSftpCall call = { 0 };
  GByteArray *packet = fl_sftp_packet_new (fl_sftp_has_rename (sftp) ? FL_SFTP_EXTENDED : FL_SFTP_RENAME);
  if (fl_sftp_has_rename (sftp))
    fl_sftp_put_text (packet, "posix-rename@openssh.com");
  else if (!fl_sftp_remove (sftp, writing->path, error)) /* version 3 itself cannot replace */
    {
      g_byte_array_unref (packet);
      return FALSE;
    }
  fl_sftp_put_text (packet, writing->beside);
  fl_sftp_put_text (packet, writing->path);
  fl_sftp_send (sftp, &call, packet);
  return finish_call (sftp, &call, writing->path, error);
}

gboolean
fl_sftp_write (FlSftp *sftp, const char *path, guint32 mode, FlSftpSource source, gpointer source_data,
               guint64 whole, FlHostProgress progress, gpointer data, GError **error)
{
  Writing writing = { .sftp = sftp, .path = path, .ahead = MOST_AHEAD / 2 };
  writing.beside = g_strdup_printf ("%s.part-%08x", path, g_random_int ());
  gboolean ok = open_beside (&writing, mode, error);
  if (ok)
    {
      ok = write_all (&writing, source, source_data, whole, progress, data, error)
           && settle (&writing, mode, error) && rename_over (&writing, error);
      if (writing.handle != NULL)
        fl_sftp_send (sftp, NULL, about_handle (&writing, FL_SFTP_CLOSE));
      if (!ok)
        fl_sftp_remove (sftp, writing.beside, NULL);
    }
  g_free (writing.handle);
  g_free (writing.beside);
  return ok;
}
