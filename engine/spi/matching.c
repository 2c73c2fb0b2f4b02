#include "engine/spi/matching.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/parallel/arrays.h"
#include "engine/parallel/node-memory.h"
#include "engine/spi/contrast.h"
#include "kernels/means.h"

#define LEAST      1e-3f       /* of a pattern's greatest probability: what is less is left out */
#define SCORES     (512 << 20) /* bytes of scores at a time */
#define DENSE_FROM 0.33        /* of all cells lit, on the average */
#define BLOCK      FLK_ORIENT_BLOCK

struct FlMatching
{
  FlParallel *parallel;
  FlkDevice *device;
  const FlPatterns *patterns;
  const FlSpiStage *stage;
  FlFitting *fitting;
  guint n_conformations;
  guint n_rotations, n_cells, blocks, padded; /* blocks: so many that ranks have equal parts */
  FlContrast *contrast;
  /* Device memory. */
  float *matrices, *prior, *volume;
  float **means, **scale; /* of each conformation: [padded][cells][BLOCK], [padded × BLOCK] */
  /* Where the device is the host, a node's ranks have these in common. */
  FlNodeMemory **log_model, **log_sum;
  float **assigned; /* of each conformation: [padded × BLOCK] Σ P, host */
};

static gboolean
fail (FlMatching *matching, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "matching of orientations: %s",
               flk_error (matching->device));
  return FALSE;
}

static float *
upload (FlkDevice *device, const float *values, gsize n)
{
  float *memory = flk_alloc (device, n * sizeof *values);
  if (memory != NULL && (!flk_upload (device, memory, values, n * sizeof *values) || !flk_sync (device)))
    {
      flk_free (device, memory);
      memory = NULL;
    }
  return memory;
}

static gboolean
allocate (FlMatching *matching)
{
  FlkDevice *device = matching->device;
  gsize rows = (gsize) matching->padded * BLOCK, values = rows * matching->n_cells;
  g_autofree float *matrices = g_new0 (float, 9 * rows);
  memcpy (matrices, matching->stage->matrices, 9 * (gsize) matching->n_rotations * sizeof *matrices);
  matching->matrices = upload (device, matrices, 9 * rows);
  matching->prior = flk_alloc (device, rows * sizeof (float));
  matching->volume =
      flk_alloc (device, fl_volume_points (&(FlVolume){ .m = matching->stage->m }) * sizeof (float));
  matching->contrast = fl_contrast_new (device, matching->stage);
  gboolean ok = matching->matrices != NULL && matching->prior != NULL && matching->volume != NULL
                && matching->contrast != NULL;
  for (guint c = 0; c < matching->n_conformations; c++)
    {
      matching->means[c] = flk_alloc (device, values * sizeof (float));
      matching->scale[c] = flk_alloc (device, rows * sizeof (float));
      matching->assigned[c] = g_new (float, rows);
      matching->log_model[c] = fl_node_memory_new (matching->parallel, values * sizeof (float));
      matching->log_sum[c] = fl_node_memory_new (matching->parallel, rows * sizeof (float));
      ok = ok && matching->means[c] != NULL && matching->scale[c] != NULL;
    }
  return ok;
}

FlMatching *
fl_matching_new (FlParallel *parallel, FlkDevice *device, const FlPatterns *patterns, const FlSpiStage *stage,
                 const FlRadial *radial, guint n_conformations, GError **error)
{
  FlMatching *matching = g_new0 (FlMatching, 1);
  guint ranks = fl_parallel_ranks (parallel);
  matching->parallel = parallel;
  matching->device = device;
  matching->patterns = patterns;
  matching->stage = stage;
  matching->n_conformations = n_conformations;
  matching->n_rotations = stage->rotations->n;
  matching->n_cells = stage->binning->n;
  matching->blocks = flk_orient_blocks (matching->n_rotations);
  matching->padded = (matching->blocks + ranks - 1) / ranks * ranks;
  matching->means = g_new0 (float *, n_conformations);
  matching->scale = g_new0 (float *, n_conformations);
  matching->assigned = g_new0 (float *, n_conformations);
  matching->log_model = g_new0 (FlNodeMemory *, n_conformations);
  matching->log_sum = g_new0 (FlNodeMemory *, n_conformations);
  matching->fitting = fl_fitting_new (device, stage, radial, error);
  if (matching->fitting != NULL && (allocate (matching) || fail (matching, error)))
    return matching;
  fl_matching_free (matching);
  return NULL;
}

