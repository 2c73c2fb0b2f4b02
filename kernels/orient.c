/* orient.c: patterns against blocks of rotations. A team has FLK_ORIENT_TEAM patterns and goes through the batch's blocks
 * in order, so that what it keeps of each pattern needs no other team. */
#include "kernels/orient.h"

#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"

enum
{
  BLOCK = FLK_ORIENT_BLOCK,
  TEAM = FLK_ORIENT_TEAM,
  CHUNK = 128, /* pixels whose sum stays in registers; of a block these are 32 kB */
  PITCH = TEAM_IS_ONE ? BLOCK : BLOCK + 1 /* rows begin in different banks */
};

#define NOTHING -1e30f /* a score below all */

typedef struct
{
  float tile[TEAM][PITCH];
} OrientShared;

/* Patterns first … first + n − 1 of the team against one block. */
typedef struct
{
  uint32_t first, n, block;
} Piece;

#if TEAM_IS_ONE

/* Two chains of sums, so that additions need not wait for each other. */
DEVICE_FN void
sparse_tile (Team t, OrientShared *sh, const FlkOrientArgs *a, Piece p)
{
  (void) t;
  const float *model = a->model + (size_t) p.block * a->n_pixels * BLOCK;
  for (uint32_t m = 0; m < p.n; m++)
    for (uint32_t lane = 0; lane < BLOCK; lane += 4 * NATIVE)
      {
        Lanes sum[2][4] = { { { 0 } } };
        uint32_t i = a->start[p.first + m], end = a->start[p.first + m + 1];
        for (; i + 2 <= end; i += 2)
          for (int chain = 0; chain < 2; chain++)
            {
              const Lanes *l =
                  (const Lanes *) (model + (size_t) a->lit[i + (uint32_t) chain].pixel * BLOCK + lane);
              float count = a->lit[i + (uint32_t) chain].count;
              for (int v = 0; v < 4; v++)
                sum[chain][v] += count * l[v];
            }
        for (; i < end; i++)
          for (int v = 0; v < 4; v++)
            sum[0][v] +=
                a->lit[i].count * ((const Lanes *) (model + (size_t) a->lit[i].pixel * BLOCK + lane))[v];
        for (int v = 0; v < 4; v++)
          ((Lanes *) (sh->tile[m] + lane))[v] = sum[0][v] + sum[1][v];
      }
}

#if NATIVE == 16
#define VECTORS 4
#else
#define VECTORS 2 /* 16 registers */
#endif
#define ROWS 6

/* `rows` patterns times VECTORS vectors of rotations over `n` pixels, added to the tile. */
DEVICE_FN void
dense_rows (float *tile, const float *pattern, size_t stride, const float *model, uint32_t n, const int rows)
{
  Lanes sum[ROWS][VECTORS] = { { { 0 } } };
  for (uint32_t t = 0; t < n; t++)
    {
      Lanes l[VECTORS];
      for (int v = 0; v < VECTORS; v++)
        l[v] = ((const Lanes *) (model + (size_t) t * BLOCK))[v];
      for (int m = 0; m < rows; m++)
        {
          Lanes k = pattern[(size_t) m * stride + t] - (Lanes){ 0 };
          for (int v = 0; v < VECTORS; v++)
            sum[m][v] = lanes_fma (k, l[v], sum[m][v]);
        }
    }
  for (int m = 0; m < rows; m++)
    for (int v = 0; v < VECTORS; v++)
      ((Lanes *) (tile + m * PITCH))[v] += sum[m][v];
}

DEVICE_FN void
dense_tile (Team t, OrientShared *sh, const FlkOrientArgs *a, Piece p)
{
  (void) t;
  memset (sh->tile, 0, sizeof sh->tile);
  for (uint32_t from = 0; from < a->n_pixels; from += CHUNK)
    {
      uint32_t n = a->n_pixels - from < CHUNK ? a->n_pixels - from : (uint32_t) CHUNK;
      for (uint32_t lane = 0; lane < BLOCK; lane += VECTORS * NATIVE)
        {
          const float *model = a->model + ((size_t) p.block * a->n_pixels + from) * BLOCK + lane;
          const float *pattern = a->dense + (size_t) p.first * a->n_pixels + from;
          uint32_t m = 0;
          for (; m + ROWS <= p.n; m += ROWS)
            dense_rows (sh->tile[m] + lane, pattern + (size_t) m * a->n_pixels, a->n_pixels, model, n, ROWS);
          for (; m < p.n; m++)
            dense_rows (sh->tile[m] + lane, pattern + (size_t) m * a->n_pixels, a->n_pixels, model, n, 1);
        }
    }
}

