/* shell-plot.h: a quantity by resolution shell, several merges over one another: the newest bright, older ones dim.
 *
 * A point sits in the middle (in 1/d²) of its shell; shells whose value is NaN break the line. Pointing at the plot reads a shell
 * of all series. Property "summary" (string, read-only). Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  double d_max, d_min; /* Å */
  double value;        /* NaN: not known */
} FlwShellPoint;

typedef struct
{
  const char *name; /* "version 7" */
  guint n;
  const FlwShellPoint *points; /* from low resolution on */
} FlwShellSeries;

#define FLW_TYPE_SHELL_PLOT (flw_shell_plot_get_type ())
G_DECLARE_FINAL_TYPE (FlwShellPlot, flw_shell_plot, FLW, SHELL_PLOT, GtkWidget)

GtkWidget *flw_shell_plot_new (void);
/* Copies. The first series is the newest. `upper`: top of the scale, 0 = what the values need; `level`: a line drawn across (a
 * goal), NaN = none. `unit` may be "". */
void flw_shell_plot_set (FlwShellPlot *plot, const char *title, const char *unit, guint n,
                         const FlwShellSeries *series, double upper, double level);

G_END_DECLS
