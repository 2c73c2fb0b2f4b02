/* Spots, hits, profile and solvent ratio of made-up shots whose answer is known. */
#include <math.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sfx/spot-finding.h"

#define SIDE       300
#define PIXEL      0.1 /* mm */
#define DISTANCE   80.0
#define WAVELENGTH 1.3

/* Two panels of SIDE × SIDE, left and right of the beam, side by side in the array's rows. */
static FlDetector *
make_detector (void)
{
  FlDetector *detector = fl_detector_new (2, 2 * SIDE * SIDE);
  for (guint i = 0; i < 2; i++)
    {
      FlPanel *panel = &detector->panels[i];
      panel->n_fs = panel->n_ss = SIDE;
      panel->offset = i * SIDE;
      panel->stride = 2 * SIDE;
      panel->origin = fl_vec3 (i == 0 ? -SIDE * PIXEL - 0.5 : 0.5, -SIDE * PIXEL / 2, DISTANCE);
      panel->fs = fl_vec3 (PIXEL, 0, 0);
      panel->ss = fl_vec3 (0, PIXEL, 0);
      panel->pixel_size = PIXEL;
      panel->saturation = panel->trusted_max = INFINITY;
      panel->trusted_min = -INFINITY;
    }
  detector->wavelength = WAVELENGTH;
  detector->placed = TRUE;
  return detector;
}

static gsize
pixel_at (const FlDetector *detector, guint panel, guint fs, guint ss)
{
  return detector->panels[panel].offset + ss * detector->panels[panel].stride + fs;
}

typedef struct
{
  FlDetector *detector;
  FlSpotFinder *finder;
  FlShot shot;
  FlFound found;
} Fixture;

/* Poisson background of this many photons, `gain` counts each. */
static void
fill (Fixture *f, double photons, double gain)
{
  FlRandom random = fl_random (7);
  gsize n = f->detector->n_pixels;
  f->shot = (FlShot){
    .id = 42, .type = FL_PIXEL_F32, .n_pixels = n, .energy = fl_energy_from_wavelength (WAVELENGTH)
  };
  float *pixels = g_new (float, n);
  f->shot.pixels = pixels;
  for (gsize i = 0; i < n; i++)
    pixels[i] = (float) (gain * fl_random_poisson (&random, photons));
}

static void
put_spot (Fixture *f, guint panel, guint fs, guint ss, double photons, double gain)
{
  static const double shape[3][3] = { { 0.05, 0.1, 0.05 }, { 0.1, 0.4, 0.1 }, { 0.05, 0.1, 0.05 } };
  float *pixels = f->shot.pixels;
  for (int y = -1; y <= 1; y++)
    for (int x = -1; x <= 1; x++)
      pixels[pixel_at (f->detector, panel, fs + x, ss + y)] += (float) (gain * photons * shape[y + 1][x + 1]);
}

static Fixture *
begin (const char *const *settings)
{
  Fixture *f = g_new0 (Fixture, 1);
  GError *error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  for (; settings != NULL && *settings != NULL; settings++)
    {
      fl_params_set_assignment (params, *settings, &error);
      g_assert_no_error (error);
    }
  f->finder = fl_spot_finder_new (params, 0, NULL, &error);
  g_assert_no_error (error);
  f->detector = make_detector ();
  return f;
}

static void
find (Fixture *f)
{
  GError *error = NULL;
  fl_spot_finder_find (f->finder, &f->shot, f->detector, &f->found, &error);
  g_assert_no_error (error);
}

static void
end (Fixture *f)
{
  fl_spot_finder_free (f->finder);
  fl_detector_unref (f->detector);
  fl_shot_clear (&f->shot);
  g_free (f);
}

