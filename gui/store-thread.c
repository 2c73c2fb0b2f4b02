#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/store-thread.h"

#include "engine/base/error.h"
#include "gui/recent-shots.h"

#include <string.h>

/* The overview's lag grows without a change in the store: counted afresh at least this often, µs. */
#define RECOUNT (2 * G_USEC_PER_SEC)
/* What is broken is judged so often while anything arrives; and at least so often (a lag grows by itself), µs. */
#define JUDGE_AFTER   (5 * G_USEC_PER_SEC)
#define JUDGE_AT_LAST (30 * G_USEC_PER_SEC)

/* "Still here" is said so often, and who else is here asked so often, µs. */
#define SAY_HERE (10 * G_USEC_PER_SEC)
#define MEET     (2 * G_USEC_PER_SEC)
/* While the database is lost it is asked again after 1, 2, 4 … s, at most: */
#define RETRY_AT_MOST 16

struct _FlgStoreThread
{
  GObject parent_instance;
  GThread *thread;
  GAsyncQueue *requests; /* of Request */
  char *where;
  FlStoreMode mode;
  guint poll_ms;
  int waiting;     /* news posted and not yet heard; atomic */
  gboolean closed; /* main loop's */
  char *session;

  /* The thread's own. */
  FlStore *store;
  FlStats *stats;
  FlgRecentShots *recent;
  FlFindings *findings;
  gboolean judging, unjudged; /* evidence is being read; there is something new */
  gint64 judged_at;
  GHashTable *jobs, *runs; /* id -> FlJobStats as last sent; a record without shots has an empty one */
  gboolean polled;
  guint pulse;
  gint64 revision, counted_at;
  char *page;
  gint64 said_at, met_at;
  guint lost;      /* polls in a row without an answer */
  gboolean missed; /* something could not be read since the last good poll */
};

typedef enum
{
  REQUEST_RUN,
  REQUEST_POLL,
  REQUEST_LOOK,
  REQUEST_QUIT
} RequestKind;

typedef struct
{
  RequestKind kind;
  GTask *task;
  FlgStoreFunc func;
  gpointer data;
  GDestroyNotify free_data, free_result;
} Request;

typedef struct
{
  FlgStoreThread *self;
  gboolean opened;
  gboolean read_only;
  FlgNews *news;
  GPtrArray *findings;
  GError *error;
} Post;

enum
{
  OPENED,
  NEWS,
  FINDINGS,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgStoreThread, flg_store_thread, G_TYPE_OBJECT)

static void
news_free (FlgNews *news)
{
  if (!news)
    return;
  g_clear_pointer (&news->changes, g_ptr_array_unref);
  g_clear_pointer (&news->jobs, g_array_unref);
  g_clear_pointer (&news->runs, g_array_unref);
  if (news->counted)
    fl_overview_clear (&news->overview);
  g_free (news->conductor);
  g_free (news->account);
  g_clear_pointer (&news->present, g_ptr_array_unref);
  g_clear_error (&news->error);
  g_free (news);
}

static void
request_free (Request *request)
{
  if (request->free_data && request->data)
    request->free_data (request->data);
  g_clear_object (&request->task);
  g_free (request);
}

static void
post_free (Post *post)
{
  news_free (post->news);
  g_clear_pointer (&post->findings, g_ptr_array_unref);
  g_clear_error (&post->error);
  g_object_unref (post->self);
  g_free (post);
}

static gboolean
deliver (gpointer data)
{
  Post *post = data;
  FlgStoreThread *self = post->self;
  if (post->news)
    g_atomic_int_add (&self->waiting, -1);
  if (self->closed)
    return G_SOURCE_REMOVE;
  if (post->opened)
    g_signal_emit (self, signals[OPENED], 0, post->error, post->read_only);
  else if (post->findings)
    g_signal_emit (self, signals[FINDINGS], 0, post->findings);
  else
    g_signal_emit (self, signals[NEWS], 0, post->news);
  return G_SOURCE_REMOVE;
}

