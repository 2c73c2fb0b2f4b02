#include "engine/shots/cbf-transfer.h"

#include <string.h>

#include "engine/shots/cbf-codec.h"

static gboolean
is_base64 (const char *encoding)
{
  return g_ascii_strcasecmp (encoding, "BASE64") == 0;
}

gboolean
fl_cbf_transfer_known (const char *encoding)
{
  return is_base64 (encoding) || g_ascii_strcasecmp (encoding, "QUOTED-PRINTABLE") == 0;
}

/* "=3D" is a byte, "=" at the end of a line joins it to the next. */
static gsize
undo_quoted (const guint8 *text, gsize n, guint8 *out)
{
  gsize done = 0;
  for (gsize i = 0; i < n; i++)
    {
      int high = text[i] == '=' && i + 2 < n ? g_ascii_xdigit_value ((char) text[i + 1]) : -1;
      int low = high >= 0 ? g_ascii_xdigit_value ((char) text[i + 2]) : -1;
      if (text[i] == '\r' || text[i] == '\n' || (text[i] == '=' && low < 0))
        continue;
      out[done++] = low >= 0 ? (guint8) (high << 4 | low) : text[i];
      i += low >= 0 ? 2 : 0;
    }
  return done;
}

guint8 *
fl_cbf_transfer_undo (const char *encoding, const guint8 *text, gsize n, gsize *length)
{
  guint8 *out = g_malloc (n + 3 + FL_CBF_PADDING);
  int state = 0;
  guint save = 0;
  *length = is_base64 (encoding) ? g_base64_decode_step ((const char *) text, n, out, &state, &save)
                                 : undo_quoted (text, n, out);
  memset (out + *length, 0, FL_CBF_PADDING);
  return out;
}
