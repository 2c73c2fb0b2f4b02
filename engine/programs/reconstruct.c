/* reconstruct: patterns of single particles to their densities, on any number of ranks (engine/spi/reconstruction.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/programs/attempt-options.h"
#include "engine/programs/programs.h"
#include "engine/programs/reconstruct-job.h"
#include "engine/results/attempt.h"
#include "engine/spi/point-group.h"

#define PROGRAM "firstlight-engine reconstruct"

typedef struct
{
  FlAttemptOptions common;
  char *former;
} Options;

static gboolean
options_parse (Options *options, gboolean speak, int argc, char **argv, GError **error)
{
  const GOptionEntry own[] = { { "start-from", 0, 0, G_OPTION_ARG_FILENAME, &options->former,
                                 "Start from what an earlier reconstruction of fewer patterns came to",
                                 "DIR" },
                               { NULL } };
  return fl_attempt_options_parse (
      &options->common, own,
      "Finds the orientations of patterns of single particles and the particle's density. Patterns: "
      "files\n"
      "(Dragonfly's .emc, CXI, skopi's HDF5), or folders of hits jobs.\n"
      "The last line of the output reads: N patterns, N generations, C conformations, resolution R A "
      "(low–high)",
      PROGRAM " --out DIR INPUT…", speak, argc, argv, error);
}

/* --- setting up --- */

/* Of all that decides about the models; how they are phased may change from attempt to attempt. */
static guint64
sum_params (const FlParams *params)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  guint64 sum = 0;
  for (guint i = 0; i < n; i++)
    if (strcmp (specs[i].stage, "reconstruct") == 0)
      {
        const char *text = fl_params_text (params, specs[i].name);
        sum = fl_hash64 (text, strlen (text), fl_hash64 (specs[i].name, strlen (specs[i].name), sum));
      }
  return sum;
}

static void
open_device (FlReconstructJob *job, GError **error)
{
  char why[512] = "";
  job->device = flk_device_open (fl_params_text (job->params, "engine.device"),
                                 fl_parallel_node_rank (job->parallel), 1, why, sizeof why);
  job->device_message = g_strdup (why);
  if (job->device == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "engine.device: %s", why);
      return;
    }
  flk_device_share (job->device, fl_parallel_node_rank (job->parallel),
                    fl_parallel_node_ranks (job->parallel));
  job->device_log = fl_device_log_new (job->device);
}

/* Told before anything is read or made. */
static gboolean
check_symmetry (const FlReconstructJob *job, GError **error)
{
  g_autoptr (FlPointGroup) group =
      fl_point_group_new (fl_params_text (job->params, "reconstruct.symmetry"), error);
  if (group == NULL)
    g_prefix_error (error, "reconstruct.symmetry: ");
  return group != NULL;
}

/* The attempt's folder, held by every rank. */
static gboolean
begin (FlReconstructJob *job, const FlAttemptOptions *options, int *hold, GError **error)
{
  if (job->first)
    fl_attempt_begin (options, job->parallel, job->params, &job->attempt, &job->attempt_dir, hold, error);
  if (!fl_reconstruct_agree (job, error))
    return FALSE;
  job->attempt = (guint) fl_parallel_share_u64 (job->parallel, job->attempt);
  g_free (job->attempt_dir);
  job->attempt_dir = fl_attempt_path (job->out, job->attempt);
  if (!job->first)
    *hold = fl_attempt_hold (job->attempt_dir);
  return TRUE;
}

