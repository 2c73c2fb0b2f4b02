/* merge: lattices of jobs, streams and DIALS' files to one list of intensities, on any number of ranks (engine/merge/merge.h). */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/merge/ambiguity.h"
#include "engine/merge/cycles.h"
#include "engine/merge/filter.h"
#include "engine/merge/polarisation.h"
#include "engine/merge/trend.h"
#include "engine/programs/attempt-options.h"
#include "engine/programs/merge-job.h"
#include "engine/programs/programs.h"
#include "engine/results/attempt.h"

#define PROGRAM "firstlight-engine merge"
#define STATE   "merge.state"

typedef struct
{
  FlAttemptOptions common;
  char *parent;
} Options;

static gboolean
options_parse (Options *options, gboolean speak, int argc, char **argv, GError **error)
{
  const GOptionEntry own[] = { { "parent", 0, 0, G_OPTION_ARG_FILENAME, &options->parent,
                                 "Start from what an earlier merge knows of the lattices that are in both",
                                 "DIR" },
                               { NULL } };
  return fl_attempt_options_parse (
      &options->common, own,
      "Scales and merges the lattices of jobs' folders, of .stream and of .expt files.\n"
      "Prints the shells and what was left out.\n"
      "The last line of the output reads: N lattices, M used, K reflections, CC1/2 x, completeness y %",
      PROGRAM " --out DIR INPUT…", speak, argc, argv, error);
}

/* --- setting up --- */

/* Of all that decides about the numbers. */
static void
sum_params (FlMergeJob *job)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  guint64 sum = fl_hash64 (job->settings, job->n_settings * sizeof *job->settings, 0);
  for (guint i = 0; i < n; i++)
    if (strcmp (specs[i].stage, "merge") == 0)
      {
        const char *text = fl_params_text (job->params, specs[i].name);
        sum = fl_hash64 (text, strlen (text), sum);
      }
  job->terms_sum = sum;
  job->params_sum = fl_hash64 (&job->cell, sizeof job->cell, sum);
}

/* An earlier merge makes the way shorter and no other: where it is gone, damaged or in other terms, one goes without. Collective. */
static void
read_parent (FlMergeJob *job, const char *dir)
{
  g_autofree char *path = g_build_filename (dir, STATE, NULL);
  g_autoptr (GError) why = NULL;
  job->parent = fl_merge_state_read (path, &why);
  guint64 without = job->parent == NULL || job->parent->header.terms_sum != job->terms_sum;
  fl_parallel_sum_u64 (job->parallel, &without, 1);
  if (without == 0)
    return;
  if (job->first)
    fprintf (stderr, "%s; starts anew\n",
             why != NULL ? why->message : "the earlier merge was of other parameters or symmetry");
  g_clear_pointer (&job->parent, fl_merge_state_free);
}

static gboolean
read_inputs (FlMergeJob *job, char **inputs, GError **error)
{
  FlMergeInputOptions options = { job->attempt_dir, (guint64) fl_params_int (job->params, "merge.memory")
                                                        << 20 };
  guint64 counts[FL_MERGE_REASON_LAST];
  job->set = fl_merge_input_read (job->parallel, (const char *const *) inputs, &options, error);
  if (job->set == NULL)
    return FALSE;
  fl_merge_count_reasons (job->set, counts);
  if (job->first && job->set->n_twice > 0)
    fprintf (stderr,
             "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
             " lattices came before from another input: what comes twice agrees with itself\n",
             job->set->n_twice, job->set->n_lattices);
  if (counts[FL_MERGE_ACCEPTED] > 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s%s: no integrated lattice, expected some", inputs[0],
               inputs[1] != NULL ? " and the others" : "");
  return FALSE;
}

static void
name_ambiguity (FlMergeJob *job)
{
  g_autoptr (GString) all = g_string_new (NULL);
  for (guint i = 0; i < job->n_settings; i++)
    {
      g_autofree char *words = fl_reindexing_words (&job->settings[i]);
      g_string_append_printf (all, "%s%s", i > 0 ? " " : "", words);
    }
  job->ambiguity = g_strdup (all->str);
}

/* --- working --- */

static gboolean
is_asked_to_stop (gpointer data)
{
  const FlMergeJob *job = data;
  guint64 asked = fl_parallel_stop_asked ();
  fl_parallel_sum_u64 (job->parallel, &asked, 1);
  return asked > 0;
}

