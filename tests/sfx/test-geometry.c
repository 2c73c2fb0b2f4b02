/* Rays and panels: the finder against the search through all panels, on real geometries and awkward made-up ones. */
#include <time.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sfx/shot-geometry.h"
#include "tests/sfx/sets.h"

/* A copy whose panels are moved. */
static FlDetector *
moved (const FlDetector *detector, FlVec3 shift)
{
  FlDetector *copy = fl_detector_new (detector->n_panels, 0);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *panel = &detector->panels[i];
      copy->panels[i].n_fs = panel->n_fs;
      copy->panels[i].n_ss = panel->n_ss;
      copy->panels[i].fs = panel->fs;
      copy->panels[i].ss = panel->ss;
      copy->panels[i].origin = fl_vec3_add (panel->origin, shift);
    }
  return copy;
}

/* Half the rays anywhere, half toward a panel or just past its border. */
static FlVec3
random_ray (FlRandom *random, const FlDetector *detector)
{
  if (fl_random_unit (random) < 0.5)
    return fl_vec3 (fl_random_normal (random), fl_random_normal (random), fl_random_normal (random));
  guint i = (guint) (fl_random_unit (random) * detector->n_panels);
  const FlPanel *panel = &detector->panels[i];
  double fs = (1.1 * fl_random_unit (random) - 0.05) * panel->n_fs;
  double ss = (1.1 * fl_random_unit (random) - 0.05) * panel->n_ss;
  return fl_vec3_scale (fl_panel_position (panel, fs, ss), 0.01 + fl_random_unit (random));
}

static guint
compare (const FlDetector *detector, const FlPanelFinder *finder, FlVec3 shift, guint n_rays, guint64 seed)
{
  g_autoptr (FlDetector) copy = moved (detector, shift);
  FlShotGeometry geometry = { detector, finder, shift, 1.3 };
  FlRandom random = fl_random (seed);
  guint met = 0;
  for (guint i = 0; i < n_rays; i++)
    {
      FlVec3 ray = random_ray (&random, copy);
      guint panel = 0, panel_naive = 0;
      double fs = 0, ss = 0, fs_naive = 0, ss_naive = 0;
      gboolean hit = fl_shot_geometry_meet (&geometry, ray, &panel, &fs, &ss);
      g_assert_true (hit == fl_detector_intersect (copy, ray, &panel_naive, &fs_naive, &ss_naive));
      g_assert_cmpuint (panel, ==, panel_naive);
      g_assert_true (fs == fs_naive && ss == ss_naive);
      met += hit;
    }
  return met;
}

static void
compare_shifts (const FlDetector *detector)
{
  g_autoptr (FlPanelFinder) finder = fl_panel_finder_new (detector);
  const FlVec3 shifts[] = { { 0, 0, 0 },  { 0.3, -0.2, 0 }, { 3, 3, 3 },    { -3, 3, -3 },
                            { 3, -3, 0 }, { -3, -3, -3 },   { 10, -20, 40 } };
  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      g_assert_cmpuint (compare (detector, finder, shifts[i], 20000, i), >, 5000);
      g_assert_cmpuint (compare (detector, NULL, shifts[i], 1000, i), >, 250);
    }
}

