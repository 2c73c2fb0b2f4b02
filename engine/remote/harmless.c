#include "engine/remote/harmless.h"

#include <string.h>

char *
fl_harmless (const void *text, gssize length, guint most)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  GString *line = g_string_new (NULL);
  guint n = 0;
  for (const char *p = valid; *p != '\0' && n < most; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (c == 0x1b && p[1] == '[') /* a whole escape sequence, with its letter */
        {
          p += strspn (p + 1, "[0123456789;?");
          p += g_ascii_isalpha (p[1]);
        }
      gboolean shown = g_unichar_isprint (c) && g_unichar_type (c) != G_UNICODE_FORMAT;
      if ((!shown || c == ' ') && (line->len == 0 || line->str[line->len - 1] == ' '))
        continue;
      g_string_append_unichar (line, shown ? c : ' ');
      n++;
    }
  g_strchomp (line->str);
  return g_string_free (line, FALSE);
}
