#include "engine/programs/program.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/build-features.h"

static void
print_help (const FlProgram *programs, const char *title)
{
  printf ("Usage: %s COMMAND [OPTION…] …\n\n", title);
  for (const FlProgram *p = programs; p->name != NULL; p++)
    printf ("  %-14s %s\n", p->name, p->summary);
  printf ("  %-14s %s\n\n%s COMMAND --help tells more.\n", "help PARAM", "what a parameter means", title);
}

static int
help_param (const char *name)
{
  const FlParamSpec *spec = fl_param_spec (name);
  if (spec == NULL)
    {
      g_autofree char *hint = fl_param_suggest (name);
      fprintf (stderr, "no parameter is called '%s'%s%s\n", name, hint != NULL ? "; " : "",
               hint != NULL ? hint : "");
      return 2;
    }
  g_autofree char *text = fl_param_describe (spec);
  fputs (text, stdout);
  return 0;
}

static int
help_all (void)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  for (guint i = 0; i < n; i++)
    printf ("%-28s %s\n", specs[i].name, specs[i].label);
  return 0;
}

static int
print_version (const char *title, void (*features) (void), int argc, char **argv)
{
  if (argc > 3 || (argc == 3 && strcmp (argv[2], "--features") != 0))
    {
      fprintf (stderr, "%s: after --version comes --features or nothing\n", title);
      return 2;
    }
  printf ("%s %s\n", title, FL_VERSION);
  if (argc == 3)
    {
      g_autofree char *text = fl_features_text ();
      fputs (text, stdout);
      if (features != NULL)
        features ();
    }
  return 0;
}

int
fl_program_main (const FlProgram *programs, const char *title, void (*features) (void), int argc, char **argv)
{
  const char *name = argc > 1 ? argv[1] : "--help";
  setlocale (LC_CTYPE, ""); /* messages are UTF-8; numbers stay as in C */
  if (strcmp (name, "--help") == 0 || strcmp (name, "-h") == 0)
    {
      print_help (programs, title);
      return argc > 1 ? 0 : 2;
    }
  if (strcmp (name, "--version") == 0)
    return print_version (title, features, argc, argv);
  if (strcmp (name, "help") == 0)
    return argc > 2 ? help_param (argv[2]) : help_all ();
  for (const FlProgram *p = programs; p->name != NULL; p++)
    if (strcmp (p->name, name) == 0)
      {
        g_autofree char *usage_name = g_strdup_printf ("%s %s", title, name);
        g_set_prgname (usage_name);
        return p->run (argc - 1, argv + 1);
      }
  fprintf (stderr, "%s: no command is called '%s'; %s --help lists them\n", title, name, title);
  return 2;
}

int
fl_program_fail (const char *program, const GError *error)
{
  fprintf (stderr, "%s: %s\n", program, error->message);
  return fl_error_exit_status (error);
}

void
fl_program_options_clear (FlProgramOptions *options)
{
  g_clear_pointer (&options->sets, g_strfreev);
  g_clear_pointer (&options->params_file, g_free);
}

void
fl_program_add_options (GOptionContext *context, FlProgramOptions *options)
{
  GOptionEntry entries[] = { { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->sets,
                               "Set a parameter (may be repeated)", "NAME=VALUE" },
                             { "params", 0, 0, G_OPTION_ARG_FILENAME, &options->params_file,
                               "Read parameters from a file", "FILE" },
                             { NULL } };
  g_option_context_add_main_entries (context, entries, NULL);
}

FlParams *
fl_program_params (const FlProgramOptions *options, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  if (options->params_file != NULL && !fl_params_read_file (params, options->params_file, error))
    return NULL;
  for (char **set = options->sets; set != NULL && *set != NULL; set++)
    if (!fl_params_set_assignment (params, *set, error))
      {
        g_prefix_error (error, "--set: ");
        return NULL;
      }
  return g_steal_pointer (&params);
}
