#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-preview.h"

#include <glib/gi18n.h>

#include <math.h>

#include "engine/control/plan.h"
#include "gui/dataset-policy.h"
#include "gui/text.h"
#include "gui/science.h"

/* The models' records, as the planner takes them. */
static GPtrArray *
borrow (FlgExperiment *experiment, FlTable table)
{
  FlgRecordModel *model = flg_experiment_table (experiment, table);
  GPtrArray *all = g_ptr_array_sized_new (flg_record_model_count (model) + 1);
  for (guint i = 0; i < flg_record_model_count (model); i++)
    g_ptr_array_add (all, (gpointer) flg_record_any (flg_record_model_at (model, i)));
  return all;
}

static void
records_clear (FlPlanRecords *records)
{
  GPtrArray **all[] = { &records->runs,     &records->tags,     &records->run_tags,    &records->blocks,
                        &records->trials,   &records->tasks,    &records->sites,       &records->jobs,
                        &records->attempts, &records->versions, &records->version_jobs };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_clear_pointer (all[i], g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlPlanRecords, records_clear)

static void
borrow_records (FlgExperiment *experiment, FlPlanRecords *records)
{
  const struct
  {
    GPtrArray **into;
    FlTable table;
  } all[] = { { &records->runs, FL_TABLE_RUN },
              { &records->tags, FL_TABLE_TAG },
              { &records->run_tags, FL_TABLE_RUN_TAG },
              { &records->blocks, FL_TABLE_BLOCK },
              { &records->trials, FL_TABLE_TRIAL },
              { &records->tasks, FL_TABLE_TASK },
              { &records->sites, FL_TABLE_SITE },
              { &records->jobs, FL_TABLE_JOB },
              { &records->attempts, FL_TABLE_ATTEMPT },
              { &records->versions, FL_TABLE_DATASET_VERSION },
              { &records->version_jobs, FL_TABLE_VERSION_JOB } };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    *all[i].into = borrow (experiment, all[i].table);
}

/* The draft's steps and tasks as they would be in the store: those that are not there yet have ids below zero. */
typedef struct
{
  GPtrArray *tasks; /* FlTask, shallow copies */
  GPtrArray *links; /* FlDatasetTask */
} Steps;

static void
link_free (gpointer link)
{
  fl_record_free (FL_TABLE_DATASET_TASK, link);
}

static void
steps_clear (Steps *steps)
{
  g_clear_pointer (&steps->tasks, g_ptr_array_unref);
  g_clear_pointer (&steps->links, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Steps, steps_clear)

static void
make_steps (FlgExperiment *experiment, const FlgDatasetDraft *draft, Steps *steps)
{
  steps->tasks = g_ptr_array_new_with_free_func (g_free);
  steps->links = g_ptr_array_new_with_free_func (link_free);
  for (guint i = 0; i < draft->steps->len; i++)
    {
      const FlgDatasetStep *step = draft->steps->pdata[i];
      FlTask *task = g_memdup2 (step->task, sizeof *step->task);
      if (!task->id || flg_dataset_step_is_fork (step, experiment, draft->dataset->id))
        task->id = -(gint64) step->key;
      g_ptr_array_add (steps->tasks, task);
    }
  for (guint i = 0; i < draft->steps->len; i++)
    {
      const FlgDatasetStep *step = draft->steps->pdata[i];
      g_autoptr (GString) after = g_string_new (NULL);
      for (guint k = 0; k < draft->steps->len; k++)
        for (guint j = 0; j < step->after->len; j++)
          if (((FlgDatasetStep *) draft->steps->pdata[k])->key == g_array_index (step->after, guint, j))
            g_string_append_printf (after, "%" G_GINT64_FORMAT " ", ((FlTask *) steps->tasks->pdata[k])->id);
      FlDatasetTask link = { .dataset = draft->dataset->id,
                             .task = ((FlTask *) steps->tasks->pdata[i])->id,
                             .number = (int) i + 1,
                             .after = g_string_free (g_steal_pointer (&after), FALSE) };
      g_ptr_array_add (steps->links, g_memdup2 (&link, sizeof link));
    }
}

/* The draft's tasks stand for the stored ones. */
static void
replace_tasks (FlPlanRecords *records, const Steps *steps)
{
  for (guint i = 0; i < steps->tasks->len; i++)
    {
      const FlTask *task = steps->tasks->pdata[i];
      guint at = 0;
      while (at < records->tasks->len && ((FlTask *) records->tasks->pdata[at])->id != task->id)
        at++;
      if (at == records->tasks->len)
        g_ptr_array_add (records->tasks, NULL);
      records->tasks->pdata[at] = (gpointer) task;
    }
}

static gboolean
check_expression (FlgExperiment *experiment, const FlDataset *dataset, FlgDatasetPreview *preview)
{
  if (!*dataset->expression)
    return TRUE;
  g_auto (GStrv) tags = flg_experiment_tag_names (experiment);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlTagExpression) expression =
      fl_tag_expression_parse_at (dataset->expression, (const char *const *) tags, &preview->wrong, &error);
  preview->in_expression = expression == NULL;
  if (error)
    preview->error = g_strdup (error->message);
  return expression != NULL;
}

/* --- numbers --- */

/* Run's id -> FlJobStats of that trial: the job with the most shots. */
static GHashTable *
stats_of_trial (FlgExperiment *experiment, gint64 trial)
{
  GHashTable *best = g_hash_table_new (g_int64_hash, g_int64_equal);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      const FlJobStats *stats = job->trial == trial ? flg_experiment_job_stats (experiment, job->id) : NULL;
      const FlJobStats *known = stats ? g_hash_table_lookup (best, &stats->run) : NULL;
      if (stats && (!known || stats->shots > known->shots))
        g_hash_table_insert (best, (gpointer) &stats->run, (gpointer) stats);
    }
  return best;
}

