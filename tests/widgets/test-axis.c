/* Ticks, formats, zoom, pan and following of FlwAxis: closed forms. No display. */
#include <glib.h>
#include <math.h>

#include "widgets/axis.h"

static void
assert_labels (FlwAxis *axis, guint most, const char *const *labels)
{
  FlwTick ticks[64];
  guint n = flw_axis_ticks (axis, most, ticks);

  for (guint i = 0; i < n; i++)
    g_assert_cmpstr (ticks[i].label, ==, labels[i]);
  g_assert_null (labels[n]);
}

static void
test_numbers (void)
{
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_NUMBER, "spots", NULL);

  flw_axis_set_range (axis, 0, 250);
  assert_labels (axis, 6, (const char *const[]){ "0", "50", "100", "150", "200", "250", NULL });
  flw_axis_set_range (axis, -0.35, 0.22);
  assert_labels (axis, 7, (const char *const[]){ "-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", NULL });
  flw_axis_set_range (axis, 0, 2e6);
  assert_labels (axis, 5, (const char *const[]){ "0", "500 k", "1.0 M", "1.5 M", "2.0 M", NULL });
  flw_axis_set_range (axis, 0, 10000);
  assert_labels (axis, 3, (const char *const[]){ "0", "5000", "10 k", NULL });
}

static void
test_counts_are_whole (void)
{
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_COUNT, "shot", NULL);
  FlwTick ticks[64];
  g_autofree char *text = flw_axis_format (axis, 1234567);
  guint n;

  flw_axis_set_range (axis, 3, 13);
  n = flw_axis_ticks (axis, 60, ticks);
  g_assert_cmpuint (n, ==, 11);
  for (guint i = 0; i < n; i++)
    g_assert_cmpfloat (ticks[i].value, ==, 3 + i);
  g_assert_cmpstr (text, ==, "1,234,567");
}

static void
test_time (void)
{
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_TIME, NULL, NULL);
  g_autofree char *text = NULL;
  double t0 = 1800000000; /* 2027-01-15 08:00:00 UTC; the test runs with TZ=UTC */

  flw_axis_set_range (axis, t0, t0 + 40);
  assert_labels (axis, 5,
                 (const char *const[]){ "08:00:00", "08:00:10", "08:00:20", "08:00:30", "08:00:40", NULL });
  flw_axis_set_range (axis, t0 - 10, t0 + 3 * 3600);
  assert_labels (axis, 5, (const char *const[]){ "08:00", "09:00", "10:00", "11:00", NULL });
  flw_axis_set_range (axis, t0, t0 + 1);
  assert_labels (axis, 6,
                 (const char *const[]){ "08:00:00.0", "08:00:00.2", "08:00:00.4", "08:00:00.6", "08:00:00.8",
                                        "08:00:01.0", NULL });
  text = flw_axis_format (axis, t0 + 0.1234);
  g_assert_cmpstr (text, ==, "08:00:00.123");
}

/* Labels are d, places are 1/d²; near neighbours are left out. */
static void
test_resolution (void)
{
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_RESOLUTION, "resolution", "Å");
  FlwTick ticks[32];
  g_autofree char *text = flw_axis_format (axis, 0.25);
  guint n;

  flw_axis_set_range (axis, 0, 0.5);
  n = flw_axis_ticks (axis, 10, ticks);
  g_assert_cmpuint (n, >=, 4);
  for (guint i = 0; i < n; i++)
    {
      double d = g_ascii_strtod (ticks[i].label, NULL);
      g_assert_cmpfloat_with_epsilon (ticks[i].value, 1 / (d * d), 1e-12);
      if (i > 0)
        g_assert_cmpfloat (ticks[i].value - ticks[i - 1].value, >=, 0.7 * 0.05 - 1e-12);
    }
  g_assert_cmpstr (text, ==, "2.00 Å");
}

static void
test_frequency (void)
{
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_FREQUENCY, "resolution", "Å");
  FlwTick ticks[32];
  g_autofree char *text = flw_axis_format (axis, 0.04), *middle = flw_axis_format (axis, 0);
  guint n;

  flw_axis_set_range (axis, 0, 0.05);
  n = flw_axis_ticks (axis, 6, ticks);
  g_assert_cmpuint (n, >=, 4);
  for (guint i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (ticks[i].value * g_ascii_strtod (ticks[i].label, NULL), 1, 1e-12);
  for (guint i = 1; i < n; i++)
    g_assert_cmpfloat (ticks[i].value - ticks[i - 1].value, >=, 0.7 * 0.05 / 6 - 1e-12);
  g_assert_cmpstr (text, ==, "25.0 Å");
  g_assert_cmpstr (middle, ==, "∞ Å");
}

