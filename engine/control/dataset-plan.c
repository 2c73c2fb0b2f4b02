#include "engine/control/dataset-plan.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/dataset-graph.h"
#include "engine/control/tag-expression.h"

/* --- small things --- */

gboolean
fl_task_is_global (const FlTask *task)
{
  static const char *const types[] = { "export", "geometry", "merge", "map", "reconstruct", NULL };
  return g_strv_contains (types, task->type);
}

gboolean
fl_task_finds_patterns (const FlTask *task)
{
  return strcmp (task->type, "hits") == 0;
}

gboolean
fl_task_takes_patterns (const FlTask *task)
{
  return strcmp (task->type, "reconstruct") == 0;
}

gboolean
fl_step_waits_for (const FlDatasetTask *step, gint64 after)
{
  g_auto (GStrv) ids = g_strsplit (step->after, " ", -1);
  for (char **id = ids; *id != NULL; id++)
    if (**id != '\0' && g_ascii_strtoll (*id, NULL, 10) == after)
      return TRUE;
  return FALSE;
}

gboolean
fl_block_covers (const FlBlock *block, const FlRun *run)
{
  return block->active
         && (*block->first_run == '\0' || fl_run_name_compare (block->first_run, run->name) <= 0)
         && (*block->last_run == '\0' || fl_run_name_compare (run->name, block->last_run) <= 0);
}

gint64
fl_count_lattices (const char *last_line)
{
  gint64 shots, hits, indexed, lattices;
  char end;
  if (sscanf (last_line, "%" G_GINT64_FORMAT " shots, %" G_GINT64_FORMAT " hits, %" G_GINT64_FORMAT " blan%c",
              &shots, &hits, &indexed, &end)
      == 4)
    return hits;
  return sscanf (last_line,
                 "%" G_GINT64_FORMAT " shots, %" G_GINT64_FORMAT " hits, %" G_GINT64_FORMAT
                 " indexed, %" G_GINT64_FORMAT " lattice%c",
                 &shots, &hits, &indexed, &lattices, &end)
                 == 5
             ? lattices
             : 0;
}

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

GHashTable *
fl_job_index_new (GPtrArray *jobs)
{
  GHashTable *index = g_hash_table_new_full (identity_hash, identity_equal, g_free, NULL);
  for (guint i = 0; i < jobs->len; i++)
    {
      FlJob *job = jobs->pdata[i];
      Identity id = { job->trial, job->block, job->run, job->task };
      if (job->dataset == 0 && job->version == 0)
        g_hash_table_insert (index, g_memdup2 (&id, sizeof id), job);
    }
  return index;
}

const FlJob *
fl_job_index_find (GHashTable *index, gint64 trial, gint64 block, gint64 run, gint64 task)
{
  Identity id = { trial, block, run, task };
  return g_hash_table_lookup (index, &id);
}

static gpointer
find_record (GPtrArray *records, gint64 id)
{
  for (guint i = 0; i < records->len; i++)
    if (*(const gint64 *) records->pdata[i] == id) /* every record begins with it */
      return records->pdata[i];
  return NULL;
}

/* --- planning --- */

typedef struct
{
  const FlPlanRecords *records;
  const FlDataset *dataset;
  guint64 now;
  GArray *nodes; /* FlStep */
  GHashTable *index;
  FlDatasetPlan *plan;
} Planning;

/* --- runs --- */

static int
by_name (gconstpointer a, gconstpointer b)
{
  const FlRun *x = *(const FlRun *const *) a, *y = *(const FlRun *const *) b;
  return fl_run_name_compare (x->name, y->name);
}

/* Run's id -> GPtrArray of its tags' names, NULL-terminated. */
static GHashTable *
tags_of_runs (const FlPlanRecords *records)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_int64_hash, g_int64_equal);
  GHashTable *tags =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  for (guint i = 0; i < records->tags->len; i++)
    {
      FlTag *tag = records->tags->pdata[i];
      g_hash_table_insert (names, &tag->id, tag->name);
    }
  for (guint i = 0; i < records->run_tags->len; i++)
    {
      FlRunTag *use = records->run_tags->pdata[i];
      char *name = g_hash_table_lookup (names, &use->tag);
      GPtrArray *list = g_hash_table_lookup (tags, &use->run);
      if (name == NULL)
        continue;
      if (list == NULL)
        g_hash_table_insert (tags, &use->run, list = g_ptr_array_new_null_terminated (4, NULL, TRUE));
      g_ptr_array_add (list, name);
    }
  return tags;
}

