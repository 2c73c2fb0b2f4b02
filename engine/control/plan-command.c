/* From a job to what runs at its site. */
#include <string.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/base/params.h"
#include "engine/control/plan.h"

#define MOST_INPUT (1u << 30) /* bytes of a file that a parameter names */

char *
fl_plan_stem (int number)
{
  return g_strdup_printf ("attempt-%04d", number);
}

void
fl_planned_job_clear (FlPlannedJob *planned)
{
  char **texts[] = { &planned->folder,  &planned->mirror,    &planned->key,
                     &planned->program, &planned->arguments, &planned->params };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
  g_clear_pointer (&planned->uploads, g_ptr_array_unref);
}

/* --- resources --- */

static gboolean
is_export (const FlTask *task)
{
  return strcmp (task->type, "export") == 0;
}

static gboolean
is_map (const FlTask *task)
{
  return strcmp (task->type, "map") == 0;
}

static gboolean
is_of_one_rank (const FlTask *task)
{
  return is_export (task) || is_map (task);
}

FlResources
fl_plan_resources (const FlTask *task, const FlSite *site, const FlAttempt *last)
{
  FlResources wanted = { .nodes = task->nodes > 0 ? task->nodes : site->nodes,
                         .ranks_per_node =
                             task->ranks_per_node > 0 ? task->ranks_per_node : site->ranks_per_node,
                         .gpus_per_rank = task->gpus_per_rank > 0 ? task->gpus_per_rank : site->gpus_per_rank,
                         .minutes = task->minutes > 0 ? task->minutes : site->minutes };
  if (is_of_one_rank (task))
    wanted.nodes = wanted.ranks_per_node = 1;
  return fl_policy_resources (&wanted, last);
}

int
fl_plan_ranks (const FlTask *task, const FlSite *site, const FlResources *resources, int cores)
{
  if (is_of_one_rank (task))
    return 1;
  if (strcmp (site->kind, "local") != 0)
    {
      int each = resources->ranks_per_node > 0 ? resources->ranks_per_node : MAX (site->cores, 1);
      return MAX (resources->nodes, 1) * each;
    }
  /* A reconstruction goes on for hours: runs that arrive meanwhile have the other half of this machine. */
  int free = fl_task_takes_patterns (task) && task->ranks == 0 ? cores / 2 : cores;
  int most = resources->ranks_per_node > 0 ? MIN (free, resources->ranks_per_node) : free;
  return CLAMP (task->ranks > 0 ? task->ranks : most, 1, MAX (most, 1));
}

/* --- files that parameters name --- */

static char *
inputs_here (FlStore *store, const FlSite *site, GError **error)
{
  return fl_store_resolve (store, site->scratch, "inputs", error);
}

static char *
inputs_there (FlStore *store, const FlSite *site, GError **error)
{
  return fl_store_resolve_at (store, site->id, site->scratch, "inputs", error);
}

/* A copy that stays as it was, called by what it holds. Its name; NULL with error. */
static char *
keep_input (const char *folder, const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  if (file == NULL)
    return NULL;
  gsize length = g_mapped_file_get_length (file);
  if (length > MOST_INPUT)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: is too large to be sent along (%.1f GB), expected 1 GB at most", path,
                   (double) length / 1e9);
      return NULL;
    }
  const guchar *bytes = length > 0 ? (const guchar *) g_mapped_file_get_contents (file) : (const guchar *) "";
  g_autofree char *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, bytes, length);
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *name = g_strdup_printf ("%.16s-%s", sum, base);
  g_autofree char *copy = g_build_filename (folder, name, NULL);
  if (g_file_test (copy, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&name);
  g_mkdir_with_parents (folder, 0777);
  return g_file_set_contents (copy, (const char *) bytes, (gssize) length, error) ? g_steal_pointer (&name)
                                                                                  : NULL;
}

/* Paths in a parameter are the experiment's: relative to the store's folder. Where the site is far, a file that is here goes
 * along, and is named as it will be called there. */
static gboolean
settle_paths (FlStore *store, const FlSite *site, gboolean far, FlParams *params, GError **error)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  g_autofree char *here = inputs_here (store, site, error);
  g_autofree char *there = here != NULL ? inputs_there (store, site, error) : NULL;
  for (guint i = 0; there != NULL && i < n; i++)
    {
      const char *path = fl_params_text (params, specs[i].name);
      if (specs[i].type != FL_PARAM_PATH || *path == '\0')
        continue;
      g_autofree char *final = g_canonicalize_filename (path, fl_store_folder (store));
      if (far && g_file_test (final, G_FILE_TEST_IS_REGULAR))
        {
          g_autofree char *name = keep_input (here, final, error);
          if (name == NULL)
            return FALSE;
          g_free (final);
          final = g_build_filename (there, name, NULL);
        }
      if (!fl_params_set (params, specs[i].name, final, error))
        return FALSE;
    }
  return there != NULL;
}

