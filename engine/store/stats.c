#include "engine/store/stats.h"

#include <math.h>
#include <string.h>

#include "engine/store/store-private.h"

#define MAX_STEPS (4 * FL_SPARKLINE_BINS)

typedef struct
{
  gint64 shots, hits;
} Step;

/* What one attempt adds to its job. */
typedef struct
{
  gint64 id, job;
  FlJobStats sum; /* counts, first, last */
  GArray *steps;  /* Step: hit rate along the attempt, made coarser as it grows */
  gint64 step;    /* shots a step at least */
} Attempt;

struct FlStats
{
  gint64 cursor, revision;
  GHashTable *attempts; /* id -> Attempt */
  GHashTable *jobs;     /* id -> FlJob */
  GHashTable *runs;     /* id -> FlRun */
  GHashTable *trials;   /* id -> FlTrial */
  GHashTable *sums;     /* job -> FlJobStats, made when asked for */
};

static void
attempt_free (gpointer data)
{
  Attempt *attempt = data;
  g_array_unref (attempt->steps);
  g_free (attempt);
}

static void
free_job (gpointer record)
{
  fl_record_free (FL_TABLE_JOB, record);
}

static void
free_run (gpointer record)
{
  fl_record_free (FL_TABLE_RUN, record);
}

static void
free_trial (gpointer record)
{
  fl_record_free (FL_TABLE_TRIAL, record);
}

FlStats *
fl_stats_new (void)
{
  FlStats *stats = g_new0 (FlStats, 1);
  stats->attempts = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, attempt_free);
  stats->jobs = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_job);
  stats->runs = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_run);
  stats->trials = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_trial);
  stats->sums = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  return stats;
}

void
fl_stats_free (FlStats *stats)
{
  if (stats == NULL)
    return;
  g_hash_table_unref (stats->attempts);
  g_hash_table_unref (stats->sums);
  g_hash_table_unref (stats->jobs);
  g_hash_table_unref (stats->runs);
  g_hash_table_unref (stats->trials);
  g_free (stats);
}

/* --- taking in --- */

static void
merge_steps (Attempt *attempt)
{
  guint n = attempt->steps->len / 2;
  Step *steps = (Step *) attempt->steps->data;
  for (guint i = 0; i < n; i++)
    steps[i] =
        (Step){ steps[2 * i].shots + steps[2 * i + 1].shots, steps[2 * i].hits + steps[2 * i + 1].hits };
  g_array_set_size (attempt->steps, n);
  attempt->step = MAX (attempt->step, 1) * 2;
}

static void
add_step (Attempt *attempt, gint64 shots, gint64 hits)
{
  GArray *steps = attempt->steps;
  Step *last = steps->len > 0 ? &g_array_index (steps, Step, steps->len - 1) : NULL;
  if (last != NULL && last->shots < attempt->step)
    {
      last->shots += shots;
      last->hits += hits;
      return;
    }
  if (steps->len == MAX_STEPS)
    merge_steps (attempt);
  Step step = { shots, hits };
  g_array_append_val (steps, step);
}

static void
add_sum (FlJobStats *to, const FlJobStats *from)
{
  to->shots += from->shots;
  to->hits += from->hits;
  to->indexed += from->indexed;
  to->failed += from->failed;
  to->set_aside += from->set_aside;
  to->spots += from->spots;
  if (from->first > 0 && (to->first == 0 || from->first < to->first))
    to->first = from->first;
  to->last = MAX (to->last, from->last);
}

static void
add_summary (FlStats *stats, const FlShotSummary *sum)
{
  Attempt *attempt = g_hash_table_lookup (stats->attempts, &sum->attempt);
  if (attempt == NULL)
    {
      attempt = g_new0 (Attempt, 1);
      attempt->id = sum->attempt;
      attempt->job = sum->job;
      attempt->steps = g_array_new (FALSE, FALSE, sizeof (Step));
      g_hash_table_insert (stats->attempts, &attempt->id, attempt);
    }
  if (sum->replaces)
    {
      attempt->sum = (FlJobStats){ 0 };
      attempt->step = 0;
      g_array_set_size (attempt->steps, 0);
    }
  FlJobStats more = { .shots = sum->shots,
                      .hits = sum->hits,
                      .indexed = sum->indexed,
                      .failed = sum->failed,
                      .set_aside = sum->set_aside,
                      .spots = sum->spots,
                      .first = sum->first,
                      .last = sum->last };
  add_sum (&attempt->sum, &more);
  add_step (attempt, sum->shots, sum->hits);
}