static gboolean
read_runs (Planning *p, GError **error)
{
  const FlPlanRecords *records = p->records;
  static const char *const none[] = { NULL };
  g_autoptr (GPtrArray) known = g_ptr_array_new_null_terminated (8, NULL, TRUE);
  for (guint i = 0; i < records->tags->len; i++)
    g_ptr_array_add (known, ((FlTag *) records->tags->pdata[i])->name);
  if (*p->dataset->expression == '\0')
    return TRUE; /* nothing is meant */
  g_autoptr (FlTagExpression) expression =
      fl_tag_expression_parse (p->dataset->expression, (const char *const *) known->pdata, error);
  if (expression == NULL)
    return FALSE;
  g_autoptr (GHashTable) tags = tags_of_runs (records);
  for (guint i = 0; i < records->runs->len; i++)
    {
      FlRun *run = records->runs->pdata[i];
      const GPtrArray *list = g_hash_table_lookup (tags, &run->id);
      if (fl_tag_expression_matches (expression, run->name,
                                     list != NULL ? (const char *const *) list->pdata : none))
        {
          g_ptr_array_add (p->plan->runs, run);
          p->plan->shots += run->shots;
        }
    }
  g_ptr_array_sort (p->plan->runs, by_name);
  return TRUE;
}

/* --- jobs of runs --- */

static gboolean
is_ready (const Planning *p, const FlStep *node, const FlTrial *trial, gint64 block, const FlRun *run)
{
  for (guint i = 0; i < p->nodes->len; i++)
    {
      const FlTask *before = g_array_index (p->nodes, FlStep, i).task;
      if (!fl_step_waits_for (node->step, before->id))
        continue;
      const FlJob *job = fl_job_index_find (p->index, trial->id, block, run->id, before->id);
      gboolean is_meant = before->trial == 0 || before->trial == trial->id;
      if (is_meant && (job == NULL || job->state != FL_JOB_DONE))
        return FALSE;
    }
  return TRUE;
}

static void
mean_job (Planning *p, const FlStep *node, const FlTrial *trial, const FlBlock *block, const FlRun *run)
{
  FlDatasetPlan *plan = p->plan;
  gint64 block_id = block != NULL ? block->id : 0;
  const FlJob *job = fl_job_index_find (p->index, trial->id, block_id, run->id, node->task->id);
  FlMeantJob meant = { trial, block, run, node->task, job, is_ready (p, node, trial, block_id, run) };
  g_array_append_val (plan->jobs, meant);
  if (job == NULL)
    plan->n_new++;
  else if (!fl_job_state_is_final (job->state))
    plan->n_open++;
  else if (job->state == FL_JOB_DONE)
    plan->n_done++;
  else
    plan->n_failed++;
}

static void
mean_jobs_of_run (Planning *p, const FlStep *node, const FlTrial *trial, const FlRun *run)
{
  const GPtrArray *blocks = p->records->blocks;
  if (strcmp (run->state, "recording") == 0 || *run->path == '\0')
    return;
  if (blocks->len == 0)
    mean_job (p, node, trial, NULL, run);
  for (guint b = 0; b < blocks->len; b++)
    if (fl_block_covers (blocks->pdata[b], run))
      mean_job (p, node, trial, blocks->pdata[b], run);
}

static gboolean
is_meant_trial (const FlDataset *dataset, const FlTrial *trial)
{
  return dataset->trial != 0 ? dataset->trial == trial->id : trial->active;
}

