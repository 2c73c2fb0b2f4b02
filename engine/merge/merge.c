#include "engine/merge/merge.h"

#include <math.h>

const char *
fl_merge_reason_words (FlMergeReason reason)
{
  static const char *const words[] = {
    [FL_MERGE_ACCEPTED] = "accepted",
    [FL_MERGE_NO_REFLECTIONS] = "nothing was integrated",
    [FL_MERGE_FEW_REFLECTIONS] = "too few reflections",
    [FL_MERGE_OTHER_SYMMETRY] = "another lattice type or centring",
    [FL_MERGE_CELL] = "another unit cell",
    [FL_MERGE_RESOLUTION] = "does not reach the resolution asked for",
    [FL_MERGE_CONFIDENCE] = "indexed with too little confidence",
    [FL_MERGE_FEW_COMMON] = "too few reflections in common with the others",
    [FL_MERGE_CORRELATION] = "does not correlate with the others",
    [FL_MERGE_SCALE] = "scale or B factor out of range",
    [FL_MERGE_DIVERGED] = "post-refinement diverged",
  };
  return reason < FL_MERGE_REASON_LAST ? words[reason] : "unknown";
}

FlMergeReference *
fl_merge_reference_new (guint n)
{
  FlMergeReference *reference = g_new (FlMergeReference, 1);
  *reference =
      (FlMergeReference){ n, g_new (float, n), g_new (float, n), g_new (float, n), g_new0 (guint32, n) };
  for (guint i = 0; i < n; i++)
    reference->intensity[i] = reference->sigma[i] = reference->weight[i] = NAN;
  return reference;
}

void
fl_merge_reference_free (FlMergeReference *reference)
{
  g_free (reference->intensity);
  g_free (reference->sigma);
  g_free (reference->weight);
  g_free (reference->count);
  g_free (reference);
}
