#include "engine/control/plan.h"

#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/base/params.h"
#include "engine/base/units.h"
#include "engine/control/finder.h"

/* --- wanted minus existing --- */

typedef struct
{
  GPtrArray *trials, *tasks, *blocks, *runs, *jobs;
} Lists;

static void
lists_clear (Lists *lists)
{
  g_clear_pointer (&lists->trials, g_ptr_array_unref);
  g_clear_pointer (&lists->tasks, g_ptr_array_unref);
  g_clear_pointer (&lists->blocks, g_ptr_array_unref);
  g_clear_pointer (&lists->runs, g_ptr_array_unref);
  g_clear_pointer (&lists->jobs, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lists, lists_clear)

/* Jobs of runs: no dataset, no version. */
typedef struct
{
  gint64 trial, block, run, task;
} Identity;

static guint
identity_hash (gconstpointer key)
{
  const Identity *id = key;
  return (guint) (id->run * 2654435761 + id->trial * 40503 + id->block * 97 + id->task);
}

static gboolean
identity_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Identity)) == 0;
}

static gboolean
covers (const FlBlock *block, const FlRun *run)
{
  return block->active
         && (*block->first_run == '\0' || fl_run_name_compare (block->first_run, run->name) <= 0)
         && (*block->last_run == '\0' || fl_run_name_compare (run->name, block->last_run) <= 0);
}

static char *
job_key (const FlTrial *trial, gint64 block, const FlRun *run, const FlTask *task)
{
  char *key =
      g_strdup_printf ("t%d-b%" G_GINT64_FORMAT "-%s-%s", trial->number, block, run->name, task->name);
  /* It is a folder's and a scheduler's name too. */
  g_strcanon (key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", '_');
  return key;
}

/* A new folder: results of another experiment, or of names that differ only in what a folder may not be called, are
 * left alone. */
static char *
free_folder (FlStore *store, const char *scratch, const char *key, GError **error)
{
  for (guint n = 1;; n++)
    {
      g_autofree char *name = n == 1 ? g_strdup (key) : g_strdup_printf ("%s.%u", key, n);
      g_autofree char *path = g_build_filename ("jobs", name, NULL);
      g_autofree char *folder = fl_store_resolve (store, scratch, path, error);
      if (folder == NULL)
        return NULL;
      g_autofree char *parent = g_path_get_dirname (folder);
      if (g_mkdir_with_parents (parent, 0777) == 0 && g_mkdir (folder, 0777) == 0)
        return g_steal_pointer (&path);
      if (errno != EEXIST)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", folder,
                       g_strerror (errno));
          return NULL;
        }
    }
}

static gboolean
want (FlStore *store, const Identity *id, const FlTrial *trial, const FlRun *run, const FlTask *task,
      const char *scratch, GHashTable *existing, guint *made, GError **error)
{
  if (g_hash_table_contains (existing, id))
    return TRUE;
  g_autofree char *key = job_key (trial, id->block, run, task);
  g_autofree char *path = free_folder (store, scratch, key, error);
  if (path == NULL)
    return FALSE;
  FlJob job = { .trial = id->trial,
                .block = id->block,
                .run = id->run,
                .task = id->task,
                .root = (char *) scratch,
                .path = path,
                .created = fl_now_ns () };
  gboolean is_new = FALSE;
  FlJob *found = fl_store_ensure_job (store, &job, &is_new, error);
  *made += is_new;
  gboolean ok = found != NULL;
  fl_record_free (FL_TABLE_JOB, found);
  return ok;
}

static gboolean
want_run (FlStore *store, const Lists *lists, const FlRun *run, const char *scratch, GHashTable *existing,
          guint *made, GError **error)
{
  for (guint t = 0; t < lists->trials->len; t++)
    for (guint k = 0; k < lists->tasks->len; k++)
      {
        const FlTrial *trial = lists->trials->pdata[t];
        const FlTask *task = lists->tasks->pdata[k];
        if (!trial->active || !task->active || (task->trial != 0 && task->trial != trial->id))
          continue;
        Identity id = { trial->id, 0, run->id, task->id };
        if (lists->blocks->len == 0 && !want (store, &id, trial, run, task, scratch, existing, made, error))
          return FALSE;
        for (guint b = 0; b < lists->blocks->len; b++)
          {
            const FlBlock *block = lists->blocks->pdata[b];
            id.block = block->id;
            if (covers (block, run) && !want (store, &id, trial, run, task, scratch, existing, made, error))
              return FALSE;
          }
      }
  return TRUE;
}