static void
count_runs (FlgExperiment *experiment, const FlDataset *dataset, const FlDatasetPlan *plan,
            FlgDatasetPreview *preview)
{
  g_autoptr (GHashTable) of_trial = dataset->trial ? stats_of_trial (experiment, dataset->trial) : NULL;
  FlgRecordModel *runs = flg_experiment_table (experiment, FL_TABLE_RUN);
  for (guint i = 0; i < plan->runs->len; i++)
    {
      const FlRun *run = plan->runs->pdata[i];
      const FlJobStats *stats = of_trial ? g_hash_table_lookup (of_trial, &run->id)
                                         : flg_experiment_run_stats (experiment, run->id);
      FlgRecord *record = flg_record_model_find (runs, run->id);
      g_ptr_array_add (preview->runs, g_object_ref (record));
      preview->acquired += (gint64) run->shots;
      preview->uncounted += run->shots == 0;
      preview->n_recording += g_str_equal (run->state, "recording");
      if (!stats)
        continue;
      preview->shots += stats->shots;
      preview->hits += stats->hits;
      preview->indexed += stats->indexed;
    }
}

static void
count_job (FlgStepCount *count, const FlJob *job)
{
  if (!job)
    count->n_new++;
  else if (job->state == FL_JOB_DONE)
    count->n_done++;
  else if (fl_job_state_is_final (job->state))
    count->n_failed++;
  else
    {
      count->n_open++;
      count->n_running += job->state == FL_JOB_RUNNING;
    }
}

static const FlDatasetVersion *
newest_version (const FlPlanRecords *records, gint64 dataset)
{
  const FlDatasetVersion *newest = NULL;
  for (guint i = 0; dataset && i < records->versions->len; i++)
    {
      const FlDatasetVersion *version = records->versions->pdata[i];
      if (version->dataset == dataset && (!newest || version->number > newest->number))
        newest = version;
    }
  return newest;
}

