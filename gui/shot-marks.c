#include "gui/shot-marks.h"

#include <math.h>
#include <stdlib.h>

#define SPOT_RADIUS 4.0 /* px */

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

typedef struct
{
  guint spot;
  double distance; /* px, to the nearest prediction; INFINITY: none on its panel */
} Nearest;

static int
by_distance (gconstpointer a, gconstpointer b)
{
  const Nearest *x = a, *y = b;
  return x->distance == y->distance ? (x->spot > y->spot) - (x->spot < y->spot)
                                    : (x->distance > y->distance) - (x->distance < y->distance);
}

/* Looks from the spot's place outwards while something nearer may come. */
static double
nearest_prediction (const FlViewSpot *spot, const GPtrArray *all)
{
  guint low = 0, high = all->len;
  double best = INFINITY;
  while (low < high) /* the first at or after the spot */
    {
      guint middle = low + (high - low) / 2;
      const FlViewReflection *r = all->pdata[middle];
      if (r->panel < spot->panel || (r->panel == spot->panel && r->ss < spot->ss))
        low = middle + 1;
      else
        high = middle;
    }
  for (int step = -1; step <= 1; step += 2)
    for (gint64 i = step < 0 ? (gint64) low - 1 : (gint64) low; i >= 0 && i < all->len; i += step)
      {
        const FlViewReflection *r = all->pdata[i];
        if (r->panel != spot->panel || fabs (r->ss - spot->ss) > best)
          break;
        best = MIN (best, hypot (r->fs - spot->fs, r->ss - spot->ss));
      }
  return best;
}

/* Those nearest to predictions, as many as the lattices explain by the engine's count. */
static void
mark_explained (GArray *marks, const FlViewSpots *spots, const FlViewLattices *lattices)
{
  g_autoptr (GPtrArray) all = sorted (lattices);
  g_autofree Nearest *order = g_new (Nearest, marks->len + 1);
  guint explained = 0;
  for (guint i = 0; i < lattices->n_lattices; i++)
    explained += MIN (lattices->lattices[i].n_spots, marks->len);
  for (guint i = 0; i < marks->len; i++)
    order[i] = (Nearest){ i, nearest_prediction (&spots->spots[i], all) };
  qsort (order, marks->len, sizeof *order, by_distance);
  for (guint i = 0; i < marks->len; i++)
    g_array_index (marks, FlwImageSpot, order[i].spot).state =
        i < explained ? FLW_SPOT_EXPLAINED : FLW_SPOT_UNEXPLAINED;
}

GArray *
flg_shot_spot_marks (const FlViewSpots *spots, const FlViewLattices *lattices)
{
  GArray *marks = g_array_new (FALSE, FALSE, sizeof (FlwImageSpot));
  for (guint i = 0; spots && i < spots->n_spots; i++)
    {
      const FlViewSpot *s = &spots->spots[i];
      FlwImageSpot mark = {
        .x = s->x, .y = s->y, .radius = SPOT_RADIUS, .d = s->d, .intensity = s->intensity
      };
      g_array_append_val (marks, mark);
    }
  if (marks->len > 0 && lattices && lattices->n_lattices > 0)
    mark_explained (marks, spots, lattices);
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