static void
test_real (void)
{
  const char *const names[] = {
    "geom/agipd_mar18_v11", "geom/cspad-cxib2313-v9",    "geom/cxi_jungfrau4M",
    "geom/mfx_epix10k2M",   "crystfel-sim/lyso-agipd1m", "crystfel-sim/lyso-jf4m"
  };
  if (!have_test_data ("geom"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (FlDetector) detector = detector_of_geom (names[i]);
      g_test_message ("%s: %u panels", names[i], detector->n_panels);
      compare_shifts (detector);
    }
}

static void
place (FlDetector *detector, guint i, FlVec3 origin, FlVec3 fs, FlVec3 ss, guint n_fs, guint n_ss)
{
  FlPanel *panel = &detector->panels[i];
  *panel = (FlPanel){ .name = panel->name, .n_fs = n_fs, .n_ss = n_ss, .origin = origin, .fs = fs, .ss = ss };
}

/* Overlapping panels, one seen edge-on, one behind the sample across the beam, one nearly touching the sample. */
static void
test_awkward (void)
{
  g_autoptr (FlDetector) detector = fl_detector_new (6, 0);
  place (detector, 0, fl_vec3 (-50, -50, 100), fl_vec3 (0.1, 0.02, 0), fl_vec3 (-0.02, 0.1, 0), 600, 900);
  place (detector, 1, fl_vec3 (-20, -30, 90), fl_vec3 (0.07, 0.07, 0.01), fl_vec3 (-0.07, 0.07, 0), 500, 500);
  place (detector, 2, fl_vec3 (60, -40, 20), fl_vec3 (0, 0, 0.2), fl_vec3 (0, 0.2, 0), 800, 400);
  place (detector, 3, fl_vec3 (-100, 0, 50), fl_vec3 (1, 0, 0.5), fl_vec3 (0, 0, 1), 200, 1);
  place (detector, 4, fl_vec3 (-30, -30, -80), fl_vec3 (0.2, 0, 0), fl_vec3 (0, 0.2, 0), 300, 300);
  place (detector, 5, fl_vec3 (0.5, -4, 4), fl_vec3 (0.01, 0, 0), fl_vec3 (0, 0.01, 0), 300, 300);
  compare_shifts (detector);
}

static void
test_none (void)
{
  g_autoptr (FlDetector) detector = fl_detector_new (0, 0);
  g_autoptr (FlPanelFinder) finder = fl_panel_finder_new (detector);
  FlShotGeometry geometry = { detector, finder, { 0, 0, 0 }, 1 };
  guint panel;
  double fs, ss;
  g_assert_false (fl_shot_geometry_meet (&geometry, fl_vec3 (0, 0, 1), &panel, &fs, &ss));
}

/* There and back; |q| = 1/d; d_min is that of the farthest pixel corner. */
static void
test_reciprocal (void)
{
  g_autoptr (FlDetector) detector = fl_detector_new (2, 0);
  place (detector, 0, fl_vec3 (-50, -50, 100), fl_vec3 (0.1, 0.02, 0.03), fl_vec3 (-0.02, 0.1, 0), 600, 900);
  place (detector, 1, fl_vec3 (-30, -30, -80), fl_vec3 (0.2, 0, 0), fl_vec3 (0, 0.2, 0), 200, 100);
  FlShotGeometry geometry = { detector, NULL, { 0.5, -0.25, 2 }, 1.3 };
  double finest = INFINITY;
  for (guint i = 0; i < 2; i++)
    for (guint ss = 0; ss <= detector->panels[i].n_ss; ss++)
      for (guint fs = 0; fs <= detector->panels[i].n_fs; fs++)
        {
          FlVec3 at = fl_vec3_add (fl_panel_position (&detector->panels[i], fs, ss), geometry.shift);
          FlVec3 q = fl_shot_geometry_q (&geometry, i, fs, ss);
          double d = fl_resolution (at, geometry.wavelength);
          g_assert_cmpfloat (fabs (fl_vec3_norm (q) * d - 1), <, 1e-9);
          finest = MIN (finest, d);
          if (i == 0 && fs % 50 == 25 && ss % 50 == 25)
            {
              guint panel;
              double f, s;
              FlVec3 s1 = fl_vec3_add (q, fl_vec3 (0, 0, 1 / geometry.wavelength));
              g_assert_true (fl_shot_geometry_meet (&geometry, s1, &panel, &f, &s));
              g_assert_true (panel == 0 && fabs (f - fs) < 1e-9 && fabs (s - ss) < 1e-9);
            }
        }
  g_assert_cmpfloat (fabs (fl_shot_geometry_d_min (&geometry) / finest - 1), <, 1e-12);
}

/* 128 panels: at least ten times as fast as the search through them. */
static void
test_speed (void)
{
  if (!have_test_data ("crystfel-sim"))
    return;
  g_autoptr (FlDetector) detector = detector_of_geom ("crystfel-sim/lyso-agipd1m");
  g_autoptr (FlPanelFinder) finder = fl_panel_finder_new (detector);
  FlShotGeometry geometry = { detector, finder, { 0, 0, 0 }, 1.3 };
  enum
  {
    N = 20000
  };
  FlRandom random = fl_random (1);
  g_autofree FlVec3 *rays = g_new (FlVec3, N);
  for (guint i = 0; i < N; i++)
    rays[i] = fl_vec3 (0.6 * fl_random_unit (&random) - 0.3, 0.6 * fl_random_unit (&random) - 0.3, 1);
  guint panel = 0, met = 0;
  double fs, ss, best[2] = { INFINITY, INFINITY };
  for (guint turn = 0; turn < 6; turn++)
    {
      double start = cpu_seconds ();
      for (guint i = 0; i < N; i++)
        met += turn % 2 ? fl_shot_geometry_meet (&geometry, rays[i], &panel, &fs, &ss)
                        : fl_detector_intersect (detector, rays[i], &panel, &fs, &ss);
      best[turn % 2] = MIN (best[turn % 2], cpu_seconds () - start);
    }
  g_test_message ("%.0f and %.0f ns a ray, %.1f times as fast; %u of %u met", 1e9 * best[0] / N,
                  1e9 * best[1] / N, best[0] / best[1], met / 6, N);
  g_assert_cmpfloat (best[0], >, 10 * best[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/geometry/real", test_real);
  g_test_add_func ("/geometry/awkward", test_awkward);
  g_test_add_func ("/geometry/none", test_none);
  g_test_add_func ("/geometry/reciprocal", test_reciprocal);
  g_test_add_func ("/geometry/speed", test_speed);
  return g_test_run ();
}
