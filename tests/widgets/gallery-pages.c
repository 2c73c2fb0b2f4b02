#include "tests/widgets/gallery-pages.h"

#include <math.h>
#include <string.h>

#include "tests/widgets/density-things.h"
#include "tests/widgets/synthetic.h"
#include "widgets/banner.h"
#include "widgets/colour-bar.h"
#include "widgets/curve-plot.h"
#include "widgets/density-level.h"
#include "widgets/empty-state.h"
#include "widgets/log-view.h"
#include "widgets/readout.h"
#include "widgets/sparkline.h"
#include "widgets/sphere-map.h"
#include "widgets/status-chip.h"
#include "widgets/tag-chips.h"

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
      FlwWeatherMarkKind kind = r == 11   ? FLW_MARK_STALLED
                                : r == 20 ? FLW_MARK_UNFINISHED
                                          : FLW_MARK_IN_FLIGHT;
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
  flw_image_view_set_visible (FLW_IMAGE_VIEW (view), spots[1].x - 18, spots[1].y - 12, spots[1].x + 18,
                              spots[1].y + 12);
  return view;
}

/* An indexed shot, so near that the indices are written. */
static GtkWidget *
image_lattices_page (void)
{
  GtkWidget *view = image_page ();
  const FlwImageSpot *spots;
  guint n_spots = synthetic_spots (&spots);
  g_autofree FlwImageSpot *known = g_memdup2 (spots, n_spots * sizeof *spots);
  FlwImagePrediction predictions[1500];

  for (guint i = 0; i < n_spots; i++)
    known[i].state = i % 5 == 4 ? FLW_SPOT_UNEXPLAINED : FLW_SPOT_EXPLAINED;
  synthetic_predictions (G_N_ELEMENTS (predictions), predictions);
  flw_image_view_set_spots (FLW_IMAGE_VIEW (view), n_spots, known);
  flw_image_view_set_predictions (FLW_IMAGE_VIEW (view), G_N_ELEMENTS (predictions), predictions);
  flw_image_view_set_visible (FLW_IMAGE_VIEW (view), -200, -150, 200, 150);
  return view;
}

static GtkWidget *
image_bar_page (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0), *view = image_page ();
  GtkWidget *bar = flw_colour_bar_new (flw_image_view_get_colour_map (FLW_IMAGE_VIEW (view)));

  gtk_widget_set_vexpand (view, TRUE);
  flw_colour_map_set_scale (flw_image_view_get_colour_map (FLW_IMAGE_VIEW (view)), FLW_SCALE_SQRT);
  flw_colour_bar_follow_image (FLW_COLOUR_BAR (bar), FLW_IMAGE_VIEW (view));
  gtk_box_append (GTK_BOX (box), view);
  gtk_box_append (GTK_BOX (box), bar);
  return box;
}

static GtkWidget *
readouts (void)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gint64 now = g_get_real_time ();
  const struct
  {
    const char *title, *unit, *widest, *text, *note;
    gint64 age;
    FlwTone tone;
    gboolean lost;
  } all[] = {
    { "Hit rate", "%", "100.0", "24.3", "last 200", 2, FLW_TONE_NEUTRAL, FALSE },
    { "Indexed", "%", "100.0", "61.8", NULL, 2, FLW_TONE_GOOD, FALSE },
    { "Newest shot", NULL, "00:00:00", "08:00:51", NULL, 47, FLW_TONE_NEUTRAL, FALSE },
    { "Lag", "shots", "00,000", "1,204", NULL, 1, FLW_TONE_WARNING, FALSE },
    { "Failed jobs", NULL, "000", "2", "r0043: truncated file", 0, FLW_TONE_BAD, FALSE },
    { "Beam energy", "eV", "00,000", "9,512", NULL, 380, FLW_TONE_NEUTRAL, TRUE },
    { "Resolution", "Å", "00.00", NULL, NULL, 0, FLW_TONE_NEUTRAL, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      GtkWidget *readout = flw_readout_new (all[i].title, all[i].unit, all[i].widest);
      flw_readout_set_value (FLW_READOUT (readout), all[i].text,
                             all[i].age > 0 ? now - all[i].age * 1000000 : 0);
      flw_readout_set_note (FLW_READOUT (readout), all[i].note);
      flw_readout_set_tone (FLW_READOUT (readout), all[i].tone);
      flw_readout_set_lost (FLW_READOUT (readout), all[i].lost);
      gtk_box_append (GTK_BOX (row), readout);
    }
  return row;
}

