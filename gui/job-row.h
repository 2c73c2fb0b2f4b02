/* job-row.h: a job as a row of the list, drawn in one go: GTK keeps 200 rows of a list alive, and a dozen labels in each of
 * them cost more than a frame has. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/job-columns.h"
#include "widgets/status-chip.h"

#define FLG_TYPE_JOB_ROW (flg_job_row_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobRow, flg_job_row, FLG, JOB_ROW, GtkWidget)

GtkWidget *flg_job_row_new (FlgJobIndex *index); /* borrowed: must outlive the row's last drawing */
/* NULL: none. */
void flg_job_row_set_job (FlgJobRow *self, FlgRecord *job);
/* How a state looks. */
void flg_shown_state_look (FlgShownState state, FlwShape *shape, FlwTone *tone);
