#include "widgets/strip-raster.h"

#include <math.h>
#include <string.h>

#include "widgets/theme.h"

#define LEVELS             24
#define WINDOWS_PER_COLUMN 8

gboolean
flw_strip_view_equal (const FlwStripView *a, const FlwStripView *b)
{
  gboolean equal = a->x0 == b->x0 && a->shots_per_px == b->shots_per_px && a->width == b->width
                   && a->dot == b->dot && a->window == b->window && a->generation == b->generation
                   && a->n_strips == b->n_strips && a->n_lines == b->n_lines;

  for (guint s = 0; equal && s < a->n_strips; s++)
    equal = a->strips[s].height == b->strips[s].height && a->strips[s].lower == b->strips[s].lower
            && a->strips[s].upper == b->strips[s].upper;
  return equal;
}

FlwStripGrid *
flw_strip_grid_new (const FlwStripView *view)
{
  FlwStripGrid *grid = g_new0 (FlwStripGrid, 1);

  grid->view = *view;
  grid->n_tiles = (view->width + FLW_STRIP_TILE - 1) / FLW_STRIP_TILE;
  grid->touched = g_new0 (gboolean, grid->n_tiles);
  for (guint s = 0; s < view->n_strips; s++)
    if (view->strips[s].column >= 0 && view->strips[s].height > 0)
      {
        gsize cells = (gsize) view->strips[s].height * view->width;
        grid->klass[s] = g_malloc (cells);
        memset (grid->klass[s], FLW_STRIP_NONE, cells);
        grid->count[s] = g_new0 (guint16, cells);
      }
  return grid;
}

void
flw_strip_grid_free (FlwStripGrid *grid)
{
  for (guint s = 0; s < FLW_STRIP_MAX_STRIPS; s++)
    {
      g_free (grid->klass[s]);
      g_free (grid->count[s]);
    }
  g_free (grid->touched);
  g_free (grid);
}

/* Shots [from, to) of the run that lie in the view. */
static void
visible (const FlwStripView *view, const FlwRunView *run, guint64 *from, guint64 *to)
{
  double first = ceil (view->x0 - (double) run->offset), end = view->x0 + view->shots_per_px * view->width;

  end = ceil (end - (double) run->offset);
  *from = first > (double) *from ? (guint64) first : *from;
  *to = end < (double) *to ? (guint64) fmax (end, 0) : *to;
}

static void
touch (FlwStripGrid *grid, guint x)
{
  guint reach = grid->view.dot / 2 + 1;
  guint first = (x > reach ? x - reach : 0) / FLW_STRIP_TILE;
  guint last = MIN ((x + reach) / FLW_STRIP_TILE, grid->n_tiles - 1);

  for (guint t = first; t <= last; t++)
    grid->touched[t] = TRUE;
}

static void
add_run (FlwStripGrid *grid, guint strip, const FlwRunView *run)
{
  const FlwStripView *view = &grid->view;
  const FlwStripPlace *place = &view->strips[strip];
  guint64 from = run->done, to = run->n;
  double x_scale = 1 / view->shots_per_px, x_offset = ((double) run->offset - view->x0 + 0.5) * x_scale;
  float scale = (float) (place->height / (place->upper - place->lower)), lower = (float) place->lower;
  float top = (float) place->height - 1;
  gboolean crowded = view->shots_per_px > 20;

  visible (view, run, &from, &to);
  for (guint64 i = from; i < to; i++)
    {
      float value = flw_run_value (run, (guint) place->column, i), y;
      guint8 klass;
      gsize cell;
      guint x;

      if (!isfinite (value))
        continue;
      x = MIN ((guint) (x_offset + (double) i * x_scale), view->width - 1);
      /* Whole numbers on a scale of about a pixel each would make stripes: spread them over their unit. */
      if (place->spread && crowded)
        value += (float) (i * 0x9e3779b9u % 1024) / 1024.f;
      y = top - floorf ((value - lower) * scale);
      cell = (gsize) CLAMP (y, 0, top) * view->width + x;
      klass = flw_run_class (run, i);
      if (grid->klass[strip][cell] == FLW_STRIP_NONE || klass > grid->klass[strip][cell])
        grid->klass[strip][cell] = klass;
      if (grid->count[strip][cell] < G_MAXUINT16)
        grid->count[strip][cell]++;
      touch (grid, x);
    }
}

void
flw_strip_grid_add (FlwStripGrid *grid, const FlwRunView *runs, guint n_runs)
{
  memset (grid->touched, 0, grid->n_tiles * sizeof *grid->touched);
  for (guint s = 0; s < grid->view.n_strips; s++)
    for (guint r = 0; grid->klass[s] != NULL && r < n_runs; r++)
      add_run (grid, s, &runs[r]);
}

