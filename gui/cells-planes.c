#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/cells-planes.h"

#include <glib/gi18n.h>
#include <math.h>

#include "engine/base/cell-clusters.h"
#include "gui/text.h"
#include "widgets/export.h"

struct _FlgCellsPlanes
{
  GtkBox parent_instance;
  FlwDensityPlot *plots[FLG_CELL_PLANES];
  GtkWidget *none, *rows[FLG_CELL_MOST_CLUSTERS];
  GtkLabel *words[FLG_CELL_MOST_CLUSTERS];
  gboolean filling;
};

enum
{
  BRUSH_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgCellsPlanes, flg_cells_planes, GTK_TYPE_BOX)

static const char *const names[6] = { "a", "b", "c", "α", "β", "γ" };
/* None is a colour of the density scale. */
static const guint32 colours[FLG_CELL_MOST_CLUSTERS] = { 0xff9a5c, 0xff7fbf, 0xffffff, 0xd98cff };

char *
flg_cell_cluster_text (const FlgCellAnswer *answer, guint number)
{
  const FlCellCluster *cluster = &g_array_index (answer->clusters, FlCellCluster, number);
  g_autofree char *members = flg_format_count ((gint64) cluster->members);
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, _ ("%s lattices (%.1f %%)"), members,
                          100.0 * (double) cluster->members / (double) MAX (answer->lattices, 1));
  for (guint p = 0; p < 6; p++)
    {
      double spread = sqrt (cluster->covariance[p][p]);
      g_string_append_printf (text, "%s%s %.2f", p % 3 ? " " : "  ", names[p], cluster->mean[p]);
      if (spread >= 1e-4)
        g_string_append_printf (text, "±%.2f", spread);
      g_string_append (text, p == 2 ? " Å" : p == 5 ? "°" : "");
    }
  return g_string_free (text, FALSE);
}

char *
flg_cells_planes_summary (FlgCellsPlanes *self, guint plane)
{
  return flw_chart_summary (GTK_WIDGET (self->plots[plane]));
}

static void
show_ellipses (FlgCellsPlanes *self, const GArray *clusters)
{
  static const char *const labels[FLG_CELL_MOST_CLUSTERS] = { "1", "2", "3", "4" };
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    {
      FlwDensityEllipse ellipses[FLG_CELL_MOST_CLUSTERS];
      guint x = flg_cell_planes[k][0], y = flg_cell_planes[k][1];
      for (guint i = 0; i < clusters->len; i++)
        {
          const FlCellCluster *c = &g_array_index (clusters, FlCellCluster, i);
          ellipses[i] = (FlwDensityEllipse){
            c->mean[x], c->mean[y], c->covariance[x][x], c->covariance[x][y], c->covariance[y][y],
            colours[i], labels[i]
          };
        }
      flw_density_plot_set_ellipses (self->plots[k], ellipses, clusters->len);
    }
}

void
flg_cells_planes_show (FlgCellsPlanes *self, const FlgCellAnswer *answer)
{
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    flw_density_plot_set_counts (self->plots[k], &answer->planes[k]);
  show_ellipses (self, answer->clusters);
  gtk_widget_set_visible (self->none, answer->clusters->len == 0);
  for (guint i = 0; i < FLG_CELL_MOST_CLUSTERS; i++)
    {
      gtk_widget_set_visible (self->rows[i], i < answer->clusters->len);
      if (i >= answer->clusters->len)
        continue;
      g_autofree char *text = flg_cell_cluster_text (answer, i);
      g_autofree char *markup =
          g_markup_printf_escaped ("<span color=\"#%06x\">%u ○</span>  %s", colours[i], i + 1, text);
      gtk_label_set_markup (self->words[i], markup);
      gtk_widget_set_tooltip_text (GTK_WIDGET (self->words[i]), text);
    }
}

void
flg_cells_planes_set_brushes (FlgCellsPlanes *self, const double from[6], const double to[6])
{
  self->filling = TRUE;
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    {
      guint x = flg_cell_planes[k][0], y = flg_cell_planes[k][1];
      const double brush[4] = { from[x], to[x], from[y], to[y] };
      flw_density_plot_set_brush (self->plots[k], brush);
    }
  self->filling = FALSE;
}