/* Twenty spots on both panels: places, intensities, resolutions, hit. */
static void
test_spots (void)
{
  Fixture *f = begin ((const char *[]){ "engine.device=cpu", NULL });
  fill (f, 2, 1);
  for (guint i = 0; i < 20; i++)
    put_spot (f, i % 2, 20 + 13 * i, 280 - 11 * i, 1000, 1);
  find (f);
  g_assert_cmpuint (f->found.n_spots, ==, 20);
  g_assert_true (f->found.hit);
  gboolean seen[20] = { FALSE };
  for (guint k = 0; k < 20; k++)
    {
      const FlSpotRow *spot = &f->found.spots[k];
      guint i = (guint) lround ((spot->fs - 20.5) / 13);
      g_assert_cmpuint (i, <, 20);
      g_assert_false (seen[i]);
      seen[i] = TRUE;
      g_assert_cmpuint (spot->shot, ==, 42);
      g_assert_cmpuint (spot->panel, ==, i % 2);
      g_assert_cmpfloat (fabs (spot->fs - (20.5 + 13 * i)), <, 0.1);
      g_assert_cmpfloat (fabs (spot->ss - (280.5 - 11 * i)), <, 0.1);
      g_assert_cmpfloat (fabs (spot->intensity - 1000), <, 5 * sqrt (spot->var_intensity));
      g_assert_cmpfloat (fabs (spot->var_intensity / 1018 - 1), <, 0.2);
      g_assert_cmpfloat (fabs (spot->background - 2), <, 1);
      FlVec3 at = fl_panel_position (&f->detector->panels[i % 2], spot->fs, spot->ss);
      g_assert_cmpfloat (fabs (spot->d / fl_resolution (at, WAVELENGTH) - 1), <, 1e-5);
    }
  end (f);
}

static void
test_hit_rule (void)
{
  const struct
  {
    const char *least, *most;
    gboolean hit;
  } cases[] = { { "hit.min_spots=10", "hit.max_spots=0", TRUE },
                { "hit.min_spots=11", "hit.max_spots=0", FALSE },
                { "hit.min_spots=10", "hit.max_spots=10", TRUE },
                { "hit.min_spots=1", "hit.max_spots=9", FALSE } };
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    {
      Fixture *f = begin ((const char *[]){ cases[c].least, cases[c].most, NULL });
      fill (f, 1, 1);
      for (guint i = 0; i < 10; i++)
        put_spot (f, 0, 20 + 20 * i, 50, 800, 1);
      find (f);
      g_assert_cmpuint (f->found.n_spots, ==, 10);
      g_assert_cmpint (f->found.hit, ==, cases[c].hit);
      end (f);
    }
}

/* Pixels that are bad by mask, by the shot's own mask, or by value hold no spot; resolution limits drop spots. */
static void
test_bad_and_limits (void)
{
  Fixture *f = begin (NULL);
  fill (f, 2, 1);
  for (guint i = 0; i < 6; i++)
    put_spot (f, 1, 30 + 40 * i, 150, 900, 1);
  memset (f->detector->mask + pixel_at (f->detector, 1, 20, 150), 1, 20); /* the first spot's row */
  find (f);
  g_assert_cmpuint (f->found.n_spots, ==, 5);
  f->shot.mask = g_memdup2 (f->detector->mask, f->detector->n_pixels);
  for (int y = -3; y <= 3; y++)
    memset (f->shot.mask + pixel_at (f->detector, 1, 64, 150 + y), 1, 14); /* the second, in this shot */
  find (f);
  g_assert_cmpuint (f->found.n_spots, ==, 4);
  g_clear_pointer (&f->shot.mask, g_free);
  find (f);
  g_assert_cmpuint (f->found.n_spots, ==, 5);
  double first = f->found.spots[0].d, last = f->found.spots[4].d;
  end (f);

  /* Between the third and the fourth that are left. */
  g_autofree char *limit = g_strdup_printf ("spots.max_resolution=%g", 0.5 * (first + last));
  f = begin ((const char *[]){ limit, NULL });
  fill (f, 2, 1);
  for (guint i = 0; i < 6; i++)
    put_spot (f, 1, 30 + 40 * i, 150, 900, 1);
  find (f);
  for (guint i = 0; i < f->found.n_spots; i++)
    g_assert_cmpfloat (f->found.spots[i].d, >=, 0.5 * (first + last));
  g_assert_cmpuint (f->found.n_spots, <, 6);
  g_assert_cmpuint (f->found.n_spots, >, 0);
  end (f);

  f = begin (NULL);
  fill (f, 2, 1);
  put_spot (f, 0, 100, 100, 900, 1);
  put_spot (f, 1, 100, 100, 900, 1);
  double value = ((float *) f->shot.pixels)[pixel_at (f->detector, 1, 100, 100)];
  fl_detector_unref (f->detector);
  f->detector = make_detector ();
  f->detector->panels[1].n_bad_values = 1;
  f->detector->panels[1].bad_values = g_memdup2 (&value, sizeof value);
  f->detector->panels[0].trusted_max = 100; /* its spot's peak is not trusted */
  find (f);
  for (guint i = 0; i < f->found.n_spots; i++)
    g_assert_cmpfloat (f->found.spots[i].peak, <, 200);
  end (f);
}

