#include "engine/spi/refining.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/spi/contrast.h"

#define TOLERANCE 1e-3        /* of slices that patterns are compared with */
#define MEMORY    (256 << 20) /* bytes of slices at a time */

enum
{
  BLOCK = FLK_ORIENT_BLOCK,
  TURNS = 32,             /* candidates of a pattern */
  DRAWN = 8,              /* of them, that the model is fitted with */
  SHARING = BLOCK / TURNS /* patterns whose candidates fill a block */
};

struct FlRefining
{
  FlParallel *parallel;
  FlkDevice *device;
  const FlPatterns *patterns;
  const FlSpiStage *stage;
  FlFitting *fitting;
  FlkSlices *slices;
  FlContrast *contrast;
  float *volume; /* device: the model */
};

static gboolean
fail (FlRefining *refining, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "refinement of orientations: %s",
               flk_error (refining->device));
  return FALSE;
}

FlRefining *
fl_refining_new (FlParallel *parallel, FlkDevice *device, const FlPatterns *patterns, const FlSpiStage *stage,
                 const FlRadial *radial, GError **error)
{
  char message[256] = "";
  g_autoptr (FlRefining) refining = g_new0 (FlRefining, 1);
  refining->parallel = parallel;
  refining->device = device;
  refining->patterns = patterns;
  refining->stage = stage;
  refining->fitting = fl_fitting_new (device, stage, radial, error);
  if (refining->fitting == NULL)
    return NULL;
  refining->slices = flk_slices_new (device, stage->m, TOLERANCE, 2, message, sizeof message);
  refining->volume = flk_alloc (device, fl_volume_points (&(FlVolume){ .m = stage->m }) * sizeof (float));
  if (refining->slices == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "refinement of orientations: %s", message);
  else if (refining->volume == NULL || !flk_slices_pixels (refining->slices, stage->x, stage->binning->n)
           || (refining->contrast = fl_contrast_new (device, stage)) == NULL)
    fail (refining, error);
  else
    return g_steal_pointer (&refining);
  return NULL;
}

void
fl_refining_free (FlRefining *refining)
{
  if (refining == NULL)
    return;
  flk_free (refining->device, refining->volume);
  fl_contrast_free (refining->contrast);
  flk_slices_free (refining->slices);
  fl_fitting_free (refining->fitting);
  g_free (refining);
}

/* --- candidates --- */

/* A ball's volume as a part of all rotations: 8π² of small turns' volume. */
double
fl_refining_rotations (double radius)
{
  return TURNS * 8 * G_PI * G_PI / (4.0 / 3 * G_PI * radius * radius * radius);
}

/* The first is none; the others follow the additive recurrence of the root of x⁴ = x + 1, which is even in three dimensions. */
static void
make_turns (double radius, FlQuat turns[TURNS])
{
  const double root = 1.2207440846057596;
  for (guint k = 0; k < TURNS; k++)
    {
      double u[3];
      for (guint d = 0; d < 3; d++)
        u[d] = fmod (0.5 + k / pow (root, d + 1), 1);
      double angle = k > 0 ? radius * cbrt (u[0]) : 0, z = 1 - 2 * u[1], xy = sqrt (1 - z * z);
      turns[k] = (FlQuat){ cos (angle / 2), sin (angle / 2) * xy * cos (2 * G_PI * u[2]),
                           sin (angle / 2) * xy * sin (2 * G_PI * u[2]), sin (angle / 2) * z };
    }
}

static void
matrix_of (FlQuat q, float matrix[9])
{
  FlMat3 m = fl_mat3_from_quat (q);
  for (guint i = 0; i < 9; i++)
    matrix[i] = (float) m.m[i / 3][i % 3];
}

/* --- some patterns at a time --- */

enum
{
  MATRICES,
  START,
  LIT,
  TOTAL,
  LOG_MODEL,
  LOG_SUM,
  SCORES,
  MEANS,
  SCALE,
  SHARE,
  BUFFERS
};

/* Patterns of one conformation. */
typedef struct
{
  guint n, most;
  guint *of_group; /* [n] number in the group */
  FlQuat turns[TURNS];
  double radius;
  guint32 *start; /* [n + 1] */
  GArray *lit;    /* FlkLit */
  float *total;   /* [n] photons */
  float *scores;  /* [n][BLOCK] host: see own_scores() */
  float *log_sum; /* [n][TURNS] host */
  FlkBuffer buffers[BUFFERS];
} Batch;

