/* strip-private.h: the inside of FlwStripPlot, shared by strip-plot.c (state, input), strip-pictures.c (what a
 * worker makes) and strip-draw.c (the rest of what is seen). */
#pragma once

#include "widgets/chrome.h"
#include "widgets/render-loop.h"
#include "widgets/strip-data.h"
#include "widgets/strip-raster.h"

#define FLW_STRIP_BINS 1024

typedef struct
{
  FlwStripKind kind;
  char *title;
  double share; /* of the height */
  int column;   /* −1: none */
  FlwAxis *y;
  FlwBox box;                   /* of its data */
  guint32 bins[FLW_STRIP_BINS]; /* histogram of all values, for the robust limit */
  guint32 n_values;
  GPtrArray *tiles;      /* GskRenderNode or NULL */
  GPtrArray *line_nodes; /* one a FLW_STRIP_SEGMENT columns; NULL: to be drawn */
  GskRenderNode *header;
} FlwStrip;

#define FLW_STRIP_SEGMENT 64 /* device px of a retained piece of line */

typedef struct
{
  char *label;
  guint32 rgb;
  FlwLinePoint *points; /* shown.width of them; NULL: none yet */
} FlwStripLineLook;

struct _FlwStripPlot
{
  GtkWidget parent_instance;
  FlwStripData *data;
  FlwAxis *axis;
  guint n_strips, n_lines;
  FlwStrip strips[FLW_STRIP_MAX_STRIPS];
  FlwStripLine lines[FLW_STRIP_MAX_LINES];
  FlwStripLineLook looks[FLW_STRIP_MAX_LINES];
  guint window;
  guint64 counts[FLW_CLASS_LAST];
  char *names[FLW_CLASS_LAST]; /* NULL: as they are called everywhere */

  FlwRenderLoop loop;
  FlwStripGrid *grid; /* NULL while a job has it */
  GArray *done;       /* guint64 a run: shots that the grid holds */
  FlwStripView shown;
  GskRenderNode *under, *runs; /* grid, axes; run labels and boundaries */

  double hover_x, hover_y;
};

extern const FlwRenderFuncs flw_strip_render_funcs; /* strip-pictures.c */

/* A run as a worker would see it, borrowed: for the main thread only. */
FlwRunView flw_strip_borrow_run (FlwStripPlot *plot, guint run);
void flw_strip_view (FlwStripPlot *plot, FlwStripView *view);
/* The strip under y; −1: none. */
int flw_strip_at (FlwStripPlot *plot, double y);
void flw_strip_layout (FlwStripPlot *plot, int width, int height);
void flw_strip_draw (FlwStripPlot *plot, GtkSnapshot *snapshot);
char *flw_strip_summary (FlwStripPlot *plot);
const char *flw_strip_class_name (FlwStripPlot *plot, guint klass);
