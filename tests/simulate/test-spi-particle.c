/* Amplitudes of molecules: closed forms, the direct sum, symmetry. */
#include <glib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/simulate/sfx.h"
#include "engine/simulate/spi-particle.h"

#define S_MOST 0.12 /* Å⁻¹ */
#define POINTS 500

static const FlHydration dry = { 0, 0 };
static const FlMat3 identity = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };

static FlVec3
random_s (FlRandom *random)
{
  FlMat3 r = fl_mat3_from_quat (fl_random_orientation (random));
  return fl_vec3_scale (fl_vec3 (r.m[0][0], r.m[0][1], r.m[0][2]), S_MOST * cbrt (fl_random_unit (random)));
}

static FlSpiParticle *
make (FlAtom *atoms, guint n, FlHydration hydration)
{
  FlModel model = { .n_atoms = n, .atoms = atoms };
  g_autoptr (GError) error = NULL;
  FlSpiParticle *particle = fl_spi_particle_new (&model, hydration, S_MOST, &error);
  g_assert_no_error (error);
  return particle;
}

static FlAtom
atom_at (const char *element, double x, double y, double z)
{
  return (
      FlAtom){ .position = fl_vec3 (x, y, z), .occupancy = 1, .b = 30, .factor = fl_form_factor (element) };
}

static void
draw_points (FlVec3 s[POINTS])
{
  FlRandom random = fl_random (7);
  for (guint i = 0; i < POINTS; i++)
    s[i] = random_s (&random);
}

static void
test_one_atom (void)
{
  FlVec3 s[POINTS];
  float complex f[POINTS];
  FlAtom atom = atom_at ("C", 3, -200, 7);
  g_autoptr (FlSpiParticle) particle = make (&atom, 1, dry);
  draw_points (s);
  fl_spi_particle_amplitudes (particle, &identity, s, POINTS, f);
  double worst = 0;
  for (guint i = 0; i < POINTS; i++)
    worst = MAX (worst, cabs (f[i] / fl_form_factor_at (atom.factor, fl_vec3_dot (s[i], s[i]) / 4) - 1));
  g_test_message ("f: worst %.1e", worst);
  g_assert_cmpfloat (worst, <, 3e-4);
}

/* |F|² = f² (2 + 2 cos 2πs·r). */
static void
test_two_atoms (void)
{
  FlVec3 s[POINTS], apart = fl_vec3 (40, -15, 22);
  float complex f[POINTS];
  FlAtom atoms[2] = { atom_at ("N", 0, 0, 0), atom_at ("N", apart.x, apart.y, apart.z) };
  g_autoptr (FlSpiParticle) particle = make (atoms, 2, dry);
  draw_points (s);
  fl_spi_particle_amplitudes (particle, &identity, s, POINTS, f);
  double worst = 0;
  for (guint i = 0; i < POINTS; i++)
    {
      double f2 = pow (fl_form_factor_at (atoms[0].factor, fl_vec3_dot (s[i], s[i]) / 4), 2);
      double expected = 2 + 2 * cos (2 * FL_PI * fl_vec3_dot (s[i], apart));
      worst = MAX (worst, fabs ((double) (f[i] * conjf (f[i])) / f2 - expected));
    }
  g_test_message ("fringes: worst %.1e of 4", worst);
  g_assert_cmpfloat (worst, <, 2e-3);
}

static GArray *
random_molecule (guint n, double radius)
{
  static const char *const elements[] = { "C", "N", "O", "S" };
  GArray *atoms = g_array_new (FALSE, FALSE, sizeof (FlAtom));
  FlRandom random = fl_random (11);
  while (atoms->len < n)
    {
      FlVec3 r = fl_vec3 (2 * fl_random_unit (&random) - 1, 2 * fl_random_unit (&random) - 1,
                          2 * fl_random_unit (&random) - 1);
      FlAtom atom = atom_at (elements[atoms->len % 4], radius * r.x, radius * r.y, 0.6 * radius * r.z);
      if (fl_vec3_dot (r, r) < 1)
        g_array_append_val (atoms, atom);
    }
  return atoms;
}

static double complex
direct_sum (const GArray *atoms, FlVec3 middle, FlVec3 s)
{
  double complex sum = 0;
  for (guint a = 0; a < atoms->len; a++)
    {
      const FlAtom *atom = &g_array_index (atoms, FlAtom, a);
      double phase = 2 * FL_PI * fl_vec3_dot (s, fl_vec3_sub (atom->position, middle));
      sum += fl_form_factor_at (atom->factor, fl_vec3_dot (s, s) / 4) * cexp (I * phase);
    }
  return sum;
}

static FlVec3
middle_of (const GArray *atoms)
{
  FlVec3 low = fl_vec3 (INFINITY, INFINITY, INFINITY), high = fl_vec3_scale (low, -1);
  for (guint a = 0; a < atoms->len; a++)
    {
      FlVec3 r = g_array_index (atoms, FlAtom, a).position;
      low = fl_vec3 (MIN (low.x, r.x), MIN (low.y, r.y), MIN (low.z, r.z));
      high = fl_vec3 (MAX (high.x, r.x), MAX (high.y, r.y), MAX (high.z, r.z));
    }
  return fl_vec3_scale (fl_vec3_add (low, high), 0.5);
}