static void
post (FlgStoreThread *self, Post fields)
{
  Post *p = g_memdup2 (&fields, sizeof fields);
  p->self = g_object_ref (self);
  /* Not g_main_context_invoke(): while the window is busy outside its loop that would deliver here, in this thread. */
  GSource *source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, deliver, p, (GDestroyNotify) post_free);
  g_source_attach (source, NULL);
  g_source_unref (source);
}

/* Remembers which jobs and runs there are. */
static void
note_ids (FlgStoreThread *self, GPtrArray *changes)
{
  for (guint i = 0; i < changes->len; i++)
    {
      const FlChange *change = changes->pdata[i];
      GHashTable *known = change->table == FL_TABLE_JOB   ? self->jobs
                          : change->table == FL_TABLE_RUN ? self->runs
                                                          : NULL;
      if (!known)
        continue;
      if (change->removed)
        g_hash_table_remove (known, &change->id);
      else if (!g_hash_table_contains (known, &change->id))
        g_hash_table_insert (known, g_memdup2 (&change->id, sizeof change->id), g_new0 (FlJobStats, 1));
    }
}

/* Those of `known` whose counts differ from what was last sent. */
static GArray *
changed_stats (FlgStoreThread *self, GHashTable *known, gboolean of_runs)
{
  GArray *changed = g_array_new (FALSE, FALSE, sizeof (FlJobStats));
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, known);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      gint64 id = *(gint64 *) key;
      FlJobStats stats = { 0 };
      if (of_runs && fl_stats_run (self->stats, id, 0, &stats))
        stats.run = id;
      else if (!of_runs)
        {
          const FlJobStats *found = fl_stats_job (self->stats, id);
          if (found)
            stats = *found;
        }
      if (stats.n_bins == 0 && stats.shots == 0)
        continue;
      if (memcmp (&stats, value, sizeof stats) != 0)
        {
          memcpy (value, &stats, sizeof stats);
          g_array_append_val (changed, stats);
        }
    }
  return changed;
}

static gboolean
count (FlgStoreThread *self, FlgNews *news, GError **error)
{
  gboolean changed;
  if (!fl_stats_update (self->stats, self->store, &changed, error)
      || !flg_recent_shots_update (self->recent, self->store, error))
    return FALSE;
  news->jobs = changed_stats (self, self->jobs, FALSE);
  news->runs = changed_stats (self, self->runs, TRUE);
  fl_stats_overview (self->stats, (guint64) g_get_real_time () * 1000, &news->overview);
  news->counted = TRUE;
  if (news->overview.trial)
    flg_recent_shots_count (self->recent, self->stats, news->overview.trial, &news->recent_shots,
                            &news->recent_hits, &news->recent_indexed);
  return TRUE;
}

/* Who is here. That it could not be said is not worth a word: the poll itself says what is wrong. */
static gboolean
meet (FlgStoreThread *self, FlgNews *news, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  news->role = fl_store_role (self->store);
  news->account = g_strdup (fl_store_account (self->store));
  if (self->page && now - self->said_at > SAY_HERE)
    {
      g_autoptr (GError) unsaid = NULL;
      if (!fl_store_be_present (self->store, self->session, g_get_host_name (), "firstlight", self->page,
                                &unsaid))
        g_debug ("presence: %s", unsaid->message);
      self->said_at = now;
      self->met_at = now - 2 * MEET;
    }
  if (now - self->met_at < MEET)
    return TRUE;
  self->met_at = now;
  news->present = fl_store_present (self->store, error);
  return news->present != NULL;
}

static gint64
next_poll (const FlgStoreThread *self)
{
  gint64 pause = (gint64) self->poll_ms * 1000;
  if (self->lost)
    pause = MIN (1 << MIN (self->lost - 1, 10), RETRY_AT_MOST) * G_USEC_PER_SEC;
  return g_get_monotonic_time () + pause;
}

/* After a loss everything is looked at again. */
static void
note_health (FlgStoreThread *self, FlgNews *news, guint pulse)
{
  news->lost = g_error_matches (news->error, FL_ERROR, FL_ERROR_LOST);
  self->lost = news->lost ? self->lost + 1 : 0;
  news->retry = next_poll (self);
  self->polled = news->error == NULL;
  news->back = self->polled && self->missed;
  self->missed = !self->polled;
  if (!news->error)
    self->pulse = pulse;
  else
    self->said_at = self->met_at = -SAY_HERE;
}