static void
test_decades (void)
{
  static const char *const few[] = { "1", "10", "100", "1000", "10 k", "100 k" }, *const more[] = { "20",
                                                                                                    "50",
                                                                                                    "100" };
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_DECADES, "photons", NULL);
  FlwTick ticks[32];
  g_autofree char *text = flw_axis_format (axis, log10 (814));

  flw_axis_set_range (axis, 0, 5);
  g_assert_cmpuint (flw_axis_ticks (axis, 8, ticks), ==, G_N_ELEMENTS (few));
  for (guint i = 0; i < G_N_ELEMENTS (few); i++)
    {
      g_assert_cmpstr (ticks[i].label, ==, few[i]);
      g_assert_cmpfloat_with_epsilon (ticks[i].value, i, 1e-12);
    }
  flw_axis_set_range (axis, 1.2, 2.2);
  g_assert_cmpuint (flw_axis_ticks (axis, 8, ticks), ==, G_N_ELEMENTS (more));
  for (guint i = 0; i < G_N_ELEMENTS (more); i++)
    g_assert_cmpstr (ticks[i].label, ==, more[i]);
  g_assert_cmpstr (text, ==, "814");
}

static void
test_zoom_keeps_the_point (void)
{
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_NUMBER, NULL, NULL);
  double at = 37, before;

  flw_axis_set_limits (axis, 0, 100);
  before = (at - flw_axis_get_lower (axis)) / (flw_axis_get_upper (axis) - flw_axis_get_lower (axis));
  flw_axis_zoom (axis, 4, at);
  g_assert_cmpfloat_with_epsilon ((at - flw_axis_get_lower (axis))
                                      / (flw_axis_get_upper (axis) - flw_axis_get_lower (axis)),
                                  before, 1e-12);
  g_assert_false (flw_axis_get_follow (axis));
  for (int i = 0; i < 20; i++)
    flw_axis_zoom (axis, 0.5, at);
  /* Out as far as one likes: all of the data, and little more. */
  g_assert_cmpfloat (flw_axis_get_lower (axis), <=, 0);
  g_assert_cmpfloat (flw_axis_get_upper (axis), >=, 100);
  g_assert_cmpfloat (flw_axis_get_upper (axis) - flw_axis_get_lower (axis), <=, 125);
  flw_axis_set_range (axis, NAN, 3);
  g_assert_true (isfinite (flw_axis_get_lower (axis)));
}

static guint moved;

static void
count (void)
{
  moved++;
}

/* Growing data move the range in steps, not at every append; a range that was panned back stays. */
static void
test_follow (void)
{
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_COUNT, NULL, NULL);
  double lower;

  flw_axis_set_limits (axis, 0, 1000);
  g_signal_connect (axis, "range-changed", G_CALLBACK (count), NULL);
  for (int n = 1001; n <= 10000; n++)
    {
      flw_axis_set_limits (axis, 0, n);
      g_assert_cmpfloat (flw_axis_get_upper (axis), >=, n);
    }
  g_assert_cmpuint (moved, <, 40);
  flw_axis_set_range (axis, 9000, 10100); /* a window at the end follows too */
  flw_axis_set_limits (axis, 0, 10200);
  g_assert_cmpfloat (flw_axis_get_upper (axis), >, 10200);
  g_assert_cmpfloat_with_epsilon (flw_axis_get_upper (axis) - flw_axis_get_lower (axis), 1100, 1e-9);
  flw_axis_pan (axis, -3000);
  lower = flw_axis_get_lower (axis);
  flw_axis_set_limits (axis, 0, 20000);
  g_assert_cmpfloat (flw_axis_get_lower (axis), ==, lower);
  flw_axis_fit (axis);
  g_assert_true (flw_axis_get_follow (axis));
  g_assert_cmpfloat (flw_axis_get_lower (axis), ==, 0);
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/axis/numbers", test_numbers);
  g_test_add_func ("/axis/counts", test_counts_are_whole);
  g_test_add_func ("/axis/time", test_time);
  g_test_add_func ("/axis/resolution", test_resolution);
  g_test_add_func ("/axis/frequency", test_frequency);
  g_test_add_func ("/axis/decades", test_decades);
  g_test_add_func ("/axis/zoom", test_zoom_keeps_the_point);
  g_test_add_func ("/axis/follow", test_follow);
  return g_test_run ();
}
