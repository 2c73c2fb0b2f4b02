/* Integration of made-up shots whose photons are known: calibration of sigma, flags, profiles, resolution, cost. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/sfx/integration.h"

#define SIDE 600 /* px */
#define STEP 24  /* px between reflections */

/* One panel, the beam off its corner, so that directions differ. */
static FlDetector *
make_detector (double gain)
{
  FlDetector *detector = fl_detector_new (1, SIDE * SIDE);
  FlPanel *panel = &detector->panels[0];
  panel->stride = panel->n_fs = panel->n_ss = SIDE;
  panel->origin = fl_vec3 (-10, -20, 100);
  panel->fs = fl_vec3 (0.1, 0, 0);
  panel->ss = fl_vec3 (0, 0.1, 0);
  panel->pixel_size = 0.1;
  panel->gain = gain;
  panel->saturation = panel->trusted_max = INFINITY;
  panel->trusted_min = -INFINITY;
  detector->placed = TRUE;
  return detector;
}

typedef struct
{
  FlDetector *detector;
  FlShot shot;
  float *pixels;
  FlRandom random;
  GArray *rows;     /* FlReflectionRow */
  GArray *expected; /* double, counts */
} Scene;

static void
scene_begin (Scene *scene, double gain, guint64 seed)
{
  *scene = (Scene){ .detector = make_detector (gain), .random = fl_random (seed) };
  scene->pixels = g_new0 (float, SIDE *SIDE);
  scene->shot = (FlShot){ .type = FL_PIXEL_F32, .n_pixels = SIDE * SIDE, .pixels = scene->pixels };
  scene->rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  scene->expected = g_array_new (FALSE, FALSE, sizeof (double));
}

static void
scene_end (Scene *scene)
{
  fl_detector_unref (scene->detector);
  g_free (scene->pixels);
  g_array_unref (scene->rows);
  g_array_unref (scene->expected);
}

static FlReflectionRow *
row_at (Scene *scene, guint i)
{
  return &g_array_index (scene->rows, FlReflectionRow, i);
}

/* The part of a normal distribution about `at`, standard deviation `width`, in pixel i. */
static double
normal_part (double at, double width, int i)
{
  double s = M_SQRT1_2 / width;
  return 0.5 * (erf ((i + 1 - at) * s) - erf ((i - at) * s));
}

/* Mean photons: adds a spot of `photons` at (fs, ss). */
static void
add_spot (Scene *scene, double fs, double ss, double width, double photons)
{
  for (int y = MAX (0, (int) ss - 6); y <= MIN (SIDE - 1, (int) ss + 6); y++)
    for (int x = MAX (0, (int) fs - 6); x <= MIN (SIDE - 1, (int) fs + 6); x++)
      scene->pixels[y * SIDE + x] +=
          (float) (photons * normal_part (fs, width, x) * normal_part (ss, width, y));
}

static void
add_row (Scene *scene, double fs, double ss, double photons)
{
  FlReflectionRow row = { .fs = (float) fs, .ss = (float) ss, .sigma = -1 };
  g_array_append_val (scene->rows, row);
  g_array_append_val (scene->expected, photons);
}

/* Reflections on a grid, each anywhere within its pixel, of so many photons each, on a sloping background. */
static void
fill (Scene *scene, double width, double photons, double background)
{
  for (guint i = 0; i < SIDE * SIDE; i++)
    scene->pixels[i] = (float) (background * (0.7 + 0.6 * (i % SIDE) / SIDE));
  for (guint y = STEP; y + STEP <= SIDE; y += STEP)
    for (guint x = STEP; x + STEP <= SIDE; x += STEP)
      {
        double fs = x + fl_random_unit (&scene->random), ss = y + fl_random_unit (&scene->random);
        add_spot (scene, fs, ss, width, photons);
        add_row (scene, fs, ss, photons);
      }
}

