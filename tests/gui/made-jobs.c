#include "tests/gui/made-jobs.h"

#include <string.h>

#include "engine/base/batch.h"
#include "engine/base/hash.h"
#include "engine/base/params.h"
#include "tests/gui/made.h"

#define SECOND  G_GUINT64_CONSTANT (1000000000)
#define MINUTE  (60 * SECOND)
#define TRIALS  3
#define TASKS   2
#define S(text) ((char *) (text))

static const char harm[] =
    "'; DROP TABLE job; -- $(reboot) `reboot` <b>bold</b> &amp; \033[2J\033]0;owned\007";

typedef struct
{
  FlStore *store;
  const char *folder;
  guint64 now;
  gint64 sites[2], trials[TRIALS], tasks[TASKS], block;
  MadeJobs *made;
} Maker;

/* Everything here must work: a test's ground. */
static void
add_sites (Maker *maker)
{
  FlRoot data = { .name = S ("data"), .path = S ("data") },
         scratch = { .name = S ("scratch"), .path = S (".") };
  FlSite here = { .name = S ("here"), .kind = S ("local"), .scratch = S ("scratch"), .active = TRUE };
  FlSite far = { .name = S ("maxwell"),
                 .kind = S ("slurm"),
                 .scratch = S ("scratch"),
                 .partition = S ("upex"),
                 .nodes = 4,
                 .minutes = 30,
                 .ranks_per_node = 40,
                 .max_jobs = 40,
                 .active = TRUE };
  made_save (maker->store, FL_TABLE_ROOT, &data);
  made_save (maker->store, FL_TABLE_ROOT, &scratch);
  maker->sites[0] = made_save (maker->store, FL_TABLE_SITE, &here);
  maker->sites[1] = maker->made->slurm = made_save (maker->store, FL_TABLE_SITE, &far);
}

static void
add_trials_and_tasks (Maker *maker)
{
  static const char *const names[TRIALS] = { "defaults", "strong spots", "given cell" };
  static const char *const assignments[TRIALS] = { NULL, "spots.sigma_strong=4",
                                                   "indexing.unit_cell=79.1,79.1,37.9,90,90,90" };
  GError *error = NULL;
  for (guint i = 0; i < TRIALS; i++)
    {
      g_autoptr (FlParams) params = fl_params_new ();
      made_must (!assignments[i] || fl_params_set_assignment (params, assignments[i], &error), &error);
      g_autofree char *text = fl_params_write (params);
      FlTrial trial = { .number = (int) i + 1,
                        .name = S (names[i]),
                        .params = text,
                        .active = TRUE,
                        .created = maker->now - 600 * MINUTE,
                        .params_version = S (fl_param_table_version ()),
                        .engine_build = S ("made") };
      maker->trials[i] = made_save (maker->store, FL_TABLE_TRIAL, &trial);
    }
  FlTask *stills = fl_store_find (maker->store, FL_TABLE_TASK, "stills", &error); /* every new store has it */
  made_must (stills != NULL, &error);
  maker->tasks[0] = stills->id;
  fl_record_free (FL_TABLE_TASK, stills);
  FlTask spots = { .name = S ("spots"), .type = S ("spots"), .active = TRUE, .nodes = 2, .minutes = 15 };
  maker->tasks[1] = made_save (maker->store, FL_TABLE_TASK, &spots);
  FlBlock block = { .name = S ("jungfrau"), .params = S (""), .active = TRUE };
  maker->block = made_save (maker->store, FL_TABLE_BLOCK, &block);
}

/* --- jobs --- */

typedef struct
{
  FlJobState state;
  gboolean held;
  guint64 begin; /* ns UTC of its first submission */
  const char *reason;
} Wanted;

static gint64
add_job (Maker *maker, guint k, gint64 run, guint trial, guint task, const Wanted *wanted, int attempts)
{
  gboolean begun = attempts > 0 && wanted->state != FL_JOB_QUEUED && wanted->state != FL_JOB_SUBMITTING;
  g_autofree char *path = g_strdup_printf ("jobs/t%u-b1-r%04u-%u", trial + 1, k, task);
  FlJob job = { .trial = maker->trials[trial],
                .block = maker->block,
                .run = run,
                .task = maker->tasks[task],
                .root = S ("scratch"),
                .path = path,
                .state = wanted->state,
                .attempts = attempts,
                .created = wanted->begin,
                .held = wanted->held,
                .site = maker->sites[1],
                .started = begun ? wanted->begin + 4 * MINUTE : 0,
                .ended = begun && fl_job_state_is_final (wanted->state) ? wanted->begin + 9 * MINUTE : 0,
                .reason = S (wanted->reason ? wanted->reason : "") };
  return made_save (maker->store, FL_TABLE_JOB, &job);
}

