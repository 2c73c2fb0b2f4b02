/* Of a power of two of bytes in vectors, all orders here are reached by one step, the perfect shuffle: the halves are
 * interleaved, which rotates the bits of each byte's place to the left. */
#include "engine/shots/shuffle.h"

#include <string.h>

/* So that arrays of vectors are registers. */
#define UNROLL  _Pragma ("GCC unroll 8")
#define INLINED static inline __attribute__ ((always_inline))
#define AT_ONCE 16 /* bytes of a vector */

typedef guint8 Bytes __attribute__ ((vector_size (AT_ONCE)));
typedef guint64 Words __attribute__ ((vector_size (AT_ONCE)));

#ifdef __clang__
#define INTERLEAVE(a, b, ...) __builtin_shufflevector (a, b, __VA_ARGS__)
#else
#define INTERLEAVE(a, b, ...) __builtin_shuffle (a, b, (Bytes){ __VA_ARGS__ })
#endif

INLINED void
rotate (Bytes *v, guint n, guint times)
{
  UNROLL
  for (guint t = 0; n > 1 && t < times; t++)
    {
      Bytes to[8];
      UNROLL
      for (guint k = 0; k < n / 2; k++)
        {
          Bytes a = v[k], b = v[k + n / 2];
          to[2 * k] = INTERLEAVE (a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
          to[2 * k + 1] = INTERLEAVE (a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
      UNROLL
      for (guint k = 0; k < n; k++)
        v[k] = to[k];
    }
}

INLINED guint
log_2 (guint element)
{
  return element == 8 ? 3 : element / 2;
}

/* A loop for each size, and none for others. */
#define WITH_ELEMENT(f, in, out, n, element)                                                                 \
  ((element) == 1   ? f (in, out, n, 1)                                                                      \
   : (element) == 2 ? f (in, out, n, 2)                                                                      \
   : (element) == 4 ? f (in, out, n, 4)                                                                      \
   : (element) == 8 ? f (in, out, n, 8)                                                                      \
                    : 0)

/* --- bytes --- */

INLINED gsize
unshuffle_bytes (const guint8 *in, guint8 *out, gsize n, guint element)
{
  gsize i = 0;
  for (; i + AT_ONCE <= n; i += AT_ONCE)
    {
      Bytes v[8];
      UNROLL
      for (guint b = 0; b < element; b++)
        memcpy (&v[b], in + b * n + i, AT_ONCE);
      rotate (v, element, log_2 (element));
      memcpy (out + i * element, v, element * AT_ONCE);
    }
  return i;
}

void
fl_unshuffle_bytes (const guint8 *in, guint8 *out, gsize size, guint element)
{
  gsize n = size / element, done = WITH_ELEMENT (unshuffle_bytes, in, out, n, element);
  for (gsize i = done; i < n; i++)
    for (guint b = 0; b < element; b++)
      out[i * element + b] = in[b * n + i];
  memcpy (out + n * element, in + n * element, size - n * element);
}

/* --- bits --- */

INLINED void
swap_bits (Bytes *a, Bytes *b, int shift, guint64 mask)
{
  Words x = (Words) *a, y = (Words) *b, t = ((x >> shift) ^ y) & mask;
  *a = (Bytes) (x ^ t << shift);
  *b = (Bytes) (y ^ t);
}

/* The 8 × 8 bits of the same byte of eight vectors, in three steps that swap squares of bits (Warren, Hacker's Delight). */
INLINED void
transpose_bits (Bytes v[8])
{
  UNROLL
  for (guint k = 0; k < 4; k++)
    swap_bits (&v[k], &v[k + 4], 4, 0x0f0f0f0f0f0f0f0full);
  UNROLL
  for (guint k = 0; k < 4; k++)
    swap_bits (&v[k + (k & 2)], &v[k + (k & 2) + 2], 2, 0x3333333333333333ull);
  UNROLL
  for (guint k = 0; k < 8; k += 2)
    swap_bits (&v[k], &v[k + 1], 1, 0x5555555555555555ull);
}

/* 128 elements at a time; the number of bytes of a plane that are done. */
INLINED gsize
unshuffle_bits (const guint8 *in, guint8 *out, gsize plane, guint element)
{
  gsize j = 0;
  for (; j + AT_ONCE <= plane; j += AT_ONCE)
    {
      Bytes v[8][8], w[8];
      UNROLL
      for (guint b = 0; b < element; b++)
        {
          UNROLL
          for (guint k = 0; k < 8; k++)
            memcpy (&v[b][k], in + (8 * b + k) * plane + j, AT_ONCE);
          transpose_bits (v[b]); /* now byte j of v[b][i] is of element 8 j + i */
          rotate (v[b], 8, 3);
        }
      UNROLL
      for (guint i = 0; i < 8; i++)
        {
          UNROLL
          for (guint b = 0; b < element; b++)
            w[b] = v[b][i];
          rotate (w, element, log_2 (element));
          memcpy (out + (8 * j + AT_ONCE * i) * element, w, element * AT_ONCE);
        }
    }
  return j;
}

INLINED gsize
shuffle_bits (const guint8 *in, guint8 *out, gsize plane, guint element)
{
  gsize j = 0;
  for (; j + AT_ONCE <= plane; j += AT_ONCE)
    {
      Bytes v[8][8], w[8];
      UNROLL
      for (guint i = 0; i < 8; i++)
        {
          memcpy (w, in + (8 * j + AT_ONCE * i) * element, element * AT_ONCE);
          rotate (w, element, 4);
          UNROLL
          for (guint b = 0; b < element; b++)
            v[b][i] = w[b];
        }
      UNROLL
      for (guint b = 0; b < element; b++)
        {
          rotate (v[b], 8, 4);
          transpose_bits (v[b]);
          UNROLL
          for (guint k = 0; k < 8; k++)
            memcpy (out + (8 * b + k) * plane + j, &v[b][k], AT_ONCE);
        }
    }
  return j;
}

/* Eight bytes, `apart` from each other: bit k of byte i becomes bit i of byte k. */
static void
transpose_byte (const guint8 *in, gsize apart, guint8 *out, gsize out_apart)
{
  for (guint k = 0; k < 8; k++)
    {
      guint byte = 0;
      for (guint i = 0; i < 8; i++)
        byte |= (in[i * apart] >> k & 1u) << i;
      out[k * out_apart] = (guint8) byte;
    }
}

void
fl_unshuffle_bits (const guint8 *in, guint8 *out, gsize n, guint element)
{
  gsize plane = n / 8, done = WITH_ELEMENT (unshuffle_bits, in, out, plane, element);
  for (gsize j = done; j < plane; j++)
    for (guint b = 0; b < element; b++)
      transpose_byte (in + 8 * b * plane + j, plane, out + 8 * j * element + b, element);
}

void
fl_shuffle_bits (const guint8 *in, guint8 *out, gsize n, guint element)
{
  gsize plane = n / 8, done = WITH_ELEMENT (shuffle_bits, in, out, plane, element);
  for (gsize j = done; j < plane; j++)
    for (guint b = 0; b < element; b++)
      transpose_byte (in + 8 * j * element + b, element, out + 8 * b * plane + j, plane);
}
