/* phasing.c: projections, supports, shells. Sums go over 64 lanes a team, whoever works on them, and then in a tree. */
#include "kernels/phasing.h"

#include "kernels/kernel.h"

enum
{
  SHARE = FLK_PHASING_SHARE,
  SUM_LANES = 64,
  GROUP = TEAM_IS_ONE ? 16 : 1 /* lanes a thread has at once */
};

typedef struct
{
  double sum[SUM_LANES][2];
} PhasingShared;

/* Items of this team from `first` on. */
DEVICE_FN uint32_t
share_of (Team t, uint64_t n, uint64_t *first)
{
  *first = (uint64_t) t.index * SHARE;
  return n - *first < SHARE ? (uint32_t) (n - *first) : (uint32_t) SHARE;
}

DEVICE_FN void
sums_out (Team t, PhasingShared *sh, double *sums)
{
  team_barrier (t);
  if (t.rank == 0 && sums)
    for (int k = 0; k < 2; k++)
      {
        for (int half = SUM_LANES / 2; half >= 1; half /= 2)
          for (int l = 0; l < half; l++)
            sh->sum[l][k] += sh->sum[l + half][k];
        sums[2 * t.index + (uint32_t) k] = sh->sum[0][k];
      }
  team_barrier (t);
}

DEVICE_FN void
phasing_amplitudes_body (Team t, PhasingShared *sh, const FlkAmplitudesArgs *a)
{
  uint64_t first;
  uint32_t n = share_of (t, a->n_moduli, &first);
  TEAM_LOOP (lane, SUM_LANES, t)
    {
      double sum[2] = { 0, 0 };
      for (uint32_t i = (uint32_t) lane; i < n; i += SUM_LANES)
        {
          FlkModulus m = a->moduli[first + i];
          float *f = a->grid + 2 * (size_t) m.at, *g = a->grid + 2 * (size_t) m.opposite;
          float r1 = 0.5f * (f[0] + g[0]), i1 = 0.5f * (f[1] - g[1]), r2 = 0.5f * (f[1] + g[1]),
                i2 = 0.5f * (g[0] - f[0]);
          float size1 = sqrtf (r1 * r1 + i1 * i1 + FLT_MIN), size2 = sqrtf (r2 * r2 + i2 * i2 + FLT_MIN);
          float s1 = m.amplitude / size1, s2 = m.amplitude / size2;
          sum[0] += (double) fabsf (size1 - m.amplitude);
          sum[1] += (double) fabsf (size2 - m.amplitude);
          if (a->keep)
            continue;
          r1 *= s1;
          i1 *= s1;
          r2 *= s2;
          i2 *= s2;
          f[0] = r1 - i2;
          f[1] = i1 + r2;
          g[0] = r1 + i2;
          g[1] = r2 - i1;
        }
      sh->sum[lane][0] = sum[0];
      sh->sum[lane][1] = sum[1];
    }
  sums_out (t, sh, a->sums);
}

DEVICE_FN float
update_one (const FlkUpdateArgs *a, const int step, float old, float p, float other, float mask)
{
  float beta = a->beta, kept;
  switch (step)
    {
    case FLK_PHASING_ER:
      return mask * p > 0 ? p : 0;
    case FLK_PHASING_HIO:
      return mask * p > 0 ? p : old - beta * p;
    case FLK_PHASING_RAAR:
      return mask * (2 * p - old) > 0 ? p : beta * old + (1 - 2 * beta) * p;
    case FLK_PHASING_DM_ESTIMATE:
      kept = mask * old > 0 ? old : 0;
      return (1 + a->gamma1) * kept - a->gamma1 * old;
    default:
      kept = (1 + a->gamma2) * p - a->gamma2 * old;
      kept = mask * kept > 0 ? kept : 0;
      return old + beta * (kept - other);
    }
}

