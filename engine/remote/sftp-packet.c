#include "engine/remote/sftp-packet.h"

#include <string.h>

#define HEAD 9 /* length, type, id */

GByteArray *
fl_sftp_packet_new (guint8 type)
{
  GByteArray *packet = g_byte_array_sized_new (64);
  g_byte_array_set_size (packet, HEAD);
  memset (packet->data, 0, HEAD);
  packet->data[4] = type;
  return packet;
}

void
fl_sftp_put_u32 (GByteArray *packet, guint32 value)
{
  guint32 big = GUINT32_TO_BE (value);
  g_byte_array_append (packet, (const guint8 *) &big, sizeof big);
}

void
fl_sftp_put_u64 (GByteArray *packet, guint64 value)
{
  guint64 big = GUINT64_TO_BE (value);
  g_byte_array_append (packet, (const guint8 *) &big, sizeof big);
}

void
fl_sftp_put_string (GByteArray *packet, gconstpointer bytes, gsize length)
{
  fl_sftp_put_u32 (packet, (guint32) length);
  g_byte_array_append (packet, bytes, (guint) length);
}

void
fl_sftp_put_text (GByteArray *packet, const char *text)
{
  fl_sftp_put_string (packet, text, strlen (text));
}

static const guint8 *
take (FlSftpCursor *cursor, gsize n)
{
  if (cursor->bad || (gsize) (cursor->end - cursor->p) < n)
    {
      cursor->bad = TRUE;
      return NULL;
    }
  const guint8 *at = cursor->p;
  cursor->p += n;
  return at;
}

guint32
fl_sftp_take_u32 (FlSftpCursor *cursor)
{
  guint32 big = 0;
  const guint8 *at = take (cursor, sizeof big);
  if (at != NULL)
    memcpy (&big, at, sizeof big);
  return GUINT32_FROM_BE (big);
}

guint64
fl_sftp_take_u64 (FlSftpCursor *cursor)
{
  guint64 high = fl_sftp_take_u32 (cursor);
  return high << 32 | fl_sftp_take_u32 (cursor);
}

const guint8 *
fl_sftp_take_string (FlSftpCursor *cursor, gsize *length)
{
  *length = fl_sftp_take_u32 (cursor);
  const guint8 *at = take (cursor, *length);
  if (at == NULL)
    *length = 0;
  return at;
}

void
fl_sftp_take_attributes (FlSftpCursor *cursor, FlSftpAttributes *attributes)
{
  guint32 flags = fl_sftp_take_u32 (cursor);
  *attributes = (FlSftpAttributes){ 0 };
  if (flags & 1)
    attributes->size = fl_sftp_take_u64 (cursor);
  if (flags & 2)
    {
      fl_sftp_take_u32 (cursor); /* user */
      fl_sftp_take_u32 (cursor); /* group */
    }
  if (flags & 4)
    attributes->mode = fl_sftp_take_u32 (cursor);
  if (flags & 8)
    {
      fl_sftp_take_u32 (cursor); /* read */
      attributes->modified = fl_sftp_take_u32 (cursor) * G_GUINT64_CONSTANT (1000000000);
    }
  if (flags & 0x80000000u)
    for (guint32 n = fl_sftp_take_u32 (cursor); n > 0 && !cursor->bad; n--)
      {
        gsize length;
        fl_sftp_take_string (cursor, &length);
        fl_sftp_take_string (cursor, &length);
      }
}

char *
fl_sftp_take_name (FlSftpCursor *cursor, FlSftpAttributes *attributes)
{
  gsize length, ignored;
  const guint8 *name = fl_sftp_take_string (cursor, &length);
  fl_sftp_take_string (cursor, &ignored); /* as "ls -l" would write it */
  fl_sftp_take_attributes (cursor, attributes);
  if (cursor->bad || length == 0 || length > 4096 || memchr (name, '\0', length) != NULL
      || memchr (name, '/', length) != NULL)
    return NULL;
  if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')))
    return NULL;
  return g_strndup ((const char *) name, length);
}