/* What an attempt at Slurm has when nothing else is said: waited 1–8 min, ran 5 min. */
static FlAttempt
attempt_of (Maker *maker, gint64 job, int number, FlJobState state, guint64 submitted)
{
  guint64 waited = (1 + fl_hash64 (&job, sizeof job, (guint64) number) % 8) * MINUTE;
  gboolean begun = state != FL_JOB_QUEUED && state != FL_JOB_SUBMITTING;
  FlAttempt attempt = { .job = job,
                        .site = maker->sites[1],
                        .number = number,
                        .state = state,
                        .nodes = S (begun ? "max-wn[012-015]" : ""),
                        .command = S (
                            "srun firstlight-engine stills --stages all --set spots.sigma_strong=4 --out ."),
                        .exit_code = state == FL_JOB_DONE ? 0 : -1,
                        .submitted = submitted,
                        .started = begun ? submitted + waited : 0,
                        .ended = fl_job_state_is_final (state) ? submitted + waited + 5 * MINUTE : 0,
                        .n_nodes = 4,
                        .ranks = 160,
                        .ranks_per_node = 40,
                        .minutes = 30 };
  return attempt;
}

static gint64
save_attempt (Maker *maker, FlAttempt *attempt)
{
  GError *error = NULL;
  FlJob *job = fl_store_get (maker->store, FL_TABLE_JOB, attempt->job, &error);
  made_must (job != NULL, &error);
  g_autofree char *path = g_strdup_printf ("%s/attempt-%04d", job->path, attempt->number);
  g_autofree char *id = g_strdup_printf ("%d", 4711000 + (int) attempt->job * 3 + attempt->number);
  attempt->path = path;
  if (!attempt->remote_id)
    attempt->remote_id = id;
  fl_record_free (FL_TABLE_JOB, job);
  return made_save (maker->store, FL_TABLE_ATTEMPT, attempt);
}

/* Shots of a job, as one frame: a third of them hits. */
static void
add_shots (Maker *maker, gint64 attempt, guint n, guint64 begin, guint64 end)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
  for (guint i = 0; i < n; i++)
    {
      FlShotRow row = { .id = fl_hash64 (&i, sizeof i, (guint64) attempt),
                        .frame = i,
                        .start = begin + (end - begin) * i / n,
                        .stage = FL_STAGE_FIND,
                        .duration = { 20000, 60000 },
                        .outcome = i % 100 == 50 ? FL_OUTCOME_FAILED
                                   : i % 3 == 0  ? FL_OUTCOME_HIT
                                                 : FL_OUTCOME_MISS,
                        .spots = i % 3 == 0 ? 80 : 2,
                        .energy = 9300,
                        .message = "" };
      fl_batch_append (batch, &row);
    }
  made_add_slice (maker->store, attempt, 0, 1, batch);
}

static void
add_done (Maker *maker, guint k, gint64 run, guint trial, guint task)
{
  Wanted wanted = { FL_JOB_DONE, FALSE, maker->now - (400 - MIN (k, 390)) * MINUTE, NULL };
  gint64 job = add_job (maker, k, run, trial, task, &wanted, 1);
  FlAttempt attempt = attempt_of (maker, job, 1, FL_JOB_DONE, wanted.begin);
  save_attempt (maker, &attempt);
}

/* --- those that are looked at --- */

static void
write_log (Maker *maker, guint k, guint trial, const char *name, const char *text, gssize length)
{
  g_autofree char *path = g_strdup_printf ("%s/jobs/t%u-b1-r%04u-0/%s", maker->folder, trial, k, name);
  g_autofree char *folder = g_path_get_dirname (path);
  GError *error = NULL;
  g_mkdir_with_parents (folder, 0777);
  made_must (g_file_set_contents (path, text, length, &error), &error);
}

