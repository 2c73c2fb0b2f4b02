#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/generation-feed.h"

#include "engine/base/error.h"

#define AGAIN_MS 1500

/* Read in the store's thread by one request at a time; goes with the last of them. */
typedef struct
{
  FlGenerations *reader;
} Reader;

struct _FlgGenerationFeed
{
  GObject parent_instance;
  FlgExperiment *experiment;
  gint64 job;
  Reader *reader; /* atomic box */
  GPtrArray *list;
  GCancellable *cancellable;
  gboolean asking, again;
  char *problem;
  guint timer;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgGenerationFeed, flg_generation_feed, G_TYPE_OBJECT)

typedef struct
{
  gboolean changed;
  GPtrArray *list;
} Answer;

static void
answer_free (Answer *answer)
{
  g_ptr_array_unref (answer->list);
  g_free (answer);
}

static void
reader_clear (gpointer data)
{
  fl_generations_free (((Reader *) data)->reader);
}

static void
reader_unref (gpointer reader)
{
  g_atomic_rc_box_release_full (reader, reader_clear);
}

static gpointer
read_generations (FlStore *store, gpointer data, GError **error)
{
  Reader *reader = data;
  gboolean changed;
  if (!fl_generations_update (reader->reader, store, &changed, error))
    return NULL;
  Answer *answer = g_new (Answer, 1);
  *answer = (Answer){ changed, fl_generations_list (reader->reader) };
  return answer;
}

static void ask (FlgGenerationFeed *self);

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgGenerationFeed) self = data;
  g_autoptr (GError) error = NULL;
  Answer *answer = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  gboolean stopped = g_cancellable_is_cancelled (self->cancellable);
  self->asking = FALSE;
  g_clear_pointer (&self->problem, g_free);
  if (answer && answer->changed)
    {
      g_ptr_array_unref (self->list);
      self->list = g_ptr_array_ref (answer->list);
    }
  else if (!answer && !stopped && !g_error_matches (error, FL_ERROR, FL_ERROR_STOPPED))
    self->problem = g_strdup (error->message);
  if (!stopped)
    g_signal_emit (self, signals[CHANGED], 0);
  g_clear_pointer (&answer, answer_free);
  if (self->again)
    ask (self);
}

static void
ask (FlgGenerationFeed *self)
{
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->again = self->asking;
  if (self->asking)
    return;
  self->asking = TRUE;
  flg_store_thread_run_async (
      flg_experiment_store (self->experiment), read_generations, g_atomic_rc_box_acquire (self->reader),
      reader_unref, (GDestroyNotify) answer_free, self->cancellable, on_answer, g_object_ref (self));
}

static gboolean
on_timer (gpointer data)
{
  FlgGenerationFeed *self = data;
  const FlJob *job = flg_experiment_job (self->experiment, self->job);
  if (job && !fl_job_state_is_final (job->state))
    ask (self);
  return G_SOURCE_CONTINUE;
}

static void
on_changed (FlgGenerationFeed *self, guint what)
{
  if (what & (FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_ATTEMPT) | FLG_CHANGED_BACK))
    ask (self);
}

static void
flg_generation_feed_finalize (GObject *object)
{
  FlgGenerationFeed *self = FLG_GENERATION_FEED (object);
  g_clear_handle_id (&self->timer, g_source_remove);
  g_ptr_array_unref (self->list);
  reader_unref (self->reader);
  g_object_unref (self->cancellable);
  g_object_unref (self->experiment);
  g_free (self->problem);
  G_OBJECT_CLASS (flg_generation_feed_parent_class)->finalize (object);
}

static void
flg_generation_feed_class_init (FlgGenerationFeedClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_generation_feed_finalize;
  signals[CHANGED] = g_signal_new ("changed", FLG_TYPE_GENERATION_FEED, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
flg_generation_feed_init (FlgGenerationFeed *self)
{
  self->list = g_ptr_array_new ();
  self->cancellable = g_cancellable_new ();
  self->reader = g_atomic_rc_box_new0 (Reader);
}

FlgGenerationFeed *
flg_generation_feed_new (FlgExperiment *experiment, gint64 job)
{
  FlgGenerationFeed *self = g_object_new (FLG_TYPE_GENERATION_FEED, NULL);
  self->experiment = g_object_ref (experiment);
  self->job = job;
  self->reader->reader = fl_generations_new (job);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  self->timer = g_timeout_add (AGAIN_MS, on_timer, self);
  ask (self);
  return self;
}

void
flg_generation_feed_stop (FlgGenerationFeed *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->timer, g_source_remove);
}

gint64
flg_generation_feed_job (FlgGenerationFeed *self)
{
  return self->job;
}

GPtrArray *
flg_generation_feed_list (FlgGenerationFeed *self)
{
  return self->list;
}

gboolean
flg_generation_feed_is_idle (FlgGenerationFeed *self)
{
  return !self->asking;
}

const char *
flg_generation_feed_problem (FlgGenerationFeed *self)
{
  return self->problem;
}
