/* sparkline.h: a small line of the last values in a table cell. Values from 0 to `upper` (0: the largest);
 * NaN is a gap. Property "summary". Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define FLW_TYPE_SPARKLINE (flw_sparkline_get_type ())
G_DECLARE_FINAL_TYPE (FlwSparkline, flw_sparkline, FLW, SPARKLINE, GtkWidget)

GtkWidget *flw_sparkline_new (void);
/* Copies. `unit` for the summary ("%"). */
void flw_sparkline_set_values (FlwSparkline *line, guint n, const float *values, double upper,
                               const char *unit);

G_END_DECLS