static void
add_upload (GPtrArray *uploads, const char *local, const char *far)
{
  FlUpload *upload = g_new (FlUpload, 1);
  *upload = (FlUpload){ g_strdup (local), g_strdup (far) };
  g_ptr_array_add (uploads, upload);
}

gboolean
fl_plan_uploads (FlStore *store, const FlSite *site, const char *folder, const char *mirror, int number,
                 const char *params_text, GPtrArray **uploads, GError **error)
{
  *uploads = NULL;
  if (strcmp (folder, mirror) == 0 || *params_text == '\0')
    return TRUE;
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  g_autoptr (FlParams) params = fl_params_new ();
  g_autofree char *here = inputs_here (store, site, error);
  g_autofree char *there = here != NULL ? inputs_there (store, site, error) : NULL;
  if (there == NULL || !fl_params_read (params, params_text, "attempt", error))
    return FALSE;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_upload_free);
  g_autofree char *prefix = g_strconcat (there, "/", NULL);
  for (guint i = 0; i < n; i++)
    {
      const char *path = fl_params_text (params, specs[i].name);
      if (specs[i].type != FL_PARAM_PATH || !g_str_has_prefix (path, prefix))
        continue;
      g_autofree char *local = g_build_filename (here, path + strlen (prefix), NULL);
      if (g_file_test (local, G_FILE_TEST_IS_REGULAR))
        add_upload (list, local, path);
    }
  g_autofree char *stem = fl_plan_stem (number);
  g_autofree char *name = g_strconcat (stem, ".params", NULL);
  g_autofree char *local = g_build_filename (mirror, name, NULL);
  g_autofree char *far = g_build_filename (folder, name, NULL);
  add_upload (list, local, far);
  *uploads = list;
  return TRUE;
}

/* --- parameters --- */

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

/* The records that a job is made of. */
typedef struct
{
  FlTrial *trial;
  FlBlock *block;
  FlRun *run;
  FlTask *task;
  FlDataset *dataset;
  FlDatasetVersion *version;
} Parts;

static void
parts_clear (Parts *parts)
{
  fl_record_free (FL_TABLE_TRIAL, parts->trial);
  fl_record_free (FL_TABLE_BLOCK, parts->block);
  fl_record_free (FL_TABLE_RUN, parts->run);
  fl_record_free (FL_TABLE_TASK, parts->task);
  fl_record_free (FL_TABLE_DATASET, parts->dataset);
  fl_record_free (FL_TABLE_DATASET_VERSION, parts->version);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parts, parts_clear)

static gboolean
parts_load (Parts *parts, FlStore *store, const FlJob *job, GError **error)
{
  const struct
  {
    FlTable table;
    gint64 id;
    gpointer *where;
  } wanted[] = {
    { FL_TABLE_TRIAL, job->trial, (gpointer *) &parts->trial },
    { FL_TABLE_BLOCK, job->block, (gpointer *) &parts->block },
    { FL_TABLE_RUN, job->run, (gpointer *) &parts->run },
    { FL_TABLE_TASK, job->task, (gpointer *) &parts->task },
    { FL_TABLE_DATASET, job->dataset, (gpointer *) &parts->dataset },
    { FL_TABLE_DATASET_VERSION, job->version, (gpointer *) &parts->version },
  };
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    if (wanted[i].id != 0
        && (*wanted[i].where = fl_store_get (store, wanted[i].table, wanted[i].id, error)) == NULL)
      return FALSE;
  gboolean global = parts->task != NULL && fl_task_is_global (parts->task);
  if (parts->trial != NULL && parts->task != NULL
      && (global ? parts->version : (gpointer) parts->run) != NULL)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "job %" G_GINT64_FORMAT ": is of no run and no version",
               job->id);
  return FALSE;
}

