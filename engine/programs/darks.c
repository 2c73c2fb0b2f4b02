/* darks: a detector's pedestals, noise and bad pixels from shots without beam, on any number of ranks; what it writes is
 * what detector.calibration reads. */
#include <stdio.h>

#include "engine/base/error.h"
#include "engine/parallel/arrays.h"
#include "engine/programs/dealt-job.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/programs/stills-inputs.h"
#include "engine/shots/darks.h"

#define PROGRAM "firstlight-engine darks"
#define PASSES  3

typedef struct
{
  FlParallel *parallel;
  gboolean first; /* rank 0 */
  char *out;
  FlProgramOptions common;
  FlParams *params;
  FlSourceOptions source_options;
  FlDarkRules rules;
  GPtrArray *inputs; /* FlInput */
  GArray *shots;     /* FlShotRef, this rank's, by source */
  FlDarks *darks;
  guint64 n_shots, n_failed; /* a pass */
} Job;

static guint32
count_frames (const char *path, gconstpointer options, GError **error)
{
  g_autoptr (FlSource) source = fl_source_open (path, options, error);
  return source != NULL ? fl_source_n_frames (source) : 0;
}

/* FALSE with error; or without one, when only help was asked for. */
static gboolean
parse (Job *job, char ***inputs, int argc, char **argv, GError **error)
{
  gboolean help = FALSE;
  const GOptionEntry entries[] = {
    { "help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this", NULL },
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &job->out, "FILE.h5, or a folder as psana has them", "PATH" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, inputs, NULL, "INPUT…" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_summary (
      context,
      "Pedestals, noise and bad pixels of each gain from shots without beam; gains that are in PATH "
      "already and not in these shots are kept.\nDetector: --set detector.kind=KIND, detector.geometry; "
      "rules: darks.*\nThe last line of the output reads: N shots, N gains, N bad pixels");
  g_option_context_add_main_entries (context, entries, NULL);
  fl_program_add_options (context, &job->common);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (help)
    {
      g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);
      if (job->first)
        fputs (text, stdout);
      return FALSE;
    }
  if (job->out != NULL && *inputs != NULL)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no %s, expected " PROGRAM " --out PATH INPUT…",
               job->out == NULL ? "--out" : "input");
  return FALSE;
}

/* --- the shots of this rank --- */

/* One after another in turn: which rank adds which shot makes no difference to the sums. */
static gboolean
deal (Job *job, GError **error)
{
  guint rank = fl_parallel_rank (job->parallel), ranks = fl_parallel_ranks (job->parallel);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  for (guint s = 0; job->first && s < job->inputs->len; s++)
    {
      const FlInput *input = job->inputs->pdata[s];
      if (input->message != NULL)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s", input->message);
          break;
        }
      for (guint32 i = 0; i < fl_input_n (input); i++)
        {
          FlShotRef ref = { s, fl_input_frame (input, i) };
          g_array_append_val (all, ref);
        }
    }
  g_autoptr (GBytes) mine = job->first ? g_bytes_new (all->data, all->len * sizeof (FlShotRef)) : NULL;
  g_autoptr (GBytes) shared = fl_parallel_share_bytes (job->parallel, mine);
  gsize length;
  const FlShotRef *refs = g_bytes_get_data (shared, &length);
  job->shots = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  for (gsize i = rank; i < length / sizeof *refs; i += ranks)
    g_array_append_val (job->shots, refs[i]);
  if (length > 0 || (error != NULL && *error != NULL))
    return error == NULL || *error == NULL;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no input has any shots, expected some");
  return FALSE;
}

/* Adds this rank's shots; one that cannot be read is left out. */
static gboolean
add_shots (Job *job, GError **error)
{
  g_autoptr (FlSource) source = NULL;
  g_auto (FlShot) shot = { 0 };
  guint32 open = G_MAXUINT32;
  job->n_shots = job->n_failed = 0;
  for (guint i = 0; i < job->shots->len; i++)
    {
      g_autoptr (GError) why = NULL;
      FlShotRef ref = g_array_index (job->shots, FlShotRef, i);
      const char *path = ((const FlInput *) job->inputs->pdata[ref.source])->path;
      if (open != ref.source)
        {
          g_clear_pointer (&source, fl_source_close);
          source = fl_source_open (path, &job->source_options, error);
          if (source == NULL)
            return FALSE;
          open = ref.source;
        }
      if (!fl_source_read (source, ref.frame, &shot, &why))
        {
          job->n_failed++;
          continue;
        }
      if (!fl_darks_add (job->darks, &shot, path, error))
        return FALSE;
      job->n_shots++;
    }
  return TRUE;
}

