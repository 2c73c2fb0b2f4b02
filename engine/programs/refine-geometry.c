/* refine-geometry: a detector refined against the lattices of jobs, streams and DIALS' files, on any number of ranks
 * (engine/sfx/geometry-refinement.h). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/programs/attempt-options.h"
#include "engine/programs/exchange-panels.h"
#include "engine/programs/geometry-job.h"
#include "engine/programs/programs.h"
#include "engine/results/attempt.h"
#include "engine/shots/geom-layout.h"

#define PROGRAM "firstlight-engine refine-geometry"
#define SAVED   "unfinished.geom"

static gboolean
options_parse (FlAttemptOptions *options, gboolean speak, int argc, char **argv, GError **error)
{
  return fl_attempt_options_parse (
             options, NULL,
             "Refines the detector against the lattices of jobs' folders, of .stream and of .expt files.\n"
             "In DIR: refined.geom, the first input's geometry with its panels moved; geometry.json; "
             "residuals.json and .svg.\n"
             "The last line of the output reads: N lattices, M used, K reflections, x px before, y px after",
             PROGRAM " --out DIR INPUT…", speak, argc, argv, error)
         && fl_attempt_inputs_differ (options, error);
}

/* --- the ranks as a team --- */

/* Rank 0 holds one block of every rank at a time. */
static void
team_add (gpointer data, double *total, const double *values, gsize n)
{
  FlParallel *parallel = data;
  g_autoptr (GPtrArray) all = fl_parallel_gather (parallel, values, n * sizeof *values);
  for (guint rank = 0; all != NULL && rank < all->len; rank++)
    {
      const double *theirs = g_bytes_get_data (all->pdata[rank], NULL);
      for (gsize i = 0; i < n; i++)
        total[i] += theirs[i];
    }
}

static void
team_sum (gpointer data, double *values, guint n)
{
  fl_parallel_sum_f64 (data, values, n);
}

static void
team_count (gpointer data, guint64 *values, guint n)
{
  fl_parallel_sum_u64 (data, values, n);
}

static gboolean
is_asked_to_stop (gpointer data)
{
  guint64 asked = fl_parallel_stop_asked ();
  fl_parallel_sum_u64 (data, &asked, 1);
  return asked > 0;
}

/* --- attempts --- */

static gboolean
start (FlGeometryJob *job, const FlAttemptOptions *options, int *hold, GError **error)
{
  job->out = g_strdup (options->out);
  job->inputs = g_strdupv (options->inputs);
  job->params = fl_program_params (&options->common, error);
  if (!fl_geometry_job_agree (job, error))
    return FALSE;
  if (job->first)
    fl_attempt_begin (options, job->parallel, job->params, &job->attempt, &job->attempt_dir, hold, error);
  if (!fl_geometry_job_agree (job, error))
    return FALSE;
  job->attempt = (guint) fl_parallel_share_u64 (job->parallel, job->attempt);
  g_free (job->attempt_dir);
  job->attempt_dir = fl_attempt_path (job->out, job->attempt);
  if (!job->first)
    *hold = fl_attempt_hold (job->attempt_dir);
  return TRUE;
}

/* What an attempt that was asked to stop has left of the same geometry. */
static void
go_on (FlGeometryJob *job)
{
  g_autofree char *path = g_build_filename (job->out, SAVED, NULL);
  g_autofree char *text = NULL;
  if (job->first)
    g_file_get_contents (path, &text, NULL, NULL);
  g_autofree char *shared = fl_parallel_share_text (job->parallel, text);
  g_autoptr (FlGeom) geom = shared != NULL ? fl_geom_parse (path, shared, strlen (shared), NULL) : NULL;
  g_autoptr (FlGeomLayout) layout = geom != NULL ? fl_geom_layout_new (geom, NULL) : NULL;
  if (layout == NULL || layout->n_panels != job->detector->n_panels)
    return;
  job->start = fl_geom_detector (geom, layout, geom->clen.value, 0);
}

/* Places as they are now, all distances as numbers. */
static gboolean
save (const FlGeometryJob *job, GError **error)
{
  g_autofree char *path = g_build_filename (job->out, SAVED, NULL);
  g_autofree char *text = fl_exchange_geometry (job->result.detector, 0);
  return g_file_set_contents (path, text, -1, error);
}

/* --- the work --- */

