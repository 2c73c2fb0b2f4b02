/* Rays and resolutions against closed forms and brute force. */

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/shots/source.h"

static void
test_resolution (void)
{
  /* A reflection of spacing d leaves at 2θ = 2 asin (λ / 2d). */
  for (double d = 1.2; d < 40; d *= 1.3)
    {
      double wavelength = 1.3, two_theta = 2 * asin (wavelength / (2 * d));
      FlVec3 position = fl_vec3 (100 * tan (two_theta) * cos (0.7), 100 * tan (two_theta) * sin (0.7), 100);
      g_assert_cmpfloat_with_epsilon (fl_two_theta (position), two_theta, 1e-12);
      g_assert_cmpfloat_with_epsilon (fl_resolution (position, wavelength), d, 1e-9);
    }
  g_assert_true (isinf (fl_resolution (fl_vec3 (0, 0, 100), 1)));
  /* Straight back: d = λ / 2. */
  g_assert_cmpfloat_with_epsilon (fl_resolution (fl_vec3 (0, 0, -5), 1), 0.5, 1e-12);
}

/* Some panels, tilted, turned and overlapping. */
static FlDetector *
random_detector (FlRandom *random, guint n)
{
  FlDetector *detector = fl_detector_new (n, n * 40 * 30);
  for (guint i = 0; i < n; i++)
    {
      FlPanel *panel = &detector->panels[i];
      FlVec3 axis = fl_vec3_unit (fl_vec3 (fl_random_normal (random), fl_random_normal (random), 3));
      FlMat3 turn = fl_mat3_rotation (axis, 6 * fl_random_unit (random));
      panel->n_fs = 40;
      panel->n_ss = 30;
      panel->offset = (gsize) i * 40 * 30;
      panel->stride = 40;
      panel->fs = fl_mat3_apply (&turn, fl_vec3 (0.2, 0, 0));
      panel->ss = fl_mat3_apply (&turn, fl_vec3 (0.01, 0.21, 0));
      panel->origin = fl_vec3 (20 * fl_random_unit (random) - 10, 20 * fl_random_unit (random) - 10,
                               50 + 5 * fl_random_unit (random));
    }
  return detector;
}

/* Every pixel centre must be met by its own ray, unless another panel stands before it. */
static void
test_intersect (void)
{
  FlRandom random = fl_random (7);
  g_autoptr (FlDetector) detector = random_detector (&random, 9);
  guint hidden = 0, seen = 0;
  for (guint i = 0; i < detector->n_panels; i++)
    for (guint ss = 0; ss < 30; ss++)
      for (guint fs = 0; fs < 40; fs++)
        {
          FlVec3 position = fl_panel_position (&detector->panels[i], fs + 0.5, ss + 0.5);
          guint panel;
          double f, s;
          g_assert_true (fl_detector_intersect (detector, fl_vec3_scale (position, 0.01), &panel, &f, &s));
          FlVec3 met = fl_panel_position (&detector->panels[panel], f, s);
          g_assert_cmpfloat_with_epsilon (fl_vec3_norm (fl_vec3_cross (met, fl_vec3_unit (position))), 0,
                                          1e-9);
          if (panel == i)
            {
              g_assert_cmpfloat_with_epsilon (f, fs + 0.5, 1e-9);
              g_assert_cmpfloat_with_epsilon (s, ss + 0.5, 1e-9);
              seen++;
            }
          else
            {
              g_assert_cmpfloat (fl_vec3_norm (met), <, fl_vec3_norm (position));
              hidden++;
            }
        }
  g_assert_cmpuint (seen, >, 5000);
  g_assert_cmpuint (hidden, >, 50);
}

/* Random rays against a search that knows nothing of planes: walk along the ray and ask on which side of each panel the
 * point is; where the side changes, project on the panel's directions by least squares. */
static gboolean
search (const FlDetector *detector, FlVec3 ray, guint *panel)
{
  double nearest = INFINITY;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *p = &detector->panels[i];
      FlVec3 normal = fl_vec3_cross (p->fs, p->ss);
      double low = 0, high = 200;
#define SIDE(t) fl_vec3_dot (fl_vec3_sub (fl_vec3_scale (ray, t), p->origin), normal)
      if (SIDE (low) * SIDE (high) > 0)
        continue;
      for (int k = 0; k < 100; k++)
        {
          double middle = 0.5 * (low + high);
          if (SIDE (low) * SIDE (middle) <= 0)
            high = middle;
          else
            low = middle;
        }
#undef SIDE
      FlVec3 v = fl_vec3_sub (fl_vec3_scale (ray, low), p->origin);
      double ff = fl_vec3_dot (p->fs, p->fs), ss = fl_vec3_dot (p->ss, p->ss),
             fs = fl_vec3_dot (p->fs, p->ss);
      double vf = fl_vec3_dot (v, p->fs), vs = fl_vec3_dot (v, p->ss), det = ff * ss - fs * fs;
      double f = (vf * ss - vs * fs) / det, s = (vs * ff - vf * fs) / det;
      if (f >= 0 && f < p->n_fs && s >= 0 && s < p->n_ss && low < nearest)
        {
          nearest = low;
          *panel = i;
        }
    }
  return nearest < INFINITY;
}

static void
test_intersect_random (void)
{
  FlRandom random = fl_random (8);
  g_autoptr (FlDetector) detector = random_detector (&random, 9);
  guint misses = 0, panel = 0, expected = 0;
  double f, s;
  for (int k = 0; k < 3000; k++)
    {
      FlVec3 ray = fl_vec3_unit (
          fl_vec3 (0.6 * fl_random_unit (&random) - 0.3, 0.6 * fl_random_unit (&random) - 0.3, 1));
      gboolean hit = search (detector, ray, &expected);
      g_assert_cmpint (fl_detector_intersect (detector, ray, &panel, &f, &s), ==, hit);
      if (hit)
        g_assert_cmpuint (panel, ==, expected);
      misses += !hit;
    }
  g_assert_cmpuint (misses, >, 300);
  g_assert_cmpuint (misses, <, 2700);
  /* Behind the sample there is nothing. */
  g_assert_false (fl_detector_intersect (detector, fl_vec3 (0, 0, -1), &panel, &f, &s));
}

static void
test_flags (void)
{
  g_autoptr (FlDetector) detector = fl_detector_new (1, 12);
  FlPanel *panel = &detector->panels[0];
  gint16 pixels[12] = { -5, -4, -3, 0, 7, 99, 100, 101, 7, 3, -9, 200 };
  FlShot shot = { .type = FL_PIXEL_I16, .n_pixels = 12, .pixels = pixels };
  panel->n_fs = 4; /* of 6 columns */
  panel->n_ss = 2;
  panel->stride = 6;
  g_assert_false (fl_shot_flag_pixels (&shot, detector, detector->mask));
  panel->trusted_min = -4;
  panel->trusted_max = 101;
  panel->bad_values = g_new (double, 1);
  panel->bad_values[0] = 7;
  panel->n_bad_values = 1;
  g_assert_true (fl_shot_flag_pixels (&shot, detector, detector->mask));
  static const guint8 expected[12] = { 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0 };
  g_assert_cmpmem (detector->mask, 12, expected, 12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/detector/resolution", test_resolution);
  g_test_add_func ("/detector/intersect", test_intersect);
  g_test_add_func ("/detector/intersect-random", test_intersect_random);
  g_test_add_func ("/detector/flags", test_flags);
  return g_test_run ();
}
