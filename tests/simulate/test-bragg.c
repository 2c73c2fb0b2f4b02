/* Spots against the formula written out without shortcuts, and the two shapes against each other. */

#include <glib.h>
#include <math.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/simulate/sfx.h"

/* All |F|² = 10⁴, cell a little oblique. */
typedef struct
{
  FlDetector *detector;
  FlIntensities *intensities;
  FlBraggModel model;
} Scene;

static void
scene_init (Scene *scene)
{
  FlCell cell;
  g_assert_true (fl_cell_from_degrees ((double[]){ 61, 72, 50, 90, 98, 90 }, &cell, NULL));
  scene->intensities = fl_intensities_new (&cell, 3, NULL);
  const int *m = scene->intensities->limits;
  for (int h = -m[0]; h <= m[0]; h++)
    for (int k = -m[1]; k <= m[1]; k++)
      for (int l = -m[2]; l <= m[2]; l++)
        *fl_intensities_at (scene->intensities, h, k, l) = 1e4f;
  scene->detector = fl_detector_new (1, 600 * 600);
  FlPanel *panel = &scene->detector->panels[0];
  panel->n_fs = panel->n_ss = 600;
  panel->stride = 600;
  panel->pixel_size = 0.1;
  /* Tilted, so that nothing is square by luck. */
  panel->fs = fl_vec3 (0.1 * cos (0.1), 0, 0.1 * sin (0.1));
  panel->ss = fl_vec3 (0, 0.1, 0);
  panel->origin = fl_vec3 (-31, -28, 70);
  scene->model = (FlBraggModel){ .detector = scene->detector,
                                 .intensities = scene->intensities,
                                 .wavelength = 1.3,
                                 .spectrum = fl_spectrum_gaussian (0.002, 9),
                                 .polarisation = FL_POLARISATION_HORIZONTAL };
}

static void
scene_clear (Scene *scene)
{
  fl_detector_unref (scene->detector);
  fl_intensities_free (scene->intensities);
}

static FlCrystal
random_crystal (const Scene *scene, FlRandom *random)
{
  FlMat3 b = fl_cell_reciprocal (&scene->intensities->cell);
  FlCrystal crystal = { .orientation = fl_random_orientation (random),
                        .fluence = 2e3,
                        .n_cells = 1e6,
                        .domain = 2500,
                        .mosaic = 1e-3,
                        .position = { 0.02, -0.01, 0.05 },
                        .cells = { 40, 36, 50 } };
  FlMat3 rotation = fl_mat3_from_quat (crystal.orientation), back = fl_mat3_transpose (&rotation);
  crystal.a_star = fl_mat3_multiply (&b, &back);
  return crystal;
}

/* Photons in one pixel by midpoint quadrature over 8 × 8 points and 41 wavelengths of the full 3-D Gaussian. */
static double
quadrature (const Scene *scene, const FlCrystal *c, const FlPatch *patch, int fs, int ss)
{
  const FlPanel *panel = &scene->detector->panels[0];
  const double (*a)[3] = c->a_star.m;
  FlVec3 target = fl_vec3 (patch->h * a[0][0] + patch->k * a[1][0] + patch->l * a[2][0],
                           patch->h * a[0][1] + patch->k * a[1][1] + patch->l * a[2][1],
                           patch->h * a[0][2] + patch->k * a[1][2] + patch->l * a[2][2]);
  FlVec3 along = fl_vec3_unit (target);
  double q2 = fl_vec3_dot (target, target), volume = fl_cell_volume (&scene->intensities->cell);
  double size = 1 / (sqrt (2 * FL_PI) * c->domain), v_along = size * size,
         v_across = v_along + q2 * c->mosaic * c->mosaic;
  double norm = c->n_cells / volume / (pow (2 * FL_PI, 1.5) * v_across * sqrt (v_along)), sum = 0,
         weights = 0;
  const double f2 = 1e4, sigma = scene->model.spectrum.sigma;
  for (int e = -20; e <= 20; e++)
    {
      double x = e * 0.2, weight = exp (-0.5 * x * x), k = (1 + sigma * x) / scene->model.wavelength;
      weights += weight;
      for (int i = 0; i < 64; i++)
        {
          FlVec3 r = fl_vec3_sub (fl_panel_position (panel, fs + (i % 8 + 0.5) / 8, ss + (i / 8 + 0.5) / 8),
                                  c->position);
          FlVec3 u = fl_vec3_unit (r);
          FlVec3 d = fl_vec3_sub (fl_vec3_scale (fl_vec3_sub (u, fl_vec3 (0, 0, 1)), k), target);
          double p = fl_vec3_dot (d, along), across2 = fl_vec3_dot (d, d) - p * p;
          double omega = fabs (fl_vec3_dot (fl_vec3_cross (panel->fs, panel->ss), u)) / fl_vec3_dot (r, r);
          sum += weight / 64 * exp (-0.5 * (p * p / v_along + across2 / v_across)) * omega * (1 - u.x * u.x);
        }
    }
  return c->fluence * FL_ELECTRON_RADIUS * FL_ELECTRON_RADIUS * f2 * norm * sum / weights;
}

typedef struct
{
  const Scene *scene;
  const FlCrystal *crystal;
  guint n_patches;
  double photons, worst, difference, total;
} Check;

