/* ambiguity.h: which of the settings that look alike each lattice is in, by its intensities.
 *
 * With a reference the setting of the highest correlation. Without: a mean grows from one lattice, those that are told apart best
 * first, and is then iterated until none changes, each lattice compared with the mean of the others; of several starts the one
 * that ends most consistent (after Brehm & Diederichs 2014, Acta Cryst. D70, 101, who compare all pairs). The set as a whole may
 * then be in any of the settings. */
#pragma once

#include "engine/merge/input.h"

typedef struct
{
  gboolean (*asked) (gpointer data); /* collective; before each round */
  gpointer data;
} FlMergeStop;

/* Collective. Sets `setting` of each accepted lattice and the numbers of its observations (fl_merge_set_index() must have been
 * called). `settings`, `n_settings`: of fl_reindexing_ambiguities(). `reference` and `stop` may be NULL. `changed`: how many lattices
 * of all ranks are not in setting 0. FALSE: stopped, and nothing is set. */
gboolean fl_merge_resolve (FlMergeSet *set, const FlUniqueList *list, const FlReindexing *settings,
                           guint n_settings, const FlMergeReference *reference, const FlMergeStop *stop,
                           guint64 *changed);