static void
on_brush (FlwDensityPlot *plot, double x0, double x1, double y0, double y1, FlgCellsPlanes *self)
{
  double range[12] = { 0 };
  for (guint k = 0; k < FLG_CELL_PLANES && !self->filling; k++)
    if (self->plots[k] == plot)
      {
        guint x = flg_cell_planes[k][0], y = flg_cell_planes[k][1];
        range[x] = x0;
        range[6 + x] = x1;
        range[y] = y0;
        range[6 + y] = y1;
        g_signal_emit (self, signals[BRUSH_CHANGED], 0, 1u << x | 1u << y, range);
      }
}

static void
on_zoom (FlwDensityPlot *plot, int in, FlgCellsPlanes *self)
{
  if (in)
    gtk_widget_activate_action (GTK_WIDGET (self), "cells.zoom", "b", TRUE);
  else
    gtk_widget_activate_action (GTK_WIDGET (self), "cells.clear", NULL);
}

static void
add_row (FlgCellsPlanes *self, guint i)
{
  static const struct
  {
    const char *action, *label, *tip;
  } buttons[] = {
    { "cells.select-cluster", N_ ("Select"), N_ ("Brushes of three standard deviations about this cluster") },
    { "cells.use-cluster", N_ ("Target"), N_ ("A new trial that expects this cluster's cell") },
    { "cells.filter-cluster", N_ ("Filter"), N_ ("A new trial that merges this cluster's lattices alone") },
  };
  GtkWidget *row = self->rows[i] = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8), *label = gtk_label_new (NULL);
  self->words[i] = GTK_LABEL (label);
  gtk_label_set_xalign (self->words[i], 0);
  gtk_label_set_ellipsize (self->words[i], PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_box_append (GTK_BOX (row), label);
  for (guint b = 0; b < G_N_ELEMENTS (buttons); b++)
    {
      GtkWidget *button = gtk_button_new_with_label (_ (buttons[b].label));
      gtk_widget_set_tooltip_text (button, _ (buttons[b].tip));
      gtk_actionable_set_action_name (GTK_ACTIONABLE (button), buttons[b].action);
      gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "u", i);
      gtk_box_append (GTK_BOX (row), button);
    }
  gtk_widget_set_visible (row, FALSE);
}

static void
flg_cells_planes_class_init (FlgCellsPlanesClass *klass)
{
  signals[BRUSH_CHANGED] = g_signal_new ("brush-changed", FLG_TYPE_CELLS_PLANES, G_SIGNAL_RUN_LAST, 0, NULL,
                                         NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_POINTER);
}

static void
flg_cells_planes_init (FlgCellsPlanes *self)
{
  GtkWidget *plots = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 2),
            *list = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_homogeneous (GTK_BOX (plots), TRUE);
  gtk_widget_set_vexpand (plots, TRUE);
  gtk_widget_add_css_class (list, "proposals");
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    {
      GtkWidget *plot =
          flw_density_plot_new (names[flg_cell_planes[k][0]], names[flg_cell_planes[k][1]], "Å", 2);
      self->plots[k] = FLW_DENSITY_PLOT (plot);
      g_signal_connect_object (plot, "brush-changed", G_CALLBACK (on_brush), self, 0);
      g_signal_connect_object (plot, "zoom", G_CALLBACK (on_zoom), self, 0);
      gtk_box_append (GTK_BOX (plots), plot);
    }
  self->none = gtk_label_new (_ ("No clusters: too few lattices agree."));
  gtk_label_set_xalign (GTK_LABEL (self->none), 0);
  gtk_box_append (GTK_BOX (list), self->none);
  for (guint i = 0; i < FLG_CELL_MOST_CLUSTERS; i++)
    {
      add_row (self, i);
      gtk_box_append (GTK_BOX (list), self->rows[i]);
    }
  gtk_box_append (GTK_BOX (self), plots);
  gtk_box_append (GTK_BOX (self), list);
}
