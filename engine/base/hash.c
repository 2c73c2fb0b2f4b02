#include "engine/base/hash.h"

#include <math.h>
#include <string.h>

#define CASTAGNOLI 0x82f63b78u

static uint32_t crc_table[8][256];

/* Filled before main, so that no thread can meet it half done. */
__attribute__ ((constructor)) static void
crc_table_fill (void)
{
  for (uint32_t i = 0; i < 256; i++)
    {
      uint32_t c = i;
      for (int k = 0; k < 8; k++)
        c = (c >> 1) ^ (CASTAGNOLI & (0u - (c & 1u)));
      crc_table[0][i] = c;
    }
  for (uint32_t i = 0; i < 256; i++)
    for (int t = 1; t < 8; t++)
      crc_table[t][i] = (crc_table[t - 1][i] >> 8) ^ crc_table[0][crc_table[t - 1][i] & 255u];
}

uint32_t
fl_crc32c (uint32_t crc, const void *data, size_t length)
{
  const unsigned char *p = data;
  crc = ~crc;
  for (; length >= 8; length -= 8, p += 8)
    {
      uint32_t lo, hi;
      memcpy (&lo, p, 4);
      memcpy (&hi, p + 4, 4);
      lo ^= crc;
      crc = crc_table[7][lo & 255u] ^ crc_table[6][(lo >> 8) & 255u] ^ crc_table[5][(lo >> 16) & 255u]
            ^ crc_table[4][lo >> 24] ^ crc_table[3][hi & 255u] ^ crc_table[2][(hi >> 8) & 255u]
            ^ crc_table[1][(hi >> 16) & 255u] ^ crc_table[0][hi >> 24];
    }
  while (length-- > 0)
    crc = (crc >> 8) ^ crc_table[0][(crc ^ *p++) & 255u];
  return ~crc;
}

#define P1 0x9e3779b185ebca87ull
#define P2 0xc2b2ae3d27d4eb4full
#define P3 0x165667b19e3779f9ull
#define P4 0x85ebca77c2b2ae63ull
#define P5 0x27d4eb2f165667c5ull

static inline uint64_t
rotate (uint64_t x, int r)
{
  return (x << r) | (x >> (64 - r));
}

static inline uint64_t
round64 (uint64_t acc, uint64_t lane)
{
  return rotate (acc + lane * P2, 31) * P1;
}

static inline uint64_t
load64 (const unsigned char *p)
{
  uint64_t v;
  memcpy (&v, p, 8);
  return v;
}

uint64_t
fl_hash64 (const void *data, size_t length, uint64_t seed)
{
  const unsigned char *p = data, *end = p + length;
  uint64_t h;
  if (length >= 32)
    {
      uint64_t v[4] = { seed + P1 + P2, seed + P2, seed, seed - P1 };
      for (; end - p >= 32; p += 32)
        for (int i = 0; i < 4; i++)
          v[i] = round64 (v[i], load64 (p + 8 * i));
      h = rotate (v[0], 1) + rotate (v[1], 7) + rotate (v[2], 12) + rotate (v[3], 18);
      for (int i = 0; i < 4; i++)
        h = (h ^ round64 (0, v[i])) * P1 + P4;
    }
  else
    h = seed + P5;
  h += (uint64_t) length;
  for (; end - p >= 8; p += 8)
    h = rotate (h ^ round64 (0, load64 (p)), 27) * P1 + P4;
  if (end - p >= 4)
    {
      uint32_t w;
      memcpy (&w, p, 4);
      h = rotate (h ^ (w * P1), 23) * P2 + P3;
      p += 4;
    }
  for (; p < end; p++)
    h = rotate (h ^ (*p * P5), 11) * P1;
  h = (h ^ (h >> 33)) * P2;
  h = (h ^ (h >> 29)) * P3;
  return h ^ (h >> 32);
}

uint64_t
fl_shot_id (const char *file, uint32_t frame)
{
  const char *slash = strrchr (file, '/');
  const char *name = slash != NULL ? slash + 1 : file;
  uint64_t id = fl_hash64 (name, strlen (name), frame);
  return id != 0 ? id : 1;
}

double
fl_random_normal (FlRandom *r)
{
  double u = 1 - fl_random_unit (r), v = fl_random_unit (r);
  return sqrt (-2 * log (u)) * cos (2 * 3.14159265358979323846 * v);
}

uint32_t
fl_random_poisson (FlRandom *r, double mean)
{
  if (mean < 12)
    {
      double limit = exp (-mean), product = fl_random_unit (r);
      uint32_t k = 0;
      for (; product > limit; k++)
        product *= fl_random_unit (r);
      return k;
    }
  double slam = sqrt (mean), loglam = log (mean), b = 0.931 + 2.53 * slam, a = -0.059 + 0.02483 * b;
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;)
    {
      double u = fl_random_unit (r) - 0.5, v = fl_random_unit (r), us = 0.5 - fabs (u);
      double k = floor ((2 * a / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= v_r)
        return (uint32_t) k;
      if (k < 0 || (us < 0.013 && v > us))
        continue;
      if (log (v) + log (inverse_alpha) - log (a / (us * us) + b) <= -mean + k * loglam - lgamma (k + 1))
        return (uint32_t) k;
    }
}
