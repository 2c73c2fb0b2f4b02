#include "tests/gui/made-datasets.h"

#include "engine/base/params.h"
#include "tests/gui/made.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

static FlStore *
open_store (const char *folder, FlStoreMode mode)
{
  GError *error = NULL;
  FlStore *store = fl_store_open (folder, mode, &error);
  made_must (store != NULL, &error);
  made_must (fl_store_begin (store, &error), &error);
  return store;
}

static void
close_store (FlStore *store)
{
  GError *error = NULL;
  made_must (fl_store_commit (store, &error), &error);
  fl_store_close (store);
}

static gint64
add_far_site (FlStore *store)
{
  FlSite site = { .name = (char *) "cori",
                  .kind = (char *) "ssh",
                  .host = (char *) "cori.example.org",
                  .scratch = (char *) "scratch",
                  .nodes = 4,
                  .ranks_per_node = 64,
                  .minutes = 30,
                  .active = TRUE };
  return made_save (store, FL_TABLE_SITE, &site);
}

/* What the engine's last line says of each job that is done. */
static void
say_lattices (FlStore *store)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) attempts = fl_store_list (store, FL_TABLE_ATTEMPT, &error);
  made_must (attempts != NULL, &error);
  for (guint i = 0; i < attempts->len; i++)
    {
      const FlAttempt *attempt = attempts->pdata[i];
      if (attempt->state != FL_JOB_DONE)
        continue;
      /* It has ended soon after it began: before any version was made of it. */
      gint64 ended = (gint64) (attempt->started + 8 * SECOND);
      made_must (fl_store_set_int (store, FL_TABLE_ATTEMPT, attempt->id, "ended", ended, &error)
                     && fl_store_set_int (store, FL_TABLE_JOB, attempt->job, "ended", ended, &error),
                 &error);
      g_autofree char *line = g_strdup_printf ("3000 shots, 750 hits, 500 indexed, %u lattices", 540 + 7 * i);
      made_must (fl_store_set_text (store, FL_TABLE_ATTEMPT, attempt->id, "reason", line, &error), &error);
    }
}

static gint64
add_dataset (FlStore *store, const char *name, const char *expression, gboolean active, gint64 stills,
             gint64 export, guint64 created)
{
  FlDataset dataset = { .name = (char *) name,
                        .expression = (char *) expression,
                        .comment = (char *) "made",
                        .active = active,
                        .trial = 1,
                        .min_interval = 600,
                        .min_lattices = 1000,
                        .created = created };
  made_save (store, FL_TABLE_DATASET, &dataset);
  FlDatasetTask first = { .dataset = dataset.id, .task = stills, .number = 1, .after = (char *) "" };
  made_save (store, FL_TABLE_DATASET_TASK, &first);
  if (export)
    {
      g_autofree char *after = g_strdup_printf ("%" G_GINT64_FORMAT, stills);
      FlDatasetTask second = { .dataset = dataset.id, .task = export, .number = 2, .after = after };
      made_save (store, FL_TABLE_DATASET_TASK, &second);
    }
  return dataset.id;
}

/* Of the jobs of trial 1: from the first to the `last`th run; without `but` (run's number; 0 = all). */
static gint64
add_version (FlStore *store, gint64 dataset, int number, guint last, guint but, gint64 export,
             FlJobState state, const char *note, gint64 *job)
{
  GError *error = NULL;
  FlDatasetVersion version = { .dataset = dataset, .number = number, .note = (char *) note };
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, &error);
  made_must (jobs != NULL, &error);
  made_save (store, FL_TABLE_DATASET_VERSION, &version);
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *input = jobs->pdata[i];
      if (input->trial != 1 || input->run == 0 || input->run > last || input->run == but
          || input->state != FL_JOB_DONE)
        continue;
      FlVersionJob link = { .version = version.id, .job = input->id };
      made_save (store, FL_TABLE_VERSION_JOB, &link);
      version.lattices += 555;
      version.created = MAX (version.created, input->ended + 2 * SECOND);
    }
  made_save (store, FL_TABLE_DATASET_VERSION, &version);
  g_autofree char *path = g_strdup_printf ("jobs/export-%d", number);
  FlJob made = { .trial = 1,
                 .task = export,
                 .dataset = dataset,
                 .version = version.id,
                 .state = state,
                 .root = (char *) "scratch",
                 .path = path,
                 .created = version.created,
                 .started = version.created,
                 .ended = state == FL_JOB_DONE ? version.created + 20 * SECOND : 0 };
  *job = made_save (store, FL_TABLE_JOB, &made);
  return version.id;
}

static void
add_tag (FlStore *store, const char *name, gint64 first, gint64 last)
{
  FlTag tag = { .name = (char *) name };
  made_save (store, FL_TABLE_TAG, &tag);
  for (gint64 run = first; run <= last; run++)
    {
      FlRunTag pair = { .run = run, .tag = tag.id };
      made_save (store, FL_TABLE_RUN_TAG, &pair);
    }
}

