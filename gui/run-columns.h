/* run-columns.h: the columns of the table of runs. What is changed in a row is asked of the page through its actions
 * runs.tag-row, runs.filter and runs.comment. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

/* As flg_columns_set_up(). The experiment is borrowed and must outlive the view. */
/* What is indexed is shown where there are crystals. */
void flg_run_columns_set_crystals (GtkColumnView *view, gboolean crystals);
GListModel *flg_run_columns_set_up (GtkColumnView *view, FlgExperiment *experiment, GListModel *runs);
