/* kernel_math.h: the same mathematics, bit for bit, on every back end; polynomials that the CPU's vectoriser takes.
 * Included by kernel.h. Accuracies are those that tests/kernels/test-words.c demands. */
/* Columns and macros that it would tear apart. */
/* clang-format off */
#pragma once

/* To the nearest whole number, halves to even; |x| < 2^22. Two additions, since rounding has no instruction at
 * baseline x86-64. */
DEVICE_FN float
round_even (float x)
{
#ifdef BACKEND_GPU
  return rintf (x);
#else
  const float magic = 12582912.0f; /* 1.5 × 2^23 */
  return (x + magic) - magic;
#endif
}

/* sin (π x) and cos (π x), |x| < 2^21; errors below 3e-7. */
DEVICE_FN void
sincospi_f32 (float x, float *s, float *c)
{
  float half = round_even (2.0f * x); /* x = half / 2 + r, |r| <= 1/4 */
  float r = x - 0.5f * half;
  float z = r * r;
  float sine = r * (3.14159264f + z * (-5.16771008f + z * (2.55007752f + z * (-0.598291286f + z * 0.0776576605f))));
  float cosine = 1.0f + z * (-4.93480214f + z * (4.05870916f + z * (-1.335212f + z * (0.234937313f
                 - z * 0.0243963237f))));
  int quadrant = (int) half;
  float odd = (float) (quadrant & 1);
  float first = (1.0f - odd) * sine + odd * cosine, second = (1.0f - odd) * cosine + odd * sine;
  *s = (float) (1 - (quadrant & 2)) * first;
  *c = (float) (1 - ((quadrant + 1) & 2)) * second;
}

/* 2^x, |x| < 126; relative error below 3e-7. */
DEVICE_FN float
exp2_f32 (float x)
{
  float whole = round_even (x);
  float r = x - whole;
  float p = 1.0f + r * (0.693147207f + r * (0.240226512f + r * (0.0555032721f + r * (0.0096180256f
            + r * (0.00134004322f + r * 0.000154697325f)))));
  int32_t bits = ((int32_t) whole + 127) << 23;
  float scale;
  memcpy (&scale, &bits, sizeof scale);
  return p * scale;
}

/* log2 x for normal x > 0; error below 4e-7 + 1e-7 |log2 x|. */
DEVICE_FN float
log2_f32 (float x)
{
  int32_t bits;
  memcpy (&bits, &x, sizeof bits);
  int32_t exponent = (bits - 0x3f3504f3) >> 23; /* the mantissa then lies in [√½, √2) */
  bits -= exponent * (1 << 23);
  memcpy (&x, &bits, sizeof x);
  float r = x - 1.0f;
  return (float) exponent
         + r * (1.442695f + r * (-0.721347333f + r * (0.48091061f + r * (-0.360704828f + r * (0.287918324f
         + r * (-0.23892034f + r * (0.215669859f + r * (-0.207421036f + r * 0.126148468f))))))));
}

/* Complex numbers, laid out as float2, cufftComplex and C's float complex. */
typedef struct
{
  float re, im;
} c32;

DEVICE_FN c32
c32_mul (c32 a, c32 b)
{
  c32 r = { a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
  return r;
}

DEVICE_FN c32
c32_conj (c32 a)
{
  c32 r = { a.re, -a.im };
  return r;
}

/* exp (i π x). */
DEVICE_FN c32
c32_expipi (float x)
{
  c32 r;
  sincospi_f32 (x, &r.im, &r.re);
  return r;
}
