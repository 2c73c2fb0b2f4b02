/* Integration of made-up shots whose photons are known: calibration of sigma, flags, profiles, resolution, cost. */
#include <math.h>
#include <string.h>
#include <time.h>

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

/* ≤ 2 µs a reflection of CPU time, 1,000 of a shot. */
static void
test_cost (void)
{
  FlIntegrator *integrator = integrator_with (NULL);
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
  double best = INFINITY;
  for (guint round = 0; round < 20; round++)
    {
      struct timespec begin, end;
      clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &begin);
      integrate (integrator, &scene, 1);
      clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &end);
      best = MIN (best,
                  (double) (end.tv_sec - begin.tv_sec) * 1e6 + (double) (end.tv_nsec - begin.tv_nsec) * 1e-3);
    }
  g_test_message ("%u reflections: %.0f us, %.2f us each", scene.rows->len, best, best / scene.rows->len);
  g_free (counts);
  scene_end (&scene);
  fl_integrator_free (integrator);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/integration/calibration", test_calibration);
  g_test_add_func ("/integration/cost", test_cost);
  return g_test_run ();
}
