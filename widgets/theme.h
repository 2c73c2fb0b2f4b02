/* theme.h: what the room's charts have in common when they draw: greys, type sizes, text. Not for pages.
 *
 * Charts are dark on every theme: the class colours were chosen for this ground. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/palette.h"

#define FLW_GROUND 0x16181c /* behind data */
#define FLW_PLATE  0x22262c /* behind text that lies over data */
#define FLW_GRID   0x343a42
#define FLW_RULE   0x59616c /* lines that separate things: runs, hosts */
#define FLW_TEXT   0xe6e9ed
#define FLW_DIM    0xa7aeb8
#define FLW_FOCUS  0x7fb8ff

#define FLW_POINTS_SMALL 11.0 /* nothing on a chart is smaller */
#define FLW_POINTS_BODY  12.0

/* Font of the widget at that size, digits of equal width. Transfer full. */
PangoLayout *flw_text_layout (GtkWidget *widget, double points, gboolean bold, const char *text);
/* Draws `text` with its point (xalign, yalign; 0–1) at (x, y); returns its width, px. */
double flw_text_draw (GtkWidget *widget, cairo_t *cr, double points, const char *text, double x, double y,
                      double xalign, double yalign, guint32 rgb);
/* The same from its top left corner, cut to `room` px with an ellipsis at the end. */
double flw_text_draw_within (GtkWidget *widget, cairo_t *cr, double points, const char *text, double x,
                             double y, double room, guint32 rgb);
void flw_text_size (GtkWidget *widget, double points, const char *text, int *width, int *height);
/* Lines of `text` on a plate beside (x, y), kept inside `bounds`: the hover readout. Appends one node. */
void flw_text_callout (GtkWidget *widget, GtkSnapshot *snapshot, const char *text, double x, double y,
                       const graphene_rect_t *bounds);
/* A frame inside the widget's edge when it has the focus that keys follow. */
void flw_draw_focus (GtkWidget *widget, GtkSnapshot *snapshot);
/* A plain rectangle. */
void flw_fill (GtkSnapshot *snapshot, double x, double y, double width, double height, guint32 rgb,
               double alpha);
/* "12,345". Free with g_free. */
char *flw_format_count (guint64 count);
/* Notifies property "summary" and passes it on as the accessible description. */
void flw_chart_summary_changed (GtkWidget *widget);
/* Role, focus and the "summary" property (number `property`) of a chart's class. */
void flw_chart_class_init (GtkWidgetClass *klass, guint property, const char *css_name);
