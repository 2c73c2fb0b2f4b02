/* Is a lattice the known one? Both are reduced first: the vectors of one reduced basis have components of at most 2 along
 * the other, so that a look at 124 vectors finds every way to lay one over the other. */

#include <string.h>

#include "engine/crystal/lattice-private.h"

#define REACH       2
#define MAX_VECTORS ((2 * REACH + 1) * (2 * REACH + 1) * (2 * REACH + 1) - 1)

typedef struct
{
  int n[3];
  FlVec3 v;
} FlShortVector;

typedef struct
{
  FlMat3 real;    /* of the known conventional cell, crystal frame */
  FlMat3 inverse; /* of its metric */
  FlCell cell;
  double length_tolerance, angle_tolerance;
  /* the best so far */
  gboolean found;
  FlMat3 best;
  double distance, turn;
} FlMatch;

/* trace ((K⁻¹ G − 1)²): the square of the strain that separates the metrics, whatever the basis. */
static double
strain (const FlMatch *match, const FlMat3 *real)
{
  FlMat3 t = fl_mat3_transpose (real), g = fl_mat3_multiply (real, &t),
         e = fl_mat3_multiply (&match->inverse, &g);
  double sum = 0;
  for (int i = 0; i < 3; i++)
    e.m[i][i] -= 1;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      sum += e.m[i][j] * e.m[j][i];
  return sum;
}

static gboolean
within_tolerance (const FlMatch *match, const FlMat3 *real)
{
  FlCell c = fl_lattice_cell_of_real (real), k = match->cell;
  double lengths[3] = { c.a / k.a, c.b / k.b, c.c / k.c };
  double angles[3] = { c.alpha - k.alpha, c.beta - k.beta, c.gamma - k.gamma };
  for (int i = 0; i < 3; i++)
    if (!(fabs (lengths[i] - 1) <= match->length_tolerance + 1e-12)
        || !(fabs (angles[i]) <= match->angle_tolerance + 1e-12))
      return FALSE;
  return TRUE;
}

/* Σ a·a_known/a², greatest for the basis least turned from the crystal frame. */
static double
likeness (const FlMatch *match, const FlMat3 *real)
{
  double sum = 0;
  for (int i = 0; i < 3; i++)
    {
      FlVec3 k = fl_lattice_row (&match->real, i);
      sum += fl_vec3_dot (fl_lattice_row (real, i), k) / fl_vec3_dot (k, k);
    }
  return sum;
}

/* The last resort among equals: component by component. */
static gboolean
comes_before (const FlMat3 *a, const FlMat3 *b)
{
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      if (fabs (a->m[i][j] - b->m[i][j]) > 1e-7 * (fabs (a->m[i][j]) + fabs (b->m[i][j])) + 1e-9)
        return a->m[i][j] > b->m[i][j];
  return FALSE;
}

static void
offer (FlMatch *match, const FlMat3 *real)
{
  if (!within_tolerance (match, real))
    return;
  double distance = strain (match, real), turn = likeness (match, real);
  if (match->found)
    {
      double same = 1e-9 * (distance + match->distance) + 1e-18;
      if (distance > match->distance + same)
        return;
      if (distance >= match->distance - same)
        {
          if (turn < match->turn - 1e-9)
            return;
          if (turn <= match->turn + 1e-9 && !comes_before (real, &match->best))
            return;
        }
    }
  match->found = TRUE;
  match->best = *real;
  match->distance = distance;
  match->turn = turn;
}

/* Vectors of the lattice about as long as `length`. */
static guint
vectors_of_length (const FlMat3 *real, double length, double tolerance, FlShortVector *vectors)
{
  guint n = 0;
  for (int i = -REACH; i <= REACH; i++)
    for (int j = -REACH; j <= REACH; j++)
      for (int k = -REACH; k <= REACH; k++)
        {
          FlVec3 v = fl_vec3 (i * real->m[0][0] + j * real->m[1][0] + k * real->m[2][0],
                              i * real->m[0][1] + j * real->m[1][1] + k * real->m[2][1],
                              i * real->m[0][2] + j * real->m[1][2] + k * real->m[2][2]);
          double square = fl_vec3_dot (v, v), low = length * (1 - tolerance), high = length * (1 + tolerance);
          if (square >= low * low && square <= high * high && square > 0)
            vectors[n++] = (FlShortVector){ { i, j, k }, v };
        }
  return n;
}

