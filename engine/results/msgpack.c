#include "engine/results/msgpack.h"

#include <string.h>

static gboolean
take_number (FlMsgpack *in, guint size, guint64 *value)
{
  if (in->left < size)
    return FALSE;
  *value = 0;
  for (guint i = 0; i < size; i++)
    *value = *value << 8 | *in->at++;
  in->left -= size;
  return TRUE;
}

static gboolean
take_bytes (FlMsgpack *in, guint64 n, FlMsgpackItem *item)
{
  if (in->left < n)
    return FALSE;
  *item = (FlMsgpackItem){ .kind = FL_MSGPACK_BYTES, .n = n, .bytes = in->at };
  in->at += n;
  in->left -= n;
  return TRUE;
}

/* A count of `size` bytes, then so many bytes and `more`. */
static gboolean
take_counted (FlMsgpack *in, guint size, guint64 more, FlMsgpackItem *item)
{
  guint64 n;
  return take_number (in, size, &n) && take_bytes (in, n + more, item);
}

static gboolean
take_container (FlMsgpack *in, guint size, FlMsgpackKind kind, FlMsgpackItem *item)
{
  *item = (FlMsgpackItem){ .kind = kind };
  return take_number (in, size, &item->n);
}

/* The types whose first byte is 0xc0 to 0xdf. */
static gboolean
take_marked (FlMsgpack *in, guint8 mark, FlMsgpackItem *item)
{
  guint64 value;
  guint size = 1u << (mark & 3u);
  *item = (FlMsgpackItem){ .kind = FL_MSGPACK_NIL };
  if (mark == 0xc0)
    return TRUE;
  if (mark == 0xc2 || mark == 0xc3)
    {
      item->kind = FL_MSGPACK_BOOL;
      item->number = mark & 1;
      return TRUE;
    }
  if (mark >= 0xc4 && mark <= 0xc6) /* binary */
    return take_counted (in, 1u << (mark - 0xc4), 0, item);
  if (mark >= 0xc7 && mark <= 0xc9) /* extension: one more byte, its type */
    return take_counted (in, 1u << (mark - 0xc7), 1, item);
  if (mark >= 0xd4 && mark <= 0xd8) /* extension of fixed length */
    return take_bytes (in, (1u << (mark - 0xd4)) + 1, item);
  if (mark >= 0xd9 && mark <= 0xdb) /* text */
    return take_counted (in, 1u << (mark - 0xd9), 0, item);
  if (mark == 0xdc || mark == 0xdd)
    return take_container (in, mark == 0xdc ? 2 : 4, FL_MSGPACK_ARRAY, item);
  if (mark == 0xde || mark == 0xdf)
    return take_container (in, mark == 0xde ? 2 : 4, FL_MSGPACK_MAP, item);
  if (mark == 0xca || mark == 0xcb)
    {
      item->kind = FL_MSGPACK_FLOAT;
      return take_number (in, mark == 0xca ? 4 : 8, &value);
    }
  if (mark < 0xcc || mark > 0xd3 || !take_number (in, size, &value))
    return FALSE;
  item->kind = FL_MSGPACK_INT;
  item->number = (gint64) value;
  if (mark >= 0xd0 && size < 8 && value >> (8 * size - 1) != 0)
    item->number -= (gint64) 1 << (8 * size); /* a negative one */
  return mark >= 0xd0 || value <= G_MAXINT64;
}

gboolean
fl_msgpack_take (FlMsgpack *in, FlMsgpackItem *item)
{
  guint64 first;
  if (!take_number (in, 1, &first))
    return FALSE;
  guint8 mark = (guint8) first;
  if (mark >= 0xc0 && mark <= 0xdf)
    return take_marked (in, mark, item);
  if (mark >= 0xa0 && mark <= 0xbf)
    return take_bytes (in, mark & 31u, item);
  *item = (FlMsgpackItem){ .kind = mark >= 0x90 && mark <= 0x9f   ? FL_MSGPACK_ARRAY
                                   : mark >= 0x80 && mark <= 0x8f ? FL_MSGPACK_MAP
                                                                  : FL_MSGPACK_INT,
                           .number = (gint8) mark,
                           .n = mark & 15u };
  return TRUE;
}

gboolean
fl_msgpack_skip (FlMsgpack *in)
{
  FlMsgpackItem item;
  for (guint64 wanted = 1; wanted > 0; wanted--)
    {
      if (!fl_msgpack_take (in, &item))
        return FALSE;
      if (item.kind == FL_MSGPACK_ARRAY)
        wanted += item.n;
      if (item.kind == FL_MSGPACK_MAP)
        wanted += 2 * item.n;
    }
  return TRUE;
}

gboolean
fl_msgpack_is (const FlMsgpackItem *item, const char *text)
{
  return item->kind == FL_MSGPACK_BYTES && item->n == strlen (text)
         && memcmp (item->bytes, text, item->n) == 0;
}

static void
put (GByteArray *out, guint8 mark, guint64 value, guint size)
{
  guint8 bytes[9] = { mark };
  for (guint i = 0; i < size; i++)
    bytes[1 + i] = (guint8) (value >> (8 * (size - 1 - i)));
  g_byte_array_append (out, bytes, 1 + size);
}

void
fl_msgpack_put_int (GByteArray *out, guint64 value)
{
  if (value < 0x80)
    put (out, (guint8) value, 0, 0);
  else
    put (out, 0xcf, value, 8);
}

void
fl_msgpack_put_text (GByteArray *out, const char *text)
{
  gsize n = strlen (text);
  if (n < 32)
    put (out, (guint8) (0xa0 | n), 0, 0);
  else
    put (out, 0xdb, n, 4);
  g_byte_array_append (out, (const guint8 *) text, (guint) n);
}

void
fl_msgpack_put_array (GByteArray *out, guint32 n)
{
  put (out, 0xdd, n, 4);
}

void
fl_msgpack_put_map (GByteArray *out, guint32 n)
{
  put (out, 0xdf, n, 4);
}

void
fl_msgpack_put_bytes_head (GByteArray *out, guint32 n)
{
  put (out, 0xc6, n, 4);
}
