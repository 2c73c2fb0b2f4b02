/* stills-rank.h: what one rank of `stills` does with a shot: read, find spots, record. */
#pragma once

#include "engine/base/inflight.h"
#include "engine/base/params.h"
#include "engine/parallel/deal.h"
#include "engine/results/recorder.h"
#include "engine/shots/source.h"

/* CPU seconds of a rank; sums of doubles, so that they can be added over the ranks. */
typedef struct
{
  double read;   /* decoding included */
  double decode; /* decompression and conversion alone */
  double find;
  double write; /* journal and segments */
} FlRankTimes;

typedef struct
{
  guint64 shots, hits, failed, set_aside;
  FlRankTimes cpu;
  char *first_failure; /* "file: frame 3: why" */
} FlRankCounts;

typedef struct FlStillsRank FlStillsRank;

/* `inputs`: FlInput, must outlive it, like recorder and inflight. */
FlStillsRank *fl_stills_rank_new (const FlParams *params, const FlSourceOptions *options, guint node_rank,
                                  const GPtrArray *inputs, FlRecorder *recorder, FlInflight *inflight,
                                  GError **error);
void fl_stills_rank_free (FlStillsRank *rank);
const char *fl_stills_rank_device (const FlStillsRank *rank, const char **message);
FlRankCounts *fl_stills_rank_counts (FlStillsRank *rank);

/* A shot that fails is recorded as such; FALSE only when recording fails. */
gboolean fl_stills_rank_process (FlStillsRank *rank, FlShotRef ref, GError **error);
/* Records that this shot is not processed any more. */
gboolean fl_stills_rank_set_aside (FlStillsRank *rank, FlShotRef ref, const char *message, GError **error);