static void
count_steps (const FlgDatasetDraft *draft, const Steps *steps, const FlPlanRecords *records,
             const FlDatasetPlan *plan, FlgDatasetPreview *preview)
{
  g_array_set_size (preview->steps, draft->steps->len);
  const FlDatasetVersion *newest = newest_version (records, draft->dataset->id);
  for (guint i = 0; i < draft->steps->len; i++)
    {
      const FlTask *task = steps->tasks->pdata[i];
      FlgStepCount *count = &g_array_index (preview->steps, FlgStepCount, i);
      *count = (FlgStepCount){ .key = ((FlgDatasetStep *) draft->steps->pdata[i])->key,
                               .global = fl_task_is_global (task) };
      for (guint k = 0; k < plan->jobs->len; k++)
        if (g_array_index (plan->jobs, FlMeantJob, k).task == task)
          count_job (count, g_array_index (plan->jobs, FlMeantJob, k).job);
      for (guint k = 0; count->global && newest && k < records->jobs->len; k++)
        {
          const FlJob *job = records->jobs->pdata[k];
          if (job->task == task->id && job->dataset == draft->dataset->id && job->version == newest->id)
            count_job (count, job);
        }
      preview->n_running += count->global ? 0 : count->n_running;
    }
}

/* Of a step that waits for no other: a plan's size, when it is asked whether a person must approve it. */
static gboolean
is_first (const FlgDatasetDraft *draft, const Steps *steps, const FlTask *task)
{
  for (guint i = 0; i < steps->tasks->len; i++)
    if (steps->tasks->pdata[i] == task)
      return ((FlgDatasetStep *) draft->steps->pdata[i])->after->len == 0;
  return FALSE;
}

/* Where the new jobs go, and how many of them wait for a person: as fl_plan_make() has it. */
static void
count_places (FlgExperiment *experiment, const FlgDatasetDraft *draft, const Steps *steps,
              const FlPlanRecords *records, const FlDatasetPlan *plan, FlgDatasetPreview *preview)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_null_terminated (4, NULL, TRUE);
  const FlExperiment *policy = flg_experiment_policy (experiment);
  FlPlanBasis basis = { .records = *records };
  for (guint i = 0; i < plan->jobs->len; i++)
    {
      const FlMeantJob *meant = &g_array_index (plan->jobs, FlMeantJob, i);
      preview->n_first += !meant->job && is_first (draft, steps, meant->task);
    }
  gboolean too_many = policy && policy->approve_above > 0 && preview->n_first > (guint) policy->approve_above;
  for (guint i = 0; i < plan->jobs->len; i++)
    {
      const FlMeantJob *meant = &g_array_index (plan->jobs, FlMeantJob, i);
      const FlSite *site = meant->job ? NULL : fl_plan_site (&basis, meant->task);
      preview->n_held += meant->job && meant->job->held && !fl_job_state_is_final (meant->job->state);
      preview->no_site = preview->no_site || (!meant->job && !site);
      if (!site)
        continue;
      if (!g_ptr_array_find_with_equal_func (names, site->name, g_str_equal, NULL))
        g_ptr_array_add (names, site->name);
      preview->n_waiting += site->hold || (too_many && is_first (draft, steps, meant->task));
    }
  preview->where = g_strjoinv (", ", (GStrv) names->pdata);
}

static void
take_plan (FlDatasetPlan *plan, FlgDatasetPreview *preview)
{
  preview->n_new = plan->n_new;
  preview->n_open = plan->n_open;
  preview->n_done = plan->n_done;
  preview->n_failed = plan->n_failed;
  preview->n_globals = plan->globals->len;
  preview->node_minutes = plan->node_minutes;
  preview->guessed = plan->guessed;
  preview->n_inputs = plan->inputs->len;
  preview->lattices = plan->lattices;
  preview->news = plan->news;
  preview->note = g_strdup (plan->note);
  preview->due = plan->due;
  preview->needs_lattices =
      plan->waits
      && (g_str_has_suffix (plan->waits, "lattices") || g_str_has_suffix (plan->waits, "patterns"));
}

