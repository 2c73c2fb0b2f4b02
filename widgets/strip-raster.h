/* strip-raster.h: from shots to pixels and lines, in a worker. Not for pages.
 *
 * A grid holds, for each device pixel of each dotted strip, the highest class and the number of shots;
 * shots that came since are added to it. Lines are made anew each time, from running totals: up to eight
 * windows a pixel column. Thread: as weather-raster.h. */
#pragma once

#include "widgets/strip-data.h"

#define FLW_STRIP_TILE       64
#define FLW_STRIP_NONE       0xff
#define FLW_STRIP_MAX_STRIPS 8
#define FLW_STRIP_MAX_LINES  8

typedef struct
{
  guint height;        /* device px; 0: no dots */
  int column;          /* of the values; −1: none */
  double lower, upper; /* values at the bottom and top edge */
  gboolean spread;     /* values are counts */
} FlwStripPlace;

typedef struct
{
  guint strip;
  int column; /* ≥ 0: windowed mean of the values; −1: share of classes, % */
  guint class_mask;
  guint of_mask; /* the classes that it is a share of */
  guint windows; /* it looks back on so many windows */
} FlwStripLine;

typedef struct
{
  double x0, shots_per_px;
  guint width;  /* device px */
  guint dot;    /* device px, least size of a dot */
  guint window; /* shots */
  guint generation;
  guint n_columns;
  guint n_strips, n_lines;
  FlwStripPlace strips[FLW_STRIP_MAX_STRIPS];
  FlwStripLine lines[FLW_STRIP_MAX_LINES];
} FlwStripView;

/* A line's value at each column; mean NaN: none, or the line is interrupted. */
typedef struct
{
  float least, mean, most;
} FlwLinePoint;

typedef struct
{
  FlwStripView view;
  guint n_tiles;
  guint8 *klass[FLW_STRIP_MAX_STRIPS]; /* height × width, or NULL */
  guint16 *count[FLW_STRIP_MAX_STRIPS];
  gboolean *touched; /* n_tiles */
} FlwStripGrid;

gboolean flw_strip_view_equal (const FlwStripView *a, const FlwStripView *b);
FlwStripGrid *flw_strip_grid_new (const FlwStripView *view);
void flw_strip_grid_free (FlwStripGrid *grid);
/* Adds shots done … n of each run, and notes the tiles that changed. */
void flw_strip_grid_add (FlwStripGrid *grid, const FlwRunView *runs, guint n_runs);
cairo_surface_t *flw_strip_grid_paint (const FlwStripGrid *grid, guint strip, guint tile);
/* view->width points of line `line`. */
void flw_strip_line_points (const FlwStripView *view, guint line, const FlwRunView *runs, guint n_runs,
                            FlwLinePoint *points);
/* Share (%) or mean over the window that ends with shot i of the run; NaN: too few shots. */
double flw_strip_line_value (const FlwStripView *view, guint line, const FlwRunView *run, guint64 i);
