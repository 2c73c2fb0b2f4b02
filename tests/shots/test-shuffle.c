/* Shuffled bytes and bits against what they are by definition, of all sizes of elements and lengths around vectors'. */

#include <string.h>

#include "engine/shots/shuffle.h"

static guint
bit_of (const guint8 *bytes, gsize i)
{
  return bytes[i / 8] >> i % 8 & 1u;
}

static guint8 *
random_bytes (gsize size)
{
  guint8 *bytes = g_malloc (size + 1);
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8) g_test_rand_int ();
  return bytes;
}

static void
test_bits (void)
{
  for (guint element = 1; element <= 9; element++)
    for (gsize n = 0; n <= 8 * 35; n += 8)
      {
        g_autofree guint8 *in = random_bytes (n * element), *planes = random_bytes (n * element),
                          *back = random_bytes (n * element);
        fl_shuffle_bits (in, planes, n, element);
        for (gsize i = 0; i < n; i++)
          for (guint bit = 0; bit < 8 * element; bit++)
            g_assert_cmpuint (bit_of (in, i * 8 * element + bit), ==, bit_of (planes, bit * n + i));
        fl_unshuffle_bits (planes, back, n, element);
        g_assert_true (memcmp (in, back, n * element) == 0);
      }
}

static void
test_bytes (void)
{
  for (guint element = 1; element <= 9; element++)
    for (gsize size = 0; size <= 40 * element; size++)
      {
        gsize n = size / element;
        g_autofree guint8 *in = random_bytes (size), *out = random_bytes (size);
        fl_unshuffle_bytes (in, out, size, element);
        for (gsize i = 0; i < size; i++)
          g_assert_cmpuint (out[i], ==, in[i < n * element ? i % element * n + i / element : i]);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shuffle/bits", test_bits);
  g_test_add_func ("/shuffle/bytes", test_bytes);
  return g_test_run ();
}