FlgDatasetPreview *
flg_dataset_preview_new (FlgExperiment *experiment, const FlgDatasetDraft *draft)
{
  FlgDatasetPreview *preview = g_new0 (FlgDatasetPreview, 1);
  preview->runs = g_ptr_array_new_with_free_func (g_object_unref);
  preview->steps = g_array_new (FALSE, TRUE, sizeof (FlgStepCount));
  g_auto (FlPlanRecords) records = { 0 };
  g_auto (Steps) steps = { 0 };
  borrow_records (experiment, &records);
  preview->particles = draft->steps->len > 0;
  for (guint i = 0; i < draft->steps->len; i++)
    preview->particles &= flg_task_is_of_particles (((const FlgDatasetStep *) draft->steps->pdata[i])->task);
  make_steps (experiment, draft, &steps);
  replace_tasks (&records, &steps);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlDatasetPlan) plan =
      check_expression (experiment, draft->dataset, preview)
          ? fl_dataset_plan (&records, draft->dataset, steps.links, flg_experiment_now (experiment), &error)
          : NULL;
  if (error)
    preview->error = g_strdup (error->message);
  if (plan)
    {
      take_plan (plan, preview);
      count_runs (experiment, draft->dataset, plan, preview);
      count_steps (draft, &steps, &records, plan, preview);
      count_places (experiment, draft, &steps, &records, plan, preview);
    }
  return preview;
}

void
flg_dataset_preview_free (FlgDatasetPreview *preview)
{
  if (!preview)
    return;
  g_ptr_array_unref (preview->runs);
  g_array_unref (preview->steps);
  g_free (preview->error);
  g_free (preview->where);
  g_free (preview->note);
  g_free (preview);
}

/* --- words --- */

char *
flg_dataset_preview_cost (const FlgDatasetPreview *preview)
{
  double minutes = preview->node_minutes;
  const char *about = preview->guessed ? _ ("at most") : _ ("about");
  if (minutes <= 0)
    return g_strdup ("");
  if (minutes < 90)
    return g_strdup_printf (_ ("%s %.0f node-minutes"), about, fmax (ceil (minutes), 1));
  return g_strdup_printf (minutes < 600 ? _ ("%s %.1f node-hours") : _ ("%s %.0f node-hours"), about,
                          minutes / 60);
}

char *
flg_dataset_preview_plan (const FlgDatasetPreview *preview)
{
  g_autofree char *cost = flg_dataset_preview_cost (preview);
  g_autofree char *count = flg_format_count (preview->n_new);
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, ngettext ("This makes %s job", "This makes %s jobs", preview->n_new), count);
  if (preview->n_open)
    g_string_append_printf (text, _ (" (%u more are on their way)"), preview->n_open);
  if (*cost)
    g_string_append_printf (text, ", %s", cost);
  if (preview->no_site)
    g_string_append (text, _ ("; no site is active that could run them"));
  else if (preview->where && *preview->where)
    g_string_append_printf (text, _ (" at %s"), preview->where);
  if (preview->n_waiting == preview->n_new && preview->n_new)
    g_string_append (text, _ ("; all wait for approval"));
  else if (preview->n_waiting)
    g_string_append_printf (
        text, ngettext ("; %u waits for approval", "; %u wait for approval", preview->n_waiting),
        preview->n_waiting);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
flg_dataset_preview_next (const FlgDatasetPreview *preview, const FlDataset *dataset, guint64 now)
{
  if (preview->error || preview->n_globals == 0)
    return NULL;
  if (!dataset->active)
    return g_strdup (_ ("no new version: the dataset is not active"));
  if (!preview->note)
    return g_strdup (preview->n_inputs ? _ ("the newest version has all that is done")
                                       : _ ("the first version comes with the first job that is done"));
  gint64 missing = preview->needs_lattices ? MAX (dataset->min_lattices - preview->news, 0) : 0;
  guint64 left = preview->due > now ? (preview->due - now) / 1000000000 : 0;
  g_autoptr (GString) text = g_string_new (_ ("new version"));
  if (left >= 60)
    g_string_append_printf (text, _ (" in ≥ %d min"), (int) ((left + 59) / 60));
  else if (left)
    g_string_append_printf (text, _ (" in ≥ %d s"), (int) left);
  else if (!missing)
    g_string_append (text, _ (" is due"));
  if (missing)
    g_string_append_printf (
        text,
        preview->particles ? ngettext ("%s %d more pattern%s", "%s %d more patterns%s", (gulong) missing)
                           : ngettext ("%s %d more lattice%s", "%s %d more lattices%s", (gulong) missing),
        left ? _ (" (needs") : _ (" needs"), (int) missing, left ? ")" : "");
  g_string_append_printf (text, " · %s", preview->note);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