void
fl_matching_free (FlMatching *matching)
{
  if (matching == NULL)
    return;
  for (guint c = 0; c < matching->n_conformations; c++)
    {
      flk_free (matching->device, matching->means[c]);
      flk_free (matching->device, matching->scale[c]);
      g_free (matching->assigned[c]);
      fl_node_memory_free (matching->log_model[c]);
      fl_node_memory_free (matching->log_sum[c]);
    }
  void *const device[] = { matching->matrices, matching->prior, matching->volume };
  for (guint i = 0; i < G_N_ELEMENTS (device); i++)
    flk_free (matching->device, device[i]);
  fl_contrast_free (matching->contrast);
  fl_fitting_free (matching->fitting);
  g_free (matching->means);
  g_free (matching->scale);
  g_free (matching->assigned);
  g_free (matching->log_model);
  g_free (matching->log_sum);
  g_free (matching);
}

/* --- slices --- */

/* Onto the host, where the device is another: what a launch has left in `buffer`. */
static gboolean
bring (FlMatching *matching, float *to, const FlkBuffer *buffer, gsize n)
{
  return to == buffer->memory || n == 0
         || flk_download (matching->device, to, buffer->memory, n * sizeof *to);
}

/* This rank's part of the node's slices of conformation c. */
static gboolean
slice (FlMatching *matching, guint c, const FlVolume *model, GError **error)
{
  FlkDevice *device = matching->device;
  FlNodeMemory *log_model = matching->log_model[c], *log_sum = matching->log_sum[c];
  FlkSlices *slices = fl_fitting_slices (matching->fitting);
  gsize first, last, row = (gsize) matching->n_cells * BLOCK;
  fl_parallel_part (log_model->member, log_model->members, matching->blocks, &first, &last);
  gsize blocks = last - first;
  float *values = (float *) log_model->data + first * row, *sums = (float *) log_sum->data + first * BLOCK;
  FlkBuffer buffers[2] = { { values, 0 }, { sums, 0 } };
  gboolean host = flk_device_is_host (device), ok = TRUE;
  if (!host)
    {
      buffers[0] = buffers[1] = (FlkBuffer){ 0 };
      ok = flk_buffer_need (device, &buffers[0], MAX (blocks, 1) * row * sizeof *values)
           && flk_buffer_need (device, &buffers[1], MAX (blocks, 1) * BLOCK * sizeof *sums);
    }
  FlkSlicesOut out = fl_contrast_slices (matching->contrast, buffers[0].memory, buffers[1].memory);
  guint n =
      (guint) MIN (last * BLOCK, matching->n_rotations) - (guint) MIN (first * BLOCK, matching->n_rotations);
  ok = ok && flk_upload (device, matching->volume, model->data, fl_volume_points (model) * sizeof (float))
       && flk_slices_model (slices, matching->volume)
       && (n == 0 || flk_slices_run (slices, matching->matrices + 9 * first * BLOCK, n, &out))
       && bring (matching, values, &buffers[0], blocks * row)
       && bring (matching, sums, &buffers[1], blocks * BLOCK) && flk_sync (device);
  for (guint i = 0; i < 2 && !host; i++)
    flk_buffer_clear (device, &buffers[i]);
  fl_node_memory_fence (log_model);
  fl_node_memory_fence (log_sum);
  return ok || fail (matching, error);
}

