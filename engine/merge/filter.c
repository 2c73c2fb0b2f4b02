#include "engine/merge/filter.h"

#include <string.h>

#include "engine/base/units.h"

static gboolean
is_cell_near (const FlMergeFilter *filter, const float cell[6])
{
  const double known[] = { filter->cell->a,     filter->cell->b,    filter->cell->c,
                           filter->cell->alpha, filter->cell->beta, filter->cell->gamma };
  for (int i = 0; i < 6; i++)
    if (!(fabs ((double) cell[i] - known[i])
          <= (i < 3 ? filter->length_tolerance * known[i] : filter->angle_tolerance)))
      return FALSE;
  return TRUE;
}

static gboolean
is_in_cluster (const FlMergeFilter *filter, const float cell[6])
{
  double values[6];
  for (int i = 0; i < 6; i++)
    values[i] = i < 3 ? (double) cell[i] : fl_degrees ((double) cell[i]);
  return filter->in_cluster (values, filter->data);
}

void
fl_merge_lattice_cell (const FlMergeLattice *lattice, const FlReindexing *settings, guint setting,
                       float cell[6])
{
  const float *c = lattice->cell;
  memcpy (cell, c, 6 * sizeof *cell);
  if (setting == 0)
    return;
  const FlCell own = { (double) c[0], (double) c[1], (double) c[2],
                       (double) c[3], (double) c[4], (double) c[5] };
  FlCell other = fl_reindexing_cell (&settings[setting - 1], &own);
  const double values[] = { other.a, other.b, other.c, other.alpha, other.beta, other.gamma };
  for (int i = 0; i < 6; i++)
    cell[i] = (float) values[i];
}

static gboolean
belongs (const FlMergeFilter *filter, const FlMergeLattice *lattice)
{
  for (guint setting = 0; setting <= filter->n_settings; setting++)
    {
      float cell[6];
      fl_merge_lattice_cell (lattice, filter->settings, setting, cell);
      if ((filter->cell == NULL || is_cell_near (filter, cell))
          && (filter->in_cluster == NULL || is_in_cluster (filter, cell)))
        return TRUE;
    }
  return FALSE;
}

static FlMergeReason
judge (const FlMergeFilter *filter, const FlMergeLattice *lattice)
{
  if (lattice->n < filter->min_reflections)
    return FL_MERGE_FEW_REFLECTIONS;
  if (filter->centring != 0 && lattice->centring != (guint8) filter->centring)
    return FL_MERGE_OTHER_SYMMETRY;
  if (!belongs (filter, lattice))
    return FL_MERGE_CELL;
  if (filter->d_min > 0 && (double) lattice->resolution > filter->d_min)
    return FL_MERGE_RESOLUTION;
  return (double) lattice->confidence < filter->min_confidence ? FL_MERGE_CONFIDENCE : FL_MERGE_ACCEPTED;
}

void
fl_merge_filter (FlMergeSet *set, const FlMergeFilter *filter)
{
  for (guint i = 0; i < set->lattices->len; i++)
    {
      FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      if (lattice->reason == FL_MERGE_ACCEPTED)
        lattice->reason = (guint8) judge (filter, lattice);
    }
}

void
fl_merge_count_reasons (const FlMergeSet *set, guint64 counts[FL_MERGE_REASON_LAST])
{
  for (guint r = 0; r < FL_MERGE_REASON_LAST; r++)
    counts[r] = 0;
  for (guint i = 0; i < set->lattices->len; i++)
    counts[g_array_index (set->lattices, FlMergeLattice, i).reason]++;
  fl_parallel_sum_u64 (set->parallel, counts, FL_MERGE_REASON_LAST);
}
