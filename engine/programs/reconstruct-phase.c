/* Densities of all models: starts are dealt to the ranks, averaged where their model's turn is, and compared at rank 0. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/parallel/exchange.h"
#include "engine/programs/reconstruct-job.h"
#include "engine/spi/alignment.h"
#include "engine/spi/phasing.h"

#define ON_THE_WAY 2     /* starts before the last generation: a pair costs as one */
#define THRESHOLD  0.143 /* of half sets (Rosenthal and Henderson, J. Mol. Biol. 333, 721, 2003) */

/* Below these half sets agree upon what is the same for any particle of that size: that is no resolution. */
#define LEAST_SPECKLES    2.99 /* to the rim: the stage of 3 has enough */
#define LEAST_INFORMATION 0.1  /* nat a pattern about its orientation */

enum
{
  BOTH = 2, /* after half sets 0 and 1 */
  SETS
};

/* Of one model: a conformation as one of the sets sees it. */
typedef struct
{
  const FlVolume *autocorrelation; /* NULL: there is none of its own */
  FlPhasingOptions options;
  FlPhasing *phasing; /* made when it is needed */
  gboolean hopeless;  /* nothing to phase */
} Model;

typedef struct
{
  FlReconstructJob *job;
  guint ranks, n, pairs; /* models, pairs of starts of each */
  Model *models;         /* [conformation][set] */
} Work;

/* What travels: of a start, before its density. */
typedef struct
{
  guint64 model, start;
  double error, filled;
} StartHead;

/* Of an average, before its density and the PRTF. */
typedef struct
{
  guint64 model, n_shells;
  double step, prtf_s;
} MeanHead;

/* The lowest |s| that patterns have. */
static double
lowest (const FlPatternPixels *pixels)
{
  double least = INFINITY;
  for (guint i = 0; i < pixels->n; i++)
    if (pixels->mask[i] != FL_PATTERN_BAD)
      least = fmin (least, fl_vec3_norm (pixels->s[i]));
  return isfinite (least) ? least : 0;
}

static Work
work_new (FlReconstructJob *job)
{
  const FlGenerationRow *row = &g_array_index (job->generations, FlGenerationRow, job->generations->len - 1);
  guint conformations = fl_reconstruction_conformations (job->reconstruction);
  FlPhasingOptions options = FL_PHASING_OPTIONS;
  options.device = job->device;
  options.diameter = fl_reconstruction_diameter (job->reconstruction);
  options.s_low = lowest (job->patterns->pixels);
  options.s_edge = row->resolution > 0 ? 1 / (double) row->resolution : 0;
  options.starts = (guint) fl_params_int (job->params, "reconstruct.phase_starts");
  if (!fl_reconstruct_is_last (job))
    options.starts = MIN (options.starts, ON_THE_WAY);
  Work work = { .job = job,
                .ranks = fl_parallel_ranks (job->parallel),
                .n = conformations * SETS,
                .pairs = (options.starts + 1) / 2,
                .models = g_new0 (Model, conformations * SETS) };
  for (guint i = 0; i < work.n; i++)
    {
      Model *model = &work.models[i];
      guint conformation = i / SETS, set = i % SETS;
      const gint64 seed[3] = { fl_params_int (job->params, "reconstruct.seed"), conformation, set };
      model->options = options;
      model->options.seed = fl_hash64 (seed, sizeof seed, 0);
      model->autocorrelation = fl_reconstruction_autocorrelation (job->reconstruction, conformation, set);
      if (set == BOTH && model->autocorrelation == model[-BOTH].autocorrelation)
        model->autocorrelation = NULL; /* not joined yet: half 0's stands for it */
      model->hopeless = model->autocorrelation == NULL;
    }
  return work;
}

static void
work_clear (Work *work)
{
  for (guint i = 0; i < work->n; i++)
    fl_phasing_free (work->models[i].phasing);
  g_free (work->models);
}

