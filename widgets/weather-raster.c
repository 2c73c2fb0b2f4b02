#include "widgets/weather-raster.h"

#include <math.h>
#include <string.h>

#include "widgets/theme.h"

#define LEVELS 32

gboolean
flw_weather_view_equal (const FlwWeatherView *a, const FlwWeatherView *b)
{
  return a->t0 == b->t0 && a->ns_per_px == b->ns_per_px && a->row0 == b->row0 && a->row1 == b->row1
         && a->width == b->width && a->height == b->height && a->by == b->by
         && a->generation == b->generation;
}

FlwWeatherGrid *
flw_weather_grid_new (const FlwWeatherView *view)
{
  FlwWeatherGrid *grid = g_new0 (FlwWeatherGrid, 1);
  double rows = view->row1 - view->row0;

  grid->view = *view;
  grid->row_lines = rows <= view->height;
  grid->first_row = grid->row_lines ? (guint) fmax (floor (view->row0), 0) : 0;
  grid->n_lines = grid->row_lines ? (guint) fmax (ceil (view->row1), 0) - grid->first_row : view->height;
  grid->klass = g_malloc ((gsize) grid->n_lines * view->width);
  memset (grid->klass, FLW_WEATHER_NONE, (gsize) grid->n_lines * view->width);
  grid->busy = g_new0 (float, (gsize) grid->n_lines * view->width);
  grid->n_tiles = (view->width + FLW_WEATHER_TILE - 1) / FLW_WEATHER_TILE;
  grid->touched = g_new0 (gboolean, grid->n_tiles);
  return grid;
}

void
flw_weather_grid_free (FlwWeatherGrid *grid)
{
  g_free (grid->klass);
  g_free (grid->busy);
  g_free (grid->touched);
  g_free (grid);
}

/* Time a to b (px from the left edge; b ≥ a) of a line. `gap`: leave the last pixel free where that leaves
 * enough, so that neighbours can be told apart. */
static void
fill (FlwWeatherGrid *grid, guint line, double a, double b, guint8 klass, gboolean gap)
{
  double width = grid->view.width;
  guint8 *klasses = grid->klass + (gsize) line * grid->view.width;
  float *busy = grid->busy + (gsize) line * grid->view.width;
  guint from, to;

  if (gap && b - a >= 4)
    b -= 1;
  if (b < 0 || a >= width)
    return;
  from = a > 0 ? (guint) a : 0;
  /* The pixel that an event ends in counts when the event reaches into it; one without length has that of
   * its start. */
  to = b < width ? MAX ((guint) ceil (b), from + 1) : grid->view.width;
  to = MIN (to, grid->view.width);
  for (guint x = from; x < to; x++)
    {
      if (klasses[x] == FLW_WEATHER_NONE || klass > klasses[x])
        klasses[x] = klass;
      busy[x] += (float) (fmin (b, x + 1) - fmax (a, x));
    }
  for (guint tile = from / FLW_WEATHER_TILE; tile <= (to - 1) / FLW_WEATHER_TILE; tile++)
    grid->touched[tile] = TRUE;
}

static void
add_entry (FlwWeatherGrid *grid, guint line, const FlwChunk *chunk, guint k)
{
  double scale = 1 / grid->view.ns_per_px;
  gint64 t0 = grid->view.t0;

  if (grid->view.by == FLW_WEATHER_BY_OUTCOME)
    {
      double a = (double) (chunk->start[k] - t0) * scale;
      fill (grid, line, a, a + (double) chunk->duration[k] * 1000 * scale, chunk->klass[k], TRUE);
      return;
    }
  for (guint s = 0; s < FLW_WEATHER_STAGES; s++)
    {
      gint64 from = flw_chunk_stage_start (chunk, k, s), to = flw_chunk_stage_start (chunk, k, s + 1);
      if (to > from || (s == 0 && chunk->duration[k] == 0))
        fill (grid, line, (double) (from - t0) * scale, (double) (to - t0) * scale, (guint8) (s + 1),
              s + 1 == FLW_WEATHER_STAGES);
    }
}