static gboolean
set_up (FlReconstructJob *job, const Options *all, int *hold, GError **error)
{
  const FlAttemptOptions *options = &all->common;
  job->out = g_strdup (options->out);
  job->generations = g_array_new (FALSE, FALSE, sizeof (FlGenerationRow));
  job->told = TRUE;
  job->params = fl_program_params (&options->common, error);
  if (job->params != NULL && check_symmetry (job, error) && fl_attempt_inputs_differ (options, error))
    open_device (job, error);
  if (!fl_reconstruct_agree (job, error) || !fl_reconstruct_read (job, options->inputs, error))
    return FALSE;
  job->params_sum = sum_params (job->params);
  if (!fl_reconstruct_may_go_on (job, error) || !begin (job, options, hold, error)
      || !fl_reconstruct_journal_open (job, error))
    return FALSE;
  if (job->first)
    fprintf (stderr, "attempt %u: %u patterns, %u ranks, %s\n", job->attempt, job->n_patterns,
             fl_parallel_ranks (job->parallel), job->device_message);
  job->reconstruction = fl_reconstruction_new (job->parallel, job->device, job->patterns, job->params, error);
  if (!fl_reconstruct_agree (job, error) || !fl_reconstruct_go_on (job, error))
    return FALSE;
  if (job->generations->len == 0)
    {
      gboolean taken = all->former != NULL && fl_reconstruct_start_from (job, all->former);
      fl_reconstruct_keep_former (job, taken ? all->former : NULL);
    }
  return TRUE;
}

/* --- generations --- */

static gboolean
is_asked_to_stop (const FlReconstructJob *job)
{
  guint64 asked = fl_parallel_stop_asked ();
  fl_parallel_sum_u64 (job->parallel, &asked, 1);
  return asked > 0;
}

static FlGenerationRow *
last_row (const FlReconstructJob *job)
{
  return &g_array_index (job->generations, FlGenerationRow, job->generations->len - 1);
}

gboolean
fl_reconstruct_is_last (const FlReconstructJob *job)
{
  return fl_reconstruction_done (job->reconstruction)
         || job->generations->len >= (guint) fl_params_int (job->params, "reconstruct.generations");
}

void
fl_reconstruct_map_clear (FlReconstructMap *map)
{
  fl_volume_free (map->half[0]);
  fl_volume_free (map->half[1]);
  fl_volume_free (map->density);
  fl_fsc_free (map->fsc);
  fl_fsc_free (map->intensities);
  g_clear_pointer (&map->prtf, g_array_unref);
}

/* Å, where all conformations reach to: the worst of them. */
static void
fill_resolution (FlReconstructJob *job)
{
  FlGenerationRow *row = last_row (job);
  for (guint c = 0; c < job->maps->len; c++)
    {
      const FlReconstructMap *map = &g_array_index (job->maps, FlReconstructMap, c);
      if (isfinite (map->resolution.s) && map->fsc != NULL
          && !((double) row->half_resolution > 1 / map->resolution.s))
        {
          row->half_resolution = (float) (1 / map->resolution.s);
          row->half_low = (float) (1 / map->resolution.high);
          row->half_high = (float) (1 / map->resolution.low);
        }
      if (isfinite (map->prtf_resolution) && !((double) row->prtf_resolution > map->prtf_resolution))
        row->prtf_resolution = (float) map->prtf_resolution;
    }
}

static gboolean
phase (FlReconstructJob *job, GError **error)
{
  FlGenerationRow *row = last_row (job);
  guint64 began = fl_tick_ns ();
  if (!fl_reconstruct_phase (job, error))
    return FALSE;
  row->half_resolution = row->half_low = row->half_high = row->prtf_resolution = NAN;
  if (job->first)
    fill_resolution (job);
  job->phased = TRUE;
  row->seconds[3] = (float) (1e-9 * (double) (fl_tick_ns () - began));
  return TRUE;
}

static void
tell (const FlReconstructJob *job)
{
  const FlGenerationRow *row = last_row (job);
  double seconds = 0;
  for (guint i = 0; i < G_N_ELEMENTS (row->seconds); i++)
    seconds += (double) row->seconds[i];
  fprintf (stderr, "generation %u: stage %u, %.1f A, %u orientations, information %.2f nat, change %.2f deg",
           row->number, row->stage, (double) row->resolution, row->orientations, (double) row->information,
           (double) row->change * 180 / G_PI);
  if (isfinite (row->half_resolution))
    fprintf (stderr, ", half sets agree to %.1f A%s", (double) row->half_resolution,
             isfinite (row->half_low) ? "" : ", the edge of the data");
  fprintf (stderr, "; %.1f s\n", seconds);
}

