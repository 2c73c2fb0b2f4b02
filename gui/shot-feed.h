/* shot-feed.h: the processed shots of one job, as they arrive.
 *
 * Asks the store's thread for the columns wanted, in portions, and again whenever the job's counts have moved. Signals:
 *   blocks (GPtrArray of FlShotBlock): new ones, in the order of arrival; the listener may steal columns
 *   particles (GPtrArray of FlParticleBlock): what shots of the blocks that follow show, where the feed was made with particles
 *   caught-up (): all that the store has has been handed out
 * A block with `replaces` set: forget what you have of its attempt. Thread: main. */
#pragma once

#include "engine/store/particles.h"
#include "engine/store/shots.h"
#include "gui/experiment.h"

#define FLG_TYPE_SHOT_FEED (flg_shot_feed_get_type ())
G_DECLARE_FINAL_TYPE (FlgShotFeed, flg_shot_feed, FLG, SHOT_FEED, GObject)

FlgShotFeed *flg_shot_feed_new (FlgExperiment *experiment, gint64 job, FlShotColumns columns);
/* With what shots of single particles show. */
FlgShotFeed *flg_shot_feed_new_with_particles (FlgExperiment *experiment, gint64 job, FlShotColumns columns);
/* No more blocks; then unref. */
void flg_shot_feed_stop (FlgShotFeed *self);
/* All that the store has has been handed out. */
gboolean flg_shot_feed_is_idle (FlgShotFeed *self);
