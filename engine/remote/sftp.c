#include "engine/remote/sftp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/harmless.h"

#define HELLO_S   20 /* for the first answer */
#define PATIENCE  (60 * G_USEC_PER_SEC)
#define VERSION_3 3

struct FlSftp
{
  int fd;
  gboolean has_rename, has_sync;
  GThread *reader;
  GMutex writing; /* one packet at a time */
  GMutex mutex;   /* the rest */
  GCond answered;
  GHashTable *calls; /* id → FlSftpCall, or NULL when nobody minds */
  guint32 last_id;
  gboolean shut;
  gint64 heard;
};

static gboolean
receive (int fd, void *data, gsize length)
{
  for (gsize n = 0; n < length;)
    {
      ssize_t got = recv (fd, (char *) data + n, length - n, 0);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return FALSE;
      n += (gsize) got;
    }
  return TRUE;
}

static gboolean
transmit (int fd, const void *data, gsize length)
{
  for (gsize n = 0; n < length;)
    {
      ssize_t put = send (fd, (const char *) data + n, length - n, MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR)
        continue;
      if (put <= 0)
        return FALSE;
      n += (gsize) put;
    }
  return TRUE;
}

/* One packet's body (type first); NULL: the stream has ended or is none of ours. */
static guint8 *
receive_packet (int fd, gsize *length)
{
  guint32 big;
  if (!receive (fd, &big, sizeof big))
    return NULL;
  *length = GUINT32_FROM_BE (big);
  if (*length < 5 || *length > FL_SFTP_MOST_PACKET)
    return NULL;
  guint8 *body = g_malloc (*length);
  if (!receive (fd, body, *length))
    g_clear_pointer (&body, g_free);
  return body;
}

/* --- answers --- */

/* FALSE: it answers nothing that was asked. */
static gboolean
deliver (FlSftp *sftp, guint8 *body, gsize length)
{
  FlSftpCursor cursor = { .p = body + 1, .end = body + length };
  guint32 id = fl_sftp_take_u32 (&cursor);
  gpointer value = NULL;
  g_mutex_lock (&sftp->mutex);
  gboolean known = g_hash_table_steal_extended (sftp->calls, GUINT_TO_POINTER (id), NULL, &value);
  FlSftpCall *call = value;
  if (call != NULL)
    {
      call->type = body[0];
      call->length = (gsize) (cursor.end - cursor.p);
      call->reply = g_memdup2 (cursor.p, call->length);
      call->done = TRUE;
    }
  sftp->heard = g_get_monotonic_time ();
  g_cond_broadcast (&sftp->answered);
  g_mutex_unlock (&sftp->mutex);
  return known;
}

static gpointer
read_answers (gpointer data)
{
  FlSftp *sftp = data;
  gsize length;
  guint8 *body;
  gboolean sound = TRUE;
  while (sound && (body = receive_packet (sftp->fd, &length)) != NULL)
    {
      sound = deliver (sftp, body, length);
      g_free (body);
    }
  fl_sftp_shut (sftp);
  return NULL;
}

/* --- requests --- */

void
fl_sftp_send (FlSftp *sftp, FlSftpCall *call, GByteArray *packet)
{
  g_mutex_lock (&sftp->mutex);
  gboolean shut = sftp->shut;
  guint32 id = 0;
  if (!shut)
    {
      do
        id = ++sftp->last_id;
      while (id == 0 || g_hash_table_contains (sftp->calls, GUINT_TO_POINTER (id)));
      g_hash_table_insert (sftp->calls, GUINT_TO_POINTER (id), call);
    }
  g_mutex_unlock (&sftp->mutex);
  if (call != NULL)
    *call = (FlSftpCall){ .id = id, .sent = g_get_monotonic_time () };
  if (!shut)
    {
      guint32 words[] = { GUINT32_TO_BE (packet->len - 4), GUINT32_TO_BE (id) };
      memcpy (packet->data, &words[0], 4);
      memcpy (packet->data + 5, &words[1], 4);
      g_mutex_lock (&sftp->writing);
      gboolean sent = transmit (sftp->fd, packet->data, packet->len);
      g_mutex_unlock (&sftp->writing);
      if (!sent)
        fl_sftp_shut (sftp);
    }
  g_byte_array_unref (packet);
}

gboolean
fl_sftp_wait (FlSftp *sftp, FlSftpCall *call, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  g_mutex_lock (&sftp->mutex);
  while (!call->done && !sftp->shut)
    if (!g_cond_wait_until (&sftp->answered, &sftp->mutex, deadline))
      break;
  gboolean done = call->done, shut = sftp->shut;
  g_mutex_unlock (&sftp->mutex);
  if (done)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s",
               shut ? "the connection is lost" : "the far machine does not answer questions about files");
  fl_sftp_shut (sftp); /* a late answer could open a file that nobody would close */
  return FALSE;
}

void
fl_sftp_call_clear (FlSftp *sftp, FlSftpCall *call)
{
  g_mutex_lock (&sftp->mutex);
  if (call->id != 0 && !call->done && g_hash_table_lookup (sftp->calls, GUINT_TO_POINTER (call->id)) == call)
    g_hash_table_insert (sftp->calls, GUINT_TO_POINTER (call->id), NULL);
  g_mutex_unlock (&sftp->mutex);
  g_free (call->reply);
  *call = (FlSftpCall){ 0 };
}

void
fl_sftp_distrust (FlSftp *sftp, const char *path, GError **error)
{
  fl_sftp_shut (sftp);
  g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: the far machine's answer is not of the file protocol",
               path);
}

