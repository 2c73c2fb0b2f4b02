/* Words between the control room and its conductor. The input is lines: `WORD VALUE` (a GVariant's text) is sent as a
 * message of ours, `!N V` changes byte N of what is sent so far, any other is sent as it is. */

#include <stdlib.h>
#include <string.h>

#include "engine/control/control-socket.h"
#include "tests/fuzz/fuzz-file.h"

static void
say (GByteArray *sent, const char *line)
{
  char *end;
  const char *space =
      g_utf8_validate (line, -1, NULL) ? strchr (line, ' ') : NULL; /* GVariant's text is UTF-8 */
  if (line[0] == '!' && sent->len > 0)
    {
      guint at = (guint) (strtoul (line + 1, &end, 10) % sent->len);
      sent->data[at] ^= (guint8) strtoul (end, NULL, 10);
      return;
    }
  g_autoptr (GVariant) value = space != NULL ? g_variant_parse (NULL, space, NULL, NULL, NULL) : NULL;
  g_autofree char *word = space != NULL ? g_strndup (line, (gsize) (space - line)) : NULL;
  if (value != NULL)
    {
      g_autoptr (GBytes) message = fl_control_encode (word, value);
      gsize length;
      const guint8 *bytes = g_bytes_get_data (message, &length);
      g_byte_array_append (sent, bytes, (guint) length);
    }
  else
    g_byte_array_append (sent, (const guint8 *) line, (guint) strlen (line));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GByteArray) buffer = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  for (guint i = 0; lines[i] != NULL; i++)
    say (buffer, lines[i]);
  for (gboolean more = TRUE; more;)
    {
      const char *word = NULL;
      guint before = buffer->len;
      g_autoptr (GVariant) value = fl_control_decode (buffer, &word, &error);
      more = value != NULL;
      g_assert_true (!more || (buffer->len < before && word != NULL));
      g_free (more ? g_variant_print (value, FALSE) : NULL);
    }
  return 0;
}
