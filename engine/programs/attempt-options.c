#include "engine/programs/attempt-options.h"

#include <stdio.h>

#include "engine/base/error.h"

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
