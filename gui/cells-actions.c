#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/cells-private.h"

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

/* Type, centring and group are those of the proposed cell that the selection agrees with, where there is one: a cell
 * alone cannot tell a symmetry from a coincidence. */
static void
act_use_selection (GtkWidget *widget, const char *action, GVariant *target)
{
  static const char centrings[FLG_CELL_SERIES] = { 'P', 'I', 'F', 'C', 'R' };
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  double cell[6];
  guint series = 0;
  if (!self->answer || self->answer->selected == 0)
    return;
  for (guint p = 0; p < 6; p++)
    cell[p] = self->answer->of[p].has_fit ? self->answer->of[p].fit.centre : self->answer->of[p].median;
  for (guint s = 1; s < FLG_CELL_SERIES; s++)
    if (self->answer->series[s] > self->answer->series[series])
      series = s;
  for (guint i = 0; i < self->proposals->len; i++)
    {
      const FlgCellProposal *p = &g_array_index (self->proposals, FlgCellProposal, i);
      if (flg_cell_is_near (p->cell, cell) && p->used)
        {
          draft (self, cell, p->type, p->centring, p->space_group);
          return;
        }
    }
  draft (self, cell, flg_cell_type (cell), centrings[series], self->answer->group);
}

void
flg_cells_page_install_actions (GtkWidgetClass *widget_class)
{
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
