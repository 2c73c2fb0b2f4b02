#include "engine/spi/patterns.h"

#include <string.h>

FlPatternPixels *
fl_pattern_pixels_new (guint n)
{
  FlPatternPixels *pixels = g_new0 (FlPatternPixels, 1);
  pixels->n = n;
  pixels->s = g_new0 (FlVec3, n);
  pixels->factor = g_new0 (float, n);
  pixels->mask = g_new0 (guint8, n);
  return pixels;
}

void
fl_pattern_pixels_free (FlPatternPixels *pixels)
{
  if (pixels == NULL)
    return;
  g_free (pixels->s);
  g_free (pixels->factor);
  g_free (pixels->background);
  g_free (pixels->mask);
  g_free (pixels);
}

FlPatterns *
fl_patterns_new (FlPatternPixels *pixels)
{
  FlPatterns *patterns = g_new0 (FlPatterns, 1);
  patterns->pixels = pixels;
  patterns->start = g_new0 (guint64, 2); /* what grown() takes one number to have room for */
  return patterns;
}

void
fl_patterns_free (FlPatterns *patterns)
{
  if (patterns == NULL)
    return;
  fl_pattern_pixels_free (patterns->pixels);
  g_free (patterns->id);
  g_free (patterns->row);
  g_free (patterns->start);
  g_free (patterns->pixel);
  g_free (patterns->count);
  g_free (patterns);
}

/* Grows by doubling: room is the next power of two of what is used. */
static gpointer
grown (gpointer data, guint64 used, guint64 more, gsize size)
{
  guint64 old = used > 0 ? (guint64) 1 << g_bit_storage ((gulong) (used - 1)) : 0;
  guint64 room = (guint64) 1 << g_bit_storage ((gulong) (used + more - 1));
  return data != NULL && room <= old ? data : g_realloc_n (data, room, size);
}

void
fl_patterns_add (FlPatterns *patterns, guint64 id, guint32 row, guint n, const guint32 *pixel,
                 const guint32 *count)
{
  guint i = patterns->n;
  guint64 at = patterns->start[i];
  patterns->id = grown (patterns->id, i, 1, sizeof *patterns->id);
  patterns->row = grown (patterns->row, i, 1, sizeof *patterns->row);
  patterns->start = grown (patterns->start, (guint64) i + 1, 1, sizeof *patterns->start);
  if (n > 0)
    {
      patterns->pixel = grown (patterns->pixel, at, n, sizeof *patterns->pixel);
      patterns->count = grown (patterns->count, at, n, sizeof *patterns->count);
    }
  for (guint k = 0; k < n; k++)
    if (patterns->pixels->mask[pixel[k]] != FL_PATTERN_BAD && count[k] > 0)
      {
        patterns->pixel[at] = pixel[k];
        patterns->count[at++] = count[k];
      }
  patterns->id[i] = id;
  patterns->row[i] = row;
  patterns->n++;
  patterns->start[patterns->n] = at;
}

guint64
fl_patterns_photons (const FlPatterns *patterns, guint i)
{
  guint64 sum = 0;
  for (guint64 k = patterns->start[i]; k < patterns->start[i + 1]; k++)
    sum += patterns->count[k];
  return sum;
}
