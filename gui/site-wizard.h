/* site-wizard.h: a new site, step by step: which machine, where folders lie there, does it work, what to ask for, go.
 *
 * The record is made, inactive, when the machine is known, so that the conductor can log in and look; it gets jobs only when the
 * last step says so. Cancelled, it is removed. Actions (wizard.): back, next, cancel, check, use-openssh, finish (b: on hold).
 * Thread: main. */
#pragma once

#include "gui/context.h"
#include "gui/site-form.h"

#define FLG_TYPE_SITE_WIZARD (flg_site_wizard_get_type ())
G_DECLARE_FINAL_TYPE (FlgSiteWizard, flg_site_wizard, FLG, SITE_WIZARD, GtkWindow)

GtkWidget *flg_site_wizard_new (GtkWindow *parent, FlgContext *context);
FlgSiteForm *flg_site_wizard_form (FlgSiteWizard *self);
/* "machine", "folders", "check", "resources", "summary". */
const char *flg_site_wizard_step (FlgSiteWizard *self);
/* What the check's rows say. Free it. */
char *flg_site_wizard_summary (FlgSiteWizard *self);