static void
mean_jobs (Planning *p)
{
  for (guint i = 0; i < p->nodes->len; i++)
    {
      const FlStep *node = &g_array_index (p->nodes, FlStep, i);
      if (fl_task_is_global (node->task))
        {
          g_ptr_array_add (p->plan->globals, (gpointer) node->task);
          continue;
        }
      for (guint t = 0; t < p->records->trials->len; t++)
        {
          const FlTrial *trial = p->records->trials->pdata[t];
          gboolean meant = is_meant_trial (p->dataset, trial)
                           && (node->task->trial == 0 || node->task->trial == trial->id);
          for (guint r = 0; meant && r < p->plan->runs->len; r++)
            mean_jobs_of_run (p, node, trial, p->plan->runs->pdata[r]);
        }
    }
}

/* --- what they will take --- */

typedef struct
{
  double minutes; /* × nodes */
  double bytes;
  guint n;
} Cost;

/* Task's id -> Cost of its ended attempts. */
static GHashTable *
learn_costs (const FlPlanRecords *records)
{
  GHashTable *costs = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  g_autoptr (GHashTable) jobs = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GHashTable) runs = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < records->jobs->len; i++)
    g_hash_table_insert (jobs, &((FlJob *) records->jobs->pdata[i])->id, records->jobs->pdata[i]);
  for (guint i = 0; i < records->runs->len; i++)
    g_hash_table_insert (runs, &((FlRun *) records->runs->pdata[i])->id, records->runs->pdata[i]);
  for (guint i = 0; i < records->attempts->len; i++)
    {
      const FlAttempt *attempt = records->attempts->pdata[i];
      FlJob *job = g_hash_table_lookup (jobs, &attempt->job);
      const FlRun *run = job != NULL ? g_hash_table_lookup (runs, &job->run) : NULL;
      if (attempt->state != FL_JOB_DONE || run == NULL || attempt->ended <= attempt->started
          || attempt->number != 1)
        continue; /* one that went on where another was has done less */
      Cost *cost = g_hash_table_lookup (costs, &job->task);
      if (cost == NULL)
        g_hash_table_insert (costs, &job->task, cost = g_new0 (Cost, 1));
      cost->minutes += (double) (attempt->ended - attempt->started) / 60e9 * MAX (attempt->n_nodes, 1);
      cost->bytes += (double) run->bytes;
      cost->n++;
    }
  return costs;
}

static const FlSite *
site_of (const FlPlanRecords *records, const FlTask *task)
{
  const FlSite *first = NULL;
  for (guint i = 0; i < records->sites->len; i++)
    {
      const FlSite *site = records->sites->pdata[i];
      if (site->id == task->site)
        return site;
      if (first == NULL && site->active)
        first = site;
    }
  return first;
}

static void
count_cost (Planning *p)
{
  g_autoptr (GHashTable) costs = learn_costs (p->records);
  for (guint i = 0; i < p->plan->jobs->len; i++)
    {
      const FlMeantJob *meant = &g_array_index (p->plan->jobs, FlMeantJob, i);
      const Cost *cost = g_hash_table_lookup (costs, &meant->task->id);
      const FlSite *site = site_of (p->records, meant->task);
      if (meant->job != NULL && fl_job_state_is_final (meant->job->state))
        continue;
      if (cost != NULL && cost->bytes > 0)
        p->plan->node_minutes += cost->minutes / cost->bytes * (double) meant->run->bytes;
      else if (cost != NULL)
        p->plan->node_minutes += cost->minutes / cost->n;
      else if (site != NULL)
        {
          int nodes = meant->task->nodes > 0 ? meant->task->nodes : site->nodes;
          int minutes = meant->task->minutes > 0 ? meant->task->minutes : site->minutes;
          p->plan->node_minutes += (double) MAX (nodes, 1) * minutes;
          p->plan->guessed = TRUE;
        }
    }
}

/* --- the next version --- */

static gboolean
feeds_a_global (const Planning *p, gint64 task)
{
  for (guint i = 0; i < p->nodes->len; i++)
    {
      const FlStep *node = &g_array_index (p->nodes, FlStep, i);
      if (fl_task_is_global (node->task) && fl_step_waits_for (node->step, task))
        return TRUE;
    }
  return FALSE;
}

static int
by_id (gconstpointer a, gconstpointer b)
{
  gint64 x = **(const gint64 *const *) a, y = **(const gint64 *const *) b;
  return (x > y) - (x < y);
}

