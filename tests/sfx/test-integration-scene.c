#include "tests/sfx/test-integration-scene.h"

#include <math.h>

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

void
scene_begin (Scene *scene, double gain, guint64 seed)
{
  *scene = (Scene){ .detector = make_detector (gain), .random = fl_random (seed) };
  scene->pixels = g_new0 (float, SIDE *SIDE);
  scene->shot = (FlShot){ .type = FL_PIXEL_F32, .n_pixels = SIDE * SIDE, .pixels = scene->pixels };
  scene->rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  scene->expected = g_array_new (FALSE, FALSE, sizeof (double));
}

void
scene_end (Scene *scene)
{
  fl_detector_unref (scene->detector);
  g_free (scene->pixels);
  g_array_unref (scene->rows);
  g_array_unref (scene->expected);
}

FlReflectionRow *
scene_row (Scene *scene, guint i)
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

void
scene_add_spot (Scene *scene, double fs, double ss, double width, double photons)
{
  for (int y = MAX (0, (int) ss - 6); y <= MIN (SIDE - 1, (int) ss + 6); y++)
    for (int x = MAX (0, (int) fs - 6); x <= MIN (SIDE - 1, (int) fs + 6); x++)
      scene->pixels[y * SIDE + x] +=
          (float) (photons * normal_part (fs, width, x) * normal_part (ss, width, y));
}

void
scene_add_row (Scene *scene, double fs, double ss, double photons)
{
  FlReflectionRow row = { .fs = (float) fs, .ss = (float) ss, .sigma = -1 };
  g_array_append_val (scene->rows, row);
  g_array_append_val (scene->expected, photons);
}

void
scene_fill (Scene *scene, double width, double photons, double background)
{
  for (guint i = 0; i < SIDE * SIDE; i++)
    scene->pixels[i] = (float) (background * (0.7 + 0.6 * (i % SIDE) / SIDE));
  for (guint y = STEP; y + STEP <= SIDE; y += STEP)
    for (guint x = STEP; x + STEP <= SIDE; x += STEP)
      {
        double fs = x + fl_random_unit (&scene->random), ss = y + fl_random_unit (&scene->random);
        scene_add_spot (scene, fs, ss, width, photons);
        scene_add_row (scene, fs, ss, photons);
      }
}

void
scene_expose (Scene *scene, double gain, double noise)
{
  for (guint i = 0; i < SIDE * SIDE; i++)
    scene->pixels[i] = (float) (gain * fl_random_poisson (&scene->random, scene->pixels[i])
                                + (noise > 0 ? noise * fl_random_normal (&scene->random) : 0));
}

FlIntegrator *
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

void
scene_integrate (FlIntegrator *integrator, Scene *scene, double gain)
{
  fl_integrator_shot (integrator, &scene->shot, scene->detector, gain, scene_row (scene, 0),
                      scene->rows->len);
}

void
pulls_add (Pulls *pulls, Scene *scene, double gain)
{
  for (guint i = 0; i < scene->rows->len; i++)
    {
      const FlReflectionRow *row = scene_row (scene, i);
      g_assert_cmpfloat (row->sigma, >, 0);
      double pull = (row->intensity - gain * g_array_index (scene->expected, double, i)) / row->sigma;
      pulls->n++;
      pulls->sum += pull;
      pulls->square += pull * pull;
      pulls->sigma += row->sigma;
    }
}

double
pulls_mean (const Pulls *p)
{
  return p->sum / p->n;
}

double
pulls_variance (const Pulls *p)
{
  return p->square / p->n - pulls_mean (p) * pulls_mean (p);
}
