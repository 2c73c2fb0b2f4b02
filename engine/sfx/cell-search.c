#include "engine/sfx/cell-search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/sfx/cell-search-private.h"

#define MOST_VECTORS  48
#define MOST_LATTICES 8
#define FEWEST_STRONG 16
#define ON_PLANE      0.18 /* of the distance between planes */
#define HARD          0.12 /* deviation along the beam, of the distance between planes */
#define SURE          0.9  /* confidence that ends the search */
#define Q_MOST        4.0  /* 1/Å: farther points are nonsense */
#define OFF_SPHERE    1e-4 /* 1/Å: spots are on the Ewald sphere */
#define LEAST_RADIUS  0.2  /* 1/Å: of that sphere */

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

/* Looks for the sphere |q + s0| = |s0| that all spots lie on; sets the normals. */
static void
find_sphere (FlSearchSpots *spots)
{
  FlMat3 normal = { { { 0 } } };
  FlVec3 right = { 0, 0, 0 }, s0 = { 0, 0, 0 };
  double trace = 0, sum = 0;
  for (guint j = 0; j < spots->n; j++)
    {
      double q[3] = { spots->q[j].x, spots->q[j].y, spots->q[j].z },
             size2 = fl_vec3_dot (spots->q[j], spots->q[j]);
      for (guint i = 0; i < 3; i++)
        for (guint k = 0; k < 3; k++)
          normal.m[i][k] += q[i] * q[k];
      right = fl_vec3_add (right, fl_vec3_scale (spots->q[j], -0.5 * size2));
      trace += size2;
    }
  if (fl_mat3_determinant (&normal) > 1e-12 * trace * trace * trace)
    {
      FlMat3 inverse = fl_mat3_inverse (&normal);
      s0 = fl_mat3_apply (&inverse, right);
    }
  for (guint j = 0; j < spots->n; j++)
    {
      double off = fl_vec3_norm (fl_vec3_add (spots->q[j], s0)) - fl_vec3_norm (s0);
      sum += off * off;
    }
  spots->beam = fl_vec3_unit (s0);
  spots->on_sphere = sqrt (sum / spots->n) < OFF_SPHERE && fl_vec3_norm (s0) > LEAST_RADIUS;
  for (guint j = 0; j < spots->n; j++)
    spots->normal[j] = fl_vec3_unit (spots->on_sphere ? fl_vec3_add (spots->q[j], s0) : spots->q[j]);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* The longest axis that the distances of neighbours speak for: neighbours along it lie 1 / axis apart. */
static double
guess_max_cell (const FlSearchSpots *spots)
{
  guint n = spots->n;
  g_autofree double *nearest = g_new (double, n);
  for (guint i = 0; i < n; i++)
    {
      nearest[i] = INFINITY;
      for (guint j = 0; j < n; j++)
        {
          FlVec3 d = fl_vec3_sub (spots->q[i], spots->q[j]);
          if (j != i)
            nearest[i] = MIN (nearest[i], fl_vec3_dot (d, d));
        }
    }
  qsort (nearest, n, sizeof *nearest, compare_doubles);
  return CLAMP (1.3 / sqrt (nearest[n / 5]), 250, 500);
}

/* Spots that can be used, the strongest first. */
static Spot *
sort_spots (const FlCellSearch *self, const FlVec3 *q, const float *intensity, guint n, guint *n_sorted)
{
  Spot *sorted = g_new (Spot, n + 1);
  guint kept = 0;
  for (guint j = 0; j < n; j++)
    {
      double size2 = fl_vec3_dot (q[j], q[j]);
      if (size2 > 0 && size2 < Q_MOST * Q_MOST)
        sorted[kept++] = (Spot){ q[j], size2, intensity != NULL ? intensity[j] : 0 };
    }
  qsort (sorted, kept, sizeof *sorted, compare_strengths);
  *n_sorted = MIN (kept, self->max_spots);
  return sorted;
}

/* The first n of them by their place, without the sphere and the longest axis. */
static FlSearchSpots
take_spots (const Spot *sorted, guint n)
{
  FlSearchSpots spots = { .n = n, .q = g_new (FlVec3, n), .normal = g_new (FlVec3, n) };
  g_autofree Spot *by_place = g_new (Spot, n);
  memcpy (by_place, sorted, n * sizeof *sorted);
  qsort (by_place, n, sizeof *by_place, compare_spots);
  for (guint j = 0; j < n; j++)
    spots.q[j] = by_place[j].q;
  return spots;
}

static void
clear_spots (FlSearchSpots *spots)
{
  g_free (spots->q);
  g_free (spots->normal);
}

/* What the best of all lattices gains on spots at random, and how it scatters, by trial (tests/sfx/test-cell-search.c). */
static double
confidence_of (const FlSearchLattice *lattice)
{
  return 1 / (1 + exp (-(lattice->sober_gain - 55) / 3));
}

/* Vectors from the chosen spots, after `n_given` that are there already; lattices judged by all spots. Adds to `lattices`;
 * FALSE with error. */
static gboolean
try_spots (FlCellSearch *self, const FlSearchSpots *spots, FlSearchSpots *chosen,
           FlSearchVector vectors[MOST_VECTORS], guint n_given, FlSearchLattice *lattices, guint *n_lattices,
           GError **error)
{
  chosen->max_cell = spots->max_cell;
  guint n = fl_vector_search_run (self->vectors, chosen, vectors + n_given, MOST_VECTORS - n_given, error);
  if (n == G_MAXUINT)
    return FALSE;
  *n_lattices +=
      fl_search_lattices (spots, chosen, vectors, n_given + n, lattices + *n_lattices, MOST_LATTICES);
  *n_lattices = fl_search_settle (lattices, *n_lattices);
  return TRUE;
}

static gboolean
try_strongest (FlCellSearch *self, const FlSearchSpots *spots, const Spot *sorted, guint n,
               FlSearchLattice *lattices, guint *n_lattices, GError **error)
{
  FlSearchSpots chosen = take_spots (sorted, n);
  FlSearchVector vectors[MOST_VECTORS];
  gboolean works = try_spots (self, spots, &chosen, vectors, 0, lattices, n_lattices, error);
  clear_spots (&chosen);
  return works;
}

static double
off_plane (FlVec3 q, FlVec3 v)
{
  double x = fl_vec3_dot (q, v);
  return fabs (x - nearbyint (x));
}

static int
compare_offs (gconstpointer a, gconstpointer b)
{
  const FlSearchVector *p = a, *q = b;
  return p->score < q->score ? -1 : p->score > q->score;
}

/* Where spots lie nearly as far off the sphere as lattice points are apart, the axis along the beam is hard to see: it is
 * looked for once more among the spots that lie on the planes of the two other axes. */
static gboolean
try_third_axis (FlCellSearch *self, const FlSearchSpots *spots, FlSearchLattice *lattices, guint *n_lattices,
                GError **error)
{
  FlMat3 real = fl_lattice_real (&lattices[0].star);
  FlSearchVector vectors[MOST_VECTORS] = { 0 };
  for (guint i = 0; i < 3; i++)
    {
      vectors[i].v = fl_vec3 (real.m[i][0], real.m[i][1], real.m[i][2]);
      for (guint j = 0; j < spots->n; j++)
        vectors[i].score += off_plane (spots->q[j], vectors[i].v);
    }
  qsort (vectors, 3, sizeof *vectors, compare_offs);
  FlSearchSpots chosen = { .q = g_new (FlVec3, spots->n) };
  for (guint j = 0; j < spots->n; j++)
    if (MAX (off_plane (spots->q[j], vectors[0].v), off_plane (spots->q[j], vectors[1].v)) < ON_PLANE)
      chosen.q[chosen.n++] = spots->q[j];
  gboolean works =
      chosen.n < FEWEST_STRONG || try_spots (self, spots, &chosen, vectors, 2, lattices, n_lattices, error);
  clear_spots (&chosen);
  return works;
}

static gboolean
is_third_axis_hard (const FlSearchLattice *lattice)
{
  FlMat3 real = fl_lattice_real (&lattice->star);
  double longest = 0;
  for (guint i = 0; i < 3; i++)
    longest = MAX (longest, fl_vec3_norm (fl_vec3 (real.m[i][0], real.m[i][1], real.m[i][2])));
  return longest * lattice->along > HARD;
}

guint
fl_cell_search_shot (FlCellSearch *search, const FlVec3 *q, const float *intensity, guint n,
                     FlCellCandidate *candidates, guint most, GError **error)
{
  guint n_sorted;
  g_autofree Spot *sorted = sort_spots (search, q, intensity, n, &n_sorted);
  if (n_sorted < MAX (search->min_spots, 4))
    return 0;
  FlSearchSpots spots = take_spots (sorted, n_sorted);
  find_sphere (&spots);
  spots.max_cell = search->max_cell > 0 ? search->max_cell : guess_max_cell (&spots);

  /* False spots are weak: when all of them together show nothing, the strongest may. */
  FlSearchLattice lattices[4 * MOST_LATTICES];
  guint found = 0;
  gboolean works = TRUE;
  for (guint part = 1; part <= 4 && works && (part == 1 || n_sorted / part >= FEWEST_STRONG); part *= 2)
    if (found == 0 || confidence_of (&lattices[0]) < SURE)
      works = try_strongest (search, &spots, sorted, n_sorted / part, lattices, &found, error);
  if (works && found > 0 && spots.on_sphere && is_third_axis_hard (&lattices[0]))
    works = try_third_axis (search, &spots, lattices, &found, error);
  found = MIN (found, most);
  for (guint i = 0; i < found; i++)
    candidates[i] = (FlCellCandidate){ .star = lattices[i].star,
                                       .n_explained = lattices[i].n_explained,
                                       .fraction = (double) lattices[i].n_explained / spots.n,
                                       .confidence = confidence_of (&lattices[i]) };
  clear_spots (&spots);
  return works ? found : G_MAXUINT;
}