static void
add_retried (Maker *maker, guint k, gint64 run)
{
  static const char *const causes[] = { "time limit", "node failure", "" };
  static const char *const words[] = { "TIMEOUT", "NODE_FAIL", "COMPLETED" };
  static const char *const sets[] = { "spots.sigma_strong = 3",
                                      "spots.sigma_strong = 3\nspots.max_resolution = 2.5",
                                      "spots.sigma_strong = 4" };
  Wanted wanted = { FL_JOB_DONE, FALSE, maker->now - 90 * MINUTE, NULL };
  gint64 job = maker->made->retried = add_job (maker, k, run, 0, 0, &wanted, 3);
  for (int i = 0; i < 3; i++)
    {
      FlJobState state = i == 0 ? FL_JOB_TIMED_OUT : i == 1 ? FL_JOB_FAILED : FL_JOB_DONE;
      g_autoptr (FlParams) params = fl_params_new ();
      g_autofree char *text = NULL;
      GError *error = NULL;
      FlAttempt attempt = attempt_of (maker, job, i + 1, state, wanted.begin + (guint64) i * 25 * MINUTE);
      made_must (fl_params_read (params, sets[i], "made", &error), &error);
      text = fl_params_write (params);
      attempt.params = text;
      attempt.cause = S (causes[i]);
      attempt.batch_state = S (words[i]);
      attempt.minutes = i == 0 ? 15 : 30;
      attempt.n_nodes = i == 2 ? 2 : 4;
      attempt.ranks = 40 * attempt.n_nodes;
      attempt.exit_code = i == 2 ? 0 : i == 1 ? 137 : 75;
      attempt.reason = S (i == 0   ? "stopped at its time limit of 15 min"
                          : i == 1 ? "max-wn013 went down"
                                   : "");
      gint64 id = save_attempt (maker, &attempt);
      if (i == 2)
        add_shots (maker, id, 900, attempt.started, attempt.ended);
    }
  write_log (maker, k, 1, "attempt-0003.out", "900 shots, 90 hits\n", -1);
}

static void
add_hostile (Maker *maker, guint k, gint64 run)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autofree char *reason = g_strdup_printf ("r%04u.cxi: %s", k, harm);
  Wanted wanted = { FL_JOB_FAILED, FALSE, maker->now - 40 * MINUTE, reason };
  gint64 job = maker->made->hostile = add_job (maker, k, run, 1, 0, &wanted, 1);
  FlAttempt attempt = attempt_of (maker, job, 1, FL_JOB_FAILED, wanted.begin);
  attempt.exit_code = 2;
  attempt.batch_state = S ("FAILED");
  attempt.batch_reason = S ("NonZeroExitCode");
  attempt.reason = reason;
  attempt.remote_id = S (harm);
  attempt.nodes = S (harm);
  attempt.command = S (harm);
  attempt.stderr_tail = S (harm);
  save_attempt (maker, &attempt);
  for (guint i = 0; i < 9000; i++)
    {
      g_string_append_printf (log, "rank %03u: shot %05u: %u spots, %.1f Å\n", i % 160, i, 40 + i % 50,
                              2.1 + i % 7 * 0.1);
      if (i == 4000)
        g_string_append (log,
                         "rank 017: r0003.cxi: error: bitshuffle data are damaged, expected 2 MiB a frame\n");
      if (i == 8800)
        g_string_append_printf (log, "%s\n\377\376 %s\n", harm, harm);
      if (i == 8900)
        {
          for (guint c = 0; c < 1000000; c++)
            g_string_append_c (log, (char) ('a' + c % 26));
          g_string_append_c (log, '\n');
        }
    }
  g_string_append (log, "rank 003: the last line\n");
  write_log (maker, k, 2, "attempt-0001.err", log->str, (gssize) log->len);
  write_log (maker, k, 2, "attempt-0001.sh",
             "#!/bin/bash\n#SBATCH --nodes=4 --time=30 --partition=upex\nsrun "
             "firstlight-engine stills --stages all\n",
             -1);
}

static void
add_ended_badly (Maker *maker, guint k, gint64 run)
{
  Wanted wanted = { FL_JOB_FAILED, FALSE, maker->now - 55 * MINUTE,
                    "the kernel ended rank 31: too little memory" };
  gint64 job = maker->made->memory = add_job (maker, k, run, 0, 1, &wanted, 2);
  for (int i = 0; i < 2; i++)
    {
      FlAttempt attempt =
          attempt_of (maker, job, i + 1, FL_JOB_FAILED, wanted.begin + (guint64) i * 15 * MINUTE);
      attempt.cause = S ("out of memory");
      attempt.batch_state = S ("OUT_OF_MEMORY");
      attempt.exit_code = 137;
      attempt.ranks_per_node = i ? 20 : 40;
      attempt.ranks = 4 * attempt.ranks_per_node;
      save_attempt (maker, &attempt);
    }
  Wanted late = { FL_JOB_TIMED_OUT, FALSE, maker->now - 70 * MINUTE, "stopped at its time limit of 30 min" };
  gint64 timed = add_job (maker, k, run, 1, 1, &late, 1);
  FlAttempt attempt = attempt_of (maker, timed, 1, FL_JOB_TIMED_OUT, late.begin);
  attempt.cause = S ("time limit");
  attempt.batch_state = S ("TIMEOUT");
  save_attempt (maker, &attempt);
  Wanted stopped = { FL_JOB_CANCELLED, FALSE, maker->now - 60 * MINUTE, "stopped by ada" };
  gint64 cancelled = add_job (maker, k, run, 2, 1, &stopped, 1);
  FlAttempt last = attempt_of (maker, cancelled, 1, FL_JOB_CANCELLED, stopped.begin);
  save_attempt (maker, &last);
}

