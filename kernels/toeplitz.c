/* toeplitz.c: the product in the transform. */
#include "kernels/toeplitz.h"

#include "kernels/kernel.h"

enum
{
  SHARE = 4096
};

DEVICE_FN void
toeplitz_multiply_body (Team t, uint32_t *sh, const FlkToeplitzArgs *a)
{
  (void) sh;
  uint64_t first = (uint64_t) t.index * SHARE;
  uint32_t n = a->n - first < SHARE ? (uint32_t) (a->n - first) : (uint32_t) SHARE;
  float *RESTRICT data = a->data + 2 * first, *RESTRICT factor = a->factor + first;
  float scale = a->scale;
  if (a->take)
    {
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        factor[i] = data[2 * i];
    }
  else
    {
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        {
          float f = factor[i] * scale;
          data[2 * i] *= f;
          data[2 * i + 1] *= f;
        }
    }
}

KERNEL (toeplitz_multiply, FlkToeplitzArgs, uint32_t, 256)