/* Dot products rather than angles: |cos − cos| ≤ angle. */
static gboolean
angle_agrees (FlVec3 a, FlVec3 b, double expected_cosine, double tolerance)
{
  return fabs (fl_vec3_dot (a, b) / sqrt (fl_vec3_dot (a, a) * fl_vec3_dot (b, b)) - expected_cosine)
         <= tolerance;
}

static FlMat3
known_primitive (const FlKnownCell *known, const FlMat3 *conventional)
{
  FlMat3 star = fl_lattice_star (conventional);
  star = fl_lattice_primitive (&star, known->type == FL_LATTICE_RHOMBOHEDRAL ? 'P' : known->centring);
  return fl_lattice_real (&star);
}

/* All triples of vectors like the known reduced basis; `to_conventional` takes them to the known setting. */
static void
lay_over (FlMatch *match, const FlMat3 *real, const FlMat3 *reduced, const FlMat3 *to_conventional)
{
  /* A reduced axis is a sum of conventional ones, so both errors go into its length and its angles. */
  double slack = 2 * (match->length_tolerance + match->angle_tolerance) + 1e-6;
  FlShortVector vectors[3][MAX_VECTORS];
  guint n[3];
  FlVec3 k[3];
  double cosine[3];
  for (int i = 0; i < 3; i++)
    {
      k[i] = fl_lattice_row (reduced, i);
      n[i] = vectors_of_length (real, fl_vec3_norm (k[i]), MIN (slack, 0.9), vectors[i]);
    }
  for (int i = 0; i < 3; i++)
    cosine[i] = cos (fl_lattice_angle (k[(i + 1) % 3], k[(i + 2) % 3]));
  for (guint i = 0; i < n[0]; i++)
    for (guint j = 0; j < n[1]; j++)
      {
        const FlShortVector *a = &vectors[0][i], *b = &vectors[1][j];
        if (!angle_agrees (a->v, b->v, cosine[2], slack))
          continue;
        for (guint l = 0; l < n[2]; l++)
          {
            const FlShortVector *c = &vectors[2][l];
            FlIntMat3 m;
            memcpy (m.m[0], a->n, sizeof a->n);
            memcpy (m.m[1], b->n, sizeof b->n);
            memcpy (m.m[2], c->n, sizeof c->n);
            if (fl_int_mat3_determinant (&m) != 1 || !angle_agrees (b->v, c->v, cosine[0], slack)
                || !angle_agrees (a->v, c->v, cosine[1], slack))
              continue;
            FlMat3 triple = fl_lattice_combine (&m, real),
                   conventional = fl_mat3_multiply (to_conventional, &triple);
            offer (match, &conventional);
          }
      }
}

gboolean
fl_lattice_match (const FlMat3 *star, const FlKnownCell *known, double length_tolerance,
                  double angle_tolerance, FlMat3 *conventional)
{
  FlMatch match = { .real = fl_cell_basis (&known->cell),
                    .cell = known->cell,
                    .length_tolerance = length_tolerance,
                    .angle_tolerance = angle_tolerance };
  FlMat3 t = fl_mat3_transpose (&match.real), metric = fl_mat3_multiply (&match.real, &t);
  match.inverse = fl_mat3_inverse (&metric);
  FlMat3 real = fl_lattice_real (star), reduced = known_primitive (known, &match.real);
  double ratio = fabs (fl_mat3_determinant (&real) / fl_mat3_determinant (&reduced));
  double limit = 3 * (length_tolerance + angle_tolerance) + 1e-6;
  if (!(ratio < 1 + 2 * limit) || !(ratio > 1 - limit)) /* volumes tell most wrong lattices at once */
    return FALSE;
  if (!fl_niggli_reduce (&real, NULL) || !fl_niggli_reduce (&reduced, NULL))
    return FALSE;
  if (fl_mat3_determinant (&real) < 0)
    for (int i = 0; i < 9; i++)
      real.m[i / 3][i % 3] *= -1;
  FlMat3 inverse = fl_mat3_inverse (&reduced), to_conventional = fl_mat3_multiply (&match.real, &inverse);
  lay_over (&match, &real, &reduced, &to_conventional);
  if (match.found)
    *conventional = fl_lattice_star (&match.best);
  return match.found;
}
