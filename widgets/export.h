/* export.h: what every chart can do besides being looked at.
 *
 * Every chart has a read-only string property "summary": one line that is its tooltip, accessible
 * description, logbook text and test oracle. The drawing on the screen is also the drawing in files: the
 * widget's render node is replayed into PNG or, as vectors with text as text, into PDF or SVG. Thread:
 * main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The widget's "summary", else its tooltip, else "". Free with g_free. */
char *flw_chart_summary (GtkWidget *widget);
/* Writes the widget as it is now, by the suffix of `path`: .png, .pdf or .svg. The widget must be realized
 * and have a size. Errors: G_IO_ERROR. */
gboolean flw_widget_export (GtkWidget *widget, const char *path, GError **error);
G_END_DECLS
