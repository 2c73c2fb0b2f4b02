/* Integration of made-up shots whose photons are known: calibration of sigma, flags, resolution. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "tests/sfx/test-integration-scene.h"

/* Spots so sharp that the disc holds all of their photons: then I − I_true is noise alone. */
static void
test_calibration (void)
{
  static const double photons[] = { 0, 10, 100, 1000, 10000, 100000 };
  static const struct
  {
    double background, gain, noise;
  } cases[] = { { 1, 1, 0 }, { 0.3, 1, 0 }, { 30, 1, 0 }, { 1, 10, 0 }, { 1, 10, 5 }, { 5, 0.2, 0.3 } };
  FlIntegrator *integrator = integrator_with (NULL);
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    for (guint p = 0; p < G_N_ELEMENTS (photons); p++)
      {
        Pulls pulls = { 0 };
        for (guint shot = 0; shot < 8; shot++)
          {
            Scene scene;
            scene_begin (&scene, cases[c].gain, 100 * c + 10 * p + shot + 1);
            scene_fill (&scene, 0.5, photons[p], cases[c].background);
            scene_expose (&scene, cases[c].gain, cases[c].noise);
            scene_integrate (integrator, &scene, 0);
            pulls_add (&pulls, &scene, cases[c].gain);
            scene_end (&scene);
          }
        g_test_message ("background %g, gain %g, noise %g, %6g photons: mean %+.3f, variance %.3f of %g",
                        cases[c].background, cases[c].gain, cases[c].noise, photons[p], pulls_mean (&pulls),
                        pulls_variance (&pulls), pulls.n);
        g_assert_cmpfloat (fabs (pulls_variance (&pulls) - 1), <, 0.05);
        g_assert_cmpfloat (fabs (pulls_mean (&pulls)), <, 0.15);
      }
  fl_integrator_free (integrator);
}

/* Straight from the description, without cleverness: Σ w (v − plane), plane by Cramer's rule over the ring. */
static double
naive_intensity (Scene *scene, double fs, double ss, double *background)
{
  double m[3][3] = { { 0 } }, p[3] = { 0 }, b[3], sum = 0;
  for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++)
      {
        double one[3] = { 1, x + 0.5 - fs, y + 0.5 - ss }, r = hypot (one[1], one[2]);
        for (guint i = 0; r >= 4 && r <= 7 && i < 3; i++)
          {
            p[i] += one[i] * scene->pixels[y * SIDE + x];
            for (guint j = 0; j < 3; j++)
              m[i][j] += one[i] * one[j];
          }
      }
  FlMat3 information;
  memcpy (information.m, m, sizeof m);
  for (guint i = 0; i < 3; i++)
    {
      FlMat3 replaced = information;
      for (guint j = 0; j < 3; j++)
        replaced.m[j][i] = p[j];
      b[i] = fl_mat3_determinant (&replaced) / fl_mat3_determinant (&information);
    }
  for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++)
      {
        double dx = x + 0.5 - fs, dy = y + 0.5 - ss, w = CLAMP (3.5 - hypot (dx, dy), 0, 1);
        sum += w * (scene->pixels[y * SIDE + x] - b[0] - b[1] * dx - b[2] * dy);
      }
  *background = b[0];
  return sum;
}

static void
test_naive (void)
{
  FlIntegrator *integrator = integrator_with ((const char *[]){ "integration.background_cutoff=20", NULL });
  Scene scene;
  scene_begin (&scene, 1, 3);
  scene_fill (&scene, 0.8, 300, 3);
  scene_expose (&scene, 1, 0);
  g_array_set_size (scene.rows, 20);
  scene_integrate (integrator, &scene, 1);
  for (guint i = 0; i < scene.rows->len; i++)
    {
      const FlReflectionRow *row = scene_row (&scene, i);
      double background, intensity = naive_intensity (&scene, row->fs, row->ss, &background);
      g_assert_cmpfloat (fabs (row->intensity - intensity), <, 0.01);
      g_assert_cmpfloat (fabs (row->background - background), <, 1e-4);
      g_assert_cmpuint (row->flags, ==, 0);
    }
  scene_end (&scene);
  fl_integrator_free (integrator);
}