static FlGeometryOptions
options_of (const FlGeometryJob *job, const FlGeometryTeam *team)
{
  const FlParams *p = job->params;
  return (FlGeometryOptions){
    .freedom = { .level = (FlGeometryLevel) fl_params_choice (p, "geometry.level"),
                 .distance = job->cell_told && fl_params_bool (p, "geometry.distance"),
                 .tilt = fl_params_bool (p, "geometry.tilt"),
                 .out_of_plane = fl_params_bool (p, "geometry.out_of_plane"),
                 .n_windows = job->windows->len > 1 ? job->windows->len : 0 },
    .max_offset = fl_params_real (p, "geometry.max_offset"),
    .min_spots = (guint) fl_params_int (p, "geometry.min_spots"),
    .cell_spread = fl_params_real (p, "geometry.cell_spread") / 100,
    .min_panel = (guint) fl_params_int (p, "geometry.min_panel"),
    .team = team,
    .stop = is_asked_to_stop,
    .stop_data = job->parallel,
  };
}

static gboolean
check_lattices (const FlGeometryJob *job, GError **error)
{
  guint64 least = (guint64) fl_params_int (job->params, "geometry.min_lattices"),
          n = job->n_lattices - job->n_strange;
  if (n >= least)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s%s: %" G_GUINT64_FORMAT " lattices of the cell, expected %" G_GUINT64_FORMAT
               " or more (geometry.min_lattices)",
               job->inputs[0], job->inputs[1] != NULL ? " and the others" : "", n, least);
  return FALSE;
}

static gboolean
check_result (const FlGeometryJob *job, GError **error)
{
  guint64 least = (guint64) fl_params_int (job->params, "geometry.min_lattices");
  if (job->result.stopped)
    {
      if (!job->first || save (job, error))
        g_set_error (error, FL_ERROR, FL_ERROR_STOPPED,
                     "asked to stop after %u rounds: saved; the next attempt goes on from there",
                     job->result.rounds);
      return FALSE;
    }
  if (job->result.before.n_lattices >= least)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s%s: %" G_GUINT64_FORMAT
               " lattices with %s spots near reflections, expected %" G_GUINT64_FORMAT
               " or more (geometry.min_lattices)",
               job->inputs[0], job->inputs[1] != NULL ? " and the others" : "", job->result.before.n_lattices,
               fl_params_text (job->params, "geometry.min_spots"), least);
  return FALSE;
}

static gboolean
run_job (FlGeometryJob *job, const FlAttemptOptions *options, int *hold, GError **error)
{
  const FlGeometryTeam team = {
    job->parallel, fl_parallel_rank (job->parallel), fl_parallel_ranks (job->parallel), team_add, team_sum,
    team_count
  };
  if (!start (job, options, hold, error) || !fl_geometry_job_read (job, &team, error)
      || !check_lattices (job, error))
    return FALSE;
  go_on (job);
  FlGeometryOptions refine = options_of (job, &team);
  if (!fl_geometry_refine (&refine, job->detector, job->start, job->groups.of_panel, &job->known,
                           job->lattices, &job->result, error)
      || !check_result (job, error))
    return FALSE;
  job->before = fl_residual_map (job, job->detector, job->result.before.pairs);
  job->after = fl_residual_map (job, job->result.detector, job->result.after.pairs);
  if (job->first)
    {
      g_autofree char *saved = g_build_filename (job->out, SAVED, NULL);
      if (fl_geometry_job_write (job, error))
        unlink (saved);
    }
  return fl_geometry_job_agree (job, error);
}

static void
job_clear (FlGeometryJob *job)
{
  fl_residual_map_clear (&job->before);
  fl_residual_map_clear (&job->after);
  fl_geometry_result_clear (&job->result);
  fl_geometry_groups_clear (&job->groups);
  g_clear_pointer (&job->detector, fl_detector_unref);
  g_clear_pointer (&job->start, fl_detector_unref);
  g_clear_pointer (&job->lattices, g_array_unref);
  g_clear_pointer (&job->windows, g_array_unref);
  g_clear_pointer (&job->spots, g_ptr_array_unref);
  g_clear_pointer (&job->params, fl_params_free);
  g_strfreev (job->inputs);
  g_free (job->path);
  g_free (job->text);
  g_free (job->out);
  g_free (job->attempt_dir);
}

int
fl_program_refine_geometry (int argc, char **argv)
{
  FlGeometryJob job = { .lattices = g_array_new (FALSE, FALSE, sizeof (FlGeometryLattice)),
                        .windows = g_array_new (FALSE, FALSE, sizeof (FlGeometryWindow)),
                        .spots = g_ptr_array_new_with_free_func (g_free) };
  FlAttemptOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  int hold = -1;
  fl_parallel_catch_signals ();
  job.parallel = fl_parallel_start (&argc, &argv);
  job.first = fl_parallel_rank (job.parallel) == 0;
  if (options_parse (&options, job.first, argc, argv, &error))
    run_job (&job, &options, &hold, &error);
  FlParallel *parallel = job.parallel;
  job_clear (&job);
  fl_attempt_options_clear (&options);
  return fl_attempt_end (parallel, PROGRAM, hold, error);
}
