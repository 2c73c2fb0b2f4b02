#include "tests/merge/made-lattices.h"

#include <math.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/merge/scaling.h"

#define ENERGY 9300.0 /* eV */
#define FALL   15.0   /* Å², B factor of the crystal */
#define REACH  3.0    /* half-widths */
#define WRONG  1.5    /* the width that is known is so many times the true one */
#define SEED   4711

MadeLattices *
made_lattices_new (double d_min)
{
  FlCell cell;
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol ("P 4 2 2", NULL);
  MadeLattices *made = g_new0 (MadeLattices, 1);
  int limits[3];
  fl_cell_from_degrees ((const double[]){ 79.1, 79.1, 37.9, 90, 90, 90 }, &cell, NULL);
  made->list = fl_unique_list_new (&cell, symmetry, d_min, 30, NULL);
  made->star = fl_cell_reciprocal (&cell);
  fl_cell_limits (&cell, d_min, limits);
  made->limits[0] = limits[0];
  made->limits[1] = limits[1];
  made->k = 1 / fl_wavelength_from_energy (ENERGY);
  made->width = 4e-4;
  made->turn = 4e-4;
  made->background = 10;
  made->model = 0.3;
  guint n = fl_unique_list_n (made->list);
  made->truth = g_new (double, n);
  for (guint u = 0; u < n; u++)
    {
      const FlUnique *unique = fl_unique_list_at (made->list, u);
      FlRandom r = fl_random (fl_hash64 (&u, sizeof u, SEED));
      double normal = fl_random_normal (&r), wilson = -log (1 - fl_random_unit (&r));
      made->truth[u] = 5000 * unique->epsilon * (unique->centric ? normal * normal : wilson)
                       * exp (-FALL / (2 * (double) unique->d * (double) unique->d));
    }
  return made;
}

void
made_lattices_free (MadeLattices *made)
{
  fl_unique_list_free (made->list);
  g_free (made->truth);
  g_free (made);
}

static FlMat3
random_rotation (FlRandom *r)
{
  double q[4], norm = 0;
  for (int i = 0; i < 4; i++)
    {
      q[i] = fl_random_normal (r);
      norm += q[i] * q[i];
    }
  norm = sqrt (norm);
  return fl_mat3_from_quat ((FlQuat){ q[0] / norm, q[1] / norm, q[2] / norm, q[3] / norm });
}

/* What is being made. */
typedef struct
{
  const MadeLattices *made;
  FlRandom random;
  FlVec3 known[3], rows[3]; /* a*, b*, c*: as they are known, as they are */
  double scale, b, width;
  GArray *observations;
} Still;

/* |s0 + q| − k */
static double
excitation (const MadeLattices *made, FlVec3 q)
{
  return sqrt (made->k * made->k + fl_vec3_dot (q, q) + 2 * made->k * q.z) - made->k;
}

static FlVec3
place (const FlVec3 rows[3], int h, int k, int l)
{
  return fl_vec3_add (fl_vec3_add (fl_vec3_scale (rows[0], h), fl_vec3_scale (rows[1], k)),
                      fl_vec3_scale (rows[2], l));
}

static void
observe (Still *still, int h, int k, int l)
{
  const MadeLattices *made = still->made;
  gboolean minus = FALSE;
  guint32 unique = fl_unique_list_find (made->list, (FlMiller){ h, k, l }, &minus);
  double known = excitation (made, place (still->known, h, k, l));
  if (unique == FL_UNIQUE_NONE || fabs (known) > REACH * made->width)
    return;
  double d = (double) fl_unique_list_at (made->list, unique)->d;
  double x = excitation (made, place (still->rows, h, k, l)) / still->width;
  double mean = still->scale * exp (-still->b / (2 * d * d)) * made->truth[unique] / (1 + x * x)
                * exp (made->model * fl_random_normal (&still->random));
  double sigma = sqrt (mean + made->background * made->background);
  FlObservation o = { .unique = unique,
                      .h = (gint16) h,
                      .k = (gint16) k,
                      .l = (gint16) l,
                      .flags = minus ? FL_OBSERVATION_MINUS : 0,
                      .intensity = (float) (mean + sigma * fl_random_normal (&still->random)),
                      .sigma = (float) sigma,
                      .excitation = (float) known };
  g_array_append_val (still->observations, o);
}

