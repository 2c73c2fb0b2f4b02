#include "engine/simulate/bitshuffle.h"

#include <lz4.h>
#include <string.h>

#define BLOCK_BYTES 8192 /* the format's own choice */

gsize
fl_bitshuffle_bound (gsize n, guint element)
{
  gsize blocks = n * element / BLOCK_BYTES + 1;
  return 12 + blocks * (4 + (gsize) LZ4_compressBound (BLOCK_BYTES));
}

static guint8 *
put_be (guint8 *out, guint64 value, int bytes)
{
  for (int i = bytes - 1; i >= 0; i--)
    *out++ = (guint8) (value >> (8 * i));
  return out;
}

/* Bit j of byte i becomes bit i of byte j (Warren, Hacker's Delight). */
static inline guint64
transpose_8x8 (guint64 x)
{
  guint64 t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aaull;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000cccc0000ccccull;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0ull;
  return x ^ t ^ (t << 28);
}

/* Row 8 b + k holds bit k of byte b of all n elements. */
static void
shuffle_bits (const guint8 *in, gsize n, guint element, guint8 *out)
{
  gsize row = n / 8;
  for (gsize group = 0; group < row; group++)
    for (guint b = 0; b < element; b++)
      {
        guint64 x = 0;
        for (guint i = 0; i < 8; i++)
          x |= (guint64) in[(8 * group + i) * element + b] << (8 * i);
        x = transpose_8x8 (x);
        for (guint k = 0; k < 8; k++)
          out[(8 * b + k) * row + group] = (guint8) (x >> (8 * k));
      }
}

gsize
fl_bitshuffle_compress (const void *in, gsize n, guint element, guint8 *out)
{
  guint8 shuffled[BLOCK_BYTES];
  gsize per_block = BLOCK_BYTES / element / 8 * 8;
  guint8 *at = put_be (put_be (out, n * element, 8), per_block * element, 4);
  gsize whole = n / 8 * 8, left_over = (n - whole) * element;
  for (gsize done = 0; done < whole; done += per_block)
    {
      gsize count = MIN (per_block, whole - done);
      shuffle_bits ((const guint8 *) in + done * element, count, element, shuffled);
      int stored = LZ4_compress_default ((const char *) shuffled, (char *) at + 4, (int) (count * element),
                                         LZ4_compressBound (BLOCK_BYTES));
      put_be (at, (guint64) stored, 4);
      at += 4 + stored;
    }
  memcpy (at, (const guint8 *) in + whole * element, left_over);
  return (gsize) (at - out) + left_over;
}