DEVICE_FN void
update_share (Team t, PhasingShared *sh, const FlkUpdateArgs *a, const int step)
{
  uint64_t first;
  uint32_t n = share_of (t, a->n, &first);
  TEAM_LOOP (part, SUM_LANES / GROUP, t)
    {
      double sum[GROUP] = { 0 };
      for (uint32_t i = (uint32_t) part * GROUP; i < n; i += SUM_LANES)
        {
          uint32_t many = n - i < GROUP ? n - i : (uint32_t) GROUP;
          float change[GROUP] = { 0 };
          for (uint32_t l = 0; l < many; l++)
            {
              uint64_t at = first + i + l;
              float old = a->old[at], p = a->projected ? a->scale * a->projected[at] : 0;
              float now = update_one (a, step, old, p, a->other ? a->scale * a->other[at] : 0, a->mask[at]);
              a->now[at] = now;
              change[l] = now - old;
            }
          for (int l = 0; l < GROUP; l++)
            sum[l] += (double) change[l] * (double) change[l];
        }
      for (int l = 0; l < GROUP; l++)
        {
          int lane = part * GROUP + l;
          sh->sum[lane][lane % 2] = sum[l];
          sh->sum[lane][1 - lane % 2] = 0;
        }
    }
  sums_out (t, sh, a->sums);
}

DEVICE_FN void
phasing_update_body (Team t, PhasingShared *sh, const FlkUpdateArgs *a)
{
  if (a->step == FLK_PHASING_ER)
    update_share (t, sh, a, FLK_PHASING_ER);
  else if (a->step == FLK_PHASING_HIO)
    update_share (t, sh, a, FLK_PHASING_HIO);
  else if (a->step == FLK_PHASING_RAAR)
    update_share (t, sh, a, FLK_PHASING_RAAR);
  else if (a->step == FLK_PHASING_DM_ESTIMATE)
    update_share (t, sh, a, FLK_PHASING_DM_ESTIMATE);
  else
    update_share (t, sh, a, FLK_PHASING_DM);
}

DEVICE_FN void
phasing_blur_body (Team t, PhasingShared *sh, const FlkBlurArgs *a)
{
  (void) sh;
  uint64_t first, n = a->n;
  uint32_t share = share_of (t, n * n * n, &first);
  TEAM_LOOP (i, share, t)
    {
      uint64_t at = first + (uint32_t) i, row = at / n;
      float f = a->factor[at % n] * (a->factor[row % n] * a->factor[row / n]);
      a->grid[2 * at] *= f;
      a->grid[2 * at + 1] *= f;
    }
}

DEVICE_FN void
support_count_body (Team t, PhasingShared *sh, const FlkSupportArgs *a)
{
  (void) sh;
  uint64_t first;
  uint32_t n = share_of (t, a->n, &first);
  TEAM_LOOP (i, n, t)
    {
      float value = a->values[first + (uint32_t) i];
      uint32_t bits, k = (uint32_t) ((first + (uint32_t) i) % 2);
      memcpy (&bits, &value, sizeof bits);
      if (value > 0 && (!a->lower || bits >> 16 == a->upper[k]))
        (void) atomic_add_u32 (&a->count[k * FLK_SUPPORT_BINS + (a->lower ? bits & 0xffff : bits >> 16)], 1);
    }
}

DEVICE_FN void
support_draw_body (Team t, PhasingShared *sh, const FlkSupportArgs *a)
{
  (void) sh;
  uint64_t first;
  uint32_t n = share_of (t, a->n, &first);
  TEAM_LOOP (i, n, t)
    {
      uint64_t at = first + (uint32_t) i;
      a->mask[at] = a->values[at] >= a->least[at % 2] ? 1 : 0;
    }
}

/* Weights of the neighbours at −1, 0, 1, 2 of a place `f` beyond the one at 0. */
DEVICE_FN void
turn_weights (bool cubic, float f, float w[4])
{
  w[0] = cubic ? f * (f * (1 - 0.5f * f) - 0.5f) : 0;
  w[1] = cubic ? 1 + f * f * (1.5f * f - 2.5f) : 1 - f;
  w[2] = cubic ? f * (0.5f + f * (2 - 1.5f * f)) : f;
  w[3] = cubic ? f * f * (0.5f * f - 0.5f) : 0;
}

