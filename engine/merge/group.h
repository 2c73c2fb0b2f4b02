/* group.h: the one big exchange: brings all contributions to a unique reflection together on one rank.
 *
 * The unique list is cut into slices so that no rank holds more than `memory` bytes of contributions at a time; each slice is cut
 * into as many parts as there are ranks. */
#pragma once

#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

/* `contributions`: by lattice number, a lattice's own in the order of its observations; the function's to change until it
 * returns. */
typedef void (*FlGroupFunc) (guint32 unique, FlContribution *contributions, guint n, gpointer data);

/* Collective. Calls `func` once for every reflection that has contributions, on one rank each; rising numbers within a slice.
 * `memory`: bytes a rank; 0 = 512 MiB. */
void fl_merge_group (const FlMergeSet *set, const FlUniqueList *list, gsize memory, FlGroupFunc func,
                     gpointer data);
