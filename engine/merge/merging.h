/* merging.h: from grouped observations to intensities: those that lattices are scaled against, and the final ones. */
#pragma once

#include "engine/merge/error-model.h"
#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

typedef struct
{
  float intensity, sigma; /* NaN when there is none */
  guint32 n;              /* observations behind it; 0 when there is none */
} FlMerged;

/* By number in the unique list, the same on every rank. */
typedef struct
{
  guint n;
  FlMerged *all;
  FlMerged *half[2];
  FlMerged *mate[2];         /* I(+), I(−); centric reflections have I(+) only. NULL unless `anomalous` */
  FlMerged *half_mate[2][2]; /* of each half, I(+), I(−); NULL unless `anomalous` */
  guint64 lattices;          /* that could have contributed: accepted ones */
  guint64 observations;      /* in `all` */
  guint64 outliers;          /* left out for being far from the median */
} FlMergeResult;

typedef struct
{
  FlErrorModel error_model;
  double outlier;         /* robust standard deviations from the median; 0: keep all */
  guint min_multiplicity; /* of `all`, and of each half; mates need one observation */
  gboolean anomalous;     /* keep mates apart, too */
} FlMergingOptions;

/* Collective. Σ w I / Σ w with the contributions' weights, that is ΣI_observed/Σ G e^(−B/2d²) p, which unlike inverse variances does
 * not favour observations that happened to come out small; σ from their scatter (of a single one, as large as itself). */
FlMergeReference *fl_merging_reference (const FlMergeSet *set, const FlUniqueList *list,
                                        guint min_multiplicity);
/* Collective; `memory` as in group.h. Inverse-variance means. */
FlMergeResult *fl_merging_final (const FlMergeSet *set, const FlUniqueList *list,
                                 const FlMergingOptions *options, gsize memory);
void fl_merge_result_free (FlMergeResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMergeResult, fl_merge_result_free)

/* --- for those that merge several times in one grouping (trend.c) --- */

typedef struct FlMerger FlMerger;

/* Takes part in no message until it is finished. `limit`: only lattices with a number below it. */
FlMerger *fl_merger_new (const FlMergingOptions *options, guint64 limit);
/* As FlGroupFunc. */
void fl_merger_add (FlMerger *self, guint32 unique, const FlContribution *contributions, guint n);
/* Collective; frees `self`. */
FlMergeResult *fl_merger_finish (FlMerger *self, const FlMergeSet *set, guint n_unique);
