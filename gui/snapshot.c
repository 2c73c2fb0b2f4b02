#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/snapshot.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* After the time asked for, it waits this long at most for the page to be drawn completely. */
#define PATIENCE_S 20

typedef struct
{
  FlgSnapshot wish;
  gint64 due;         /* monotonic µs */
  gboolean corrected; /* the window's size */
} Taking;

/* The window's own frame is no part of the picture: makes up for it. TRUE when the size was not right. */
static gboolean
correct_size (Taking *taking)
{
  const FlgSnapshot *wish = &taking->wish;
  int width = gtk_widget_get_width (GTK_WIDGET (wish->window));
  int height = gtk_widget_get_height (GTK_WIDGET (wish->window));
  if (!wish->width || width <= 0 || taking->corrected)
    return FALSE;
  taking->corrected = TRUE;
  if (width == wish->width && height == wish->height)
    return FALSE;
  gtk_window_set_default_size (GTK_WINDOW (wish->window), 2 * wish->width - width, 2 * wish->height - height);
  return TRUE;
}

static gboolean
try_it (gpointer data)
{
  Taking *taking = data;
  FlgSnapshot *wish = &taking->wish;
  gint64 now = g_get_monotonic_time ();
  if (!wish->window)
    return G_SOURCE_REMOVE;
  if (correct_size (taking))
    return G_SOURCE_CONTINUE;
  gboolean late = now > taking->due + PATIENCE_S * G_USEC_PER_SEC;
  if (now < taking->due || (!wish->settled (wish->data) && !late))
    return G_SOURCE_CONTINUE;
  g_autoptr (GError) error = NULL;
  if (!flg_window_save_picture (wish->window, wish->file, &error))
    {
      /* Between a change and its redraw there is no picture. */
      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED) && !late)
        return G_SOURCE_CONTINUE;
      g_printerr ("%s: %s\n", wish->file, error->message);
      *wish->status = 1;
    }
  gtk_window_close (GTK_WINDOW (wish->window));
  return G_SOURCE_REMOVE;
}

static void
taking_free (gpointer data)
{
  Taking *taking = data;
  g_clear_weak_pointer (&taking->wish.window);
  g_free (taking);
}

void
flg_snapshot_begin (const FlgSnapshot *snapshot)
{
  Taking *taking = g_new0 (Taking, 1);
  taking->wish = *snapshot;
  taking->due = g_get_monotonic_time () + llround (snapshot->after * 1e6);
  g_object_add_weak_pointer (G_OBJECT (snapshot->window), (gpointer *) &taking->wish.window);
  g_timeout_add_full (G_PRIORITY_DEFAULT, 100, try_it, taking, taking_free);
}

static void
on_first_frame (GdkFrameClock *clock, FlgWindow *window)
{
  g_signal_handlers_disconnect_by_func (clock, on_first_frame, window);
  g_autofree char *stat = NULL;
  double uptime = 0;
  unsigned long long start = 0;
  g_autofree char *up = NULL;
  if (g_file_get_contents ("/proc/uptime", &up, NULL, NULL)
      && g_file_get_contents ("/proc/self/stat", &stat, NULL, NULL))
    {
      uptime = g_ascii_strtod (up, NULL);
      const char *rest = strrchr (stat, ')');
      g_auto (GStrv) fields = g_strsplit (rest ? rest + 2 : "", " ", -1);
      if (g_strv_length (fields) > 19)
        start = g_ascii_strtoull (fields[19], NULL, 10);
    }
  g_print ("first frame after %.2f s (%s)\n", uptime - (double) start / (double) sysconf (_SC_CLK_TCK),
           flg_display_profile_renderer (GTK_WIDGET (window)));
}

void
flg_snapshot_time_start (FlgWindow *window)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (GTK_WIDGET (window));
  g_signal_connect_object (clock, "after-paint", G_CALLBACK (on_first_frame), window, 0);
}
