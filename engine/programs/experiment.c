/* experiment: makes an experiment's folder and what is needed to begin: where runs arrive, a block, a trial, tags. For
 * scripts and for those without a window; the control room does the same. Again does no harm: what is there stays. */

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/params.h"
#include "engine/control/setup.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"
#include "engine/store/store.h"

#define PROGRAM "firstlight-control experiment"

typedef struct
{
  char *store, *watch, *kind, *science, *block, *trial, *launcher, *engine, *stages;
  char **tags, **tags_of_new;
  int cores, ranks;
  double quiet;
} Options;

/* "night/lysozyme.params" -> "lysozyme" */
static char *
name_of (const char *file)
{
  char *name = g_path_get_basename (file);
  if (g_str_has_suffix (name, ".params"))
    name[strlen (name) - strlen (".params")] = '\0';
  return name;
}

static char *
read_params (const char *file, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  return fl_params_read_file (params, file, error) ? fl_params_write_changed (params, NULL) : NULL;
}

/* A name is wrong: says so. */
static gboolean
is_choice (const char *option, const char *value, const char *const *choices, const char *expected)
{
  if (value == NULL || g_strv_contains (choices, value))
    return TRUE;
  fprintf (stderr, "%s: --%s '%s' is wrong, expected %s\n", PROGRAM, option, value, expected);
  return FALSE;
}

static gboolean
check (const Options *options)
{
  static const char *const kinds[] = { "folders", "files", NULL }, *const sciences[] = { "sfx", "spi", NULL },
                           *const stages[] = { "spots", "index", "all", "hits", NULL };
  if (!is_choice ("kind", options->kind, kinds, "folders or files")
      || !is_choice ("science", options->science, sciences, "sfx or spi")
      || !is_choice ("stages", options->stages, stages, "spots, index, all or hits"))
    return FALSE;
  if (options->stages == NULL || options->science == NULL
      || (strcmp (options->science, "spi") == 0) == (strcmp (options->stages, "hits") == 0))
    return TRUE;
  fprintf (stderr, "%s: --stages '%s' is wrong with --science %s\n", PROGRAM, options->stages,
           options->science);
  return FALSE;
}

/* What a file says, as trial text; "" for no file. */
static gboolean
read_texts (const Options *options, FlSetup *setup, char **texts, GError **error)
{
  if (options->block != NULL)
    {
      setup->block = texts[0] = name_of (options->block);
      setup->block_params = texts[1] = read_params (options->block, error);
      if (texts[1] == NULL)
        return FALSE;
    }
  if (options->trial == NULL)
    return TRUE;
  gboolean empty = *options->trial == '\0';
  setup->trial = texts[2] = empty ? g_strdup ("defaults") : name_of (options->trial);
  setup->trial_params = texts[3] = empty ? g_strdup ("") : read_params (options->trial, error);
  return texts[3] != NULL;
}

static int
set_up (const Options *options)
{
  g_autoptr (GError) error = NULL;
  char *texts[4] = { NULL };
  FlSetup setup = { .spi =
                        g_strcmp0 (options->science, "spi") == 0 || g_strcmp0 (options->stages, "hits") == 0,
                    .watch = options->watch,
                    .kind = options->kind,
                    .quiet = options->quiet,
                    .tags = (const char *const *) options->tags,
                    .tags_of_new = (const char *const *) options->tags_of_new,
                    .cores = options->cores,
                    .ranks = options->ranks,
                    .launcher = options->launcher,
                    .engine = options->engine,
                    .stages = options->stages };
  g_autoptr (FlStore) store = read_texts (options, &setup, texts, &error)
                                  ? fl_store_open (options->store, FL_STORE_CREATE, &error)
                                  : NULL;
  if (store != NULL)
    fl_store_act_for_person (store, g_get_host_name ());
  gboolean ok = store != NULL && fl_setup_apply (store, &setup, &error);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  if (!ok)
    return fl_program_fail (PROGRAM, error);
  printf ("%s\n", fl_store_path (store));
  return 0;
}

int
fl_program_experiment (int argc, char **argv)
{
  Options options = { .quiet = FL_SETUP_QUIET };
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "store", 's', 0, G_OPTION_ARG_FILENAME, &options.store, "The experiment's folder", "PATH" },
    { "watch", 'w', 0, G_OPTION_ARG_FILENAME, &options.watch, "Folder in which runs arrive", "DIR" },
    { "kind", 0, 0, G_OPTION_ARG_STRING, &options.kind, "What a run is there: folders (default) or files",
      "KIND" },
    { "science", 0, 0, G_OPTION_ARG_STRING, &options.science,
      "What is in the beam: sfx, crystals (default), or spi, single particles: runs go to hits, and the "
      "dataset "
      "particles of all of them to reconstruct",
      "SCIENCE" },
    { "quiet", 0, 0, G_OPTION_ARG_DOUBLE, &options.quiet,
      "Seconds without change until a run is complete (3)", "S" },
    { "block", 'b', 0, G_OPTION_ARG_FILENAME, &options.block,
      "Parameters of all runs (geometry, mask): makes a block", "FILE" },
    { "trial", 't', 0, G_OPTION_ARG_FILENAME, &options.trial,
      "Makes an active trial of these parameters ('': defaults)", "FILE" },
    { "tag", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.tags, "Makes a tag (may be repeated)", "NAME" },
    { "tag-new", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.tags_of_new,
      "Makes a tag that runs get as they arrive: what is in the beam now (may be repeated)", "NAME" },
    { "cores", 0, 0, G_OPTION_ARG_INT, &options.cores, "Cores of this machine that jobs may take", "N" },
    { "ranks", 0, 0, G_OPTION_ARG_INT, &options.ranks, "Ranks of a job", "N" },
    { "stages", 0, 0, G_OPTION_ARG_STRING, &options.stages,
      "How far jobs go: spots, index or all (default); of single particles: hits", "STAGES" },
    { "launcher", 0, 0, G_OPTION_ARG_STRING, &options.launcher, "How ranks are started (mpirun -n {ranks})",
      "TEXT" },
    { "engine", 0, 0, G_OPTION_ARG_FILENAME, &options.engine, "firstlight-engine of the jobs", "FILE" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (context, "Makes an experiment, or adds to it.");
  g_option_context_add_main_entries (context, entries, NULL);
  int status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (options.store == NULL || argc > 1)
    fprintf (stderr, "%s: expected --store FOLDER and other options only\n", PROGRAM);
  else if (check (&options))
    {
      /* Jobs run in folders of their own: a name alone is looked for in the PATH, anything else is made absolute. */
      if (options.engine != NULL && strchr (options.engine, '/') != NULL)
        {
          char *absolute = g_canonicalize_filename (options.engine, NULL);
          g_free (options.engine);
          options.engine = absolute;
        }
      status = set_up (&options);
    }
  char *texts[] = { options.store, options.watch,    options.kind,   options.science, options.block,
                    options.trial, options.launcher, options.engine, options.stages };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (options.tags);
  g_strfreev (options.tags_of_new);
  return status;
}