static void
batch_init (Batch *batch, guint most, double radius)
{
  *batch = (Batch){ .most = most, .radius = radius };
  batch->of_group = g_new (guint, most);
  batch->start = g_new0 (guint32, most + 1);
  batch->lit = g_array_new (FALSE, FALSE, sizeof (FlkLit));
  batch->total = g_new (float, most);
  batch->scores = g_new (float, BLOCK *(gsize) most);
  batch->log_sum = g_new (float, TURNS *(gsize) most);
  make_turns (radius, batch->turns);
}

static void
batch_clear (Batch *batch, FlkDevice *device)
{
  for (guint i = 0; i < BUFFERS; i++)
    flk_buffer_clear (device, &batch->buffers[i]);
  g_free (batch->of_group);
  g_free (batch->start);
  g_array_unref (batch->lit);
  g_free (batch->total);
  g_free (batch->scores);
  g_free (batch->log_sum);
}

static void
batch_fill (const FlRefining *refining, Batch *batch, const FlMatchGroup *group)
{
  const FlBinning *binning = refining->stage->binning;
  g_autofree float *row = g_new0 (float, binning->stride);
  g_array_set_size (batch->lit, 0);
  for (guint i = 0; i < batch->n; i++)
    {
      batch->total[i] = 0;
      fl_binning_counts (binning, refining->patterns, group->pattern[batch->of_group[i]], 1, row);
      for (guint t = 0; t < binning->n; t++)
        if (row[t] > 0)
          {
            FlkLit lit = { t, row[t] };
            g_array_append_val (batch->lit, lit);
            batch->total[i] += row[t];
          }
      batch->start[i + 1] = batch->lit->len;
    }
}

/* Slices of every candidate. */
static gboolean
slice (FlRefining *refining, Batch *batch, const FlRefined *refined, GError **error)
{
  FlkDevice *device = refining->device;
  gsize rows = (gsize) batch->n * TURNS, whole = (gsize) flk_orient_blocks ((guint) rows) * BLOCK;
  g_autofree float *host = g_new (float, 9 * rows);
  for (guint i = 0; i < batch->n; i++)
    for (guint k = 0; k < TURNS; k++)
      matrix_of (fl_quat_multiply (batch->turns[k], refined[batch->of_group[i]].orientation),
                 host + 9 * ((gsize) i * TURNS + k));
  FlkSlicesOut out =
      fl_contrast_slices (refining->contrast,
                          flk_buffer_need (device, &batch->buffers[LOG_MODEL],
                                           whole * refining->stage->binning->n * sizeof (float)),
                          flk_buffer_need (device, &batch->buffers[LOG_SUM], whole * sizeof (float)));
  const float *matrices = flk_stage (device, &batch->buffers[MATRICES], host, 9 * rows * sizeof *host);
  return (out.log_model != NULL && out.log_sum != NULL && matrices != NULL
          && flk_slices_run (refining->slices, matrices, (guint) rows, &out) && flk_sync (device))
         || fail (refining, error);
}

/* Patterns that share a block against all of it. */
static gboolean
score (FlRefining *refining, Batch *batch, GError **error)
{
  FlkDevice *device = refining->device;
  guint n = batch->n, cells = refining->stage->binning->n;
  gsize size = (gsize) n * BLOCK * sizeof (float);
  const float *log_model = batch->buffers[LOG_MODEL].memory, *log_sum = batch->buffers[LOG_SUM].memory;
  const guint32 *start =
      flk_stage (device, &batch->buffers[START], batch->start, (n + 1) * sizeof *batch->start);
  const float *total = flk_stage (device, &batch->buffers[TOTAL], batch->total, n * sizeof *batch->total);
  const FlkLit *lit =
      flk_stage (device, &batch->buffers[LIT], batch->lit->data, batch->lit->len * sizeof (FlkLit));
  float *scores = flk_buffer_need (device, &batch->buffers[SCORES], size);
  gboolean ok = start != NULL && total != NULL && lit != NULL && scores != NULL;
  for (guint i = 0; i < n && ok; i += SHARING)
    {
      guint sharing = MIN (SHARING, n - i);
      FlkOrientArgs args = { .model = log_model + (gsize) i * TURNS * cells,
                             .offset = log_sum + (gsize) i * TURNS,
                             .n_rotations = sharing * TURNS,
                             .n_pixels = cells,
                             .n_patterns = sharing,
                             .start = start + i,
                             .lit = lit,
                             .total = total + i,
                             .scores = scores + (gsize) i * BLOCK,
                             .start_over = TRUE,
                             .beta = 1 };
      ok = flk_launch (device, "orient_sparse", 1, 0, &args, sizeof args);
    }
  return (ok && flk_download (device, batch->scores, scores, size)
          && flk_download (device, batch->log_sum, log_sum, (gsize) n * TURNS * sizeof *log_sum)
          && flk_sync (device))
         || fail (refining, error);
}