/* Whatever type the pixels have, wherever in a pixel the spot lies, in whatever order the rows come. */
static void
test_invariance (void)
{
  FlIntegrator *integrator = integrator_with (NULL);
  Scene scene;
  scene_begin (&scene, 1, 4);
  scene_fill (&scene, 0.6, 100, 5);
  for (guint i = 0; i < SIDE * SIDE; i++)
    scene.pixels[i] = (float) MIN (fl_random_poisson (&scene.random, scene.pixels[i]), 127);
  scene_integrate (integrator, &scene, 1);
  guint n = scene.rows->len;
  FlReflectionRow *first = g_new (FlReflectionRow, n);
  memcpy (first, scene.rows->data, n * sizeof *first);
  guint64 *other = g_new (guint64, SIDE * SIDE);
  scene.shot.pixels = other;
  for (FlPixelType type = FL_PIXEL_U8; type <= FL_PIXEL_F64; type++)
    {
      scene.shot.type = type;
      for (guint i = 0; i < SIDE * SIDE; i++)
        switch (type)
          {
          case FL_PIXEL_U8:
            ((guint8 *) other)[i] = (guint8) scene.pixels[i];
            break;
          case FL_PIXEL_U16:
            ((guint16 *) other)[i] = (guint16) scene.pixels[i];
            break;
          case FL_PIXEL_U32:
            ((guint32 *) other)[i] = (guint32) scene.pixels[i];
            break;
          case FL_PIXEL_I8:
            ((gint8 *) other)[i] = (gint8) scene.pixels[i];
            break;
          case FL_PIXEL_I16:
            ((gint16 *) other)[i] = (gint16) scene.pixels[i];
            break;
          case FL_PIXEL_I32:
            ((gint32 *) other)[i] = (gint32) scene.pixels[i];
            break;
          case FL_PIXEL_F32:
            ((float *) (void *) other)[i] = scene.pixels[i];
            break;
          case FL_PIXEL_F64:
            ((double *) (void *) other)[i] = scene.pixels[i];
            break;
          }
      scene_integrate (integrator, &scene, 1);
      g_assert_true (memcmp (scene.rows->data, first, n * sizeof *first) == 0);
    }
  for (guint i = 0; i < n / 2; i++)
    {
      FlReflectionRow swapped = *scene_row (&scene, i);
      *scene_row (&scene, i) = *scene_row (&scene, n - 1 - i);
      *scene_row (&scene, n - 1 - i) = swapped;
    }
  scene_integrate (integrator, &scene, 1);
  for (guint i = 0; i < n; i++)
    g_assert_cmpfloat (fabs (scene_row (&scene, i)->intensity - first[n - 1 - i].intensity), <, 1e-6);
  g_free (other);
  g_free (first);
  scene_end (&scene);
  fl_integrator_free (integrator);
}

/* Without noise: the disc moves with the spot. */
static void
test_sub_pixel (void)
{
  FlIntegrator *integrator = integrator_with (NULL);
  Scene scene;
  scene_begin (&scene, 1, 8);
  scene_fill (&scene, 0.8, 1e4, 0);
  scene_integrate (integrator, &scene, 1);
  double mean = 0;
  for (guint i = 0; i < scene.rows->len; i++)
    mean += scene_row (&scene, i)->intensity / (double) scene.rows->len;
  g_assert_cmpfloat (fabs (mean - 1e4), <, 50); /* what lies beyond 3 px */
  for (guint i = 0; i < scene.rows->len; i++)
    g_assert_cmpfloat (fabs (scene_row (&scene, i)->intensity - mean), <, 15);
  scene_end (&scene);
  fl_integrator_free (integrator);
}

/* Strong spots in the ring, predicted or not, leave the intensity alone; a steep background too. */
static void
test_background (void)
{
  FlIntegrator *integrator = integrator_with (NULL);
  for (guint predicted = 0; predicted < 2; predicted++)
    {
      Pulls pulls = { 0 };
      for (guint shot = 0; shot < 4; shot++)
        {
          Scene scene;
          scene_begin (&scene, 1, 50 + shot);
          scene_fill (&scene, 0.5, 200, 4);
          for (guint i = 0; i < SIDE * SIDE; i++)
            scene.pixels[i] += (float) (0.2 * (i / SIDE));
          guint n = scene.rows->len;
          for (guint i = 0; i < n; i++)
            {
              double angle = 6.28 * fl_random_unit (&scene.random);
              double fs = scene_row (&scene, i)->fs + 8 * cos (angle),
                     ss = scene_row (&scene, i)->ss + 8 * sin (angle);
              scene_add_spot (&scene, fs, ss, 0.5, 3000);
              if (predicted)
                scene_add_row (&scene, fs, ss, 3000);
            }
          scene_expose (&scene, 1, 0);
          scene_integrate (integrator, &scene, 1);
          g_array_set_size (scene.rows, n);
          pulls_add (&pulls, &scene, 1);
          scene_end (&scene);
        }
      g_test_message ("neighbours %s: mean %+.3f, variance %.3f of %g", predicted ? "predicted" : "unknown",
                      pulls_mean (&pulls), pulls_variance (&pulls), pulls.n);
      g_assert_cmpfloat (fabs (pulls_mean (&pulls)), <, 0.15); /* their faint rims stay */
      g_assert_cmpfloat (fabs (pulls_variance (&pulls) - 1), <, 0.1);
    }
  fl_integrator_free (integrator);
}