#else /* a thread has a lane and some patterns; the same order of sums, and as fused as CPUs since x86-64-v3 */

DEVICE_FN void
sparse_tile (Team t, OrientShared *sh, const FlkOrientArgs *a, Piece p)
{
  const float *model = a->model + (size_t) p.block * a->n_pixels * BLOCK;
  TEAM_LOOP (own, p.n * BLOCK, t)
    {
      uint32_t m = (uint32_t) own / BLOCK, lane = (uint32_t) own % BLOCK;
      uint32_t i = a->start[p.first + m], end = a->start[p.first + m + 1];
      float sum[2] = { 0, 0 };
      for (; i + 2 <= end; i += 2)
        for (uint32_t chain = 0; chain < 2; chain++)
          sum[chain] += a->lit[i + chain].count * model[(size_t) a->lit[i + chain].pixel * BLOCK + lane];
      if (i < end)
        sum[0] += a->lit[i].count * model[(size_t) a->lit[i].pixel * BLOCK + lane];
      sh->tile[m][lane] = sum[0] + sum[1];
    }
  team_barrier (t);
}

DEVICE_FN void
dense_tile (Team t, OrientShared *sh, const FlkOrientArgs *a, Piece p)
{
  enum
  {
    PARTS = 4,
    ROWS = TEAM / PARTS
  };
  TEAM_LOOP (own, PARTS * BLOCK, t)
    {
      uint32_t lane = (uint32_t) own % BLOCK, m0 = (uint32_t) own / BLOCK * ROWS;
      const float *pattern[ROWS];
      float sum[ROWS], whole[ROWS];
      for (uint32_t m = 0; m < ROWS; m++)
        {
          uint32_t d = m0 + m < p.n ? p.first + m0 + m : p.first;
          pattern[m] = a->dense + (size_t) d * a->n_pixels;
          whole[m] = 0;
        }
      for (uint32_t from = 0; from < a->n_pixels; from += CHUNK)
        {
          uint32_t to = a->n_pixels - from < CHUNK ? a->n_pixels : from + CHUNK;
          for (uint32_t m = 0; m < ROWS; m++)
            sum[m] = 0;
          for (uint32_t i = from; i < to; i++)
            {
              float l = a->model[((size_t) p.block * a->n_pixels + i) * BLOCK + lane];
              for (uint32_t m = 0; m < ROWS; m++)
                sum[m] = fmaf (pattern[m][i], l, sum[m]);
            }
          for (uint32_t m = 0; m < ROWS; m++)
            whole[m] += sum[m];
        }
      for (uint32_t m = 0; m < ROWS; m++)
        sh->tile[m0 + m][lane] = whole[m];
    }
  team_barrier (t);
}

#endif

/* From a row's sums to its scores. */
DEVICE_FN void
score_row (const FlkOrientArgs *a, uint32_t pattern, uint32_t block, float *row)
{
  uint32_t first = block * BLOCK,
           n = a->n_rotations - first < BLOCK ? a->n_rotations - first : (uint32_t) BLOCK;
  float total = a->total[pattern];
  if (a->offset)
    for (uint32_t l = 0; l < n; l++)
      row[l] -= total * a->offset[first + l];
  if (a->prior)
    for (uint32_t l = 0; l < n; l++)
      row[l] += a->prior[first + l];
  for (uint32_t l = n; l < BLOCK; l++)
    row[l] = NOTHING;
}

DEVICE_FN float
row_most (const float *row)
{
  float half[BLOCK / 2];
  for (int l = 0; l < BLOCK / 2; l++)
    half[l] = row[l] > row[l + BLOCK / 2] ? row[l] : row[l + BLOCK / 2];
  for (int n = BLOCK / 4; n >= 1; n /= 2)
    for (int l = 0; l < n; l++)
      half[l] = half[l] > half[l + n] ? half[l] : half[l + n];
  return half[0];
}

DEVICE_FN float
exp_at_most_0 (float x)
{
  x *= 1.44269504f;
  return exp2_f32 (x > -125.0f ? x : -125.0f);
}

/* Whole blocks are added in a tree. */
DEVICE_FN void
log_sum_row (const FlkOrientArgs *a, FlkLogSum *sum, const float *row, float most)
{
  float term[BLOCK], beta = a->beta;
  float now = beta * most > sum->most ? beta * most : sum->most;
  for (int l = 0; l < BLOCK; l++)
    term[l] = exp_at_most_0 (beta * row[l] - now);
  for (int n = BLOCK / 2; n >= 1; n /= 2)
    for (int l = 0; l < n; l++)
      term[l] += term[l + n];
  sum->rest = sum->rest * (double) exp_at_most_0 (sum->most - now) + (double) term[0];
  sum->most = now;
}

