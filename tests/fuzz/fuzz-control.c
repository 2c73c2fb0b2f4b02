/* Words between the control room and its conductor. */

#include "engine/control/control-socket.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GByteArray) buffer = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  g_byte_array_append (buffer, data, (guint) size);
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