static void
check_patch (const FlPatch *patch, gpointer data)
{
  Check *check = data;
  check->photons += patch->photons;
  if (patch->photons < 20 || check->n_patches++ % 8 != 0)
    return;
  double difference = 0, total = 0;
  for (int y = 0; y < patch->height; y++)
    for (int x = 0; x < patch->width; x++)
      {
        double expected = quadrature (check->scene, check->crystal, patch, patch->fs0 + x, patch->ss0 + y);
        difference += fabs (expected - (double) patch->mean[y * patch->width + x]);
        total += expected;
      }
  check->worst = MAX (check->worst, difference / total);
  check->difference += difference;
  check->total += total;
}

static void
test_gaussian_is_the_integral (void)
{
  Scene scene;
  scene_init (&scene);
  FlRandom random = fl_random (5);
  Check check = { .scene = &scene };
  for (int i = 0; i < 3; i++)
    {
      FlCrystal crystal = random_crystal (&scene, &random);
      check.crystal = &crystal;
      fl_bragg_spots (&scene.model, &crystal, check_patch, &check);
    }
  g_test_message ("%u spots: sum of differences %.4f of the photons, worst spot %.4f", check.n_patches / 8,
                  check.difference / check.total, check.worst);
  g_assert_cmpuint (check.n_patches, >, 100);
  g_assert_cmpfloat (check.difference / check.total, <, 0.01);
  g_assert_cmpfloat (check.worst, <, 0.04);
  scene_clear (&scene);
}

static void
add_photons (const FlPatch *patch, gpointer data)
{
  *(double *) data += patch->photons;
}

/* Over many orientations both shapes of one volume scatter alike: the integral of |S|² is N/V for either. */
static void
test_shapes_scatter_alike (void)
{
  Scene scene;
  scene_init (&scene);
  FlRandom random = fl_random (6);
  double gaussian = 0, lattice = 0;
  for (int i = 0; i < 24; i++)
    {
      FlCrystal crystal = random_crystal (&scene, &random);
      crystal.mosaic = 0;
      crystal.n_cells = crystal.cells[0] * crystal.cells[1] * crystal.cells[2];
      fl_bragg_spots (&scene.model, &crystal, add_photons, &gaussian);
      crystal.shape = FL_SHAPE_LATTICE;
      fl_bragg_spots (&scene.model, &crystal, add_photons, &lattice);
    }
  g_test_message ("lattice to gaussian: %.4f", lattice / gaussian);
  /* The lattice's far tails are cut after ten fringes: about 1 % an axis. */
  g_assert_cmpfloat (lattice / gaussian, >, 0.92);
  g_assert_cmpfloat (lattice / gaussian, <, 1.02);
  scene_clear (&scene);
}

typedef struct
{
  GHashTable *seen;
  guint twice;
} Found;

static void
note_patch (const FlPatch *patch, gpointer data)
{
  Found *found = data;
  gpointer key = GINT_TO_POINTER (((patch->h + 512) * 1024 + patch->k + 512) * 1024 + patch->l + 512);
  found->twice += !g_hash_table_add (found->seen, key);
}

/* Walking rows finds what looking at every reflection finds, and none twice. */
static void
test_walk_misses_nothing (void)
{
  Scene scene;
  scene_init (&scene);
  FlRandom random = fl_random (7);
  for (int i = 0; i < 10; i++)
    {
      FlCrystal c = random_crystal (&scene, &random);
      Found found = { g_hash_table_new (NULL, NULL), 0 };
      fl_bragg_spots (&scene.model, &c, note_patch, &found);
      g_assert_cmpuint (found.twice, ==, 0);
      const int *m = scene.intensities->limits;
      const double (*a)[3] = c.a_star.m;
      double k = 1 / scene.model.wavelength;
      guint expected = 0;
      for (int h = -m[0]; h <= m[0]; h++)
        for (int j = -m[1]; j <= m[1]; j++)
          for (int l = -m[2]; l <= m[2]; l++)
            {
              FlVec3 q =
                  fl_vec3 (h * a[0][0] + j * a[1][0] + l * a[2][0], h * a[0][1] + j * a[1][1] + l * a[2][1],
                           h * a[0][2] + j * a[1][2] + l * a[2][2]);
              double length = fl_vec3_norm (q),
                     off = fabs (fl_vec3_norm (fl_vec3_add (q, fl_vec3 (0, 0, k))) - k);
              guint panel;
              double fs, ss;
              /* Near enough that its spot must have been drawn. */
              if (length == 0 || length > 1.0 / 3 || off > 4e-4
                  || !fl_detector_intersect (scene.detector, fl_vec3_add (q, fl_vec3 (0, 0, k)), &panel, &fs,
                                             &ss)
                  || fs < 2 || ss < 2 || fs > 598 || ss > 598)
                continue;
              expected++;
              gpointer key = GINT_TO_POINTER (((h + 512) * 1024 + j + 512) * 1024 + l + 512);
              if (!g_hash_table_contains (found.seen, key))
                g_error ("reflection %d %d %d, %g Å⁻¹ from the sphere, is missing", h, j, l, off);
            }
      g_assert_cmpuint (expected, >, 20);
      g_hash_table_unref (found.seen);
    }
  scene_clear (&scene);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/simulate/bragg/gaussian-is-the-integral", test_gaussian_is_the_integral);
  g_test_add_func ("/simulate/bragg/shapes-scatter-alike", test_shapes_scatter_alike);
  g_test_add_func ("/simulate/bragg/walk-misses-nothing", test_walk_misses_nothing);
  return g_test_run ();
}
