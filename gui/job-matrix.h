/* job-matrix.h: the jobs as a matrix: a row a run (newest first) or a version of a dataset, a column a trial and task.
 *
 * Shows the rows that have a job which the model shows; the others of their jobs are dim. Where several jobs share a cell
 * (other conditions of the run), the newest is seen. Signals: "chosen" (gint64 job), "activated" (gint64 job).
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/job-model.h"

#define FLG_TYPE_JOB_MATRIX (flg_job_matrix_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobMatrix, flg_job_matrix, FLG, JOB_MATRIX, GtkBox)

GtkWidget *flg_job_matrix_new (FlgJobModel *model, FlgJobIndex *index);
/* Rows: runs, or versions of datasets. */
void flg_job_matrix_show_versions (FlgJobMatrix *self, gboolean versions);
/* The model or the records have changed. */
void flg_job_matrix_refresh (FlgJobMatrix *self);
/* Puts the cursor on that job; FALSE: it has no cell. */
gboolean flg_job_matrix_choose (FlgJobMatrix *self, gint64 job);
/* As the matrix sums itself up; g_free. */
char *flg_job_matrix_summary (FlgJobMatrix *self);
void flg_job_matrix_focus (FlgJobMatrix *self);
