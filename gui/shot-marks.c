#include "gui/shot-marks.h"

#include <math.h>

#define SPOT_RADIUS 4.0 /* px */
#define NEAR_LEAST  2.0
#define NEAR_MOST   5.0

static double
reach (const FlViewLattice *lattice)
{
  return CLAMP (3 * lattice->rmsd, NEAR_LEAST, NEAR_MOST);
}

static int
by_place (gconstpointer a, gconstpointer b)
{
  const FlViewReflection *x = *(const FlViewReflection *const *) a, *y = *(const FlViewReflection *const *) b;
  if (x->panel != y->panel)
    return x->panel < y->panel ? -1 : 1;
  return x->ss < y->ss ? -1 : x->ss > y->ss;
}

/* Reflections by panel and slow scan. */
static GPtrArray *
sorted (const FlViewLattices *lattices)
{
  GPtrArray *all = g_ptr_array_new ();
  for (guint i = 0; lattices && i < lattices->n_reflections; i++)
    g_ptr_array_add (all, &lattices->reflections[i]);
  g_ptr_array_sort (all, by_place);
  return all;
}

static gboolean
is_explained (const FlViewSpot *spot, const FlViewLattices *lattices, const GPtrArray *all)
{
  guint low = 0, high = all->len;
  while (low < high) /* the first that could reach the spot */
    {
      guint middle = low + (high - low) / 2;
      const FlViewReflection *r = all->pdata[middle];
      if (r->panel < spot->panel || (r->panel == spot->panel && r->ss < spot->ss - NEAR_MOST))
        low = middle + 1;
      else
        high = middle;
    }
  for (; low < all->len; low++)
    {
      const FlViewReflection *r = all->pdata[low];
      if (r->panel != spot->panel || r->ss > spot->ss + NEAR_MOST)
        return FALSE;
      if (hypot (r->fs - spot->fs, r->ss - spot->ss) <= reach (&lattices->lattices[r->lattice]))
        return TRUE;
    }
  return FALSE;
}

GArray *
flg_shot_spot_marks (const FlViewSpots *spots, const FlViewLattices *lattices)
{
  GArray *marks = g_array_new (FALSE, FALSE, sizeof (FlwImageSpot));
  g_autoptr (GPtrArray) all = sorted (lattices);
  for (guint i = 0; spots && i < spots->n_spots; i++)
    {
      const FlViewSpot *s = &spots->spots[i];
      FlwImageSpot mark = {
        .x = s->x, .y = s->y, .radius = SPOT_RADIUS, .d = s->d, .intensity = s->intensity
      };
      if (lattices && lattices->n_lattices > 0)
        mark.state = is_explained (s, lattices, all) ? FLW_SPOT_EXPLAINED : FLW_SPOT_UNEXPLAINED;
      g_array_append_val (marks, mark);
    }
  return marks;
}

GArray *
flg_shot_prediction_marks (const FlViewLattices *lattices)
{
  GArray *marks = g_array_new (FALSE, FALSE, sizeof (FlwImagePrediction));
  for (guint i = 0; lattices && i < lattices->n_reflections; i++)
    {
      const FlViewReflection *r = &lattices->reflections[i];
      FlwImagePrediction mark = { r->x, r->y, r->lattice, r->h, r->k, r->l, r->intensity, r->sigma, r->d };
      g_array_append_val (marks, mark);
    }
  return marks;
}

FlgShotCounts
flg_shot_count (const FlViewSpots *spots, const FlViewLattices *lattices, const GArray *marks)
{
  FlgShotCounts counts = { .spots = spots ? spots->n_spots : 0, .resolution = spots ? spots->resolution : 0 };
  double squares = 0, weights = 0, best = 0;
  for (guint i = 0; i < marks->len; i++)
    counts.unexplained += g_array_index (marks, FlwImageSpot, i).state == FLW_SPOT_UNEXPLAINED;
  for (guint i = 0; lattices && i < lattices->n_lattices; i++)
    {
      const FlViewLattice *l = &lattices->lattices[i];
      double weight = MAX (l->n_spots, 1u);
      squares += weight * l->rmsd * l->rmsd;
      weights += weight;
      if (l->resolution > 0 && (best <= 0 || l->resolution < best))
        best = l->resolution;
    }
  for (guint i = 0; lattices && i < lattices->n_reflections; i++)
    counts.integrated += lattices->reflections[i].sigma >= 0;
  counts.lattices = lattices ? lattices->n_lattices : 0;
  counts.predicted = lattices ? lattices->n_reflections : 0;
  counts.rmsd = weights > 0 ? sqrt (squares / weights) : 0;
  counts.resolution = best > 0 ? best : counts.resolution;
  return counts;
}