static const FlDatasetVersion *
last_version (const Planning *p)
{
  const FlDatasetVersion *last = NULL;
  for (guint i = 0; p->dataset->id != 0 && i < p->records->versions->len; i++)
    {
      const FlDatasetVersion *version = p->records->versions->pdata[i];
      if (version->dataset == p->dataset->id && (last == NULL || version->number > last->number))
        last = version;
    }
  return last;
}

/* Lattices of each input, by its last attempt that was done. */
static GHashTable *
lattices_of_jobs (const FlPlanRecords *records)
{
  GHashTable *counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < records->attempts->len; i++)
    {
      FlAttempt *attempt = records->attempts->pdata[i];
      int before = GPOINTER_TO_INT (g_hash_table_lookup (numbers, &attempt->job));
      if (attempt->state != FL_JOB_DONE || attempt->number < before)
        continue;
      gint64 n = fl_count_lattices (attempt->reason);
      g_hash_table_insert (numbers, &attempt->job, GINT_TO_POINTER (attempt->number));
      g_hash_table_insert (counts, &attempt->job, g_memdup2 (&n, sizeof n));
    }
  return counts;
}

static gint64
count_of (GHashTable *counts, const FlJob *job)
{
  const gint64 *n = g_hash_table_lookup (counts, &job->id);
  return n != NULL ? *n : 0;
}

/* The name of the run of a job that is in the last version and is not meant any more; *n counts them. */
static const char *
find_dropped (const Planning *p, GHashTable *inputs, const FlDatasetVersion *last, guint *n)
{
  const char *name = NULL;
  for (guint i = 0; i < p->records->version_jobs->len; i++)
    {
      const FlVersionJob *use = p->records->version_jobs->pdata[i];
      if (use->version != last->id || g_hash_table_contains (inputs, &use->job))
        continue;
      const FlJob *job = find_record (p->records->jobs, use->job);
      const FlRun *run = job != NULL ? find_record (p->records->runs, job->run) : NULL;
      gboolean meant = FALSE; /* it runs again: wait for it */
      for (guint k = 0; k < p->plan->jobs->len; k++)
        meant |= g_array_index (p->plan->jobs, FlMeantJob, k).job == job;
      if (meant)
        continue;
      name = run != NULL ? run->name : "a run";
      ++*n;
    }
  return name;
}

static void
say_why (FlDatasetPlan *plan, guint n_new, const char *dropped, guint n_dropped)
{
  g_autoptr (GString) note = g_string_new (NULL);
  if (n_new > 0)
    g_string_append_printf (note, "%u new job%s", n_new, n_new > 1 ? "s" : "");
  if (n_dropped == 1)
    g_string_append_printf (note, "%s%s is not in the selection any more", n_new > 0 ? ", " : "", dropped);
  else if (n_dropped > 1)
    g_string_append_printf (note, "%s%u runs are not in the selection any more", n_new > 0 ? ", " : "",
                            n_dropped);
  plan->note = g_strdup (note->str);
}

