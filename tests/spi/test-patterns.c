/* Patterns in memory. */
#include "engine/spi/patterns.h"

static void
test_add (void)
{
  FlPatternPixels *pixels = fl_pattern_pixels_new (100);
  pixels->mask[7] = FL_PATTERN_BAD;
  g_autoptr (FlPatterns) patterns = fl_patterns_new (pixels);
  guint64 photons = 0, lit = 0;
  for (guint i = 0; i < 300; i++)
    {
      guint32 pixel[100], count[100];
      guint n = 0;
      for (guint k = i % 7; k < 100; k += 1 + i % 11, n++)
        {
          pixel[n] = k;
          count[n] = 1 + (i * k) % 5;
          photons += k == 7 ? 0 : count[n];
          lit += k != 7;
        }
      fl_patterns_add (patterns, 1000 + i, i, n, pixel, count);
    }
  g_assert_cmpuint (patterns->n, ==, 300);
  g_assert_cmpuint (patterns->start[300], ==, lit);
  guint64 sum = 0;
  for (guint i = 0; i < 300; i++)
    {
      sum += fl_patterns_photons (patterns, i);
      g_assert_cmpuint (patterns->id[i], ==, 1000 + i);
      for (guint64 k = patterns->start[i]; k < patterns->start[i + 1]; k++)
        g_assert_true (patterns->pixel[k] != 7
                       && (k == patterns->start[i] || patterns->pixel[k] > patterns->pixel[k - 1]));
    }
  g_assert_cmpuint (sum, ==, photons);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spi/patterns/add", test_add);
  return g_test_run ();
}
