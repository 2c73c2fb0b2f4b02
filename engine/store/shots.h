/* shots.h: processed shots in the store, as columns for the plots and as summaries for the counts.
 *
 * Journal frames arrive as slices (a few hundred shots of one rank). When an attempt has ended its slices are compacted:
 * few large parts, sorted by time, each column by itself, so that a plot reads only what it draws; with one summary for
 * every FL_SUMMARY_SHOTS shots. A shot counts once by (job, shot), the latest attempt wins; compaction drops the others.
 *
 * Cursors. A reader starts at 0 and passes the cursor back. It sees every slice once, in the order of arrival. A reader
 * that has seen all slices of an attempt is not bothered by their compaction; one that has seen only some, and every one
 * when shots were dropped, gets the compacted parts with `replaces` set on the first: forget all that you have of that
 * attempt, these (and the following parts) are the whole of it. Parts of one attempt are never split between two reads.
 * Until then a shot that a second attempt did again may be in two blocks (the counts are exact nevertheless). */
#pragma once

#include "engine/store/store.h"

#define FL_SUMMARY_SHOTS 256

typedef enum
{
  FL_SHOT_ID = 1 << 0,          /* guint64 */
  FL_SHOT_SOURCE = 1 << 1,      /* guint32, FL_KIND_SOURCE row of the attempt */
  FL_SHOT_FRAME = 1 << 2,       /* guint32 */
  FL_SHOT_START = 1 << 3,       /* guint64, ns UTC */
  FL_SHOT_DURATION = 1 << 4,    /* guint32, µs, all stages together */
  FL_SHOT_RANK = 1 << 5,        /* guint32 */
  FL_SHOT_OUTCOME = 1 << 6,     /* guint8, FlOutcome */
  FL_SHOT_STAGE = 1 << 7,       /* guint8, FlStage */
  FL_SHOT_LATTICES = 1 << 8,    /* guint16 */
  FL_SHOT_SPOTS = 1 << 9,       /* guint32 */
  FL_SHOT_RESOLUTION = 1 << 10, /* float, Å, 0 = none */
  FL_SHOT_ENERGY = 1 << 11,     /* float, eV */
  FL_SHOT_SOLVENT = 1 << 12,    /* float, ratio, 0 = not measured */
  FL_SHOT_DURATIONS = 1 << 13,  /* guint32[5] a shot: µs read, find, index, refine, integrate */
  FL_SHOT_ALL = (1 << 14) - 1
} FlShotColumns;

/* Some shots of one attempt. Columns that were not asked for are NULL. Immutable, any thread. */
typedef struct
{
  gint64 job, attempt, run;
  gboolean replaces;  /* first forget what you have of this attempt */
  gboolean compacted; /* sorted by start */
  guint n;
  guint64 *id, *start;
  guint32 *source, *frame, *duration, *rank, *spots;
  guint8 *outcome, *stage;
  guint16 *lattices;
  float *resolution, *energy, *solvent;
  guint32 (*durations)[5];
} FlShotBlock;

void fl_shot_block_free (FlShotBlock *block);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlShotBlock, fl_shot_block_free)

/* What arrived after *cursor, of one job or of all (job 0); *cursor moves on. At most about `limit` shots (0 = all); no
 * more at present: an empty array. GPtrArray of FlShotBlock, which frees them. NULL with error. */
GPtrArray *fl_store_shots (FlStore *store, gint64 job, FlShotColumns columns, guint limit, gint64 *cursor,
                           GError **error);

/* The message of one shot ("why it failed"); "" when it has none. NULL with FL_ERROR_MISSING. */
char *fl_store_shot_message (FlStore *store, gint64 job, guint64 shot, GError **error);

/* At most FL_SUMMARY_SHOTS shots of one attempt that follow each other (of one rank, until the attempt is compacted).
 * Counts are signed: a second attempt's summary takes back what the first had counted. */
typedef struct
{
  gint64 job, attempt, run;
  gboolean replaces;                              /* as above; the first of its attempt */
  guint64 first, last;                            /* ns UTC, start of the first and end of the last shot */
  gint64 shots, hits, indexed, failed, set_aside; /* indexed shots are hits too */
  gint64 spots;                                   /* sum over hits */
  float resolution;                               /* Å, best of its hits; 0 = none */
  float energy;                                   /* eV, mean */
  float solvent;                                  /* mean of those measured; 0 = none */
} FlShotSummary;

/* Summaries that arrived after *cursor, as above. GArray of FlShotSummary. */
GArray *fl_store_summaries (FlStore *store, gint64 job, gint64 *cursor, GError **error);

/* Puts an ended attempt's slices in order, and those of the attempts before it (see above). Again does no harm. While a
 * later attempt of the job runs nothing is done: its end brings it. */
gboolean fl_store_compact (FlStore *store, gint64 attempt, GError **error);
