/* hash.h: checksums, content hashes and the random numbers that are seeded from them.
 *
 * Whatever must not depend on rank or order (half-sets, learning samples, noise) is drawn from content: hash the
 * shot's id or hkl, seed an FlRandom with it. Thread: any. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, reflected, as in iSCSI). Start with crc = 0 and feed pieces in order. */
uint32_t fl_crc32c (uint32_t crc, const void *data, size_t length);

/* XXH64 (Y. Collet): a 64-bit hash of good quality, the same on every machine. */
uint64_t fl_hash64 (const void *data, size_t length, uint64_t seed);

/* The identity of a shot: its file's name without folders, and its number in the file (from 0). The same shot has the
 * same id wherever its file lies. Never 0. */
uint64_t fl_shot_id (const char *file, uint32_t frame);

/* PCG-like generator (SplitMix64, Steele et al. 2014); one per thing drawn, on the stack. */
typedef struct
{
  uint64_t state;
} FlRandom;

static inline FlRandom
fl_random (uint64_t seed)
{
  return (FlRandom){ seed };
}

static inline uint64_t
fl_random_u64 (FlRandom *r)
{
  uint64_t z = (r->state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

/* Uniform in [0, 1). */
static inline double
fl_random_unit (FlRandom *r)
{
  return (double) (fl_random_u64 (r) >> 11) * 0x1p-53;
}

/* Standard normal (Box and Muller, one of the pair). */
double fl_random_normal (FlRandom *r);

/* Poisson variate of the given mean (≥ 0): inversion below 12, else Hörmann's PTRS (1993). */
uint32_t fl_random_poisson (FlRandom *r, double mean);
