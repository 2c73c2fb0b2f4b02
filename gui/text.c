#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/text.h"

#include <string.h>

#define NONE "–"

char *
flg_format_count (gint64 count)
{
  char digits[32];
  g_snprintf (digits, sizeof digits, "%" G_GINT64_FORMAT, ABS (count));
  gsize n = 0;
  while (digits[n])
    n++;
  g_autoptr (GString) text = g_string_new (count < 0 ? "−" : NULL);
  for (gsize i = 0; i < n; i++)
    {
      if (i > 0 && (n - i) % 3 == 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, digits[i]);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
flg_format_percent (gint64 part, gint64 of)
{
  return of > 0 ? g_strdup_printf ("%.1f %%", 100.0 * (double) part / (double) of) : g_strdup (NONE);
}

char *
flg_format_time (guint64 ns, guint64 now)
{
  if (ns == 0)
    return g_strdup (NONE);
  g_autoptr (GDateTime) then = g_date_time_new_from_unix_local ((gint64) (ns / 1000000000));
  g_autoptr (GDateTime) today = g_date_time_new_from_unix_local ((gint64) (now / 1000000000));
  if (!then || !today)
    return g_strdup (NONE);
  gboolean same = g_date_time_get_day_of_year (then) == g_date_time_get_day_of_year (today)
                  && g_date_time_get_year (then) == g_date_time_get_year (today);
  return g_date_time_format (then, same ? "%H:%M:%S" : "%-d %b %H:%M");
}

char *
flg_format_elapsed (guint64 start, guint64 end, guint64 now)
{
  if (start == 0)
    return g_strdup (NONE);
  guint64 until = end ? end : now;
  guint64 s = until > start ? (until - start) / 1000000000 : 0;
  if (end > start && s < 10)
    return g_strdup_printf ("%.1f s", (double) (end - start) / 1e9);
  if (s >= 3600)
    return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02u:%02u", s / 3600, (guint) (s / 60 % 60),
                            (guint) (s % 60));
  return g_strdup_printf ("%u:%02u", (guint) (s / 60), (guint) (s % 60));
}

char *
flg_text_bounded (const char *text, guint most)
{
  gsize length = text ? strnlen (text, 6 * (gsize) most) : 0; /* a character has six bytes at most */
  g_autofree char *valid = g_utf8_make_valid (text ? text : "", (gssize) length);
  if (g_utf8_strlen (valid, -1) <= (glong) most)
    return g_steal_pointer (&valid);
  g_autofree char *begin = g_utf8_substring (valid, 0, (glong) most);
  return g_strconcat (begin, "…", NULL);
}

gboolean
flg_text_has_words (const char *text, const char *words)
{
  g_autofree char *haystack = g_utf8_casefold (text, -1);
  g_autofree char *folded = g_utf8_casefold (words, -1);
  g_auto (GStrv) needles = g_strsplit (folded, " ", -1);
  for (guint i = 0; needles[i]; i++)
    if (!strstr (haystack, needles[i]))
      return FALSE;
  return TRUE;
}
