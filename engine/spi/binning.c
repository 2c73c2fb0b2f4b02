#include "engine/spi/binning.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  FlVec3 s;
  double factor, background, size;
  guint number; /* before sorting */
} Cell;

static int
by_size (gconstpointer a, gconstpointer b)
{
  const Cell *x = a, *y = b;
  return x->size != y->size      ? (x->size < y->size ? -1 : 1)
         : x->number < y->number ? -1
                                 : x->number > y->number;
}

/* Cells in the order in which pixels meet them; which[pixel] is its cell. */
static GArray *
gather (const FlPatternPixels *pixels, double width, double s_fine, double s_max, guint *which)
{
  g_autoptr (GHashTable) numbers = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  GArray *cells = g_array_new (FALSE, TRUE, sizeof (Cell));
  for (guint i = 0; i < pixels->n; i++)
    {
      FlVec3 s = pixels->s[i];
      which[i] = G_MAXUINT;
      if (pixels->mask[i] != FL_PATTERN_GOOD || fl_vec3_norm (s) > s_max || !(pixels->factor[i] > 0))
        continue;
      /* The beam runs between cells, so that both halves of a pattern are cut alike. */
      gint64 key = fl_vec3_norm (s) < s_fine ? -1 - (gint64) i
                                             : ((gint64) (floor (s.y / width) + 0x40000000) << 31)
                                                   + (gint64) (floor (s.x / width) + 0x40000000);
      gpointer known;
      if (!g_hash_table_lookup_extended (numbers, &key, NULL, &known))
        {
          gint64 *kept = g_new (gint64, 1);
          Cell cell = { .number = cells->len };
          *kept = key;
          known = GUINT_TO_POINTER (cells->len);
          g_hash_table_insert (numbers, kept, known);
          g_array_append_val (cells, cell);
        }
      which[i] = GPOINTER_TO_UINT (known);
      Cell *cell = &g_array_index (cells, Cell, which[i]);
      cell->s = fl_vec3_add (cell->s, fl_vec3_scale (s, pixels->factor[i]));
      cell->factor += pixels->factor[i];
      cell->background += pixels->background != NULL ? pixels->background[i] : 0;
    }
  for (guint i = 0; i < cells->len; i++)
    {
      Cell *cell = &g_array_index (cells, Cell, i);
      cell->s = fl_vec3_scale (cell->s, 1 / cell->factor);
      cell->size = fl_vec3_norm (cell->s);
    }
  return cells;
}

FlBinning *
fl_binning_new (const FlPatternPixels *pixels, double width, double s_fine, double s_max)
{
  FlBinning *binning = g_new0 (FlBinning, 1);
  binning->cell = g_new (guint, pixels->n);
  g_autoptr (GArray) cells = gather (pixels, width, s_fine, s_max, binning->cell);
  guint n = binning->n = cells->len;
  binning->stride = (n + 15) / 16 * 16;
  binning->s = g_new (FlVec3, n);
  binning->size = g_new (float, n);
  binning->factor = g_new0 (float, binning->stride);
  binning->background = pixels->background != NULL ? g_new0 (float, binning->stride) : NULL;
  g_array_sort (cells, by_size);
  g_autofree guint *place = g_new (guint, n);
  for (guint i = 0; i < n; i++)
    {
      const Cell *cell = &g_array_index (cells, Cell, i);
      place[cell->number] = i;
      binning->s[i] = cell->s;
      binning->size[i] = (float) cell->size;
      binning->factor[i] = (float) cell->factor;
      if (binning->background != NULL)
        binning->background[i] = (float) cell->background;
    }
  for (guint i = 0; i < pixels->n; i++)
    if (binning->cell[i] != G_MAXUINT)
      binning->cell[i] = place[binning->cell[i]];
  return binning;
}

void
fl_binning_free (FlBinning *binning)
{
  if (binning == NULL)
    return;
  g_free (binning->s);
  g_free (binning->size);
  g_free (binning->factor);
  g_free (binning->background);
  g_free (binning->cell);
  g_free (binning);
}

void
fl_binning_counts (const FlBinning *binning, const FlPatterns *patterns, guint first, guint n, float *counts)
{
  memset (counts, 0, (gsize) n * binning->stride * sizeof *counts);
  for (guint i = 0; i < n; i++)
    for (guint64 k = patterns->start[first + i]; k < patterns->start[first + i + 1]; k++)
      {
        guint cell = binning->cell[patterns->pixel[k]];
        if (cell != G_MAXUINT)
          counts[(gsize) i * binning->stride + cell] += (float) patterns->count[k];
      }
}
