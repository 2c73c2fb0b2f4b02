/* The small widgets: summaries, signals, what a log keeps; roles; export. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "tests/widgets/display.h"
#include "tests/widgets/synthetic.h"
#include "widgets/banner.h"
#include "widgets/export.h"
#include "widgets/log-view.h"
#include "widgets/readout.h"
#include "widgets/sparkline.h"
#include "widgets/status-chip.h"
#include "widgets/tag-chips.h"

static void
assert_summary (GtkWidget *widget, const char *expected)
{
  g_autofree char *summary = flw_chart_summary (widget);
  g_assert_cmpstr (summary, ==, expected);
}

static void
test_readout (void)
{
  GtkWidget *widget = g_object_ref_sink (flw_readout_new ("Hit rate", "%", "100.0"));
  FlwReadout *readout = FLW_READOUT (widget);
  gint64 now = g_get_real_time ();
  int before, after;

  gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, &before, NULL, NULL, NULL);
  assert_summary (widget, "Hit rate: no data");
  flw_readout_set_value (readout, "24.3", now - 2500000);
  assert_summary (widget, "Hit rate: 24.3 %, 2 s ago");
  flw_readout_set_note (readout, "last 200");
  assert_summary (widget, "Hit rate: 24.3 %, last 200 · 2 s ago");
  flw_readout_set_value (readout, "0.0", now - 200000000);
  assert_summary (widget, "Hit rate: 0.0 %, stale · 3 min ago"); /* old is not zero, and zero is not none */
  flw_readout_set_lost (readout, TRUE);
  assert_summary (widget, "Hit rate: 0.0 %, lost · 3 min ago");
  flw_readout_set_value (readout, NULL, 0);
  flw_readout_set_lost (readout, FALSE);
  flw_readout_set_note (readout, NULL);
  assert_summary (widget, "Hit rate: no data");
  gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, &after, NULL, NULL, NULL);
  g_assert_cmpint (before, ==, after);
  g_object_unref (widget);
}

/* What is too long ends inside the widget's margin, not at its edge in mid-letter. */
static void
test_readout_room (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0), *window;
  GtkWidget *widget = flw_readout_new ("Failed", "jobs", "0,000");
  cairo_surface_t *picture;
  guint ink = 0;

  flw_readout_set_value (FLW_READOUT (widget), "2", 0);
  flw_readout_set_note (FLW_READOUT (widget),
                        "r0043: run0043-2.h5: truncated file, expected 41,287,680 bytes");
  gtk_box_append (GTK_BOX (box), widget);
  window = display_show (box, 600, 100);
  picture = display_picture (widget, 1);
  for (int y = 0; y < gtk_widget_get_height (widget); y++)
    for (int x = 0; x < gtk_widget_get_width (widget); x++)
      if (display_pixel (picture, x, y) != 0)
        {
          g_assert_cmpint (x, <, gtk_widget_get_width (widget) - 8);
          ink++;
        }
  g_assert_cmpuint (ink, >, 100);
  cairo_surface_destroy (picture);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_ages (void)
{
  const struct
  {
    double seconds;
    const char *text;
  } ages[] = { { -5, "0 s" },   { 59.9, "59 s" },       { 60, "1 min" },      { 3599, "59 min" },
               { 3600, "1 h" }, { 47 * 3600., "47 h" }, { 3 * 86400., "3 d" } };

  for (guint i = 0; i < G_N_ELEMENTS (ages); i++)
    {
      g_autofree char *text = flw_format_age (ages[i].seconds);
      g_assert_cmpstr (text, ==, ages[i].text);
    }
}

static void
test_status (void)
{
  GtkWidget *chip = g_object_ref_sink (flw_status_chip_new ());

  flw_status_chip_set_state (FLW_STATUS_CHIP (chip), "timed-out", "walltime 30 min");
  assert_summary (chip, "timed out");
  flw_status_chip_set_state (FLW_STATUS_CHIP (chip), "levitating", NULL);
  assert_summary (chip, "levitating");
  g_object_unref (chip);
}

static void
test_sparkline (void)
{
  GtkWidget *line = g_object_ref_sink (flw_sparkline_new ());
  const float values[] = { 1, NAN, 7.5f, 3, NAN };

  assert_summary (line, "no values");
  flw_sparkline_set_values (FLW_SPARKLINE (line), 5, values, 0, " %");
  assert_summary (line, "last 3 %, from 1 to 7.5 over 5 values");
  flw_sparkline_set_values (FLW_SPARKLINE (line), 0, NULL, 0, NULL);
  assert_summary (line, "no values");
  g_object_unref (line);
}