DEVICE_FN float
turn_value (const FlkTurnArgs *a, const float at[3])
{
  float w[3][4], sum = 0;
  int32_t cell[3], m = (int32_t) a->m;
  for (int d = 0; d < 3; d++)
    {
      if (!(at[d] >= 0 && at[d] <= (float) (m - 1)))
        return 0;
      cell[d] = (int32_t) at[d];
      turn_weights (a->cubic, at[d] - (float) cell[d], w[d]);
    }
  for (int z = 0; z < 4; z++)
    for (int y = 0; y < 4; y++)
      {
        int32_t az = cell[2] + z - 1, ay = cell[1] + y - 1;
        if (az < 0 || az >= m || ay < 0 || ay >= m)
          continue;
        float row = 0, by = w[2][z] * w[1][y];
        for (int x = 0; x < 4; x++)
          {
            int32_t ax = cell[0] + x - 1;
            if (ax >= 0 && ax < m)
              row += w[0][x] * a->from[((size_t) az * a->m + (size_t) ay) * a->m + (size_t) ax];
          }
        sum += by * row;
      }
  return sum;
}

DEVICE_FN void
volume_turn_body (Team t, PhasingShared *sh, const FlkTurnArgs *a)
{
  (void) sh;
  uint32_t m = a->m, z = t.index;
  float middle = 0.5f * (float) (m - 1);
  TEAM_LOOP (i, m * m, t)
    {
      uint32_t y = (uint32_t) i / m, x = (uint32_t) i % m;
      float from[3] = { (float) x - middle - a->shift[0], (float) y - middle - a->shift[1],
                        (float) z - middle - a->shift[2] };
      float at[3];
      for (int d = 0; d < 3; d++)
        at[d] = a->inverse[3 * d] * from[0] + a->inverse[3 * d + 1] * from[1]
                + a->inverse[3 * d + 2] * from[2] + middle;
      a->to[((size_t) z * m + y) * m + x] = turn_value (a, at);
    }
}

/* The smallest i ≥ 0 with i² ≥ v. */
DEVICE_FN int32_t
root_from (int32_t v)
{
  int32_t i = v <= 0 ? 0 : (int32_t) sqrtf ((float) v);
  while (i * i < v)
    i++;
  while (i > 0 && (i - 1) * (i - 1) >= v)
    i--;
  return i;
}

DEVICE_FN void
shell_add (const FlkShellsArgs *a, uint64_t at, double sum[3])
{
  double ar = (double) a->a[2 * at], ai = (double) a->a[2 * at + 1], br = (double) a->b[2 * at],
         bi = (double) a->b[2 * at + 1];
  sum[0] += ar * br + ai * bi;
  sum[1] += ar * ar + ai * ai;
  sum[2] += br * br + bi * bi;
}

/* A thread has some shells: of each row of the plane the two runs that lie in one. */
DEVICE_FN void
shell_sums_body (Team t, PhasingShared *sh, const FlkShellsArgs *a)
{
  (void) sh;
  int32_t n = (int32_t) a->n, half = n / 2,
          z = (int32_t) t.index < half ? (int32_t) t.index : (int32_t) t.index - n;
  TEAM_LOOP (s, a->n_shells, t)
    {
      double sum[3] = { 0, 0, 0 };
      for (int32_t iy = 0; iy < n; iy++)
        {
          int32_t y = iy < half ? iy : iy - n, rest = y * y + z * z;
          /* (s − ½)² ≤ k² < (s + ½)² of whole k². */
          int32_t from = root_from (s * s - s + (s > 0) - rest), to = root_from (s * s + s + 1 - rest);
          uint64_t row = ((uint64_t) t.index * (uint64_t) n + (uint64_t) iy) * (uint64_t) n;
          for (int32_t x = from; x < to && x <= half; x++)
            {
              if (x < half)
                shell_add (a, row + (uint64_t) x, sum);
              if (x > 0)
                shell_add (a, row + (uint64_t) (n - x), sum);
            }
        }
      for (int k = 0; k < 3; k++)
        a->sums[((size_t) t.index * a->n_shells + (uint32_t) s) * 3 + (uint32_t) k] = sum[k];
    }
}

KERNEL (phasing_amplitudes, FlkAmplitudesArgs, PhasingShared, 64)
KERNEL (phasing_update, FlkUpdateArgs, PhasingShared, 64)
KERNEL (phasing_blur, FlkBlurArgs, PhasingShared, 256)
KERNEL (support_count, FlkSupportArgs, PhasingShared, 256)
KERNEL (support_draw, FlkSupportArgs, PhasingShared, 256)
KERNEL (volume_turn, FlkTurnArgs, PhasingShared, 256)
KERNEL (shell_sums, FlkShellsArgs, PhasingShared, 128)