/* FALSE with error; a model that cannot be phased is none. */
static gboolean
ready (Model *model, GError **error)
{
  GError *why = NULL;
  if (model->phasing != NULL || model->hopeless)
    return TRUE;
  model->phasing = fl_phasing_new (model->autocorrelation, &model->options, &why);
  model->hopeless = g_error_matches (why, FL_ERROR, FL_ERROR_INPUT);
  if (model->hopeless)
    g_clear_error (&why);
  if (why != NULL)
    g_propagate_error (error, why);
  return model->phasing != NULL || model->hopeless;
}

/* --- starts --- */

typedef struct
{
  guint model, start;
  FlPhasingStart result;
} Started;

static void
started_clear (gpointer started)
{
  fl_phasing_start_clear (&((Started *) started)->result);
}

static gsize
density_bytes (const Model *model)
{
  return fl_volume_points (model->autocorrelation) * sizeof (float);
}

/* This rank's part of all pairs of all models; NULL with error. */
static GArray *
run_starts (Work *work, GError **error)
{
  guint rank = fl_parallel_rank (work->job->parallel), n = work->models[0].options.starts;
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Started));
  g_array_set_clear_func (all, started_clear);
  for (guint task = rank; task < work->n * work->pairs; task += work->ranks)
    {
      guint m = task / work->pairs, first = 2 * (task % work->pairs);
      FlPhasingStart starts[2] = { { 0 } };
      if (!ready (&work->models[m], error))
        return NULL;
      if (work->models[m].hopeless)
        continue;
      if (!fl_phasing_run (work->models[m].phasing, first / 2, starts, error))
        return NULL;
      for (guint k = 0; k < 2; k++)
        {
          Started started = { m, first + k, starts[k] };
          if (first + k < n)
            g_array_append_val (all, started);
          else
            fl_phasing_start_clear (&starts[k]);
        }
    }
  return g_steal_pointer (&all);
}

/* Each start goes to the rank that averages its model; what comes is in order of rank. */
static char *
exchange_starts (const Work *work, const GArray *mine, guint64 *total)
{
  g_autofree guint64 *lengths = g_new0 (guint64, work->ranks), *received = g_new0 (guint64, work->ranks);
  gsize all = 0;
  for (guint i = 0; i < mine->len; i++)
    {
      guint m = g_array_index (mine, Started, i).model;
      gsize bytes = sizeof (StartHead) + density_bytes (&work->models[m]);
      lengths[m % work->ranks] += bytes;
      all += bytes;
    }
  g_autofree char *out = g_malloc (all + 1);
  char *at = out;
  for (guint to = 0; to < work->ranks; to++)
    for (guint i = 0; i < mine->len; i++)
      {
        const Started *s = &g_array_index (mine, Started, i);
        const StartHead head = { s->model, s->start, s->result.error, s->result.filled };
        if (s->model % work->ranks != to)
          continue;
        memcpy (at, &head, sizeof head);
        memcpy (at + sizeof head, s->result.density->data, density_bytes (&work->models[s->model]));
        at += sizeof head + density_bytes (&work->models[s->model]);
      }
  char *in = fl_parallel_exchange (work->job->parallel, out, lengths, received);
  *total = 0;
  for (guint i = 0; i < work->ranks; i++)
    *total += received[i];
  return in;
}

/* --- averages --- */

/* Unpacks the starts of one model, by number. */
static FlPhasingStart *
starts_of (const Work *work, guint m, const char *in, guint64 length)
{
  FlPhasingStart *starts = g_new0 (FlPhasingStart, work->models[m].options.starts);
  const FlVolume *like = work->models[m].autocorrelation;
  StartHead head;
  for (const char *at = in; at < in + length; at += sizeof head + density_bytes (&work->models[head.model]))
    {
      memcpy (&head, at, sizeof head);
      if (head.model != m)
        continue;
      FlVolume *density = fl_volume_new (like->m, like->voxel);
      memcpy (density->data, at + sizeof head, density_bytes (&work->models[m]));
      starts[head.start] = (FlPhasingStart){ density, head.error, head.filled };
    }
  return starts;
}

