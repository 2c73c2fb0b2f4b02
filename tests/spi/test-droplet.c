/* Shots of ellipsoids are droplets, whatever their size; those of two balls are not. */
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/spi/droplet.h"

#define SIDE       81
#define PIXEL      1e-3 /* Å⁻¹ */
#define STOP       2.5  /* pixels */
#define PARTICLE   150.0
#define BACKGROUND 0.01f

static FlPatternPixels *
make_pixels (void)
{
  FlPatternPixels *pixels = fl_pattern_pixels_new (SIDE * SIDE);
  for (guint i = 0; i < pixels->n; i++)
    {
      double x = (i % SIDE) - SIDE / 2, y = i / SIDE - SIDE / 2;
      pixels->s[i] = fl_vec3 (x * PIXEL, y * PIXEL, 0);
      pixels->factor[i] = 1;
      pixels->mask[i] = hypot (x, y) < STOP ? FL_PATTERN_BAD : FL_PATTERN_GOOD;
    }
  return pixels;
}

static double
ball (double x)
{
  return x < 1e-3 ? 1 : 3 * (sin (x) - x * cos (x)) / (x * x * x);
}

/* An ellipse, or two balls of a diameter in some distance of each other. */
static double
intensity (FlVec3 s, double diameter, double oblong, double apart)
{
  double f = ball (FL_PI * diameter * hypot (s.x * oblong, s.y / oblong));
  return f * f * (apart > 0 ? 2 + 2 * cos (2 * FL_PI * apart * (0.8 * s.x + 0.6 * s.y)) : 1);
}

static guint32
poisson (FlRandom *random, double mean)
{
  double left = exp (-mean), product = fl_random_unit (random);
  guint32 k = 0;
  for (; product > left && k < 10000; k++)
    product *= fl_random_unit (random);
  return k;
}

static void
add (FlPatterns *patterns, double photons, double diameter, double oblong, double apart)
{
  const FlPatternPixels *pixels = patterns->pixels;
  FlRandom random = fl_random (patterns->n);
  g_autofree guint32 *pixel = g_new (guint32, pixels->n), *count = g_new (guint32, pixels->n);
  double sum = 0;
  guint n = 0;
  for (guint i = 0; i < pixels->n; i++)
    sum += pixels->mask[i] == FL_PATTERN_GOOD ? intensity (pixels->s[i], diameter, oblong, apart) : 0;
  for (guint i = 0; i < pixels->n; i++)
    {
      double mean = photons / sum * intensity (pixels->s[i], diameter, oblong, apart) + (double) BACKGROUND;
      guint32 k = pixels->mask[i] == FL_PATTERN_GOOD ? poisson (&random, mean) : 0;
      if (k > 0)
        {
          pixel[n] = i;
          count[n++] = k;
        }
    }
  fl_patterns_add (patterns, patterns->n, patterns->n, n, pixel, count);
}

static void
test_told (void)
{
  g_autoptr (FlPatterns) patterns = fl_patterns_new (make_pixels ());
  g_autofree float *background = g_new (float, patterns->pixels->n);
  for (guint i = 0; i < patterns->pixels->n; i++)
    background[i] = BACKGROUND;
  g_autoptr (FlDroplets) droplets = fl_droplets_new (patterns->pixels, background, PARTICLE);
  const double sizes[] = { 90, 120, 150, 200, 250 }, photons[] = { 400, 2000, 10000 };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint j = 0; j < G_N_ELEMENTS (photons); j++)
      {
        FlDropletFit fit;
        add (patterns, photons[j], sizes[i], 1 + 0.02 * (j + 1), 0);
        g_assert_true (fl_droplets_fit (droplets, patterns, patterns->n - 1, &fit));
        g_test_message ("droplet of %.0f Å, %.0f photons: %.0f Å, %.4f ± %.4f", sizes[i], photons[j],
                        fit.diameter, fit.excess, fit.sigma);
        g_assert_cmpfloat (fit.excess, <, 0.025 + 2 * fit.sigma);
        /* Of a large one the beam stop hides the middle: another fringe may fit about as well. */
        g_assert_cmpfloat (fabs (fit.diameter / sizes[i] - 1), <, 0.1);
        g_assert_cmpfloat (fabs (fit.photons / photons[j] - 1), <, 0.3);
        add (patterns, photons[j], 60, 1, 90);
        g_assert_true (fl_droplets_fit (droplets, patterns, patterns->n - 1, &fit));
        g_test_message ("two balls, %.0f photons: %.4f ± %.4f", photons[j], fit.excess, fit.sigma);
        g_assert_cmpfloat (fit.excess, >, 0.1);
      }
}

static void
test_nothing (void)
{
  g_autoptr (FlPatterns) patterns = fl_patterns_new (make_pixels ());
  g_autofree float *background = g_new0 (float, patterns->pixels->n);
  g_autoptr (FlDroplets) droplets = fl_droplets_new (patterns->pixels, background, PARTICLE);
  FlDropletFit fit;
  fl_patterns_add (patterns, 1, 0, 0, NULL, NULL);
  g_assert_false (fl_droplets_fit (droplets, patterns, 0, &fit));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spi/droplet/told", test_told);
  g_test_add_func ("/spi/droplet/nothing", test_nothing);
  return g_test_run ();
}
