/* image-view.h: a large image seen through a window, asked for piece by piece.
 *
 * The view owns no image: when it needs pixels it calls its provider with a rectangle of the assembled
 * image and a raster size, and the provider answers when it can, with flw_image_view_deliver() on the main
 * thread (at once or much later; answers to overtaken requests are dropped by their serial). Until then the
 * old raster stays, moved and scaled. Coordinates: pixels of the assembled image, x to the right, y down,
 * the beam at (0, 0) unless set otherwise. Raster values: NaN = no panel there, −INFINITY = bad pixel.
 *
 * Over the image lie panels, rings, spots that were found (squares; a diamond where others are explained and
 * this one is not) and reflections that are predicted (circles in the colour of their lattice, dashed where
 * nothing was integrated). Miller indices are written beside the circles when few enough are in view.
 *
 * Keys: arrows pan, + − zoom, 1 one image pixel to one screen pixel, F fit, R rings, S spots, L predictions
 * of lattices, P panels; wheel zooms at the pointer, drag pans. Shift + arrows move a keyboard cursor, whose readout is the same
 * as the pointer's. Properties: "summary" (string, read-only), "readout" (string, read-only: what is under
 * the cursor), "show-spots", "show-predictions", "show-rings", "show-panels", "show-values", "show-mask" (boolean), "colour-map"
 * (FlwColourMap). Signals: "raster-changed" (), "spot-activated" (guint index), "clicked" (double x, double
 * y), "drawn" (guint tool, guint n, gpointer corners).
 *
 * With a tool a drag draws a shape instead of moving the image (with Ctrl it still does), and clicks draw a polygon: Enter or a
 * click on the first corner closes it, Backspace takes the last corner back, Escape all. "drawn" then tells n corners as x, y
 * pairs of doubles: two opposite ones of a rectangle or of the box round an ellipse, all of a polygon. A mask, as the share
 * of each raster pixel that is masked, is blended into the picture; "show-mask" says whether it is. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/colour-map.h"

G_BEGIN_DECLS

#define FLW_TYPE_IMAGE_VIEW (flw_image_view_get_type ())
G_DECLARE_FINAL_TYPE (FlwImageView, flw_image_view, FLW, IMAGE_VIEW, GtkWidget)

typedef struct
{
  guint64 serial;        /* to be given back */
  double x0, y0, x1, y1; /* of the assembled image */
  guint width, height;   /* of the raster */
  gboolean nearest;      /* zoomed in: the nearest pixel's own value is wanted, not a mean or maximum */
} FlwImageRequest;

typedef void (*FlwImageProvider) (FlwImageView *view, const FlwImageRequest *request, gpointer user_data);

typedef struct
{
  const char *name;
  double x, y;       /* corner of the panel's first pixel */
  double fs_x, fs_y; /* step of one pixel along fast scan */
  double ss_x, ss_y;
  guint n_fs, n_ss;
} FlwImagePanel;

typedef enum
{
  FLW_SPOT_PLAIN,      /* nothing is known about lattices */
  FLW_SPOT_EXPLAINED,  /* by a lattice */
  FLW_SPOT_UNEXPLAINED /* by none of those that there are */
} FlwSpotState;

typedef struct
{
  double x, y;
  double radius; /* image pixels; drawn at least 5 screen pixels */
  double d;      /* Å; 0 = not known */
  double intensity;
  FlwSpotState state;
} FlwImageSpot;

typedef struct
{
  double x, y;   /* where it is predicted */
  guint lattice; /* from 0 */
  int h, k, l;
  double intensity, sigma; /* sigma < 0: not integrated */
  double d;                /* Å */
} FlwImagePrediction;

typedef enum
{
  FLW_DRAW_NONE,
  FLW_DRAW_RECTANGLE,
  FLW_DRAW_ELLIPSE,
  FLW_DRAW_POLYGON
} FlwDrawTool;

GtkWidget *flw_image_view_new (void);
FlwColourMap *flw_image_view_get_colour_map (FlwImageView *view); /* transfer none */
void flw_image_view_set_colour_map (FlwImageView *view, FlwColourMap *map);

