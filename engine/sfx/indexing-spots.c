/* indexing-spots.c: order, Ewald sphere and crowding of a shot's spots. */
#include "engine/sfx/indexing-spots.h"

#include <stdlib.h>

#define CROWD     0.3  /* of the shortest reciprocal axis */
#define ON_SPHERE 1e-3 /* 1/Å */

typedef struct
{
  float rank; /* the higher, the earlier */
  guint index;
} Order;

static int
compare_order (gconstpointer a, gconstpointer b)
{
  const Order *x = a, *y = b;
  if (x->rank != y->rank)
    return x->rank > y->rank ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* 1/λ: |q + s0| = |s0| says −q² / (2 q_z); the middle of all. */
static double
inverse_wavelength (const FlIndexSpot *spots, guint n)
{
  g_autofree double *all = g_new (double, n + 1);
  for (guint i = 0; i < n; i++)
    all[i] = spots[i].q.z < 0 ? -fl_vec3_dot (spots[i].q, spots[i].q) / (2 * spots[i].q.z) : 0;
  qsort (all, n, sizeof *all, compare_doubles);
  return n ? all[n / 2] : 0;
}

static void
weigh (FlIndexSpot *spots, guint n, double near)
{
  double near_sq = near * near;
  for (guint i = 0; i < n; i++)
    {
      guint crowd = 0;
      for (guint j = 0; j < n; j++)
        {
          FlVec3 d = fl_vec3_sub (spots[i].q, spots[j].q);
          crowd += fl_vec3_dot (d, d) < near_sq;
        }
      spots[i].weight = 1 / (float) crowd;
    }
}

guint
fl_index_spots (const FlIndexCell *cell, const FlVec3 *q, const float *intensity, guint n, FlIndexSpot *spots)
{
  g_autofree Order *order = g_new (Order, n + 1);
  guint good = 0;
  for (guint i = 0; i < n; i++)
    {
      double norm = fl_vec3_norm (q[i]);
      if (norm > 1e-6 && isfinite (norm))
        order[good++] = (Order){ intensity ? intensity[i] : -(float) norm, i };
    }
  qsort (order, good, sizeof *order, compare_order);
  for (guint i = 0; i < good; i++)
    spots[i].q = q[order[i].index];
  double s0 = inverse_wavelength (spots, good);
  for (guint i = 0; i < good; i++)
    {
      FlVec3 s1 = fl_vec3_add (spots[i].q, fl_vec3 (0, 0, s0));
      spots[i].normal = fl_vec3_unit (s1);
      spots[i].still = s0 > 0 && fabs (fl_vec3_norm (s1) - s0) < ON_SPHERE;
    }
  weigh (spots, good, CROWD * cell->shortest_star);
  return good;
}
