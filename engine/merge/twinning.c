#include "engine/merge/twinning.h"

#include <math.h>

#define REACH 4 /* |Δh| + |Δk| + |Δl| */

typedef struct
{
  const FlMerged *merged;
  const FlUniqueList *list;
  double abs, square;
  guint64 pairs;
} LSum;

static void
add_pair (LSum *sum, guint32 a, guint32 b)
{
  const FlUnique *u = fl_unique_list_at (sum->list, a), *v = fl_unique_list_at (sum->list, b);
  if (v->centric || sum->merged[b].n == 0)
    return;
  double x = MAX ((double) sum->merged[a].intensity, 0) / u->epsilon;
  double y = MAX ((double) sum->merged[b].intensity, 0) / v->epsilon;
  if (!(x + y > 0))
    return;
  double l = (x - y) / (x + y);
  sum->abs += fabs (l);
  sum->square += l * l;
  sum->pairs++;
}

/* Each pair of neighbours from one side: of Δ and −Δ one is looked at. */
static void
add_neighbours (LSum *sum, guint32 number)
{
  FlMiller m = fl_unique_list_at (sum->list, number)->hkl;
  for (int h = 0; h <= REACH; h += 2)
    for (int k = -REACH; k <= REACH; k += 2)
      for (int l = -REACH; l <= REACH; l += 2)
        {
          gboolean after = h > 0 || k > 0 || (k == 0 && l > 0);
          if (!after || h + ABS (k) + ABS (l) > REACH)
            continue;
          guint32 other = fl_unique_list_find (sum->list, (FlMiller){ m.h + h, m.k + k, m.l + l }, NULL);
          if (other != FL_UNIQUE_NONE && other != number)
            add_pair (sum, number, other);
        }
}

FlLTest
fl_l_test (const FlMerged *merged, const FlUniqueList *list, double d_max, double d_min)
{
  LSum sum = { merged, list, 0, 0, 0 };
  for (guint i = 0; i < fl_unique_list_n (list); i++)
    {
      const FlUnique *u = fl_unique_list_at (list, i);
      if (!u->centric && merged[i].n > 0 && (double) u->d >= d_min && (double) u->d <= d_max)
        add_neighbours (&sum, i);
    }
  double n = sum.pairs > 0 ? (double) sum.pairs : NAN;
  return (FlLTest){ sum.abs / n, sum.square / n, sum.pairs };
}
