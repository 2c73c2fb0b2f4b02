#include "engine/merge/trend.h"

#include "engine/merge/group.h"

static const guint parts[] = { 16, 8, 4, 2, 1 }; /* of which a subset is one; the last is all */
#define N_SUBSETS G_N_ELEMENTS (parts)

static void
add_to_all (guint32 unique, FlContribution *contributions, guint n, gpointer data)
{
  FlMerger **mergers = data;
  for (guint i = 0; i < N_SUBSETS; i++)
    fl_merger_add (mergers[i], unique, contributions, n);
}

static void
append_rows (const FlMergeResult *result, const FlUniqueList *list, const GArray *shells, GArray *rows)
{
  g_autoptr (GArray) filled = fl_merge_shells_new (list, shells->len - 1);
  fl_merge_statistics (result, list, NULL, filled);
  for (guint i = 0; i < filled->len; i++)
    {
      const FlShellRow *s = &g_array_index (filled, FlShellRow, i);
      FlTrendRow row = { .lattices = result->lattices,
                         .number = s->number,
                         .d_max = s->d_max,
                         .d_min = s->d_min,
                         .possible = s->possible,
                         .pairs = s->pairs,
                         .completeness = s->completeness,
                         .multiplicity = s->multiplicity,
                         .i_sigma = s->i_sigma,
                         .cc_half = s->cc_half,
                         .r_split = s->r_split,
                         .cc_ano = s->cc_ano };
      g_array_append_val (rows, row);
    }
}

FlMergeResult *
fl_merge_trend (const FlMergeSet *set, const FlUniqueList *list, const FlMergingOptions *options,
                const GArray *shells, gsize memory, GArray *rows)
{
  FlMerger *mergers[N_SUBSETS];
  FlMergeResult *result = NULL;
  guint64 lattices = 0;
  for (guint i = 0; i < N_SUBSETS;
       i++) /* lattices being numbered by key, a subset is those with the lowest numbers */
    mergers[i] = fl_merger_new (options, (set->n_lattices + parts[i] - 1) / parts[i]);
  fl_merge_group (set, list, memory, add_to_all, mergers);
  for (guint i = 0; i < N_SUBSETS; i++)
    {
      fl_merge_result_free (result);
      result = fl_merger_finish (mergers[i], set, fl_unique_list_n (list));
      if (result->lattices > lattices) /* of a handful of lattices, subsets may be the same */
        append_rows (result, list, shells, rows);
      lattices = result->lattices;
    }
  return result;
}