/* --- some patterns at a time --- */

typedef struct
{
  guint n;
  guint32 *start; /* [n + 1] */
  FlkLit *lit;
  float *total; /* [n] photons */
  float *dense; /* [n][cells] or NULL */
} Chunk;

static void
chunk_clear (Chunk *chunk)
{
  g_free (chunk->start);
  g_free (chunk->lit);
  g_free (chunk->total);
  g_free (chunk->dense);
}

static void
chunk_fill (const FlMatching *matching, const guint *pattern, guint n, Chunk *chunk)
{
  const FlPatterns *patterns = matching->patterns;
  const FlBinning *binning = matching->stage->binning;
  g_autofree float *row = g_new0 (float, binning->stride);
  gsize most = 0, at = 0;
  for (guint i = 0; i < n; i++)
    most += patterns->start[pattern[i] + 1] - patterns->start[pattern[i]];
  *chunk = (Chunk){ n, g_new (guint32, n + 1), g_new (FlkLit, most + 1), g_new0 (float, n), NULL };
  for (guint i = 0; i < n; i++)
    {
      chunk->start[i] = (guint32) at;
      fl_binning_counts (binning, patterns, pattern[i], 1, row);
      for (guint t = 0; t < binning->n; t++)
        if (row[t] > 0)
          {
            chunk->lit[at++] = (FlkLit){ t, row[t] };
            chunk->total[i] += row[t];
          }
    }
  chunk->start[n] = (guint32) at;
  if ((double) at <= DENSE_FROM * n * binning->n)
    return;
  chunk->dense = g_new0 (float, (gsize) n * binning->n);
  for (guint i = 0; i < n; i++)
    for (guint32 k = chunk->start[i]; k < chunk->start[i + 1]; k++)
      chunk->dense[(gsize) i * binning->n + chunk->lit[k].pixel] = chunk->lit[k].count;
}

/* Everything about a chunk that its three steps share. */
typedef struct
{
  const Chunk *chunk;
  const FlMatchGroup *group;
  guint first;    /* of the group's patterns */
  float **scores; /* [conformations] device: [blocks][n][BLOCK] */
  guint32 *best;  /* host */
  float *best_score;
  FlkLogSum *log_sum;
  double beta;
} Round;

static gboolean
score (FlMatching *matching, Round *round, FlkBuffer *buffers, GError **error)
{
  FlkDevice *device = matching->device;
  const Chunk *chunk = round->chunk;
  guint n = chunk->n;
  FlkOrientArgs args = { .prior = matching->prior,
                         .n_rotations = matching->n_rotations,
                         .n_pixels = matching->n_cells,
                         .n_patterns = n,
                         .n_best = 1,
                         .beta = (float) round->beta };
  args.start = flk_stage (device, &buffers[0], chunk->start, (n + 1) * sizeof *chunk->start);
  args.lit = flk_stage (device, &buffers[1], chunk->lit, MAX (1, chunk->start[n]) * sizeof *chunk->lit);
  args.total = flk_stage (device, &buffers[2], chunk->total, n * sizeof *chunk->total);
  if (chunk->dense != NULL)
    args.dense =
        flk_stage (device, &buffers[3], chunk->dense, (gsize) n * matching->n_cells * sizeof *chunk->dense);
  args.best = flk_buffer_need (device, &buffers[4], n * sizeof *args.best);
  args.best_score = flk_buffer_need (device, &buffers[5], n * sizeof *args.best_score);
  args.log_sum = flk_buffer_need (device, &buffers[6], n * sizeof *args.log_sum);
  for (guint c = 0; c < matching->n_conformations; c++)
    {
      args.model = flk_stage (device, &buffers[7], matching->log_model[c]->data,
                              (gsize) matching->blocks * matching->n_cells * BLOCK * sizeof (float));
      args.offset = flk_stage (device, &buffers[8], matching->log_sum[c]->data,
                               (gsize) matching->blocks * BLOCK * sizeof (float));
      args.first = c * matching->blocks * BLOCK;
      args.start_over = c == 0;
      args.scores = round->scores[c];
      if (!flk_launch (device, chunk->dense != NULL ? "orient_dense" : "orient_sparse", flk_orient_teams (n),
                       0, &args, sizeof args)
          || !flk_sync (device))
        return fail (matching, error);
    }
  return (flk_download (device, round->best, args.best, n * sizeof *round->best)
          && flk_download (device, round->best_score, args.best_score, n * sizeof *round->best_score)
          && flk_download (device, round->log_sum, args.log_sum, n * sizeof *round->log_sum)
          && flk_sync (device))
         || fail (matching, error);
}