/* The same pixels everywhere: those of the first input. */
static gboolean
begin (Job *job, GError **error)
{
  const FlInput *first = job->inputs->pdata[0];
  g_autoptr (FlSource) source = fl_source_open (first->path, &job->source_options, error);
  if (source == NULL)
    return FALSE;
  job->darks = fl_darks_new ((FlDetectorKind) fl_params_choice (job->params, "detector.kind"),
                             fl_params_choice (job->params, "detector.epix_mode"),
                             fl_source_detector (source)->n_pixels, error);
  return job->darks != NULL;
}

static gboolean
set_up (Job *job, char **inputs, int *status)
{
  static const char *const endings[] = { ".cbf .cxi .h5 .hdf5 .nxs", NULL };
  g_autoptr (GError) error = NULL;
  job->params = fl_program_params (&job->common, &error);
  if (!fl_job_all_well (job->parallel, PROGRAM, error, status))
    return FALSE;
  const char *geometry = fl_params_text (job->params, "detector.geometry");
  job->source_options.geometry = *geometry != '\0' ? geometry : NULL;
  job->rules = (FlDarkRules){ .clip = fl_params_real (job->params, "darks.clip"),
                              .min_shots = (guint) fl_params_int (job->params, "darks.min_shots"),
                              .noise_low = fl_params_real (job->params, "darks.noise_low"),
                              .noise_high = fl_params_real (job->params, "darks.noise_high") };
  const FlInputReader reader = { endings, count_frames, &job->source_options };
  job->inputs = fl_inputs_read (job->parallel, inputs, &reader, &error);
  if (fl_job_all_well (job->parallel, PROGRAM, error, status))
    deal (job, &error);
  else
    return FALSE;
  if (fl_job_all_well (job->parallel, PROGRAM, error, status))
    begin (job, &error);
  else
    return FALSE;
  return fl_job_all_well (job->parallel, PROGRAM, error, status);
}

/* --- the whole --- */

static gboolean
finish (Job *job, GError **error)
{
  g_auto (FlDarkArrays) arrays = { 0 };
  guint gains = 0;
  guint64 bad = 0;
  fl_darks_finish (job->darks, &job->rules, &arrays);
  for (guint stage = 0; stage < job->darks->n_stages; stage++)
    if (job->darks->measured[stage] > 0)
      {
        printf ("gain %u: %" G_GUINT64_FORMAT " of %" G_GSIZE_FORMAT " pixels measured, %" G_GUINT64_FORMAT
                " of them bad\n",
                stage, job->darks->measured[stage], job->darks->n_pixels, job->darks->bad[stage]);
        gains++;
        bad += job->darks->bad[stage];
      }
  if (gains == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%" G_GUINT64_FORMAT " shots are too few, expected darks.min_shots = %u of a gain or more",
                   job->n_shots, job->rules.min_shots);
      return FALSE;
    }
  if (!fl_darks_write (job->darks, &arrays, job->out, fl_params_int (job->params, "detector.run"), error))
    return FALSE;
  if (job->n_failed > 0)
    fprintf (stderr, "%s: %" G_GUINT64_FORMAT " shots could not be read\n", PROGRAM, job->n_failed);
  printf ("%" G_GUINT64_FORMAT " shots, %u gains, %" G_GUINT64_FORMAT " bad pixels\n", job->n_shots, gains,
          bad);
  return TRUE;
}

static int
run (Job *job)
{
  g_autoptr (GError) error = NULL;
  int status = 0;
  for (guint pass = 0; pass < PASSES; pass++)
    {
      if (pass > 0)
        fl_darks_clip (job->darks, &job->rules);
      add_shots (job, &error);
      if (!fl_job_all_well (job->parallel, PROGRAM, error, &status))
        return status;
      guint64 counts[] = { job->n_shots, job->n_failed };
      fl_parallel_sum_u64 (job->parallel, counts, G_N_ELEMENTS (counts));
      fl_parallel_sum_u64 (job->parallel, job->darks->sums, (guint) job->darks->n_sums);
      job->n_shots = counts[0];
      job->n_failed = counts[1];
    }
  if (job->first)
    finish (job, &error);
  fl_job_all_well (job->parallel, PROGRAM, error, &status);
  return status;
}

int
fl_program_darks (int argc, char **argv)
{
  Job job = { 0 };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) inputs = NULL;
  int status = 0;
  job.parallel = fl_parallel_start (&argc, &argv);
  job.first = fl_parallel_rank (job.parallel) == 0;
  gboolean go = parse (&job, &inputs, argc, argv, &error);
  if (fl_job_all_well (job.parallel, PROGRAM, error, &status) && go && set_up (&job, inputs, &status))
    status = run (&job);
  fflush (stdout);
  g_clear_pointer (&job.darks, fl_darks_free);
  g_clear_pointer (&job.shots, g_array_unref);
  g_clear_pointer (&job.inputs, g_ptr_array_unref);
  g_clear_pointer (&job.params, fl_params_free);
  fl_program_options_clear (&job.common);
  g_free (job.out);
  fl_parallel_finish (job.parallel);
  return status;
}