/* Whatever happens, news goes out: a poll without news still says that the store answers. `forced`: the pulse does not
 * tell of what this handle itself has written. */
static void
poll_store (FlgStoreThread *self, gboolean forced)
{
  if (!self->store || g_atomic_int_get (&self->waiting) > 2)
    return;
  FlgNews *news = g_new0 (FlgNews, 1);
  guint pulse = fl_store_pulse (self->store);
  gboolean moved = forced || !self->polled || pulse != self->pulse;
  gint64 now = g_get_monotonic_time ();
  gboolean good = TRUE;
  self->unjudged |= moved;
  if (moved)
    {
      news->changes = fl_store_changes (self->store, self->revision, &self->revision, &news->error);
      good = news->changes != NULL;
      if (good)
        note_ids (self, news->changes);
    }
  if (good && (moved || now - self->counted_at > RECOUNT))
    {
      good = count (self, news, &news->error);
      self->counted_at = now;
    }
  if (good)
    good = meet (self, news, &news->error);
  if (good)
    news->conductor = fl_store_lease_holder (self->store, "conductor", &news->error);
  note_health (self, news, pulse);
  g_atomic_int_inc (&self->waiting);
  post (self, (Post){ .news = news });
}

/* A little of it: whoever asks for something meanwhile is served first. */
static void
judge (FlgStoreThread *self)
{
  g_autoptr (GError) error = NULL;
  gboolean good = fl_findings_update (self->findings, self->store, &self->judging, &error);
  if (good && self->judging)
    return;
  if (good)
    post (self, (Post){ .findings = fl_findings_list (self->findings, (guint64) g_get_real_time () * 1000) });
  else
    g_warning ("findings: %s", error->message);
  self->judging = self->unjudged = FALSE;
  self->judged_at = g_get_monotonic_time ();
}

static void
answer (FlgStoreThread *self, Request *request)
{
  if (g_task_return_error_if_cancelled (request->task))
    return;
  GError *error = NULL;
  gpointer result = NULL;
  if (self->store)
    result = request->func (self->store, request->data, &error);
  else
    g_set_error_literal (&error, FL_ERROR, FL_ERROR_MISSING, "the experiment is not open");
  /* What is wrong for good is not asked for over and over. */
  self->missed |=
      g_error_matches (error, FL_ERROR, FL_ERROR_LOST) || g_error_matches (error, FL_ERROR, FL_ERROR_BUSY);
  if (error)
    g_task_return_error (request->task, error);
  else
    g_task_return_pointer (request->task, result, request->free_result);
}

/* NULL: it is time to poll. While nobody asks for anything, what is broken is looked at. */
static Request *
next_request (FlgStoreThread *self, gint64 next)
{
  for (;;)
    {
      gint64 now = g_get_monotonic_time ();
      if (now >= next)
        return NULL;
      gint64 age = now - self->judged_at;
      if (self->store && self->polled && age > (self->unjudged ? JUDGE_AFTER : JUDGE_AT_LAST))
        self->judging = TRUE;
      if (!self->judging)
        return g_async_queue_timeout_pop (self->requests, (guint64) (next - now));
      Request *request = g_async_queue_try_pop (self->requests);
      if (request)
        return request;
      judge (self);
    }
}

