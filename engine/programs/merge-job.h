/* merge-job.h: what the files of `merge` share: one merge from its inputs to its result. Collective calls, all of them. */
#pragma once

#include "engine/base/params.h"
#include "engine/crystal/space-group.h"
#include "engine/merge/input.h"
#include "engine/merge/state.h"
#include "engine/merge/statistics.h"

typedef struct
{
  FlParallel *parallel;
  gboolean first; /* rank 0 */
  FlParams *params;
  char *out, *attempt_dir;
  guint attempt;
  FlMergeState *parent; /* or NULL */

  FlMergeSet *set;
  FlSpaceGroup group;
  FlSymmetry *symmetry;
  FlCell cell; /* that resolutions are reckoned with */
  FlUniqueList *list;
  FlReindexing *settings;
  guint n_settings;
  GArray *outside_rows; /* FlHklRow of merge.reference, at rank 0 */
  FlSymmetry *outside_symmetry;
  FlMergeReference *outside;     /* merge.reference, or NULL */
  guint64 params_sum, terms_sum; /* FlMergeStateHeader */

  guint cycles;
  guint64 counts[FL_MERGE_REASON_LAST];
  guint64 reindexed;
  FlErrorModel errors;
  FlMergeResult *result;
  FlMergeReference *reference; /* that the next version may start from */
  GArray *shells, *trend;      /* FlShellRow, FlTrendRow */
  FlMergeState *state;
  FlMergeRow row;
  char *ambiguity, *lattice_sum, *parent_sum;
} FlMergeJob;

/* Rank 0's error becomes everybody's; TRUE when there is none. */
gboolean fl_merge_job_agree (FlMergeJob *job, GError **error);

/* Cell, symmetry, resolution, list, settings, filters, the reference from outside. */
gboolean fl_merge_job_set_up (FlMergeJob *job, GError **error);
/* Mean cell and energy of the lattices in the result, into `row`. */
void fl_merge_job_means (FlMergeJob *job);
/* merge.reference, if there is one: read first, so that what is none is told at once; placed by set_up(). */
gboolean fl_merge_job_read_reference (FlMergeJob *job, GError **error);
gboolean fl_merge_job_place_reference (FlMergeJob *job, GError **error);

/* merged.mtz, merged.hkl, merge.json, merge.state and the journal; rank 0 alone. */
gboolean fl_merge_job_write (FlMergeJob *job, guint64 started, GError **error);
/* The result as a table for people, and a last line; rank 0 alone. `parent`: that it was started from, if job->parent is there. */
void fl_merge_job_print (const FlMergeJob *job, const char *parent);
