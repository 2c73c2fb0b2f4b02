/* Parts of files: every file of a batch is opened and asked for its size in one round trip, every byte read in the next. */
#include "engine/remote/sftp-files.h"

#include <string.h>

#include "engine/base/error.h"

#define BATCH 256 /* files open at a time: a server may have 1024 */
#define AHEAD 128 /* reads under way: 4 MiB */

typedef struct
{
  FlHostPart *part;
  FlSftpCall open, stat;
  const guint8 *handle; /* in open's answer */
  gsize handle_length;
  guint64 from; /* of the file */
  guint8 *data;
  gsize end; /* bytes of data; less once the file turns out to end */
} Reading;

typedef struct
{
  Reading *reading;
  gsize at, length; /* of its data */
  FlSftpCall call;
} Chunk;

static void
send_open (FlSftp *sftp, Reading *reading)
{
  GByteArray *packet = fl_sftp_packet_new (FL_SFTP_OPEN);
  fl_sftp_put_text (packet, reading->part->path);
  fl_sftp_put_u32 (packet, 1); /* to read */
  fl_sftp_put_u32 (packet, 0); /* attributes: none */
  fl_sftp_send (sftp, &reading->open, packet);
  packet = fl_sftp_packet_new (FL_SFTP_STAT);
  fl_sftp_put_text (packet, reading->part->path);
  fl_sftp_send (sftp, &reading->stat, packet);
}

