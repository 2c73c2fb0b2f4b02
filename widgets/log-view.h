/* log-view.h: a growing text, seen from its end.
 *
 * Keeps the last `cap` bytes; drops ANSI escapes and control characters, repairs UTF-8, cuts lines after 2,000 bytes and says
 * how long they were; follows the end until the user scrolls up, and again when they scroll back (or press End). Ctrl+F
 * searches; F3, Shift+F3 next, previous; E the first error, Shift+E the last: of what is loaded, unless a handler of the
 * signal "error-asked" (gboolean last; returns gboolean) knows more and returns TRUE. Thread: main. */
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
/* How often the text is there, in any case, and which of them is selected (from 1; 0: none). */
guint flw_log_view_count (FlwLogView *view, const char *text, guint *selected);
/* Selects a line (from 0, of what is loaded) and scrolls to it; the end is no longer followed. */
void flw_log_view_show_line (FlwLogView *view, guint line);
/* Opens the search bar; `text` NULL: what was searched before. */
void flw_log_view_begin_search (FlwLogView *view, const char *text);
const char *flw_log_view_get_searched (FlwLogView *view);
/* Puts the owner's widget at the end of the search bar. */
void flw_log_view_add_to_search (FlwLogView *view, GtkWidget *widget);
/* What is selected, "": nothing. Free with g_free. */
char *flw_log_view_get_selected (FlwLogView *view);
/* The text as shown. Free with g_free. */
char *flw_log_view_get_text (FlwLogView *view);

G_END_DECLS
