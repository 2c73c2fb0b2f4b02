/* chrome.h: what surrounds data: ticks, grid lines, legends, retained as render nodes. Not for pages.
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/axis.h"

/* The area inside a plot's margins, logical px. */
typedef struct
{
  double x, y, width, height;
} FlwBox;

static inline graphene_rect_t
flw_box_rect (const FlwBox *box)
{
  return GRAPHENE_RECT_INIT ((float) box->x, (float) box->y, (float) box->width, (float) box->height);
}

/* Vertical grid lines over `box` and labels below `base`; title at the right end. */
void flw_chrome_x_axis (GtkWidget *widget, cairo_t *cr, FlwAxis *axis, const FlwBox *box, double base);
/* Horizontal grid lines over `box` and labels at its left. */
void flw_chrome_y_axis (GtkWidget *widget, cairo_t *cr, FlwAxis *axis, const FlwBox *box);
/* A dashed line across, with a word above (at the top: below) its right end; nothing where `value` is NaN or outside. */
void flw_chrome_level (GtkWidget *widget, cairo_t *cr, FlwAxis *axis, const FlwBox *box, double value,
                       const char *text);
/* A node drawn by cairo, W × H at the origin; `draw` paints it. */
typedef void (*FlwDrawFunc) (GtkWidget *widget, cairo_t *cr);
GskRenderNode *flw_chrome_node (GtkWidget *widget, const FlwBox *bounds, FlwDrawFunc draw);
/* A square of the colour and a word from (x, y centre); returns the x after it. */
double flw_chrome_key (GtkWidget *widget, cairo_t *cr, double x, double y, guint32 rgb, const char *text);
/* Wraps a worker's image surface (taken) for the renderer in use: a texture for GL, a retained cairo node
 * for cairo, where a texture would be copied whole at each frame. */
GskRenderNode *flw_surface_node (GtkWidget *widget, cairo_surface_t *surface, const graphene_rect_t *bounds);
/* For arrays of nodes with empty places. */
void flw_node_clear (gpointer node);
double flw_axis_to_px (FlwAxis *axis, const FlwBox *box, double value); /* along x */
double flw_axis_from_px (FlwAxis *axis, const FlwBox *box, double x);
double flw_axis_to_py (FlwAxis *axis, const FlwBox *box, double value); /* up y */
