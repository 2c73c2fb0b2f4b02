/* Where things lie: the second half of experiment.h. */
#define G_LOG_DOMAIN "firstlight-gui"
#include <string.h>

#include "gui/experiment.h"

char *
flg_experiment_resolve (FlgExperiment *self, const char *root, const char *path)
{
  FlgRecordModel *roots = flg_experiment_table (self, FL_TABLE_ROOT);
  for (guint i = 0; i < flg_record_model_count (roots); i++)
    {
      const FlRoot *r = flg_record_any (flg_record_model_at (roots, i));
      if (strcmp (r->name, root) != 0)
        continue;
      g_autofree char *base = g_canonicalize_filename (r->path, flg_experiment_home (self));
      return g_build_filename (base, path, NULL);
    }
  return NULL;
}

/* What there is lies in one place, wherever it was: an archive, or all behind one link. */
static gboolean
is_in_one_place (FlgExperiment *self)
{
  return flg_experiment_is_copy (self) || flg_experiment_archive (self);
}

gboolean
flg_experiment_site_is_far (FlgExperiment *self, gint64 id)
{
  const FlSite *site = flg_experiment_site (self, id);
  return site && !is_in_one_place (self) && strcmp (site->kind, "ssh") == 0;
}

/* NULL: it lies where it lies here; so it does for who looks on from afar, through the machine of those who work. */
static const char *
mapped_root (FlgExperiment *self, gint64 site, const char *root)
{
  FlgRecordModel *maps = flg_experiment_table (self, FL_TABLE_SITE_ROOT);
  for (guint i = 0; i < flg_record_model_count (maps) && !is_in_one_place (self); i++)
    {
      const FlSiteRoot *map = flg_record_site_root (flg_record_model_at (maps, i));
      if (map->site == site && strcmp (map->root, root) == 0)
        return map->path;
    }
  return NULL;
}

char *
flg_experiment_resolve_at (FlgExperiment *self, gint64 site, const char *root, const char *path)
{
  const char *base = mapped_root (self, site, root);
  return base ? g_build_filename (base, path, NULL) : flg_experiment_resolve (self, root, path);
}

char *
flg_experiment_attempt_path (FlgExperiment *self, const FlAttempt *attempt, const char *suffix)
{
  const FlJob *job = flg_experiment_job (self, attempt->job);
  g_autofree char *path =
      job ? flg_experiment_resolve_at (self, attempt->site, job->root, attempt->path) : NULL;
  return path ? g_strconcat (path, suffix, NULL) : NULL;
}

gint64
flg_experiment_job_site (FlgExperiment *self, const FlJob *job)
{
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (self, job->id);
  return attempts->len ? flg_record_attempt (attempts->pdata[attempts->len - 1])->site : job->site;
}

static gboolean
watch_has (const FlWatch *watch, const FlRun *run)
{
  gsize length = strlen (watch->path);
  return strcmp (watch->root, run->root) == 0 && g_str_has_prefix (run->path, watch->path)
         && (length == 0 || run->path[length] == '/' || run->path[length] == '\0');
}

gint64
flg_experiment_run_site (FlgExperiment *self, const FlRun *run)
{
  FlgRecordModel *watches = flg_experiment_table (self, FL_TABLE_WATCH);
  FlgRecordModel *maps = flg_experiment_table (self, FL_TABLE_SITE_ROOT);
  for (guint i = 0; i < flg_record_model_count (watches); i++)
    {
      const FlWatch *watch = flg_record_watch (flg_record_model_at (watches, i));
      if (flg_experiment_site_is_far (self, watch->site) && watch_has (watch, run))
        return watch->site;
    }
  if (!flg_experiment_root_is_absent (self, run->root))
    return 0;
  for (guint i = 0; i < flg_record_model_count (maps); i++)
    {
      const FlSiteRoot *map = flg_record_site_root (flg_record_model_at (maps, i));
      if (strcmp (map->root, run->root) == 0 && flg_experiment_site_is_far (self, map->site))
        return map->site;
    }
  return 0;
}

