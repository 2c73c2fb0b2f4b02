#include "engine/spi/alignment-private.h"

#include <math.h>
#include <string.h>

#include "engine/spi/rotations.h"

#define COARSE_SPECKLES 6.0  /* |s| · diameter of the first search */
#define COARSE_POINTS   1500 /* more only cost time */
#define FINE_POINTS     20000
#define FINER           2
#define LEAST_TURN      0.01 /* of the angle that moves the particle's rim by the resolution */

/* Intensities without radial means and scaled, finely sampled, the origin at n / 2. */
typedef struct
{
  int n;
  double per; /* points an Å⁻¹ */
  float *data;
} Speckles;

typedef struct
{
  const Speckles *speckles;
  guint n;
  const FlVec3 *s;
  const float *value;
} Comparison;

static void
scale_shells (Speckles *sp, int n_shells)
{
  g_autofree double *sum = g_new0 (double, n_shells), *square = g_new0 (double, n_shells),
                    *count = g_new0 (double, n_shells);
  int n = sp->n, h = n / 2;
  for (int pass = 0; pass < 2; pass++)
    {
      float *value = sp->data;
      for (int z = -h; z < h; z++)
        for (int y = -h; y < h; y++)
          for (int x = -h; x < h; x++, value++)
            {
              double s = sqrt (x * x + y * y + z * z);
              int shell = (int) (s + 0.5);
              if (shell >= n_shells)
                *value = 0;
              else if (pass == 0)
                {
                  count[shell]++;
                  sum[shell] += *value;
                  square[shell] += (double) *value * *value;
                }
              else
                *value = (float) ((*value - sum[shell]) / square[shell]);
            }
      for (int i = 0; i < n_shells && pass == 0; i++)
        {
          sum[i] /= count[i];
          square[i] = sqrt (MAX (square[i] / count[i] - sum[i] * sum[i], 0)) + 1e-30;
        }
    }
}

static gboolean
speckles_init (Speckles *sp, const FlVolume *volume, gboolean density, GError **error)
{
  g_autoptr (FlTransform) t = fl_transform_new (FINER * volume->m, error);
  if (t == NULL)
    return FALSE;
  int n = (int) t->n, h = n / 2;
  fl_transform_put (t, volume, NULL);
  fl_transform_run (t, FALSE);
  *sp = (Speckles){ .n = n, .per = n * volume->voxel, .data = g_new (float, fl_transform_points (t)) };
  float *value = sp->data;
  for (int z = -h; z < h; z++)
    for (int y = -h; y < h; y++)
      for (int x = -h; x < h; x++)
        {
          float complex f = t->grid[fl_transform_at (t, x, y, z)];
          *value++ = density ? crealf (f * conjf (f)) : crealf (f);
        }
  scale_shells (sp, h);
  return TRUE;
}

static inline float
speckle_at (const Speckles *sp, FlVec3 s)
{
  double h = sp->n / 2;
  double ux = s.x * sp->per + h, uy = s.y * sp->per + h, uz = s.z * sp->per + h;
  int x = (int) ux, y = (int) uy, z = (int) uz;
  float fx = (float) (ux - x), fy = (float) (uy - y), fz = (float) (uz - z);
  const float *p = sp->data + (z * sp->n + y) * sp->n + x, *q = p + sp->n, *r = p + sp->n * sp->n,
              *t = r + sp->n;
  float a = p[0] + fx * (p[1] - p[0]), b = q[0] + fx * (q[1] - q[0]), c = r[0] + fx * (r[1] - r[0]),
        d = t[0] + fx * (t[1] - t[0]);
  a += fy * (b - a);
  c += fy * (d - c);
  return a + fz * (c - a);
}

static double
compare (FlQuat rotation, gpointer data)
{
  const Comparison *c = data;
  FlMat3 turn = fl_mat3_from_quat (rotation), back = fl_mat3_transpose (&turn);
  double both = 0, one = 0, other = 0;
  for (guint i = 0; i < c->n; i++)
    {
      float value = speckle_at (c->speckles, fl_mat3_apply (&back, c->s[i]));
      both += value * c->value[i];
      one += value * value;
      other += c->value[i] * c->value[i];
    }
  return one > 0 && other > 0 ? both / sqrt (one * other) : 0;
}

/* Every FINER-th point of a's half space between the limits, thinned to about `most`. */
static void
pick_points (const Speckles *sp, double s_low, double s_high, guint most, GArray *s, GArray *values)
{
  int h = sp->n / 2, limit = MIN ((int) (s_high * sp->per), h - 2) / FINER * FINER;
  double inside = 2 * G_PI / 3 * pow ((double) limit / FINER, 3);
  guint stride = MAX (1, (guint) (inside / most)), i = 0;
  for (int z = 0; z <= limit; z += FINER)
    for (int y = -limit; y <= limit; y += FINER)
      for (int x = -limit; x <= limit; x += FINER)
        {
          FlVec3 at = fl_vec3_scale (fl_vec3 (x, y, z), 1 / sp->per);
          double norm = fl_vec3_norm (at);
          if (norm < s_low || norm > limit / sp->per || i++ % stride != 0)
            continue;
          g_array_append_val (s, at);
          g_array_append_val (values, sp->data[((z + h) * sp->n + y + h) * sp->n + x + h]);
        }
}

