/* live-page.h: every shot of a trial as it is processed: strong spots, sliding hit and indexing rates, resolution; runs end to end.
 * Action: live.show-trial (x; 0 = the newest with shots). Thread: main. */
#pragma once

#include "gui/finding-list.h"
#include "gui/page.h"

#define FLG_TYPE_LIVE_PAGE (flg_live_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgLivePage, flg_live_page, FLG, LIVE_PAGE, FlgPage)

/* What the plot says in words; free with g_free. */
guint64 flg_live_page_n_shots (FlgLivePage *self);
FlgFindingList *flg_live_page_findings (FlgLivePage *self);
char *flg_live_page_summary (FlgLivePage *self);
/* "3 runs · 700 shots · 24.1 % hits · 67.1 % of hits indexed, 1.12 lattices each, to 2.33 Å · 5 failed" */
const char *flg_live_page_facts (FlgLivePage *self);