static gboolean
is_to_be_phased (const FlReconstructJob *job)
{
  gint64 every = fl_params_int (job->params, "reconstruct.phase_every");
  return fl_reconstruct_is_last (job) || (every > 0 && last_row (job)->number % every == 0);
}

/* What follows upon a step: densities, the journal. */
static gboolean
finish_generation (FlReconstructJob *job, GError **error)
{
  if (is_to_be_phased (job) && !phase (job, error))
    return FALSE;
  if (job->first)
    tell (job);
  job->told = fl_reconstruct_journal_add (job, error);
  return job->told && fl_reconstruct_save (job, error);
}

static gboolean
begin_generation (FlReconstructJob *job, GError **error)
{
  FlGenerationRow row = { 0 };
  g_clear_pointer (&job->maps, g_array_unref);
  job->phased = job->told = FALSE;
  if (!fl_reconstruction_step (job->reconstruction, &row, error) && fl_parallel_ranks (job->parallel) > 1)
    {
      /* The others wait for it in a sum: a rank out of memory ends them all; the next attempt goes on from the last generation. */
      fl_program_fail (PROGRAM, *error);
      fl_parallel_abort (job->parallel, fl_error_exit_status (*error));
    }
  if (!fl_reconstruct_agree (job, error))
    return FALSE;
  g_array_append_val (job->generations, row);
  /* Phasing may take longer than one who asks to stop has patience. */
  return is_to_be_phased (job) ? fl_reconstruct_save (job, error) : finish_generation (job, error);
}

static gboolean
run_job (FlReconstructJob *job, const Options *options, int *hold, GError **error)
{
  if (!set_up (job, options, hold, error))
    return FALSE;
  while (!job->told || !fl_reconstruct_is_last (job))
    {
      if (is_asked_to_stop (job))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_STOPPED,
                       "asked to stop after %u generations: saved; the next attempt goes on from there",
                       job->generations->len);
          return FALSE;
        }
      if (!(job->told ? begin_generation : finish_generation) (job, error))
        return FALSE;
    }
  /* An earlier attempt had done all generations. */
  if (!job->phased && (!phase (job, error) || !fl_reconstruct_journal_add (job, error)))
    return FALSE;
  return fl_reconstruct_write (job, error);
}

/* --- all --- */

static void
job_clear (FlReconstructJob *job)
{
  g_clear_pointer (&job->reconstruction, fl_reconstruction_free);
  g_clear_pointer (&job->maps, g_array_unref);
  g_clear_pointer (&job->generations, g_array_unref);
  g_clear_pointer (&job->patterns, fl_patterns_free);
  g_clear_pointer (&job->sources, fl_batch_free);
  g_clear_pointer (&job->journal, fl_journal_writer_close_quietly);
  g_clear_pointer (&job->device_log, fl_device_log_free);
  g_clear_pointer (&job->device, flk_device_close);
  g_clear_pointer (&job->params, fl_params_free);
  g_free (job->device_message);
  g_free (job->attempt_dir);
  g_free (job->out);
}

int
fl_program_reconstruct (int argc, char **argv)
{
  FlReconstructJob job = { 0 };
  Options options = { 0 };
  g_autoptr (GError) error = NULL;
  int hold = -1;
  fl_parallel_catch_signals ();
  job.parallel = fl_parallel_start (&argc, &argv);
  job.first = fl_parallel_rank (job.parallel) == 0;
  if (options_parse (&options, job.first, argc, argv, &error))
    run_job (&job, &options, &hold, &error);
  FlParallel *parallel = job.parallel;
  job_clear (&job);
  fl_attempt_options_clear (&options.common);
  g_free (options.former);
  return fl_attempt_end (parallel, PROGRAM, hold, error);
}