static double
luminance (guint32 rgb)
{
  const double weights[] = { 0.2126, 0.7152, 0.0722 };
  double sum = 0;

  for (guint i = 0; i < 3; i++)
    {
      double c = ((rgb >> (16 - 8 * i)) & 0xff) / 255.;
      sum += weights[i] * (c <= 0.03928 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4));
    }
  return sum;
}

/* WCAG: 4.5 : 1 for text; white on chips, class and tone colours on the ground. */
static void
test_contrast (void)
{
  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *name = g_strdup_printf ("tag %u", i);
      g_assert_cmpfloat (1.05 / (luminance (flw_tag_colour (name)) + 0.05), >=, 4.5);
    }
  for (guint i = 0; i < 0x1000; i++) /* any colour a tag can have: 16 levels of each primary */
    {
      guint32 ground = ((i >> 8) * 17) << 16 | ((i >> 4 & 15) * 17) << 8 | (i & 15) * 17;
      double a = luminance (ground) + 0.05, b = luminance (flw_tag_text_colour (ground)) + 0.05;
      g_assert_cmpfloat (fmax (a, b) / fmin (a, b), >=, 4.5);
    }
  for (guint c = 0; c < FLW_CLASS_LAST; c++)
    g_assert_cmpfloat ((luminance (flw_class_colour ((FlwClass) c)) + 0.05) / (luminance (0x16181c) + 0.05),
                       >=, 4.5);
  for (guint t = FLW_TONE_NEUTRAL; t <= FLW_TONE_BAD; t++)
    g_assert_cmpfloat ((luminance (flw_tone_colour ((FlwTone) t)) + 0.05) / (luminance (0x22262c) + 0.05), >=,
                       4.5);
}

static void
note_name (FlwTagChips *chips, const char *name, char **noted)
{
  (void) chips;
  g_free (*noted);
  *noted = g_strdup (name);
}

