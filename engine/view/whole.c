#include "engine/view/whole.h"

#include <string.h>
#include <zlib.h>

#include "engine/base/error.h"

#define MAX_PARTS 64 /* replies of which a part has come */

GBytes *
fl_view_deflate (GBytes *body, FlViewFlags *flags)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (body, &length);
  uLongf packed = compressBound ((uLong) length);
  guint8 *out = g_malloc (sizeof (guint32) + packed);
  guint32 size = GUINT32_TO_LE ((guint32) length);
  memcpy (out, &size, sizeof size);
  if (compress2 (out + sizeof size, &packed, bytes, (uLong) length, 1) == Z_OK
      && packed + sizeof size < length)
    {
      g_bytes_unref (body);
      *flags |= FL_VIEW_DEFLATED;
      return g_bytes_new_take (g_realloc (out, sizeof size + packed), sizeof size + packed);
    }
  g_free (out);
  return body;
}

static GBytes *
inflate_body (GBytes *body, GError **error)
{
  gsize length;
  const guint8 *bytes = body != NULL ? g_bytes_get_data (body, &length) : NULL;
  guint32 size = 0;
  if (bytes != NULL && length >= sizeof size)
    {
      memcpy (&size, bytes, sizeof size);
      size = GUINT32_FROM_LE (size);
    }
  /* A zlib stream does not grow more than about a thousandfold. */
  gboolean sane = size > 0 && size <= FL_VIEW_MAX_REPLY && size / 1100 <= length;
  g_autofree guint8 *out = sane ? g_try_malloc (size) : NULL;
  uLongf got = size;
  if (out == NULL || uncompress (out, &got, bytes + sizeof size, (uLong) (length - sizeof size)) != Z_OK
      || got != size)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: a deflated body of %u bytes is damaged",
                   size);
      return NULL;
    }
  return g_bytes_new_take (g_steal_pointer (&out), size);
}

struct FlViewWhole
{
  GHashTable *parts; /* id → GByteArray */
  gsize waiting;     /* bytes in them */
};

FlViewWhole *
fl_view_whole_new (void)
{
  FlViewWhole *whole = g_new0 (FlViewWhole, 1);
  whole->parts = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_byte_array_unref);
  return whole;
}

void
fl_view_whole_free (FlViewWhole *whole)
{
  g_hash_table_unref (whole->parts);
  g_free (whole);
}

/* Adds the body to what has come of the reply, beginning with it when `begin`. */
static gboolean
add_part (FlViewWhole *whole, const FlViewFrame *frame, GBytes *body, GByteArray **part, GError **error)
{
  gsize length = 0;
  const guint8 *bytes = body != NULL ? g_bytes_get_data (body, &length) : NULL;
  if (whole->waiting + length > FL_VIEW_MAX_REPLY || g_hash_table_size (whole->parts) > MAX_PARTS)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: more than %u bytes in parts",
                   FL_VIEW_MAX_REPLY);
      return FALSE;
    }
  if (*part == NULL)
    {
      *part = g_byte_array_new ();
      g_hash_table_insert (whole->parts, GUINT_TO_POINTER (frame->id), *part);
    }
  if (length > 0)
    g_byte_array_append (*part, bytes, (guint) length);
  whole->waiting += length;
  return TRUE;
}

gboolean
fl_view_whole_take (FlViewWhole *whole, const FlViewFrame *frame, GBytes **body, GError **error)
{
  GByteArray *part = g_hash_table_lookup (whole->parts, GUINT_TO_POINTER (frame->id));
  gboolean more = (frame->flags & FL_VIEW_MORE) != 0;
  gboolean good = (part == NULL && !more) || add_part (whole, frame, *body, &part, error);
  if (!good || more)
    {
      g_clear_pointer (body, g_bytes_unref);
      return FALSE;
    }
  if (part != NULL)
    {
      whole->waiting -= part->len;
      g_hash_table_steal (whole->parts, GUINT_TO_POINTER (frame->id));
      g_clear_pointer (body, g_bytes_unref);
      *body = g_byte_array_free_to_bytes (part);
    }
  if (frame->status == FL_VIEW_CANCELLED)
    g_clear_pointer (body, g_bytes_unref);
  else if ((frame->flags & FL_VIEW_DEFLATED) != 0)
    {
      GBytes *inflated = inflate_body (*body, error);
      g_clear_pointer (body, g_bytes_unref);
      *body = inflated;
      return inflated != NULL;
    }
  return TRUE;
}
