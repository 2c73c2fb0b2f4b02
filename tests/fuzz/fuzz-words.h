/* fuzz-words.h: changes texts by lines and words, as bytes of texts that are changed by themselves hardly ever make sense. */
#pragma once

#include <glib.h>
#include <string.h>

gsize LLVMFuzzerMutate (guint8 *data, gsize size, gsize most);
gsize LLVMFuzzerCustomMutator (guint8 *data, gsize size, gsize most, guint seed);
gsize LLVMFuzzerCustomCrossOver (const guint8 *a, gsize n_a, const guint8 *b, gsize n_b, guint8 *out,
                                 gsize most, guint seed);

static inline gsize
fuzz_put_lines (GPtrArray *lines, guint8 *out, gsize most)
{
  gsize n = 0;
  for (guint i = 0; i < lines->len; i++)
    {
      gsize length = strlen (lines->pdata[i]);
      if (n + length + 1 > most)
        break;
      memcpy (out + n, lines->pdata[i], length);
      n += length;
      out[n++] = '\n';
    }
  return n;
}

static inline GPtrArray *
fuzz_take_lines (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) all = g_strsplit (g_strchomp (text), "\n", -1);
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  for (char **line = all; *line != NULL; line++)
    g_ptr_array_add (lines, g_strdup (*line));
  return lines;
}

/* One of: a number near or far, one of the odd ones, a word of another line, what bytes make of it. */
static inline char *
fuzz_other_word (GRand *random, const char *word, GPtrArray *lines)
{
  static const char *const odd[] = { "0",       "-1",         "1",          "2",
                                     "nan",     "inf",        "1e308",      "-1e308",
                                     "1e-320",  "65536",      "255",        "256",
                                     "1048575", "2147483647", "4294967296", "18446744073709551615",
                                     "0.5" };
  guint way = (guint) g_rand_int_range (random, 0, 4);
  if (way == 0 && g_ascii_isdigit (word[*word == '-']))
    return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) ((guint64) g_ascii_strtoll (word, NULL, 10)
                                                           + (guint64) g_rand_int_range (random, -3, 4)));
  if (way == 1)
    return g_strdup (odd[g_rand_int_range (random, 0, G_N_ELEMENTS (odd))]);
  if (way == 2)
    {
      g_auto (GStrv) words =
          g_strsplit (lines->pdata[g_rand_int_range (random, 0, (gint32) lines->len)], " ", -1);
      guint n = g_strv_length (words);
      return g_strdup (n > 0 ? words[g_rand_int_range (random, 0, (gint32) n)] : "");
    }
  char bytes[256];
  gsize n = MIN (strlen (word), sizeof bytes - 1);
  memcpy (bytes, word, n);
  return g_strndup (bytes, LLVMFuzzerMutate ((guint8 *) bytes, n, sizeof bytes - 1));
}

static inline void
fuzz_change_line (GRand *random, GPtrArray *lines, guint at)
{
  g_auto (GStrv) words = g_strsplit (lines->pdata[at], " ", -1);
  guint n = g_strv_length (words);
  if (n == 0)
    return;
  guint i = (guint) g_rand_int_range (random, 0, (gint32) n);
  char *word = words[i];
  gsize stem = strcspn (word, "=:;,x");
  /* Of an attribute, or of dimensions, a part only. */
  if (word[stem] != '\0' && g_rand_boolean (random))
    {
      g_autofree char *first = g_strndup (word, stem + 1),
                      *rest = fuzz_other_word (random, word + stem + 1, lines);
      words[i] = g_strconcat (first, rest, NULL);
    }
  else
    words[i] = fuzz_other_word (random, word, lines);
  g_free (word);
  g_free (lines->pdata[at]);
  lines->pdata[at] = g_strjoinv (" ", words);
}

gsize
LLVMFuzzerCustomMutator (guint8 *data, gsize size, gsize most, guint seed)
{
  g_autoptr (GPtrArray) lines = fuzz_take_lines (data, size);
  GRand *random = g_rand_new_with_seed (seed);
  for (guint n = (guint) g_rand_int_range (random, 1, 4); n > 0 && lines->len > 0; n--)
    {
      guint at = (guint) g_rand_int_range (random, 0, (gint32) lines->len),
            to = (guint) g_rand_int_range (random, 0, (gint32) lines->len);
      switch (g_rand_int_range (random, 0, 8))
        {
        case 0:
          g_ptr_array_remove_index (lines, at);
          break;
        case 1:
          g_ptr_array_insert (lines, (gint) to, g_strdup (lines->pdata[at]));
          break;
        default:
          fuzz_change_line (random, lines, at);
        }
    }
  g_rand_free (random);
  return lines->len > 0 ? fuzz_put_lines (lines, data, most) : LLVMFuzzerMutate (data, size, most);
}

/* Lines of both. */
gsize
LLVMFuzzerCustomCrossOver (const guint8 *a, gsize n_a, const guint8 *b, gsize n_b, guint8 *out, gsize most,
                           guint seed)
{
  g_autoptr (GPtrArray) lines = fuzz_take_lines (a, n_a), others = fuzz_take_lines (b, n_b);
  GRand *random = g_rand_new_with_seed (seed);
  for (guint n = (guint) g_rand_int_range (random, 1, 6); n > 0 && others->len > 0; n--)
    g_ptr_array_insert (lines, g_rand_int_range (random, 0, (gint32) lines->len + 1),
                        g_strdup (others->pdata[g_rand_int_range (random, 0, (gint32) others->len)]));
  g_rand_free (random);
  return fuzz_put_lines (lines, out, most);
}
