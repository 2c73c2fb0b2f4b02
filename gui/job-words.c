#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-words.h"

#include <glib/gi18n.h>

#include <stdlib.h>
#include <string.h>

#include "gui/text.h"

#define SECOND    G_GUINT64_CONSTANT (1000000000)
#define LINE_MOST 600 /* characters of what others say */

FlgShownState
flg_job_shown_state (const FlJob *job, guint64 now)
{
  static const FlgShownState shown[FL_JOB_STATE_LAST] = {
    [FL_JOB_PLANNED] = FLG_SHOWN_PLANNED,     [FL_JOB_SUBMITTING] = FLG_SHOWN_SUBMITTING,
    [FL_JOB_QUEUED] = FLG_SHOWN_QUEUED,       [FL_JOB_RUNNING] = FLG_SHOWN_RUNNING,
    [FL_JOB_DONE] = FLG_SHOWN_DONE,           [FL_JOB_FAILED] = FLG_SHOWN_FAILED,
    [FL_JOB_CANCELLED] = FLG_SHOWN_CANCELLED, [FL_JOB_TIMED_OUT] = FLG_SHOWN_TIMED_OUT,
    [FL_JOB_PREEMPTED] = FLG_SHOWN_PREEMPTED,
  };
  if (job->state == FL_JOB_PLANNED && job->held)
    return FLG_SHOWN_HELD;
  if (job->state == FL_JOB_PLANNED && job->attempts == 0 && job->not_before > now)
    return FLG_SHOWN_UNDO;
  return shown[MIN (job->state, FL_JOB_PREEMPTED)];
}

const char *
flg_shown_state_name (FlgShownState state)
{
  static const char *const names[FLG_SHOWN_LAST] = { N_ ("planned"),    N_ ("to approve"), N_ ("about to go"),
                                                     N_ ("submitting"), N_ ("queued"),     N_ ("running"),
                                                     N_ ("done"),       N_ ("failed"),     N_ ("timed out"),
                                                     N_ ("preempted"),  N_ ("cancelled") };
  return _ (names[MIN (state, FLG_SHOWN_LAST - 1)]);
}

char *
flg_format_span (guint64 ns)
{
  guint64 s = (ns + SECOND / 2) / SECOND;
  if (s < 90)
    return g_strdup_printf (_ ("%u s"), (guint) s);
  if (s < 5400)
    return g_strdup_printf (_ ("%u min"), (guint) ((s + 30) / 60));
  if (s % 3600 < 60)
    return g_strdup_printf (_ ("%u h"), (guint) (s / 3600));
  return g_strdup_printf (_ ("%u h %u min"), (guint) (s / 3600), (guint) (s % 3600 / 60));
}

/* Characters that move a cursor, or turn the writing direction, are shown as the sign for something unprintable. */
char *
flg_text_line (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) strnlen (text, 8 * LINE_MOST));
  GString *line = g_string_new (NULL);
  guint n = 0;
  for (const char *c = valid; *c && n <= LINE_MOST; c = g_utf8_next_char (c), n++)
    {
      gunichar u = g_utf8_get_char (c);
      GUnicodeType type = g_unichar_type (u);
      if (n == LINE_MOST)
        g_string_append (line, "…");
      else if (u == '\n' || u == '\t' || u == '\r')
        g_string_append_c (line, ' ');
      else if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT)
        g_string_append (line, "\357\277\275");
      else
        g_string_append_unichar (line, u);
    }
  return g_string_free (line, FALSE);
}