/* Means become photons, counted: gain counts each, with read-out noise (counts). */
static void
expose (Scene *scene, double gain, double noise)
{
  for (guint i = 0; i < SIDE * SIDE; i++)
    scene->pixels[i] = (float) (gain * fl_random_poisson (&scene->random, scene->pixels[i])
                                + (noise > 0 ? noise * fl_random_normal (&scene->random) : 0));
}

static FlIntegrator *
integrator_with (const char *const *settings)
{
  GError *error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  for (; settings != NULL && *settings != NULL; settings++)
    {
      fl_params_set_assignment (params, *settings, &error);
      g_assert_no_error (error);
    }
  FlIntegrator *integrator = fl_integrator_new (params, &error);
  g_assert_no_error (error);
  return integrator;
}

static void
integrate (FlIntegrator *integrator, Scene *scene, double gain)
{
  fl_integrator_shot (integrator, &scene->shot, scene->detector, gain, row_at (scene, 0), scene->rows->len);
}

/* (I − expected)/σ: mean and variance. */
typedef struct
{
  double n, sum, square, sigma;
} Pulls;

static void
add_pulls (Pulls *pulls, Scene *scene, double gain)
{
  for (guint i = 0; i < scene->rows->len; i++)
    {
      const FlReflectionRow *row = row_at (scene, i);
      g_assert_cmpfloat (row->sigma, >, 0);
      double pull = (row->intensity - gain * g_array_index (scene->expected, double, i)) / row->sigma;
      pulls->n++;
      pulls->sum += pull;
      pulls->square += pull * pull;
      pulls->sigma += row->sigma;
    }
}

static double
pulls_mean (const Pulls *p)
{
  return p->sum / p->n;
}

static double
pulls_variance (const Pulls *p)
{
  return p->square / p->n - pulls_mean (p) * pulls_mean (p);
}

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
        for (guint shot = 0; shot < 16; shot++)
          {
            Scene scene;
            scene_begin (&scene, cases[c].gain, 100 * c + 10 * p + shot + 1);
            fill (&scene, 0.5, photons[p], cases[c].background);
            expose (&scene, cases[c].gain, cases[c].noise);
            integrate (integrator, &scene, 0);
            add_pulls (&pulls, &scene, cases[c].gain);
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
  fill (&scene, 0.8, 300, 3);
  expose (&scene, 1, 0);
  g_array_set_size (scene.rows, 20);
  integrate (integrator, &scene, 1);
  for (guint i = 0; i < scene.rows->len; i++)
    {
      const FlReflectionRow *row = row_at (&scene, i);
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
  fill (&scene, 0.6, 100, 5);
  for (guint i = 0; i < SIDE * SIDE; i++)
    scene.pixels[i] = (float) MIN (fl_random_poisson (&scene.random, scene.pixels[i]), 127);
  integrate (integrator, &scene, 1);
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
      integrate (integrator, &scene, 1);
      g_assert_true (memcmp (scene.rows->data, first, n * sizeof *first) == 0);
    }
  for (guint i = 0; i < n / 2; i++)
    {
      FlReflectionRow swapped = *row_at (&scene, i);
      *row_at (&scene, i) = *row_at (&scene, n - 1 - i);
      *row_at (&scene, n - 1 - i) = swapped;
    }
  integrate (integrator, &scene, 1);
  for (guint i = 0; i < n; i++)
    g_assert_cmpfloat (fabs (row_at (&scene, i)->intensity - first[n - 1 - i].intensity), <, 1e-6);
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
  fill (&scene, 0.8, 1e4, 0);
  integrate (integrator, &scene, 1);
  double mean = 0;
  for (guint i = 0; i < scene.rows->len; i++)
    mean += row_at (&scene, i)->intensity / (double) scene.rows->len;
  g_assert_cmpfloat (fabs (mean - 1e4), <, 50); /* what lies beyond 3 px */
  for (guint i = 0; i < scene.rows->len; i++)
    g_assert_cmpfloat (fabs (row_at (&scene, i)->intensity - mean), <, 15);
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
          fill (&scene, 0.5, 200, 4);
          for (guint i = 0; i < SIDE * SIDE; i++)
            scene.pixels[i] += (float) (0.2 * (i / SIDE));
          guint n = scene.rows->len;
          for (guint i = 0; i < n; i++)
            {
              double angle = 6.28 * fl_random_unit (&scene.random);
              double fs = row_at (&scene, i)->fs + 8 * cos (angle),
                     ss = row_at (&scene, i)->ss + 8 * sin (angle);
              add_spot (&scene, fs, ss, 0.5, 3000);
              if (predicted)
                add_row (&scene, fs, ss, 3000);
            }
          expose (&scene, 1, 0);
          integrate (integrator, &scene, 1);
          g_array_set_size (scene.rows, n);
          add_pulls (&pulls, &scene, 1);
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
      add_row (&scene, cases[i].fs, cases[i].ss, 0);
      row_at (&scene, i)->panel = cases[i].panel;
      row_at (&scene, i)->flags = FL_REFLECTION_STRONG | FL_REFLECTION_PROFILE;
    }
  integrate (integrator, &scene, 1);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const FlReflectionRow *row = row_at (&scene, i);
      g_assert_cmpuint (row->flags, ==, cases[i].flags | FL_REFLECTION_STRONG);
      g_assert_true ((row->sigma > 0) == cases[i].integrated);
      g_assert_true (cases[i].integrated || row->sigma == -1);
    }
  g_assert_cmpfloat (fabs (row_at (&scene, 0)->intensity - 990), <, 1e-2);
  g_assert_cmpfloat (fabs (row_at (&scene, 0)->peak - 990), <, 1e-2);
  scene_end (&scene);
  fl_integrator_free (integrator);
}