/* Its handle and what is to be read; the part's own error where there is none. FALSE: the connection is lost. */
static gboolean
take_open (FlSftp *sftp, Reading *reading, GError **error)
{
  FlHostPart *part = reading->part;
  FlSftpCursor opened, attributes_at;
  FlSftpAttributes attributes;
  if (!fl_sftp_wait (sftp, &reading->open, error) || !fl_sftp_wait (sftp, &reading->stat, error))
    return FALSE;
  if (!fl_sftp_expect (sftp, &reading->open, FL_SFTP_HANDLE, part->path, &opened, NULL, &part->error))
    return TRUE;
  reading->handle = fl_sftp_take_string (&opened, &reading->handle_length);
  if (reading->handle == NULL)
    {
      fl_sftp_distrust (sftp, part->path, error);
      return FALSE;
    }
  if (!fl_sftp_expect (sftp, &reading->stat, FL_SFTP_ATTRS, part->path, &attributes_at, NULL, &part->error))
    return TRUE;
  fl_sftp_take_attributes (&attributes_at, &attributes);
  part->size = attributes.size;
  guint64 back = part->offset < 0 ? (guint64) - (part->offset + 1) + 1 : 0;
  reading->from = part->offset >= 0 ? (guint64) part->offset : part->size > back ? part->size - back : 0;
  guint64 rest = part->size > reading->from ? part->size - reading->from : 0;
  reading->end = (gsize) MIN (rest, part->most);
  reading->data = g_try_malloc (MAX (reading->end, 1));
  if (reading->data == NULL)
    g_set_error (&part->error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: %" G_GSIZE_FORMAT " bytes are more than fit here", part->path, reading->end);
  return TRUE;
}

static void
send_chunk (FlSftp *sftp, Chunk *chunk)
{
  const Reading *reading = chunk->reading;
  GByteArray *packet = fl_sftp_packet_new (FL_SFTP_READ);
  fl_sftp_put_string (packet, reading->handle, reading->handle_length);
  fl_sftp_put_u64 (packet, reading->from + chunk->at);
  fl_sftp_put_u32 (packet, (guint32) chunk->length);
  fl_sftp_send (sftp, &chunk->call, packet);
}

/* One answer; what it lacks is asked for anew. FALSE: the connection is lost. */
static gboolean
take_chunk (FlSftp *sftp, Chunk *chunk, GError **error)
{
  Reading *reading = chunk->reading;
  FlHostPart *part = reading->part;
  while (chunk->length > 0)
    {
      FlSftpCursor cursor;
      guint32 status;
      gsize length;
      GError *problem = NULL;
      if (!fl_sftp_wait (sftp, &chunk->call, error))
        return FALSE;
      if (!fl_sftp_expect (sftp, &chunk->call, FL_SFTP_DATA, part->path, &cursor, &status, &problem))
        {
          if (status == FL_SFTP_EOF)
            reading->end = MIN (reading->end, chunk->at);
          else if (part->error == NULL)
            part->error = g_steal_pointer (&problem);
          g_clear_error (&problem);
          return TRUE;
        }
      const guint8 *bytes = fl_sftp_take_string (&cursor, &length);
      if (bytes == NULL || length == 0 || length > chunk->length)
        {
          fl_sftp_distrust (sftp, part->path, error);
          return FALSE;
        }
      memcpy (reading->data + chunk->at, bytes, length);
      chunk->at += length;
      chunk->length -= length;
      fl_sftp_call_clear (sftp, &chunk->call);
      if (chunk->length > 0)
        send_chunk (sftp, chunk);
    }
  return TRUE;
}

static gboolean
read_all (FlSftp *sftp, Reading *readings, guint n, GError **error)
{
  gboolean ok = TRUE;
  gsize n_chunks = 0, sent = 0;
  for (guint i = 0; i < n; i++)
    if (readings[i].part->error == NULL)
      n_chunks += (readings[i].end + FL_SFTP_CHUNK - 1) / FL_SFTP_CHUNK;
  Chunk *chunks = g_new0 (Chunk, n_chunks);
  gsize k = 0;
  for (guint i = 0; i < n; i++)
    for (gsize at = 0; readings[i].part->error == NULL && at < readings[i].end; at += FL_SFTP_CHUNK)
      chunks[k++] = (Chunk){ &readings[i], at, MIN (FL_SFTP_CHUNK, readings[i].end - at), { 0 } };
  for (gsize got = 0; got < n_chunks && ok; got++)
    {
      while (sent < n_chunks && sent - got < AHEAD)
        send_chunk (sftp, &chunks[sent++]);
      ok = take_chunk (sftp, &chunks[got], error);
    }
  for (gsize i = 0; i < sent; i++)
    fl_sftp_call_clear (sftp, &chunks[i].call);
  g_free (chunks);
  return ok;
}

static void
finish (FlSftp *sftp, Reading *reading, gboolean ok)
{
  if (reading->handle != NULL)
    {
      GByteArray *packet = fl_sftp_packet_new (FL_SFTP_CLOSE);
      fl_sftp_put_string (packet, reading->handle, reading->handle_length);
      fl_sftp_send (sftp, NULL, packet);
    }
  if (ok && reading->part->error == NULL)
    reading->part->bytes = g_bytes_new_take (g_steal_pointer (&reading->data), reading->end);
  g_free (reading->data);
  fl_sftp_call_clear (sftp, &reading->open);
  fl_sftp_call_clear (sftp, &reading->stat);
}

static gboolean
read_batch (FlSftp *sftp, FlHostPart *parts, guint n, GError **error)
{
  Reading *readings = g_new0 (Reading, n);
  gboolean ok = TRUE;
  for (guint i = 0; i < n; i++)
    {
      readings[i].part = &parts[i];
      send_open (sftp, &readings[i]);
    }
  for (guint i = 0; i < n && ok; i++)
    ok = take_open (sftp, &readings[i], error);
  ok = ok && read_all (sftp, readings, n, error);
  for (guint i = 0; i < n; i++)
    finish (sftp, &readings[i], ok);
  g_free (readings);
  return ok;
}

gboolean
fl_sftp_read_parts (FlSftp *sftp, FlHostPart *parts, guint n, GError **error)
{
  gboolean ok = TRUE;
  for (guint i = 0; i < n && ok; i += BATCH)
    ok = read_batch (sftp, parts + i, MIN (BATCH, n - i), error);
  for (guint i = 0; i < n && !ok; i++)
    fl_host_part_clear (&parts[i]);
  return ok;
}