static char *
scratch_root (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) sites = fl_store_list (store, FL_TABLE_SITE, error);
  if (sites == NULL)
    return NULL;
  return g_strdup (sites->len > 0 ? ((const FlSite *) sites->pdata[0])->scratch : "");
}

gboolean
fl_plan_jobs (FlStore *store, guint *made, GError **error)
{
  g_auto (Lists) lists = { 0 };
  g_autofree char *scratch = scratch_root (store, error);
  if (scratch == NULL || (lists.trials = fl_store_list (store, FL_TABLE_TRIAL, error)) == NULL
      || (lists.tasks = fl_store_list (store, FL_TABLE_TASK, error)) == NULL
      || (lists.blocks = fl_store_list (store, FL_TABLE_BLOCK, error)) == NULL
      || (lists.runs = fl_store_list (store, FL_TABLE_RUN, error)) == NULL
      || (lists.jobs = fl_store_list (store, FL_TABLE_JOB, error)) == NULL)
    return FALSE;
  g_autoptr (GHashTable) existing = g_hash_table_new_full (identity_hash, identity_equal, g_free, NULL);
  for (guint i = 0; i < lists.jobs->len; i++)
    {
      const FlJob *job = lists.jobs->pdata[i];
      Identity id = { job->trial, job->block, job->run, job->task };
      if (job->dataset == 0 && job->version == 0)
        g_hash_table_add (existing, g_memdup2 (&id, sizeof id));
    }
  for (guint i = 0; i < lists.runs->len; i++)
    {
      const FlRun *run = lists.runs->pdata[i];
      if (strcmp (run->state, "recording") != 0 && *run->path != '\0'
          && !want_run (store, &lists, run, scratch, existing, made, error))
        return FALSE;
    }
  return TRUE;
}

/* --- the command --- */

char *
fl_plan_stem (int number)
{
  return g_strdup_printf ("attempt-%04d", number);
}

void
fl_planned_job_clear (FlPlannedJob *planned)
{
  g_clear_pointer (&planned->folder, g_free);
  g_clear_pointer (&planned->key, g_free);
  g_clear_pointer (&planned->program, g_free);
  g_clear_pointer (&planned->arguments, g_free);
  g_clear_pointer (&planned->params, g_free);
}

int
fl_plan_ranks (const FlTask *task, int cores)
{
  return CLAMP (task->ranks > 0 ? task->ranks : cores, 1, MAX (cores, 1));
}

/* Paths in a parameter are the experiment's: relative to the store's folder. */
static gboolean
make_paths_absolute (FlStore *store, FlParams *params, GError **error)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  for (guint i = 0; i < n; i++)
    {
      const char *path = fl_params_text (params, specs[i].name);
      if (specs[i].type != FL_PARAM_PATH || *path == '\0' || g_path_is_absolute (path))
        continue;
      g_autofree char *absolute = g_build_filename (fl_store_folder (store), path, NULL);
      if (!fl_params_set (params, specs[i].name, absolute, error))
        return FALSE;
    }
  return TRUE;
}

/* A trial holds the full set: what it leaves at the default is the block's to say. */
static gboolean
read_trial (FlParams *params, const FlTrial *trial, GError **error)
{
  g_autoptr (FlParams) own = fl_params_new ();
  g_autofree char *origin = g_strdup_printf ("trial %d", trial->number);
  if (!fl_params_read (own, trial->params, origin, error))
    return FALSE;
  g_autofree char *changed = fl_params_write_changed (own, NULL);
  return fl_params_read (params, changed, origin, error);
}

