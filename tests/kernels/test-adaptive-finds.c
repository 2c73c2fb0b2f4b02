/* test-adaptive-finds.c: the adaptive threshold finds what is there and nothing else, whatever gain, pedestal and noise. */
#include <math.h>

#include "tests/kernels/adaptive-find.h"

typedef struct
{
  double gain, pedestal, readout, background; /* counts a photon, counts, photons, photons a pixel */
} Detector;

enum
{
  SIZE = 512,
  SPOTS = 64
};

static double
normal (GRand *random)
{
  return sqrt (-2 * log (1 - g_rand_double (random))) * cos (2 * G_PI * g_rand_double (random));
}

static double
poisson (GRand *random, double mean)
{
  double product = g_rand_double (random), limit = exp (-mean);
  int n = 0;
  for (; product > limit; n++)
    product *= g_rand_double (random);
  return n;
}

static void
spot_place (guint k, double *fs, double *ss)
{
  *fs = 40.3 + 60 * (k % 8) + 0.13 * k;
  *ss = 35.6 + 59 * (k / 8) - 0.07 * k;
}

/* 64 spots of `photons`, on a background that falls from the middle, with a ring of twice the light, hot pixels, a bright
 * row and larger pixels at two edges; one pixel in `lone` holds some charge of its own. */
static Shot *
scene (const Detector *detector, double photons, gsize lone, guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  gsize n = (gsize) SIZE * SIZE;
  g_autofree double *mean = g_new (double, n);
  for (int i = 0; i < (int) n; i++)
    {
      double r = hypot (i % SIZE - 200.0, (double) (i / SIZE) - 260.0);
      mean[i] = detector->background * (0.4 + exp (-r / 200) + exp (-0.5 * (r - 170) * (r - 170) / 6));
    }
  for (guint k = 0; k < SPOTS; k++)
    {
      double fs, ss;
      spot_place (k, &fs, &ss);
      for (int j = -4; j <= 4; j++)
        for (int i = -4; i <= 4; i++)
          {
            int x = (int) fs + i, y = (int) ss + j;
            double d = (x + 0.5 - fs) * (x + 0.5 - fs) + (y + 0.5 - ss) * (y + 0.5 - ss);
            mean[y * SIZE + x] += photons * exp (-d / 2) / (2 * G_PI);
          }
    }
  Shot *shot = g_new0 (Shot, 1);
  shot->type = FLK_PIXEL_I32;
  shot->pixel_size = 4;
  shot->n_panels = 1;
  shot->n_pixels = n;
  shot->panels[0] = (FlkPanel){ 0, SIZE, SIZE, SIZE, -INFINITY, INFINITY, 0, 0 };
  shot->data = g_malloc (4 * n);
  shot->mask = g_malloc0 (n);
  shot->pedestal = g_new0 (float, n);
  shot->factor = g_new0 (float, n);
  shot->gain = g_new0 (float, n);
  shot->factor_all = 1;
  for (gsize i = 0; i < n; i++)
    {
      double counts = poisson (random, mean[i]) + detector->readout * normal (random);
      if (i % 9973 == 5000 || (i / SIZE == 500 && i % SIZE > 60 && i % SIZE < 400))
        counts += 200; /* hot, or the row */
      if (i % SIZE == 0 || i % SIZE == SIZE - 1)
        counts *= 1.6;
      if (lone > 0 && g_rand_double (random) * (double) lone < 1)
        counts -= 4 * detector->background * log (1 - g_rand_double (random));
      ((gint32 *) (void *) shot->data)[i] = (gint32) lrint (detector->pedestal + detector->gain * counts);
    }
  return shot;
}

static FlkDevice *
any_device (void)
{
  char why[1024];
  FlkDevice *device = flk_device_open ("cpu", 0, 1, why, sizeof why);
  if (device == NULL)
    g_error ("%s", why);
  return device;
}

/* Spots found, and strong pixels that belong to none; the row's ends are spots to it. */
static void
count (const guint8 *strong, guint *n_found, guint *n_false)
{
  gboolean found[SPOTS] = { FALSE };
  *n_found = *n_false = 0;
  for (int i = 0; i < SIZE * SIZE; i++)
    {
      gboolean near = i / SIZE > 490 && (i % SIZE < 80 || i % SIZE > 380);
      for (guint k = 0; strong[i] && k < SPOTS; k++)
        {
          double fs, ss;
          spot_place (k, &fs, &ss);
          double d = hypot (i % SIZE + 0.5 - fs, (double) (i / SIZE) + 0.5 - ss);
          found[k] = found[k] || d < 1.5;
          near = near || d < 6;
        }
      *n_false += strong[i] && !near;
    }
  for (guint k = 0; k < SPOTS; k++)
    *n_found += found[k];
}