static void
set_status (GError **error, const char *path, guint32 code, FlSftpCursor *cursor)
{
  gsize length;
  const guint8 *words = fl_sftp_take_string (cursor, &length);
  g_autofree char *message = fl_harmless (words != NULL ? (const char *) words : "", (gssize) length, 200);
  g_autofree char *shown = fl_harmless (path, -1, 400);
  g_set_error (error, FL_ERROR,
               code == FL_SFTP_NO_SUCH_FILE     ? FL_ERROR_MISSING
               : code == FL_SFTP_OP_UNSUPPORTED ? FL_ERROR_UNSUPPORTED
                                                : FL_ERROR_INPUT,
               "%s: %s", shown,
               code == FL_SFTP_NO_SUCH_FILE        ? "no such file"
               : code == FL_SFTP_PERMISSION_DENIED ? "permission denied"
               : message[0] != '\0'                ? message
                                                   : "refused");
}

gboolean
fl_sftp_expect (FlSftp *sftp, const FlSftpCall *call, guint8 type, const char *path, FlSftpCursor *cursor,
                guint32 *status, GError **error)
{
  FlSftpCursor place = { .p = call->reply, .end = call->reply + call->length };
  if (status != NULL)
    *status = FL_SFTP_OK;
  guint32 code = call->type == FL_SFTP_STATUS ? fl_sftp_take_u32 (&place) : FL_SFTP_OK;
  if (code != FL_SFTP_OK)
    {
      if (status != NULL)
        *status = code;
      set_status (error, path, code, &place);
      return FALSE;
    }
  if (call->type != type || place.bad)
    {
      fl_sftp_distrust (sftp, path, error);
      return FALSE;
    }
  if (cursor != NULL)
    *cursor = place;
  return TRUE;
}

/* --- a connection --- */

static gboolean
say_hello (FlSftp *sftp, GError **error)
{
  const guint8 hello[] = { 0, 0, 0, 5, FL_SFTP_INIT, 0, 0, 0, VERSION_3 };
  struct timeval patience = { .tv_sec = HELLO_S };
  gsize length = 0;
  setsockopt (sftp->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  g_autofree guint8 *body =
      transmit (sftp->fd, hello, sizeof hello) ? receive_packet (sftp->fd, &length) : NULL;
  patience.tv_sec = 0;
  setsockopt (sftp->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  FlSftpCursor cursor = { .p = body != NULL ? body + 1 : NULL, .end = body != NULL ? body + length : NULL };
  if (body == NULL || body[0] != FL_SFTP_VERSION || fl_sftp_take_u32 (&cursor) < VERSION_3)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "the far machine's file service (sftp) does not answer");
      return FALSE;
    }
  while (cursor.p < cursor.end && !cursor.bad)
    {
      gsize n, ignored;
      const char *name = (const char *) fl_sftp_take_string (&cursor, &n);
      fl_sftp_take_string (&cursor, &ignored);
      if (name != NULL && n == strlen ("posix-rename@openssh.com")
          && memcmp (name, "posix-rename@openssh.com", n) == 0)
        sftp->has_rename = TRUE;
      if (name != NULL && n == strlen ("fsync@openssh.com") && memcmp (name, "fsync@openssh.com", n) == 0)
        sftp->has_sync = TRUE;
    }
  return TRUE;
}

FlSftp *
fl_sftp_new (int fd, GError **error)
{
  FlSftp *sftp = g_new0 (FlSftp, 1);
  sftp->fd = fd;
  sftp->calls = g_hash_table_new (NULL, NULL);
  sftp->heard = g_get_monotonic_time ();
  g_mutex_init (&sftp->writing);
  g_mutex_init (&sftp->mutex);
  g_cond_init (&sftp->answered);
  if (say_hello (sftp, error))
    sftp->reader = g_thread_new ("fl-sftp", read_answers, sftp);
  else
    g_clear_pointer (&sftp, fl_sftp_free);
  return sftp;
}

void
fl_sftp_shut (FlSftp *sftp)
{
  g_mutex_lock (&sftp->mutex);
  sftp->shut = TRUE;
  shutdown (sftp->fd, SHUT_RDWR);
  g_cond_broadcast (&sftp->answered);
  g_mutex_unlock (&sftp->mutex);
}

void
fl_sftp_free (FlSftp *sftp)
{
  if (sftp == NULL)
    return;
  fl_sftp_shut (sftp);
  if (sftp->reader != NULL)
    g_thread_join (sftp->reader);
  close (sftp->fd);
  g_hash_table_unref (sftp->calls);
  g_mutex_clear (&sftp->writing);
  g_mutex_clear (&sftp->mutex);
  g_cond_clear (&sftp->answered);
  g_free (sftp);
}

gboolean
fl_sftp_is_shut (FlSftp *sftp)
{
  g_mutex_lock (&sftp->mutex);
  gboolean shut = sftp->shut;
  g_mutex_unlock (&sftp->mutex);
  return shut;
}

gboolean
fl_sftp_has_rename (FlSftp *sftp)
{
  return sftp->has_rename;
}

gboolean
fl_sftp_has_sync (FlSftp *sftp)
{
  return sftp->has_sync;
}

gint64
fl_sftp_heard (FlSftp *sftp)
{
  g_mutex_lock (&sftp->mutex);
  gint64 heard = sftp->heard;
  g_mutex_unlock (&sftp->mutex);
  return heard;
}
