/* experiment: makes an experiment's folder and what is needed to begin: where runs arrive, a block, a trial, tags. For
 * scripts and for those without a window; the control room does the same. Again does no harm: what is there stays. */

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/dataset-plan.h"
#include "engine/control/science.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/store.h"

#define PROGRAM "firstlight-control experiment"

typedef struct
{
  char *store, *watch, *kind, *science, *block, *trial, *launcher, *engine, *stages;
  char **tags, **tags_of_new;
  int cores, ranks;
  double quiet;
} Options;

static gboolean
is_spi (const Options *options)
{
  return g_strcmp0 (options->science, "spi") == 0 || g_strcmp0 (options->stages, "hits") == 0;
}

/* Where runs arrive: a root of its own; relative to the experiment's folder if it lies inside. */
static gboolean
add_watch (FlStore *store, const Options *options, GError **error)
{
  g_autofree char *folder = g_canonicalize_filename (options->watch, NULL);
  g_autofree char *name = g_path_get_basename (folder);
  g_autofree char *inside = g_strconcat (fl_store_folder (store), "/", NULL);
  FlRoot root = { .name = (char *) "data",
                  .path = g_str_has_prefix (folder, inside) ? folder + strlen (inside) : folder };
  FlWatch watch = { .name = name,
                    .root = root.name,
                    .kind = options->kind,
                    .quiet = options->quiet,
                    .quiet_run = options->quiet,
                    .active = TRUE };
  g_autoptr (GError) failed = NULL;
  FlRoot *there = fl_store_find (store, FL_TABLE_ROOT, root.name, &failed);
  gboolean known = there != NULL;
  gboolean same = known && strcmp (there->path, root.path) == 0;
  fl_record_free (FL_TABLE_ROOT, there);
  if (same)
    return TRUE;
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (known)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--watch: this experiment watches another folder already");
  else
    return fl_store_save (store, FL_TABLE_ROOT, &root, error)
           && fl_store_save (store, FL_TABLE_WATCH, &watch, error);
  return FALSE;
}

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

static gboolean
add_block (FlStore *store, const Options *options, GError **error)
{
  g_autofree char *params = read_params (options->block, error);
  g_autofree char *name = name_of (options->block);
  FlBlock block = { .name = name, .params = params, .active = TRUE };
  return params != NULL && fl_store_save (store, FL_TABLE_BLOCK, &block, error);
}

static gboolean
add_trial (FlStore *store, const Options *options, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_autoptr (GPtrArray) trials = fl_store_list (store, FL_TABLE_TRIAL, error);
  if (trials == NULL || (*options->trial != '\0' && !fl_params_read_file (params, options->trial, error)))
    return FALSE;
  int number = 0;
  for (guint i = 0; i < trials->len; i++)
    number = MAX (number, ((const FlTrial *) trials->pdata[i])->number);
  g_autofree char *text = fl_params_write (params);
  g_autofree char *name = *options->trial != '\0' ? name_of (options->trial) : g_strdup ("defaults");
  FlTrial trial = { .number = number + 1,
                    .name = name,
                    .params = text,
                    .active = TRUE,
                    .created = fl_now_ns (),
                    .params_version = (char *) fl_param_table_version (),
                    .engine_build = (char *) FL_VERSION };
  return fl_store_save (store, FL_TABLE_TRIAL, &trial, error);
}

/* `persistent`: runs get them as they arrive. */
static gboolean
add_tags (FlStore *store, char **names, gboolean persistent, GError **error)
{
  for (char **name = names; name != NULL && *name != NULL; name++)
    {
      g_autoptr (GError) failed = NULL;
      FlTag *there = fl_store_find (store, FL_TABLE_TAG, *name, &failed);
      FlTag tag = { .name = *name, .persistent = persistent };
      if (failed != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return FALSE;
        }
      if (there == NULL && !fl_store_save (store, FL_TABLE_TAG, &tag, error))
        return FALSE;
      fl_record_free (FL_TABLE_TAG, there);
    }
  return TRUE;
}

/* What runs go through. */
static FlTask *
find_task (FlStore *store, const Options *options, GError **error)
{
  FlTask *stills = is_spi (options) ? NULL : fl_store_find (store, FL_TABLE_TASK, "stills", error);
  return stills != NULL || (error != NULL && *error != NULL)
             ? stills
             : fl_store_find (store, FL_TABLE_TASK, "hits", error);
}

/* Of that task, and of reconstructions. */
static gboolean
set_ranks (FlStore *store, gint64 task, int ranks, GError **error)
{
  g_autoptr (GPtrArray) tasks = fl_store_list (store, FL_TABLE_TASK, error);
  gboolean ok = tasks != NULL;
  for (guint i = 0; ok && i < tasks->len; i++)
    {
      const FlTask *one = tasks->pdata[i];
      if (one->id == task || fl_task_takes_patterns (one))
        ok = fl_store_set_int (store, FL_TABLE_TASK, one->id, "ranks", ranks, error);
    }
  return ok;
}

static gboolean
set_site (FlStore *store, const Options *options, GError **error)
{
  FlSite *site = fl_store_find (store, FL_TABLE_SITE, "local", error);
  FlTask *task = site != NULL ? find_task (store, options, error) : NULL;
  gboolean ok =
      task != NULL
      && (options->cores <= 0
          || fl_store_set_int (store, FL_TABLE_SITE, site->id, "cores", options->cores, error))
      && (options->launcher == NULL
          || fl_store_set_text (store, FL_TABLE_SITE, site->id, "launcher", options->launcher, error))
      && (options->engine == NULL
          || fl_store_set_text (store, FL_TABLE_SITE, site->id, "engine", options->engine, error))
      && (options->ranks <= 0 || set_ranks (store, task->id, options->ranks, error))
      && (options->stages == NULL
          || fl_store_set_text (store, FL_TABLE_TASK, task->id, "type", options->stages, error));
  if (!ok && error != NULL && *error == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no site 'local' or no task 'stills' or 'hits'",
                 fl_store_path (store));
  fl_record_free (FL_TABLE_SITE, site);
  fl_record_free (FL_TABLE_TASK, task);
  return ok;
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

static int
set_up (const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = fl_store_open (options->store, FL_STORE_CREATE, &error);
  if (store == NULL || !fl_store_begin (store, &error))
    return fl_program_fail (PROGRAM, error);
  gboolean wants_site = options->cores > 0 || options->ranks > 0 || options->launcher != NULL
                        || options->engine != NULL || options->stages != NULL;
  if ((!is_spi (options) || fl_science_set_spi (store, &error))
      && (options->watch == NULL || add_watch (store, options, &error))
      && (options->block == NULL || add_block (store, options, &error))
      && (options->trial == NULL || add_trial (store, options, &error))
      && add_tags (store, options->tags_of_new, TRUE, &error)
      && add_tags (store, options->tags, FALSE, &error) && (!wants_site || set_site (store, options, &error))
      && fl_store_commit (store, &error))
    {
      printf ("%s\n", fl_store_path (store));
      return 0;
    }
  return fl_program_fail (PROGRAM, error);
}

int
fl_program_experiment (int argc, char **argv)
{
  Options options = { .quiet = 3 };
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
      if (options.kind == NULL)
        options.kind = g_strdup ("folders");
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
