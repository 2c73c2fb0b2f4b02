/* weather-raster.h: from events to pixels, in a worker. Not for pages.
 *
 * The grid holds, for each device pixel column and each line (a visible row, or a pixel row where rows are
 * more), the highest class and how long it was busy. New events are added to an existing grid; another view
 * needs a new one. Thread: a grid belongs to whoever holds it: the plot, or the job that it is lent to. */
#pragma once

#include "widgets/weather-data.h"

#define FLW_WEATHER_TILE 64 /* device px wide */
#define FLW_WEATHER_NONE 0xff

typedef struct
{
  gint64 t0;           /* ns at the left edge */
  double ns_per_px;    /* device px */
  double row0, row1;   /* at the top and bottom edge */
  guint width, height; /* device px */
  FlwWeatherColour by;
  guint generation; /* of the data: rises when events are forgotten */
} FlwWeatherView;

typedef struct
{
  FlwWeatherView view;
  guint first_row; /* line 0 */
  guint n_lines;
  gboolean row_lines; /* a line is a row; else a line is a pixel row */
  guint8 *klass;      /* n_lines × width */
  float *busy;        /* fraction of the pixel's time × rows */
  guint n_tiles;
  gboolean *touched; /* tiles changed by the last add */
} FlwWeatherGrid;

gboolean flw_weather_view_equal (const FlwWeatherView *a, const FlwWeatherView *b);
FlwWeatherGrid *flw_weather_grid_new (const FlwWeatherView *view);
void flw_weather_grid_free (FlwWeatherGrid *grid);
/* Forgets which tiles were touched, adds, and notes those that it touches. */
void flw_weather_grid_add (FlwWeatherGrid *grid, GArray *slices);
/* ARGB32 surface of tile `tile`, the view's height. */
cairo_surface_t *flw_weather_grid_paint (const FlwWeatherGrid *grid, guint tile);
