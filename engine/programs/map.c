/* map: merged data and a model to maps of the electron density, on one processor (engine/maps). */

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/maps/synthesis.h"
#include "engine/programs/map-job.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"

#define PROGRAM     "firstlight-engine map"
#define MOST_POINTS 0x1p30
#define STRANGE_R   0.5 /* two models that have nothing to do with each other have 0.59 (Wilson 1950) */

typedef struct
{
  FlProgramOptions common;
  char *out, *model, *data, *minus;
} Options;

static void
options_clear (Options *options)
{
  fl_program_options_clear (&options->common);
  g_free (options->out);
  g_free (options->model);
  g_free (options->data);
  g_free (options->minus);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
options_parse (Options *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "model", 0, 0, G_OPTION_ARG_FILENAME, &options->model,
      "Atoms (PDB, mmCIF), or a model's amplitudes and phases (MTZ)", "FILE" },
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &options->data, "Merged data (MTZ, .hkl)", "FILE" },
    { "minus", 0, 0, G_OPTION_ARG_FILENAME, &options->minus, "Merged data to subtract: a map of what changed",
      "FILE" },
    { "out", 0, 0, G_OPTION_ARG_FILENAME, &options->out, "Folder of the maps", "DIR" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (context,
                                "Maps of the electron density: 2mFo-DFc, mFo-DFc and, with --minus, Fo-Fo.\n"
                                "The last line of the output reads: N reflections to d Å, R x, free R y, …");
  g_option_context_add_main_entries (context, entries, NULL);
  fl_program_add_options (context, &options->common);
  if (!g_option_context_parse (context, argc, argv, error))
    {
      (*error)->domain = FL_ERROR;
      (*error)->code = FL_ERROR_INPUT;
      return FALSE;
    }
  if (options->data == NULL || options->out == NULL || *argc > 1)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no %s, expected: %s --model FILE --data FILE --out DIR",
                   options->data == NULL  ? "--data"
                   : options->out == NULL ? "--out"
                                          : "use for more words",
                   PROGRAM);
      return FALSE;
    }
  return TRUE;
}

static gboolean
start (FlMapJob *job, const Options *options, GError **error)
{
  job->params = fl_program_params (&options->common, error);
  if (job->params == NULL)
    return FALSE;
  const char *model = options->model != NULL ? options->model : fl_params_text (job->params, "map.model");
  const char *minus = options->minus != NULL ? options->minus : fl_params_text (job->params, "map.minus");
  if (*model == '\0')
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no model, expected --model FILE or map.model");
      return FALSE;
    }
  job->out = g_strdup (options->out);
  job->model_path = g_strdup (model);
  job->data_path = g_strdup (options->data);
  job->minus_path = *minus != '\0' ? g_strdup (minus) : NULL;
  return TRUE;
}

static FlSigmaA
fit_sigma_a (const FlMapJob *job)
{
  enum
  {
    AUTO,
    FREE,
    ALL,
    ENOUGH = 500,
    FEW = 20
  };
  guint choice = fl_params_choice (job->params, "map.sigma_a"), n = job->reflections->n_free;
  gboolean free_only = choice == FREE ? n >= FEW : choice == AUTO && n >= ENOUGH;
  return fl_sigma_a_fit (job->reflections, job->f_model, free_only);
}

static gboolean
make_maps (FlMapJob *job, GError **error)
{
  const FlParams *params = job->params;
  int sampling[3];
  job->sigma_a = fit_sigma_a (job);
  job->coefficients = fl_coefficients_new (job->reflections, job->f_model, &job->sigma_a,
                                           fl_params_bool (params, "map.fill"));
  fl_synthesis_grid (&job->cell, job->symmetry, job->d_min, fl_params_real (params, "map.rate"), sampling);
  if ((double) sampling[0] * sampling[1] * sampling[2] > MOST_POINTS)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "a map of %d × %d × %d points is too large, expected a coarser map.d_min or map.rate",
                   sampling[0], sampling[1], sampling[2]);
      return FALSE;
    }
  job->best = fl_synthesis_new (job->reflections, job->coefficients->best, sampling);
  job->residual = fl_synthesis_new (job->reflections, job->coefficients->difference, sampling);
  if (job->other != NULL)
    {
      FlDifferenceWeight weight = fl_params_choice (params, "map.weight");
      job->difference = fl_difference_new (job->reflections, job->other, job->f_model, weight);
      job->change = fl_synthesis_new (job->reflections, job->difference->coefficients, sampling);
    }
  double peak = fl_params_real (params, "map.peak");
  guint most = (guint) fl_params_int (params, "map.peaks");
  job->peaks = fl_peaks_find (job->residual, job->model, peak, most);
  if (job->change != NULL)
    job->change_peaks = fl_peaks_find (job->change, job->model, peak, most);
  return TRUE;
}

static void
print_peak (const FlMapJob *job, const char *name, const GArray *peaks)
{
  if (peaks == NULL || peaks->len == 0)
    return;
  const FlPeak *peak = &g_array_index (peaks, FlPeak, 0);
  printf (", %s %+.1f sigma", name, peak->sigmas);
  if (peak->atom < 0)
    return;
  g_autofree char *words = fl_atom_label_words (&job->model->atoms[peak->atom].label);
  printf (" at %s, %.1f Å", words, peak->distance);
}

static void
print_total (const FlMapJob *job)
{
  printf ("%u reflections to %.2f Å, R %.4f", job->reflections->n_measured, job->d_min, job->scale.r_work);
  if (isfinite (job->scale.r_free))
    printf (", free R %.4f", job->scale.r_free);
  print_peak (job, "mFo-DFc", job->peaks);
  print_peak (job, "Fo-Fo", job->change_peaks);
  printf ("\n");
}

int
fl_program_map (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_auto (FlMapJob) job = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean good = options_parse (&options, &argc, &argv, &error) && start (&job, &options, &error)
                  && fl_map_job_set_up (&job, &error);
  if (good)
    {
      fl_map_job_fit (&job);
      good = make_maps (&job, &error) && fl_map_job_write (&job, &error);
    }
  if (!good)
    return fl_program_fail (PROGRAM, error);
  fprintf (stderr, "%.2f s of one processor\n", (double) clock () / CLOCKS_PER_SEC);
  if (job.scale.r_work > STRANGE_R)
    fprintf (stderr, "%s: warning: model and data hardly agree (R %.2f); is it this crystal form?\n", PROGRAM,
             job.scale.r_work);
  print_total (&job);
  return 0;
}