/* A detector of ten counts a photon finds the same spots as one of one, whether the geometry or the parameter says so. */
static void
test_gain (void)
{
  guint n[4];
  for (guint c = 0; c < 4; c++)
    {
      double gain = c == 0 ? 1 : 10;
      Fixture *f = begin (c == 1 ? (const char *[]){ "spots.gain=10", NULL } : NULL);
      if (c == 2)
        f->detector->panels[0].gain = f->detector->panels[1].gain = 10;
      if (c == 3)
        f->detector->panels[0].counts_per_ev = 10 / fl_energy_from_wavelength (WAVELENGTH),
        f->detector->panels[1].gain = 10; /* panels that differ: a map */
      fill (f, 2, gain);
      for (guint i = 0; i < 8; i++)
        put_spot (f, i % 2, 30 + 30 * i, 100, 40 + 10 * i, gain);
      find (f);
      n[c] = f->found.n_spots;
      end (f);
    }
  g_assert_cmpuint (n[0], >=, 4);
  g_assert_cmpuint (n[1], ==, n[0]);
  g_assert_cmpuint (n[2], ==, n[0]);
  g_assert_cmpuint (n[3], ==, n[0]);
}

/* A pattern that depends on 2θ alone: the profile gives it back; the ratio at the two angles is known. */
static void
test_profile (void)
{
  Fixture *f = begin ((const char *[]){ "profile.two_theta_low=8", "profile.two_theta_high=14", NULL });
  fill (f, 0, 1);
  for (guint p = 0; p < 2; p++)
    for (guint ss = 0; ss < SIDE; ss++)
      for (guint fs = 0; fs < SIDE; fs++)
        {
          double angle = fl_two_theta (fl_panel_position (&f->detector->panels[p], fs + 0.5, ss + 0.5));
          ((float *) f->shot.pixels)[pixel_at (f->detector, p, fs, ss)] = (float) (100 * angle);
        }
  find (f);
  g_assert_cmpuint (f->found.n_spots, ==, 0);
  g_assert_cmpuint (f->found.n_bins, >, 150);
  for (guint i = 20; i < 150; i++)
    g_assert_cmpfloat (fabs (f->found.profile[i] / (100 * fl_radians ((i + 0.5) * 0.1)) - 1), <, 0.01);
  g_assert_cmpfloat (fabs (f->found.solvent - 14.0 / 8), <, 0.03);
  f->shot.shift = fl_vec3 (0, 0, DISTANCE); /* twice as far: the profile follows */
  find (f);
  g_assert_cmpfloat (fabs (f->found.profile[40] / (100 * fl_radians (8)) - 1), <, 0.05);
  g_assert_cmpuint (f->found.n_bins, <, 150);
  g_assert_cmpfloat (f->found.solvent, ==, 0); /* 14° is beyond the edge */
  fl_detector_unref (f->detector);
  f->detector = make_detector ();
  f->detector->placed = FALSE;
  find (f);
  g_assert_cmpuint (f->found.n_bins, ==, 0);
  g_assert_cmpfloat (f->found.solvent, ==, 0);
  end (f);
}