static char *
join_params (FlStore *store, const FlTrial *trial, const FlBlock *block, const FlTask *task, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_autofree char *block_name = g_strdup_printf ("block %s", block != NULL ? block->name : "");
  g_autofree char *task_name = g_strdup_printf ("task %s", task->name);
  if ((block != NULL && !fl_params_read (params, block->params, block_name, error))
      || !read_trial (params, trial, error) || !fl_params_read (params, task->params, task_name, error)
      || !make_paths_absolute (store, params, error))
    return NULL;
  return fl_params_write (params);
}

static void
append_quoted (GString *command, const char *argument)
{
  g_autofree char *quoted = g_shell_quote (argument);
  if (command->len > 0)
    g_string_append_c (command, ' ');
  g_string_append (command, quoted);
}

static char *
find_engine (const FlSite *site, const char *engine)
{
  const char *given = *site->engine != '\0' ? site->engine : engine;
  if (given
      != NULL) /* jobs run in folders of their own: a path is made absolute, a name alone is found in the PATH */
    return strchr (given, '/') != NULL ? g_canonicalize_filename (given, NULL) : g_strdup (given);
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : NULL;
  g_autofree char *beside = folder != NULL ? g_build_filename (folder, "firstlight-engine", NULL) : NULL;
  if (beside != NULL && g_file_test (beside, G_FILE_TEST_IS_EXECUTABLE))
    return g_steal_pointer (&beside);
  return g_strdup ("firstlight-engine");
}

static gboolean
make_command (FlStore *store, const FlRun *run, const FlTask *task, int number, const FlSite *site,
              const char *engine, FlPlannedJob *planned, GError **error)
{
  g_autoptr (GPtrArray) files = fl_finder_files (store, run, error);
  if (files == NULL)
    return FALSE;
  g_autofree char *attempt = g_strdup_printf ("%d", number);
  g_autofree char *stem = fl_plan_stem (number);
  g_autofree char *params_name = g_strconcat (stem, ".params", NULL);
  g_autofree char *params = g_build_filename (planned->folder, params_name, NULL);
  g_autoptr (GString) command = g_string_new (NULL);
  const char *const arguments[] = { "stills", "--stages",      task->type,  "--params", params,
                                    "--out",  planned->folder, "--attempt", attempt };
  for (guint i = 0; i < G_N_ELEMENTS (arguments); i++)
    append_quoted (command, arguments[i]);
  for (guint i = 0; i < files->len; i++)
    append_quoted (command, files->pdata[i]);
  planned->program = find_engine (site, engine);
  planned->arguments = g_strdup (command->str);
  return TRUE;
}

gboolean
fl_plan_command (FlStore *store, const FlJob *job, int number, const FlSite *site, int cores,
                 const char *engine, FlPlannedJob *planned, GError **error)
{
  FlTrial *trial = fl_store_get (store, FL_TABLE_TRIAL, job->trial, error);
  FlRun *run = trial != NULL ? fl_store_get (store, FL_TABLE_RUN, job->run, error) : NULL;
  FlTask *task = run != NULL ? fl_store_get (store, FL_TABLE_TASK, job->task, error) : NULL;
  FlBlock *block =
      task != NULL && job->block != 0 ? fl_store_get (store, FL_TABLE_BLOCK, job->block, error) : NULL;
  gboolean ok = task != NULL && (job->block == 0 || block != NULL);
  if (ok && strcmp (task->type, "spots") != 0 && strcmp (task->type, "index") != 0
      && strcmp (task->type, "all") != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "task %s: there are no jobs of type '%s', expected spots, index or all", task->name,
                   task->type);
      ok = FALSE;
    }
  if (ok)
    {
      planned->ranks = fl_plan_ranks (task, cores);
      planned->key = job_key (trial, job->block, run, task);
      planned->folder = fl_store_resolve (store, job->root, job->path, error);
      planned->params = planned->folder != NULL ? join_params (store, trial, block, task, error) : NULL;
      ok = planned->params != NULL && make_command (store, run, task, number, site, engine, planned, error);
    }
  fl_record_free (FL_TABLE_BLOCK, block);
  fl_record_free (FL_TABLE_TASK, task);
  fl_record_free (FL_TABLE_RUN, run);
  fl_record_free (FL_TABLE_TRIAL, trial);
  return ok;
}
