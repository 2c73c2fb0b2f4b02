/* recent-shots.h: the newest summaries of shots, for the sliding hit and indexing rates. Thread: the store's. */
#pragma once

#include "engine/store/stats.h"

typedef struct FlgRecentShots FlgRecentShots;

FlgRecentShots *flg_recent_shots_new (gint64 window);
void flg_recent_shots_free (FlgRecentShots *recent);
/* Reads what has arrived since. */
gboolean flg_recent_shots_update (FlgRecentShots *recent, FlStore *store, GError **error);
/* Of the newest summaries of `trial`, as few as hold the window together. */
void flg_recent_shots_count (FlgRecentShots *recent, FlStats *stats, gint64 trial, gint64 *shots,
                             gint64 *hits, gint64 *indexed);
