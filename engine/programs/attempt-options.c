#include "engine/programs/attempt-options.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/results/attempt.h"

void
fl_attempt_options_clear (FlAttemptOptions *options)
{
  fl_program_options_clear (&options->common);
  g_clear_pointer (&options->out, g_free);
  g_clear_pointer (&options->inputs, g_strfreev);
}

gboolean
fl_attempt_options_parse (FlAttemptOptions *options, const GOptionEntry *more, const char *summary,
                          const char *usage, gboolean speak, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = { { "out", 0, 0, G_OPTION_ARG_FILENAME, &options->out,
                                     "The job's folder; attempts of one job share it", "DIR" },
                                   { "attempt", 0, 0, G_OPTION_ARG_INT, &options->attempt,
                                     "Number of this attempt (default: the next)", "N" },
                                   { "help", 'h', 0, G_OPTION_ARG_NONE, &options->help, "Show this", NULL },
                                   { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->inputs,
                                     NULL, "INPUT…" },
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (context, summary);
  if (more != NULL)
    g_option_context_add_main_entries (context, more, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  fl_program_add_options (context, &options->common);
  g_option_context_set_help_enabled (context, FALSE); /* GLib's would end the process under MPI's feet */
  if (!g_option_context_parse (context, &argc, &argv, error))
    {
      (*error)->domain = FL_ERROR;
      (*error)->code = FL_ERROR_INPUT;
      return FALSE;
    }
  if (options->help)
    {
      g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);
      if (speak)
        fputs (text, stdout);
      return FALSE;
    }
  if (options->inputs == NULL || options->out == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no %s given, expected: %s",
                 options->inputs == NULL ? "input" : "--out", usage);
  else if (options->attempt < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--attempt %d is wrong, expected a number from 1",
                 options->attempt);
  else
    return TRUE;
  return FALSE;
}

/* One text for a file or folder, however it is spelled; NULL when it is not there. */
static char *
identity_of (const char *path)
{
  struct stat about;
  return stat (path, &about) != 0 ? NULL
                                  : g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                                                     (guint64) about.st_dev, (guint64) about.st_ino);
}

gboolean
fl_attempt_inputs_differ (const FlAttemptOptions *options, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *out = identity_of (options->out);
  for (char **input = options->inputs; *input != NULL; input++)
    {
      char *identity = identity_of (*input);
      if (identity == NULL)
        continue; /* its reader says so */
      const char *before = g_hash_table_lookup (seen, identity);
      gboolean is_out = g_strcmp0 (identity, out) == 0;
      g_hash_table_replace (seen, identity, *input);
      if (before != NULL)
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is the same input as %s, expected each once",
                     *input, before);
      else if (is_out)
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--out %s is an input, expected a folder of its own",
                     options->out);
      if (before != NULL || is_out)
        return FALSE;
    }
  return TRUE;
}

char *
fl_attempt_params_text (FlParallel *parallel, const FlParams *params)
{
  g_autofree char *values = fl_params_write (params);
  g_autofree char *library = fl_parallel_library ();
  return g_strdup_printf ("; firstlight-engine %s, parameter table %s, %u ranks, %s\n%s", FL_VERSION,
                          fl_param_table_version (), fl_parallel_ranks (parallel), library, values);
}

gboolean
fl_attempt_begin (const FlAttemptOptions *options, FlParallel *parallel, const FlParams *params,
                  guint *attempt, char **dir, int *hold, GError **error)
{
  *attempt = fl_attempt_make (options->out, (guint) options->attempt, error);
  if (*attempt == 0)
    return FALSE;
  *dir = fl_attempt_path (options->out, *attempt);
  *hold = fl_attempt_hold (*dir);
  if (!fl_attempt_wait_for_earlier (options->out, *attempt, FL_ATTEMPT_PATIENCE, error))
    return FALSE;
  g_autofree char *text = fl_attempt_params_text (parallel, params);
  g_autofree char *own = g_build_filename (*dir, "params.txt", NULL);
  g_autofree char *all = g_build_filename (options->out, "params.txt", NULL);
  return g_file_set_contents (own, text, -1, error) && g_file_set_contents (all, text, -1, error);
}

int
fl_attempt_end (FlParallel *parallel, const char *program, int hold, const GError *error)
{
  if (error != NULL && fl_parallel_rank (parallel) == 0)
    fl_program_fail (program, error);
  fflush (stdout);
  fl_parallel_finish (parallel);
  if (hold >= 0)
    close (hold);
  return error != NULL ? fl_error_exit_status (error) : 0;
}
