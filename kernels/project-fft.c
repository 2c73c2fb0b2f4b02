/* project-fft.c: sixteen directions a team; eight complex transforms side by side, each of two directions. */
#include "kernels/project-fft.h"

#include "kernels/kernel.h"

enum
{
  SIZE = FLK_PROJECT_SIZE,
  LOG_SIZE = 9,
  LANES = FLK_PROJECT_TEAM / 2
};

/* Unrolled first, the lanes would not be taken together. */
#ifdef BACKEND_CPU
#define LANE_LOOP _Pragma ("GCC ivdep") _Pragma ("GCC unroll 1")
#else
#define LANE_LOOP
#endif

/* [part][bin][lane]: direction 2 lane in the real part, 2 lane + 1 in the imaginary one. */
typedef struct
{
  union
  {
    uint32_t count[2][SIZE][LANES];
    float value[2][SIZE][LANES];
  };
  uint16_t place[SIZE / 2]; /* where the transform leaves k */
} ProjectShared;

DEVICE_FN void
project_count (Team t, ProjectShared *sh, const FlkProjectFftArgs *a)
{
  const float *ux = a->direction + t.index * FLK_PROJECT_TEAM;
  const float *uy = ux + a->n_directions, *uz = uy + a->n_directions;
  float per_bin = 1.0f / a->bin;
  TEAM_LOOP (i, 2 * SIZE * LANES, t)
    (&sh->count[0][0][0])[i] = 0;
  team_barrier (t);
  TEAM_LOOP (j, a->n, t)
    {
      float x = a->q[j] * per_bin, y = a->q[a->n + (uint32_t) j] * per_bin,
            z = a->q[2 * a->n + (uint32_t) j] * per_bin;
      int32_t bin[FLK_PROJECT_TEAM];
      for (int d = 0; d < FLK_PROJECT_TEAM; d++)
        bin[d] = (int32_t) round_even (x * ux[d] + y * uy[d] + z * uz[d]) & (SIZE - 1);
      for (int d = 0; d < FLK_PROJECT_TEAM; d++)
        team_add_u32 (&sh->count[d & 1][bin[d]][d >> 1], 1);
    }
  team_barrier (t);
  TEAM_LOOP (i, 2 * SIZE * LANES, t)
    (&sh->value[0][0][0])[i] = (float) (&sh->count[0][0][0])[i];
  team_barrier (t);
}

/* Decimation in frequency, in place; the result lies in bit-reversed order. */
DEVICE_FN void
project_transform (Team t, ProjectShared *sh, const float *turn)
{
  for (int half = SIZE / 2; half >= 1; half /= 2)
    {
      int stride = SIZE / 2 / half;
      TEAM_LOOP (i, SIZE / 2, t)
        {
          int j = i & (half - 1), low = 2 * (i - j) + j, high = low + half;
          float c = turn[j * stride], s = turn[SIZE / 2 + j * stride];
          float *RESTRICT low_re = sh->value[0][low], *RESTRICT low_im = sh->value[1][low];
          float *RESTRICT high_re = sh->value[0][high], *RESTRICT high_im = sh->value[1][high];
          LANE_LOOP
          for (int lane = 0; lane < LANES; lane++)
            {
              float re = low_re[lane] - high_re[lane], im = low_im[lane] - high_im[lane];
              low_re[lane] += high_re[lane];
              low_im[lane] += high_im[lane];
              high_re[lane] = re * c - im * s;
              high_im[lane] = re * s + im * c;
            }
        }
      team_barrier (t);
    }
}

DEVICE_FN int
project_place (int k)
{
  int place = 0;
  for (int bit = 0; bit < LOG_SIZE; bit++)
    place |= ((k >> bit) & 1) << (LOG_SIZE - 1 - bit);
  return place;
}

DEVICE_FN void
project_keep (FlkProjectPeak *best, float k, float left, float here, float right)
{
  float curve = left - 2 * here + right, slope = right - left;
  float shift = curve < 0 ? -0.5f * slope / curve : 0;
  FlkProjectPeak peak = { k + shift, here + 0.25f * slope * shift };
  for (int i = 0; i < FLK_PROJECT_PEAKS; i++)
    if (peak.score > best[i].score)
      {
        FlkProjectPeak other = best[i];
        best[i] = peak;
        peak = other;
      }
}

DEVICE_FN void
project_fft_body (Team t, ProjectShared *sh, const FlkProjectFftArgs *a)
{
  project_count (t, sh, a);
  project_transform (t, sh, a->turn);
  /* The real part of each of the two: half the sum over ±k. Written over the places that nobody reads any more. */
  TEAM_LOOP (k, SIZE / 2, t)
    {
      int plus = project_place (k), minus = project_place ((SIZE - k) & (SIZE - 1));
      for (int part = 0; part < 2; part++)
        for (int lane = 0; lane < LANES; lane++)
          sh->value[part][plus][lane] = 0.5f * (sh->value[part][plus][lane] + sh->value[part][minus][lane]);
      sh->place[k] = (uint16_t) plus;
    }
  team_barrier (t);
  TEAM_LOOP (d, FLK_PROJECT_TEAM, t)
    {
      FlkProjectPeak best[FLK_PROJECT_PEAKS];
      for (int i = 0; i < FLK_PROJECT_PEAKS; i++)
        {
          best[i].k = 0;
          best[i].score = a->least;
        }
      const float *value = &sh->value[d & 1][0][d >> 1];
      for (int k = (int) a->k_min; k <= (int) a->k_max; k++)
        {
          float here = value[sh->place[k] * LANES];
          if (here <= best[FLK_PROJECT_PEAKS - 1].score)
            continue;
          float left = value[sh->place[k - 1] * LANES], right = value[sh->place[k + 1] * LANES];
          if (here > left && here >= right)
            project_keep (best, (float) k, left, here, right);
        }
      for (int i = 0; i < FLK_PROJECT_PEAKS; i++)
        a->peaks[(t.index * FLK_PROJECT_TEAM + (uint32_t) d) * FLK_PROJECT_PEAKS + (uint32_t) i] = best[i];
    }
  /* The next team of this thread starts with what this one leaves. */
  team_barrier (t);
}

KERNEL (project_fft, FlkProjectFftArgs, ProjectShared, 256)
