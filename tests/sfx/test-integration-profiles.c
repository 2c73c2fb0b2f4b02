/* Profiles: learned, put together, written, fitted; the rocking curve; the cost of sums and fits. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "engine/base/error.h"
#include "tests/sfx/test-integration-scene.h"

/* Profiles learned from strong reflections of some shots, in one go or in parts put together in any order. */
static FlProfiles *
learn (FlIntegrator *integrator, guint from, guint to)
{
  FlProfiles *profiles = fl_profiles_new (4);
  for (guint shot = from; shot < to; shot++)
    {
      Scene scene;
      scene_begin (&scene, 1, 1000 + shot);
      scene_fill (&scene, 0.8, 500, 1);
      scene_expose (&scene, 1, 0);
      scene_integrate (integrator, &scene, 1);
      fl_integrator_learn (integrator, &scene.shot, scene.detector, 1, scene_row (&scene, 0), scene.rows->len,
                           profiles);
      scene_end (&scene);
    }
  return profiles;
}

static void
test_profiles (void)
{
  static const double photons[] = { 0, 5, 20, 50, 200, 1000 };
  static const char *const settings[] = { "integration.method=profile", "integration.summation_above=100000",
                                          NULL };
  FlIntegrator *integrator = integrator_with (settings), *summation = integrator_with (NULL);
  g_autoptr (FlProfiles) whole = learn (summation, 0, 4);
  fl_integrator_set_profiles (integrator, whole);
  for (guint p = 0; p < G_N_ELEMENTS (photons); p++)
    {
      Pulls fitted = { 0 }, summed = { 0 };
      for (guint shot = 0; shot < 8; shot++)
        {
          Scene scene;
          scene_begin (&scene, 1, 2000 + 10 * p + shot);
          scene_fill (&scene, 0.8, photons[p], 1);
          scene_expose (&scene, 1, 0);
          scene_integrate (summation, &scene, 1);
          pulls_add (&summed, &scene, 1);
          scene_integrate (integrator, &scene, 1);
          pulls_add (&fitted, &scene, 1);
          g_assert_cmpuint (scene_row (&scene, 0)->flags, ==, FL_REFLECTION_PROFILE);
          scene_end (&scene);
        }
      g_test_message (
          "%4g photons: summed sigma %.2f, mean %+.3f, variance %.3f; fitted sigma %.2f, mean %+.3f, "
          "variance %.3f",
          photons[p], summed.sigma / summed.n, pulls_mean (&summed), pulls_variance (&summed),
          fitted.sigma / fitted.n, pulls_mean (&fitted), pulls_variance (&fitted));
      g_assert_cmpfloat (fitted.sigma, <,
                         (photons[p] < 30    ? 0.81
                          : photons[p] < 100 ? 0.92
                                             : 1.0)
                             * summed.sigma);
      g_assert_cmpfloat (fabs (pulls_variance (&fitted) - 1), <, 0.1);
    }
  fl_integrator_free (integrator);
  fl_integrator_free (summation);
}

