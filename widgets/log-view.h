/* log-view.h: a growing text, seen from its end.
 *
 * Keeps the last `cap` bytes; drops ANSI escapes and control characters and repairs UTF-8; follows the end
 * until the user scrolls up, and again when they scroll back (or press End). Ctrl+F searches; F3, Shift+F3
 * next, previous; E the first error, Shift+E the last. Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define FLW_TYPE_LOG_VIEW (flw_log_view_get_type ())
G_DECLARE_FINAL_TYPE (FlwLogView, flw_log_view, FLW, LOG_VIEW, GtkWidget)

GtkWidget *flw_log_view_new (void);
/* Queues bytes; they are shown at the next idle moment, many appends at once. length −1: a C string. */
void flw_log_view_append (FlwLogView *view, const char *bytes, gssize length);
void flw_log_view_clear (FlwLogView *view);
void flw_log_view_set_cap (FlwLogView *view, gsize bytes); /* default 4 MiB */
/* Searches from the end backwards; FALSE when not found. */
gboolean flw_log_view_find (FlwLogView *view, const char *text, gboolean backwards);
/* The text as shown. Free with g_free. */
char *flw_log_view_get_text (FlwLogView *view);

G_END_DECLS
