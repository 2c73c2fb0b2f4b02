/* statistics.h: how good a merge is, by resolution shell and in all.
 *
 * CC1/2: Pearson's correlation of the two halves' means, no Spearman–Brown step; CC* = √(2 CC1/2/(1 + CC1/2)) (Karplus and
 * Diederichs 2012). R_split = √2 Σ|I1 − I2|/Σ(I1 + I2) (White et al. 2012). CC_ano: correlation of the two halves'
 * I(+) − I(−). NaN: cannot be told. Every rank computes the same. */
#pragma once

#include "engine/merge/merging.h"

/* GArray of FlShellRow: number 0 for all, then n_shells of equal reciprocal volume from the list's lowest resolution to its
 * highest; only ranges and `possible` are filled. */
GArray *fl_merge_shells_new (const FlUniqueList *list, guint n_shells);
/* The shell (1 …) of resolution d; shells: of the above. */
guint fl_merge_shell_of (const GArray *shells, double d);
/* Fills what a result tells. `reference`: NULL, or intensities from outside by number in the list, for cc_iso and r_iso. */
void fl_merge_statistics (const FlMergeResult *result, const FlUniqueList *list,
                          const FlMergeReference *reference, GArray *shells);
/* Collective. Fills `lattices`. */
void fl_merge_statistics_lattices (const FlMergeSet *set, const FlUniqueList *list, GArray *shells);
/* What a merge's row has of its statistics: observations, unique, possible, d_max, d_min, wilson_*, l_*, completeness …, cc_ano, and
 * the error model. Strings are static. */
void fl_merge_statistics_row (const FlMergeResult *result, const FlUniqueList *list, const GArray *shells,
                              const FlErrorModel *error_model, FlMergeRow *row);
