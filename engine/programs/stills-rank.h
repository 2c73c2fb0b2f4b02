/* stills-rank.h: what one rank of `stills` does with a shot: read, find spots, find lattices, record; or learn from it.
 *
 * Where a GPU finds the spots, the next shot is read and the one before recorded meanwhile. A rank has its part of a GPU's
 * memory; when that is too little and engine.device is auto, it says so on stderr and goes on with the CPU. */
#pragma once

#include "engine/base/inflight.h"
#include "engine/base/params.h"
#include "engine/parallel/deal.h"
#include "engine/parallel/parallel.h"
#include "engine/results/recorder.h"
#include "engine/sfx/cell-search.h"
#include "engine/sfx/lattice-finding.h"
#include "engine/shots/source.h"

/* CPU seconds of a rank; sums of doubles, so that they can be added over the ranks. */
typedef struct
{
  double read;   /* decoding included */
  double decode; /* decompression and conversion alone */
  double find;
  double index, refine, integrate; /* wall clock: these wait for nothing */
  double write;                    /* journal and segments */
} FlRankTimes;

typedef struct
{
  guint64 shots, hits, indexed, lattices, failed, set_aside;
  FlRankTimes cpu;
  char *first_failure; /* "file: frame 3: why" */
} FlRankCounts;

typedef struct FlStillsRank FlStillsRank;

/* `inputs`: FlInput, must outlive it, like recorder and inflight. */
FlStillsRank *fl_stills_rank_new (const FlParams *params, const FlSourceOptions *options,
                                  FlParallel *parallel, const GPtrArray *inputs, FlRecorder *recorder,
                                  FlInflight *inflight, GError **error);
void fl_stills_rank_free (FlStillsRank *rank);
const char *fl_stills_rank_device (const FlStillsRank *rank, const char **message);
FlRankCounts *fl_stills_rank_counts (FlStillsRank *rank);

/* From now on hits are indexed with this cell (and the mosaic model and profiles that a learning pass found; NULL: none). */
gboolean fl_stills_rank_expect (FlStillsRank *rank, const FlKnownCell *known, const FlMosaic *prior,
                                const FlProfiles *profiles, FlUntil until, GError **error);

/* --- learning: nothing is recorded --- */

typedef enum
{
  FL_LEARN_CELL, /* candidates (FlCellCandidate) of each hit */
  FL_LEARN_MOSAIC, /* mosaic models (FlMosaic) of each hit's surest lattice; fl_stills_rank_expect() comes first */
  FL_LEARN_PROFILES /* nothing a hit: the rank's sums are asked for at the end; expect(), as far as integration, first */
} FlLearn;

/* What was learned from one shot; `n` items follow it, of `size` bytes each. */
typedef struct
{
  guint64 shot;
  FlShotRef ref;
  guint32 hit, n;
} FlLearnedShot;

#define FL_LEARN_CANDIDATES 8

/* Appends a FlLearnedShot and its items. A shot that cannot be read is no hit. FALSE: the device. */
gboolean fl_stills_rank_learn (FlStillsRank *rank, FlShotRef ref, FlLearn what, GByteArray *out,
                               GError **error);

/* What has been learned since the last call; the caller's. */
FlProfiles *fl_stills_rank_take_profiles (FlStillsRank *rank);

/* A shot that fails is recorded as such; FALSE only when recording fails, or the device. Shots are recorded in their order; with
 * a GPU the last one not before the next is processed, or it is settled: */
gboolean fl_stills_rank_process (FlStillsRank *rank, FlShotRef ref, GError **error);
gboolean fl_stills_rank_settle (FlStillsRank *rank, GError **error);
/* Before the recorder is closed, with all settled: the rest of the evidence. */
gboolean fl_stills_rank_conclude (FlStillsRank *rank, GError **error);
/* Records that this shot is not processed any more. */
gboolean fl_stills_rank_set_aside (FlStillsRank *rank, FlShotRef ref, const char *message, GError **error);
