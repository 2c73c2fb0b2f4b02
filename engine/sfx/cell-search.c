#include "engine/sfx/cell-search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/sfx/cell-search-private.h"

#define MOST_VECTORS  48
#define MOST_LATTICES 8
#define Q_MOST        4.0 /* 1/Å: farther points are nonsense */

struct FlCellSearch
{
  FlVectorSearch *vectors;
  guint min_spots, max_spots;
  double max_cell;
};

FlCellSearch *
fl_cell_search_new (const FlParams *params, FlkDevice *device, G_GNUC_UNUSED GError **error)
{
  FlCellSearch *self = g_new0 (FlCellSearch, 1);
  self->vectors = fl_vector_search_new (device);
  self->min_spots = (guint) fl_params_int (params, "indexing.min_spots");
  self->max_spots = (guint) fl_params_int (params, "indexing.max_spots");
  self->max_cell = fl_params_real (params, "indexing.max_cell");
  return self;
}

void
fl_cell_search_free (FlCellSearch *search)
{
  if (search == NULL)
    return;
  fl_vector_search_free (search->vectors);
  g_free (search);
}

typedef struct
{
  FlVec3 q;
  double size2; /* |q|² */
  float intensity;
} Spot;

static int
compare_places (const Spot *p, const Spot *q)
{
  if (p->size2 != q->size2)
    return p->size2 < q->size2 ? -1 : 1;
  if (p->q.x != q->q.x)
    return p->q.x < q->q.x ? -1 : 1;
  return p->q.y < q->q.y ? -1 : p->q.y > q->q.y;
}

static int
compare_strengths (gconstpointer a, gconstpointer b)
{
  const Spot *p = a, *q = b;
  if (p->intensity != q->intensity)
    return p->intensity > q->intensity ? -1 : 1;
  return compare_places (p, q);
}

static int
compare_spots (gconstpointer a, gconstpointer b)
{
  return compare_places (a, b);
}

/* The wave vector s0 of the sphere |q + s0| = |s0| that all spots lie on. */
static gboolean
find_sphere (const Spot *spots, guint n, FlVec3 *s0)
{
  FlMat3 normal = { { { 0 } } };
  FlVec3 right = { 0, 0, 0 };
  double trace = 0;
  for (guint j = 0; j < n; j++)
    {
      double q[3] = { spots[j].q.x, spots[j].q.y, spots[j].q.z };
      for (guint i = 0; i < 3; i++)
        for (guint k = 0; k < 3; k++)
          normal.m[i][k] += q[i] * q[k];
      right = fl_vec3_add (right, fl_vec3_scale (spots[j].q, -0.5 * spots[j].size2));
      trace += spots[j].size2;
    }
  if (!(fl_mat3_determinant (&normal) > 1e-12 * trace * trace * trace))
    return FALSE;
  FlMat3 inverse = fl_mat3_inverse (&normal);
  *s0 = fl_mat3_apply (&inverse, right);
  double radius = fl_vec3_norm (*s0), sum = 0;
  for (guint j = 0; j < n; j++)
    {
      double off = fl_vec3_norm (fl_vec3_add (spots[j].q, *s0)) - radius;
      sum += off * off;
    }
  return sqrt (sum / n) < 1e-4 && radius > 0.2;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* The longest axis that the distances of neighbours speak for: neighbours along it lie 1 / axis apart. */
static double
guess_max_cell (const Spot *spots, guint n)
{
  g_autofree double *nearest = g_new (double, n);
  for (guint i = 0; i < n; i++)
    {
      nearest[i] = INFINITY;
      for (guint j = 0; j < n; j++)
        {
          FlVec3 d = fl_vec3_sub (spots[i].q, spots[j].q);
          if (j != i)
            nearest[i] = MIN (nearest[i], fl_vec3_dot (d, d));
        }
    }
  qsort (nearest, n, sizeof *nearest, compare_doubles);
  return CLAMP (1.3 / sqrt (nearest[n / 5]), 150, 400);
}

/* Spots to look at: sorted, the strongest of too many. */
static gboolean
choose_spots (const FlCellSearch *self, const FlVec3 *q, const float *intensity, guint n,
              FlSearchSpots *spots)
{
  g_autofree Spot *all = g_new (Spot, n);
  guint kept = 0;
  for (guint j = 0; j < n; j++)
    {
      double size2 = fl_vec3_dot (q[j], q[j]);
      if (size2 > 0 && size2 < Q_MOST * Q_MOST)
        all[kept++] = (Spot){ q[j], size2, intensity != NULL ? intensity[j] : 0 };
    }
  if (kept < MAX (self->min_spots, 4))
    return FALSE;
  qsort (all, kept, sizeof *all, compare_strengths);
  kept = MIN (kept, self->max_spots);
  qsort (all, kept, sizeof *all, compare_spots);
  FlVec3 s0 = { 0, 0, 0 };
  spots->n = kept;
  spots->on_sphere = find_sphere (all, kept, &s0);
  spots->max_cell = self->max_cell > 0 ? self->max_cell : guess_max_cell (all, kept);
  spots->q = g_new (FlVec3, kept);
  spots->normal = g_new (FlVec3, kept);
  for (guint j = 0; j < kept; j++)
    {
      spots->q[j] = all[j].q;
      spots->normal[j] = fl_vec3_unit (spots->on_sphere ? fl_vec3_add (all[j].q, s0) : all[j].q);
    }
  return TRUE;
}

/* What the best of all lattices gains on spots at random, and how it scatters, by trial (tests/sfx/test-cell-search.c). */
static double
confidence_of (const FlSearchLattice *lattice)
{
  return 1 / (1 + exp (-(lattice->gain - 60) / 5));
}

guint
fl_cell_search_shot (FlCellSearch *search, const FlVec3 *q, const float *intensity, guint n,
                     FlCellCandidate *candidates, guint most, GError **error)
{
  FlSearchSpots spots;
  if (!choose_spots (search, q, intensity, n, &spots))
    return 0;
  FlSearchVector vectors[MOST_VECTORS];
  FlSearchLattice lattices[MOST_LATTICES];
  guint found = 0, n_vectors = fl_vector_search_run (search->vectors, &spots, vectors, MOST_VECTORS, error);
  if (n_vectors != G_MAXUINT)
    found = fl_search_lattices (&spots, vectors, n_vectors, lattices, MIN (most, MOST_LATTICES));
  for (guint i = 0; i < found; i++)
    candidates[i] = (FlCellCandidate){ .star = lattices[i].star,
                                       .n_explained = lattices[i].n_explained,
                                       .fraction = (double) lattices[i].n_explained / spots.n,
                                       .confidence = confidence_of (&lattices[i]) };
  g_free (spots.q);
  g_free (spots.normal);
  return n_vectors == G_MAXUINT ? G_MAXUINT : found;
}
