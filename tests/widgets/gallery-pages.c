#include "tests/widgets/gallery-pages.h"

#include <math.h>

#include "tests/widgets/synthetic.h"

#define T0 1800000000000000000 /* ns: one morning in 2027 */

static void
name_rows (FlwWeatherPlot *plot, guint n)
{
  g_autofree FlwWeatherRow *rows = g_new0 (FlwWeatherRow, n);

  for (guint r = 0; r < n; r++)
    rows[r].host = r < n / 2 ? "sdfmilan041" : "sdfmilan042";
  flw_weather_plot_set_rows (plot, n, rows);
}

static GtkWidget *
weather_page (void)
{
  GtkWidget *plot = flw_weather_plot_new ();
  guint n_rows = 32, n = n_rows * 220;
  g_autofree FlwWeatherEvent *events = synthetic_weather (n, n_rows, T0);
  gint64 now = 0;
  FlwWeatherMark marks[34];
  guint n_marks = 0;

  name_rows (FLW_WEATHER_PLOT (plot), n_rows);
  flw_weather_plot_append (FLW_WEATHER_PLOT (plot), n, events);
  for (guint i = 0; i < n; i++)
    now = MAX (now, events[i].start);
  for (guint r = 0; r < n_rows; r++)
    {
      FlwWeatherMarkKind kind = r == 11 ? FLW_MARK_STALLED : r == 20 ? FLW_MARK_UNFINISHED : FLW_MARK_IN_FLIGHT;
      gint64 since = now - (kind == FLW_MARK_IN_FLIGHT ? 80000000 * (r % 5 + 1) : 9000000000);
      marks[n_marks++] = (FlwWeatherMark){ .id = r, .since = since, .row = r, .stage = 3, .kind = kind };
    }
  flw_weather_plot_set_now (FLW_WEATHER_PLOT (plot), now + 100000000);
  flw_weather_plot_set_marks (FLW_WEATHER_PLOT (plot), n_marks, marks);
  return plot;
}

static GtkWidget *
weather_large_page (void)
{
  GtkWidget *plot = flw_weather_plot_new ();
  guint n_rows = 1024, n = 2000000;
  g_autofree FlwWeatherEvent *events = synthetic_events (n, n_rows, T0, 3600000000000);

  name_rows (FLW_WEATHER_PLOT (plot), n_rows);
  flw_weather_plot_append (FLW_WEATHER_PLOT (plot), n, events);
  return plot;
}

static GtkWidget *
weather_stage_page (void)
{
  GtkWidget *plot = weather_page ();
  FlwAxis *axis = flw_weather_plot_get_axis (FLW_WEATHER_PLOT (plot));

  flw_weather_plot_set_colour_by (FLW_WEATHER_PLOT (plot), FLW_WEATHER_BY_STAGE);
  flw_axis_set_range (axis, T0 * 1e-9 + 2, T0 * 1e-9 + 7);
  return plot;
}

static GtkWidget *
strips (guint n_runs, guint n_shots)
{
  GtkWidget *widget = flw_strip_plot_new ();
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  g_autofree guint8 *classes = g_new (guint8, n_shots);
  g_autofree float *spots = g_new (float, n_shots), *resolution = g_new (float, n_shots);
  guint hits = 1u << FLW_CLASS_HIT | 1u << FLW_CLASS_INDEXED;

  flw_strip_plot_add_strip (plot, FLW_STRIP_DOTS, "Strong spots", NULL, 2);
  flw_strip_plot_add_strip (plot, FLW_STRIP_SHARE, "Rates", "%", 1.2);
  flw_strip_plot_add_line (plot, "hits", hits, flw_class_colour (FLW_CLASS_HIT));
  flw_strip_plot_add_line (plot, "indexed", 1u << FLW_CLASS_INDEXED, flw_class_colour (FLW_CLASS_INDEXED));
  flw_strip_plot_add_strip (plot, FLW_STRIP_RESOLUTION, "Resolution of the strong spots", "Å", 1.4);
  for (guint r = 0; r < n_runs; r++)
    {
      g_autofree char *label = g_strdup_printf ("r%04u", 41 + r);
      guint n = n_shots - r * n_shots / (2 * n_runs);
      guint run = flw_strip_plot_add_run (plot, label);
      synthetic_shots (n, r, classes, spots, resolution);
      flw_strip_plot_append (plot, run, n, classes, (const float *const[]){ spots, resolution });
    }
  return widget;
}

static GtkWidget *
strip_page (void)
{
  return strips (4, 3000);
}

static GtkWidget *
strip_large_page (void)
{
  return strips (30, 60000);
}

static GtkWidget *
strip_near_page (void)
{
  GtkWidget *plot = strips (2, 600);
  flw_axis_set_range (flw_strip_plot_get_axis (FLW_STRIP_PLOT (plot)), 500, 700);
  return plot;
}

static GtkWidget *
image_page (void)
{
  GtkWidget *view = flw_image_view_new ();
  const FlwImagePanel *panels;
  const FlwImageSpot *spots;
  guint n_panels = synthetic_panels (&panels), n_spots = synthetic_spots (&spots);

  flw_image_view_set_panels (FLW_IMAGE_VIEW (view), n_panels, panels);
  flw_image_view_set_geometry (FLW_IMAGE_VIEW (view), 1.3, 120, 0.075);
  flw_image_view_set_spots (FLW_IMAGE_VIEW (view), n_spots, spots);
  flw_colour_map_suggest_range (flw_image_view_get_colour_map (FLW_IMAGE_VIEW (view)), 0, 120);
  flw_image_view_set_provider (FLW_IMAGE_VIEW (view), synthetic_provider, NULL, NULL);
  return view;
}

static GtkWidget *
image_near_page (void)
{
  GtkWidget *view = image_page ();
  const FlwImageSpot *spots;
  synthetic_spots (&spots);
  flw_image_view_set_visible (FLW_IMAGE_VIEW (view), spots[1].x - 18, spots[1].y - 12, spots[1].x + 18, spots[1].y + 12);
  return view;
}

const GalleryPage gallery_pages[] = {
  { "image", image_page },
  { "image-near", image_near_page },
  { "strip", strip_page },
  { "strip-large", strip_large_page },
  { "strip-near", strip_near_page },
  { "weather", weather_page },
  { "weather-large", weather_large_page },
  { "weather-stage", weather_stage_page },
};
const guint gallery_n_pages = G_N_ELEMENTS (gallery_pages);