static gpointer
run (gpointer data)
{
  FlgStoreThread *self = data;
  GError *error = NULL;
  self->store = fl_store_open (self->where, self->mode, &error);
  self->stats = fl_stats_new ();
  self->recent = flg_recent_shots_new (FLG_RECENT_SHOTS);
  self->findings = fl_findings_new (self->stats);
  self->judged_at = -JUDGE_AT_LAST;
  self->jobs = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->runs = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  gboolean read_only = self->store && fl_store_is_read_only (self->store);
  post (self, (Post){ .opened = TRUE, .read_only = read_only, .error = error });

  gint64 next = g_get_monotonic_time ();
  for (gboolean more = TRUE; more;)
    {
      Request *request = next_request (self, next);
      if (!request || request->kind == REQUEST_POLL)
        {
          poll_store (self, request != NULL);
          next = next_poll (self);
        }
      else if (request->kind == REQUEST_LOOK)
        {
          g_free (self->page);
          self->page = g_steal_pointer (&request->data);
          self->said_at = -SAY_HERE;
        }
      else if (request->kind == REQUEST_RUN)
        answer (self, request);
      else
        more = FALSE;
      g_clear_pointer (&request, request_free);
    }
  if (self->store && self->page && !self->lost)
    fl_store_go (self->store, self->session, NULL);
  g_hash_table_unref (self->runs);
  g_hash_table_unref (self->jobs);
  g_clear_pointer (&self->page, g_free);
  flg_recent_shots_free (self->recent);
  fl_findings_free (self->findings);
  fl_stats_free (self->stats);
  g_clear_pointer (&self->store, fl_store_close);
  return NULL;
}

static void
flg_store_thread_dispose (GObject *object)
{
  flg_store_thread_close (FLG_STORE_THREAD (object));
  G_OBJECT_CLASS (flg_store_thread_parent_class)->dispose (object);
}

static void
flg_store_thread_finalize (GObject *object)
{
  FlgStoreThread *self = FLG_STORE_THREAD (object);
  g_async_queue_unref (self->requests);
  g_free (self->where);
  g_free (self->session);
  G_OBJECT_CLASS (flg_store_thread_parent_class)->finalize (object);
}

static void
flg_store_thread_class_init (FlgStoreThreadClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = flg_store_thread_dispose;
  object_class->finalize = flg_store_thread_finalize;
  signals[OPENED] = g_signal_new ("opened", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_BOOLEAN);
  signals[NEWS] = g_signal_new ("news", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[FINDINGS] = g_signal_new ("findings", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                    NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
}

static void
flg_store_thread_init (FlgStoreThread *self)
{
  self->requests = g_async_queue_new_full ((GDestroyNotify) request_free);
  self->session = g_uuid_string_random ();
  self->said_at = self->met_at = -SAY_HERE;
}

FlgStoreThread *
flg_store_thread_new (const char *where, FlStoreMode mode, guint poll_ms)
{
  FlgStoreThread *self = g_object_new (FLG_TYPE_STORE_THREAD, NULL);
  self->where = g_strdup (where);
  self->mode = mode;
  self->poll_ms = poll_ms;
  self->thread = g_thread_new ("store", run, self);
  return self;
}

static void
ask (FlgStoreThread *self, Request fields)
{
  g_async_queue_push (self->requests, g_memdup2 (&fields, sizeof fields));
}

void
flg_store_thread_close (FlgStoreThread *self)
{
  self->closed = TRUE;
  if (!self->thread)
    return;
  ask (self, (Request){ REQUEST_QUIT });
  g_thread_join (g_steal_pointer (&self->thread));
}

const char *
flg_store_thread_session (FlgStoreThread *self)
{
  return self->session;
}

void
flg_store_thread_look_at (FlgStoreThread *self, const char *page)
{
  ask (self, (Request){ .kind = REQUEST_LOOK, .data = g_strdup (page), .free_data = g_free });
}

void
flg_store_thread_poll (FlgStoreThread *self)
{
  ask (self, (Request){ REQUEST_POLL });
}

void
flg_store_thread_run_async (FlgStoreThread *self, FlgStoreFunc func, gpointer data, GDestroyNotify free_data,
                            GDestroyNotify free_result, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, flg_store_thread_run_async);
  if (self->closed)
    {
      g_task_return_new_error (task, FL_ERROR, FL_ERROR_STOPPED, "the experiment is closed");
      g_object_unref (task);
      if (free_data)
        free_data (data);
      return;
    }
  ask (self, (Request){ REQUEST_RUN, task, func, data, free_data, free_result });
}

gboolean
flg_store_thread_is_told (const GError *error)
{
  return error && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
         && !g_error_matches (error, FL_ERROR, FL_ERROR_STOPPED)
         && !g_error_matches (error, FL_ERROR, FL_ERROR_LOST);
}

gpointer
flg_store_thread_run_finish (FlgStoreThread *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
