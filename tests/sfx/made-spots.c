#include "tests/sfx/made-spots.h"

#include "engine/base/units.h"

FlKnownCell
made_cell (double a, double b, double c, double alpha, double beta, double gamma, FlLatticeType type)
{
  FlKnownCell known = { .type = type, .centring = 'P' };
  GError *error = NULL;
  fl_cell_from_degrees ((double[6]){ a, b, c, alpha, beta, gamma }, &known.cell, &error);
  g_assert_no_error (error);
  return known;
}

/* Uniform over all rotations (Shoemake 1992). */
FlMat3
made_star (const FlKnownCell *known, FlRandom *random)
{
  double u = fl_random_unit (random), v = 2 * G_PI * fl_random_unit (random),
         w = 2 * G_PI * fl_random_unit (random);
  double s = sqrt (1 - u), t = sqrt (u);
  FlMat3 turn = fl_mat3_from_quat ((FlQuat){ s * sin (v), s * cos (v), t * sin (w), t * cos (w) });
  FlMat3 back = fl_mat3_transpose (&turn), star = fl_cell_reciprocal (&known->cell);
  return fl_mat3_multiply (&star, &back);
}

static FlVec3
at (double q, double azimuth)
{
  double z = -0.5 * MADE_WAVELENGTH * q * q, across = sqrt (q * q - z * z);
  return fl_vec3 (across * cos (azimuth), across * sin (azimuth), z);
}

/* Where a lattice point shows on the sphere, wrong by `across`. */
static FlVec3
shown (FlVec3 s1, double across, FlRandom *random)
{
  FlVec3 x = fl_vec3_unit (fl_vec3_cross (s1, fl_vec3 (0.3, 1, 0.1))),
         y = fl_vec3_unit (fl_vec3_cross (s1, x));
  s1 = fl_vec3_add (s1, fl_vec3_add (fl_vec3_scale (x, across * fl_random_normal (random)),
                                     fl_vec3_scale (y, across * fl_random_normal (random))));
  return fl_vec3_sub (fl_vec3_scale (fl_vec3_unit (s1), 1 / MADE_WAVELENGTH),
                      fl_vec3 (0, 0, 1 / MADE_WAVELENGTH));
}

void
made_still (GArray *q, const FlMat3 *star, double q_max, double along, double across, guint most,
            FlRandom *random)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  FlMat3 columns = fl_mat3_transpose (star);
  FlCell cell = fl_lattice_cell (star);
  int limits[3];
  fl_cell_limits (&cell, 1 / q_max, limits);
  for (int h = -limits[0]; h <= limits[0]; h++)
    for (int k = -limits[1]; k <= limits[1]; k++)
      for (int l = -limits[2]; l <= limits[2]; l++)
        {
          FlVec3 g = fl_mat3_apply (&columns, fl_vec3 (h, k, l));
          double norm = fl_vec3_norm (g);
          FlVec3 s1 = fl_vec3_add (g, fl_vec3 (0, 0, 1 / MADE_WAVELENGTH));
          double off = (fl_vec3_norm (s1) - 1 / MADE_WAVELENGTH) / along;
          if (norm < 0.02 || norm > q_max || fabs (off) > 3
              || fl_random_unit (random) > exp (-0.5 * off * off))
            continue;
          FlVec3 spot = shown (s1, across, random);
          g_array_append_val (all, spot);
        }
  for (guint i = 0; i < all->len && i < most; i++)
    {
      guint other = i + (guint) (fl_random_u64 (random) % (all->len - i));
      FlVec3 spot = g_array_index (all, FlVec3, other);
      g_array_index (all, FlVec3, other) = g_array_index (all, FlVec3, i);
      g_array_append_val (q, spot);
    }
}

void
made_noise (GArray *q, guint n, double q_max, FlRandom *random)
{
  for (guint i = 0; i < n; i++)
    {
      double part = sqrt (fl_random_unit (random));
      FlVec3 spot = at (MAX (0.02, q_max * part), 2 * G_PI * fl_random_unit (random));
      g_array_append_val (q, spot);
    }
}

void
made_forced (GArray *q, guint kind, guint n, const FlVec3 *like, guint n_like, FlRandom *random)
{
  double rings[6];
  for (guint i = 0; i < 6; i++)
    rings[i] = 0.05 + 0.35 * fl_random_unit (random);
  if (kind == 0)
    made_noise (q, n, 0.42, random);
  for (guint i = 0; i < n && kind > 0; i++)
    {
      double u = fl_random_unit (random), norm = 0.03 + 0.4 * u * u;
      if (kind == 1)
        norm = rings[fl_random_u64 (random) % 6] + 0.0008 * fl_random_normal (random);
      else if (kind == 2)
        norm = fl_vec3_norm (like[fl_random_u64 (random) % n_like]);
      FlVec3 spot = at (norm, 2 * G_PI * fl_random_unit (random));
      g_array_append_val (q, spot);
    }
}
