#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/experiment.h"

#include <glib/gstdio.h>

#include <string.h>
#include <unistd.h>

#define POLL_MS 500

struct _FlgExperiment
{
  GObject parent_instance;
  FlgStoreThread *store;
  char *folder;
  FlgClock clock;
  gpointer clock_data;
  FlgRecordModel *tables[FL_TABLE_LAST];
  GHashTable *job_stats, *run_stats; /* id -> FlJobStats */
  GHashTable *run_tags;              /* run id -> GArray of tag ids */
  FlgGlance glance;
  char *conductor, *problem, *account;
  char *home;          /* of a followed store: its folder on the other machine; NULL: `folder` */
  FlArchive *archive;  /* NULL: it is none */
  GHashTable *absent;  /* names of roots that are not on this machine */
  GCancellable *looks; /* for them, under way */
  gboolean open, read_only, filled;
};

enum
{
  OPENED,
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgExperiment, flg_experiment, G_TYPE_OBJECT)

static guint64
machine_clock (gpointer data)
{
  return (guint64) g_get_real_time () * 1000;
}

/* Which tags a run has is read in every row: kept by run. */
static void
index_run_tags (FlgExperiment *self)
{
  g_hash_table_remove_all (self->run_tags);
  FlgRecordModel *model = self->tables[FL_TABLE_RUN_TAG];
  for (guint i = 0; i < flg_record_model_count (model); i++)
    {
      const FlRunTag *pair = flg_record_any (flg_record_model_at (model, i));
      GArray *tags = g_hash_table_lookup (self->run_tags, &pair->run);
      if (!tags)
        {
          tags = g_array_new (FALSE, FALSE, sizeof (gint64));
          g_hash_table_insert (self->run_tags, g_memdup2 (&pair->run, sizeof pair->run), tags);
        }
      g_array_append_val (tags, pair->tag);
    }
}

static void
touch_all (FlgRecordModel *model)
{
  for (guint i = 0; i < flg_record_model_count (model); i++)
    flg_record_touch (flg_record_model_at (model, i));
}

static void
touch (FlgExperiment *self, FlTable table, gint64 id)
{
  FlgRecord *record = flg_record_model_find (self->tables[table], id);
  if (record)
    flg_record_touch (record);
}

/* Names and paths of roots, in turn; what is there is taken out. In a thread: a stuck disk holds up nothing else. */
static void
find_absent (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const GPtrArray *roots = data;
  GHashTable *absent = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i + 1 < roots->len; i += 2)
    if (g_access (roots->pdata[i + 1], R_OK) != 0)
      g_hash_table_add (absent, g_strdup (roots->pdata[i]));
  g_task_return_pointer (task, absent, (GDestroyNotify) g_hash_table_unref);
}

static void
on_absent (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgExperiment *self = FLG_EXPERIMENT (source);
  g_autoptr (GHashTable) absent = g_task_propagate_pointer (G_TASK (result), NULL);
  if (!absent)
    return;
  g_hash_table_unref (self->absent);
  self->absent = g_steal_pointer (&absent);
  g_signal_emit (self, signals[CHANGED], 0, FLG_CHANGED (FL_TABLE_ROOT));
}

static void
look_for_roots (FlgExperiment *self)
{
  GPtrArray *roots = g_ptr_array_new_with_free_func (g_free);
  FlgRecordModel *model = self->tables[FL_TABLE_ROOT];
  for (guint i = 0; i < flg_record_model_count (model); i++)
    {
      const FlRoot *root = flg_record_any (flg_record_model_at (model, i));
      g_ptr_array_add (roots, g_strdup (root->name));
      g_ptr_array_add (roots, g_canonicalize_filename (root->path, self->folder));
    }
  g_cancellable_cancel (self->looks);
  g_clear_object (&self->looks);
  self->looks = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (self, self->looks, on_absent, NULL);
  g_task_set_task_data (task, roots, (GDestroyNotify) g_ptr_array_unref);
  g_task_run_in_thread (task, find_absent);
}

static guint
take_changes (FlgExperiment *self, GPtrArray *changes)
{
  guint what = 0;
  for (guint i = 0; i < changes->len; i++)
    what |= FLG_CHANGED (((FlChange *) changes->pdata[i])->table);
  for (FlTable table = 0; table < FL_TABLE_LAST; table++)
    if (what & FLG_CHANGED (table))
      flg_record_model_apply (self->tables[table], changes);
  if (what & FLG_CHANGED (FL_TABLE_RUN_TAG))
    index_run_tags (self);
  if (what & (FLG_CHANGED (FL_TABLE_ROOT) | FLG_CHANGED (FL_TABLE_SITE_ROOT)))
    look_for_roots (self);
  /* A run's row shows its tags and the states of its jobs; a job's row names its run and trial. */
  if (what & (FLG_CHANGED (FL_TABLE_RUN_TAG) | FLG_CHANGED (FL_TABLE_TAG) | FLG_CHANGED (FL_TABLE_JOB)))
    touch_all (self->tables[FL_TABLE_RUN]);
  return what;
}