static void
shades (double shots_per_px, guint32 table[FLW_CLASS_LAST][LEVELS + 1])
{
  /* Few shots a column: every dot in full colour. Many: brightness says how many, by octaves up to 64. */
  double least = shots_per_px <= 20 ? 1 : 0.45;

  for (guint c = 0; c < FLW_CLASS_LAST; c++)
    for (guint i = 0; i <= LEVELS; i++)
      {
        double w = fmax (least, c > FLW_CLASS_MISS ? 0.7 : 0);
        guint32 rgb = flw_class_colour ((FlwClass) c), out = 0xff000000u;
        w += (1 - w) * i / LEVELS;
        for (int shift = 16; shift >= 0; shift -= 8)
          {
            double ground = (FLW_GROUND >> shift) & 0xff, full = (rgb >> shift) & 0xff;
            out |= (guint32) lround (ground + w * (full - ground)) << shift;
          }
        table[c][i] = out;
      }
}

cairo_surface_t *
flw_strip_grid_paint (const FlwStripGrid *grid, guint strip, guint tile)
{
  const FlwStripView *view = &grid->view;
  int height = (int) view->strips[strip].height, width = (int) view->width;
  int from = (int) tile * FLW_STRIP_TILE, to = MIN (from + FLW_STRIP_TILE, width), dot = (int) view->dot;
  int before = dot / 2, first = MAX (from - dot, 0), end = MIN (to + dot, width);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, to - from, height);
  guint32 table[FLW_CLASS_LAST][LEVELS + 1];
  guint32 *pixels;
  int stride;

  cairo_surface_flush (surface);
  pixels = (guint32 *) cairo_image_surface_get_data (surface);
  stride = cairo_image_surface_get_stride (surface) / 4;
  shades (view->shots_per_px, table);
  for (guint8 c = 0; c < FLW_CLASS_LAST; c++) /* the rare over the frequent */
    for (int y = 0; y < height; y++)
      for (int x = first; x < end; x++)
        {
          gsize cell = (gsize) y * (gsize) width + (gsize) x;
          guint32 colour;

          if (grid->klass[strip][cell] != c)
            continue;
          colour = table[c][MIN ((guint) (log2f (grid->count[strip][cell]) * (LEVELS / 6.f)), LEVELS)];
          for (int py = MAX (y - before, 0); py < MIN (y - before + dot, height); py++)
            for (int px = MAX (x - before, from); px < MIN (x - before + dot, to); px++)
              pixels[py * stride + px - from] = colour;
        }
  cairo_surface_mark_dirty (surface);
  return surface;
}

/* --- lines --- */

double
flw_strip_line_value (const FlwStripView *view, guint line, const FlwRunView *run, guint64 i)
{
  const FlwStripLine *what = &view->lines[line];
  guint64 window = (guint64) view->window * what->windows, from = i + 1 > window ? i + 1 - window : 0;
  guint least = MIN (view->window, what->windows > 1 ? 10 : 20), seen = 0, counted = 0;
  FlwTotals a, b;

  flw_run_totals (run, view->n_columns, from, &a);
  flw_run_totals (run, view->n_columns, i + 1, &b);
  if (what->column >= 0)
    {
      guint n = b.valued[what->column] - a.valued[what->column];
      return n >= 3 && i + 1 >= least ? (b.sum[what->column] - a.sum[what->column]) / n : NAN;
    }
  for (guint c = 0; c < FLW_CLASS_LAST; c++)
    {
      seen += what->of_mask & (1u << c) ? b.classes[c] - a.classes[c] : 0;
      counted += what->class_mask & (1u << c) ? b.classes[c] - a.classes[c] : 0;
    }
  return seen >= least ? 100. * counted / seen : NAN;
}

void
flw_strip_line_points (const FlwStripView *view, guint line, const FlwRunView *runs, guint n_runs,
                       FlwLinePoint *points)
{
  for (guint x = 0; x < view->width; x++)
    points[x] = (FlwLinePoint){ NAN, NAN, NAN };
  for (guint r = 0; r < n_runs; r++)
    {
      guint64 from = 0, to = runs[r].n;
      double first_px, end_px;

      visible (view, &runs[r], &from, &to);
      if (from >= to)
        continue;
      first_px = ((double) (runs[r].offset + from) - view->x0) / view->shots_per_px;
      end_px = ((double) (runs[r].offset + to) - view->x0) / view->shots_per_px;
      for (guint x = (guint) fmax (first_px, 0); x < MIN ((guint) ceil (end_px), view->width); x++)
        {
          double a = fmax (view->x0 + x * view->shots_per_px - (double) runs[r].offset, (double) from);
          double b = fmin (a + fmax (view->shots_per_px, 1), (double) to),
                 step = fmax ((b - a) / WINDOWS_PER_COLUMN, 1);
          double least = INFINITY, most = -INFINITY, sum = 0;
          guint n = 0;

          for (double at = a; at < b; at += step)
            {
              double value = flw_strip_line_value (view, line, &runs[r], MIN ((guint64) at, to - 1));
              if (isnan (value))
                continue;
              least = fmin (least, value);
              most = fmax (most, value);
              sum += value;
              n++;
            }
          if (n > 0)
            points[x] = (FlwLinePoint){ (float) least, (float) (sum / n), (float) most };
        }
    }
}