char *
flg_batch_reason (const char *reason)
{
  static const struct
  {
    const char *word, *means;
  } known[] = {
    { "None", N_ ("the scheduler has not looked at it yet") },
    { "Priority", N_ ("others go first") },
    { "Resources", N_ ("the nodes are not free yet") },
    { "Dependency", N_ ("waits for another job") },
    { "BeginTime", N_ ("its begin time has not come") },
    { "JobHeldUser", N_ ("held by its user: scontrol release lets it go") },
    { "JobHeldAdmin", N_ ("held by the administrators: ask them") },
    { "ReqNodeNotAvail", N_ ("nodes that it asks for are reserved or down") },
    { "PartitionDown", N_ ("the partition is down") },
    { "PartitionInactive", N_ ("the partition takes no jobs now") },
    { "PartitionTimeLimit", N_ ("asks for more time than the partition gives") },
    { "PartitionNodeLimit", N_ ("asks for more nodes than the partition gives") },
    { "Reservation", N_ ("waits for its reservation") },
    { "Licenses", N_ ("waits for a licence") },
    { "QOSMaxJobsPerUserLimit", N_ ("as many of our jobs run as this QOS allows") },
    { "AssocGrpNodeLimit", N_ ("the account has as many nodes as it may") },
    { "AssocGrpCPUMinutesLimit", N_ ("the account's time is used up") },
    { "AssocGrpBillingMinutes", N_ ("the account's time is used up") },
    { "launch failed requeued held", N_ ("could not be started on its node, and is held") },
  };
  g_autofree char *line = flg_text_line (reason);
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_has_prefix (line, known[i].word) && !g_ascii_isalnum (line[strlen (known[i].word)]))
      return g_strdup_printf ("%s (%s)", _ (known[i].means), line);
  return g_steal_pointer (&line);
}

/* --- parts of sentences --- */

static void
add (GString *text, const char *part)
{
  if (text->len && *part)
    g_string_append (text, " · ");
  g_string_append (text, part);
}

G_GNUC_PRINTF (2, 3)
static void
add_printf (GString *text, const char *format, ...)
{
  va_list values;
  va_start (values, format);
  g_autofree char *part = g_strdup_vprintf (format, values);
  va_end (values);
  add (text, part);
}

/* "14:03:20, in 12 min". */
static char *
moment (guint64 at, guint64 now)
{
  g_autofree char *time = flg_format_time (at, now);
  g_autofree char *span = flg_format_span (at > now ? at - now : 0);
  return at > now ? g_strdup_printf (_ ("%s, in %s"), time, span)
                  : g_strdup_printf (_ ("%s, any moment"), time);
}

/* A task of the same run and trial that comes before in some dataset's graph and is not done; NULL: none. */
static const FlJob *
unfinished_before (FlgJobIndex *index, const FlJob *job)
{
  FlgExperiment *experiment = flg_job_index_experiment (index);
  FlgRecordModel *steps = flg_experiment_table (experiment, FL_TABLE_DATASET_TASK);
  g_autoptr (GPtrArray) others = NULL;
  for (guint i = 0; job->run && i < flg_record_model_count (steps); i++)
    {
      const FlDatasetTask *step = flg_record_any (flg_record_model_at (steps, i));
      if (step->task != job->task || !*step->after)
        continue;
      g_auto (GStrv) ids = g_strsplit (step->after, " ", -1);
      if (!others)
        others = flg_experiment_run_jobs (experiment, job->run);
      for (guint k = 0; ids[k]; k++)
        for (guint o = 0; o < others->len; o++)
          {
            const FlJob *other = flg_record_job (others->pdata[o]);
            if (other->task == g_ascii_strtoll (ids[k], NULL, 10) && other->trial == job->trial
                && other->state != FL_JOB_DONE)
              return other;
          }
    }
  return NULL;
}

/* Inputs of its version that are not done. */
static guint
unfinished_inputs (FlgJobIndex *index, const FlJob *job, guint *all)
{
  FlgExperiment *experiment = flg_job_index_experiment (index);
  FlgRecordModel *inputs = flg_experiment_table (experiment, FL_TABLE_VERSION_JOB);
  guint waiting = 0;
  *all = 0;
  for (guint i = 0; job->version && i < flg_record_model_count (inputs); i++)
    {
      const FlVersionJob *input = flg_record_any (flg_record_model_at (inputs, i));
      const FlJob *of = input->version == job->version ? flg_experiment_job (experiment, input->job) : NULL;
      *all += of != NULL;
      waiting += of && of->state != FL_JOB_DONE;
    }
  return waiting;
}

