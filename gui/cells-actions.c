#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/cells-private.h"

#include <math.h>

#include "engine/base/cell-clusters.h"
#include "gui/store-writes.h"

/* --- what is selected --- */

static void
ask (FlgCellsPage *self)
{
  if (self->counter)
    flg_cell_counter_ask (self->counter, &self->question);
}

void
flg_cells_page_drop_brushes (FlgCellsPage *self)
{
  self->filling = TRUE;
  for (guint p = 0; p < 6; p++)
    flw_histogram_set_brush (self->histograms[p], 0, 0);
  self->filling = FALSE;
  self->question = (FlgCellQuestion){ .ranges = self->question.ranges + 1 };
  flg_cells_planes_set_brushes (self->planes, self->question.from, self->question.to);
}

void
flg_cells_page_brush (FlgCellsPage *self, guint parameter, double from, double to)
{
  self->filling = TRUE;
  self->question.from[parameter] = from;
  self->question.to[parameter] = to;
  flw_histogram_set_brush (self->histograms[parameter], from, to);
  flg_cells_planes_set_brushes (self->planes, self->question.from, self->question.to);
  self->filling = FALSE;
}

static void
on_brush (FlwHistogram *histogram, double from, double to, FlgCellsPage *self)
{
  if (self->filling)
    return;
  for (guint p = 0; p < 6; p++)
    if (self->histograms[p] == histogram)
      {
        self->question.from[p] = from;
        self->question.to[p] = to;
      }
  flg_cells_planes_set_brushes (self->planes, self->question.from, self->question.to);
  ask (self);
}

static void
zoom (FlgCellsPage *self, gboolean in)
{
  self->question.zoomed = in;
  self->question.ranges++;
  ask (self);
}

static void
clear (FlgCellsPage *self)
{
  flg_cells_page_drop_brushes (self);
  ask (self);
}

static void
on_zoom (FlwHistogram *histogram, int in, FlgCellsPage *self)
{
  if (in)
    zoom (self, TRUE);
  else
    clear (self);
}

void
flg_cells_page_listen (FlgCellsPage *self, FlwHistogram *histogram)
{
  g_signal_connect_object (histogram, "brush-changed", G_CALLBACK (on_brush), self, 0);
  g_signal_connect_object (histogram, "zoom", G_CALLBACK (on_zoom), self, 0);
}

static void
on_plane_brush (FlgCellsPlanes *planes, guint parameters, const double *range, FlgCellsPage *self)
{
  for (guint p = 0; p < 6; p++)
    if (parameters & 1u << p)
      flg_cells_page_brush (self, p, range[p], range[6 + p]);
  ask (self);
}

void
flg_cells_page_listen_planes (FlgCellsPage *self)
{
  g_signal_connect_object (self->planes, "brush-changed", G_CALLBACK (on_plane_brush), self, 0);
}

/* --- actions --- */

static void
act_show (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  flg_chooser_choose (g_str_equal (action, "cells.show-run") ? self->runs : self->trials,
                      g_variant_get_int64 (target));
}

static void
act_select (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  guint parameter;
  double from, to;
  g_variant_get (target, "(udd)", &parameter, &from, &to);
  if (parameter < 6)
    flw_histogram_set_brush (self->histograms[parameter], from, to);
}

static void
act_clear (GtkWidget *widget, const char *action, GVariant *target)
{
  clear (FLG_CELLS_PAGE (widget));
}

static void
act_zoom (GtkWidget *widget, const char *action, GVariant *target)
{
  zoom (FLG_CELLS_PAGE (widget), g_variant_get_boolean (target));
}

/* A draft of the shown trial that expects this cell. */
static void
draft (FlgCellsPage *self, const double cell[6], guint type, char centring, guint group)
{
  double ideal[6] = { cell[0], cell[1], cell[2], cell[3], cell[4], cell[5] };
  flg_cell_idealise (ideal, type);
  g_autofree char *text = flg_cell_parameter (ideal);
  g_autofree char *symbol = flg_cell_group (type, centring, group);
  GVariantBuilder values;
  g_variant_builder_init (&values, G_VARIANT_TYPE ("a(ss)"));
  g_variant_builder_add (&values, "(ss)", "indexing.unit_cell", text);
  g_variant_builder_add (&values, "(ss)", "indexing.space_group", symbol);
  gtk_widget_activate_action (GTK_WIDGET (self), "win.draft-trial", "(xa(ss))", self->trial, &values);
}

static void
act_use_proposal (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  guint number = g_variant_get_uint32 (target);
  if (number >= self->proposals->len)
    return;
  const FlgCellProposal *p = &g_array_index (self->proposals, FlgCellProposal, number);
  draft (self, p->cell, p->type, p->centring, p->space_group);
}

static void
act_show_planes (GtkWidget *widget, const char *action, GVariant *target)
{
  gtk_toggle_button_set_active (FLG_CELLS_PAGE (widget)->densities, g_variant_get_boolean (target));
}

