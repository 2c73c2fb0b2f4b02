#include "engine/control/worker.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

#define FIRST_PAUSE   1u /* s */
#define LAST_PAUSE    60u
#define SUCCESS_EVERY (60 * FL_NS_PER_S)
#define TRIP_EVERY    (10 * FL_NS_PER_S)

typedef struct
{
  FlWorker now, written; /* `written`: as it is in the store; id 0: not there */
  guint64 trip_written;
  gboolean spoken; /* since the last sweep */
} Worker;

struct FlWorkers
{
  FlStore *store;
  GHashTable *all;    /* name -> Worker */
  GPtrArray *removed; /* ids, as pointers to gint64 */
  GArray *wishes;     /* ids of rows whose wish for a restart is being obeyed */
  gboolean unsure;    /* the last writing may have happened or not: `written` is read again first */
};

static void
worker_clear (FlWorker *worker)
{
  g_free (worker->name);
  g_free (worker->state);
  g_free (worker->message);
}

static void
worker_free (gpointer data)
{
  Worker *worker = data;
  worker_clear (&worker->now);
  worker_clear (&worker->written);
  g_free (worker);
}

static void
worker_copy (FlWorker *to, const FlWorker *from)
{
  worker_clear (to);
  *to = *from;
  to->name = g_strdup (from->name);
  to->state = g_strdup (from->state);
  to->message = g_strdup (from->message);
}

FlWorkers *
fl_workers_new (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) rows = fl_store_list (store, FL_TABLE_WORKER, error);
  if (rows == NULL)
    return NULL;
  FlWorkers *workers = g_new0 (FlWorkers, 1);
  workers->store = store;
  workers->all = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, worker_free);
  workers->removed = g_ptr_array_new_with_free_func (g_free);
  workers->wishes = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < rows->len; i++)
    {
      const FlWorker *row = rows->pdata[i];
      Worker *worker = g_new0 (Worker, 1);
      worker_copy (&worker->now, row);
      worker_copy (&worker->written, row);
      worker->now.next_try = 0; /* another conductor's pause */
      g_hash_table_insert (workers->all, g_strdup (row->name), worker);
    }
  return workers;
}

void
fl_workers_free (FlWorkers *workers)
{
  if (workers == NULL)
    return;
  g_hash_table_unref (workers->all);
  g_ptr_array_unref (workers->removed);
  g_array_unref (workers->wishes);
  g_free (workers);
}

static Worker *
get (FlWorkers *workers, const char *name, gint64 site)
{
  Worker *worker = g_hash_table_lookup (workers->all, name);
  if (worker == NULL)
    {
      worker = g_new0 (Worker, 1);
      worker->now = (FlWorker){ .name = g_strdup (name), .round_trip = -1 };
      g_hash_table_insert (workers->all, g_strdup (name), worker);
    }
  worker->now.site = site;
  worker->spoken = TRUE;
  return worker;
}

static void
say (Worker *worker, const char *state, const char *message)
{
  if (g_strcmp0 (worker->now.state, state) != 0)
    {
      g_free (worker->now.state);
      worker->now.state = g_strdup (state);
    }
  if (g_strcmp0 (worker->now.message, message) == 0)
    return;
  g_free (worker->now.message);
  worker->now.message = g_utf8_make_valid (message, -1);
  g_strdelimit (worker->now.message, "\n\r", ' ');
}

gboolean
fl_workers_is_due (FlWorkers *workers, const char *name)
{
  const Worker *worker = g_hash_table_lookup (workers->all, name);
  return worker == NULL || worker->now.next_try <= fl_now_ns ();
}

void
fl_workers_well (FlWorkers *workers, const char *name, gint64 site, const char *message)
{
  Worker *worker = get (workers, name, site);
  worker->now.last_success = fl_now_ns ();
  worker->now.failures = 0;
  worker->now.next_try = 0;
  say (worker, "ok", message);
}

void
fl_workers_waiting (FlWorkers *workers, const char *name, gint64 site, const char *message)
{
  Worker *worker = get (workers, name, site);
  worker->now.failures = 0;
  worker->now.next_try = 0;
  say (worker, "waiting", message);
}

