/* compare-panel.h: which two results of the shown shot are looked at, their numbers, and one of them over the image.
 *
 * A side is a stored result of a job, or a trial that is tried on the image now and stored nowhere, or the values of a
 * trial as somebody is changing them. What is shown over the image is named in a label upon it. Signal
 *   job-chosen (gint64 job): side A is to be what this job has stored
 * Thread: main. */
#pragma once

#include "gui/context.h"
#include "gui/shot-results.h"
#include "gui/trial-tuner.h"

#define FLG_TYPE_COMPARE_PANEL (flg_compare_panel_get_type ())
G_DECLARE_FINAL_TYPE (FlgComparePanel, flg_compare_panel, FLG, COMPARE_PANEL, GtkBox)

/* What a side is: a job's id; less than 0: that trial, tried; 0: nothing. */
#define FLG_CHANGED_VALUES G_MAXINT64

/* The view and the label upon it belong to the caller and live until flg_compare_panel_close(). */
GtkWidget *flg_compare_panel_new (FlgContext *context, FlwImageView *view, GtkLabel *tag);
void flg_compare_panel_close (FlgComparePanel *self);
/* Run and job whose shots are looked at (0: none). */
void flg_compare_panel_set_run (FlgComparePanel *self, gint64 run, gint64 job);
/* Where the shots' paths are true, before set_shot: a site's id, 0 = here. */
void flg_compare_panel_set_place (FlgComparePanel *self, gint64 site);
/* Jobs or trials may have come. */
void flg_compare_panel_refill (FlgComparePanel *self);
/* Before the shot: how its raw pixels are calibrated (FlViewSourceRequest). */
void flg_compare_panel_set_calibration (FlgComparePanel *self, const char *calibration);
/* `path` NULL: no shot. */
void flg_compare_panel_set_shot (FlgComparePanel *self, const char *path, const char *geometry,
                                 const char *mask, guint32 frame);
/* Lines that are shown in place of a crystal's numbers; NULL: these. */
void flg_compare_panel_set_words (FlgComparePanel *self, const char *words);
/* The shot that is probably next. */
void flg_compare_panel_foresee (FlgComparePanel *self, const char *path, const char *geometry,
                                const char *mask, guint32 frame);
void flg_compare_panel_choose (FlgComparePanel *self, FlgSide side, gint64 what);
/* Over the image; of B only when there is one. */
void flg_compare_panel_show_side (FlgComparePanel *self, FlgSide side);
FlgSide flg_compare_panel_shown (FlgComparePanel *self);
/* The tuner begins with the values of side B, else A, and side B becomes what it says; not if it has begun already. */
void flg_compare_panel_tune (FlgComparePanel *self, FlgTrialTuner *tuner);
gboolean flg_compare_panel_is_idle (FlgComparePanel *self);
const FlgShotResult *flg_compare_panel_result (FlgComparePanel *self, FlgSide side);
/* "A Trial 1, stored (job 3): indexed hit, …; B …". Free with g_free. */
char *flg_compare_panel_summary (FlgComparePanel *self);