static GtkWidget *
small_page (void)
{
  static const char *const states[] = { "planned",   "submitting", "queued",    "running", "done", "failed",
                                        "cancelled", "timed-out",  "preempted", "up",      "slow", "lost" };
  static const char *const tags[] = {
    "lysozyme", "dark", "batch 3", "good", "pump 10 ps", "thaumatin", NULL
  };
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 14),
            *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18);
  GtkWidget *chips = flw_tag_chips_new (), *plain = flw_tag_chips_new (),
            *sparks = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18);
  GtkWidget *banner = flw_banner_new (), *bad = flw_banner_new (), *log = flw_log_view_new ();
  GtkWidget *empty = flw_empty_state_new (
      "folder-open-symbolic", "No runs yet",
      "Runs appear here as soon as their files are complete in the folders that are watched.");

  flw_banner_show (FLW_BANNER (banner), FLW_TONE_GOOD, "Trial 7 is ready: 12 jobs planned", "Undo", 0);
  flw_banner_show (FLW_BANNER (bad), FLW_TONE_BAD,
                   "r0043: run0043-2.h5: truncated file, expected 41,287,680 bytes", "Show", 0);
  gtk_box_append (GTK_BOX (box), banner);
  gtk_box_append (GTK_BOX (box), bad);
  gtk_box_append (GTK_BOX (box), readouts ());
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      GtkWidget *chip = flw_status_chip_new ();
      flw_status_chip_set_state (FLW_STATUS_CHIP (chip), states[i], NULL);
      gtk_box_append (GTK_BOX (row), chip);
    }
  gtk_box_append (GTK_BOX (box), row);
  flw_tag_chips_set_tags (FLW_TAG_CHIPS (plain), tags);
  flw_tag_chips_set_editable (FLW_TAG_CHIPS (chips), TRUE);
  flw_tag_chips_set_tags (FLW_TAG_CHIPS (chips), tags);
  flw_tag_chips_set_colour (FLW_TAG_CHIPS (chips), "good", "#f0e442");
  flw_tag_chips_set_colour (FLW_TAG_CHIPS (chips), "dark", "#101010");
  gtk_box_append (GTK_BOX (box), plain);
  gtk_box_append (GTK_BOX (box), chips);
  for (guint s = 0; s < 5; s++)
    {
      GtkWidget *line = flw_sparkline_new ();
      float values[40];
      for (guint i = 0; i < G_N_ELEMENTS (values); i++)
        values[i] = s == 4 || (s == 3 && i > 14 && i < 22)
                        ? NAN
                        : (float) (20 + 15 * sin (i * 0.3 + s) + 5 * sin (i * 1.7));
      flw_sparkline_set_values (FLW_SPARKLINE (line), G_N_ELEMENTS (values), values, s == 1 ? 100 : 0, " %");
      gtk_box_append (GTK_BOX (sparks), line);
    }
  gtk_box_append (GTK_BOX (box), sparks);
  for (guint i = 0; i < 60; i++)
    {
      g_autofree char *text =
          g_strdup_printf ("\033[32m08:00:%02u\033[0m rank %u: shot %u: %s\n", i, i % 4, i * 17,
                           i == 50 ? "error: chunk 17: checksum wrong" : "12 spots, miss");
      flw_log_view_append (FLW_LOG_VIEW (log), text, -1);
    }
  gtk_widget_set_size_request (log, -1, 160);
  gtk_box_append (GTK_BOX (box), log);
  flw_empty_state_set_action (FLW_EMPTY_STATE (empty), "Watch a folder …", "win.watch-folder");
  gtk_widget_set_vexpand (empty, TRUE);
  gtk_box_append (GTK_BOX (box), empty);
  return box;
}

/* The view and a level of each map below it. */
static GtkWidget *
with_levels (FlwDensityView *view, guint n_maps)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8),
            *levels = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);

  gtk_widget_set_vexpand (GTK_WIDGET (view), TRUE);
  gtk_box_set_homogeneous (GTK_BOX (levels), TRUE);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (view));
  gtk_box_append (GTK_BOX (box), levels);
  for (guint m = 0; m < n_maps; m++)
    gtk_box_append (GTK_BOX (levels), flw_density_level_new (view, m));
  return box;
}