static char *
join_params (FlStore *store, const FlSite *site, gboolean far, const Parts *parts, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_autofree char *block_name = g_strdup_printf ("block %s", parts->block != NULL ? parts->block->name : "");
  g_autofree char *task_name = g_strdup_printf ("task %s", parts->task->name);
  if ((parts->block != NULL && !fl_params_read (params, parts->block->params, block_name, error))
      || !read_trial (params, parts->trial, error)
      || !fl_params_read (params, parts->task->params, task_name, error)
      || !settle_paths (store, site, far, params, error))
    return NULL;
  return fl_params_write (params);
}

/* --- the command --- */

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
  if (strcmp (site->kind, "ssh") == 0)
    return g_strdup (*site->engine != '\0' ? site->engine : "firstlight-engine");
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

/* Of a run: stills or hits. */
static gboolean
make_stills (FlFinder *finder, const FlJob *job, const Parts *parts, int number, const FlSite *site,
             FlPlannedJob *planned, GError **error)
{
  g_autoptr (GPtrArray) files = fl_finder_files (finder, parts->run, site->id, error);
  if (files == NULL)
    return FALSE;
  g_autofree char *attempt = g_strdup_printf ("%d", number);
  g_autofree char *stem = fl_plan_stem (number);
  g_autofree char *params_name = g_strconcat (stem, ".params", NULL);
  g_autofree char *params = g_build_filename (planned->folder, params_name, NULL);
  g_autoptr (GString) command = g_string_new (NULL);
  const char *const arguments[] = { "--params", params, "--out", planned->folder, "--attempt", attempt };
  append_quoted (command, fl_task_finds_patterns (parts->task) ? "hits" : "stills");
  if (!fl_task_finds_patterns (parts->task))
    {
      append_quoted (command, "--stages");
      append_quoted (command, parts->task->type);
    }
  for (guint i = 0; i < G_N_ELEMENTS (arguments); i++)
    append_quoted (command, arguments[i]);
  if (job->fraction > 0 && job->fraction < 1)
    {
      char number_text[G_ASCII_DTOSTR_BUF_SIZE];
      append_quoted (command, "--fraction");
      append_quoted (command, g_ascii_formatd (number_text, sizeof number_text, "%.6g", job->fraction));
    }
  for (guint i = 0; i < files->len; i++)
    append_quoted (command, files->pdata[i]);
  planned->arguments = g_strdup (command->str);
  return TRUE;
}

static gboolean
is_eaten (FlStore *store, const FlTask *by, const FlJob *job)
{
  FlTask *task = fl_store_get (store, FL_TABLE_TASK, job->task, NULL);
  gboolean eaten = task != NULL && fl_task_finds_patterns (task) == fl_task_takes_patterns (by);
  fl_record_free (FL_TABLE_TASK, task);
  return eaten;
}

/* The folder there of a job that goes into the version. */
static char *
input_folder (FlStore *store, gint64 id, const FlTask *by, gint64 trial, const FlSite *site, gboolean *mine,
              GError **error)
{
  FlJob *job = fl_store_get (store, FL_TABLE_JOB, id, error);
  char *folder = NULL;
  *mine = job != NULL && job->trial == trial && is_eaten (store, by, job);
  if (job != NULL && *mine && job->site != 0 && job->site != site->id)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                 "%s: lies at another site, expected all jobs of a version at one", job->path);
  else if (job != NULL && *mine)
    folder = fl_store_resolve_at (store, site->id, job->root, job->path, error);
  fl_record_free (FL_TABLE_JOB, job);
  return folder;
}

/* Folders of the version's jobs, as arguments. */
static gboolean
append_inputs (GString *command, FlStore *store, const FlJob *job, const Parts *parts, const FlSite *site,
               GError **error)
{
  g_autoptr (GPtrArray) uses = fl_store_list (store, FL_TABLE_VERSION_JOB, error);
  guint n = 0;
  for (guint i = 0; uses != NULL && i < uses->len; i++)
    {
      const FlVersionJob *use = uses->pdata[i];
      gboolean mine;
      if (use->version != parts->version->id)
        continue;
      g_autofree char *folder = input_folder (store, use->job, parts->task, job->trial, site, &mine, error);
      if (folder == NULL && mine)
        return FALSE;
      if (folder != NULL)
        append_quoted (command, folder);
      n += folder != NULL;
    }
  if (uses != NULL && n == 0)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "version %d of %s: has no jobs of this trial",
                 parts->version->number, parts->dataset->name);
  return n > 0;
}

