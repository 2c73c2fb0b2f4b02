/* trials-page.h: parameter sets: the list, and one of them as a form, as text, with the blocks that it is used on.
 *
 * A trial cannot be changed once made: "new trial from this" begins a draft. Actions: trials.draft, trials.draft-with
 * ((xa(ss)): trial to begin with, parameters and texts that differ), trials.create,
 * trials.discard, trials.set ((ss): parameter, text), trials.set-name (s), trials.set-active ((xb)), trials.comment
 * ((xs)), trials.show (x), trials.save-block ((xssssb): block 0 = new, name, first run, last run, text, active).
 * Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_TRIALS_PAGE (flg_trials_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgTrialsPage, flg_trials_page, FLG, TRIALS_PAGE, FlgPage)

gboolean flg_trials_page_is_drafting (FlgTrialsPage *self);
/* The draft could be created as it is. */
gboolean flg_trials_page_may_create (FlgTrialsPage *self);
/* NULL: the value is good. */
const char *flg_trials_page_complaint (FlgTrialsPage *self, const char *parameter);
