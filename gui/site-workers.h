/* site-workers.h: the conductor's workers, those of one site and then those of none: how each is doing, since when, what went wrong last,
 * when it tries again; each can be asked to begin anew. Signal "restart" (gint64 worker). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

#define FLG_TYPE_SITE_WORKERS (flg_site_workers_get_type ())
G_DECLARE_FINAL_TYPE (FlgSiteWorkers, flg_site_workers, FLG, SITE_WORKERS, GtkBox)

GtkWidget *flg_site_workers_new (FlgExperiment *experiment);
void flg_site_workers_set_site (FlgSiteWorkers *self, gint64 site);
/* Ages go on. */
void flg_site_workers_refresh (FlgSiteWorkers *self);
