/* trend.h: how quality grows with lattices: merges of nested subsets (1/16, 1/8, 1/4, ½ and all of the lattices, by key) in one
 * grouping. */
#pragma once

#include "engine/merge/merging.h"
#include "engine/merge/statistics.h"

/* Collective. Appends FlTrendRow of every subset and shell to `rows`; returns the merge of all lattices, as fl_merging_final()
 * does. `shells`: ranges, by fl_merge_shells_new(). */
FlMergeResult *fl_merge_trend (const FlMergeSet *set, const FlUniqueList *list,
                               const FlMergingOptions *options, const GArray *shells, gsize memory,
                               GArray *rows);