static gboolean
make_export (FlStore *store, const FlJob *job, const Parts *parts, const FlSite *site, FlPlannedJob *planned,
             GError **error)
{
  g_autofree char *out = g_build_filename (planned->folder, "lattices.stream", NULL);
  g_autoptr (GString) command = g_string_new (NULL);
  const char *const arguments[] = { "export", "--format", "stream", "--out", out };
  for (guint i = 0; i < G_N_ELEMENTS (arguments); i++)
    append_quoted (command, arguments[i]);
  if (!append_inputs (command, store, job, parts, site, error))
    return FALSE;
  planned->arguments = g_strdup (command->str);
  planned->params = g_strdup ("");
  return TRUE;
}

/* The folder there of the newest job of the task, of an earlier version, that this one may start from; NULL: none. */
static char *
parent_folder (FlStore *store, const FlJob *job, const Parts *parts, const FlSite *site, GError **error)
{
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, error);
  const FlJob *parent = NULL;
  int newest = 0;
  for (guint i = 0; jobs != NULL && i < jobs->len; i++)
    {
      const FlJob *other = jobs->pdata[i];
      if (other->dataset != job->dataset || other->trial != job->trial || other->task != job->task
          || other->state != FL_JOB_DONE || (other->site != 0 && other->site != site->id))
        continue;
      FlDatasetVersion *version = fl_store_get (store, FL_TABLE_DATASET_VERSION, other->version, NULL);
      if (version != NULL && version->number < parts->version->number && version->number > newest)
        {
          newest = version->number;
          parent = other;
        }
      fl_record_free (FL_TABLE_DATASET_VERSION, version);
    }
  return parent != NULL ? fl_store_resolve_at (store, site->id, parent->root, parent->path, error) : NULL;
}

/* Option by which a job may start from an earlier version's; NULL: it does not. */
static const char *
parent_option (const char *type)
{
  return strcmp (type, "merge") == 0 ? "--parent" : strcmp (type, "reconstruct") == 0 ? "--start-from" : NULL;
}

/* Merges, the detector refined, reconstructions: they take all of the version's jobs. */
static gboolean
make_merge (FlStore *store, const FlJob *job, const Parts *parts, int number, const FlSite *site,
            FlPlannedJob *planned, GError **error)
{
  g_autoptr (GError) failed = NULL;
  const char *type = parts->task->type, *option = parent_option (type);
  g_autofree char *parent = option != NULL ? parent_folder (store, job, parts, site, &failed) : NULL;
  g_autofree char *attempt = g_strdup_printf ("%d", number);
  g_autofree char *stem = fl_plan_stem (number);
  g_autofree char *params_name = g_strconcat (stem, ".params", NULL);
  g_autofree char *params = g_build_filename (planned->folder, params_name, NULL);
  g_autoptr (GString) command = g_string_new (NULL);
  const char *const arguments[] = { strcmp (type, "geometry") == 0 ? "refine-geometry" : type,
                                    "--params",
                                    params,
                                    "--out",
                                    planned->folder,
                                    "--attempt",
                                    attempt };
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (arguments); i++)
    append_quoted (command, arguments[i]);
  if (parent != NULL)
    {
      append_quoted (command, option);
      append_quoted (command, parent);
    }
  if (!append_inputs (command, store, job, parts, site, error))
    return FALSE;
  planned->arguments = g_strdup (command->str);
  return TRUE;
}

/* Does the map's step in the dataset wait for the task? */
static gboolean
takes_merge (const GPtrArray *steps, const FlJob *map, gint64 merge)
{
  for (guint i = 0; i < steps->len; i++)
    {
      const FlDatasetTask *step = steps->pdata[i];
      if (step->dataset == map->dataset && step->task == map->task && fl_step_waits_for (step, merge))
        return TRUE;
    }
  return FALSE;
}

/* The folder there of the version's merge that the map comes after. */
static char *
merge_folder (FlStore *store, const FlJob *job, const Parts *parts, const FlSite *site, GError **error)
{
  g_autoptr (GPtrArray) steps = fl_store_list (store, FL_TABLE_DATASET_TASK, error);
  g_autoptr (GPtrArray) jobs = steps != NULL ? fl_store_list (store, FL_TABLE_JOB, error) : NULL;
  char *folder = NULL;
  for (guint i = 0; jobs != NULL && i < jobs->len && folder == NULL; i++)
    {
      const FlJob *other = jobs->pdata[i];
      if (other->version != job->version || other->dataset != job->dataset || other->trial != job->trial
          || other->state != FL_JOB_DONE || (other->site != 0 && other->site != site->id)
          || !takes_merge (steps, job, other->task))
        continue;
      FlTask *task = fl_store_get (store, FL_TABLE_TASK, other->task, NULL);
      if (task != NULL && strcmp (task->type, "merge") == 0)
        folder = fl_store_resolve_at (store, site->id, other->root, other->path, error);
      fl_record_free (FL_TABLE_TASK, task);
    }
  if (jobs != NULL && folder == NULL && (error == NULL || *error == NULL))
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "version %d of %s: has no merge at this site",
                 parts->version->number, parts->dataset->name);
  return folder;
}

