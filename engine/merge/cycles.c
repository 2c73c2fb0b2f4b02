#include "engine/merge/cycles.h"

#include <math.h>

#include "engine/merge/merging.h"

#define TOLERANCE      1e-5
#define OUTSIDE_CYCLES 3
#define SHELLS         10
#define SHELL_LEAST    10 /* reflections */

typedef struct
{
  double n, w, x, y, xx, xy, yy;
} Sums;

double
fl_merge_reference_agreement (const FlMergeReference *a, const FlMergeReference *b, const FlUniqueList *list)
{
  Sums shells[SHELLS] = { 0 };
  double least = HUGE_VAL, lowest = 1;
  for (guint u = 0; u < a->n; u++)
    least = MIN (least, (double) fl_unique_list_at (list, u)->d);
  for (guint u = 0; u < a->n; u++)
    {
      double x = (double) a->intensity[u], y = (double) b->intensity[u];
      double w = 1 / (1 / (double) a->weight[u] + 1 / (double) b->weight[u]);
      if (!(w > 0) || isnan (x) || isnan (y))
        continue;
      double place = pow (least / (double) fl_unique_list_at (list, u)->d, 3);
      Sums *s = &shells[MIN ((guint) (place * SHELLS), SHELLS - 1)];
      s->n++;
      s->w += w;
      s->x += w * x;
      s->y += w * y;
      s->xx += w * x * x;
      s->xy += w * x * y;
      s->yy += w * y * y;
    }
  for (const Sums *s = shells; s < shells + SHELLS; s++)
    {
      double product = (s->w * s->xx - s->x * s->x) * (s->w * s->yy - s->y * s->y);
      if (s->n >= SHELL_LEAST && product > 0)
        lowest = MIN (lowest, (s->w * s->xy - s->x * s->y) / sqrt (product));
    }
  return lowest;
}

/* The next reference; TRUE when it is the last one over again. */
static gboolean
advance (const FlMergeSet *set, const FlUniqueList *list, FlMergeCycles *cycles)
{
  double tolerance = cycles->tolerance > 0 ? cycles->tolerance : TOLERANCE;
  FlMergeReference *next = fl_merging_reference (set, list, 1);
  gboolean settled =
      cycles->last != NULL && 1 - fl_merge_reference_agreement (cycles->last, next, list) < tolerance;
  g_clear_pointer (&cycles->last, fl_merge_reference_free);
  cycles->last = next;
  return settled;
}

gboolean
fl_merge_cycles (FlMergeSet *set, const FlUniqueList *list, FlMergeCycles *cycles)
{
  const FlMergeReference *outside = cycles->outside;
  guint most = outside != NULL ? MIN (cycles->most, OUTSIDE_CYCLES) : cycles->most;
  FlScalingOptions scaling = cycles->scaling;
  scaling.fall_known = outside != NULL;
  for (; cycles->done < most; cycles->done++)
    {
      if (cycles->stop != NULL && cycles->stop (cycles->data))
        return FALSE;
      if (outside == NULL && (cycles->done > 0 || cycles->last == NULL) && advance (set, list, cycles))
        break;
      fl_merge_scale (set, list, outside != NULL ? outside : cycles->last, &scaling);
    }
  return TRUE;
}
