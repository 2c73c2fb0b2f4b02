#include "engine/maps/peaks.h"

#include <math.h>

#define SAME_PLACE 1.5 /* grid steps: nearer equivalents are one peak */

static inline int
wrap (int i, int n)
{
  return i < 0 ? i + n : i >= n ? i - n : i;
}

/* Is a point higher than its 26 neighbours (sign 1) or deeper (−1)? Of equals the first. */
static gboolean
is_extreme (const FlMap *map, int i, int j, int k, float sign)
{
  const int *n = map->n;
  float here = sign * *fl_map_at (map, i, j, k);
  for (int c = -1; c <= 1; c++)
    for (int b = -1; b <= 1; b++)
      for (int a = -1; a <= 1; a++)
        {
          gboolean earlier = c < 0 || (c == 0 && (b < 0 || (b == 0 && a < 0)));
          float there = sign * *fl_map_at (map, wrap (i + a, n[0]), wrap (j + b, n[1]), wrap (k + c, n[2]));
          if (there > here || (there == here && earlier))
            return FALSE;
        }
  return TRUE;
}

/* The top of the parabola through three values: its place in steps from the middle one, and what it is higher. */
static double
parabola (double before, double here, double after, double *rise)
{
  double bend = 2 * here - before - after, slope = (after - before) / 2;
  double x = bend != 0 ? CLAMP (slope / bend, -0.5, 0.5) : 0;
  *rise = slope * x - bend * x * x / 2;
  return x;
}

static FlPeak
place (const FlMap *map, int i, int j, int k)
{
  const int at[3] = { i, j, k };
  FlPeak peak = { .atom = -1, .density = (double) *fl_map_at (map, i, j, k) - map->mean };
  double here = peak.density + map->mean;
  for (int axis = 0; axis < 3; axis++)
    {
      int before[3] = { i, j, k }, after[3] = { i, j, k };
      double rise;
      before[axis] = wrap (at[axis] - 1, map->n[axis]);
      after[axis] = wrap (at[axis] + 1, map->n[axis]);
      double x = parabola ((double) *fl_map_at (map, before[0], before[1], before[2]), here,
                           (double) *fl_map_at (map, after[0], after[1], after[2]), &rise);
      peak.fractional[axis] = (map->start[axis] + at[axis] + x) / map->n[axis];
      peak.density += rise;
    }
  peak.sigmas = map->sigma > 0 ? peak.density / map->sigma : 0;
  return peak;
}

static void
list_extremes (const FlMap *map, double sigmas, GArray *peaks)
{
  float high = (float) (map->mean + sigmas * map->sigma), low = (float) (map->mean - sigmas * map->sigma);
  for (int k = 0; k < map->n[2]; k++)
    for (int j = 0; j < map->n[1]; j++)
      for (int i = 0; i < map->n[0]; i++)
        {
          float here = *fl_map_at (map, i, j, k);
          if ((here < high || !is_extreme (map, i, j, k, 1))
              && (here > low || !is_extreme (map, i, j, k, -1)))
            continue;
          FlPeak peak = place (map, i, j, k);
          g_array_append_val (peaks, peak);
        }
}

/* Equals by place, so that the order is fixed. */
static int
by_height (gconstpointer a, gconstpointer b)
{
  const FlPeak *x = a, *y = b;
  double p = fabs (x->sigmas), q = fabs (y->sigmas);
  if (fabs (p - q) > 1e-4)
    return p < q ? 1 : -1;
  for (int i = 2; i >= 0; i--)
    if (x->fractional[i] != y->fractional[i])
      return x->fractional[i] < y->fractional[i] ? -1 : 1;
  return 0;
}

static void
image (const FlSymmetryOperator *op, const double x[3], double y[3])
{
  for (int i = 0; i < 3; i++)
    y[i] = op->r[i][0] * x[0] + op->r[i][1] * x[1] + op->r[i][2] * x[2] + op->t[i];
}

/* The shortest of the differences that whole cells make (fractional), and its length. */
static double
nearest (const FlMat3 *basis, const double x[3], const double y[3], FlVec3 *difference)
{
  FlVec3 d = fl_vec3 (x[0] - y[0], x[1] - y[1], x[2] - y[2]);
  d = fl_vec3_sub (d, fl_vec3 (rint (d.x), rint (d.y), rint (d.z)));
  FlMat3 t = fl_mat3_transpose (basis);
  *difference = fl_mat3_apply (&t, d);
  return fl_vec3_norm (*difference);
}

static gboolean
is_known (const FlMap *map, const FlMat3 *basis, const GArray *found, const FlPeak *peak, double tolerance)
{
  for (guint o = 0; o < map->symmetry->n; o++)
    {
      double y[3];
      FlVec3 d;
      image (&map->symmetry->ops[o], peak->fractional, y);
      for (guint i = 0; i < found->len; i++)
        {
          const FlPeak *other = &g_array_index (found, FlPeak, i);
          if ((other->sigmas > 0) == (peak->sigmas > 0)
              && nearest (basis, y, other->fractional, &d) < tolerance)
            return TRUE;
        }
    }
  return FALSE;
}

static void
find_atom (const FlModel *model, const FlMat3 *basis, const double (*places)[3], FlPeak *peak)
{
  peak->distance = INFINITY;
  for (guint o = 0; o < model->symmetry->n; o++)
    {
      double y[3];
      image (&model->symmetry->ops[o], peak->fractional, y);
      for (guint a = 0; a < model->n_atoms; a++)
        {
          FlVec3 d;
          double distance = nearest (basis, y, places[a], &d);
          if (distance >= peak->distance)
            continue;
          peak->distance = distance;
          peak->atom = a;
          peak->position = fl_vec3_add (model->atoms[a].position, d);
        }
    }
}

GArray *
fl_peaks_find (const FlMap *map, const FlModel *model, double sigmas, guint most)
{
  FlMat3 basis = fl_cell_basis (&map->cell), inverse = fl_mat3_inverse (&basis);
  FlMat3 to_fractional = fl_mat3_transpose (&inverse), to_real = fl_mat3_transpose (&basis);
  const double lengths[3] = { map->cell.a, map->cell.b, map->cell.c };
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlPeak));
  GArray *found = g_array_new (FALSE, FALSE, sizeof (FlPeak));
  g_autofree double (*places)[3] = g_malloc ((model != NULL ? model->n_atoms : 1) * sizeof *places);
  double step = 0;
  for (int i = 0; i < 3; i++)
    step = MAX (step, lengths[i] / map->sampling[i]);
  for (guint a = 0; model != NULL && a < model->n_atoms; a++)
    {
      FlVec3 x = fl_mat3_apply (&to_fractional, model->atoms[a].position);
      places[a][0] = x.x;
      places[a][1] = x.y;
      places[a][2] = x.z;
    }
  if (map->sigma > 0)
    list_extremes (map, sigmas, all);
  g_array_sort (all, by_height);
  for (guint i = 0; i < all->len && found->len < most; i++)
    {
      FlPeak peak = g_array_index (all, FlPeak, i);
      if (is_known (map, &basis, found, &peak, SAME_PLACE * step))
        continue;
      peak.position =
          fl_mat3_apply (&to_real, fl_vec3 (peak.fractional[0], peak.fractional[1], peak.fractional[2]));
      if (model != NULL && model->n_atoms > 0)
        find_atom (model, &basis, (const double (*)[3]) places, &peak);
      g_array_append_val (found, peak);
    }
  return found;
}
