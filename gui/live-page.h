/* live-page.h: every shot of a trial as it is processed: strong spots, sliding hit rate, resolution; runs end to end.
 * Action: live.show-trial (x; 0 = the newest with shots). Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_LIVE_PAGE (flg_live_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgLivePage, flg_live_page, FLG, LIVE_PAGE, FlgPage)

/* What the plot says in words; free with g_free. */
guint64 flg_live_page_n_shots (FlgLivePage *self);
char *flg_live_page_summary (FlgLivePage *self);