/* It takes hours: what comes meanwhile is for the next one. One that somebody holds keeps nobody waiting. */
static gboolean
is_being_reconstructed (const Planning *p, const FlDatasetVersion *version)
{
  for (guint i = 0; version != NULL && i < p->records->jobs->len; i++)
    {
      const FlJob *job = p->records->jobs->pdata[i];
      if (job->version != version->id || job->dataset != version->dataset || job->held
          || fl_job_state_is_final (job->state))
        continue;
      const FlTask *task = find_record (p->records->tasks, job->task);
      if (task != NULL && fl_task_takes_patterns (task))
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_of_patterns (const FlDatasetPlan *plan)
{
  gboolean any = FALSE;
  for (guint i = 0; i < plan->globals->len; i++)
    any |= fl_task_takes_patterns (plan->globals->pdata[i]);
  return any;
}

static void
say_what_for (Planning *p, const FlDatasetVersion *last, gboolean dropped)
{
  FlDatasetPlan *plan = p->plan;
  guint64 due = last != NULL ? last->created + (guint64) (MAX (p->dataset->min_interval, 0) * 1e9) : 0;
  plan->due = due > p->now ? due : 0;
  if (!dropped && plan->news < p->dataset->min_lattices)
    plan->waits = g_strdup_printf ("%" G_GINT64_FORMAT " of %d new %s", plan->news, p->dataset->min_lattices,
                                   is_of_patterns (plan) ? "patterns" : "lattices");
  else if (is_being_reconstructed (p, last))
    plan->waits = g_strdup_printf ("version %d is being reconstructed", last->number);
  else if (plan->due > 0)
    plan->waits = g_strdup_printf ("versions are %.0f s apart", p->dataset->min_interval);
}

static void
plan_version (Planning *p)
{
  FlDatasetPlan *plan = p->plan;
  const FlDatasetVersion *last = last_version (p);
  g_autoptr (GHashTable) counts = lattices_of_jobs (p->records);
  g_autoptr (GHashTable) inputs = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GHashTable) before = g_hash_table_new (g_int64_hash, g_int64_equal);
  guint n_new = 0, n_dropped = 0;
  for (guint i = 0; last != NULL && i < p->records->version_jobs->len; i++)
    {
      FlVersionJob *use = p->records->version_jobs->pdata[i];
      if (use->version == last->id)
        g_hash_table_add (before, &use->job);
    }
  for (guint i = 0; i < plan->jobs->len; i++)
    {
      const FlMeantJob *meant = &g_array_index (plan->jobs, FlMeantJob, i);
      FlJob *job = (FlJob *) meant->job;
      if (job == NULL || job->state != FL_JOB_DONE || !feeds_a_global (p, meant->task->id))
        continue;
      gboolean is_new =
          last == NULL || !g_hash_table_contains (before, &job->id) || job->ended > last->created;
      g_ptr_array_add (plan->inputs, job);
      g_hash_table_add (inputs, &job->id);
      plan->lattices += count_of (counts, job);
      plan->news += is_new ? count_of (counts, job) : 0;
      n_new += is_new;
    }
  g_ptr_array_sort (plan->inputs, by_id);
  const char *dropped = last != NULL ? find_dropped (p, inputs, last, &n_dropped) : NULL;
  if (plan->inputs->len == 0 || (n_new == 0 && n_dropped == 0))
    return;
  say_why (plan, n_new, dropped, n_dropped);
  say_what_for (p, last, n_dropped > 0);
}

/* --- all together --- */

static void
planning_clear (Planning *p)
{
  g_clear_pointer (&p->nodes, g_array_unref);
  g_clear_pointer (&p->index, g_hash_table_unref);
  g_clear_pointer (&p->plan, fl_dataset_plan_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Planning, planning_clear)

FlDatasetPlan *
fl_dataset_plan (const FlPlanRecords *records, const FlDataset *dataset, GPtrArray *steps, guint64 now,
                 GError **error)
{
  g_auto (Planning) p = { .records = records, .dataset = dataset, .now = now };
  p.index = fl_job_index_new (records->jobs);
  p.plan = g_new0 (FlDatasetPlan, 1);
  p.plan->runs = g_ptr_array_new ();
  p.plan->jobs = g_array_new (FALSE, FALSE, sizeof (FlMeantJob));
  p.plan->globals = g_ptr_array_new ();
  p.plan->inputs = g_ptr_array_new ();
  p.nodes = fl_dataset_graph (records->tasks, steps, dataset->id, error);
  if (p.nodes == NULL || !read_runs (&p, error))
    return NULL;
  mean_jobs (&p);
  count_cost (&p);
  if (p.plan->globals->len > 0)
    plan_version (&p);
  return g_steal_pointer (&p.plan);
}

void
fl_dataset_plan_free (FlDatasetPlan *plan)
{
  if (plan == NULL)
    return;
  g_ptr_array_unref (plan->runs);
  g_array_unref (plan->jobs);
  g_ptr_array_unref (plan->globals);
  g_ptr_array_unref (plan->inputs);
  g_free (plan->note);
  g_free (plan->waits);
  g_free (plan);
}