static void
add_under_way (Maker *maker, guint k, gint64 run)
{
  Wanted wanted = { FL_JOB_RUNNING, FALSE, maker->now - 14 * MINUTE, NULL };
  gint64 job = maker->made->running = add_job (maker, k, run, 0, 0, &wanted, 1);
  FlAttempt attempt = attempt_of (maker, job, 1, FL_JOB_RUNNING, wanted.begin);
  attempt.started = maker->now - 10 * MINUTE;
  gint64 id = save_attempt (maker, &attempt);
  add_shots (maker, id, 620, attempt.started, maker->now);
  Wanted local = { FL_JOB_RUNNING, FALSE, maker->now - 3 * MINUTE, NULL };
  gint64 mine = add_job (maker, k, run, 1, 0, &local, 1);
  FlAttempt here = attempt_of (maker, mine, 1, FL_JOB_RUNNING, local.begin);
  here.site = maker->sites[0];
  here.started = here.submitted;
  here.nodes = S ("beamline-pc");
  here.remote_id = S ("18234");
  here.n_nodes = here.minutes = here.ranks_per_node = 0;
  here.ranks = 16;
  add_shots (maker, save_attempt (maker, &here), 250, here.started, maker->now);
  Wanted again = { FL_JOB_PREEMPTED, FALSE, maker->now - 20 * MINUTE,
                   "made room for another job; goes on by itself" };
  gint64 preempted = add_job (maker, k, run, 2, 0, &again, 1);
  FlAttempt gone = attempt_of (maker, preempted, 1, FL_JOB_PREEMPTED, again.begin);
  gone.cause = S ("preempted");
  save_attempt (maker, &gone);
}

static void
add_waiting (Maker *maker, guint k, gint64 run)
{
  static const char *const reasons[] = { "Priority", "Resources", "QOSMaxJobsPerUserLimit" };
  for (guint t = 0; t < TRIALS; t++)
    {
      Wanted wanted = { FL_JOB_QUEUED, FALSE, maker->now - (6 - t) * MINUTE, NULL };
      gint64 job = add_job (maker, k, run, t, 0, &wanted, 1);
      FlAttempt attempt = attempt_of (maker, job, 1, FL_JOB_QUEUED, wanted.begin);
      attempt.batch_state = S ("PENDING");
      attempt.batch_reason = S (reasons[t]);
      attempt.expected = t == 0 ? maker->now + 4 * MINUTE : 0;
      save_attempt (maker, &attempt);
      if (t == 0)
        maker->made->queued = job;
    }
  Wanted submitting = { FL_JOB_SUBMITTING, FALSE, maker->now - 2 * SECOND, NULL };
  gint64 job = add_job (maker, k, run, 0, 1, &submitting, 1);
  FlAttempt attempt = attempt_of (maker, job, 1, FL_JOB_SUBMITTING, submitting.begin);
  attempt.remote_id = S ("");
  save_attempt (maker, &attempt);
  Wanted planned = { FL_JOB_PLANNED, FALSE, maker->now - MINUTE, "waits for job 3 (stills) of this run" };
  add_job (maker, k, run, 1, 1, &planned, 0);
}

static void
add_new (Maker *maker, guint k, gint64 run)
{
  for (guint t = 0; t < TRIALS; t++)
    {
      Wanted held = { FL_JOB_PLANNED, TRUE, maker->now - 30 * SECOND, NULL };
      gint64 job = add_job (maker, k, run, t, 0, &held, 0);
      maker->made->held = t == 0 ? job : maker->made->held;
    }
  Wanted fresh = { FL_JOB_PLANNED, FALSE, maker->now - SECOND, NULL };
  GError *error = NULL;
  maker->made->undo = add_job (maker, k, run, 0, 1, &fresh, 0);
  made_must (fl_store_set_int (maker->store, FL_TABLE_JOB, maker->made->undo, "not_before",
                               (gint64) (maker->now + 20 * SECOND), &error),
             &error);
}

