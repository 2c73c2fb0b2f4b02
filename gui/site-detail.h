/* site-detail.h: one site: what it is asked for, its limits, where folders lie, the workers that serve it, and its check.
 * Signal "restart" (gint64 worker). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/context.h"
#include "gui/site-facts.h"

#define FLG_TYPE_SITE_DETAIL (flg_site_detail_get_type ())
G_DECLARE_FINAL_TYPE (FlgSiteDetail, flg_site_detail, FLG, SITE_DETAIL, GtkBox)

/* Once, before anything else. */
void flg_site_detail_set_context (FlgSiteDetail *self, FlgContext *context);
/* `facts` may be NULL; `site` NULL: none. */
void flg_site_detail_show (FlgSiteDetail *self, const FlSite *site, const FlgSiteFacts *facts);
/* The check's rows, in words. Free it. */
char *flg_site_detail_summary (FlgSiteDetail *self);
