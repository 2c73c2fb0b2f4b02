/* weather-plot.h: the computational weather plot: what every rank did, when.
 *
 * Rows are ranks, grouped by host; x is wall time. An event is one shot on one rank. Rows may be many more
 * than pixels and events many more than both: a pixel shows the highest class present (rare beats frequent)
 * and, by its brightness, how busy it was; nothing is sampled. What is in flight, stalled or never finished
 * is drawn over the raster as a shape, never merged into it. Rasters are made by a worker thread; the main
 * thread only wraps them.
 *
 * Keys: ← → pan time, ↑ ↓ pan ranks, + − zoom time, Ctrl + − zoom ranks, Home/End, F fit and follow, Escape
 * drops the brush, Return activates the event under the cursor; wheel zooms time at the pointer (Ctrl:
 * ranks), drag pans, Shift-drag brushes a time range, Shift + ← → moves the keyboard cursor. Properties:
 * "summary" (string, read-only), "axis" (FlwAxis of seconds since 1970), "colour-by" (FlwWeatherColour).
 * Signals: "event-activated" (guint64 id), "mark-activated" (guint row, guint64 id), "brush-changed"
 * (double from, double to; seconds, equal when dropped). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/axis.h"
#include "widgets/palette.h"

G_BEGIN_DECLS

#define FLW_WEATHER_STAGES 5

typedef enum
{
  FLW_WEATHER_BY_OUTCOME,
  FLW_WEATHER_BY_STAGE
} FlwWeatherColour;

typedef struct
{
  guint64 id;                           /* the caller's own; given back by the signals */
  gint64 start;                         /* ns UTC */
  guint32 duration[FLW_WEATHER_STAGES]; /* µs: read, find, index, refine, integrate, one after the other */
  guint32 row;
  guint8 klass; /* FlwClass */
} FlwWeatherEvent;

typedef struct
{
  const char *host;  /* rows of one host lie together; NULL = not known */
  const char *label; /* "rank 17"; NULL = "rank ROW" */
} FlwWeatherRow;

typedef enum
{
  FLW_MARK_IN_FLIGHT, /* ▷ hollow: a shot is being processed */
  FLW_MARK_STALLED,   /* ▶ filled, with its age: for too long */
  FLW_MARK_UNFINISHED /* ✕ never finished: the process ended */
} FlwWeatherMarkKind;

typedef struct
{
  guint64 id;
  gint64 since; /* ns UTC */
  guint32 row;
  guint8 stage; /* 0–5, see flw_stage_name() */
  guint8 kind;  /* FlwWeatherMarkKind */
} FlwWeatherMark;

#define FLW_TYPE_WEATHER_PLOT (flw_weather_plot_get_type ())
G_DECLARE_FINAL_TYPE (FlwWeatherPlot, flw_weather_plot, FLW, WEATHER_PLOT, GtkWidget)

GtkWidget *flw_weather_plot_new (void);
FlwAxis *flw_weather_plot_get_axis (FlwWeatherPlot *plot); /* transfer none */
/* Where along the widget the axis lies, px: for what is drawn under it. */
void flw_weather_plot_get_span (FlwWeatherPlot *plot, double *left, double *width);

/* Names the rows from 0 to n_rows − 1. Rows of events beyond them are added as "rank N". Copies. */
void flw_weather_plot_set_rows (FlwWeatherPlot *plot, guint n_rows, const FlwWeatherRow *rows);
/* Any order of rows and times; cheapest when each row's times rise. Copies. 10⁴ events in under 1 ms. */
void flw_weather_plot_append (FlwWeatherPlot *plot, guint n, const FlwWeatherEvent *events);
/* What has been appended is drawn at once, instead of at the pace of a live plot. */
void flw_weather_plot_show_all (FlwWeatherPlot *plot);
/* Replaces all marks. */
void flw_weather_plot_set_marks (FlwWeatherPlot *plot, guint n, const FlwWeatherMark *marks);
/* The clock's present, ns UTC, for the "now" line and ages of marks; 0 = no "now" (an archive). */
void flw_weather_plot_set_now (FlwWeatherPlot *plot, gint64 now);
void flw_weather_plot_clear (FlwWeatherPlot *plot);
/* FALSE: nothing is to be indexed; hits are hits then. */
void flw_weather_plot_set_indexing (FlwWeatherPlot *plot, gboolean indexing);
void flw_weather_plot_set_colour_by (FlwWeatherPlot *plot, FlwWeatherColour colour_by);

/* How many events of each class overlap [from, to) in rows first..last; for hover, brush and tests. */
void flw_weather_plot_count (FlwWeatherPlot *plot, guint first_row, guint last_row, double from, double to,
                             guint64 counts[FLW_CLASS_LAST]);
guint64 flw_weather_plot_get_n_events (FlwWeatherPlot *plot);
/* TRUE when no worker is busy and everything appended is drawn. */
gboolean flw_weather_plot_get_settled (FlwWeatherPlot *plot);

G_END_DECLS
