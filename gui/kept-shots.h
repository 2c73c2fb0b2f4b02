/* kept-shots.h: where each drawn shot came from, so that a click on a plot finds its image. Shots are numbered in the
 * order in which they were added. 16 bytes a shot. Thread: main. */
#pragma once

#include "engine/store/shots.h"
#include "gui/shot-ref.h"

#define FLG_KEPT_COLUMNS (FL_SHOT_ID | FL_SHOT_SOURCE | FL_SHOT_FRAME)

typedef struct FlgKeptShots FlgKeptShots;

FlgKeptShots *flg_kept_shots_new (void);
void flg_kept_shots_free (FlgKeptShots *kept);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlgKeptShots, flg_kept_shots_free)
/* Takes the id, source and frame columns out of the block. */
void flg_kept_shots_add (FlgKeptShots *kept, FlShotBlock *block);
/* Some block replaces (FlShotBlock.replaces) what is kept of its attempt: all that was drawn of it is wrong. */
gboolean flg_kept_shots_are_replaced (FlgKeptShots *kept, GPtrArray *blocks);
guint64 flg_kept_shots_count (FlgKeptShots *kept);
/* FALSE when there is none of that number. */
gboolean flg_kept_shots_get (FlgKeptShots *kept, guint64 number, FlgShotRef *ref);