static void
take_change (FlStats *stats, FlChange *change)
{
  GHashTable *table = change->table == FL_TABLE_JOB     ? stats->jobs
                      : change->table == FL_TABLE_RUN   ? stats->runs
                      : change->table == FL_TABLE_TRIAL ? stats->trials
                                                        : NULL;
  if (table == NULL)
    return;
  if (change->removed)
    g_hash_table_remove (table, &change->id);
  else /* the key is the record's own id, its first member */
    {
      g_hash_table_replace (table, change->record, change->record);
      change->record = NULL;
    }
}

gboolean
fl_stats_update (FlStats *stats, FlStore *store, gboolean *changed, GError **error)
{
  gint64 revision = stats->revision;
  g_autoptr (GPtrArray) changes = fl_store_changes (store, stats->revision, &revision, error);
  g_autoptr (GArray) sums = changes != NULL ? fl_store_summaries (store, 0, &stats->cursor, error) : NULL;
  if (sums == NULL)
    return FALSE;
  for (guint i = 0; i < changes->len; i++)
    take_change (stats, changes->pdata[i]);
  for (guint i = 0; i < sums->len; i++)
    add_summary (stats, &g_array_index (sums, FlShotSummary, i));
  stats->revision = revision;
  gboolean any = changes->len > 0 || sums->len > 0;
  if (any)
    g_hash_table_remove_all (stats->sums);
  if (changed != NULL)
    *changed = any;
  return TRUE;
}

/* --- giving out --- */

/* Hit rates of about equally many shots each, from steps in order. */
static void
fill_bins (const GArray *steps, FlJobStats *out)
{
  gint64 total = 0, done = 0;
  Step sums[FL_SPARKLINE_BINS] = { { 0 } };
  for (guint i = 0; i < steps->len; i++)
    total += MAX (g_array_index (steps, Step, i).shots, 0);
  out->n_bins = MIN (FL_SPARKLINE_BINS, steps->len);
  for (guint i = 0; i < steps->len && total > 0; i++)
    {
      const Step *step = &g_array_index (steps, Step, i);
      gint64 middle = done + MAX (step->shots, 0) / 2;
      guint bin = (guint) CLAMP (middle * (gint64) out->n_bins / total, 0, (gint64) out->n_bins - 1);
      sums[bin].shots += step->shots;
      sums[bin].hits += step->hits;
      done += MAX (step->shots, 0);
    }
  for (guint i = 0; i < out->n_bins; i++)
    out->bins[i] =
        sums[i].shots > 0 ? (float) CLAMP ((double) sums[i].hits / (double) sums[i].shots, 0, 1) : NAN;
}

static int
compare_attempts (gconstpointer a, gconstpointer b)
{
  const Attempt *x = *(Attempt *const *) a, *y = *(Attempt *const *) b;
  if (x->sum.first != y->sum.first)
    return x->sum.first < y->sum.first ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* Sums up the attempts whose job is of that trial and run (0 = any) or is that job. */
static gboolean
sum_attempts (FlStats *stats, gint64 job, gint64 run, gint64 trial, FlJobStats *out)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (Step));
  GHashTableIter iter;
  gpointer value;
  *out = (FlJobStats){ .job = job, .run = run, .trial = trial };
  g_hash_table_iter_init (&iter, stats->attempts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Attempt *attempt = value;
      const FlJob *of = g_hash_table_lookup (stats->jobs, &attempt->job);
      if (of != NULL && (job == 0 || of->id == job) && (run == 0 || of->run == run)
          && (trial == 0 || of->trial == trial))
        g_ptr_array_add (chosen, value);
    }
  g_ptr_array_sort (chosen, compare_attempts);
  for (guint i = 0; i < chosen->len; i++)
    {
      const Attempt *attempt = chosen->pdata[i];
      add_sum (out, &attempt->sum);
      if (attempt->steps->len > 0)
        g_array_append_vals (steps, attempt->steps->data, attempt->steps->len);
    }
  fill_bins (steps, out);
  return out->shots > 0;
}

