/* job-strip.h: the jobs of a run as a row of small shapes, oldest trial first: ● done, ▶ running, ✕ failed …
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

#define FLG_TYPE_JOB_STRIP (flg_job_strip_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobStrip, flg_job_strip, FLG, JOB_STRIP, GtkWidget)

GtkWidget *flg_job_strip_new (void);
void flg_job_strip_show_run (FlgJobStrip *self, FlgExperiment *experiment, gint64 run);