DEVICE_FN void
best_row (const FlkOrientArgs *a, uint32_t pattern, uint32_t block, const float *row)
{
  float *score = a->best_score + (size_t) pattern * a->n_best;
  uint32_t *number = a->best + (size_t) pattern * a->n_best;
  for (uint32_t l = 0; l < BLOCK; l++)
    if (row[l] > score[a->n_best - 1])
      {
        uint32_t at = a->n_best - 1;
        for (; at > 0 && row[l] > score[at - 1]; at--)
          {
            score[at] = score[at - 1];
            number[at] = number[at - 1];
          }
        score[at] = row[l];
        number[at] = a->first + block * BLOCK + l;
      }
}

DEVICE_FN void
probability_row (const FlkOrientArgs *a, uint32_t pattern, float *row)
{
  float most = a->log_sum[pattern].most, scale = (float) (1 / a->log_sum[pattern].rest);
  float beta = a->beta, threshold = a->threshold;
  for (int l = 0; l < BLOCK; l++)
    {
      float value = exp_at_most_0 (beta * row[l] - most) * scale;
      row[l] = value >= threshold && row[l] > NOTHING ? value : 0;
    }
}

DEVICE_FN void
orient_begin (Team t, const FlkOrientArgs *a, uint32_t first, uint32_t n)
{
  if (!a->start_over)
    return;
  TEAM_LOOP (m, n, t)
    {
      uint32_t pattern = first + (uint32_t) m;
      for (uint32_t k = 0; a->best && k < a->n_best; k++)
        {
          a->best_score[(size_t) pattern * a->n_best + k] = NOTHING;
          a->best[(size_t) pattern * a->n_best + k] = 0;
        }
      if (a->log_sum && !a->probabilities)
        {
          FlkLogSum none = { NOTHING, 0, 0 };
          a->log_sum[pattern] = none;
        }
    }
  team_barrier (t);
}

DEVICE_FN void
orient_finish (Team t, OrientShared *sh, const FlkOrientArgs *a, Piece p)
{
  TEAM_LOOP (m, p.n, t)
    {
      uint32_t pattern = p.first + (uint32_t) m;
      float *row = sh->tile[m];
      score_row (a, pattern, p.block, row);
      float most = a->best || (a->log_sum && !a->probabilities) ? row_most (row) : 0;
      if (a->best && most > a->best_score[(size_t) pattern * a->n_best + a->n_best - 1])
        best_row (a, pattern, p.block, row);
      if (a->probabilities)
        probability_row (a, pattern, row);
      else if (a->log_sum)
        log_sum_row (a, &a->log_sum[pattern], row, most);
      if (a->scores)
        memcpy (a->scores + ((size_t) p.block * a->n_patterns + pattern) * BLOCK, row, BLOCK * sizeof *row);
    }
  team_barrier (t);
}

DEVICE_FN void
orient_sparse_body (Team t, OrientShared *sh, const FlkOrientArgs *a)
{
  uint32_t first = t.index * TEAM, n = a->n_patterns - first < TEAM ? a->n_patterns - first : (uint32_t) TEAM;
  orient_begin (t, a, first, n);
  /* With ranges of their own patterns come one by one. */
  uint32_t together = a->range ? 1 : n;
  for (uint32_t m = 0; m < n; m += together)
    {
      uint32_t block = a->range ? a->range[first + m] : 0;
      uint32_t end = a->range ? a->range[first + m + 1] : (a->n_rotations + BLOCK - 1) / BLOCK;
      for (; block < end; block++)
        {
          Piece p = { first + m, together, block };
          sparse_tile (t, sh, a, p);
          orient_finish (t, sh, a, p);
        }
    }
}

DEVICE_FN void
orient_dense_body (Team t, OrientShared *sh, const FlkOrientArgs *a)
{
  uint32_t first = t.index * TEAM, n = a->n_patterns - first < TEAM ? a->n_patterns - first : (uint32_t) TEAM;
  orient_begin (t, a, first, n);
  for (uint32_t block = 0; block < (a->n_rotations + BLOCK - 1) / BLOCK; block++)
    {
      Piece p = { first, n, block };
      dense_tile (t, sh, a, p);
      orient_finish (t, sh, a, p);
    }
}

KERNEL (orient_sparse, FlkOrientArgs, OrientShared, 256)
KERNEL (orient_dense, FlkOrientArgs, OrientShared, 256)
