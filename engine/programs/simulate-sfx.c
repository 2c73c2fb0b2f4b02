/* simulate-sfx: write a serial crystallography beamtime that never was, in real formats, at a given rate. */

#include <signal.h>
#include <stdio.h>

#include "engine/base/error.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/simulate/beamtime.h"

static gboolean stop_asked;

static void
ask_stop (int signal_number)
{
  (void) signal_number;
  stop_asked = TRUE;
}

typedef struct
{
  char *out, *model;
  int runs, shots, per_file, first_run, damage;
  double rate, pause;
  gboolean quiet;
} Arguments;

static gboolean
check (const Arguments *a, GError **error)
{
  const char *wrong = a->out == NULL                  ? "--out DIR is missing"
                      : a->runs < 1 || a->runs > 9999 ? "--runs is out of range, expected 1 to 9999"
                      : a->shots < 1                  ? "--shots is out of range, expected 1 or more"
                      : a->per_file < 1               ? "--shots-per-file is out of range, expected 1 or more"
                      : a->shots / a->per_file > 9999 ? "--shots-per-file is too small for --shots"
                      : a->first_run < 1 || a->first_run > 9999
                          ? "--first-run is out of range, expected 1 to 9999"
                      : !(a->rate >= 0 && a->rate <= 1e6)   ? "--rate is out of range, expected 0 to 1000000"
                      : !(a->pause >= 0 && a->pause <= 1e6) ? "--pause is out of range, expected 0 to 1000000"
                      : a->damage < 0 ? "--damage is out of range, expected a run's number"
                                      : NULL;
  if (wrong != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s", wrong);
  return wrong == NULL;
}

static int
play (const Arguments *a, FlParams *params, GError **error)
{
  if (a->model != NULL && !fl_params_set (params, "simulate.model", a->model, error))
    return FALSE;
  struct sigaction action = { .sa_handler = ask_stop };
  sigaction (SIGTERM, &action, NULL);
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGUSR1, &action, NULL);
  FlBeamtime plan = { .out = a->out,
                      .first_run = (guint) a->first_run,
                      .n_runs = (guint) a->runs,
                      .shots = (guint) a->shots,
                      .shots_per_file = (guint) a->per_file,
                      .rate = a->rate,
                      .pause = a->pause,
                      .damaged_run = (guint) a->damage,
                      .quiet = a->quiet,
                      .stop = &stop_asked };
  return fl_beamtime_play (&plan, params, error);
}

int
fl_program_simulate_sfx (int argc, char **argv)
{
  Arguments a = { .runs = 1, .shots = 100, .per_file = 250, .first_run = 1 };
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out, "Folder of the beamtime", "DIR" },
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &a.model, "PDB file of the protein (simulate.model)", "FILE" },
    { "runs", 'n', 0, G_OPTION_ARG_INT, &a.runs, "How many runs (1)", "N" },
    { "shots", 's', 0, G_OPTION_ARG_INT, &a.shots, "Shots a run (100)", "N" },
    { "shots-per-file", 0, 0, G_OPTION_ARG_INT, &a.per_file, "Shots a file (250)", "N" },
    { "first-run", 0, 0, G_OPTION_ARG_INT, &a.first_run, "Number of the first run (1)", "N" },
    { "rate", 'r', 0, G_OPTION_ARG_DOUBLE, &a.rate, "Shots a second; 0: as fast as possible (0)", "HZ" },
    { "pause", 0, 0, G_OPTION_ARG_DOUBLE, &a.pause, "Seconds between runs (0)", "S" },
    { "damage", 0, 0, G_OPTION_ARG_INT, &a.damage, "Damage the first file of this run", "RUN" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &a.quiet, "Say nothing", NULL },
    { NULL },
  };
  g_auto (FlProgramOptions) options = { NULL };
  g_autoptr (GOptionContext) context = g_option_context_new ("– simulate a serial crystallography beamtime");
  g_option_context_add_main_entries (context, entries, NULL);
  fl_program_add_options (context, &options);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlParams) params = NULL;
  int status = 0;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "simulate-sfx: %s\n", error->message);
      status = 2;
    }
  else if (argc > 1)
    {
      fprintf (stderr, "simulate-sfx: '%s' is not an option, expected none but those of --help\n", argv[1]);
      status = 2;
    }
  else if (!check (&a, &error) || (params = fl_program_params (&options, &error)) == NULL
           || !play (&a, params, &error))
    status = fl_program_fail ("simulate-sfx", error);
  g_free (a.out);
  g_free (a.model);
  return status;
}
