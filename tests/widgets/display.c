#include "tests/widgets/display.h"

#include <stdlib.h>

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
