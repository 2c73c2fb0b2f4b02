/* means.c: patterns added to the rotations that they may have had. A team has a block of rotations. */
#include "kernels/means.h"

#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"

enum
{
  BLOCK = FLK_ORIENT_BLOCK,
  FEW = 6, /* rotations that are cheaper one by one than all together */
  PARTS = 4
};

typedef struct
{
  uint32_t lane[BLOCK], n;
} MeansShared;

DEVICE_FN void
means_weight (Team t, const FlkMeansArgs *a, const float *probability)
{
  TEAM_LOOP (lane, a->weight ? BLOCK : 0, t)
    {
      float *weight = a->weight + (size_t) t.index * BLOCK + (uint32_t) lane, sum = a->add ? *weight : 0;
      for (uint32_t d = 0; d < a->n_patterns; d++)
        sum += probability[(size_t) d * BLOCK + (uint32_t) lane] * (a->scale ? a->scale[d] : 1);
      *weight = sum;
    }
}

#if TEAM_IS_ONE

DEVICE_FN uint32_t
means_lanes (const float *p, uint32_t lane[BLOCK])
{
  uint32_t any[BLOCK], n = 0;
  for (int l = 0; l < BLOCK; l++)
    any[l] = p[l] != 0;
  for (int half = BLOCK / 2; half >= 1; half /= 2)
    for (int l = 0; l < half; l++)
      any[l] += any[l + half];
  if (any[0] > 0)
    for (uint32_t l = 0; l < BLOCK; l++)
      {
        lane[n] = l;
        n += p[l] != 0;
      }
  return n;
}

DEVICE_FN void
means_pattern (Team t, MeansShared *sh, const FlkMeansArgs *a, float *means, const float *p, uint32_t d)
{
  (void) t;
  uint32_t n = means_lanes (p, sh->lane);
  if (n == 0)
    return;
  for (uint32_t i = a->start[d]; i < a->start[d + 1]; i++)
    {
      float count = a->lit[i].count, *RESTRICT to = means + (size_t) a->lit[i].pixel * BLOCK;
      if (n <= FEW)
        for (uint32_t k = 0; k < n; k++)
          to[sh->lane[k]] += count * p[sh->lane[k]];
      else
        for (int l = 0; l < BLOCK; l += NATIVE)
          *(Lanes *) (to + l) += count * *(const Lanes *) (p + l);
    }
}

#else /* a thread has a lane and the pixels that leave its remainder */

DEVICE_FN void
means_pattern (Team t, MeansShared *sh, const FlkMeansArgs *a, float *means, const float *p, uint32_t d)
{
  (void) sh;
  TEAM_LOOP (own, BLOCK * PARTS, t)
    {
      uint32_t lane = (uint32_t) own % BLOCK, part = (uint32_t) own / BLOCK;
      float probability = p[lane];
      if (probability == 0)
        continue;
      for (uint32_t i = a->start[d]; i < a->start[d + 1]; i++)
        if (a->lit[i].pixel % PARTS == part)
          means[(size_t) a->lit[i].pixel * BLOCK + lane] += a->lit[i].count * probability;
    }
}

#endif

DEVICE_FN void
means_body (Team t, MeansShared *sh, const FlkMeansArgs *a)
{
  float *means = a->means + (size_t) t.index * a->n_pixels * BLOCK;
  const float *probability = a->probability + (size_t) t.index * a->n_patterns * BLOCK;
  if (!a->add)
    TEAM_LOOP (i, a->n_pixels * BLOCK, t)
      means[i] = 0;
  team_barrier (t);
  means_weight (t, a, probability);
  for (uint32_t d = 0; d < a->n_patterns; d++)
    means_pattern (t, sh, a, means, probability + (size_t) d * BLOCK, d);
  team_barrier (t);
}

KERNEL (means, FlkMeansArgs, MeansShared, 256)