static void
append_mean (GByteArray *out, const Work *work, guint m, const FlPhased *mean)
{
  const MeanHead head = { m, mean->n_shells, mean->step, mean->prtf_s };
  g_byte_array_append (out, (const guint8 *) &head, sizeof head);
  g_byte_array_append (out, (const guint8 *) mean->density->data, (guint) density_bytes (&work->models[m]));
  g_byte_array_append (out, (const guint8 *) mean->prtf, (guint) (mean->n_shells * sizeof *mean->prtf));
}

/* Those whose turn it is here. */
static GByteArray *
average (Work *work, const char *in, guint64 length, GError **error)
{
  GByteArray *out = g_byte_array_new ();
  gboolean ok = TRUE;
  for (guint m = fl_parallel_rank (work->job->parallel); m < work->n && ok; m += work->ranks)
    {
      guint n = work->models[m].options.starts;
      ok = ready (&work->models[m], error);
      if (!ok || work->models[m].hopeless)
        continue;
      FlPhasingStart *starts = starts_of (work, m, in, length);
      g_autoptr (FlPhased) mean = fl_phasing_average (work->models[m].phasing, n, starts);
      append_mean (out, work, m, mean);
      for (guint i = 0; i < n; i++)
        fl_phasing_start_clear (&starts[i]);
      g_free (starts);
    }
  return out;
}

/* --- comparison, at rank 0 --- */

static void
take_prtf (FlReconstructMap *map, const MeanHead *head, const char *values, guint conformation)
{
  g_array_set_size (map->prtf, 0);
  map->prtf_resolution = head->prtf_s > 0 ? 1 / head->prtf_s : NAN;
  for (guint i = 1; i < head->n_shells; i++)
    {
      double value;
      memcpy (&value, values + i * sizeof value, sizeof value);
      FlCurveRow row = { .conformation = (guint16) conformation,
                         .curve = FL_CURVE_PRTF,
                         .s = (float) (i * head->step),
                         .value = (float) value };
      g_array_append_val (map->prtf, row);
    }
}

/* Every average to its place. The PRTF is that of the density of all. */
static void
take_means (const Work *work, GBytes *bytes, GArray *maps)
{
  gsize length;
  const char *at = g_bytes_get_data (bytes, &length), *end = at + length;
  while (at < end)
    {
      MeanHead head;
      memcpy (&head, at, sizeof head);
      FlReconstructMap *map = &g_array_index (maps, FlReconstructMap, head.model / SETS);
      const FlVolume *like = work->models[head.model].autocorrelation;
      guint set = (guint) head.model % SETS;
      FlVolume *density = fl_volume_new (like->m, like->voxel);
      memcpy (density->data, at + sizeof head, density_bytes (&work->models[head.model]));
      at += sizeof head + density_bytes (&work->models[head.model]);
      if (set == BOTH)
        map->density = density;
      else
        map->half[set] = density;
      if (set != 1 && work->models[0].options.starts > ON_THE_WAY) /* two agree too easily */
        take_prtf (map, &head, at, (guint) head.model / SETS);
      at += head.n_shells * sizeof (double);
    }
}

/* Lays `moved` upon `fixed`. */
static gboolean
lay_upon (const FlVolume *fixed, FlVolume *moved, const FlAlignmentRange *range, gboolean autocorrelations,
          GError **error)
{
  FlAlignment alignment;
  if (!(autocorrelations ? fl_align_autocorrelations : fl_align_densities) (fixed, moved, range, &alignment,
                                                                            error))
    return FALSE;
  g_autoptr (FlResampler) resampler = fl_resampler_new (moved, error);
  if (resampler == NULL)
    return FALSE;
  fl_resampler_move (resampler, &alignment.motion, moved);
  return TRUE;
}

/* Where half sets agree to: no further than the models go. */
static FlFscCrossing
resolution_of (const FlFsc *fsc, const FlAlignmentRange *range, double information)
{
  FlFscCrossing c = fl_fsc_crossing (fsc, THRESHOLD, range->s_low);
  if (range->s_high * range->diameter < LEAST_SPECKLES || information < LEAST_INFORMATION)
    return (FlFscCrossing){ NAN, NAN, NAN, FALSE };
  c.crossed = c.crossed && c.s < range->s_high;
  c.s = c.crossed ? c.s : range->s_high;
  c.low = fmin (c.low, range->s_high);
  c.high = c.crossed ? fmin (c.high, range->s_high) : NAN;
  return c;
}