static void
test_flags (void)
{
  FlIntegrator *integrator = integrator_with (NULL);
  Scene scene;
  scene_begin (&scene, 1, 9);
  for (guint i = 0; i < SIDE * SIDE; i++)
    scene.pixels[i] = 10;
  FlDetector *detector = scene.detector;
  detector->panels[0].saturation = 1000;
  detector->panels[0].trusted_min = -1;
  scene.pixels[100 * SIDE + 100] = 1000; /* saturated */
  detector->mask[100 * SIDE + 202] = 1;  /* masked in the peak */
  scene.pixels[100 * SIDE + 302] = -1;   /* bad by value */
  scene.pixels[100 * SIDE + 402] = NAN;
  for (guint y = 180; y < 220; y++) /* all the ring masked */
    for (guint x = 80; x < 120; x++)
      detector->mask[y * SIDE + x] = hypot (x - 100.0, y - 200.0) > 3.6;
  static const struct
  {
    float fs, ss;
    guint16 panel;
    guint flags;
    gboolean integrated;
  } cases[] = {
    { 100.5f, 100.5f, 0, FL_REFLECTION_SATURATED, TRUE },
    { 200.5f, 100.5f, 0, FL_REFLECTION_EDGE, FALSE },
    { 300.5f, 100.5f, 0, FL_REFLECTION_EDGE, FALSE },
    { 400.5f, 100.5f, 0, FL_REFLECTION_EDGE, FALSE },
    { 100.5f, 200.5f, 0, FL_REFLECTION_BACKGROUND, FALSE },
    { 2.9f, 300, 0, FL_REFLECTION_EDGE, FALSE },
    { 3.1f, 320, 0, 0, TRUE },
    { 300, SIDE - 2.9f, 0, FL_REFLECTION_EDGE, FALSE },
    { -5, 300, 0, FL_REFLECTION_EDGE, FALSE },
    { NAN, 300, 0, FL_REFLECTION_EDGE, FALSE },
    { 1e30f, 300, 0, FL_REFLECTION_EDGE, FALSE },
    { 300, 300, 7, FL_REFLECTION_EDGE, FALSE },
    { 400, 400, 0, FL_REFLECTION_OVERLAP, TRUE },
    { 405, 400, 0, FL_REFLECTION_OVERLAP, TRUE },
    { 500, 400, 0, 0, TRUE },
    { 508, 400, 0, 0, TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      scene_add_row (&scene, cases[i].fs, cases[i].ss, 0);
      scene_row (&scene, i)->panel = cases[i].panel;
      scene_row (&scene, i)->flags = FL_REFLECTION_STRONG | FL_REFLECTION_PROFILE;
    }
  scene_integrate (integrator, &scene, 1);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const FlReflectionRow *row = scene_row (&scene, i);
      g_assert_cmpuint (row->flags, ==, cases[i].flags | FL_REFLECTION_STRONG);
      g_assert_true ((row->sigma > 0) == cases[i].integrated);
      g_assert_true (cases[i].integrated || row->sigma == -1);
    }
  g_assert_cmpfloat (fabs (scene_row (&scene, 0)->intensity - 990), <, 1e-2);
  g_assert_cmpfloat (fabs (scene_row (&scene, 0)->peak - 990), <, 1e-2);
  scene_end (&scene);
  fl_integrator_free (integrator);
}

static void
test_resolution (void)
{
  enum
  {
    N = 20000,
    SHELLS = 20
  };
  FlRandom random = fl_random (77);
  FlReflectionRow *rows = g_new0 (FlReflectionRow, N);
  double means[SHELLS];
  for (guint i = 0; i < N; i++) /* I/σ falls as exp(−d⁻³ · 20): 1 where d⁻³ = ln 10 / 20 */
    {
      double volume = 0.3 * fl_random_unit (&random);
      rows[i] = (FlReflectionRow){ .d = (float) pow (volume, -1.0 / 3), .sigma = 2 };
      rows[i].intensity = (float) (2 * (10 * exp (-20 * volume) + fl_random_normal (&random)));
    }
  double d = fl_integration_resolution (rows, N, 1, SHELLS, means);
  g_assert_cmpfloat (fabs (pow (d, -3) - log (10) / 20), <, 0.003);
  g_assert_cmpfloat (fabs (means[0] / (10 * (1 - exp (-0.3)) / 0.3) - 1), <, 0.02);
  g_assert_cmpfloat (fl_integration_resolution (rows, N, 1e-9, 3, NULL), <, 1.5);
  g_assert_cmpfloat (fl_integration_resolution (rows, N, 100, SHELLS, NULL), ==, 0);
  g_assert_cmpfloat (fl_integration_resolution (rows, 50, 1, SHELLS, NULL), ==, 0);
  g_assert_cmpfloat (fl_integration_resolution (rows, 0, 1, SHELLS, means), ==, 0);
  g_assert_true (isnan (means[0]));
  g_free (rows);
}

static void
test_radii (void)
{
  GError *error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  fl_params_set_assignment (params, "integration.radius=5", &error);
  g_assert_no_error (error);
  g_assert_null (fl_integrator_new (params, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_clear_error (&error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/integration/naive", test_naive);
  g_test_add_func ("/integration/invariance", test_invariance);
  g_test_add_func ("/integration/sub-pixel", test_sub_pixel);
  g_test_add_func ("/integration/background", test_background);
  g_test_add_func ("/integration/flags", test_flags);
  g_test_add_func ("/integration/radii", test_radii);
  g_test_add_func ("/integration/resolution", test_resolution);
  g_test_add_func ("/integration/calibration", test_calibration);
  return g_test_run ();
}