void
fl_workers_failed (FlWorkers *workers, const char *name, gint64 site, const char *message)
{
  Worker *worker = get (workers, name, site);
  gboolean same =
      g_strcmp0 (worker->now.state, "failing") == 0 && g_strcmp0 (worker->now.message, message) == 0;
  if (same && worker->now.next_try > fl_now_ns ())
    return; /* has been said */
  guint pause = FIRST_PAUSE << MIN (worker->now.failures, 6);
  worker->now.failures++;
  worker->now.last_failure = fl_now_ns ();
  worker->now.next_try = worker->now.last_failure + MIN (pause, LAST_PAUSE) * FL_NS_PER_S;
  say (worker, "failing", message);
}

void
fl_workers_link (FlWorkers *workers, const char *name, gint64 site, const char *state, const char *message,
                 gint64 round_trip, guint64 next_try)
{
  Worker *worker = get (workers, name, site);
  if (strcmp (state, "up") == 0)
    {
      worker->now.last_success = fl_now_ns ();
      worker->now.failures = 0;
    }
  else if (strcmp (state, "lost") == 0 && g_strcmp0 (worker->now.state, "lost") != 0)
    {
      worker->now.last_failure = fl_now_ns ();
      worker->now.failures++;
    }
  worker->now.round_trip = round_trip;
  worker->now.next_try = next_try;
  say (worker, state, message);
}

void
fl_workers_hurry (FlWorkers *workers, const char *name)
{
  Worker *worker = g_hash_table_lookup (workers->all, name);
  if (worker != NULL)
    worker->now.next_try = 0;
}

static void
forget_row (FlWorkers *workers, const Worker *worker)
{
  if (worker->written.id != 0)
    g_ptr_array_add (workers->removed, g_memdup2 (&worker->written.id, sizeof (gint64)));
}

void
fl_workers_forget (FlWorkers *workers, const char *name)
{
  const Worker *worker = g_hash_table_lookup (workers->all, name);
  if (worker == NULL)
    return;
  forget_row (workers, worker);
  g_hash_table_remove (workers->all, name);
}

void
fl_workers_sweep (FlWorkers *workers, const char *prefix)
{
  GHashTableIter iter;
  gpointer name, value;
  g_hash_table_iter_init (&iter, workers->all);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      Worker *worker = value;
      if (!g_str_has_prefix (name, prefix))
        continue;
      if (!worker->spoken)
        {
          forget_row (workers, worker);
          g_hash_table_iter_remove (&iter);
        }
      else
        worker->spoken = FALSE;
    }
}