static void
take_stats (FlgExperiment *self, GArray *fresh, gboolean of_runs)
{
  for (guint i = 0; i < fresh->len; i++)
    {
      const FlJobStats *stats = &g_array_index (fresh, FlJobStats, i);
      gint64 id = of_runs ? stats->run : stats->job;
      g_hash_table_insert (of_runs ? self->run_stats : self->job_stats, g_memdup2 (&id, sizeof id),
                           g_memdup2 (stats, sizeof *stats));
      touch (self, of_runs ? FL_TABLE_RUN : FL_TABLE_JOB, id);
    }
}

static guint
take_counts (FlgExperiment *self, FlgNews *news)
{
  take_stats (self, news->jobs, FALSE);
  take_stats (self, news->runs, TRUE);
  fl_overview_clear (&self->glance.overview);
  self->glance.overview = news->overview;
  news->counted = FALSE;
  self->glance.recent_shots = news->recent_shots;
  self->glance.recent_hits = news->recent_hits;
  self->glance.recent_indexed = news->recent_indexed;
  return FLG_CHANGED_COUNTS;
}

static guint
take_people (FlgExperiment *self, FlgNews *news)
{
  guint what = 0;
  if (news->account && (self->glance.role != news->role || !self->account))
    {
      g_free (self->account);
      self->glance.account = self->account = g_steal_pointer (&news->account);
      self->glance.role = news->role;
      what |= FLG_CHANGED_HEALTH;
      /* Rows have switches, too. */
      for (FlTable table = 0; table < FL_TABLE_LAST; table++)
        touch_all (self->tables[table]);
    }
  if (news->present)
    {
      g_clear_pointer (&self->glance.present, g_ptr_array_unref);
      self->glance.present = g_steal_pointer (&news->present);
      what |= FLG_CHANGED_PEOPLE;
    }
  return what;
}

/* Also of a poll that failed in the end: the store's thread does not read it again. */
static guint
take_read (FlgExperiment *self, FlgNews *news)
{
  guint what = news->back ? FLG_CHANGED_BACK : 0;
  if (news->changes)
    what |= take_changes (self, news->changes);
  if (news->counted)
    what |= take_counts (self, news);
  return what | take_people (self, news);
}

static void
on_news (FlgExperiment *self, FlgNews *news)
{
  guint what = take_read (self, news);
  gboolean was_well = self->problem == NULL;
  g_clear_pointer (&self->problem, g_free);
  self->glance.lost = news->lost;
  self->glance.retry = news->retry;
  if (news->error)
    self->problem = g_strdup (news->error->message);
  else
    {
      self->glance.heard = flg_experiment_now (self);
      if (g_strcmp0 (self->conductor, news->conductor) != 0)
        {
          g_free (self->conductor);
          self->conductor = g_steal_pointer (&news->conductor);
          what |= FLG_CHANGED_HEALTH;
        }
      if (!self->filled)
        what |= FLG_CHANGED_HEALTH;
      self->filled = TRUE;
    }
  self->glance.problem = self->problem;
  self->glance.conductor = self->conductor;
  if (was_well != (self->problem == NULL))
    what |= FLG_CHANGED_HEALTH;
  if (what)
    g_signal_emit (self, signals[CHANGED], 0, what);
}

static void
on_findings (FlgExperiment *self, GPtrArray *findings)
{
  g_clear_pointer (&self->glance.findings, g_ptr_array_unref);
  self->glance.findings = g_ptr_array_ref (findings);
  g_signal_emit (self, signals[CHANGED], 0, FLG_CHANGED_FINDINGS);
}

static void
on_opened (FlgExperiment *self, const GError *error, gboolean read_only)
{
  self->open = error == NULL;
  self->read_only = read_only;
  g_signal_emit (self, signals[OPENED], 0, error);
}

static void
flg_experiment_dispose (GObject *object)
{
  FlgExperiment *self = FLG_EXPERIMENT (object);
  flg_experiment_close (self);
  g_cancellable_cancel (self->looks);
  g_clear_object (&self->looks);
  g_clear_object (&self->store);
  for (guint i = 0; i < FL_TABLE_LAST; i++)
    g_clear_object (&self->tables[i]);
  G_OBJECT_CLASS (flg_experiment_parent_class)->dispose (object);
}

