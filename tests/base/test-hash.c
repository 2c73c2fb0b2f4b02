/* Checksums and generators against published values and closed forms. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "engine/base/hash.h"

static void
test_crc32c (void)
{
  guint8 bytes[32];
  g_assert_cmphex (fl_crc32c (0, "123456789", 9), ==, 0xe3069283); /* the CRC catalogue's check value */
  memset (bytes, 0, sizeof bytes);
  g_assert_cmphex (fl_crc32c (0, bytes, 32), ==, 0x8a9136aa); /* RFC 3720 B.4 */
  memset (bytes, 0xff, sizeof bytes);
  g_assert_cmphex (fl_crc32c (0, bytes, 32), ==, 0x62a8ab43);
  for (guint i = 0; i < 32; i++)
    bytes[i] = (guint8) i;
  g_assert_cmphex (fl_crc32c (0, bytes, 32), ==, 0x46dd794e);
  for (guint cut = 0; cut <= 32; cut++)
    g_assert_cmphex (fl_crc32c (fl_crc32c (0, bytes, cut), bytes + cut, 32 - cut), ==, 0x46dd794e);
}

static void
test_hash64 (void)
{
  /* Values of the reference program xxhsum. */
  g_assert_cmphex (fl_hash64 ("", 0, 0), ==, 0xef46db3751d8e999ull);
  g_assert_cmphex (fl_hash64 ("a", 1, 0), ==, 0xd24ec4f1a98c6e5bull);
  g_assert_cmphex (fl_hash64 ("abc", 3, 0), ==, 0x44bc2cf5ad770999ull);
  const char *fox = "The quick brown fox jumps over the lazy dog";
  g_assert_cmphex (fl_hash64 (fox, strlen (fox), 0), ==, 0x0b242d361fda71bcull);
}

static void
test_shot_id (void)
{
  g_assert_cmphex (fl_shot_id ("/a/b/r0001.cxi", 7), ==, fl_shot_id ("r0001.cxi", 7));
  g_assert_cmphex (fl_shot_id ("r0001.cxi", 7), !=, fl_shot_id ("r0001.cxi", 8));
  g_assert_cmphex (fl_shot_id ("r0001.cxi", 7), !=, fl_shot_id ("r0002.cxi", 7));
}

/* Mean and variance of a Poisson variate both are its mean: checked to five standard errors. */
static void
test_poisson (void)
{
  const double means[] = { 0, 0.01, 0.7, 5, 11.9, 12.1, 40, 1000 };
  const int n = 200000;
  for (guint m = 0; m < G_N_ELEMENTS (means); m++)
    {
      FlRandom r = fl_random (m + 1);
      double sum = 0, square = 0, mean = means[m];
      for (int i = 0; i < n; i++)
        {
          double k = fl_random_poisson (&r, mean) - mean;
          sum += k;
          square += k * k;
        }
      g_assert_cmpfloat (fabs (sum / n), <=, 5 * sqrt (mean / n));
      g_assert_cmpfloat (fabs (square / n - mean), <=, 5 * sqrt ((mean + 2 * mean * mean) / n));
    }
}

static void
test_normal (void)
{
  FlRandom r = fl_random (3);
  double sum = 0, square = 0, fourth = 0;
  const int n = 200000;
  for (int i = 0; i < n; i++)
    {
      double x = fl_random_normal (&r);
      sum += x;
      square += x * x;
      fourth += x * x * x * x;
    }
  g_assert_cmpfloat (fabs (sum / n), <, 5 / sqrt (n));
  g_assert_cmpfloat (fabs (square / n - 1), <, 5 * sqrt (2.0 / n));
  g_assert_cmpfloat (fabs (fourth / n - 3), <, 5 * sqrt (96.0 / n));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hash/crc32c", test_crc32c);
  g_test_add_func ("/hash/hash64", test_hash64);
  g_test_add_func ("/hash/shot-id", test_shot_id);
  g_test_add_func ("/random/poisson", test_poisson);
  g_test_add_func ("/random/normal", test_normal);
  return g_test_run ();
}
