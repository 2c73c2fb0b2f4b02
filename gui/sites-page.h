/* sites-page.h: where jobs run: each place, how its link and our jobs there are doing, what it is asked for, and does it work.
 *
 * Actions (sites.): add, edit, duplicate, pause, remove, probe – of the selected site. Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_SITES_PAGE (flg_sites_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgSitesPage, flg_sites_page, FLG, SITES_PAGE, FlgPage)

void flg_sites_page_show (FlgSitesPage *self, gint64 site);
/* 0: none. */
gint64 flg_sites_page_shown (FlgSitesPage *self);
/* The wizard or editor that is open; NULL: none. */
GtkWidget *flg_sites_page_dialog (FlgSitesPage *self);
/* What the shown site's check says, in words. Free it. */
char *flg_sites_page_summary (FlgSitesPage *self);