/* Profiles learned from strong reflections of some shots, in one go or in parts put together in any order. */
static FlProfiles *
learn (FlIntegrator *integrator, guint from, guint to)
{
  FlProfiles *profiles = fl_profiles_new (4);
  for (guint shot = from; shot < to; shot++)
    {
      Scene scene;
      scene_begin (&scene, 1, 1000 + shot);
      fill (&scene, 0.8, 500, 1);
      expose (&scene, 1, 0);
      integrate (integrator, &scene, 1);
      fl_integrator_learn (integrator, &scene.shot, scene.detector, 1, row_at (&scene, 0), scene.rows->len,
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
          fill (&scene, 0.8, photons[p], 1);
          expose (&scene, 1, 0);
          integrate (summation, &scene, 1);
          add_pulls (&summed, &scene, 1);
          integrate (integrator, &scene, 1);
          add_pulls (&fitted, &scene, 1);
          g_assert_cmpuint (row_at (&scene, 0)->flags, ==, FL_REFLECTION_PROFILE);
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

/* CPU time a reflection: the best of 20 rounds. */
static double
microseconds (FlIntegrator *integrator, Scene *scene)
{
  double best = INFINITY;
  for (guint round = 0; round < 20; round++)
    {
      struct timespec begin, end;
      clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &begin);
      integrate (integrator, scene, 1);
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
  fill (&scene, 0.7, 100, 1);
  expose (&scene, 1, 0);
  for (guint i = scene.rows->len; i < 1000; i++)
    add_row (&scene, 10 + fl_random_unit (&scene.random) * (SIDE - 20),
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
  g_test_add_func ("/integration/naive", test_naive);
  g_test_add_func ("/integration/invariance", test_invariance);
  g_test_add_func ("/integration/sub-pixel", test_sub_pixel);
  g_test_add_func ("/integration/background", test_background);
  g_test_add_func ("/integration/flags", test_flags);
  g_test_add_func ("/integration/radii", test_radii);
  g_test_add_func ("/integration/profiles", test_profiles);
  g_test_add_func ("/integration/profile-sums", test_profile_sums);
  g_test_add_func ("/integration/rocking", test_rocking);
  g_test_add_func ("/integration/resolution", test_resolution);
  g_test_add_func ("/integration/calibration", test_calibration);
  g_test_add_func ("/integration/cost", test_cost);
  return g_test_run ();
}