void
fl_alignment_climb (FlCandidate *candidate, double step, double least, FlScoreFunc score, gpointer data)
{
  candidate->score = score (candidate->rotation, data);
  while (step > least)
    {
      FlCandidate best = *candidate;
      for (int k = 0; k < 6; k++)
        {
          double sine = (k % 2 ? -1 : 1) * sin (step / 2);
          FlQuat turn = { cos (step / 2), k / 2 == 0 ? sine : 0, k / 2 == 1 ? sine : 0,
                          k / 2 == 2 ? sine : 0 };
          FlCandidate other = { fl_quat_multiply (turn, candidate->rotation), 0 };
          other.score = score (other.rotation, data);
          if (other.score > best.score)
            best = other;
        }
      if (best.score > candidate->score)
        *candidate = best;
      else
        step /= 2;
    }
}

/* Keeps the best ones that are farther than `apart` from each other, best first. */
static guint
insert (FlCandidate *list, guint n, FlCandidate one, double apart)
{
  guint at = 0;
  for (; at < n && list[at].score >= one.score; at++)
    if (fl_quat_angle (list[at].rotation, one.rotation) < apart)
      return n;
  if (at == FL_ALIGNMENT_CANDIDATES)
    return n;
  FlCandidate rest[FL_ALIGNMENT_CANDIDATES];
  guint n_rest = n - at, kept = at;
  memcpy (rest, list + at, n_rest * sizeof *list);
  list[kept++] = one;
  for (guint i = 0; i < n_rest && kept < FL_ALIGNMENT_CANDIDATES; i++)
    if (fl_quat_angle (rest[i].rotation, one.rotation) >= apart)
      list[kept++] = rest[i];
  return kept;
}

static guint
search (const Speckles speckles[2], const FlAlignmentRange *range, FlCandidate *candidates)
{
  double s_coarse = MIN (range->s_high, COARSE_SPECKLES / range->diameter);
  guint fineness = (guint) CLAMP (ceil (s_coarse * range->diameter), 4, COARSE_SPECKLES), n = 0, n_fine = 0;
  double apart = fl_rotations_spacing (fineness), least = LEAST_TURN / (s_coarse * range->diameter);
  g_autoptr (GArray) s = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (float));
  pick_points (&speckles[0], range->s_low, s_coarse, COARSE_POINTS, s, values);
  Comparison c = { &speckles[1], s->len, (FlVec3 *) (void *) s->data, (float *) (void *) values->data };
  g_autoptr (FlRotations) rotations = fl_rotations_new (fineness);
  for (guint i = 0; i < rotations->n; i++)
    n = insert (candidates, n,
                (FlCandidate){ rotations->rotations[i], compare (rotations->rotations[i], &c) }, 1.5 * apart);
  for (guint i = 0; i < n; i++)
    fl_alignment_climb (&candidates[i], apart / 2, least, compare, &c);
  g_array_set_size (s, 0);
  g_array_set_size (values, 0);
  pick_points (&speckles[0], range->s_low, range->s_high, FINE_POINTS, s, values);
  c = (Comparison){ &speckles[1], s->len, (FlVec3 *) (void *) s->data, (float *) (void *) values->data };
  least = LEAST_TURN / (range->s_high * range->diameter);
  FlCandidate climbed[FL_ALIGNMENT_CANDIDATES];
  for (guint i = 0; i < n; i++)
    {
      FlCandidate one = candidates[i];
      fl_alignment_climb (&one, apart / 4, least, compare, &c);
      n_fine = insert (climbed, n_fine, one, apart / 2);
    }
  memcpy (candidates, climbed, n_fine * sizeof *climbed);
  return n_fine;
}

guint
fl_alignment_candidates (const FlVolume *a, const FlVolume *b, gboolean density,
                         const FlAlignmentRange *range, FlCandidate candidates[FL_ALIGNMENT_CANDIDATES],
                         GError **error)
{
  g_return_val_if_fail (a->m == b->m && range->diameter > 0 && range->s_high > range->s_low, 0);
  Speckles speckles[2] = { 0 };
  guint n = 0;
  if (speckles_init (&speckles[0], a, density, error) && speckles_init (&speckles[1], b, density, error))
    n = search (speckles, range, candidates);
  g_free (speckles[0].data);
  g_free (speckles[1].data);
  return n;
}

gboolean
fl_align_autocorrelations (const FlVolume *a, const FlVolume *b, const FlAlignmentRange *range,
                           FlAlignment *alignment, GError **error)
{
  FlCandidate candidates[FL_ALIGNMENT_CANDIDATES];
  if (fl_alignment_candidates (a, b, FALSE, range, candidates, error) == 0)
    return FALSE;
  *alignment =
      (FlAlignment){ .motion = { .rotation = candidates[0].rotation }, .correlation = candidates[0].score };
  return TRUE;
}
