/* weather-private.h: the inside of FlwWeatherPlot, shared by its two files: weather-plot.c (state, input,
 * jobs) and weather-draw.c (everything that is drawn but the raster). */
#pragma once

#include "widgets/chrome.h"
#include "widgets/render-loop.h"
#include "widgets/weather-data.h"
#include "widgets/weather-raster.h"

struct _FlwWeatherPlot
{
  GtkWidget parent_instance;
  FlwWeatherData *data;
  FlwAxis *axis;
  double row0, row1; /* visible rows */
  FlwWeatherColour by;
  gboolean unindexed; /* nothing is to be indexed */
  guint generation;
  GArray *marks; /* FlwWeatherMark */
  gint64 now;    /* ns; 0: none */

  FlwBox box; /* the raster's place */
  FlwRenderLoop loop;
  FlwWeatherGrid *grid;                         /* NULL while a job has it */
  FlwWeatherView shown;                         /* of the tiles */
  GPtrArray *tiles;                             /* GskRenderNode; NULL entries not painted yet */
  GskRenderNode *chrome, *legend, *mark_shapes; /* retained; NULL: to be redrawn */

  double hover_x, hover_y; /* NaN: nowhere */
  double brush_from, brush_to;
  gboolean brushed;
};

extern const FlwRenderFuncs flw_weather_render_funcs; /* weather-pictures.c */

/* What is to be seen now; FALSE when there is no room. */
gboolean flw_weather_view (FlwWeatherPlot *plot, FlwWeatherView *view);
guint flw_weather_n_rows (FlwWeatherPlot *plot);
double flw_weather_row_y (FlwWeatherPlot *plot, double row);
/* "rank 17 · node03"; free with g_free. */
char *flw_weather_row_name (FlwWeatherPlot *plot, guint row);
/* Rows [first, end) and times [from, to) ns of the pixel at (x, y); FALSE outside. */
gboolean flw_weather_pixel (FlwWeatherPlot *plot, double x, double y, guint *first, guint *end, gint64 *from,
                            gint64 *to);
/* The mark whose shape is at (x, y); NULL: none. */
const FlwWeatherMark *flw_weather_mark_at (FlwWeatherPlot *plot, double x, double y);

void flw_weather_layout (FlwWeatherPlot *plot, int width, int height);
void flw_weather_draw (FlwWeatherPlot *plot, GtkSnapshot *snapshot);
char *flw_weather_summary (FlwWeatherPlot *plot);
