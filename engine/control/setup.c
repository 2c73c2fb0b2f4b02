#include "engine/control/setup.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/params.h"
#include "engine/base/units.h"
#include "engine/control/dataset-plan.h"
#include "engine/control/science.h"

static gboolean
name_experiment (FlStore *store, const char *name, GError **error)
{
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_EXPERIMENT, error);
  if (all == NULL || all->len == 0)
    return FALSE;
  const FlExperiment *experiment = all->pdata[0];
  return strcmp (experiment->name, name) == 0
         || fl_store_set_text (store, FL_TABLE_EXPERIMENT, experiment->id, "name", name, error);
}

/* Where runs arrive: a root of its own; relative to the experiment's folder if it lies inside. */
static gboolean
add_watch (FlStore *store, const FlSetup *setup, GError **error)
{
  g_autofree char *folder = g_canonicalize_filename (setup->watch, NULL);
  g_autofree char *name = g_path_get_basename (folder);
  g_autofree char *inside = g_strconcat (fl_store_folder (store), "/", NULL);
  FlRoot root = { .name = (char *) "data",
                  .path = g_str_has_prefix (folder, inside) ? folder + strlen (inside) : folder };
  FlWatch watch = { .name = name,
                    .root = root.name,
                    .kind = (char *) (setup->kind != NULL ? setup->kind : "folders"),
                    .pattern = (char *) setup->pattern,
                    .quiet = setup->quiet,
                    .quiet_run = setup->quiet,
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
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: this experiment watches another folder already",
                 folder);
  else
    return fl_store_save (store, FL_TABLE_ROOT, &root, error)
           && fl_store_save (store, FL_TABLE_WATCH, &watch, error);
  return FALSE;
}

static gboolean
add_block (FlStore *store, const FlSetup *setup, GError **error)
{
  FlBlock block = { .name = (char *) setup->block, .params = (char *) setup->block_params, .active = TRUE };
  return fl_store_save (store, FL_TABLE_BLOCK, &block, error);
}

static gboolean
add_trial (FlStore *store, const FlSetup *setup, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_autoptr (GPtrArray) trials = fl_store_list (store, FL_TABLE_TRIAL, error);
  if (trials == NULL || !fl_params_read (params, setup->trial_params, setup->trial, error))
    return FALSE;
  int number = 0;
  for (guint i = 0; i < trials->len; i++)
    number = MAX (number, ((const FlTrial *) trials->pdata[i])->number);
  g_autofree char *text = fl_params_write (params);
  FlTrial trial = { .number = number + 1,
                    .name = (char *) setup->trial,
                    .params = text,
                    .active = TRUE,
                    .created = fl_now_ns (),
                    .params_version = (char *) fl_param_table_version (),
                    .engine_build = (char *) FL_VERSION };
  return fl_store_save (store, FL_TABLE_TRIAL, &trial, error);
}

/* `persistent`: runs get them as they arrive. */
static gboolean
add_tags (FlStore *store, const char *const *names, gboolean persistent, GError **error)
{
  for (const char *const *name = names; name != NULL && *name != NULL; name++)
    {
      g_autoptr (GError) failed = NULL;
      FlTag *there = fl_store_find (store, FL_TABLE_TAG, *name, &failed);
      FlTag tag = { .name = (char *) *name, .persistent = persistent };
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
find_task (FlStore *store, const FlSetup *setup, GError **error)
{
  FlTask *stills = setup->spi ? NULL : fl_store_find (store, FL_TABLE_TASK, "stills", error);
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
set_site (FlStore *store, const FlSetup *setup, GError **error)
{
  FlSite *site = fl_store_find (store, FL_TABLE_SITE, "local", error);
  FlTask *task = site != NULL ? find_task (store, setup, error) : NULL;
  gboolean ok = task != NULL
                && (setup->cores <= 0
                    || fl_store_set_int (store, FL_TABLE_SITE, site->id, "cores", setup->cores, error))
                && (setup->launcher == NULL
                    || fl_store_set_text (store, FL_TABLE_SITE, site->id, "launcher", setup->launcher, error))
                && (setup->engine == NULL
                    || fl_store_set_text (store, FL_TABLE_SITE, site->id, "engine", setup->engine, error))
                && (!setup->not_here || fl_store_set_int (store, FL_TABLE_SITE, site->id, "active", 0, error))
                && (setup->ranks <= 0 || set_ranks (store, task->id, setup->ranks, error))
                && (setup->stages == NULL
                    || fl_store_set_text (store, FL_TABLE_TASK, task->id, "type", setup->stages, error));
  if (!ok && error != NULL && *error == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no site 'local' or no task 'stills' or 'hits'",
                 fl_store_path (store));
  fl_record_free (FL_TABLE_SITE, site);
  fl_record_free (FL_TABLE_TASK, task);
  return ok;
}

static gboolean
apply (FlStore *store, const FlSetup *setup, GError **error)
{
  gboolean wants_site = setup->cores > 0 || setup->ranks > 0 || setup->launcher != NULL
                        || setup->engine != NULL || setup->stages != NULL || setup->not_here;
  return (setup->name == NULL || name_experiment (store, setup->name, error))
         && (!setup->spi || fl_science_set_spi (store, error))
         && (setup->watch == NULL || add_watch (store, setup, error))
         && (setup->block == NULL || add_block (store, setup, error))
         && (setup->trial == NULL || add_trial (store, setup, error))
         && add_tags (store, setup->tags_of_new, TRUE, error) && add_tags (store, setup->tags, FALSE, error)
         && (!wants_site || set_site (store, setup, error));
}

gboolean
fl_setup_apply (FlStore *store, const FlSetup *setup, GError **error)
{
  if (!fl_store_begin (store, error))
    return FALSE;
  if (apply (store, setup, error))
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}
