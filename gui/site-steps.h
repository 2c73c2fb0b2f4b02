/* site-steps.h: the steps of a site's check, each a row: state, what was found, seconds, and what to do about a failure.
 *
 * Shows what the conductor tells while it looks; else what was stored of the last look, with its age. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/links.h"

#define FLG_TYPE_SITE_STEPS (flg_site_steps_get_type ())
G_DECLARE_FINAL_TYPE (FlgSiteSteps, flg_site_steps, FLG, SITE_STEPS, GtkBox)

GtkWidget *flg_site_steps_new (FlgLinks *links);
/* 0: none. */
void flg_site_steps_set_site (FlgSiteSteps *self, gint64 site);
/* "reach ok; host key ok; login failed: …": for tests and screen readers. Free it. */
char *flg_site_steps_summary (FlgSiteSteps *self);