/* A new provider forgets the image, and fits; NULL shows `empty_text`. */
void flw_image_view_set_provider (FlwImageView *view, FlwImageProvider provider, gpointer user_data,
                                  GDestroyNotify destroy);
/* The image behind the provider is another one (the next shot): ask again, keep zoom and the old raster meanwhile. While
 * an answer is awaited it waits for that one (a second, longer when answers take longer): who goes from shot to shot
 * faster than pictures come sees all that come, each newer than the one before, the last one last. */
void flw_image_view_reload (FlwImageView *view);
/* Takes width × height floats (g_free'd by the view). FALSE when the answer came too late and was dropped. */
gboolean flw_image_view_deliver (FlwImageView *view, guint64 serial, float *values);
/* The request cannot be answered: one line, shown over the image. */
void flw_image_view_fail (FlwImageView *view, guint64 serial, const char *message);
/* Shown when there is no image. */
void flw_image_view_set_empty_text (FlwImageView *view, const char *text);

/* What "fit" shows. Without it: the panels' bounding box. */
void flw_image_view_set_extent (FlwImageView *view, double x0, double y0, double x1, double y1);
/* Copies. */
void flw_image_view_set_panels (FlwImageView *view, guint n, const FlwImagePanel *panels);
void flw_image_view_set_spots (FlwImageView *view, guint n, const FlwImageSpot *spots);
void flw_image_view_set_predictions (FlwImageView *view, guint n, const FlwImagePrediction *predictions);
/* 0xRRGGBB of a lattice's circles; after the fifth the colours begin anew. */
guint32 flw_lattice_colour (guint lattice);
/* For resolution rings and the readout: Å, mm, mm. Zero wavelength: no rings. */
void flw_image_view_set_geometry (FlwImageView *view, double wavelength, double distance, double pixel_size);
double flw_image_view_get_pixel_size (FlwImageView *view); /* mm; 0: not told yet */
void flw_image_view_set_beam (FlwImageView *view, double x, double y);
/* NULL or n 0: chosen by the view. Å. */
void flw_image_view_set_rings (FlwImageView *view, guint n, const double *d);
/* In image pixels; 0 when the resolution cannot be reached at this wavelength. */
double flw_ring_radius (double d, double wavelength, double distance, double pixel_size);
/* Å at a distance of `radius` pixels from the beam. */
double flw_ring_resolution (double radius, double wavelength, double distance, double pixel_size);

/* The tool that a drag or clicks draw with; what is being drawn is dropped. */
void flw_image_view_set_draw_tool (FlwImageView *view, FlwDrawTool tool);
/* What is being drawn, or its last corner, goes. FALSE: nothing was being drawn. */
gboolean flw_image_view_drop_drawing (FlwImageView *view);
gboolean flw_image_view_take_corner_back (FlwImageView *view);
/* The mask of what `of` shows: of->width × of->height shares, 0 to 255 (g_free'd by the view); NULL: none. Stays until the next,
 * in its place when the view moves. */
void flw_image_view_set_shade (FlwImageView *view, const FlwImageRequest *of, guint8 *shares);
/* The panel under (x, y) of the image, its number and the place on it, px from its corner; NULL: none. */
const FlwImagePanel *flw_image_view_panel_at (FlwImageView *view, double x, double y, guint *number,
                                              double *fs, double *ss);

/* The last raster delivered (transfer none), its size; NULL when there is none. */
const float *flw_image_view_get_raster (FlwImageView *view, guint *width, guint *height);
/* What the last raster shows; FALSE: there is none. */
gboolean flw_image_view_get_shown (FlwImageView *view, FlwImageRequest *request);
void flw_image_view_get_visible (FlwImageView *view, double *x0, double *y0, double *x1, double *y1);
void flw_image_view_set_visible (FlwImageView *view, double x0, double y0, double x1, double y1);
void flw_image_view_fit (FlwImageView *view);
/* Moves the view to a point, keeping the zoom, and puts the cursor there. */
void flw_image_view_show_point (FlwImageView *view, double x, double y);
/* TRUE when no answer is awaited and the newest raster is painted. */
gboolean flw_image_view_get_settled (FlwImageView *view);

G_END_DECLS
