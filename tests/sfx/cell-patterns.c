#include "tests/sfx/cell-patterns.h"

#include <math.h>

#define DISTANCE 100.0 /* mm */

static double
between (FlRandom *random, double low, double high)
{
  return low + (high - low) * fl_random_unit (random);
}

/* Two ratios of axes that are not near 1, nor each other. */
static void
ratios (FlRandom *random, double *b, double *c)
{
  do
    {
      *b = exp (between (random, -0.5, 0.5));
      *c = exp (between (random, -0.5, 0.5));
    }
  while (fabs (log (*b)) < 0.06 || fabs (log (*c)) < 0.06 || fabs (log (*b / *c)) < 0.06);
}

static guint
points_of (char centring)
{
  return centring == 'P' ? 1 : centring == 'F' ? 4 : centring == 'R' ? 3 : 2;
}

FlKnownCell
pattern_cell (FlLatticeType type, char centring, double volume, FlRandom *random)
{
  double b, c, angle[3] = { 90, 90, 90 };
  ratios (random, &b, &c);
  if (type >= FL_LATTICE_TETRAGONAL)
    b = 1;
  if (type == FL_LATTICE_CUBIC)
    c = 1;
  if (type == FL_LATTICE_HEXAGONAL)
    angle[2] = 120;
  if (type == FL_LATTICE_MONOCLINIC)
    angle[1] = between (random, 96, 115);
  if (type == FL_LATTICE_TRICLINIC)
    for (guint i = 0; i < 3; i++)
      angle[i] = between (random, 94, 108);
  FlKnownCell known = { .type = type, .centring = centring };
  fl_cell_from_degrees ((double[6]){ 100, 100 * b, 100 * c, angle[0], angle[1], angle[2] }, &known.cell,
                        NULL);
  double scale = cbrt (volume * points_of (centring) / fl_cell_volume (&known.cell));
  known.cell.a *= scale;
  known.cell.b *= scale;
  known.cell.c *= scale;
  return known;
}

FlMat3
pattern_orient (const FlCell *cell, FlRandom *random)
{
  FlQuat q = { fl_random_normal (random), fl_random_normal (random), fl_random_normal (random),
               fl_random_normal (random) };
  double norm = sqrt (q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
  q = (FlQuat){ q.w / norm, q.x / norm, q.y / norm, q.z / norm };
  FlMat3 turn = fl_mat3_from_quat (q), back = fl_mat3_transpose (&turn), star = fl_cell_reciprocal (cell);
  return fl_mat3_multiply (&star, &back);
}

/* The place on the detector, blurred, back to reciprocal space. */
static FlVec3
measured (FlVec3 s1, double noise, double wavelength, FlRandom *random)
{
  double x = DISTANCE * s1.x / s1.z + noise * fl_random_normal (random);
  double y = DISTANCE * s1.y / s1.z + noise * fl_random_normal (random);
  FlVec3 direction = fl_vec3_unit (fl_vec3 (x, y, DISTANCE));
  return fl_vec3_scale (fl_vec3_sub (direction, fl_vec3 (0, 0, 1)), 1 / wavelength);
}

static void
add (GArray *spots, GArray *intensities, FlVec3 q, double intensity)
{
  float value = (float) intensity;
  g_array_append_val (spots, q);
  g_array_append_val (intensities, value);
}

Pattern
pattern_new (const FlKnownCell *cell, const FlMat3 *star, const PatternOptions *options, FlRandom *random)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  FlMat3 back = fl_mat3_transpose (star);
  double radius = 1 / options->wavelength, q_max = 1 / options->d_min;
  int limits[3];
  fl_cell_limits (&cell->cell, options->d_min, limits);
  for (int h = -limits[0]; h <= limits[0]; h++)
    for (int k = -limits[1]; k <= limits[1]; k++)
      for (int l = -limits[2]; l <= limits[2]; l++)
        {
          FlVec3 q = fl_mat3_apply (&back, fl_vec3 (h, k, l)), s1 = fl_vec3_add (q, fl_vec3 (0, 0, radius));
          if ((h != 0 || k != 0 || l != 0) && fl_vec3_norm (q) < q_max
              && !fl_centring_absent (cell->centring, h, k, l)
              && fabs (fl_vec3_norm (s1) - radius) < options->excitation)
            {
              if (options->noise >= 0)
                q = measured (s1, options->noise, options->wavelength, random);
              g_array_append_val (all, q);
            }
        }
  /* Those that are seen, drawn at random; then the false ones, half as strong. */
  GArray *spots = g_array_new (FALSE, FALSE, sizeof (FlVec3)),
         *intensities = g_array_new (FALSE, FALSE, sizeof (float));
  guint n_true = MIN (all->len, (guint) (options->most * (1 - options->false_fraction)));
  for (guint i = 0; i < n_true; i++)
    {
      guint k = i + (guint) (fl_random_u64 (random) % (all->len - i));
      FlVec3 q = g_array_index (all, FlVec3, k);
      g_array_index (all, FlVec3, k) = g_array_index (all, FlVec3, i);
      add (spots, intensities, q, -log (1 - fl_random_unit (random)));
    }
  double reach = DISTANCE * tan (2 * asin (MIN (0.5 * options->wavelength * q_max, 0.6)));
  for (guint n_false = (guint) (n_true * options->false_fraction / (1 - options->false_fraction));
       n_false > 0; n_false--)
    {
      FlVec3 at = fl_vec3 (between (random, -reach, reach), between (random, -reach, reach), DISTANCE);
      add (spots, intensities, measured (at, 0, options->wavelength, random),
           -0.5 * log (1 - fl_random_unit (random)));
    }
  Pattern pattern = { .n = spots->len };
  pattern.q = (FlVec3 *) (gpointer) g_array_free (spots, FALSE);
  pattern.intensity = (float *) (gpointer) g_array_free (intensities, FALSE);
  return pattern;
}

void
pattern_clear (Pattern *pattern)
{
  g_free (pattern->q);
  g_free (pattern->intensity);
}