/* A helix whose fifth side chain the first map lacks: the difference shows it. */
static GtkWidget *
helix_page (gboolean compare)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (flw_density_view_new ());
  const double centre[3] = { 16, 16, 16 };
  g_autoptr (FlwDensityModel) model = things_helix (16, centre);
  g_autoptr (FlwDensityVolume) sharp = things_density_of (model, 64, 0.5, 0.5, 9),
                               blunt = things_density_of (model, 64, 0.5, 0.8, 9),
                               missing = things_difference (model, 64, 0.5, 0.7, 9);
  guint n_atoms;
  const FlwDensityAtom *atoms = flw_density_model_atoms (model, &n_atoms);
  FlwDensityPeak peaks[] = { { .value = 11.3 }, { .value = -11.2 } };

  memcpy (peaks[0].place, atoms[8 * 5 + 4].place, sizeof peaks[0].place); /* CB of the ninth */
  memcpy (peaks[1].place, atoms[3 * 5 + 3].place, sizeof peaks[1].place); /* O of the fourth */
  flw_density_view_set_model (view, model);
  flw_density_view_set_map (view, 0, sharp, "2mFo−DFc", FALSE);
  if (compare)
    flw_density_view_set_rival (view, 0, blunt, "2mFo−DFc, version 2");
  else
    flw_density_view_set_map (view, 1, missing, "mFo−DFc", TRUE);
  flw_density_view_set_peaks (view, G_N_ELEMENTS (peaks), peaks, "σ");
  return with_levels (view, compare ? 1 : 2);
}

static GtkWidget *
density_page (void)
{
  return helix_page (FALSE);
}

static GtkWidget *
density_compare_page (void)
{
  return helix_page (TRUE);
}

static GtkWidget *
density_particle_page (void)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (flw_density_view_new ());
  g_autoptr (FlwDensityVolume) particle = things_particle (96);

  flw_density_view_set_map (view, 0, particle, "particle", FALSE);
  g_object_set (view, "style", FLW_DENSITY_SOLID, NULL);
  return with_levels (view, 1);
}

static GtkWidget *
curves (void)
{
  static const FlwCurveMark levels[] = { { 0.143, "0.143" }, { 0.5, "0.5" } };
  FlwCurvePoint points[40];
  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    points[i] = (FlwCurvePoint){ (i + 1) / 960., 1 / (1 + pow (i / 22., 6)) };
  FlwCurve curve = {
    "FSC", flw_class_colour (FLW_CLASS_INDEXED), FALSE, 0.143, G_N_ELEMENTS (points), points
  };
  FlwCurveChart chart = { .title = "Half sets",
                          .unit = "",
                          .n_curves = 1,
                          .curves = &curve,
                          .n_levels = G_N_ELEMENTS (levels),
                          .levels = levels,
                          .upper = 1.02,
                          .cursor = NAN };
  GtkWidget *plot = flw_curve_plot_new (FLW_AXIS_FREQUENCY, "Å");
  flw_curve_plot_set (FLW_CURVE_PLOT (plot), &chart);
  return plot;
}

static GtkWidget *
directions (void)
{
  FlwSphereDirection all[600];
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      double z = 1 - (i + 0.5) / G_N_ELEMENTS (all), r = sqrt (1 - z * z), about = i * G_PI * (3 - sqrt (5));
      all[i] = (FlwSphereDirection){ { r * cos (about), r * sin (about), z }, z > 0.95 ? 0 : 4 * (1 + z) };
    }
  GtkWidget *map = flw_sphere_map_new ("Orientations", "patterns");
  flw_sphere_map_set (FLW_SPHERE_MAP (map), G_N_ELEMENTS (all), all, 0.5);
  return map;
}

static GtkWidget *
reconstruction_page (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 2);
  gtk_box_set_homogeneous (GTK_BOX (box), TRUE);
  gtk_box_append (GTK_BOX (box), curves ());
  gtk_box_append (GTK_BOX (box), directions ());
  return box;
}

const GalleryPage gallery_pages[] = {
  { "small", small_page },
  { "density", density_page },
  { "density-compare", density_compare_page },
  { "density-particle", density_particle_page },
  { "reconstruction", reconstruction_page },
  { "image-bar", image_bar_page },
  { "image", image_page },
  { "image-near", image_near_page },
  { "image-lattices", image_lattices_page },
  { "strip", strip_page },
  { "strip-large", strip_large_page },
  { "strip-near", strip_near_page },
  { "weather", weather_page },
  { "weather-large", weather_large_page },
  { "weather-stage", weather_stage_page },
};
const guint gallery_n_pages = G_N_ELEMENTS (gallery_pages);