static gboolean
make_map (FlStore *store, const FlJob *job, const Parts *parts, int number, const FlSite *site,
          FlPlannedJob *planned, GError **error)
{
  g_autofree char *merge = merge_folder (store, job, parts, site, error);
  if (merge == NULL)
    return FALSE;
  g_autofree char *data = g_build_filename (merge, "merged.mtz", NULL);
  g_autofree char *stem = fl_plan_stem (number);
  g_autofree char *params_name = g_strconcat (stem, ".params", NULL);
  g_autofree char *params = g_build_filename (planned->folder, params_name, NULL);
  g_autoptr (GString) command = g_string_new (NULL);
  const char *const arguments[] = { "map", "--params", params, "--out", planned->folder, "--data", data };
  for (guint i = 0; i < G_N_ELEMENTS (arguments); i++)
    append_quoted (command, arguments[i]);
  planned->arguments = g_strdup (command->str);
  return TRUE;
}

static gboolean
is_known_type (const FlTask *task, GError **error)
{
  if (strcmp (task->type, "spots") == 0 || strcmp (task->type, "index") == 0
      || strcmp (task->type, "all") == 0 || fl_task_finds_patterns (task) || fl_task_is_global (task))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
               "task %s: there are no jobs of type '%s', expected spots, index, all, hits, export, geometry, "
               "merge, map or reconstruct",
               task->name, task->type);
  return FALSE;
}

static gboolean
write_params (const FlPlannedJob *planned, int number, GError **error)
{
  g_autofree char *stem = fl_plan_stem (number);
  g_autofree char *name = g_strconcat (stem, ".params", NULL);
  g_autofree char *path = g_build_filename (planned->mirror, name, NULL);
  if (g_mkdir_with_parents (planned->mirror, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made", planned->mirror);
      return FALSE;
    }
  return *planned->params == '\0' || g_file_set_contents (path, planned->params, -1, error);
}

static gboolean
read_last (FlStore *store, const FlJob *job, const FlTask *task, const FlSite *site, FlResources *resources,
           GError **error)
{
  g_autoptr (GPtrArray) attempts = fl_store_list_attempts (store, job->id, error);
  if (attempts == NULL)
    return FALSE;
  *resources = fl_plan_resources (task, site, attempts->len > 0 ? attempts->pdata[attempts->len - 1] : NULL);
  return TRUE;
}

gboolean
fl_plan_command (FlFinder *finder, FlStore *store, const FlJob *job, int number, const FlSite *site,
                 int cores, const char *engine, FlPlannedJob *planned, GError **error)
{
  g_auto (Parts) parts = { 0 };
  if (!parts_load (&parts, store, job, error) || !is_known_type (parts.task, error)
      || !read_last (store, job, parts.task, site, &planned->resources, error))
    return FALSE;
  planned->ranks = fl_plan_ranks (parts.task, site, &planned->resources, cores);
  planned->key = g_path_get_basename (job->path);
  planned->folder = fl_store_resolve_at (store, site->id, job->root, job->path, error);
  planned->mirror = planned->folder != NULL ? fl_store_resolve (store, job->root, job->path, error) : NULL;
  if (planned->mirror == NULL)
    return FALSE;
  gboolean far = strcmp (planned->folder, planned->mirror) != 0;
  planned->program = find_engine (site, engine);
  if (is_export (parts.task))
    {
      if (!make_export (store, job, &parts, site, planned, error))
        return FALSE;
    }
  else if ((planned->params = join_params (store, site, far, &parts, error)) == NULL
           || !(is_map (parts.task) ? make_map (store, job, &parts, number, site, planned, error)
                : fl_task_is_global (parts.task)
                    ? make_merge (store, job, &parts, number, site, planned, error)
                    : make_stills (finder, job, &parts, number, site, planned, error)))
    return FALSE;
  return write_params (planned, number, error)
         && fl_plan_uploads (store, site, planned->folder, planned->mirror, number, planned->params,
                             &planned->uploads, error);
}
