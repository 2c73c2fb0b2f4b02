/* generation-feed.h: the generations of one reconstruct job, as they arrive. While the job runs the store is asked again every
 * second or two. Signal "changed" () when there are others than before. Thread: main. */
#pragma once

#include "engine/store/generations.h"
#include "gui/experiment.h"

#define FLG_TYPE_GENERATION_FEED (flg_generation_feed_get_type ())
G_DECLARE_FINAL_TYPE (FlgGenerationFeed, flg_generation_feed, FLG, GENERATION_FEED, GObject)

/* Asks at once. */
FlgGenerationFeed *flg_generation_feed_new (FlgExperiment *experiment, gint64 job);
/* No more signals; then unref. */
void flg_generation_feed_stop (FlgGenerationFeed *self);
gint64 flg_generation_feed_job (FlgGenerationFeed *self);
/* FlGeneration by number; borrowed, until the next signal. Empty: none yet. */
GPtrArray *flg_generation_feed_list (FlgGenerationFeed *self);
gboolean flg_generation_feed_is_idle (FlgGenerationFeed *self);
/* Why the store could not be asked; NULL: it could. */
const char *flg_generation_feed_problem (FlgGenerationFeed *self);