static void
test_any_detector (void)
{
  static const Detector detectors[] = { { 1, 0, 0, 0.02 },  { 1, 0, 0, 1 },     { 1, 0, 0, 20 },
                                        { 0.5, 3, 0.3, 1 }, { 7, -40, 0.5, 2 }, { 40, 1000, 0.1, 0.3 },
                                        { 40, 500, 2, 1 } };
  FlkDevice *device = any_device ();
  for (guint i = 0; i < G_N_ELEMENTS (detectors); i++)
    {
      const Detector *d = &detectors[i];
      double noise = 3 * sqrt (1.4 * d->background + d->readout * d->readout);
      guint n_found, n_false, n_blank;
      g_autoptr (Shot) shot = scene (d, 16 + 11 * noise, 0, 7 + i), blank = scene (d, 0, 0, 107 + i);
      g_auto (Found) found = { 0 }, none = { 0 };
      find (device, shot, flk_device_tile_ss (device), 0.1, &found);
      find (device, blank, flk_device_tile_ss (device), 0.1, &none);
      count (found.strong, &n_found, &n_false);
      count (none.strong, &n_blank, &n_blank);
      g_test_message (
          "gain %g pedestal %g noise %g background %g: gain %g, variance %g; %u of %d found, %u and %u "
          "pixels too many",
          d->gain, d->pedestal, d->readout, d->background, (double) found.noise.gain,
          (double) found.noise.variance, n_found, SPOTS, n_false, n_blank);
      g_assert_cmpint (n_found, >=, SPOTS - 4);
      g_assert_cmpint (n_false, <=, 32);
      g_assert_cmpint (n_blank, <=, 32);
    }
  flk_device_close (device);
}

/* The line of variance over mean, with spots in it. */
static void
test_noise (void)
{
  static const Detector detectors[] = { { 1, 0, 0, 2 }, { 7, -40, 0.5, 8 }, { 30, 200, 0, 0.5 } };
  FlkDevice *device = any_device ();
  for (guint i = 0; i < G_N_ELEMENTS (detectors); i++)
    {
      const Detector *d = &detectors[i];
      g_autoptr (Shot) shot = scene (d, 300, 0, 31 + i);
      g_auto (Found) found = { 0 };
      find (device, shot, flk_device_tile_ss (device), 0.1, &found);
      double readout = d->gain * d->gain * d->readout * d->readout - d->gain * d->pedestal;
      double typical = d->gain * d->gain * d->background;
      g_assert_cmpfloat (fabs ((double) found.noise.gain / d->gain - 1), <, 0.3);
      g_assert_cmpfloat (fabs ((double) found.noise.variance - readout) / (typical + fabs (readout)), <, 0.5);
      g_assert_cmpfloat ((double) found.noise.spread, <, 1.05);
    }
  flk_device_close (device);
}

/* Single pixels of charge that is not light: more is asked of a bright pixel's neighbours. */
static void
test_lone_pixels (void)
{
  static const Detector detector = { 6.5, 0, 0.3, 3 };
  FlkDevice *device = any_device ();
  g_autoptr (Shot) clean = scene (&detector, 100, 0, 51), shot = scene (&detector, 100, 200, 51);
  g_auto (Found) few = { 0 }, found = { 0 };
  guint n_found, n_false;
  find (device, clean, flk_device_tile_ss (device), 0.1, &few);
  find (device, shot, flk_device_tile_ss (device), 0.1, &found);
  count (found.strong, &n_found, &n_false);
  g_test_message ("z²/2 of the rest: %g, with lone pixels %g; %u of %d found, %u pixels too many",
                  (double) few.noise.half_rest_sq, (double) found.noise.half_rest_sq, n_found, SPOTS,
                  n_false);
  g_assert_cmpfloat ((double) few.noise.half_rest_sq, ==, 3.125);

  g_assert_cmpint (n_found, >=, SPOTS - 4);
  g_assert_cmpint (n_false, <=, 100);
  flk_device_close (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/adaptive/any-detector", test_any_detector);
  g_test_add_func ("/adaptive/noise", test_noise);
  g_test_add_func ("/adaptive/lone-pixels", test_lone_pixels);
  return g_test_run ();
}