static void
add_dataset (Maker *maker)
{
  FlDataset dataset = { .name = S ("lysozyme all"),
                        .expression = S ("lysozyme and not dark"),
                        .active = TRUE };
  FlTask task = { .name = S ("export"), .type = S ("export") };
  gint64 dataset_id = maker->made->dataset = made_save (maker->store, FL_TABLE_DATASET, &dataset),
         task_id = made_save (maker->store, FL_TABLE_TASK, &task);
  for (int i = 1; i <= 3; i++)
    {
      FlDatasetVersion version = { .dataset = dataset_id,
                                   .number = i,
                                   .created = maker->now - (guint64) (4 - i) * 60 * MINUTE,
                                   .lattices = 4000 * i,
                                   .note = S ("12 new jobs") };
      gint64 id = made_save (maker->store, FL_TABLE_DATASET_VERSION, &version);
      FlVersionJob input = { .version = id, .job = maker->made->retried };
      made_save (maker->store, FL_TABLE_VERSION_JOB, &input);
      FlJob job = { .trial = maker->trials[0],
                    .task = task_id,
                    .dataset = dataset_id,
                    .version = id,
                    .root = S ("scratch"),
                    .path = S ("jobs/export"),
                    .state = i < 3 ? FL_JOB_DONE : FL_JOB_PLANNED,
                    .created = version.created,
                    .started = i < 3 ? version.created + MINUTE : 0,
                    .ended = i < 3 ? version.created + 2 * MINUTE : 0 };
      maker->made->exported = made_save (maker->store, FL_TABLE_JOB, &job);
    }
}

/* --- runs --- */

static gint64
add_run (Maker *maker, guint k, const gint64 *tags)
{
  g_autofree char *name = g_strdup_printf ("r%04u", k);
  FlRun run = { .name = name,
                .root = S ("data"),
                .path = name,
                .first_seen = maker->now - (400 - MIN (k, 390)) * MINUTE,
                .completed = maker->now - (399 - MIN (k, 390)) * MINUTE,
                .files = 1,
                .shots = 1000,
                .state = S ("complete") };
  gint64 id = made_save (maker->store, FL_TABLE_RUN, &run);
  FlRunTag pair = { .run = id, .tag = tags[k % 5 == 2] };
  made_save (maker->store, FL_TABLE_RUN_TAG, &pair);
  if (k % 4 == 3)
    {
      FlRunTag second = { .run = id, .tag = tags[2] };
      made_save (maker->store, FL_TABLE_RUN_TAG, &second);
    }
  return id;
}

static void
add_runs (Maker *maker, guint runs)
{
  FlTag tags[] = { { .name = S ("lysozyme"), .persistent = TRUE },
                   { .name = S ("dark") },
                   { .name = S ("<b>jet'; --</b>") } };
  gint64 ids[G_N_ELEMENTS (tags)];
  for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
    ids[i] = made_save (maker->store, FL_TABLE_TAG, &tags[i]);
  for (guint k = 1; k <= runs; k++)
    {
      gint64 run = add_run (maker, k, ids);
      gboolean made[TRIALS][TASKS] = { { FALSE } };
      if (k == 2)
        add_retried (maker, k, run);
      else if (k == 3)
        add_hostile (maker, k, run);
      else if (k == 4)
        add_ended_badly (maker, k, run);
      else if (k == runs - 2)
        add_under_way (maker, k, run);
      else if (k == runs - 1)
        add_waiting (maker, k, run);
      else if (k == runs)
        add_new (maker, k, run);
      made[0][0] = k == 2;
      made[1][0] = k == 3;
      made[0][1] = made[1][1] = made[2][1] = k == 4;
      if (k > runs - 3)
        continue;
      for (guint t = 0; t < TRIALS; t++)
        for (guint s = 0; s < TASKS; s++)
          if (!made[t][s])
            add_done (maker, k, run, t, s);
    }
}

void
made_jobs_write (const char *folder, guint runs, guint64 now, MadeJobs *made)
{
  GError *error = NULL;
  MadeJobs ignored;
  Maker maker = { .folder = folder, .now = now, .made = made ? made : &ignored };
  g_assert (runs >= 8);
  maker.store = fl_store_open (folder, FL_STORE_CREATE, &error);
  made_must (maker.store != NULL, &error);
  made_must (fl_store_begin (maker.store, &error), &error);
  add_sites (&maker);
  add_trials_and_tasks (&maker);
  add_runs (&maker, runs);
  add_dataset (&maker);
  made_must (fl_store_commit (maker.store, &error), &error);
  fl_store_close (maker.store);
}