static const FlCellCluster *
cluster_of (FlgCellsPage *self, GVariant *target)
{
  guint number = g_variant_get_uint32 (target);
  return self->answer && number < self->answer->clusters->len
             ? &g_array_index (self->answer->clusters, FlCellCluster, number)
             : NULL;
}

/* Three standard deviations, at least what a histogram can show. */
static void
act_select_cluster (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  const FlCellCluster *cluster = cluster_of (self, target);
  for (guint p = 0; p < 6 && cluster; p++)
    {
      double reach = fmax (3 * sqrt (cluster->covariance[p][p]), 0.01);
      flg_cells_page_brush (self, p, cluster->mean[p] - reach, cluster->mean[p] + reach);
    }
  ask (self);
}

static void
act_filter_cluster (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  const FlCellCluster *cluster = cluster_of (self, target);
  if (!cluster)
    return;
  g_autofree char *text = fl_cell_cluster_write (cluster);
  GVariantBuilder values;
  g_variant_builder_init (&values, G_VARIANT_TYPE ("a(ss)"));
  g_variant_builder_add (&values, "(ss)", "merge.cell_cluster", text);
  gtk_widget_activate_action (widget, "win.draft-trial", "(xa(ss))", self->trial, &values);
}

/* The runs that the selected lattices are of get the tag; TRUE: and a dataset of it is begun. */
static void
act_tag_runs (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  g_autofree char *name = g_strstrip (g_strdup (gtk_editable_get_text (self->tag)));
  if (!self->answer || self->answer->runs->len == 0 || *name == '\0')
    return;
  flg_page_write (FLG_PAGE (self), flg_tagging_write,
                  flg_tagging_new (name, g_array_copy (self->answer->runs), TRUE),
                  (GDestroyNotify) flg_tagging_free);
  if (g_variant_get_boolean (target))
    gtk_widget_activate_action (widget, "win.new-dataset", "s", name);
}

static const char centrings[FLG_CELL_SERIES] = { 'P', 'I', 'F', 'C', 'R' };

/* Type, centring and group are those of the proposed cell that this one agrees with, where there is one: a cell alone cannot tell a
 * symmetry from a coincidence. */
static void
draft_like (FlgCellsPage *self, const double cell[6], char centring, guint group)
{
  for (guint i = 0; i < self->proposals->len; i++)
    {
      const FlgCellProposal *p = &g_array_index (self->proposals, FlgCellProposal, i);
      if (flg_cell_is_near (p->cell, cell) && p->used)
        {
          draft (self, cell, p->type, p->centring, p->space_group);
          return;
        }
    }
  draft (self, cell, flg_cell_type (cell), centring, group);
}

static void
act_use_selection (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  double cell[6];
  guint series = 0;
  if (!self->answer || self->answer->selected == 0)
    return;
  for (guint s = 1; s < FLG_CELL_SERIES; s++)
    if (self->answer->series[s] > self->answer->series[series])
      series = s;
  for (guint p = 0; p < 6; p++)
    cell[p] = self->answer->of[p].has_fit ? self->answer->of[p].fit.centre : self->answer->of[p].median;
  draft_like (self, cell, centrings[series], self->answer->group);
}

static void
act_use_cluster (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  const FlCellCluster *cluster = cluster_of (self, target);
  if (!cluster)
    return;
  const guint32 *counts = self->answer->cluster_series[g_variant_get_uint32 (target)];
  guint series = 0;
  for (guint s = 1; s < FLG_CELL_SERIES; s++)
    if (counts[s] > counts[series])
      series = s;
  draft_like (self, cluster->mean, centrings[series], 0);
}

void
flg_cells_page_install_actions (GtkWidgetClass *widget_class)
{
  gtk_widget_class_install_action (widget_class, "cells.show-planes", "b", act_show_planes);
  gtk_widget_class_install_action (widget_class, "cells.select-cluster", "u", act_select_cluster);
  gtk_widget_class_install_action (widget_class, "cells.use-cluster", "u", act_use_cluster);
  gtk_widget_class_install_action (widget_class, "cells.filter-cluster", "u", act_filter_cluster);
  gtk_widget_class_install_action (widget_class, "cells.tag-runs", "b", act_tag_runs);
  gtk_widget_class_install_action (widget_class, "cells.show-trial", "x", act_show);
  gtk_widget_class_install_action (widget_class, "cells.show-run", "x", act_show);
  gtk_widget_class_install_action (widget_class, "cells.select", "(udd)", act_select);
  gtk_widget_class_install_action (widget_class, "cells.clear", NULL, act_clear);
  gtk_widget_class_install_action (widget_class, "cells.zoom", "b", act_zoom);
  gtk_widget_class_install_action (widget_class, "cells.use-selection", NULL, act_use_selection);
  gtk_widget_class_install_action (widget_class, "cells.use-proposal", "u", act_use_proposal);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_n, GDK_CONTROL_MASK, "cells.use-selection",
                                       NULL);
}
