/* trial-tuner.h: a trial's values to be changed while looking at an image: a form, and what it says as trial text. Signals:
 *   tuned: the values are others, all are good, and no key has been pressed for a moment
 *   closed
 * Nothing is stored. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "engine/base/params.h"

#define FLG_TYPE_TRIAL_TUNER (flg_trial_tuner_get_type ())
G_DECLARE_FINAL_TYPE (FlgTrialTuner, flg_trial_tuner, FLG, TRIAL_TUNER, GtkBox)

GtkWidget *flg_trial_tuner_new (void);
/* Begins with these; `name`: what they are called. */
void flg_trial_tuner_begin (FlgTrialTuner *self, const FlParams *params, const char *name);
/* NULL: not begun, or a value is not good. Free with fl_params_free. */
FlParams *flg_trial_tuner_params (FlgTrialTuner *self);
/* As if typed. */
void flg_trial_tuner_type (FlgTrialTuner *self, const char *parameter, const char *text);
/* "tuned" has been said of what the form holds. */
gboolean flg_trial_tuner_is_idle (FlgTrialTuner *self);