GPtrArray *
fl_workers_restart (FlWorkers *workers, GError **error)
{
  g_autoptr (GPtrArray) rows = fl_store_list (workers->store, FL_TABLE_WORKER, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_array_set_size (workers->wishes, 0);
  for (guint i = 0; rows != NULL && i < rows->len; i++)
    {
      const FlWorker *row = rows->pdata[i];
      Worker *worker = g_hash_table_lookup (workers->all, row->name);
      if (!row->restart_wanted)
        continue;
      g_array_append_val (workers->wishes, row->id);
      if (worker != NULL)
        {
          worker->now.next_try = 0;
          worker->now.failures = 0;
        }
      g_ptr_array_add (names, g_strdup (row->name));
    }
  return rows != NULL ? g_steal_pointer (&names) : NULL;
}

gboolean
fl_workers_restarted (FlWorkers *workers, GError **error)
{
  for (guint i = 0; i < workers->wishes->len; i++)
    {
      g_autoptr (GError) failed = NULL;
      if (!fl_store_set_int (workers->store, FL_TABLE_WORKER, g_array_index (workers->wishes, gint64, i),
                             "restart_wanted", 0, &failed)
          && !g_error_matches (failed, FL_ERROR, FL_ERROR_MISSING))
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
is_news (const Worker *worker, guint64 now)
{
  const FlWorker *a = &worker->now, *b = &worker->written;
  return b->id == 0 || a->site != b->site || g_strcmp0 (a->state, b->state) != 0
         || g_strcmp0 (a->message, b->message) != 0 || a->failures != b->failures
         || a->next_try != b->next_try || a->last_failure != b->last_failure
         || a->last_success > b->last_success + SUCCESS_EVERY
         || (a->round_trip != b->round_trip && now > worker->trip_written + TRIP_EVERY);
}

static gboolean
write_worker (FlWorkers *workers, Worker *worker, guint64 now, GError **error)
{
  FlWorker row = worker->now;
  row.id = worker->written.id;
  row.revision = 0;
  row.restart_wanted = FALSE;
  if (row.id != 0)
    {
      /* A wish that came meanwhile stays. */
      g_autoptr (GError) gone = NULL;
      FlWorker *there = fl_store_get (workers->store, FL_TABLE_WORKER, row.id, &gone);
      if (there != NULL)
        row.restart_wanted = there->restart_wanted;
      else if (g_error_matches (gone, FL_ERROR, FL_ERROR_MISSING))
        row.id = 0; /* somebody has removed it */
      else
        {
          g_propagate_error (error, g_steal_pointer (&gone));
          return FALSE;
        }
      fl_record_free (FL_TABLE_WORKER, there);
    }
  if (!fl_store_save (workers->store, FL_TABLE_WORKER, &row, error))
    return FALSE;
  worker_copy (&worker->written, &row);
  worker->trip_written = now;
  return TRUE;
}

static gboolean
write_all (FlWorkers *workers, guint64 now, GError **error)
{
  GHashTableIter iter;
  gpointer value;
  for (guint i = 0; i < workers->removed->len; i++)
    {
      g_autoptr (GError) gone = NULL;
      gint64 id = *(const gint64 *) workers->removed->pdata[i];
      if (!fl_store_remove (workers->store, FL_TABLE_WORKER, id, &gone)
          && !g_error_matches (gone, FL_ERROR, FL_ERROR_MISSING))
        {
          g_propagate_error (error, g_steal_pointer (&gone));
          return FALSE;
        }
    }
  g_hash_table_iter_init (&iter, workers->all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (is_news (value, now) && !write_worker (workers, value, now, error))
      return FALSE;
  return TRUE;
}

/* What the store holds, where we cannot know. */
static gboolean
read_again (FlWorkers *workers, GError **error)
{
  g_autoptr (GPtrArray) rows = fl_store_list (workers->store, FL_TABLE_WORKER, error);
  GHashTableIter iter;
  gpointer value;
  if (rows == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, workers->all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      FlWorker *written = &((Worker *) value)->written;
      worker_clear (written);
      *written = (FlWorker){ 0 };
    }
  for (guint i = 0; i < rows->len; i++)
    {
      const FlWorker *row = rows->pdata[i];
      Worker *worker = g_hash_table_lookup (workers->all, row->name);
      if (worker != NULL)
        worker_copy (&worker->written, row);
    }
  workers->unsure = FALSE;
  return TRUE;
}

gboolean
fl_workers_write (FlWorkers *workers, GError **error)
{
  guint64 now = fl_now_ns ();
  gboolean any = workers->removed->len > 0;
  if (workers->unsure && !read_again (workers, error))
    return FALSE;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, workers->all);
  while (!any && g_hash_table_iter_next (&iter, NULL, &value))
    any = is_news (value, now);
  if (!any)
    return TRUE;
  if (!fl_store_begin (workers->store, error))
    return FALSE;
  if (write_all (workers, now, error) && fl_store_commit (workers->store, error))
    {
      g_ptr_array_set_size (workers->removed, 0);
      return TRUE;
    }
  fl_store_rollback (workers->store);
  workers->unsure = TRUE;
  return FALSE;
}

void
fl_workers_stop (FlWorkers *workers)
{
  GHashTableIter iter;
  gpointer value;
  g_autoptr (GError) error = NULL;
  g_hash_table_iter_init (&iter, workers->all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Worker *worker = value;
      worker->now.next_try = 0;
      say (worker, "stopped", "");
    }
  /* Another conductor may have taken over: then they are its. */
  if (!fl_workers_write (workers, &error))
    g_debug ("workers: %s", error->message);
}
