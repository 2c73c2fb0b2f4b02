/* words.h: self-test of the shim. Kernel "words": teams = n / chunk, rounded up. */
#pragma once

#include <stdint.h>

typedef struct
{
  float rounded, sine, cosine; /* of x; sin πx, cos πx */
  float power, logarithm;      /* 2^(x / 16), log2 (1 + |x|) */
  float modulus, argument;     /* exp (iπx) times its conjugate: 1, 0 */
} FlkWords;

typedef struct
{
  uint32_t scan_end, scan_total, sum_u32, count; /* each the team's share of n */
  float sum_f32;
  double sum_f64;
  int64_t sum_i64; /* of x cut to whole numbers */
} FlkWordsTeam;

typedef struct
{
  float f32;
  uint32_t max_u32, cas_u32; /* n − 1; 3 a team */
  double f64;
  int64_t i64;
  uint64_t u64; /* n */
} FlkWordsTotals;

typedef struct
{
  const float *in;        /* n, |x| < 1000 */
  FlkWords *words;        /* out, n */
  FlkWordsTeam *teams;    /* out, one a team */
  FlkWordsTotals *totals; /* in and out */
  uint32_t n, chunk;
} FlkWordsArgs;