static gboolean
save_and_stop (FlMergeJob *job, const FlMergeCycles *cycles, GError **error)
{
  g_autofree char *path = g_build_filename (job->out, STATE, NULL);
  g_autoptr (FlMergeState) state = fl_merge_state_of (job->set);
  if (cycles->last != NULL)
    fl_merge_state_keep (state, job->list, cycles->last);
  state->header.params_sum = job->params_sum;
  state->header.terms_sum = job->terms_sum;
  state->header.cycles = cycles->done;
  if (job->first && fl_merge_state_write (state, path, error))
    g_set_error (error, FL_ERROR, FL_ERROR_STOPPED,
                 "asked to stop after %u cycles: saved; the next attempt goes on from there", cycles->done);
  return fl_merge_job_agree (job, error);
}

/* What an attempt that was asked to stop has left of the same merge. */
static void
go_on (FlMergeJob *job, FlMergeCycles *cycles)
{
  g_autofree char *path = g_build_filename (job->out, STATE, NULL);
  g_autoptr (FlMergeState) own = fl_merge_state_of (job->set);
  g_autoptr (FlMergeState) saved = fl_merge_state_read (path, NULL);
  guint64 usable = saved != NULL && !saved->header.complete && saved->header.params_sum == job->params_sum
                   && saved->header.lattice_sum == own->header.lattice_sum;
  if (fl_parallel_share_u64 (job->parallel, usable) == 0 || saved == NULL)
    return;
  fl_merge_state_apply (saved, job->set);
  fl_merge_set_index (job->set, job->list, job->settings);
  g_clear_pointer (&cycles->last, fl_merge_reference_free);
  cycles->last = fl_merge_state_reference (saved, job->list);
  cycles->done = saved->header.cycles;
}

static gboolean
fit (FlMergeJob *job, GError **error)
{
  const FlParams *params = job->params;
  guint postrefine = fl_params_choice (params, "merge.postrefine");
  FlMergeCycles cycles = { .scaling = { .b = fl_params_bool (params, "merge.b_factor"),
                                        .width = postrefine >= 1,
                                        .rotation = postrefine >= 2,
                                        .min_cc = fl_params_real (params, "merge.min_cc") },
                           .outside = job->outside,
                           .most = (guint) fl_params_int (params, "merge.cycles"),
                           .stop = is_asked_to_stop,
                           .data = job };
  if (!fl_params_bool (params, "merge.scale"))
    cycles.most = 0;
  fl_merge_set_index (job->set, job->list, job->settings);
  fl_merge_scale_start (job->set, postrefine > 0 ? 1 : 0);
  if (job->parent != NULL && (cycles.last = fl_merge_state_reference (job->parent, job->list)) != NULL)
    fl_merge_state_apply (job->parent, job->set);
  go_on (job, &cycles);
  const FlMergeStop stop = { is_asked_to_stop, job };
  gboolean ok =
      cycles.done > 0 || job->n_settings == 0
      || fl_merge_resolve (job->set, job->list, job->settings, job->n_settings,
                           job->outside != NULL ? job->outside : cycles.last, &stop, &job->reindexed);
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_STOPPED,
                 "asked to stop while settings are told apart; the next attempt begins again");
  ok = ok && (fl_merge_cycles (job->set, job->list, &cycles) || save_and_stop (job, &cycles, error));
  job->cycles = cycles.done;
  g_clear_pointer (&cycles.last, fl_merge_reference_free);
  return ok;
}

static guint64
count_reindexed (const FlMergeJob *job)
{
  guint64 n = 0;
  for (guint i = 0; i < job->set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = fl_merge_set_lattice (job->set, i);
      n += lattice->setting != 0 && lattice->reason == FL_MERGE_ACCEPTED;
    }
  fl_parallel_sum_u64 (job->parallel, &n, 1);
  return n;
}

static gboolean
any_left (FlMergeJob *job, GError **error)
{
  guint most = FL_MERGE_NO_REFLECTIONS;
  fl_merge_count_reasons (job->set, job->counts);
  if (job->counts[FL_MERGE_ACCEPTED] > 0)
    return TRUE;
  for (guint i = most; i < FL_MERGE_REASON_LAST; i++)
    most = job->counts[i] > job->counts[most] ? i : most;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "none of %" G_GUINT64_FORMAT " lattices is left (%" G_GUINT64_FORMAT
               ": %s), expected some that belong together",
               job->set->n_lattices, job->counts[most], fl_merge_reason_words (most));
  return FALSE;
}