const FlJobStats *
fl_stats_job (FlStats *stats, gint64 job)
{
  FlJobStats *known = g_hash_table_lookup (stats->sums, &job);
  const FlJob *record = g_hash_table_lookup (stats->jobs, &job);
  if (known != NULL || record == NULL)
    return known;
  FlJobStats sum;
  if (!sum_attempts (stats, job, 0, 0, &sum))
    return NULL;
  sum.run = record->run;
  sum.trial = record->trial;
  known = g_memdup2 (&sum, sizeof sum);
  g_hash_table_insert (stats->sums, &known->job, known);
  return known;
}

/* The trial with the highest number among those with shots (of that run; 0 = any). 0: none. */
static gint64
newest_trial (FlStats *stats, gint64 run)
{
  GHashTableIter iter;
  gpointer value;
  int best = -1;
  gint64 found = 0;
  g_hash_table_iter_init (&iter, stats->attempts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Attempt *attempt = value;
      const FlJob *job = g_hash_table_lookup (stats->jobs, &attempt->job);
      const FlTrial *trial = job != NULL ? g_hash_table_lookup (stats->trials, &job->trial) : NULL;
      if (trial != NULL && attempt->sum.shots > 0 && (run == 0 || job->run == run) && trial->number > best)
        {
          best = trial->number;
          found = trial->id;
        }
    }
  return found;
}

gboolean
fl_stats_run (FlStats *stats, gint64 run, gint64 trial, FlJobStats *out)
{
  return sum_attempts (stats, 0, run, trial != 0 ? trial : newest_trial (stats, run), out);
}

gboolean
fl_stats_trial (FlStats *stats, gint64 trial, FlJobStats *out)
{
  return sum_attempts (stats, 0, 0, trial, out);
}

/* Runs that are counted, and those that wait for the trial. */
static void
look_at_runs (FlStats *stats, gint64 trial, guint64 now, FlOverview *out)
{
  g_autoptr (GHashTable) over = g_hash_table_new (g_int64_hash, g_int64_equal);
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, stats->jobs);
  while (g_hash_table_iter_next (&iter, &value, NULL))
    {
      const FlJob *job = value;
      if ((trial == 0 || job->trial == trial) && fl_job_state_is_final (job->state))
        g_hash_table_add (over, (gpointer) &job->run);
    }
  g_hash_table_iter_init (&iter, stats->runs);
  while (g_hash_table_iter_next (&iter, &value, NULL))
    {
      const FlRun *run = value;
      FlJobStats done;
      if (run->shots > 0)
        {
          out->acquired += (gint64) run->shots;
          if (trial > 0 && fl_stats_run (stats, run->id, trial, &done))
            out->processed += MIN (done.shots, (gint64) run->shots);
        }
      if (strcmp (run->state, "complete") != 0 || g_hash_table_contains (over, &run->id))
        continue;
      out->runs_waiting++;
      if (run->completed > 0 && now > run->completed)
        out->lag = MAX (out->lag, now - run->completed);
    }
}

void
fl_stats_overview (FlStats *stats, guint64 now, FlOverview *out)
{
  *out = (FlOverview){ .trial = newest_trial (stats, 0) };
  FlJobStats sum;
  if (out->trial > 0 && fl_stats_trial (stats, out->trial, &sum))
    {
      out->shots = sum.shots;
      out->hits = sum.hits;
      out->indexed = sum.indexed;
      out->newest = sum.last;
    }
  look_at_runs (stats, out->trial, now, out);
  const FlJob *newest = NULL;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, stats->jobs);
  while (g_hash_table_iter_next (&iter, &value, NULL))
    {
      const FlJob *job = value;
      gboolean failed = job->state == FL_JOB_FAILED || job->state == FL_JOB_TIMED_OUT;
      out->jobs_running += job->state == FL_JOB_RUNNING;
      out->jobs_failed += failed;
      if (failed && (newest == NULL || job->ended > newest->ended))
        newest = job;
    }
  out->failed_reason = g_strdup (newest != NULL ? newest->reason : "");
  out->failed_job = newest != NULL ? newest->id : 0;
}

void
fl_overview_clear (FlOverview *overview)
{
  g_clear_pointer (&overview->failed_reason, g_free);
}