static void
test_profile_sums (void)
{
  FlIntegrator *integrator = integrator_with (NULL);
  g_autoptr (FlProfiles) whole = learn (integrator, 0, 3), one = learn (integrator, 0, 1),
                         two = learn (integrator, 1, 3);
  fl_profiles_merge (two, one);
  g_autofree char *text = fl_profiles_write (whole), *parts = fl_profiles_write (two);
  g_assert_cmpstr (text, ==, parts);
  GError *error = NULL;
  g_autoptr (FlProfiles) again = fl_profiles_read (text, &error);
  g_assert_no_error (error);
  g_autofree char *written = fl_profiles_write (again);
  g_assert_cmpstr (text, ==, written);
  for (gsize cut = 0; cut < strlen (text) - 1; cut += 1 + cut / 7)
    {
      g_autofree char *part = g_strndup (text, cut);
      g_assert_null (fl_profiles_read (part, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
      g_clear_error (&error);
    }
  g_assert_null (fl_profiles_read ("Firstlight profiles 1\nside 3\nzone 0 1 1 1 x\nend\n\n", &error));
  g_assert_cmpstr (error->message, ==, "line 3: not learned profiles, expected what this program writes");
  g_clear_error (&error);
  fl_integrator_free (integrator);
}

/* A Gaussian curve of reflections as various as acentric ones are. */
static void
test_rocking (void)
{
  FlRandom random = fl_random (12);
  FlIntegrator *integrator = integrator_with (NULL);
  Scene scene;
  scene_begin (&scene, 1, 12);
  g_autoptr (FlProfiles) profiles = fl_profiles_new (4);
  g_assert_cmpfloat (fl_profiles_half_width (profiles), ==, 0);
  for (guint shot = 0; shot < 100; shot++)
    {
      FlReflectionRow rows[300] = { 0 };
      double scale = exp (2 * fl_random_normal (&random));
      for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
        {
          double e = 1e-3 * (2 * fl_random_unit (&random) - 1), f2 = -log (1 - fl_random_unit (&random));
          rows[i].excitation = (float) e;
          rows[i].intensity = (float) (1000 * scale * f2 * exp (-0.5 * e * e / 4e-8));
          rows[i].sigma = 1;
          rows[i].flags = FL_REFLECTION_OVERLAP; /* not for the profiles */
        }
      fl_integrator_learn (integrator, &scene.shot, scene.detector, 1, rows, G_N_ELEMENTS (rows), profiles);
    }
  /* exp (−x²/2) is half of its mean up to x at x = 1.400 */
  g_assert_cmpfloat (fabs (fl_profiles_half_width (profiles) / (1.400 * 2e-4) - 1), <, 0.12);
  scene_end (&scene);
  fl_integrator_free (integrator);
}

/* CPU time a reflection: the best of 20 rounds. */
static double
microseconds (FlIntegrator *integrator, Scene *scene)
{
  double best = INFINITY;
  for (guint round = 0; round < 20; round++)
    {
      struct timespec begin, end;
      clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &begin);
      scene_integrate (integrator, scene, 1);
      clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &end);
      double seconds = (double) (end.tv_sec - begin.tv_sec) + 1e-9 * (double) (end.tv_nsec - begin.tv_nsec);
      best = MIN (best, 1e6 * seconds / scene->rows->len);
    }
  return best;
}

/* 1,000 reflections of a shot. */
static void
test_cost (void)
{
  FlIntegrator *summation = integrator_with ((const char *[]){ "integration.method=summation", NULL });
  FlIntegrator *fit = integrator_with ((const char *[]){ "integration.summation_above=100000", NULL });
  g_autoptr (FlProfiles) profiles = learn (summation, 0, 1);
  fl_integrator_set_profiles (fit, profiles);
  Scene scene;
  scene_begin (&scene, 1, 5);
  scene_fill (&scene, 0.7, 100, 1);
  scene_expose (&scene, 1, 0);
  for (guint i = scene.rows->len; i < 1000; i++)
    scene_add_row (&scene, 10 + fl_random_unit (&scene.random) * (SIDE - 20),
                   10 + fl_random_unit (&scene.random) * (SIDE - 20), 0);
  guint16 *counts = g_new (guint16, SIDE * SIDE);
  for (guint i = 0; i < SIDE * SIDE; i++)
    counts[i] = (guint16) scene.pixels[i];
  scene.shot.type = FL_PIXEL_U16;
  scene.shot.pixels = counts;
  double summed = microseconds (summation, &scene), fitted = microseconds (fit, &scene);
  g_test_message ("a reflection of %u: %.2f us by summation, %.2f us by fit", scene.rows->len, summed,
                  fitted);
  g_assert_cmpfloat (summed, <, 20); /* with room for sanitizers and busy machines */
  g_assert_cmpfloat (fitted, <, 60);
  g_free (counts);
  scene_end (&scene);
  fl_integrator_free (summation);
  fl_integrator_free (fit);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/integration/profiles", test_profiles);
  g_test_add_func ("/integration/profile-sums", test_profile_sums);
  g_test_add_func ("/integration/rocking", test_rocking);
  g_test_add_func ("/integration/cost", test_cost);
  return g_test_run ();
}
