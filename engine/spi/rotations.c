#include "engine/spi/rotations.h"

#include <stdlib.h>

#define VERTICES 120
#define GOLDEN   1.6180339887498949

static void
make_vertices (double v[VERTICES][4])
{
  static const int even[12][4] = { { 0, 1, 2, 3 }, { 0, 2, 3, 1 }, { 0, 3, 1, 2 }, { 1, 0, 3, 2 },
                                   { 1, 2, 0, 3 }, { 1, 3, 2, 0 }, { 2, 0, 1, 3 }, { 2, 1, 3, 0 },
                                   { 2, 3, 0, 1 }, { 3, 0, 2, 1 }, { 3, 1, 0, 2 }, { 3, 2, 1, 0 } };
  guint n = 0;
  for (guint i = 0; i < 8; i++, n++)
    for (guint k = 0; k < 4; k++)
      v[n][k] = k != i / 2 ? 0 : i % 2 == 0 ? 1 : -1;
  for (guint i = 0; i < 16; i++, n++)
    for (guint k = 0; k < 4; k++)
      v[n][k] = (i >> k & 1) != 0 ? 0.5 : -0.5;
  for (guint p = 0; p < 12; p++)
    for (guint i = 0; i < 8; i++, n++)
      {
        const double size[4] = { GOLDEN / 2, 0.5, 0.5 / GOLDEN, 0 };
        for (guint k = 0; k < 4; k++)
          v[n][even[p][k]] = k < 3 && (i >> k & 1) != 0 ? -size[k] : size[k];
      }
}

static gboolean
is_edge (const double a[4], const double b[4])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] > GOLDEN / 2 - 1e-6;
}

typedef struct
{
  guint fineness;
  GArray *rotations, *weights;
} Making;

/* The point Σ share[i] · corner[i] / fineness, unless its antipode is the one to keep. */
static void
add_point (Making *making, guint n_corners, double *const *corners, const guint *share)
{
  double p[4] = { 0 };
  for (guint i = 0; i < n_corners; i++)
    for (guint k = 0; k < 4; k++)
      p[k] += corners[i][k] * share[i] / making->fineness;
  guint lead = 0;
  while (lead < 3 && fabs (p[lead]) < 1e-9)
    lead++;
  if (p[lead] < 0)
    return;
  double norm = sqrt (p[0] * p[0] + p[1] * p[1] + p[2] * p[2] + p[3] * p[3]);
  FlQuat q = { p[0] / norm, p[1] / norm, p[2] / norm, p[3] / norm };
  /* A piece of a flat cell, seen from the centre, is smaller by the fourth power of its distance. */
  double weight = 1 / (norm * norm * norm * norm);
  g_array_append_val (making->rotations, q);
  g_array_append_val (making->weights, weight);
}

/* All points inside an edge, face or cell: every corner has a share of at least 1. */
static void
add_inside (Making *making, guint n_corners, double *const *corners)
{
  guint f = making->fineness, share[4];
  if (n_corners == 1)
    add_point (making, 1, corners, &f);
  else if (n_corners == 2)
    for (share[0] = 1; share[0] < f; share[0]++)
      {
        share[1] = f - share[0];
        add_point (making, 2, corners, share);
      }
  else
    for (share[0] = 1; share[0] < f; share[0]++)
      for (share[1] = 1; share[0] + share[1] < f; share[1]++)
        if (n_corners == 3)
          {
            share[2] = f - share[0] - share[1];
            add_point (making, 3, corners, share);
          }
        else
          for (share[2] = 1; share[0] + share[1] + share[2] < f; share[2]++)
            {
              share[3] = f - share[0] - share[1] - share[2];
              add_point (making, 4, corners, share);
            }
}

/* The corners chosen so far are all neighbours: add their inside, and that of all that one more neighbour makes. */
static void
add_cliques (Making *making, double (*v)[4], guint n_corners, double **corners, guint next)
{
  if (n_corners > 0)
    add_inside (making, n_corners, corners);
  if (n_corners == 4)
    return;
  for (guint i = next; i < VERTICES; i++)
    {
      gboolean near = TRUE;
      for (guint k = 0; k < n_corners && near; k++)
        near = is_edge (corners[k], v[i]);
      corners[n_corners] = v[i];
      if (near)
        add_cliques (making, v, n_corners + 1, corners, i + 1);
    }
}

/* Neighbours beside each other: their slices meet the same part of a grid. Morton's order of the stereographic projection. */
typedef struct
{
  guint64 key;
  FlQuat rotation;
  double weight;
} Place;

static guint64
place_of (FlQuat q)
{
  const double at[3] = { q.x, q.y, q.z };
  double flip = q.w < 0 ? -1 : 1;
  guint64 key = 0;
  for (guint bit = 10; bit-- > 0;)
    for (guint i = 0; i < 3; i++)
      {
        guint cell = (guint) (1023 * (flip * at[i] / (1 + flip * q.w) + 1) / 2);
        key = key << 1 | (cell >> bit & 1);
      }
  return key;
}

static int
by_place (const void *a, const void *b)
{
  const Place *x = a, *y = b;
  return x->key != y->key ? (x->key < y->key ? -1 : 1)
                          : (x->rotation.w > y->rotation.w) - (x->rotation.w < y->rotation.w);
}

static void
sort_by_place (FlRotations *rotations)
{
  g_autofree Place *places = g_new (Place, rotations->n);
  for (guint i = 0; i < rotations->n; i++)
    places[i] = (Place){ place_of (rotations->rotations[i]), rotations->rotations[i], rotations->weights[i] };
  qsort (places, rotations->n, sizeof *places, by_place);
  for (guint i = 0; i < rotations->n; i++)
    {
      rotations->rotations[i] = places[i].rotation;
      rotations->weights[i] = places[i].weight;
    }
}

FlRotations *
fl_rotations_new (guint fineness)
{
  double v[VERTICES][4], *corners[4];
  Making making = { fineness, g_array_new (FALSE, FALSE, sizeof (FlQuat)),
                    g_array_new (FALSE, FALSE, sizeof (double)) };
  make_vertices (v);
  add_cliques (&making, v, 0, corners, 0);
  FlRotations *rotations = g_new (FlRotations, 1);
  rotations->n = making.rotations->len;
  rotations->rotations = (FlQuat *) (void *) g_array_free (making.rotations, FALSE);
  rotations->weights = (double *) (void *) g_array_free (making.weights, FALSE);
  double sum = 0;
  for (guint i = 0; i < rotations->n; i++)
    sum += rotations->weights[i];
  for (guint i = 0; i < rotations->n; i++)
    rotations->weights[i] /= sum;
  sort_by_place (rotations);
  return rotations;
}

void
fl_rotations_free (FlRotations *rotations)
{
  if (rotations == NULL)
    return;
  g_free (rotations->rotations);
  g_free (rotations->weights);
  g_free (rotations);
}

double
fl_rotations_spacing (guint fineness)
{
  return cbrt (8 * G_PI * G_PI / (10.0 * fineness * (5.0 * fineness * fineness + 1)));
}
