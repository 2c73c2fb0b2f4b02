/* cycles.h: lattices are scaled against what is merged of them, again and again, until that no longer changes.
 *
 * Since a lattice is fitted to what the others say (scaling.h), more cycles do not fit noise better: there is one state that they lead
 * to, from wherever they start. An earlier merge's state only makes the way shorter. */
#pragma once

#include "engine/merge/scaling.h"

typedef struct
{
  FlScalingOptions scaling;
  const FlMergeReference *outside; /* to scale against instead, or NULL; then three cycles are enough */
  guint most;                      /* cycles */
  double tolerance; /* of 1 − CC between two cycles' references in the worst shell; 0 = 1e-5 */
  gboolean (*stop) (gpointer data); /* collective; asked before each cycle; may be NULL */
  gpointer data;

  guint done; /* cycles */
  FlMergeReference *
      last; /* what the last cycle scaled against; before the first: what an earlier merge knows, or NULL. Ours */
} FlMergeCycles;

/* Collective. The set is indexed, and its lattices have a start (fl_merge_scale_start(), fl_merge_state_apply()). FALSE: stopped;
 * called again with the same set and `last`, it goes on as if it had not been. */
gboolean fl_merge_cycles (FlMergeSet *set, const FlUniqueList *list, FlMergeCycles *cycles);
/* The lowest correlation of the two in ten shells of equal volume, reflections by weight; 1 where there is nothing to compare. */
double fl_merge_reference_agreement (const FlMergeReference *a, const FlMergeReference *b,
                                     const FlUniqueList *list);
