#include "engine/merge/group.h"

#include <string.h>

#include "engine/merge/partiality.h"
#include "engine/parallel/exchange.h"

#define MEMORY  ((gsize) 512 << 20)
#define BUFFERS 3 /* that a slice lies in: as sent, as received, in order */

typedef struct
{
  guint32 unique;
  FlContribution contribution;
} Parcel;

/* By unique reflection, how many observations there are: about as many as will be contributions. */
static void
count (const FlMergeSet *set, guint n, guint64 *counts)
{
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      const FlObservation *o = set->observations + lattice->first;
      for (guint j = 0; j < lattice->n && lattice->reason == FL_MERGE_ACCEPTED; j++, o++)
        if (o->unique < n)
          counts[o->unique]++;
    }
}

/* Where slices and, within them, ranks' parts begin: n_parts + 1 numbers, so that all parts have about as many observations. */
static guint *
cut (const guint64 *counts, guint n, guint64 total, guint n_parts)
{
  guint *cuts = g_new (guint, n_parts + 1);
  guint64 sum = 0;
  guint at = 0;
  for (guint part = 0; part < n_parts; part++)
    {
      guint64 wanted = (guint64) ((__extension__(unsigned __int128) total * part) / n_parts);
      for (; at < n && sum < wanted; at++)
        sum += counts[at];
      cuts[part] = at;
    }
  cuts[n_parts] = n;
  return cuts;
}

typedef struct
{
  const guint *cuts; /* of this slice */
  guint ranks;
  Parcel *parcels;
  guint64 *next; /* for each rank */
} Outgoing;

static void
pack (Outgoing *out, const Parcel *parcel)
{
  guint low = 0, high = out->ranks; /* cuts[low] ≤ unique < cuts[high] */
  while (high - low > 1)
    {
      guint middle = (low + high) / 2;
      if (out->cuts[middle] <= parcel->unique)
        low = middle;
      else
        high = middle;
    }
  out->parcels[out->next[low]++] = *parcel;
}

/* Every contribution of this rank to a reflection of the slice. */
static void
pack_all (const FlMergeSet *set, const FlUniqueList *list, Outgoing *out)
{
  guint begin = out->cuts[0], end = out->cuts[out->ranks];
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      const FlObservation *o = set->observations + lattice->first;
      for (guint j = 0; j < lattice->n && lattice->reason == FL_MERGE_ACCEPTED; j++, o++)
        {
          Parcel parcel = { .unique = o->unique };
          if (o->unique >= begin && o->unique < end
              && fl_merge_contribution (lattice, o, (double) fl_unique_list_at (list, o->unique)->d,
                                        &parcel.contribution))
            pack (out, &parcel);
        }
    }
}

static int
by_lattice (const void *a, const void *b, gpointer data)
{
  const FlContribution *x = a, *y = b;
  (void) data;
  return (x->lattice > y->lattice) - (x->lattice < y->lattice);
}

/* Parcels to reflections begin … end − 1, in the order in which ranks sent them: each reflection's by lattice, to `func`. */
static void
deliver (const Parcel *parcels, guint64 n, guint begin, guint end, FlGroupFunc func, gpointer data)
{
  g_autofree guint64 *next = g_new0 (guint64, (gsize) (end - begin) + 1);
  g_autofree FlContribution *sorted = g_new (FlContribution, n + 1);
  for (guint64 i = 0; i < n; i++)
    next[parcels[i].unique - begin + 1]++;
  for (guint u = 0; u < end - begin; u++)
    next[u + 1] += next[u];
  for (guint64 i = 0; i < n; i++)
    sorted[next[parcels[i].unique - begin]++] = parcels[i].contribution;
  guint64 first = 0;
  for (guint u = begin; u < end; first = next[u++ - begin])
    {
      guint64 last = next[u - begin];
      gboolean in_order = TRUE;
      for (guint64 i = first + 1; i < last && in_order; i++)
        in_order = sorted[i - 1].lattice <= sorted[i].lattice;
      if (!in_order) /* this sort is stable */
        g_qsort_with_data (sorted + first, (gint) (last - first), sizeof *sorted, by_lattice, NULL);
      if (last > first)
        func (u, sorted + first, (guint) (last - first), data);
    }
}

static void
group_slice (const FlMergeSet *set, const FlUniqueList *list, const guint *cuts, const guint64 *mine,
             FlGroupFunc func, gpointer data)
{
  guint ranks = fl_parallel_ranks (set->parallel), rank = fl_parallel_rank (set->parallel);
  g_autofree guint64 *lengths = g_new0 (guint64, ranks), *received = g_new (guint64, ranks);
  g_autofree guint64 *first = g_new (guint64, ranks), *next = g_new (guint64, ranks);
  guint64 n = 0, n_received = 0;
  for (guint r = 0; r < ranks; r++)
    {
      first[r] = next[r] = n;
      for (guint u = cuts[r]; u < cuts[r + 1]; u++)
        n += mine[u];
    }
  Outgoing out = { cuts, ranks, g_new (Parcel, n + 1), next };
  pack_all (set, list, &out);
  n = 0;
  for (guint r = 0; r < ranks; r++) /* observations that did not contribute leave gaps */
    {
      guint64 part = next[r] - first[r];
      memmove (out.parcels + n, out.parcels + first[r], part * sizeof (Parcel));
      lengths[r] = part * sizeof (Parcel);
      n += part;
    }
  g_autofree Parcel *in = (Parcel *) fl_parallel_exchange (set->parallel, out.parcels, lengths, received);
  g_free (out.parcels);
  for (guint r = 0; r < ranks; r++)
    n_received += received[r] / sizeof (Parcel);
  deliver (in, n_received, cuts[rank], cuts[rank + 1], func, data);
}

/* In how many slices: the rank that holds most sends no more at a time than it may, and nobody gets more. Lattices being samples of
 * all reflections, a rank's share of a slice is as great as its share of all. */
static guint
count_slices (FlParallel *parallel, guint64 mine, gsize memory)
{
  guint64 length, most = 0, limit = MAX (memory / (BUFFERS * sizeof (Parcel)), 1);
  g_autofree guint64 *all = (guint64 *) fl_parallel_gather_all (parallel, &mine, sizeof mine, &length);
  for (guint i = 0; i < length / sizeof *all; i++)
    most = MAX (most, all[i]);
  return (guint) (most / limit) + 1;
}

void
fl_merge_group (const FlMergeSet *set, const FlUniqueList *list, gsize memory, FlGroupFunc func,
                gpointer data)
{
  guint n = fl_unique_list_n (list), ranks = fl_parallel_ranks (set->parallel);
  g_autofree guint64 *mine = g_new0 (guint64, (gsize) n + 1);
  guint64 n_mine = 0, total = 0;
  count (set, n, mine);
  g_autofree guint64 *counts = g_new (guint64, (gsize) n + 1);
  memcpy (counts, mine, n * sizeof *mine);
  fl_parallel_sum_u64 (set->parallel, counts, n);
  for (guint u = 0; u < n; u++)
    {
      n_mine += mine[u];
      total += counts[u];
    }
  guint slices = MIN (count_slices (set->parallel, n_mine, memory > 0 ? memory : MEMORY), MAX (n, 1));
  g_autofree guint *cuts = cut (counts, n, total, slices * ranks);
  for (guint slice = 0; slice < slices; slice++)
    group_slice (set, list, cuts + slice * ranks, mine, func, data);
}