/* And R⁻¹ is on the right side. */
static void
test_direct_sum (void)
{
  FlVec3 s[POINTS];
  float complex f[POINTS];
  FlRandom random = fl_random (3);
  g_autoptr (GArray) atoms = random_molecule (3000, 45);
  g_autoptr (FlSpiParticle) particle = make ((FlAtom *) (void *) atoms->data, atoms->len, dry);
  FlMat3 rotation = fl_mat3_from_quat (fl_random_orientation (&random)), back = fl_mat3_transpose (&rotation);
  FlVec3 middle = middle_of (atoms);
  draw_points (s);
  fl_spi_particle_amplitudes (particle, &rotation, s, POINTS, f);
  double misfit[2] = { 0 }, size[2] = { 0 };
  for (guint i = 0; i < POINTS; i++)
    {
      double complex truth = direct_sum (atoms, middle, fl_mat3_apply (&back, s[i]));
      int outer = fl_vec3_norm (s[i]) > S_MOST / 2;
      misfit[outer] += pow (cabs (f[i] - truth), 2);
      size[outer] += pow (cabs (truth), 2);
    }
  g_test_message ("rms misfit of the size: %.1e inside, %.1e outside", sqrt (misfit[0] / size[0]),
                  sqrt (misfit[1] / size[1]));
  g_assert_cmpfloat (sqrt (misfit[0] / size[0]), <, 3e-4);
  g_assert_cmpfloat (sqrt (misfit[1] / size[1]), <, 1e-3);
}

static void
test_friedel (void)
{
  FlVec3 s[POINTS], opposite[POINTS];
  float complex f[POINTS], g[POINTS];
  g_autoptr (GArray) atoms = random_molecule (200, 30);
  g_autoptr (FlSpiParticle) particle = make ((FlAtom *) (void *) atoms->data, atoms->len, dry);
  draw_points (s);
  for (guint i = 0; i < POINTS; i++)
    opposite[i] = fl_vec3_scale (s[i], -1);
  fl_spi_particle_amplitudes (particle, &identity, s, POINTS, f);
  fl_spi_particle_amplitudes (particle, &identity, opposite, POINTS, g);
  for (guint i = 0; i < POINTS; i++)
    g_assert_cmpfloat (cabsf (f[i] - conjf (g[i])), <=, 1e-5f * cabsf (f[i]));
  s[0] = fl_vec3 (0, 0, 1.01 * S_MOST);
  fl_spi_particle_amplitudes (particle, &identity, s, 1, f);
  g_assert_true (f[0] == 0);
}

/* Carbon on a lattice of 2 Å within a sphere, whose rim is rough: 3 (sin x − x cos x) / x³ of its electrons, times
 * the atom's fall-off. */
static void
test_sphere (void)
{
  const double radius = 50, step = 2;
  FlVec3 s[POINTS];
  float complex f[POINTS];
  g_autoptr (GArray) atoms = g_array_new (FALSE, FALSE, sizeof (FlAtom));
  for (double x = -50; x <= 50; x += step)
    for (double y = -50; y <= 50; y += step)
      for (double z = -50; z <= 50; z += step)
        if (x * x + y * y + z * z <= radius * radius)
          {
            FlAtom atom = atom_at ("C", x, y, z);
            g_array_append_val (atoms, atom);
          }
  g_autoptr (FlSpiParticle) particle = make ((FlAtom *) (void *) atoms->data, atoms->len, dry);
  double effective = cbrt (3 * atoms->len * pow (step, 3) / (4 * FL_PI)), misfit = 0, size = 0;
  draw_points (s);
  fl_spi_particle_amplitudes (particle, &identity, s, POINTS, f);
  for (guint i = 0; i < POINTS; i++)
    {
      double q = fl_vec3_norm (s[i]), x = 2 * FL_PI * effective * q;
      double expected = atoms->len * fl_form_factor_at (fl_form_factor ("C"), q * q / 4) * 3
                        * (sin (x) - x * cos (x)) / (x * x * x);
      misfit += pow (cabs (f[i] - expected), 2);
      size += expected * expected;
    }
  g_test_message ("sphere: rms misfit %.1e of the size", sqrt (misfit / size));
  g_assert_cmpfloat (sqrt (misfit / size), <, 0.03);
}

/* A shell of known volume about one atom. */
static void
test_hydration (void)
{
  FlVec3 zero = { 0, 0, 0 };
  float complex f;
  const FlHydration layer = { 20, 0.334 };
  FlAtom atom = atom_at ("C", 0, 0, 0);
  g_autoptr (FlSpiParticle) particle = make (&atom, 1, layer);
  double inner = atom.factor->radius + 1, outer = inner + layer.thickness;
  double expected = 0.334 * 4 / 3 * FL_PI * (pow (outer, 3) - pow (inner, 3));
  fl_spi_particle_amplitudes (particle, &identity, &zero, 1, &f);
  g_test_message ("water: %.0f electrons, expected %.0f", crealf (f), expected);
  g_assert_cmpfloat (fabs (crealf (f) / (expected + 6) - 1), <, 0.02);
  g_assert_cmpfloat (fabs (crealf (f) / fl_spi_particle_electrons (particle) - 1), <, 1e-3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/simulate/spi-particle/one-atom", test_one_atom);
  g_test_add_func ("/simulate/spi-particle/two-atoms", test_two_atoms);
  g_test_add_func ("/simulate/spi-particle/direct-sum", test_direct_sum);
  g_test_add_func ("/simulate/spi-particle/friedel", test_friedel);
  g_test_add_func ("/simulate/spi-particle/sphere", test_sphere);
  g_test_add_func ("/simulate/spi-particle/hydration", test_hydration);
  return g_test_run ();
}
