#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/goal-watch.h"

/* s: between two looks when only shots have come; and when nothing has (a rate falls). */
#define SHOTS_S   5
#define NOTHING_S 60

/* In the store's thread, one call at a time. */
typedef struct
{
  FlOutlooks *outlooks;
  guint64 now;
} Reader;

struct _FlgGoalWatch
{
  GObject parent_instance;
  FlgExperiment *experiment; /* which owns this */
  Reader *reader;
  GPtrArray *outlooks; /* FlOutlook, by the dataset's id */
  GCancellable *cancellable;
  gboolean asking, again;
  guint later; /* source */
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgGoalWatch, flg_goal_watch, G_TYPE_OBJECT)

static void
reader_clear (gpointer data)
{
  fl_outlooks_free (((Reader *) data)->outlooks);
}

static void
reader_unref (gpointer reader)
{
  g_atomic_rc_box_release_full (reader, reader_clear);
}

static gpointer
read_outlooks (FlStore *store, gpointer data, GError **error)
{
  Reader *reader = data;
  if (!fl_outlooks_update (reader->outlooks, store, reader->now, NULL, error))
    return NULL;
  GPtrArray *list = fl_outlooks_list (reader->outlooks);
  g_ptr_array_set_free_func (list, (GDestroyNotify) fl_outlook_unref);
  for (guint i = 0; i < list->len; i++)
    fl_outlook_ref (list->pdata[i]);
  return list;
}

/* --- asking --- */

static void ask (FlgGoalWatch *self);

static gboolean
on_later (gpointer data)
{
  FlgGoalWatch *self = data;
  self->later = 0;
  ask (self);
  return G_SOURCE_REMOVE;
}

static void
ask_later (FlgGoalWatch *self, guint seconds)
{
  g_clear_handle_id (&self->later, g_source_remove);
  self->later = g_timeout_add_seconds (seconds, on_later, self);
}

static gboolean
are_same (const GPtrArray *a, const GPtrArray *b)
{
  gboolean same = a->len == b->len;
  for (guint i = 0; same && i < a->len; i++)
    same = a->pdata[i] == b->pdata[i];
  return same;
}

static void
on_outlooks (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgGoalWatch) self = data;
  g_autoptr (GError) error = NULL;
  GPtrArray *outlooks = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->asking = FALSE;
  ask_later (self, NOTHING_S);
  if (error)
    g_debug ("goals: %s", error->message); /* the store's own trouble is said elsewhere */
  if (self->again)
    ask (self);
  if (!outlooks)
    return;
  gboolean same = are_same (outlooks, self->outlooks);
  g_ptr_array_unref (self->outlooks);
  self->outlooks = outlooks;
  if (!same)
    g_signal_emit (self, signals[CHANGED], 0);
}

static void
ask (FlgGoalWatch *self)
{
  self->again = self->asking;
  if (self->asking || !flg_experiment_is_open (self->experiment))
    return;
  self->asking = TRUE;
  self->reader->now = flg_experiment_now (self->experiment);
  flg_store_thread_run_async (
      flg_experiment_store (self->experiment), read_outlooks, g_atomic_rc_box_acquire (self->reader),
      reader_unref, (GDestroyNotify) g_ptr_array_unref, self->cancellable, on_outlooks, g_object_ref (self));
}

static void
on_changed (FlgGoalWatch *self, guint what)
{
  const guint at_once = FLG_CHANGED (FL_TABLE_DATASET) | FLG_CHANGED (FL_TABLE_DATASET_VERSION)
                        | FLG_CHANGED (FL_TABLE_DATASET_TASK) | FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED_BACK;
  if (what & at_once)
    ask (self);
  else if (what & FLG_CHANGED_COUNTS)
    ask_later (self, SHOTS_S);
}

/* --- what is there --- */

FlOutlook *
flg_goal_watch_find (FlgGoalWatch *self, gint64 dataset)
{
  for (guint i = 0; i < self->outlooks->len; i++)
    if (((FlOutlook *) self->outlooks->pdata[i])->dataset == dataset)
      return self->outlooks->pdata[i];
  return NULL;
}

FlOutlook *
flg_goal_watch_foremost (FlgGoalWatch *self)
{
  FlOutlook *foremost = NULL;
  for (guint i = 0; i < self->outlooks->len; i++)
    {
      FlOutlook *outlook = self->outlooks->pdata[i];
      if (outlook->forecast.verdict != FL_VERDICT_NO_GOAL
          && (!foremost || outlook->merged >= foremost->merged))
        foremost = outlook;
    }
  return foremost;
}

gboolean
flg_goal_watch_is_settled (FlgGoalWatch *self)
{
  return !self->asking;
}

/* --- the type --- */

static void
flg_goal_watch_dispose (GObject *object)
{
  FlgGoalWatch *self = FLG_GOAL_WATCH (object);
  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->later, g_source_remove);
  G_OBJECT_CLASS (flg_goal_watch_parent_class)->dispose (object);
}

static void
flg_goal_watch_finalize (GObject *object)
{
  FlgGoalWatch *self = FLG_GOAL_WATCH (object);
  reader_unref (self->reader);
  g_ptr_array_unref (self->outlooks);
  g_object_unref (self->cancellable);
  G_OBJECT_CLASS (flg_goal_watch_parent_class)->finalize (object);
}

static void
flg_goal_watch_class_init (FlgGoalWatchClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_goal_watch_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_goal_watch_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
flg_goal_watch_init (FlgGoalWatch *self)
{
  self->reader = g_atomic_rc_box_new0 (Reader);
  self->reader->outlooks = fl_outlooks_new ();
  self->outlooks = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_outlook_unref);
  self->cancellable = g_cancellable_new ();
}

/* The experiment holds it, and it knows the experiment: run_dispose, because a question on its way holds it, too. */
static void
let_go (gpointer data)
{
  g_object_run_dispose (data);
  g_object_unref (data);
}

FlgGoalWatch *
flg_goal_watch_of (FlgExperiment *experiment)
{
  static const char key[] = "flg-goal-watch";
  FlgGoalWatch *self = g_object_get_data (G_OBJECT (experiment), key);
  if (self)
    return self;
  self = g_object_new (FLG_TYPE_GOAL_WATCH, NULL);
  self->experiment = experiment;
  g_object_set_data_full (G_OBJECT (experiment), key, self, let_go);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  if (flg_experiment_is_filled (experiment))
    ask (self);
  return self;
}
