/* image-private.h: the inside of FlwImageView, shared by image-view.c (state), image-navigate.c (places, input), image-source.c (pixels),
 * image-marks.c (spots and predictions), image-shade.c (a mask), image-drawing.c (shapes being drawn), image-draw.c (what else lies over them) and image-readout.c (what is under the
 * cursor). */
#pragma once

#include "widgets/chrome.h"
#include "widgets/image-view.h"
#include "widgets/plot-nav.h"
#include "widgets/render-loop.h"

/* An answer of the provider. Immutable; shared with the worker that paints it. */
typedef struct
{
  gatomicrefcount ref_count;
  FlwImageRequest request;
  float *values;
} FlwImageRaster;

/* Shares of a mask. Immutable; shared with the worker, too. */
typedef struct
{
  gatomicrefcount ref_count;
  FlwImageRequest request;
  guint8 *shares;
} FlwImageShade;

struct _FlwImageView
{
  GtkWidget parent_instance;
  FlwColourMap *map;
  FlwImageProvider provider;
  gpointer provider_data;
  GDestroyNotify provider_destroy;

  double cx, cy, zoom; /* centre; logical px per image px; zoom 0: not placed yet */
  double extent[4];    /* x0 y0 x1 y1 */
  gboolean has_extent, extent_given, fitted;

  gboolean early; /* early_rect is to be shown once there is a size */
  double early_rect[4];
  guint64 serial;          /* of the last request */
  FlwImageRequest request; /* the last */
  gint64 asked;            /* when, µs; 0: none awaited */
  gboolean ask_again;
  gint64 patience;        /* µs that it may be unanswered while something else is wanted */
  guint overdue;          /* timer of that; 0: none */
  FlwImageRaster *raster; /* the newest */
  gboolean repaint;
  FlwRenderLoop loop;
  GskRenderNode *picture; /* of the unit square */
  double shown[4];        /* the rectangle of the picture */
  char *message, *empty_text;

  FlwImageShade *shade; /* NULL: none */
  FlwDrawTool tool;
  GArray *drawn; /* corners; the last one moves with the pointer */

  GArray *panels;      /* FlwImagePanel; names owned */
  GArray *spots;       /* FlwImageSpot; never changed, only replaced: a worker may read it */
  GArray *predictions; /* FlwImagePrediction; the same */
  GArray *rings;       /* double; empty: chosen here */
  double wavelength, distance, pixel_size, beam_x, beam_y;
  gboolean show_spots, show_predictions, show_rings, show_panels, show_values, show_mask;

  FlwRenderLoop marks_loop;
  gboolean remark;
  GskRenderNode *marks; /* as large as the view and a margin; its corner in the image and its zoom: */
  double marks_x, marks_y, marks_zoom;

  double hover_x, hover_y;          /* widget coordinates; NaN: nowhere */
  GskRenderNode *overlay, *numbers; /* retained */
};

#define FLW_IMAGE_FOOT 28 /* px: the readout line below the image */

#define FLW_IMAGE_MAX_ZOOM 120.0

#define FLW_IMAGE_PATIENCE 1000000 /* µs; more once an answer has taken long */

#define FLW_IMAGE_CIRCLE 3.0 /* image px: radius of a prediction's circle */

extern const FlwRenderFuncs flw_image_render_funcs; /* image-source.c, as are the next three */
void flw_image_raster_unref (FlwImageRaster *raster);
/* Asks for what is visible; `overtake`: even while an answer is awaited. */
void flw_image_ask (FlwImageView *view, gboolean overtake);
/* The colours changed, or the values. */
void flw_image_repaint (FlwImageView *view);
void flw_image_readout_changed (FlwImageView *view);
void flw_image_overlay_changed (FlwImageView *view);
FlwBox flw_image_box (FlwImageView *view); /* image-navigate.c, as are those down to flw_image_act() */
double flw_image_to_x (FlwImageView *view, double x);
double flw_image_to_y (FlwImageView *view, double y);
double flw_image_from_x (FlwImageView *view, double x);
double flw_image_from_y (FlwImageView *view, double y);
/* Of the raster; NaN where it says nothing. */
float flw_image_value (FlwImageView *view, double x, double y);
/* The panel under (x, y) and the pixel there; −1: none. */
int flw_image_panel_at (FlwImageView *view, double x, double y, double *fs, double *ss);
/* Another part is visible. */
void flw_image_view_changed (FlwImageView *view);
void flw_image_set_extent (FlwImageView *view, double x0, double y0, double x1, double y1);
void flw_image_find_extent (FlwImageView *view); /* of the panels */
void flw_image_place (FlwImageView *view, double cx, double cy, double zoom);
extern const FlwNav flw_image_nav;
void flw_image_act (GtkWidget *widget, const char *action, GVariant *parameter);
/* Nearest within 8 px of (x, y), if they are shown; −1: none. */
int flw_image_prediction_at (FlwImageView *view, double x, double y);
int flw_image_spot_at (FlwImageView *view, double x, double y);
void flw_image_format_value (float value, char *text, gsize size);
char *flw_image_readout (FlwImageView *view);
/* "−3 1 12", to be said or written without bars. */
char *flw_image_indices (const FlwImagePrediction *prediction);
/* What there is to say about it, line by line. */
char *flw_image_prediction_lines (const FlwImagePrediction *prediction);
FlwImageShade *flw_image_shade_ref (FlwImageShade *shade); /* image-shade.c, as are the next two */
void flw_image_shade_unref (FlwImageShade *shade);
/* Into the colours of a raster that was asked for by `request`. Any thread. */
void flw_image_shade_paint (const FlwImageShade *shade, const FlwImageRequest *request, guint32 *colours);
void flw_image_drawing_attach (FlwImageView *view); /* image-drawing.c, as is the next */
void flw_image_draw_drawing (FlwImageView *view, GtkSnapshot *snapshot);
extern const FlwRenderFuncs flw_image_marks_funcs; /* image-marks.c, as are the next three */
/* The marks are others, or the view has moved. */
void flw_image_marks_changed (FlwImageView *view);
void flw_image_marks_moved (FlwImageView *view);
void flw_image_draw_marks (FlwImageView *view, GtkSnapshot *snapshot);
void flw_image_draw (FlwImageView *view, GtkSnapshot *snapshot);
