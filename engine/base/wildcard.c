#include "engine/base/wildcard.h"

/* The next character; of what is not UTF-8, the next byte. */
static const char *
next_character (const char *text)
{
  for (text++; (*text & 0xc0) == 0x80;)
    text++;
  return text;
}

/* The last * takes as little as it can, and more when what follows does not match: earlier ones need not be tried again. */
gboolean
fl_wildcard_match (const char *pattern, const char *text)
{
  const char *star = NULL, *taken = NULL;
  while (*text != '\0')
    if (*pattern == '*')
      {
        star = pattern++;
        taken = text;
      }
    else if (*pattern == '?')
      {
        pattern++;
        text = next_character (text);
      }
    else if (*pattern == *text)
      {
        pattern++;
        text++;
      }
    else if (star != NULL)
      {
        pattern = star + 1;
        text = ++taken;
      }
    else
      return FALSE;
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}
