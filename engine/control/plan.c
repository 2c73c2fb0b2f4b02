#include "engine/control/plan.h"

#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"

/* --- what there is --- */

static GPtrArray **
list_of (FlPlanBasis *basis, FlTable table)
{
  FlPlanRecords *r = &basis->records;
  switch (table)
    {
    case FL_TABLE_RUN:
      return &r->runs;
    case FL_TABLE_TAG:
      return &r->tags;
    case FL_TABLE_RUN_TAG:
      return &r->run_tags;
    case FL_TABLE_BLOCK:
      return &r->blocks;
    case FL_TABLE_TRIAL:
      return &r->trials;
    case FL_TABLE_TASK:
      return &r->tasks;
    case FL_TABLE_SITE:
      return &r->sites;
    case FL_TABLE_JOB:
      return &r->jobs;
    case FL_TABLE_ATTEMPT:
      return &r->attempts;
    case FL_TABLE_DATASET_VERSION:
      return &r->versions;
    case FL_TABLE_VERSION_JOB:
      return &r->version_jobs;
    case FL_TABLE_EXPERIMENT:
      return &basis->experiments;
    case FL_TABLE_DATASET:
      return &basis->datasets;
    case FL_TABLE_DATASET_TASK:
      return &basis->steps;
    default:
      return NULL;
    }
}

void
fl_plan_basis_init (FlPlanBasis *basis)
{
  for (FlTable table = 0; table < FL_TABLE_LAST; table++)
    if (list_of (basis, table) != NULL)
      *list_of (basis, table) = g_ptr_array_new ();
  basis->where = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
}

void
fl_plan_basis_clear (FlPlanBasis *basis)
{
  for (FlTable table = 0; table < FL_TABLE_LAST; table++)
    {
      GPtrArray **list = list_of (basis, table);
      for (guint i = 0; list != NULL && i < (*list)->len; i++)
        fl_record_free (table, (*list)->pdata[i]);
      if (list != NULL)
        g_clear_pointer (list, g_ptr_array_unref);
    }
  g_clear_pointer (&basis->where, g_hash_table_unref);
}

static gint64
key_of (FlTable table, gint64 id)
{
  return id * FL_TABLE_LAST + (gint64) table;
}

static void
put_record (FlPlanBasis *basis, GPtrArray *list, FlTable table, gpointer record)
{
  gint64 key = key_of (table, *(const gint64 *) record); /* every record begins with its id */
  gpointer place;
  if (g_hash_table_lookup_extended (basis->where, &key, NULL, &place))
    {
      fl_record_free (table, list->pdata[GPOINTER_TO_UINT (place)]);
      list->pdata[GPOINTER_TO_UINT (place)] = record;
      return;
    }
  g_hash_table_insert (basis->where, g_memdup2 (&key, sizeof key), GUINT_TO_POINTER (list->len));
  g_ptr_array_add (list, record);
}

static void
drop_record (FlPlanBasis *basis, GPtrArray *list, FlTable table, gint64 id)
{
  gint64 key = key_of (table, id);
  gpointer place;
  if (!g_hash_table_lookup_extended (basis->where, &key, NULL, &place))
    return;
  guint at = GPOINTER_TO_UINT (place);
  fl_record_free (table, list->pdata[at]);
  g_ptr_array_remove_index_fast (list, at);
  g_hash_table_remove (basis->where, &key);
  if (at == list->len)
    return;
  gint64 moved = key_of (table, *(const gint64 *) list->pdata[at]);
  g_hash_table_insert (basis->where, g_memdup2 (&moved, sizeof moved), GUINT_TO_POINTER (at));
}

static void
shorten (FlAttempt *attempt)
{
  char **texts[] = { &attempt->command, &attempt->params, &attempt->stderr_tail };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_free (*texts[i]);
      *texts[i] = g_strdup ("");
    }
}

void
fl_plan_basis_take (FlPlanBasis *basis, GPtrArray *changes)
{
  for (guint i = 0; i < changes->len; i++)
    {
      FlChange *change = changes->pdata[i];
      GPtrArray **list = list_of (basis, change->table);
      if (list == NULL)
        continue;
      if (change->removed)
        drop_record (basis, *list, change->table, change->id);
      else
        {
          if (change->table == FL_TABLE_ATTEMPT)
            shorten (change->record);
          put_record (basis, *list, change->table, g_steal_pointer (&change->record));
        }
    }
}

const FlExperiment *
fl_plan_experiment (const FlPlanBasis *basis)
{
  static const FlExperiment none = { .backlog = (char *) "newest", .thin_fraction = 1 };
  return basis->experiments->len > 0 ? basis->experiments->pdata[0] : &none;
}

gpointer
fl_plan_find (GPtrArray *records, gint64 id)
{
  for (guint i = 0; i < records->len; i++)
    if (*(const gint64 *) records->pdata[i] == id) /* every record begins with it */
      return records->pdata[i];
  return NULL;
}

const FlSite *
fl_plan_site (const FlPlanBasis *basis, const FlTask *task)
{
  if (task->site != 0)
    return fl_plan_find (basis->records.sites, task->site);
  for (guint i = 0; i < basis->records.sites->len; i++)
    if (((const FlSite *) basis->records.sites->pdata[i])->active)
      return basis->records.sites->pdata[i];
  return NULL;
}

/* --- wanted minus existing --- */

static void
want (const FlPlanBasis *basis, GHashTable *index, const FlTrial *trial, const FlBlock *block,
      const FlRun *run, const FlTask *task, GArray *wanted)
{
  FlWantedJob job = { .trial = trial, .block = block, .run = run, .task = task };
  if (fl_job_index_find (index, trial->id, block != NULL ? block->id : 0, run->id, task->id) != NULL)
    return;
  job.site = fl_plan_site (basis, task);
  if (job.site != NULL)
    g_array_append_val (wanted, job);
}