/* What is summed over a pattern's probabilities. */
typedef struct
{
  double expected, entropy, sum;
} Sums;

/* Scores of a block to probabilities of pattern i; those held back are not merged, and get none. */
static void
assign (const FlMatching *matching, const Round *round, guint c, guint block, guint i, float *score_of,
        Sums *sums)
{
  const FlkLogSum *log_sum = &round->log_sum[i];
  const float *offset = (const float *) matching->log_sum[c]->data + (gsize) block * BLOCK;
  float *assigned = matching->assigned[c] + (gsize) block * BLOCK;
  gboolean merged = round->first + i < round->group->n_merged;
  float beta = (float) round->beta, most = log_sum->most, least = logf (LEAST),
        share = (float) (1 / log_sum->rest);
  guint lanes = MIN (BLOCK, matching->n_rotations - block * BLOCK);
  for (guint lane = 0; lane < BLOCK; lane++)
    {
      float exponent = lane < lanes ? beta * score_of[lane] - most : -INFINITY;
      float p = exponent > least ? expf (exponent) * share : 0;
      if (p > 0)
        {
          sums->sum += p;
          sums->expected += p * expf (offset[lane]);
          sums->entropy -= p * (exponent + logf (share));
        }
      score_of[lane] = merged ? p : 0;
      assigned[lane] += merged ? p : 0;
    }
}

static gboolean
assign_all (FlMatching *matching, Round *round, FlMatched *matched, GError **error)
{
  guint n = round->chunk->n, n_conformations = matching->n_conformations;
  gsize size = (gsize) matching->blocks * n * BLOCK * sizeof (float);
  g_autofree Sums *sums = g_new0 (Sums, (gsize) n * n_conformations);
  g_autofree float *copy = flk_device_is_host (matching->device) ? NULL : g_malloc (size);
  for (guint c = 0; c < n_conformations; c++)
    {
      float *scores = (float *) flk_fetch (matching->device, copy, round->scores[c], size);
      if (scores == NULL)
        return fail (matching, error);
      for (guint block = 0; block < matching->blocks; block++)
        for (guint i = 0; i < n; i++)
          assign (matching, round, c, block, i, scores + ((gsize) block * n + i) * BLOCK,
                  &sums[(gsize) i * n_conformations + c]);
      if (scores == copy
          && (!flk_upload (matching->device, round->scores[c], copy, size) || !flk_sync (matching->device)))
        return fail (matching, error);
    }
  double log_all = log ((double) matching->n_rotations * n_conformations);
  for (guint i = 0; i < n; i++)
    {
      const Sums *of = &sums[(gsize) i * n_conformations];
      double expected = 0, entropy = 0, sum = 0;
      for (guint c = 0; c < n_conformations; c++)
        {
          expected += of[c].expected;
          entropy += of[c].entropy;
          sum += of[c].sum;
        }
      guint rotation = round->best[i] % (matching->blocks * BLOCK),
            best = round->best[i] / (matching->blocks * BLOCK);
      double prior =
          log (matching->stage->rotations->weights[rotation] * matching->n_rotations) / round->beta;
      matched[i] =
          (FlMatched){ .conformation = best,
                       .rotation = rotation,
                       .likelihood = (float) (round->best_score[i] - prior
                                              + round->chunk->total[i] * matching->contrast->log_sum),
                       .information = (float) (log_all - entropy / sum),
                       .share = (float) (of[best].sum / sum),
                       .scale = (float) (round->chunk->total[i] * sum / expected) };
    }
  return TRUE;
}

