/* job-list.h: the list of jobs: heads that sort (action jobs.sort), rows, several of which may be selected.
 *
 * Signal: "chosen" (): another job is the one to look at, or none, or the selection has changed. What is selected stays so
 * while rows come, go and are sorted, as long as it is shown. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/job-model.h"

#define FLG_TYPE_JOB_LIST (flg_job_list_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobList, flg_job_list, FLG, JOB_LIST, GtkBox)

GtkWidget *flg_job_list_new (FlgJobModel *model, FlgJobIndex *index);
/* The model's order has changed: the heads show it. */
void flg_job_list_show_order (FlgJobList *self);
/* Selects it alone and scrolls to it; FALSE: it is not shown. */
gboolean flg_job_list_choose (FlgJobList *self, gint64 job);
void flg_job_list_select_all (FlgJobList *self);
/* The one to look at, 0: none. */
gint64 flg_job_list_chosen (FlgJobList *self);
/* Ids; free with g_array_unref. */
GArray *flg_job_list_selected (FlgJobList *self);
void flg_job_list_focus (FlgJobList *self);
