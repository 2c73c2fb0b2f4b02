/* people.h: who the person at the screen is in this experiment, and in words why something is refused.
 *
 * The store refuses whatever a role does not allow; what is here greys it out beforehand and says why. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

/* The experiment is open for writing, and the role allows changes. */
gboolean flg_may_change (FlgExperiment *experiment);
/* People and the experiment's own record are the owners'. */
gboolean flg_may_own (FlgExperiment *experiment);
/* Why it may not be changed, one line; NULL: it may. g_free. */
char *flg_refusal (FlgExperiment *experiment);
/* Names of the owners with commas between; "" while there are none. g_free. */
char *flg_owner_names (FlgExperiment *experiment);
/* "viewer" … in the person's language. Static. */
const char *flg_role_label (FlRole role);

/* Greys the widget out, with the reason as its tooltip, or gives it back as it was. */
void flg_guard (GtkWidget *widget, FlgExperiment *experiment);
/* The same for everything below the widget that activates one of the actions that change something, and for these actions
 * of the widget's class. */
void flg_guard_actions (GtkWidget *widget, FlgExperiment *experiment);