/* What the site has no room for; NULL: it has. */
static char *
no_room (FlgJobIndex *index, const FlSite *site)
{
  const FlgSiteLoad *load = flg_job_index_load (index, site->id);
  guint busy = load->queued + load->running;
  if (site->max_jobs > 0 && busy >= (guint) site->max_jobs)
    return g_strdup_printf (_ ("waits for room at %s: %u of at most %d jobs are queued or run"), site->name,
                            busy, site->max_jobs);
  if (g_str_equal (site->kind, "local") && busy > 0)
    return g_strdup_printf (_ ("waits for cores: other jobs run; newest runs go first"));
  return NULL;
}

static gboolean
has_site (FlgJobIndex *index)
{
  return flg_record_model_count (flg_experiment_table (flg_job_index_experiment (index), FL_TABLE_SITE)) > 0;
}

static const FlSite *
first_site (FlgJobIndex *index)
{
  FlgRecordModel *sites = flg_experiment_table (flg_job_index_experiment (index), FL_TABLE_SITE);
  for (guint i = 0; i < flg_record_model_count (sites); i++)
    if (((const FlSite *) flg_record_any (flg_record_model_at (sites, i)))->active)
      return flg_record_any (flg_record_model_at (sites, i));
  return flg_record_model_count (sites) ? flg_record_any (flg_record_model_at (sites, 0)) : NULL;
}

static char *
why_planned (FlgJobIndex *index, const FlJob *job)
{
  FlgExperiment *experiment = flg_job_index_experiment (index);
  guint64 now = flg_experiment_now (experiment);
  guint all;
  if (job->held)
    return g_strdup (_ ("waits for your approval"));
  if (job->not_before > now)
    {
      g_autofree char *span = flg_format_span (job->not_before - now);
      g_autofree char *line = flg_text_line (job->reason);
      return job->attempts == 0
                 ? g_strdup_printf (_ ("will be submitted in %s; until then it can be undone"), span)
                 : g_strdup_printf (_ ("tries again in %s%s%s"), span, *line ? ": " : "", line);
    }
  if (*job->reason)
    return flg_text_line (job->reason);
  if (!flg_experiment_glance (experiment)->conductor)
    return g_strdup (_ ("waits for a conductor: nobody submits jobs"));
  if (!has_site (index))
    return g_strdup (_ ("waits for a site: the experiment has none to run on"));
  const FlJob *before = unfinished_before (index, job);
  if (before)
    return g_strdup_printf (_ ("waits for job %d (%s)"), (int) before->id, fl_job_state_name (before->state));
  guint waiting = unfinished_inputs (index, job, &all);
  if (waiting)
    return g_strdup_printf (_ ("waits for %u of its %u inputs"), waiting, all);
  const FlSite *site = flg_job_index_site (index, job);
  if (!site)
    site = first_site (index);
  char *room = site ? no_room (index, site) : NULL;
  return room ? room : g_strdup (_ ("waits for the conductor's next round"));
}

static char *
why_ended (const FlJob *job, const FlAttempt *attempt)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *cause = flg_text_line (attempt ? attempt->cause : "");
  g_autofree char *reason = flg_text_line (job->reason);
  if (*cause && !strstr (reason, cause))
    add (text, cause);
  add (text, reason);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
flg_job_reason (FlgJobIndex *index, const FlJob *job)
{
  const FlAttempt *attempt = flg_job_index_attempt (index, job->id);
  if (job->stop_wanted && !fl_job_state_is_final (job->state))
    return g_strdup (_ ("stop asked for; waiting for the conductor"));
  if (job->retry_wanted)
    return g_strdup (_ ("retry asked for; waiting for the conductor"));
  switch (job->state)
    {
    case FL_JOB_PLANNED:
      return why_planned (index, job);
    case FL_JOB_QUEUED:
      if (attempt && *attempt->batch_reason)
        return flg_batch_reason (attempt->batch_reason);
      return flg_text_line (job->reason);
    case FL_JOB_SUBMITTING:
    case FL_JOB_RUNNING:
      return flg_text_line (job->reason);
    default:
      return why_ended (job, attempt);
    }
}

/* --- at length --- */