/* A pattern's against its own candidates, [TURNS]: likelihoods, then probabilities. */
static float *
own_scores (const Batch *batch, guint i)
{
  return batch->scores + (gsize) i * BLOCK + i % SHARING * TURNS;
}

/* Scores to probabilities, and what they tell of a pattern. */
static void
assign (const FlRefining *refining, Batch *batch, guint i, FlRefined *refined)
{
  float *p = own_scores (batch, i);
  const float *log_sum = batch->log_sum + (gsize) i * TURNS;
  double sum = 0, expected = 0, entropy = 0;
  float best = p[0];
  FlQuat mean = { 0 };
  for (guint k = 1; k < TURNS; k++)
    best = fmaxf (best, p[k]);
  for (guint k = 0; k < TURNS; k++)
    {
      p[k] = expf (p[k] - best);
      sum += p[k];
    }
  for (guint k = 0; k < TURNS; k++)
    {
      p[k] = (float) (p[k] / sum);
      expected += p[k] * exp (log_sum[k]);
      entropy -= p[k] > 0 ? p[k] * log (p[k]) : 0;
      mean.w += p[k] * batch->turns[k].w;
      mean.x += p[k] * batch->turns[k].x;
      mean.y += p[k] * batch->turns[k].y;
      mean.z += p[k] * batch->turns[k].z;
    }
  double norm = sqrt (fl_quat_dot (mean, mean));
  mean = (FlQuat){ mean.w / norm, mean.x / norm, mean.y / norm, mean.z / norm };
  refined->orientation = fl_quat_multiply (mean, refined->orientation);
  refined->likelihood = (float) (best + batch->total[i] * refining->contrast->log_sum);
  refined->information = (float) (log (fl_refining_rotations (batch->radius)) - entropy);
  refined->scale = (float) (batch->total[i] / expected);
}

/* --- the model --- */

/* Candidates that are drawn, of some patterns; those of probability 1/DRAWN and more are so several times at once. */
typedef struct
{
  guint n;
  float *matrices, *means, *scale, *share;
} Drawn;

static void
draw (const FlRefining *refining, const Batch *batch, guint i, FlQuat about, float scale, Drawn *drawn)
{
  const float *p = own_scores (batch, i);
  guint cells = refining->stage->binning->n, taken = 0;
  double below = 0;
  for (guint k = 0; k < TURNS; k++)
    {
      guint times = 0;
      below += p[k];
      for (; taken < DRAWN && taken + 0.5 < below * DRAWN; taken++)
        times++;
      if (times == 0)
        continue;
      guint row = drawn->n++;
      float *means = drawn->means + ((gsize) (row / BLOCK) * cells * BLOCK + row % BLOCK);
      drawn->share[row] = (float) times / DRAWN;
      drawn->scale[row] = drawn->share[row] * scale;
      matrix_of (fl_quat_multiply (batch->turns[k], about), drawn->matrices + 9 * (gsize) row);
      for (guint32 l = batch->start[i]; l < batch->start[i + 1]; l++)
        {
          FlkLit lit = g_array_index (batch->lit, FlkLit, l);
          means[(gsize) lit.pixel * BLOCK] = drawn->share[row] * lit.count;
        }
    }
}