char *
flg_experiment_move_path (FlgExperiment *self, const char *path, gint64 from, gint64 to)
{
  FlgRecordModel *roots = flg_experiment_table (self, FL_TABLE_ROOT);
  char *best = NULL;
  gsize longest = 0;
  for (guint i = 0; i < flg_record_model_count (roots) && from != to; i++)
    {
      const FlRoot *root = flg_record_any (flg_record_model_at (roots, i));
      g_autofree char *base = flg_experiment_resolve_at (self, from, root->name, "");
      gsize length = strlen (base);
      while (length > 1 && base[length - 1] == '/')
        length--;
      if (length <= longest || strncmp (path, base, length) != 0 || (path[length] && path[length] != '/'))
        continue;
      longest = length;
      g_free (best);
      best = flg_experiment_resolve_at (self, to, root->name, path[length] ? path + length + 1 : "");
    }
  return best ? best : g_strdup (path);
}

char *
flg_experiment_attempt_folder (FlgExperiment *self, const FlAttempt *attempt)
{
  const FlJob *job = flg_experiment_job (self, attempt->job);
  return job ? flg_experiment_resolve (self, job->root, attempt->path) : NULL;
}

static char *
in_folder (FlgExperiment *self, const char *path)
{
  const FlArchive *archive = flg_experiment_archive (self);
  if (!*path)
    return g_strdup ("");
  if (!archive)
    return g_canonicalize_filename (path, flg_experiment_home (self));
  g_autofree char *then = g_canonicalize_filename (path, archive->source);
  char *now = fl_archive_place (archive, then);
  return now ? now : g_steal_pointer (&then);
}

/* A far attempt was given the paths of what was put there for it. */
static const FlAttempt *
far_attempt (FlgExperiment *self, const FlJob *job)
{
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (self, job->id);
  const FlAttempt *newest = attempts->len ? flg_record_attempt (attempts->pdata[attempts->len - 1]) : NULL;
  return newest && *newest->params && flg_experiment_site_is_far (self, newest->site) ? newest : NULL;
}

/* Of the blocks that hold for the run now. */
static FlParams *
block_params (FlgExperiment *self, const FlRun *run)
{
  FlParams *params = fl_params_new ();
  FlgRecordModel *blocks = flg_experiment_table (self, FL_TABLE_BLOCK);
  for (guint i = 0; i < flg_record_model_count (blocks); i++)
    {
      const FlBlock *block = flg_record_block (flg_record_model_at (blocks, i));
      gboolean after = !*block->first_run || fl_run_name_compare (run->name, block->first_run) >= 0;
      gboolean before = !*block->last_run || fl_run_name_compare (run->name, block->last_run) <= 0;
      if (block->active && after && before)
        flg_params_overlay (params, block->params);
    }
  return params;
}

void
flg_experiment_block_detector (FlgExperiment *self, const FlRun *run, char **geometry, char **mask)
{
  g_autoptr (FlParams) params = block_params (self, run);
  *geometry = in_folder (self, fl_params_text (params, "detector.geometry"));
  *mask = in_folder (self, fl_params_text (params, "detector.mask"));
}

/* Of its best job, where that runs; of the blocks, where there is none. */
static FlParams *
run_params (FlgExperiment *self, const FlRun *run)
{
  const FlJob *job = flg_experiment_best_job (self, run->id);
  const FlAttempt *far = job ? far_attempt (self, job) : NULL;
  if (!far)
    return job ? flg_experiment_job_params (self, job) : block_params (self, run);
  FlParams *params = fl_params_new ();
  flg_params_overlay (params, far->params);
  return params;
}

char *
flg_experiment_run_calibration (FlgExperiment *self, const FlRun *run)
{
  g_autoptr (FlParams) params = run_params (self, run);
  g_autofree char *constants = in_folder (self, fl_params_text (params, "detector.calibration"));
  GString *text = g_string_new ("");
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  for (guint i = 0; *constants && i < n; i++)
    {
      const char *name = specs[i].name;
      gboolean own = strcmp (name, "detector.geometry") == 0 || strcmp (name, "detector.mask") == 0;
      if (g_str_has_prefix (name, "detector.") && !own && !fl_params_is_default (params, name))
        g_string_append_printf (text, "%s = %s\n", name,
                                strcmp (name, "detector.calibration") == 0 ? constants
                                                                           : fl_params_text (params, name));
    }
  return g_string_free (text, FALSE);
}

void
flg_experiment_run_detector (FlgExperiment *self, const FlRun *run, char **geometry, char **mask)
{
  g_autoptr (FlParams) params = run_params (self, run);
  *geometry = in_folder (self, fl_params_text (params, "detector.geometry"));
  *mask = in_folder (self, fl_params_text (params, "detector.mask"));
}