static gboolean
compare_densities (const FlReconstructJob *job, guint conformation, FlReconstructMap *map,
                   const FlAlignmentRange *range, double information, GError **error)
{
  if (map->density == NULL && map->half[0] != NULL)
    map->density = fl_volume_copy (map->half[0]);
  if (map->density != NULL && !fl_reconstruct_choose_hand (job, conformation, map->density, range, error))
    return FALSE;
  if (map->half[0] == NULL || map->half[1] == NULL)
    return TRUE;
  if (!lay_upon (map->density, map->half[0], range, FALSE, error)
      || !lay_upon (map->half[0], map->half[1], range, FALSE, error))
    return FALSE;
  map->fsc = fl_fsc_new (map->half[0], map->half[1], FL_FSC_DENSITY, range->diameter, error);
  if (map->fsc != NULL)
    map->resolution = resolution_of (map->fsc, range, information);
  return map->fsc != NULL;
}

/* `models`: of one conformation. */
static gboolean
compare_intensities (FlReconstructMap *map, const Model *models, const FlAlignmentRange *range,
                     GError **error)
{
  const FlVolume *half = models[0].autocorrelation;
  if (half == NULL || models[1].autocorrelation == NULL)
    return TRUE;
  g_autoptr (FlVolume) other = fl_volume_copy (models[1].autocorrelation);
  /* Each has found a frame of its own. */
  if (!lay_upon (half, other, range, TRUE, error))
    return FALSE;
  map->intensities = fl_fsc_new (half, other, FL_FSC_INTENSITY, 2 * range->diameter, error);
  return map->intensities != NULL;
}

static GArray *
compare (const Work *work, GPtrArray *parts, GError **error)
{
  const FlPhasingOptions *options = &work->models[0].options;
  const FlReconstructJob *job = work->job;
  double information =
      (double) g_array_index (job->generations, FlGenerationRow, job->generations->len - 1).information;
  g_autoptr (GArray) maps = g_array_new (FALSE, TRUE, sizeof (FlReconstructMap));
  g_array_set_clear_func (maps, (GDestroyNotify) fl_reconstruct_map_clear);
  g_array_set_size (maps, work->n / SETS);
  for (guint c = 0; c < maps->len; c++)
    {
      FlReconstructMap *map = &g_array_index (maps, FlReconstructMap, c);
      map->prtf = g_array_new (FALSE, FALSE, sizeof (FlCurveRow));
      map->prtf_resolution = NAN;
    }
  for (guint r = 0; r < parts->len; r++)
    take_means (work, parts->pdata[r], maps);
  for (guint c = 0; c < maps->len; c++)
    {
      FlReconstructMap *map = &g_array_index (maps, FlReconstructMap, c);
      double voxel = work->models[c * SETS].autocorrelation->voxel;
      FlAlignmentRange range = { options->s_low, options->s_edge > 0 ? options->s_edge : 1 / (2 * voxel),
                                 options->diameter };
      if (!compare_densities (job, c, map, &range, information, error)
          || !compare_intensities (map, &work->models[c * SETS], &range, error))
        return NULL;
    }
  return g_steal_pointer (&maps);
}

/* --- all --- */

gboolean
fl_reconstruct_phase (FlReconstructJob *job, GError **error)
{
  Work work = work_new (job);
  g_autoptr (GArray) mine = run_starts (&work, error);
  g_clear_pointer (&job->maps, g_array_unref);
  gboolean ok = fl_reconstruct_agree (job, error);
  if (ok)
    {
      guint64 length;
      g_autofree char *in = exchange_starts (&work, mine, &length);
      g_autoptr (GByteArray) means = average (&work, in, length, error);
      g_autoptr (GPtrArray) parts = fl_parallel_gather (job->parallel, means->data, means->len);
      if (job->first && *error == NULL)
        job->maps = compare (&work, parts, error);
      ok = fl_reconstruct_agree (job, error);
    }
  work_clear (&work);
  return ok;
}