static void
flg_experiment_finalize (GObject *object)
{
  FlgExperiment *self = FLG_EXPERIMENT (object);
  g_hash_table_unref (self->job_stats);
  g_hash_table_unref (self->run_stats);
  g_hash_table_unref (self->run_tags);
  g_hash_table_unref (self->absent);
  g_free (self->home);
  fl_archive_free (self->archive);
  fl_overview_clear (&self->glance.overview);
  g_clear_pointer (&self->glance.findings, g_ptr_array_unref);
  g_clear_pointer (&self->glance.present, g_ptr_array_unref);
  g_free (self->account);
  g_free (self->conductor);
  g_free (self->problem);
  g_free (self->folder);
  G_OBJECT_CLASS (flg_experiment_parent_class)->finalize (object);
}

static void
flg_experiment_class_init (FlgExperimentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = flg_experiment_dispose;
  object_class->finalize = flg_experiment_finalize;
  signals[OPENED] = g_signal_new ("opened", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
flg_experiment_init (FlgExperiment *self)
{
  for (FlTable table = 0; table < FL_TABLE_LAST; table++)
    self->tables[table] = flg_record_model_new (table);
  self->glance.role = FL_ROLE_OWNER;
  self->job_stats = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->run_stats = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->absent = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->run_tags =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_array_unref);
}

FlgExperiment *
flg_experiment_new (const char *folder, FlStoreMode mode, FlgClock clock, gpointer clock_data)
{
  FlgExperiment *self = g_object_new (FLG_TYPE_EXPERIMENT, NULL);
  self->folder = g_canonicalize_filename (folder, NULL);
  self->clock = clock ? clock : machine_clock;
  self->clock_data = clock_data;
  self->read_only = mode == FL_STORE_READ_ONLY;
  self->store = flg_store_thread_new (self->folder, mode, POLL_MS);
  g_signal_connect_object (self->store, "opened", G_CALLBACK (on_opened), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->store, "news", G_CALLBACK (on_news), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->store, "findings", G_CALLBACK (on_findings), self, G_CONNECT_SWAPPED);
  return self;
}

void
flg_experiment_close (FlgExperiment *self)
{
  if (self->store)
    flg_store_thread_close (self->store);
}

FlgStoreThread *
flg_experiment_store (FlgExperiment *self)
{
  return self->store;
}

const char *
flg_experiment_session (FlgExperiment *self)
{
  return flg_store_thread_session (self->store);
}

void
flg_experiment_look_at (FlgExperiment *self, const char *page)
{
  flg_store_thread_look_at (self->store, page);
}

const char *
flg_experiment_folder (FlgExperiment *self)
{
  return self->folder;
}

guint64
flg_experiment_now (FlgExperiment *self)
{
  return self->clock (self->clock_data);
}

const char *
flg_experiment_home (FlgExperiment *self)
{
  return self->home ? self->home : self->folder;
}

void
flg_experiment_set_home (FlgExperiment *self, const char *folder)
{
  g_free (self->home);
  self->home = g_strdup (folder);
}

void
flg_experiment_set_archive (FlgExperiment *self, FlArchive *archive)
{
  fl_archive_free (self->archive);
  self->archive = archive;
}

const FlArchive *
flg_experiment_archive (FlgExperiment *self)
{
  return self->archive;
}

gboolean
flg_experiment_is_copy (FlgExperiment *self)
{
  return self->home != NULL;
}

gboolean
flg_experiment_root_is_absent (FlgExperiment *self, const char *root)
{
  return g_hash_table_contains (self->absent, root);
}

gboolean
flg_experiment_is_open (FlgExperiment *self)
{
  return self->open;
}

gboolean
flg_experiment_is_read_only (FlgExperiment *self)
{
  return self->read_only;
}

gboolean
flg_experiment_is_filled (FlgExperiment *self)
{
  return self->filled;
}

const FlgGlance *
flg_experiment_glance (FlgExperiment *self)
{
  return &self->glance;
}

FlgRecordModel *
flg_experiment_table (FlgExperiment *self, FlTable table)
{
  return self->tables[table];
}

const FlJobStats *
flg_experiment_job_stats (FlgExperiment *self, gint64 job)
{
  return g_hash_table_lookup (self->job_stats, &job);
}

const FlJobStats *
flg_experiment_run_stats (FlgExperiment *self, gint64 run)
{
  return g_hash_table_lookup (self->run_stats, &run);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static GStrv
sorted_names (GPtrArray *names)
{
  g_ptr_array_sort (names, by_name);
  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_free (names, FALSE);
}

GStrv
flg_experiment_run_tags (FlgExperiment *self, gint64 run)
{
  GPtrArray *names = g_ptr_array_new ();
  GArray *tags = g_hash_table_lookup (self->run_tags, &run);
  for (guint i = 0; tags && i < tags->len; i++)
    {
      FlgRecord *tag = flg_record_model_find (self->tables[FL_TABLE_TAG], g_array_index (tags, gint64, i));
      if (tag)
        g_ptr_array_add (names, g_strdup (flg_record_tag (tag)->name));
    }
  return sorted_names (names);
}

GStrv
flg_experiment_tag_names (FlgExperiment *self)
{
  GPtrArray *names = g_ptr_array_new ();
  FlgRecordModel *tags = self->tables[FL_TABLE_TAG];
  for (guint i = 0; i < flg_record_model_count (tags); i++)
    g_ptr_array_add (names, g_strdup (flg_record_tag (flg_record_model_at (tags, i))->name));
  return sorted_names (names);
}

const FlRun *
flg_experiment_run (FlgExperiment *self, gint64 id)
{
  FlgRecord *record = flg_record_model_find (self->tables[FL_TABLE_RUN], id);
  return record ? flg_record_run (record) : NULL;
}

const FlTrial *
flg_experiment_trial (FlgExperiment *self, gint64 id)
{
  FlgRecord *record = flg_record_model_find (self->tables[FL_TABLE_TRIAL], id);
  return record ? flg_record_trial (record) : NULL;
}

const FlJob *
flg_experiment_job (FlgExperiment *self, gint64 id)
{
  FlgRecord *record = flg_record_model_find (self->tables[FL_TABLE_JOB], id);
  return record ? flg_record_job (record) : NULL;
}

const FlSite *
flg_experiment_site (FlgExperiment *self, gint64 id)
{
  FlgRecord *record = flg_record_model_find (self->tables[FL_TABLE_SITE], id);
  return record ? flg_record_site (record) : NULL;
}

GPtrArray *
flg_experiment_attempts (FlgExperiment *self, gint64 job)
{
  GPtrArray *found = g_ptr_array_new ();
  FlgRecordModel *attempts = self->tables[FL_TABLE_ATTEMPT];
  for (guint i = 0; i < flg_record_model_count (attempts); i++)
    if (flg_record_attempt (flg_record_model_at (attempts, i))->job == job)
      g_ptr_array_add (found, flg_record_model_at (attempts, i));
  return found;
}

GPtrArray *
flg_experiment_run_jobs (FlgExperiment *self, gint64 run)
{
  GPtrArray *found = g_ptr_array_new ();
  FlgRecordModel *jobs = self->tables[FL_TABLE_JOB];
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    if (flg_record_job (flg_record_model_at (jobs, i))->run == run)
      g_ptr_array_add (found, flg_record_model_at (jobs, i));
  return found;
}

static int
trial_number (FlgExperiment *self, const FlJob *job)
{
  const FlTrial *trial = flg_experiment_trial (self, job->trial);
  return trial ? trial->number : 0;
}

const FlJob *
flg_experiment_best_job (FlgExperiment *self, gint64 run)
{
  g_autoptr (GPtrArray) jobs = flg_experiment_run_jobs (self, run);
  const FlJob *best = NULL;
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *job = flg_record_job (jobs->pdata[i]);
      if (!best || trial_number (self, job) > trial_number (self, best)
          || (trial_number (self, job) == trial_number (self, best) && job->id > best->id))
        best = job;
    }
  return best;
}

void
flg_params_overlay (FlParams *params, const char *text)
{
  g_autoptr (GError) error = NULL;
  if (text && *text && !fl_params_read (params, text, "store", &error))
    g_debug ("%s", error->message);
}

FlParams *
flg_experiment_job_params (FlgExperiment *self, const FlJob *job)
{
  FlParams *params = fl_params_new ();
  FlgRecord *block = flg_record_model_find (self->tables[FL_TABLE_BLOCK], job->block);
  if (block)
    flg_params_overlay (params, flg_record_block (block)->params);
  const FlTrial *trial = flg_experiment_trial (self, job->trial);
  if (trial)
    {
      /* A trial keeps all of its values; only what it changes may hide the block's. */
      g_autoptr (FlParams) whole = fl_params_new ();
      flg_params_overlay (whole, trial->params);
      g_autofree char *changed = fl_params_write_changed (whole, NULL);
      flg_params_overlay (params, changed);
    }
  FlgRecord *task = flg_record_model_find (self->tables[FL_TABLE_TASK], job->task);
  if (task)
    flg_params_overlay (params, ((const FlTask *) flg_record_any (task))->params);
  return params;
}