static gboolean
add_means (FlMatching *matching, const Round *round, const float *scale, gboolean add, FlkBuffer *buffers,
           GError **error)
{
  FlkDevice *device = matching->device;
  const Chunk *chunk = round->chunk;
  FlkMeansArgs args = {
    .n_rotations = matching->n_rotations, .n_pixels = matching->n_cells, .n_patterns = chunk->n, .add = add
  };
  args.start = flk_stage (device, &buffers[0], chunk->start, (chunk->n + 1) * sizeof *chunk->start);
  args.lit =
      flk_stage (device, &buffers[1], chunk->lit, MAX (1, chunk->start[chunk->n]) * sizeof *chunk->lit);
  args.scale = flk_stage (device, &buffers[2], scale, chunk->n * sizeof *scale);
  for (guint c = 0; c < matching->n_conformations; c++)
    {
      args.probability = round->scores[c];
      args.means = matching->means[c];
      args.weight = matching->scale[c];
      if (!flk_launch (device, "means", matching->blocks, 0, &args, sizeof args) || !flk_sync (device))
        return fail (matching, error);
    }
  return TRUE;
}

enum
{
  BUFFERS = 9
};

static double
seconds_now (void)
{
  return 1e-6 * (double) g_get_monotonic_time ();
}

static gboolean
match_chunk (FlMatching *matching, const FlMatchGroup *group, guint first, guint n, const float *scale,
             double beta, FlMatched *matched, float seconds[3], GError **error)
{
  Chunk chunk;
  FlkBuffer buffers[BUFFERS] = { { 0 } };
  g_autofree float **scores = g_new0 (float *, matching->n_conformations);
  g_autofree guint32 *best = g_new (guint32, n);
  g_autofree float *best_score = g_new (float, n);
  g_autofree FlkLogSum *log_sum = g_new (FlkLogSum, n);
  Round round = { &chunk, group, first, scores, best, best_score, log_sum, beta };
  double began = seconds_now ();
  chunk_fill (matching, group->pattern + first, n, &chunk);
  gboolean ok = TRUE;
  for (guint c = 0; c < matching->n_conformations; c++)
    {
      scores[c] = flk_alloc (matching->device, (gsize) matching->blocks * n * BLOCK * sizeof (float));
      ok = ok && (scores[c] != NULL || fail (matching, error));
    }
  ok = ok && score (matching, &round, buffers, error) && assign_all (matching, &round, matched, error);
  double middle = seconds_now ();
  ok = ok && add_means (matching, &round, scale, first > 0, buffers, error);
  seconds[1] += (float) (middle - began);
  seconds[2] += (float) (seconds_now () - middle);
  for (guint c = 0; c < matching->n_conformations; c++)
    flk_free (matching->device, scores[c]);
  for (guint i = 0; i < BUFFERS; i++)
    flk_buffer_clear (matching->device, &buffers[i]);
  chunk_clear (&chunk);
  return ok;
}

/* --- models --- */