void
made_datasets_write (const char *folder, const MadeStore *wanted, MadeDatasets *made)
{
  g_assert (wanted->runs >= 6);
  made_store_write (folder, wanted);
  GError *error = NULL;
  FlStore *store = open_store (folder, FL_STORE_WRITE);
  guint n = wanted->runs;
  made->far_site = add_far_site (store);
  say_lattices (store);
  add_tag (store, "laser on", 3, 5);
  add_tag (store, HOSTILE_TAG, 4, 4);
  FlTask *stills = fl_store_find (store, FL_TABLE_TASK, "stills", &error);
  made_must (stills != NULL, &error);
  FlTask export = { .name = (char *) "stream", .type = (char *) "export", .site = made->far_site };
  made_save (store, FL_TABLE_TASK, &export);
  made->lysozyme = add_dataset (store, "lysozyme", "lysozyme and not dark", TRUE, stills->id, export.id,
                                wanted->now - 3000 * SECOND);
  add_dataset (store, "laser pairs", "lysozyme and \"laser on\" or runs 1", TRUE, stills->id, 0,
               wanted->now - 2000 * SECOND);
  made->resting =
      add_dataset (store, "everything", "runs 1-", FALSE, stills->id, export.id, wanted->now - 1000 * SECOND);
  g_autofree char *quoted = g_strdup ("\"'; DROP TABLE tag; -- $(reboot) <b>&\\\"\\\\\"");
  made->hostile = add_dataset (store, HOSTILE_TAG, quoted, FALSE, stills->id, 0, wanted->now - 500 * SECOND);
  made->versions[0] = add_version (store, made->lysozyme, 1, n / 2, 0, export.id, FL_JOB_DONE,
                                   "first version", &made->export_job);
  made->versions[1] = add_version (store, made->lysozyme, 2, n - 2, 0, export.id, FL_JOB_DONE, "3 new jobs",
                                   &made->export_job);
  made->versions[2] = add_version (store, made->lysozyme, 3, n - 1, 3, export.id, FL_JOB_RUNNING,
                                   "1 new job, r0003 is not in the selection any more", &made->export_job);
  fl_record_free (FL_TABLE_TASK, stills);
  close_store (store);
}

void
made_datasets_write_many (const char *folder, guint runs, guint64 now)
{
  FlStore *store = open_store (folder, FL_STORE_CREATE);
  FlSite site = { .name = (char *) "here",
                  .kind = (char *) "local",
                  .scratch = (char *) "experiment",
                  .active = TRUE,
                  .minutes = 60 };
  made_save (store, FL_TABLE_SITE, &site);
  gint64 trials[5], tags[2];
  g_autoptr (FlParams) params = fl_params_new ();
  g_autofree char *text = fl_params_write (params);
  for (int i = 0; i < 5; i++)
    {
      FlTrial trial = { .number = i + 1,
                        .name = (char *) "made",
                        .params = text,
                        .params_version = (char *) "1",
                        .engine_build = (char *) "made",
                        .active = TRUE,
                        .created = now };
      trials[i] = made_save (store, FL_TABLE_TRIAL, &trial);
    }
  for (int i = 0; i < 2; i++)
    {
      FlTag tag = { .name = (char *) (i ? "dark" : "lysozyme") };
      tags[i] = made_save (store, FL_TABLE_TAG, &tag);
    }
  GError *error = NULL;
  FlTask *stills = fl_store_find (store, FL_TABLE_TASK, "stills", &error);
  made_must (stills != NULL, &error);
  for (guint k = 1; k <= runs; k++)
    {
      g_autofree char *name = g_strdup_printf ("r%04u", k);
      FlRun run = { .name = name,
                    .root = (char *) "experiment",
                    .path = name,
                    .first_seen = now,
                    .completed = now,
                    .bytes = 1000000 + k,
                    .files = 1,
                    .shots = 1000 + k,
                    .state = (char *) "complete" };
      made_save (store, FL_TABLE_RUN, &run);
      for (guint i = 0; i < 2; i++)
        if (k % (i ? 5 : 3) == 0)
          {
            FlRunTag pair = { .run = run.id, .tag = tags[i] };
            made_save (store, FL_TABLE_RUN_TAG, &pair);
          }
      for (int i = 0; i < 5; i++)
        {
          FlJob job = { .trial = trials[i],
                        .run = run.id,
                        .task = stills->id,
                        .root = (char *) "experiment",
                        .path = name,
                        .state = i == 0 ? FL_JOB_DONE : FL_JOB_PLANNED,
                        .created = now };
          made_save (store, FL_TABLE_JOB, &job);
          FlAttempt attempt = { .job = job.id,
                                .site = site.id,
                                .number = 1,
                                .state = FL_JOB_DONE,
                                .submitted = now,
                                .started = now,
                                .ended = now + 90 * SECOND,
                                .reason = (char *) "1000 shots, 400 hits, 300 indexed, 320 lattices" };
          if (i == 0)
            made_save (store, FL_TABLE_ATTEMPT, &attempt);
        }
    }
  fl_record_free (FL_TABLE_TASK, stills);
  close_store (store);
}
