/* import: other people's results into the store. So far: weather logs (engine/control/weather.h).
 *
 * They become an imported job of a run that exists for it. Importing again (the logs have grown) makes another attempt of
 * the same job, and the latest attempt wins. */

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/base/wildcard.h"
#include "engine/control/weather.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"
#include "engine/store/shots.h"

#define PROGRAM      "firstlight-control import"
#define TASK         "imported weather"
#define ROWS_A_SLICE 256

typedef struct
{
  char *store, *run;
} Options;

/* --- reading --- */

static int
compare_ranks (gconstpointer a, gconstpointer b)
{
  guint32 x = (*(FlWeatherLog *const *) a)->rank, y = (*(FlWeatherLog *const *) b)->rank;
  return x < y ? -1 : x > y;
}

static gboolean
read_file (const char *path, GPtrArray *logs, GError **error)
{
  FlWeatherLog *log = fl_weather_read (path, error);
  if (log == NULL)
    return FALSE;
  g_ptr_array_add (logs, log);
  return TRUE;
}

/* DIR/debug_*.txt, or those of DIR/debug. */
static gboolean
read_folder (const char *folder, GPtrArray *logs, GError **error)
{
  guint before = logs->len;
  g_autofree char *inner = g_build_filename (folder, "debug", NULL);
  const char *folders[] = { folder, inner };
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autoptr (GDir) dir = g_dir_open (folders[i], 0, NULL);
      const char *name;
      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *path = g_build_filename (folders[i], name, NULL);
          if (fl_wildcard_match ("debug_*.txt", name) && !read_file (path, logs, error))
            return FALSE;
        }
    }
  if (logs->len > before)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: holds no weather logs, expected debug_RANK.txt",
               folder);
  return FALSE;
}

static GPtrArray *
read_logs (char **paths, int n, GError **error)
{
  g_autoptr (GPtrArray) logs = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_weather_log_free);
  for (int i = 0; i < n; i++)
    {
      gboolean folder = g_file_test (paths[i], G_FILE_TEST_IS_DIR);
      if (!(folder ? read_folder (paths[i], logs, error) : read_file (paths[i], logs, error)))
        return NULL;
    }
  g_ptr_array_sort (logs, compare_ranks);
  for (guint i = 1; i < logs->len; i++)
    if (compare_ranks (&logs->pdata[i - 1], &logs->pdata[i]) == 0)
      {
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "two logs of rank %u, expected those of one job",
                     ((FlWeatherLog *) logs->pdata[i])->rank);
        return NULL;
      }
  return g_steal_pointer (&logs);
}

/* --- writing --- */

static gint64
find_or_make (FlStore *store, FlTable table, gpointer record, const char *name, GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlRun *there = fl_store_find (store, table, name, &failed); /* every record begins with its id */
  gint64 id = there != NULL ? there->id : 0;
  fl_record_free (table, there);
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return 0;
    }
  if (id == 0 && fl_store_save (store, table, record, error))
    id = ((FlRun *) record)->id;
  return id;
}

static gboolean
add_batch (FlStore *store, gint64 attempt, guint32 rank, guint64 sequence, FlBatch *batch, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  fl_batch_encode (batch, bytes);
  return fl_store_add_slice (store, attempt, rank, sequence, (int) fl_batch_kind (batch), bytes->data,
                             bytes->len, NULL, error);
}

