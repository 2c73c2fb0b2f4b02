/* The particle's size from patterns in random orientations: of a made-up molecule, and of real ones where they are there. */
#include <glib/gstdio.h>
#include <stdio.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/simulate/spi.h"
#include "engine/spi/particle-size.h"

static FlParallel *parallel;
static char *folder;

static FlPatterns *
simulate (const char *model, const char *photons, const char *background, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  g_assert_true (fl_params_set (params, "simulate_spi.model", model, &error));
  g_assert_true (fl_params_set (params, "simulate_spi.photons", photons, &error));
  g_assert_true (fl_params_set (params, "simulate_spi.background", background, &error));
  g_assert_true (fl_params_set (params, "simulate_spi.fluence", "gamma", &error));
  g_autoptr (FlSpiSimulator) simulator = fl_spi_simulator_new (params, &error);
  g_assert_no_error (error);
  const FlDetector *detector = fl_spi_simulator_layout (simulator)->detector;
  const FlPanel *panel = &detector->panels[0];
  FlPatternPixels *pixels = fl_pattern_pixels_new ((guint) detector->n_pixels);
  pixels->wavelength = fl_spi_simulator_wavelength (simulator);
  for (guint i = 0; i < pixels->n; i++)
    {
      FlVec3 u = fl_vec3_unit (fl_panel_position (panel, i % panel->n_fs + 0.5, i / panel->n_fs + 0.5));
      pixels->s[i] = fl_vec3_scale (fl_vec3_sub (u, fl_vec3 (0, 0, 1)), 1 / pixels->wavelength);
      pixels->factor[i] = (float) fl_spi_pixel_factor (
          fl_panel_position (panel, i % panel->n_fs + 0.5, i / panel->n_fs + 0.5),
          fl_vec3_cross (panel->fs, panel->ss), fl_spi_simulator_polarisation (simulator));
      pixels->mask[i] = detector->mask[i] ? FL_PATTERN_BAD : FL_PATTERN_GOOD;
    }
  FlPatterns *patterns = fl_patterns_new (pixels);
  g_autofree guint32 *lit = g_new (guint32, pixels->n), *count = g_new (guint32, pixels->n);
  for (guint d = 0; d < n; d++)
    {
      FlSpiShot shot;
      guint k = 0;
      fl_spi_simulator_draw (simulator, d, &shot);
      for (guint i = 0; i < pixels->n; i++)
        if (shot.photons[i] > 0)
          {
            lit[k] = i;
            count[k++] = shot.photons[i];
          }
      fl_patterns_add (patterns, fl_shot_id ("size", d), d, k, lit, count);
    }
  return patterns;
}

/* FALSE: not told. */
static gboolean
size_of (const FlPatterns *patterns, double *diameter)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = fl_particle_size (parallel, patterns, diameter, &error);
  g_assert_true (ok == (error == NULL));
  g_assert_true (ok || g_error_matches (error, FL_ERROR, FL_ERROR_INPUT));
  return ok;
}

static void
check (const char *model, const char *photons, const char *background, double longest)
{
  double diameter;
  g_autoptr (FlPatterns) patterns = simulate (model, photons, background, 600);
  g_assert_true (size_of (patterns, &diameter));
  g_test_message ("%s photons, background %s: %.1f Å, is %.1f", photons, background, diameter, longest);
  g_assert_cmpfloat (diameter, >, 0.95 * longest);
  g_assert_cmpfloat (diameter, <, 1.25 * longest);
}

static void
test_made_up (void)
{
  g_autofree char *path = g_build_filename (folder, "molecule.pdb", NULL);
  FILE *file = fopen (path, "we");
  FlRandom random = fl_random (4);
  double longest = 0;
  FlVec3 atoms[1500];
  for (guint i = 0; i < G_N_ELEMENTS (atoms); i++)
    {
      FlVec3 r;
      do
        r = fl_vec3 (2 * fl_random_unit (&random) - 1, 2 * fl_random_unit (&random) - 1,
                     2 * fl_random_unit (&random) - 1);
      while (fl_vec3_norm (r) > 1);
      atoms[i] = fl_vec3 (60 * r.x, 40 * r.y, 35 * r.z);
      for (guint j = 0; j < i; j++)
        longest = MAX (longest, fl_vec3_norm (fl_vec3_sub (atoms[i], atoms[j])));
      fprintf (file, "ATOM  %5u  CA  ALA A%4u    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i + 1, i + 1,
               atoms[i].x, atoms[i].y, atoms[i].z);
    }
  fclose (file);
  check (path, "1000", "0", longest);
  check (path, "300", "0.02", longest);
  g_remove (path);
}

static void
test_real (void)
{
  if (g_getenv ("FIRSTLIGHT_SANITIZED") != NULL)
    {
      g_test_skip ("a sanitizer makes it too slow");
      return;
    }
  const char *data = g_getenv ("FIRSTLIGHT_TEST_DATA");
  g_autofree char *path = g_build_filename (data != NULL ? data : "", "pdb", "4ake.pdb", NULL);
  g_autofree char *large = g_build_filename (data != NULL ? data : "", "pdb", "groel14_T.pdb.gz", NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS) || !g_file_test (large, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("no test data");
      return;
    }
  check (path, "1000", "0", 82.8);
  check (path, "300", "0.02", 82.8);
  check (large, "1000", "0", 188.8);
  check (large, "300", "0", 188.8);
}

/* Noise alone, nothing at all: said so. */
static void
test_nothing (void)
{
  double diameter;
  FlPatternPixels *pixels = fl_pattern_pixels_new (2500);
  pixels->wavelength = 2;
  for (guint i = 0; i < pixels->n; i++)
    {
      pixels->s[i] = fl_vec3 (1e-3 * (i % 50 - 24.5), 1e-3 * (i / 50 - 24.5), 0);
      pixels->factor[i] = 1;
    }
  g_autoptr (FlPatterns) patterns = fl_patterns_new (pixels);
  g_assert_false (size_of (patterns, &diameter));
  FlRandom random = fl_random (1);
  for (guint d = 0; d < 200; d++)
    {
      guint32 lit[2500], count[2500];
      guint n = 0;
      for (guint i = 0; i < pixels->n; i++)
        {
          guint32 k = fl_random_poisson (&random, 0.1);
          lit[n] = i;
          count[n] = k;
          n += k > 0;
        }
      fl_patterns_add (patterns, d + 1, d, n, lit, count);
    }
  g_assert_false (size_of (patterns, &diameter));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  parallel = fl_parallel_start (&argc, &argv);
  folder = g_dir_make_tmp ("size-XXXXXX", NULL);
  g_test_add_func ("/particle-size/made-up", test_made_up);
  g_test_add_func ("/particle-size/real", test_real);
  g_test_add_func ("/particle-size/nothing", test_nothing);
  int status = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  fl_parallel_finish (parallel);
  return status;
}