void
flw_weather_grid_add (FlwWeatherGrid *grid, GArray *slices)
{
  const FlwWeatherView *view = &grid->view;
  double lines_per_row = view->height / (view->row1 - view->row0);

  memset (grid->touched, 0, grid->n_tiles * sizeof *grid->touched);
  for (guint i = 0; i < slices->len; i++)
    {
      const FlwSlice *slice = &g_array_index (slices, FlwSlice, i);
      double at = ((double) slice->chunk->row - view->row0) * lines_per_row;
      guint line;

      if (grid->row_lines)
        {
          if (slice->chunk->row < grid->first_row || slice->chunk->row >= grid->first_row + grid->n_lines)
            continue;
          line = slice->chunk->row - grid->first_row;
        }
      else
        {
          if (at < 0 || at >= grid->n_lines)
            continue;
          line = (guint) at;
        }
      for (guint k = slice->from; k < slice->to; k++)
        add_entry (grid, line, slice->chunk, k);
    }
}

/* Even an instant of a rare class is nearly as bright as a busy pixel; a frequent one fades with idleness. */
static void
shades (FlwWeatherColour by, guint32 table[][LEVELS + 1])
{
  static const double least[FLW_CLASS_LAST] = { 0.5, 0.65, 0.85, 1 };
  guint n = by == FLW_WEATHER_BY_OUTCOME ? FLW_CLASS_LAST : FLW_WEATHER_STAGES + 1;

  for (guint c = 0; c < n; c++)
    for (guint i = 0; i <= LEVELS; i++)
      {
        guint32 rgb = by == FLW_WEATHER_BY_OUTCOME ? flw_class_colour ((FlwClass) c) : flw_stage_colour (c);
        double floor_ = by == FLW_WEATHER_BY_OUTCOME ? least[c] : 0.6;
        double w = floor_ + (1 - floor_) * i / LEVELS;
        guint32 out = 0xff000000u;

        for (int shift = 16; shift >= 0; shift -= 8)
          {
            double ground = (FLW_GROUND >> shift) & 0xff, full = (rgb >> shift) & 0xff;
            out |= (guint32) lround (ground + w * (full - ground)) << shift;
          }
        table[c][i] = out;
      }
}

static void
paint_line (const FlwWeatherGrid *grid, guint line, guint from, guint to, guint32 table[][LEVELS + 1],
            guint32 *out)
{
  const guint8 *klass = grid->klass + (gsize) line * grid->view.width;
  const float *busy = grid->busy + (gsize) line * grid->view.width;
  double rows = grid->row_lines ? 1 : (grid->view.row1 - grid->view.row0) / grid->view.height;
  float to_level = (float) (LEVELS / rows);

  for (guint x = from; x < to; x++)
    out[x - from] =
        klass[x] == FLW_WEATHER_NONE ? 0 : table[klass[x]][MIN ((guint) (busy[x] * to_level), LEVELS)];
}

cairo_surface_t *
flw_weather_grid_paint (const FlwWeatherGrid *grid, guint tile)
{
  const FlwWeatherView *view = &grid->view;
  guint from = tile * FLW_WEATHER_TILE, to = MIN (from + FLW_WEATHER_TILE, view->width);
  double px_per_row = view->height / (view->row1 - view->row0);
  int gap = grid->row_lines && px_per_row >= 5 ? 1 : 0;
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) (to - from), (int) view->height);
  guint32 table[FLW_WEATHER_STAGES + 1][LEVELS + 1];
  guint32 buffer[FLW_WEATHER_TILE];
  guint8 *pixels;
  int stride;

  cairo_surface_flush (surface);
  pixels = cairo_image_surface_get_data (surface);
  stride = cairo_image_surface_get_stride (surface);
  shades (view->by, table);
  for (guint line = 0; line < grid->n_lines; line++)
    {
      int y0 = (int) line, y1 = (int) line + 1;

      if (grid->row_lines)
        {
          y0 = (int) lround ((grid->first_row + line - view->row0) * px_per_row);
          y1 = (int) lround ((grid->first_row + line + 1 - view->row0) * px_per_row) - gap;
        }
      y0 = MAX (y0, 0);
      y1 = MIN (y1, (int) view->height);
      paint_line (grid, line, from, to, table, buffer);
      for (int y = y0; y < y1; y++)
        memcpy (pixels + (gsize) y * (gsize) stride, buffer, (to - from) * sizeof *buffer);
    }
  cairo_surface_mark_dirty (surface);
  return surface;
}
