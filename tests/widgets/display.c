#include "tests/widgets/display.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
display_init (int *argc, char ***argv)
{
  if (!gtk_init_check ())
    {
      printf ("TAP version 13\n1..0 # SKIP no display: run the suite under xvfb-run\n");
      exit (0);
    }
  g_test_init (argc, argv, NULL);
}

static gboolean
on_deadline (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

void
display_wait (gboolean (*done) (gpointer data), gpointer data)
{
  gboolean late = FALSE;
  guint timer = g_timeout_add_seconds (20, on_deadline, &late);

  while (!done (data) && !late)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (late);
  g_source_remove (timer);
}

static gboolean
is_laid_out (gpointer widget)
{
  return gtk_widget_get_mapped (widget) && gtk_widget_get_width (widget) > 0;
}

GtkWidget *
display_show (GtkWidget *widget, int width, int height)
{
  GtkWidget *window = gtk_window_new ();

  gtk_window_set_decorated (GTK_WINDOW (window), FALSE);
  gtk_window_set_default_size (GTK_WINDOW (window), width, height);
  gtk_window_set_child (GTK_WINDOW (window), widget);
  gtk_window_present (GTK_WINDOW (window));
  display_wait (is_laid_out, widget);
  return window;
}

static gboolean
is_true (gpointer flag)
{
  return *(gboolean *) flag;
}

static void
on_painted (GdkFrameClock *clock, gboolean *flag)
{
  (void) clock;
  *flag = TRUE;
}

void
display_wait_drawn (GtkWidget *widget)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (widget);
  gboolean painted = FALSE;
  gulong handler = g_signal_connect (clock, "after-paint", G_CALLBACK (on_painted), &painted);

  gtk_widget_queue_draw (widget);
  display_wait (is_true, &painted);
  g_signal_handler_disconnect (clock, handler);
}

cairo_surface_t *
display_picture (GtkWidget *widget, double scale)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (widget);
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  cairo_surface_t *picture = cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) ceil (width * scale),
                                                         (int) ceil (height * scale));
  cairo_t *cr = cairo_create (picture);
  GskRenderNode *node;

  gdk_paintable_snapshot (paintable, snapshot, width, height);
  node = gtk_snapshot_free_to_node (snapshot);
  g_assert_nonnull (node);
  cairo_scale (cr, scale, scale);
  gsk_render_node_draw (node, cr);
  gsk_render_node_unref (node);
  cairo_destroy (cr);
  cairo_surface_flush (picture);
  return picture;
}

guint32
display_pixel (cairo_surface_t *picture, int x, int y)
{
  const guchar *data = cairo_image_surface_get_data (picture);
  guint32 pixel;

  g_assert_cmpint (x, >=, 0);
  g_assert_cmpint (x, <, cairo_image_surface_get_width (picture));
  g_assert_cmpint (y, >=, 0);
  g_assert_cmpint (y, <, cairo_image_surface_get_height (picture));
  memcpy (&pixel, data + (gsize) y * (gsize) cairo_image_surface_get_stride (picture) + 4 * (gsize) x,
          sizeof pixel);
  return pixel & 0xffffff;
}