static gboolean
add_log (FlStore *store, gint64 attempt, const FlWeatherLog *log, guint ranks, GError **error)
{
  guint n = fl_batch_rows (log->shots);
  guint64 sequence = 0;
  g_autoptr (FlBatch) rank = fl_batch_new (FL_KIND_RANK);
  g_autoptr (FlBatch) part = fl_batch_new (FL_KIND_SHOT);
  fl_batch_append (
      rank, &(FlRankRow){ .rank = log->rank, .ranks = ranks, .host = log->host, .device = "imported" });
  if (!add_batch (store, attempt, log->rank, ++sequence, rank, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      FlShotRow row;
      fl_batch_row (log->shots, i, &row);
      fl_batch_append (part, &row);
      if (i + 1 < n && fl_batch_rows (part) < ROWS_A_SLICE)
        continue;
      if (!add_batch (store, attempt, log->rank, ++sequence, part, error))
        return FALSE;
      fl_batch_clear (part);
    }
  return TRUE;
}

static guint64
bound (GPtrArray *logs, gboolean last)
{
  guint64 time = 0;
  for (guint i = 0; i < logs->len; i++)
    {
      const FlBatch *shots = ((FlWeatherLog *) logs->pdata[i])->shots;
      const guint64 *start = fl_batch_column (shots, "start");
      for (guint k = 0; k < fl_batch_rows (shots); k++)
        time = time == 0 || (last ? start[k] > time : start[k] < time) ? start[k] : time;
    }
  return time;
}

static gboolean
write_logs (FlStore *store, const char *name, GPtrArray *logs, GError **error)
{
  guint64 first = bound (logs, FALSE), last = bound (logs, TRUE);
  FlRun run = { .name = (char *) name,
                .state = (char *) "complete",
                .first_seen = first,
                .completed = last,
                .files = logs->len };
  FlTask task = { .name = (char *) TASK, .type = (char *) "imported" };
  FlJob identity = { .run = find_or_make (store, FL_TABLE_RUN, &run, name, error) };
  if (identity.run == 0 || (identity.task = find_or_make (store, FL_TABLE_TASK, &task, TASK, error)) == 0)
    return FALSE;
  identity.created = fl_now_ns ();
  FlJob *job = fl_store_ensure_job (store, &identity, NULL, error);
  if (job == NULL)
    return FALSE;
  FlAttempt attempt = { .job = job->id,
                        .number = job->attempts + 1,
                        .state = FL_JOB_DONE,
                        .started = first,
                        .ended = last,
                        .submitted = first,
                        .command = (char *) PROGRAM " weather" };
  job->attempts = attempt.number;
  job->state = FL_JOB_DONE;
  job->started = first;
  job->ended = last;
  gboolean ok = fl_store_save (store, FL_TABLE_JOB, job, error)
                && fl_store_save (store, FL_TABLE_ATTEMPT, &attempt, error);
  fl_record_free (FL_TABLE_JOB, job);
  for (guint i = 0; ok && i < logs->len; i++)
    ok = add_log (store, attempt.id, logs->pdata[i], logs->len, error);
  return ok && fl_store_compact (store, attempt.id, error);
}

static void
report (GPtrArray *logs)
{
  guint shots = 0, lines = 0, skipped = 0, unfinished = 0;
  for (guint i = 0; i < logs->len; i++)
    {
      const FlWeatherLog *log = logs->pdata[i];
      shots += fl_batch_rows (log->shots);
      lines += log->lines;
      skipped += log->skipped;
      unfinished += log->unfinished;
    }
  printf ("%u images of %u ranks, %u unfinished, from %u lines (%u skipped)\n", shots, logs->len, unfinished,
          lines, skipped);
}

static int
import_weather (const Options *options, char **paths, int n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) logs = read_logs (paths, n, &error);
  g_autoptr (FlStore) store = logs != NULL ? fl_store_open (options->store, FL_STORE_CREATE, &error) : NULL;
  if (store != NULL)
    fl_store_act_for_person (store, g_get_host_name ());
  if (store == NULL || !fl_store_begin (store, &error))
    return fl_program_fail (PROGRAM, error);
  if (!write_logs (store, options->run != NULL ? options->run : "weather", logs, &error)
      || !fl_store_commit (store, &error))
    return fl_program_fail (PROGRAM, error);
  report (logs);
  return 0;
}

int
fl_program_import (int argc, char **argv)
{
  Options options = { 0 };
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = { { "store", 's', 0, G_OPTION_ARG_FILENAME, &options.store,
                                     "The experiment's folder or database", "PATH" },
                                   { "run", 0, 0, G_OPTION_ARG_STRING, &options.run,
                                     "Name of the run that they belong to (weather)", "NAME" },
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("weather FILE|DIR…");
  g_option_context_set_summary (
      context, "Takes results of other programs into the store. weather: debug_RANK.txt of the "
               "reference system's stills processing.");
  g_option_context_add_main_entries (context, entries, NULL);
  int status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (argc < 3 || options.store == NULL)
    fprintf (stderr, "%s: expected weather FILE|DIR… --store PATH\n", PROGRAM);
  else if (strcmp (argv[1], "weather") != 0)
    fprintf (stderr, "%s: '%s' cannot be imported, expected weather\n", PROGRAM, argv[1]);
  else
    status = import_weather (&options, argv + 2, argc - 2);
  g_free (options.store);
  g_free (options.run);
  return status;
}
