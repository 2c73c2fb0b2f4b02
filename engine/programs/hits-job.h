/* hits-job.h: what the files of `hits` share: a job that tells the shots of single particles apart and keeps those of one.
 *
 *   OUT/learned.hits    what the first attempt learned from a sample (engine/spi/hits.h): the others judge by it, too
 *   OUT/patterns.h5     the shots of one particle (engine/spi/pattern-file.h), when all is done, in order of inputs
 *   OUT/attempt-NNNN/journal-HOST.flj    a FL_KIND_SHOT and a FL_KIND_PARTICLE row of every shot */
#pragma once

#include "engine/base/inflight.h"
#include "engine/base/journal.h"
#include "engine/programs/attempt-options.h"
#include "engine/programs/stills-inputs.h"
#include "engine/results/history.h"
#include "engine/spi/hits.h"
#include "engine/spi/pattern-source.h"

#define FL_HITS_PROGRAM "firstlight-engine hits"

typedef struct
{
  FlParallel *parallel;
  gboolean first; /* rank 0 */
  FlAttemptOptions options;
  FlParams *params;
  FlPatternSourceOptions source_options;
  FlCalibrationOptions calibration;
  GPtrArray *inputs; /* FlInput */
  guint attempt;
  char *attempt_dir;
  int hold;
  FlJournalWriter *journal;
  FlInflight *inflight;
  GQueue open;             /* OpenSource, the latest first */
  FlPatternPixels *pixels; /* those of the first input that can be opened: the others' are the same */
  char *pixels_of;         /* its path */
  FlPatterns *patterns;    /* the shot in hand, with these pixels */
  FlHits *hits;
  FlBatch *shots, *particles; /* not yet journalled */
  guint64 since;              /* tick of the first of them */
  guint64 done, singles, failed;
  char *first_failure;

  /* rank 0 */
  FlHistory *history;
  FlBatch *sources;
  GArray *todo, *suspects, *guilty; /* FlShotRef */
  guint bad_sources;
  guint64 last_progress, last_done;
} FlHitsJob;

/* --- hits-shots.c --- */

guint32 fl_hits_count_frames (const char *path, gconstpointer options, GError **error);
/* Every rank: the pixels of the first input that can be opened; its share of the inputs has the same. */
gboolean fl_hits_open_pixels (FlHitsJob *job, GError **error);
/* The pattern of a shot, appended with this row. */
gboolean fl_hits_read (FlHitsJob *job, FlShotRef ref, guint32 row, FlPatterns *patterns, GError **error);
/* A shot that fails is recorded as such; FALSE: recording fails. */
gboolean fl_hits_process (FlHitsJob *job, FlShotRef ref, GError **error);
gboolean fl_hits_set_aside (FlHitsJob *job, FlShotRef ref, const char *why, GError **error);
/* Journals what waits: all, or if its second is over. */
gboolean fl_hits_flush (FlHitsJob *job, gboolean all, GError **error);
void fl_hits_close_sources (FlHitsJob *job);

/* --- hits-learn-job.c, collective --- */

/* Learns from the job's shots, or takes what an earlier attempt learned. *stopped: asked to. */
gboolean fl_hits_learn_job (FlHitsJob *job, gboolean *stopped, GError **error);
/* patterns.h5, from the journals of all attempts; at rank 0 counts[FL_PARTICLE_LAST + 1], last those that failed. */
gboolean fl_hits_write_patterns (FlHitsJob *job, guint64 *counts, GError **error);
/* The counts alone. */
gboolean fl_hits_count (FlHitsJob *job, guint64 *counts, GError **error);