static char *
explain_queued (FlgJobIndex *index, const FlJob *job, const FlAttempt *attempt)
{
  guint64 now = flg_experiment_now (flg_job_index_experiment (index));
  const FlSite *site = flg_job_index_site (index, job);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *waited =
      flg_format_span (attempt && now > attempt->submitted ? now - attempt->submitted : 0);
  guint of, place = flg_job_index_place (index, job, &of);
  add_printf (text, _ ("in the queue of %s for %s"), site ? site->name : "–", waited);
  if (place)
    add_printf (text, _ ("%u of our %u there"), place, of);
  if (attempt && *attempt->batch_reason)
    {
      g_autofree char *reason = flg_batch_reason (attempt->batch_reason);
      add (text, reason);
    }
  if (attempt && attempt->expected)
    {
      g_autofree char *when = moment (attempt->expected, now);
      add_printf (text, _ ("the scheduler expects it to begin at %s"), when);
    }
  const FlgWaits *waits = attempt ? flg_job_index_waits (index, attempt->site) : NULL;
  if (waits && waits->n)
    {
      g_autofree char *median = flg_format_span (waits->median), *low = flg_format_span (waits->shortest),
                      *high = flg_format_span (waits->longest);
      add_printf (
          text, ngettext ("the last %u there waited %s", "the last %u there waited %s (%s to %s)", waits->n),
          waits->n, median, low, high);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* "1,240 of 3,000 shots, 5.1 a second; ends at about 14:12:00, in 6 min". */
static void
add_progress (GString *text, FlgJobIndex *index, const FlJob *job)
{
  FlgExperiment *experiment = flg_job_index_experiment (index);
  guint64 now = flg_experiment_now (experiment), wanted = flg_job_index_shots (index, job);
  const FlJobStats *stats = flg_experiment_job_stats (experiment, job->id);
  if (!stats || stats->shots == 0)
    {
      if (job->run)
        add (text, _ ("no shot is done yet"));
      return;
    }
  g_autofree char *done = flg_format_count (stats->shots), *all = flg_format_count ((gint64) wanted);
  double seconds = (double) (stats->last - stats->first) / (double) SECOND,
         rate = seconds > 1 ? (double) stats->shots / seconds : 0;
  if (wanted)
    add_printf (text, _ ("%s of %s shots"), done, all);
  else
    add_printf (text, _ ("%s shots"), done);
  if (rate > 0)
    g_string_append_printf (text, _ (", %.*f a second"), rate < 10, rate);
  if (rate > 0 && wanted > (guint64) stats->shots)
    {
      guint64 left = (guint64) ((double) (wanted - (guint64) stats->shots) / rate * (double) SECOND);
      g_autofree char *when = moment (now + left, now);
      add_printf (text, _ ("ends at about %s"), when);
    }
}

static char *
explain_running (FlgJobIndex *index, const FlJob *job, const FlAttempt *attempt)
{
  guint64 now = flg_experiment_now (flg_job_index_experiment (index));
  const FlSite *site = flg_job_index_site (index, job);
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 since = attempt && attempt->started ? attempt->started : job->started;
  g_autofree char *time = flg_format_time (since, now);
  g_autofree char *nodes = flg_text_line (attempt ? attempt->nodes : "");
  if (*nodes)
    add_printf (text, _ ("runs on %s (%s) since %s"), nodes, site ? site->name : "–", time);
  else
    add_printf (text, _ ("runs at %s since %s"), site ? site->name : "–", time);
  add_progress (text, index, job);
  if (attempt && attempt->minutes > 0 && attempt->started)
    {
      guint64 limit = attempt->started + (guint64) attempt->minutes * 60 * SECOND;
      g_autofree char *left = flg_format_span (limit > now ? limit - now : 0);
      add_printf (text, _ ("%s left of its time limit"), left);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
explain_ended (const FlJob *job, const FlAttempt *attempt)
{
  g_autofree char *why = why_ended (job, attempt);
  g_autoptr (GString) text = g_string_new (why);
  if (job->state != FL_JOB_DONE && attempt && *attempt->batch_state)
    {
      g_autofree char *state = flg_text_line (attempt->batch_state),
                      *reason = flg_text_line (attempt->batch_reason);
      add_printf (text, _ ("the scheduler says %s%s%s"), state,
                  *reason && !g_str_equal (reason, "None") ? ": " : "",
                  g_str_equal (reason, "None") ? "" : reason);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
flg_job_explain (FlgJobIndex *index, const FlJob *job)
{
  const FlAttempt *attempt = flg_job_index_attempt (index, job->id);
  if ((job->stop_wanted && !fl_job_state_is_final (job->state)) || job->retry_wanted)
    return flg_job_reason (index, job);
  switch (job->state)
    {
    case FL_JOB_PLANNED:
      return why_planned (index, job);
    case FL_JOB_SUBMITTING:
      {
        const FlSite *site = flg_job_index_site (index, job);
        return *job->reason ? flg_text_line (job->reason)
                            : g_strdup_printf (_ ("is being handed to %s"), site ? site->name : "–");
      }
    case FL_JOB_QUEUED:
      return explain_queued (index, job, attempt);
    case FL_JOB_RUNNING:
      return explain_running (index, job, attempt);
    default:
      return explain_ended (job, attempt);
    }
}

/* --- all of them --- */

typedef struct
{
  guint running, queued, held, planned, failed;
  guint64 next; /* ns UTC; 0 = not known */
  double node_hours;
} Sums;

static void
sum_job (Sums *sums, FlgJobIndex *index, const FlJob *job, guint64 now)
{
  guint64 expected;
  switch (flg_job_shown_state (job, now))
    {
    case FLG_SHOWN_RUNNING:
      sums->running++;
      return;
    case FLG_SHOWN_FAILED:
    case FLG_SHOWN_TIMED_OUT:
      sums->failed++;
      return;
    case FLG_SHOWN_DONE:
    case FLG_SHOWN_CANCELLED:
      return;
    case FLG_SHOWN_HELD:
      sums->held++;
      break;
    case FLG_SHOWN_PLANNED:
    case FLG_SHOWN_UNDO:
      sums->planned++;
      break;
    default:
      sums->queued++;
      expected = flg_job_index_expected (index, job);
      if (expected && (sums->next == 0 || expected < sums->next))
        sums->next = expected;
    }
  sums->node_hours += flg_job_index_node_hours (index, job);
}

char *
flg_jobs_headline (FlgJobIndex *index, FlgRecord *const *jobs, guint n, guint all)
{
  guint64 now = flg_experiment_now (flg_job_index_experiment (index));
  Sums sums = { 0 };
  for (guint i = 0; i < n; i++)
    sum_job (&sums, index, flg_record_job (jobs[i]), now);
  g_autofree char *count = flg_format_count (n), *whole = flg_format_count (all);
  GString *text = g_string_new (NULL);
  if (n == all)
    g_string_append_printf (text, ngettext ("%s job", "%s jobs", n), count);
  else
    g_string_append_printf (text, _ ("%s of %s jobs"), count, whole);
  const char *before = ": ";
#define COUNTED(number, format)                                                                              \
  if (number)                                                                                                \
    {                                                                                                        \
      g_string_append (text, before);                                                                        \
      g_string_append_printf (text, format, number);                                                         \
      before = ", ";                                                                                         \
    }
  COUNTED (sums.running, _ ("%u running"))
  COUNTED (sums.queued, _ ("%u queued"))
  if (sums.queued && sums.next)
    {
      g_autofree char *span = flg_format_span (sums.next > now ? sums.next - now : 0);
      g_string_append_printf (text, _ (" (next in ≈ %s)"), span);
    }
  COUNTED (sums.planned, _ ("%u planned"))
  COUNTED (sums.held, _ ("%u to approve"))
  COUNTED (sums.failed, _ ("%u failed"))
#undef COUNTED
  if (sums.node_hours > 0)
    g_string_append_printf (text, _ (" · ≈ %.*f node-hours planned"), sums.node_hours < 10, sums.node_hours);
  return g_string_free (text, FALSE);
}