/* All l of one line of h and k that lie near the sphere: |s0 + q|² = k² is quadratic in l. */
static void
walk_line (Still *still, int h, int k)
{
  FlVec3 from = place (still->known, h, k, 0), step = still->known[2];
  from.z += still->made->k;
  double a = fl_vec3_dot (step, step), b = fl_vec3_dot (step, from);
  double c = fl_vec3_dot (from, from) - still->made->k * still->made->k;
  double band = 2 * REACH * still->made->width * still->made->k; /* of |s0 + q|² */
  double outer = b * b - a * (c - band), inner = b * b - a * (c + band);
  if (outer < 0)
    return;
  outer = sqrt (outer);
  inner = inner > 0 ? sqrt (inner) : 0;
  int last = G_MININT;
  for (int side = -1; side <= 1; side += 2)
    {
      double low = (-b + (side < 0 ? -outer : inner)) / a, high = (-b + (side < 0 ? -inner : outer)) / a;
      for (int l = MAX ((int) ceil (low), last + 1); l <= high; l++)
        observe (still, h, k, last = l);
    }
}

FlMergeLattice
made_lattice (const MadeLattices *made, guint64 number, GArray *observations)
{
  Still still = { .made = made,
                  .random = fl_random (fl_hash64 (&number, sizeof number, SEED)),
                  .observations = observations };
  FlMergeLattice lattice = { .key = fl_hash64 (&number, sizeof number, SEED + 1), .energy = (float) ENERGY };
  FlMat3 turn = random_rotation (&still.random);
  FlVec3 error =
      fl_vec3 (made->turn * fl_random_normal (&still.random), made->turn * fl_random_normal (&still.random),
               made->turn * fl_random_normal (&still.random));
  FlMat3 small = fl_mat3_rotation (fl_vec3_unit (error), fl_vec3_norm (error));
  for (int i = 0; i < 3; i++)
    {
      const double *star = made->star.m[i];
      FlVec3 known = fl_mat3_apply (&turn, fl_vec3 (star[0], star[1], star[2]));
      lattice.a_star[3 * i] = (float) known.x;
      lattice.a_star[3 * i + 1] = (float) known.y;
      lattice.a_star[3 * i + 2] = (float) known.z;
      still.known[i] = known;
      still.rows[i] = fl_mat3_apply (&small, known);
    }
  still.scale = exp (0.7 * fl_random_normal (&still.random));
  still.b = 5 * fl_random_normal (&still.random);
  still.width = made->width * exp (0.2 * fl_random_normal (&still.random));
  lattice.domain_size = (float) (1 / (WRONG * still.width));
  g_array_set_size (observations, 0);
  for (int h = -made->limits[0]; h <= made->limits[0]; h++)
    for (int k = -made->limits[1]; k <= made->limits[1]; k++)
      walk_line (&still, h, k);
  return lattice;
}

FlMergeSet *
made_set (const MadeLattices *made, guint64 begin, guint64 end, FlParallel *parallel,
          const FlMergeInputOptions *options)
{
  FlMergeSet *set = fl_merge_set_new (parallel, options);
  g_autoptr (GArray) observations = g_array_new (FALSE, FALSE, sizeof (FlObservation));
  g_autoptr (GError) error = NULL;
  for (guint64 i = begin + fl_parallel_rank (parallel); i < end; i += fl_parallel_ranks (parallel))
    {
      FlMergeLattice lattice = made_lattice (made, i, observations);
      if (!fl_merge_set_append (set, &lattice, i, (const FlObservation *) (void *) observations->data,
                                observations->len, &error))
        g_error ("%s", error->message);
    }
  fl_merge_set_finish (set);
  fl_merge_scale_start (set, 1);
  return set;
}

void
made_correlations (const FlUniqueList *list, const double *a, const double *b, guint n, double *cc)
{
  double least = HUGE_VAL;
  for (guint u = 0; u < fl_unique_list_n (list); u++)
    least = MIN (least, (double) fl_unique_list_at (list, u)->d);
  for (guint shell = 0; shell < n; shell++)
    {
      double w = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
      for (guint u = 0; u < fl_unique_list_n (list); u++)
        {
          double at = n * pow (least / (double) fl_unique_list_at (list, u)->d, 3);
          if (MIN ((guint) at, n - 1) != shell || isnan (a[u]) || isnan (b[u]))
            continue;
          w++;
          x += a[u];
          y += b[u];
          xx += a[u] * a[u];
          xy += a[u] * b[u];
          yy += b[u] * b[u];
        }
      cc[shell] = (w * xy - x * y) / sqrt ((w * xx - x * x) * (w * yy - y * y));
    }
}