static gboolean
fit (FlMatching *matching, guint c, FlVolume *model, GError **error)
{
  FlkDevice *device = matching->device;
  FlParallel *parallel = matching->parallel;
  gsize rows = (gsize) matching->padded * BLOCK, values = rows * matching->n_cells, first = 0,
        last = matching->padded;
  guint ranks = fl_parallel_ranks (parallel);
  if (ranks > 1)
    {
      /* Equal parts of whole blocks: padded is a multiple of the ranks. */
      gboolean host = flk_device_is_host (device);
      g_autofree float *copy = host ? NULL : g_new (float, values),
                       *scale_copy = host ? NULL : g_new (float, rows);
      float *means = (float *) flk_fetch (device, copy, matching->means[c], values * sizeof *means);
      float *scale = (float *) flk_fetch (device, scale_copy, matching->scale[c], rows * sizeof *scale);
      if (means == NULL || scale == NULL)
        return fail (matching, error);
      fl_parallel_sum_scatter_f32 (parallel, means, values);
      fl_parallel_sum_f32 (parallel, scale, rows);
      fl_parallel_sum_f32 (parallel, matching->assigned[c], rows);
      if (!host
          && (!flk_upload (device, matching->means[c], means, values * sizeof *means)
              || !flk_upload (device, matching->scale[c], scale, rows * sizeof *scale) || !flk_sync (device)))
        return fail (matching, error);
      fl_parallel_part (fl_parallel_rank (parallel), ranks, matching->padded, &first, &last);
    }
  guint n = (guint) (MIN (last * BLOCK, matching->n_rotations) - MIN (first * BLOCK, matching->n_rotations));
  FlkBuffer buffer = { 0 };
  const float *assigned =
      flk_stage (device, &buffer, matching->assigned[c] + first * BLOCK, MAX (n, 1) * sizeof *assigned);
  gboolean ok = assigned != NULL || fail (matching, error);
  ok = ok && fl_fitting_begin (matching->fitting, error)
       && (n == 0
           || fl_fitting_add (matching->fitting, n, matching->matrices + 9 * first * BLOCK,
                              matching->means[c] + first * BLOCK * matching->n_cells,
                              matching->scale[c] + first * BLOCK, assigned, error));
  flk_buffer_clear (device, &buffer);
  return ok && fl_fitting_end (matching->fitting, parallel, model, error);
}

static gboolean
upload_prior (FlMatching *matching, double beta, GError **error)
{
  gsize rows = (gsize) matching->padded * BLOCK;
  g_autofree float *prior = g_new0 (float, rows);
  for (guint r = 0; r < matching->n_rotations; r++)
    prior[r] = (float) (log (matching->stage->rotations->weights[r] * matching->n_rotations) / beta);
  return (flk_upload (matching->device, matching->prior, prior, rows * sizeof *prior)
          && flk_sync (matching->device))
         || fail (matching, error);
}

gboolean
fl_matching_run (FlMatching *matching, FlVolume *const *models, const FlMatchGroup *group, const float *scale,
                 double beta, FlMatched *matched, float seconds[3], GError **error)
{
  gsize rows = (gsize) matching->padded * BLOCK;
  double began = seconds_now ();
  if (!upload_prior (matching, beta, error))
    return FALSE;
  for (guint c = 0; c < matching->n_conformations; c++)
    {
      memset (matching->assigned[c], 0, rows * sizeof (float));
      if (!flk_zero (matching->device, matching->means[c], rows * matching->n_cells * sizeof (float))
          || !flk_zero (matching->device, matching->scale[c], rows * sizeof (float)))
        return fail (matching, error);
      if (!slice (matching, c, models[c], error))
        return FALSE;
    }
  seconds[0] += (float) (seconds_now () - began);
  gsize of_one = (gsize) matching->n_conformations * matching->blocks * BLOCK * sizeof (float);
  guint step = (guint) CLAMP (SCORES / of_one / FLK_ORIENT_TEAM, 1, 1000) * FLK_ORIENT_TEAM;
  for (guint first = 0; first < group->n; first += step)
    if (!match_chunk (matching, group, first, MIN (step, group->n - first), scale + first, beta,
                      matched + first, seconds, error))
      return FALSE;
  began = seconds_now ();
  for (guint c = 0; c < matching->n_conformations; c++)
    if (!fit (matching, c, models[c], error))
      return FALSE;
  seconds[2] += (float) (seconds_now () - began);
  return TRUE;
}
