#include "engine/view/protocol.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/write-all.h"

static guint32
get_u32 (const guint8 *p)
{
  return (guint32) p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16 | (guint32) p[3] << 24;
}

static guint16
get_u16 (const guint8 *p)
{
  return (guint16) (p[0] | p[1] << 8);
}

static void
put_u32 (guint8 *p, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (p, &value, sizeof value);
}

static void
put_u16 (guint8 *p, guint16 value)
{
  value = GUINT16_TO_LE (value);
  memcpy (p, &value, sizeof value);
}

gboolean
fl_view_frame_decode (const guint8 *header, guint32 most, FlViewFrame *frame, GError **error)
{
  guint16 operation = get_u16 (header + 12);
  guint8 status = header[14], flags = header[15];
  if (get_u32 (header) != FL_VIEW_MAGIC)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "view request: a frame begins with bytes %02x %02x %02x %02x, expected \"FLV1\"",
                   header[0], header[1], header[2], header[3]);
      return FALSE;
    }
  if (operation < FL_VIEW_HELLO || operation >= FL_VIEW_OPERATION_LAST || status > FL_VIEW_CANCELLED)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view request: operation %u with status %u is not known",
                   operation, status);
      return FALSE;
    }
  *frame = (FlViewFrame){ .id = get_u32 (header + 8),
                          .operation = (FlViewOperation) operation,
                          .status = (FlViewStatus) status,
                          .flags = (FlViewFlags) flags,
                          .length = get_u32 (header + 4) };
  if (frame->length > most)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view request: a body of %u bytes, expected at most %u",
                   frame->length, most);
      return FALSE;
    }
  return TRUE;
}

/* Bytes read before the end of the input; −1 with errno. */
static gssize
read_whole (int fd, guint8 *bytes, gsize length)
{
  gsize done = 0;
  while (done < length)
    {
      gssize got = read (fd, bytes + done, length - done);
      if (got == 0)
        break;
      if (got > 0)
        done += (gsize) got;
      else if (errno != EINTR)
        return -1;
    }
  return (gssize) done;
}

static gboolean
read_error (gssize got, const char *what, GError **error)
{
  if (got < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "view request: cannot be read: %s", g_strerror (errno));
  else
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view request: the input breaks off inside %s", what);
  return FALSE;
}

gboolean
fl_view_frame_read (int fd, guint32 most, FlViewFrame *frame, GBytes **body, GError **error)
{
  guint8 header[FL_VIEW_HEADER];
  *body = NULL;
  gssize got = read_whole (fd, header, sizeof header);
  if (got == 0)
    return FALSE;
  if (got < (gssize) sizeof header)
    return read_error (got, "a frame's header", error);
  if (!fl_view_frame_decode (header, most, frame, error))
    return FALSE;
  if (frame->length == 0)
    return TRUE;
  g_autofree guint8 *bytes = g_try_malloc (frame->length);
  if (bytes == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "view request: no memory for a body of %u bytes",
                   frame->length);
      return FALSE;
    }
  got = read_whole (fd, bytes, frame->length);
  if (got < (gssize) frame->length)
    return read_error (got, "a frame's body", error);
  *body = g_bytes_new_take (g_steal_pointer (&bytes), frame->length);
  return TRUE;
}

static void
encode_header (guint8 *header, const FlViewFrame *frame)
{
  put_u32 (header, FL_VIEW_MAGIC);
  put_u32 (header + 4, frame->length);
  put_u32 (header + 8, frame->id);
  put_u16 (header + 12, (guint16) frame->operation);
  header[14] = (guint8) frame->status;
  header[15] = (guint8) frame->flags;
}

/* Our own little-endian form; sinks `body`, returns a reference. */
static GVariant *
to_wire (GVariant *body)
{
  g_autoptr (GVariant) own = g_variant_ref_sink (body);
  return G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_steal_pointer (&own) : g_variant_byteswap (own);
}

static gboolean
write_whole (int fd, const guint8 *bytes, gsize length, GError **error)
{
  if (fl_write_all (fd, bytes, length))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "view reply: cannot be written: %s", g_strerror (errno));
  return FALSE;
}

gboolean
fl_view_frame_write (int fd, const FlViewFrame *frame, gconstpointer body, GError **error)
{
  guint8 header[FL_VIEW_HEADER];
  encode_header (header, frame);
  return write_whole (fd, header, sizeof header, error)
         && (frame->length == 0 || write_whole (fd, body, frame->length, error));
}

GBytes *
fl_view_body_bytes (GVariant *body)
{
  g_autoptr (GVariant) wire = to_wire (body);
  return g_variant_get_data_as_bytes (wire);
}

GBytes *
fl_view_frame_bytes (guint32 id, FlViewOperation operation, FlViewFlags flags, GVariant *body)
{
  g_autoptr (GVariant) wire = body != NULL ? to_wire (body) : NULL;
  gsize length = wire != NULL ? g_variant_get_size (wire) : 0;
  guint8 *bytes = g_malloc (FL_VIEW_HEADER + length);
  FlViewFrame frame = { .id = id, .operation = operation, .flags = flags, .length = (guint32) length };
  encode_header (bytes, &frame);
  if (length > 0)
    g_variant_store (wire, bytes + FL_VIEW_HEADER);
  return g_bytes_new_take (bytes, FL_VIEW_HEADER + length);
}

GVariant *
fl_view_body_parse (GBytes *body, const char *type, GError **error)
{
  if (body != NULL)
    {
      g_autoptr (GVariant) wire =
          g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), body, FALSE));
      if (g_bytes_get_size (body) > FL_VIEW_MAX_REQUEST || g_variant_is_normal_form (wire))
        return G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_steal_pointer (&wire) : g_variant_byteswap (wire);
    }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view request: a body of %zu bytes is not of the type %s",
               body != NULL ? g_bytes_get_size (body) : 0, type);
  return NULL;
}