static void
merge (FlMergeJob *job)
{
  const FlParams *params = job->params;
  gsize memory = (gsize) fl_params_int (params, "merge.memory") << 19;
  job->errors = fl_error_model_fit (fl_error_model_kind (fl_params_text (params, "merge.error_model")),
                                    job->set, job->list, memory);
  FlMergingOptions options = { .error_model = job->errors,
                               .outlier = fl_params_real (params, "merge.outlier"),
                               .min_multiplicity = (guint) fl_params_int (params, "merge.min_multiplicity"),
                               .anomalous = fl_params_bool (params, "merge.anomalous") };
  job->shells = fl_merge_shells_new (job->list, (guint) fl_params_int (params, "merge.shells"));
  job->trend = g_array_new (FALSE, TRUE, sizeof (FlTrendRow));
  job->result = fl_merge_trend (job->set, job->list, &options, job->shells, memory, job->trend);
  fl_merge_statistics (job->result, job->list, job->outside, job->shells);
  fl_merge_statistics_lattices (job->set, job->list, job->shells);
  fl_merge_statistics_row (job->result, job->list, job->shells, &job->errors, &job->row);
  fl_merge_job_means (job);
  job->reindexed = count_reindexed (job);
  job->reference = fl_merging_reference (job->set, job->list, 1);
  job->state = fl_merge_state_of (job->set);
  fl_merge_state_keep (job->state, job->list, job->reference);
  job->state->header.params_sum = job->params_sum;
  job->state->header.terms_sum = job->terms_sum;
  job->state->header.parent_sum = job->parent != NULL ? job->parent->header.lattice_sum : 0;
  job->state->header.cycles = job->cycles;
  job->state->header.complete = 1;
  job->lattice_sum = g_strdup_printf ("%016" G_GINT64_MODIFIER "x", job->state->header.lattice_sum);
  job->parent_sum = job->parent != NULL
                        ? g_strdup_printf ("%016" G_GINT64_MODIFIER "x", job->parent->header.lattice_sum)
                        : g_strdup ("");
}

/* --- all --- */

static gboolean
start (FlMergeJob *job, const Options *options, int *hold, GError **error)
{
  job->out = g_strdup (options->common.out);
  job->params = fl_program_params (&options->common.common, error);
  if (!fl_merge_job_agree (job, error))
    return FALSE;
  if (job->first)
    fl_attempt_inputs_differ (&options->common, error);
  if (!fl_merge_job_agree (job, error) || !fl_merge_job_read_reference (job, error))
    return FALSE;
  if (job->first)
    fl_attempt_begin (&options->common, job->parallel, job->params, &job->attempt, &job->attempt_dir, hold,
                      error);
  if (!fl_merge_job_agree (job, error))
    return FALSE;
  job->attempt = (guint) fl_parallel_share_u64 (job->parallel, job->attempt);
  g_free (job->attempt_dir);
  job->attempt_dir = fl_attempt_path (job->out, job->attempt);
  if (!job->first)
    *hold = fl_attempt_hold (job->attempt_dir);
  return TRUE;
}

static gboolean
run_job (FlMergeJob *job, const Options *options, int *hold, GError **error)
{
  guint64 started = fl_tick_ns ();
  if (!start (job, options, hold, error) || !read_inputs (job, options->common.inputs, error)
      || !fl_merge_job_set_up (job, error))
    return FALSE;
  sum_params (job);
  if (options->parent != NULL)
    read_parent (job, options->parent);
  name_ambiguity (job);
  fl_merge_polarisation (job->set, fl_params_real (job->params, "merge.polarisation"));
  if (!any_left (job, error) || !fit (job, error) || !any_left (job, error))
    return FALSE;
  merge (job);
  if (job->first && fl_merge_job_write (job, started, error))
    fl_merge_job_print (job, options->parent);
  return fl_merge_job_agree (job, error);
}

static void
job_clear (FlMergeJob *job)
{
  g_clear_pointer (&job->state, fl_merge_state_free);
  g_clear_pointer (&job->parent, fl_merge_state_free);
  g_clear_pointer (&job->reference, fl_merge_reference_free);
  g_clear_pointer (&job->outside, fl_merge_reference_free);
  g_clear_pointer (&job->result, fl_merge_result_free);
  g_clear_pointer (&job->shells, g_array_unref);
  g_clear_pointer (&job->trend, g_array_unref);
  g_clear_pointer (&job->outside_rows, g_array_unref);
  g_clear_pointer (&job->outside_symmetry, fl_symmetry_free);
  g_clear_pointer (&job->list, fl_unique_list_free);
  g_clear_pointer (&job->symmetry, fl_symmetry_free);
  g_clear_pointer (&job->set, fl_merge_set_free);
  g_clear_pointer (&job->params, fl_params_free);
  g_free (job->settings);
  g_free (job->ambiguity);
  g_free (job->lattice_sum);
  g_free (job->parent_sum);
  g_free (job->attempt_dir);
  g_free (job->out);
}

int
fl_program_merge (int argc, char **argv)
{
  FlMergeJob job = { 0 };
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
  g_free (options.parent);
  return fl_attempt_end (parallel, PROGRAM, hold, error);
}