static void
want_run (const FlPlanBasis *basis, GHashTable *index, const FlRun *run, const FlTrial *trial,
          const FlTask *task, GArray *wanted)
{
  GPtrArray *blocks = basis->records.blocks;
  if (blocks->len == 0)
    want (basis, index, trial, NULL, run, task, wanted);
  for (guint b = 0; b < blocks->len; b++)
    if (fl_block_covers (blocks->pdata[b], run))
      want (basis, index, trial, blocks->pdata[b], run, task, wanted);
}

void
fl_plan_want_active (const FlPlanBasis *basis, GArray *wanted)
{
  const FlPlanRecords *records = &basis->records;
  g_autoptr (GHashTable) index = fl_job_index_new (records->jobs);
  for (guint t = 0; t < records->trials->len; t++)
    for (guint k = 0; k < records->tasks->len; k++)
      {
        const FlTrial *trial = records->trials->pdata[t];
        const FlTask *task = records->tasks->pdata[k];
        if (!trial->active || !task->active || fl_task_is_global (task)
            || (task->trial != 0 && task->trial != trial->id))
          continue;
        for (guint r = 0; r < records->runs->len; r++)
          {
            const FlRun *run = records->runs->pdata[r];
            if (strcmp (run->state, "recording") != 0 && *run->path != '\0')
              want_run (basis, index, run, trial, task, wanted);
          }
      }
}

/* --- making jobs --- */

static char *
make_key (const FlTrial *trial, gint64 block, const char *what, const FlTask *task)
{
  char *key = g_strdup_printf ("t%d-b%" G_GINT64_FORMAT "-%s-%s", trial->number, block, what, task->name);
  /* It is a folder's and a scheduler's name too. */
  g_strcanon (key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", '_');
  return key;
}

static char *
key_of_wanted (const FlWantedJob *wanted)
{
  g_autofree char *what = wanted->run != NULL
                              ? g_strdup (wanted->run->name)
                              : g_strdup_printf ("%s.v%d", wanted->dataset->name, wanted->version->number);
  return make_key (wanted->trial, wanted->block != NULL ? wanted->block->id : 0, what, wanted->task);
}

/* A new folder: results of another experiment, or of names that differ only in what a folder may not be called, are
 * left alone. At a far site nobody has looked: there the name has a mark of this experiment. */
static char *
free_folder (FlStore *store, const FlSite *site, const char *key, GError **error)
{
  const char *where = fl_store_path (store);
  g_autofree char *mark =
      strcmp (site->kind, "ssh") == 0
          ? g_strdup_printf (".%06x", (guint) (fl_hash64 (where, strlen (where), 0) & 0xffffff))
          : g_strdup ("");
  for (guint n = 1;; n++)
    {
      g_autofree char *name =
          n == 1 ? g_strconcat (key, mark, NULL) : g_strdup_printf ("%s%s.%u", key, mark, n);
      g_autofree char *path = g_build_filename ("jobs", name, NULL);
      g_autofree char *folder = fl_store_resolve (store, site->scratch, path, error);
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
make_job (FlStore *store, const FlWantedJob *wanted, gboolean held, guint64 not_before, guint *made,
          GError **error)
{
  g_autofree char *key = key_of_wanted (wanted);
  g_autofree char *path = free_folder (store, wanted->site, key, error);
  if (path == NULL)
    return FALSE;
  FlJob job = { .trial = wanted->trial->id,
                .block = wanted->block != NULL ? wanted->block->id : 0,
                .run = wanted->run != NULL ? wanted->run->id : 0,
                .task = wanted->task->id,
                .dataset = wanted->dataset != NULL ? wanted->dataset->id : 0,
                .version = wanted->version != NULL ? wanted->version->id : 0,
                .root = wanted->site->scratch,
                .path = path,
                .site = wanted->site->id,
                .held = held,
                .not_before = not_before,
                .created = fl_now_ns () };
  gboolean is_new = FALSE;
  FlJob *found = fl_store_ensure_job (store, &job, &is_new, error);
  *made += is_new;
  gboolean ok = found != NULL;
  if (!is_new) /* two datasets want the same */
    {
      g_autofree char *folder = fl_store_resolve (store, job.root, path, NULL);
      if (folder != NULL)
        g_rmdir (folder);
    }
  fl_record_free (FL_TABLE_JOB, found);
  return ok;
}

static gboolean
is_caused_by_person (const FlWantedJob *wanted, GHashTable *known)
{
  return wanted->run != NULL && known != NULL && g_hash_table_contains (known, &wanted->run->id);
}

gboolean
fl_plan_make (FlStore *store, const FlPlanBasis *basis, GArray *wanted, GHashTable *known, guint *made,
              GError **error)
{
  const FlExperiment *experiment = fl_plan_experiment (basis);
  int caused = 0;
  for (guint i = 0; i < wanted->len; i++)
    caused += is_caused_by_person (&g_array_index (wanted, FlWantedJob, i), known);
  gboolean too_many = experiment->approve_above > 0 && caused > experiment->approve_above;
  guint64 undo = fl_now_ns () + (guint64) MAX (experiment->undo_seconds, 0) * FL_NS_PER_S;
  for (guint i = 0; i < wanted->len; i++)
    {
      const FlWantedJob *job = &g_array_index (wanted, FlWantedJob, i);
      gboolean by_person = is_caused_by_person (job, known);
      gboolean held = job->site->hold || (by_person && too_many);
      gboolean may_undo = by_person && experiment->undo_seconds > 0;
      if (!make_job (store, job, held, may_undo ? undo : 0, made, error))
        return FALSE;
    }
  return TRUE;
}