static gboolean
add_drawn (FlRefining *refining, Batch *batch, const Drawn *drawn, GError **error)
{
  FlkDevice *device = refining->device;
  guint n = drawn->n;
  if (n == 0)
    return TRUE;
  gsize means_size =
      (gsize) flk_orient_blocks (n) * BLOCK * refining->stage->binning->n * sizeof *drawn->means;
  const float *matrices =
      flk_stage (device, &batch->buffers[MATRICES], drawn->matrices, 9 * (gsize) n * sizeof *drawn->matrices);
  const float *means = flk_stage (device, &batch->buffers[MEANS], drawn->means, means_size);
  const float *scale = flk_stage (device, &batch->buffers[SCALE], drawn->scale, n * sizeof *drawn->scale);
  const float *share = flk_stage (device, &batch->buffers[SHARE], drawn->share, n * sizeof *drawn->share);
  if (matrices == NULL || means == NULL || scale == NULL || share == NULL)
    return fail (refining, error);
  return fl_fitting_add (refining->fitting, n, matrices, means, scale, share, error)
         && (flk_sync (device) || fail (refining, error));
}

/* `refined` as it was before. */
static gboolean
merge (FlRefining *refining, Batch *batch, const FlMatchGroup *group, const FlRefined *before, GError **error)
{
  gsize rows = (gsize) flk_orient_blocks (batch->n * DRAWN) * BLOCK;
  g_autofree float *matrices = g_new (float, 9 * rows), *scale = g_new (float, rows),
                   *share = g_new (float, rows), *means = g_new0 (float, rows * refining->stage->binning->n);
  Drawn drawn = { 0, matrices, means, scale, share };
  for (guint i = 0; i < batch->n; i++)
    if (batch->of_group[i] < group->n_merged)
      draw (refining, batch, i, before[i].orientation, before[i].scale, &drawn);
  return add_drawn (refining, batch, &drawn, error);
}

static double
seconds_now (void)
{
  return 1e-6 * (double) g_get_monotonic_time ();
}

static gboolean
run_batch (FlRefining *refining, Batch *batch, const FlMatchGroup *group, FlRefined *refined,
           float seconds[3], GError **error)
{
  g_autofree FlRefined *before = g_new (FlRefined, batch->n);
  double began = seconds_now ();
  batch_fill (refining, batch, group);
  if (!slice (refining, batch, refined, error))
    return FALSE;
  double sliced = seconds_now ();
  if (!score (refining, batch, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    {
      before[i] = refined[batch->of_group[i]];
      assign (refining, batch, i, &refined[batch->of_group[i]]);
    }
  double matched = seconds_now ();
  gboolean ok = merge (refining, batch, group, before, error);
  seconds[0] += (float) (sliced - began);
  seconds[1] += (float) (matched - sliced);
  seconds[2] += (float) (seconds_now () - matched);
  batch->n = 0;
  return ok;
}

gboolean
fl_refining_run (FlRefining *refining, guint n_conformations, FlVolume *const *models,
                 const FlMatchGroup *group, double radius, FlRefined *refined, float seconds[3],
                 GError **error)
{
  gsize of_one = (gsize) refining->stage->binning->n * TURNS * sizeof (float);
  Batch batch;
  gboolean ok = TRUE;
  batch_init (&batch, BLOCK * (guint) CLAMP (MEMORY / of_one / BLOCK, 1, 16), radius);
  for (guint c = 0; c < n_conformations && ok; c++)
    {
      gsize size = fl_volume_points (models[c]) * sizeof *models[c]->data;
      ok = ((flk_upload (refining->device, refining->volume, models[c]->data, size)
             && flk_slices_model (refining->slices, refining->volume))
            || fail (refining, error))
           && fl_fitting_begin (refining->fitting, error);
      for (guint i = 0; i < group->n && ok; i++)
        {
          if (refined[i].conformation == c)
            batch.of_group[batch.n++] = i;
          if (batch.n == batch.most)
            ok = run_batch (refining, &batch, group, refined, seconds, error);
        }
      ok = ok && (batch.n == 0 || run_batch (refining, &batch, group, refined, seconds, error));
      double began = seconds_now ();
      ok = ok && fl_fitting_end (refining->fitting, refining->parallel, models[c], error);
      seconds[2] += (float) (seconds_now () - began);
    }
  batch_clear (&batch, refining->device);
  return ok;
}