static void
test_tags (void)
{
  GtkWidget *widget = flw_tag_chips_new (), *window = display_show (widget, 500, 60), *chip;
  const char *const names[] = { "lysozyme", "dark", NULL };
  g_autofree char *removed = NULL, *activated = NULL;

  g_signal_connect (widget, "tag-removed", G_CALLBACK (note_name), &removed);
  g_signal_connect (widget, "tag-activated", G_CALLBACK (note_name), &activated);
  flw_tag_chips_set_tags (FLW_TAG_CHIPS (widget), names);
  chip = gtk_widget_get_first_child (gtk_widget_get_first_child (widget));
  gtk_widget_activate_action (chip, "tag.remove", NULL);
  g_assert_null (removed); /* not editable */
  gtk_widget_activate_action (chip, "tag.activate", NULL);
  g_assert_cmpstr (activated, ==, "lysozyme");
  flw_tag_chips_set_editable (FLW_TAG_CHIPS (widget), TRUE);
  chip = gtk_widget_get_next_sibling (gtk_widget_get_first_child (gtk_widget_get_first_child (widget)));
  g_assert_true (gtk_test_accessible_has_role (GTK_ACCESSIBLE (chip), GTK_ACCESSIBLE_ROLE_BUTTON));
  gtk_widget_activate_action (chip, "tag.remove", NULL);
  g_assert_cmpstr (removed, ==, "dark");
  flw_tag_chips_begin_add (FLW_TAG_CHIPS (widget));
  flw_tag_chips_set_tags (FLW_TAG_CHIPS (widget), NULL);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
assert_ground (GtkWidget *chips, guint32 expected)
{
  GtkWidget *chip = gtk_widget_get_first_child (gtk_widget_get_first_child (chips));
  cairo_surface_t *picture = display_picture (chip, 1);

  g_assert_cmphex (display_pixel (picture, 5, gtk_widget_get_height (chip) / 2), ==, expected);
  cairo_surface_destroy (picture);
}

/* A tag's own colour, set before or after the tag is shown; by name when it has none. */
static void
test_tag_colours (void)
{
  GtkWidget *widget = flw_tag_chips_new (), *window = display_show (widget, 500, 60);
  FlwTagChips *chips = FLW_TAG_CHIPS (widget);
  const char *const names[] = { "lysozyme", "dark", NULL };
  const char *const none[] = { "", NULL, "green", "#12345", "#1234567", "#12345g" };

  flw_tag_chips_set_colour (chips, "lysozyme", "#f0E442");
  flw_tag_chips_set_tags (chips, names);
  display_wait_drawn (widget);
  assert_ground (widget, 0xf0e442);
  flw_tag_chips_set_colour (chips, "lysozyme", "#112233");
  flw_tag_chips_set_colour (chips, "dark", "#445566");
  display_wait_drawn (widget);
  assert_ground (widget, 0x112233);
  for (guint i = 0; i < G_N_ELEMENTS (none); i++)
    {
      flw_tag_chips_set_colour (chips, "lysozyme", "#112233");
      flw_tag_chips_set_colour (chips, "lysozyme", none[i]);
      display_wait_drawn (widget);
      assert_ground (widget, flw_tag_colour ("lysozyme"));
    }
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
assert_log (FlwLogView *log, const char *expected)
{
  g_autofree char *text = flw_log_view_get_text (log);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_log (void)
{
  GtkWidget *widget = flw_log_view_new (), *window = display_show (widget, 600, 300);
  FlwLogView *log = FLW_LOG_VIEW (widget);
  g_autofree char *text = NULL;

  /* Escapes, cut anywhere; a window title; a bell; a carriage return. */
  flw_log_view_append (log, "a\033[1;3", -1);
  flw_log_view_append (log, "1mred\033[0m\r\n\033]0;title\007b\001\a\n", -1);
  assert_log (log, "ared\nb\n");
  /* A character in two pieces, and one that never was. */
  flw_log_view_append (log, "5 \303", -1);
  assert_log (log, "ared\nb\n5 ");
  flw_log_view_append (log, "\205 \377.\n", -1);
  assert_log (log, "ared\nb\n5 Å \357\277\275.\n");
  flw_log_view_clear (log);
  assert_log (log, "");
  flw_log_view_set_cap (log, 4000);
  for (guint i = 0; i < 2000; i++)
    {
      g_autofree char *line = g_strdup_printf ("line %04u\n", i);
      flw_log_view_append (log, line, -1);
      if (i % 100 == 0)
        g_free (flw_log_view_get_text (log));
    }
  text = flw_log_view_get_text (log);
  g_assert_cmpuint (strlen (text), <=, 4000);
  g_assert_true (g_str_has_suffix (text, "line 1999\n"));
  g_assert_true (g_str_has_prefix (text, "line ")); /* cut at a line */
  g_assert_true (flw_log_view_find (log, "LINE 1950", TRUE));
  g_assert_true (flw_log_view_find (log, "line 1999", FALSE));
  g_assert_false (flw_log_view_find (log, "line 0001", TRUE));
  g_assert_false (flw_log_view_find (log, "", TRUE));
  gtk_window_destroy (GTK_WINDOW (window));
}

/* A line of a megabyte is cut, and says how long it was; lines keep their numbers. */
static void
test_log_lines (void)
{
  GtkWidget *widget = flw_log_view_new (), *window = display_show (widget, 600, 300);
  FlwLogView *log = FLW_LOG_VIEW (widget);
  g_autoptr (GString) text = g_string_new ("first error\n");
  g_autofree char *shown = NULL, *second = NULL, *third = NULL;
  guint which;

  for (guint i = 0; i < 1000000; i++)
    g_string_append_c (text, 'x');
  flw_log_view_append (log, text->str, 500000);
  flw_log_view_append (log, text->str + 500000, -1);
  flw_log_view_append (log, "\nthird ERROR\nlast\n", -1);
  shown = flw_log_view_get_text (log);
  g_assert_cmpuint (strlen (shown), <, 2100);
  g_assert_nonnull (strstr (shown, "xxx… 1.0 MB\nthird ERROR\nlast\n"));
  flw_log_view_show_line (log, 2);
  second = flw_log_view_get_selected (log);
  g_assert_cmpstr (second, ==, "third ERROR");
  g_assert_true (flw_log_view_find (log, "error", TRUE));
  g_assert_cmpuint (flw_log_view_count (log, "error", &which), ==, 2);
  g_assert_cmpuint (which, ==, 1);
  flw_log_view_show_line (log, 3);
  third = flw_log_view_get_selected (log);
  g_assert_cmpstr (third, ==, "last");
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Any bytes: what comes out is UTF-8 without control characters. */
static void
test_log_bytes (void)
{
  GtkWidget *widget = g_object_ref_sink (flw_log_view_new ());
  g_autofree char *text = NULL;

  for (guint i = 0; i < 2000; i++)
    {
      char bytes[64];
      guint n = (guint) g_test_rand_int_range (0, 64);
      for (guint k = 0; k < n; k++)
        bytes[k] = (char) g_test_rand_int_range (0, 256);
      flw_log_view_append (FLW_LOG_VIEW (widget), bytes, n);
    }
  text = flw_log_view_get_text (FLW_LOG_VIEW (widget));
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *c = text; *c != '\0'; c++)
    g_assert_true ((guchar) *c >= 0x20 || *c == '\n' || *c == '\t');
  g_object_unref (widget);
}

static void
test_roles (void)
{
  GtkWidget *widgets[] = { flw_weather_plot_new (), flw_strip_plot_new (), flw_image_view_new (),
                           flw_sparkline_new () };

  for (guint i = 0; i < G_N_ELEMENTS (widgets); i++)
    {
      g_object_ref_sink (widgets[i]);
      g_assert_true (gtk_test_accessible_has_role (GTK_ACCESSIBLE (widgets[i]), GTK_ACCESSIBLE_ROLE_IMG));
      g_object_unref (widgets[i]);
    }
}

static gboolean
is_settled (gpointer plot)
{
  return flw_weather_plot_get_settled (plot);
}

static void
test_export (void)
{
  GtkWidget *widget = flw_weather_plot_new (), *window;
  g_autofree FlwWeatherEvent *events = synthetic_weather (2000, 8, 1800000000000000000);
  g_autofree char *dir = g_dir_make_tmp ("widgets-XXXXXX", NULL);
  static const struct
  {
    const char *suffix, *begins, *contains;
  } kinds[] = { { "png", "\211PNG", "IDAT" },
                { "pdf", "%PDF", "/Type /Font" },
                { "svg", "<?xml", "<image" } };
  g_autoptr (GError) error = NULL;

  flw_weather_plot_append (FLW_WEATHER_PLOT (widget), 2000, events);
  window = display_show (widget, 700, 300);
  display_wait (is_settled, widget);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *name = g_strconcat ("plot.", kinds[i].suffix, NULL),
                      *path = g_build_filename (dir, name, NULL);
      g_autofree char *contents = NULL;
      gsize length;

      flw_widget_export (widget, path, &error);
      g_assert_no_error (error);
      g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
      g_assert_cmpuint (length, >, 4000);
      g_assert_true (strncmp (contents, kinds[i].begins, strlen (kinds[i].begins)) == 0);
      g_assert_nonnull (memmem (contents, length, kinds[i].contains, strlen (kinds[i].contains)));
      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_false (flw_widget_export (widget, "plot.docx", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_false (flw_widget_export (widget, "/nonexistent/plot.png", &error));
  g_assert_nonnull (error);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_banner (void)
{
  GtkWidget *widget = flw_banner_new (), *window = display_show (widget, 500, 100);

  flw_banner_show (FLW_BANNER (widget), FLW_TONE_BAD, "r0043: damaged file", "Show", 0);
  g_assert_true (gtk_widget_has_css_class (widget, "bad"));
  flw_banner_show (FLW_BANNER (widget), FLW_TONE_GOOD, "done", NULL, 1);
  g_assert_false (gtk_widget_has_css_class (widget, "bad"));
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/small/readout", test_readout);
  g_test_add_func ("/small/readout-room", test_readout_room);
  g_test_add_func ("/small/ages", test_ages);
  g_test_add_func ("/small/status", test_status);
  g_test_add_func ("/small/sparkline", test_sparkline);
  g_test_add_func ("/small/contrast", test_contrast);
  g_test_add_func ("/small/tags", test_tags);
  g_test_add_func ("/small/tag-colours", test_tag_colours);
  g_test_add_func ("/small/log", test_log);
  g_test_add_func ("/small/log-lines", test_log_lines);
  g_test_add_func ("/small/log-bytes", test_log_bytes);
  g_test_add_func ("/small/roles", test_roles);
  g_test_add_func ("/small/export", test_export);
  g_test_add_func ("/small/banner", test_banner);
  return g_test_run ();
}
