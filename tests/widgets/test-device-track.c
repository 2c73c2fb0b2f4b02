/* What computed, and how busily: what the track says of uses that overlap, come late and last long. */
#include "tests/widgets/display.h"
#include "widgets/device-track.h"
#include "widgets/export.h"

#define START (G_GINT64_CONSTANT (1800000000) * 1000000000)
#define S     G_GINT64_CONSTANT (1000000000)

static void
assert_says (GtkWidget *track, const char *words)
{
  g_autofree char *summary = flw_chart_summary (track);
  g_assert_cmpstr (summary, ==, words);
}

static void
test_summary (void)
{
  GtkWidget *plot = g_object_ref_sink (flw_weather_plot_new ());
  GtkWidget *track = g_object_ref_sink (flw_device_track_new (FLW_WEATHER_PLOT (plot)));
  g_assert_false (gtk_widget_get_visible (track));
  assert_says (track, "No device has told of itself");
  /* Two ranks, half and a fifth of their time; the second a day later, when bins are not seconds any more. */
  const FlwDeviceUse uses[] = {
    { START, 2, 0, "cuda Made", "", 1, 40, 10, 3000000, 2000000000, 8000000000 },
    { START, 2, 0, "cuda Made", "dispersion", 0.75, 20, 0, 0, 0, 0 },
    { START, 2, 0, "cuda Made", "radial", 0.25, 20, 0, 0, 0, 0 },
    { START + 86400 * S, 2, 1, "cuda Made", "", 0.4, 4, 1, 1000000, 1000000, 8000000000 },
    { START - 3600 * S, 0, 2, "of no length", "", 1, 1, 1, 1, 1, 1 },
  };
  flw_device_track_append (FLW_DEVICE_TRACK (track), 3, uses);
  g_assert_true (gtk_widget_get_visible (track));
  assert_says (track,
               "cuda Made, 1 rank: busy 50.0\302\240%, mostly dispersion, 75\302\240% of it; memory at most "
               "2.0\302\240GB; 3.0\302\240MB moved");
  flw_device_track_append (FLW_DEVICE_TRACK (track), 2, uses + 3);
  assert_says (track,
               "cuda Made, 2 ranks: busy 35.0\302\240%, mostly dispersion, 75\302\240% of it; memory at most "
               "2.0\302\240GB; 4.0\302\240MB moved");
  flw_device_track_clear (FLW_DEVICE_TRACK (track));
  g_assert_false (gtk_widget_get_visible (track));
  assert_says (track, "No device has told of itself");
  g_object_unref (track);
  g_object_unref (plot);
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/device-track/summary", test_summary);
  return g_test_run ();
}