/* Too many strong pixels: the shot has failed, the next one has not. */
static void
test_too_strong (void)
{
  Fixture *f = begin ((const char *[]){ "spots.max_strong_fraction=0.001", NULL });
  GError *error = NULL;
  fill (f, 2, 1);
  for (guint i = 0; i < 100; i++)
    put_spot (f, i % 2, 20 + 12 * (i % 20), 20 + 20 * (i / 20), 2000, 1);
  g_assert_false (fl_spot_finder_find (f->finder, &f->shot, f->detector, &f->found, &error));
  g_assert_nonnull (strstr (error->message, "max_strong_fraction"));
  g_clear_error (&error);
  fl_shot_clear (&f->shot);
  fill (f, 2, 1);
  put_spot (f, 0, 100, 100, 500, 1);
  find (f);
  g_assert_cmpuint (f->found.n_spots, ==, 1);
  end (f);
}

/* More spots than the lists first hold. */
static void
test_growth (void)
{
  Fixture *f = begin ((const char *[]){ "spots.max_strong_fraction=1", "spots.algorithm=dispersion", NULL });
  fill (f, 1, 1);
  guint n = 0;
  for (guint ss = 10; ss + 10 < SIDE; ss += 9)
    for (guint fs = 10; fs + 10 < SIDE; fs += 9, n++)
      put_spot (f, 1, fs, ss, 2000, 1);
  find (f);
  g_assert_cmpuint (n, >, 900);
  g_test_message ("%u spots of %u, %u strong pixels", f->found.n_spots, n, (guint) f->found.n_strong);
  g_assert_cmpuint (f->found.n_spots, >, n * 98 / 100);
  g_assert_cmpuint (f->found.n_spots, <=, n);
  end (f);
}

static void
test_resolution (void)
{
  FlSpotRow spots[200] = { 0 };
  g_assert_cmpfloat (fl_spots_resolution (spots, 0), ==, 0);
  for (guint i = 0; i < 200; i++)
    spots[i].d = 2.0f + 0.01f * (float) ((i * 37) % 200);
  g_assert_cmpfloat (fabs (fl_spots_resolution (spots, 200) - 2.04), <, 1e-6); /* four of 200 left out */
  g_assert_cmpfloat (fl_spots_resolution (spots, 2), ==, 0);
  for (guint i = 0; i < 10; i++)
    spots[i].d = (float) (i + 1);
  g_assert_cmpfloat (fl_spots_resolution (spots, 10), ==, 3);
}

/* A second device of another kind finds the same, to the last bit. */
static void
test_devices (void)
{
  static const char *const devices[] = { "engine.device=cpu", "engine.device=auto" };
  GArray *rows[2];
  for (guint c = 0; c < 2; c++)
    {
      Fixture *f = begin ((const char *[]){ devices[c], NULL });
      fill (f, 3, 1);
      for (guint i = 0; i < 20; i++)
        put_spot (f, i % 2, 20 + 13 * i, 280 - 11 * i, 300, 1);
      find (f);
      g_test_message ("%s: %s", devices[c], fl_spot_finder_device (f->finder));
      rows[c] = g_array_new (FALSE, FALSE, sizeof (FlSpotRow));
      g_array_append_vals (rows[c], f->found.spots, f->found.n_spots);
      end (f);
    }
  g_assert_cmpuint (rows[0]->len, ==, rows[1]->len);
  g_assert_cmpint (memcmp (rows[0]->data, rows[1]->data, rows[0]->len * sizeof (FlSpotRow)), ==, 0);
  g_array_unref (rows[0]);
  g_array_unref (rows[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sfx/spots", test_spots);
  g_test_add_func ("/sfx/hit-rule", test_hit_rule);
  g_test_add_func ("/sfx/bad-and-limits", test_bad_and_limits);
  g_test_add_func ("/sfx/gain", test_gain);
  g_test_add_func ("/sfx/profile", test_profile);
  g_test_add_func ("/sfx/too-strong", test_too_strong);
  g_test_add_func ("/sfx/growth", test_growth);
  g_test_add_func ("/sfx/resolution", test_resolution);
  g_test_add_func ("/sfx/devices", test_devices);
  return g_test_run ();
}
