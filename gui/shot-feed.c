#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/shot-feed.h"

#include "engine/base/error.h"

/* Shots of one portion: some ms of the main loop at most. */
#define PORTION 100000

struct _FlgShotFeed
{
  GObject parent_instance;
  FlgExperiment *experiment;
  gint64 job, cursor, particle_cursor; /* particle_cursor −1: particles are not asked for */
  FlShotColumns columns;
  GCancellable *cancellable;
  gboolean asking, again;
  gint64 shots; /* of the counts when we last asked */
  guint64 last;
};

enum
{
  BLOCKS,
  PARTICLES,
  CAUGHT_UP,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgShotFeed, flg_shot_feed, G_TYPE_OBJECT)

typedef struct
{
  gint64 job, cursor, particle_cursor;
  FlShotColumns columns;
} Ask;

typedef struct
{
  GPtrArray *blocks, *particles; /* particles NULL: not asked for */
  gint64 cursor, particle_cursor;
} Answer;

static void
answer_free (Answer *answer)
{
  g_ptr_array_unref (answer->blocks);
  g_clear_pointer (&answer->particles, g_ptr_array_unref);
  g_free (answer);
}

static gpointer
read_shots (FlStore *store, gpointer data, GError **error)
{
  Ask *ask = data;
  GPtrArray *blocks = fl_store_shots (store, ask->job, ask->columns, PORTION, &ask->cursor, error);
  GPtrArray *particles = NULL;
  if (!blocks)
    return NULL;
  /* After the shots: what has been said of them is there by now. */
  if (ask->particle_cursor >= 0
      && !(particles = fl_store_particles (store, ask->job, 0, &ask->particle_cursor, error)))
    {
      g_ptr_array_unref (blocks);
      return NULL;
    }
  Answer *answer = g_new (Answer, 1);
  *answer = (Answer){ blocks, particles, ask->cursor, ask->particle_cursor };
  return answer;
}

static void ask (FlgShotFeed *self);

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgShotFeed) self = data;
  g_autoptr (GError) error = NULL;
  Answer *answer = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  self->asking = FALSE;
  if (!answer)
    {
      if (flg_store_thread_is_told (error))
        g_warning ("job %" G_GINT64_FORMAT ": %s", self->job, error->message);
      return;
    }
  self->cursor = answer->cursor;
  self->particle_cursor = answer->particle_cursor;
  gboolean more = answer->blocks->len > 0;
  if (answer->particles && answer->particles->len > 0 && !g_cancellable_is_cancelled (self->cancellable))
    g_signal_emit (self, signals[PARTICLES], 0, answer->particles);
  if (more && !g_cancellable_is_cancelled (self->cancellable))
    g_signal_emit (self, signals[BLOCKS], 0, answer->blocks);
  answer_free (answer);
  if (more || self->again)
    ask (self);
  else if (!g_cancellable_is_cancelled (self->cancellable))
    g_signal_emit (self, signals[CAUGHT_UP], 0);
}

static void
ask (FlgShotFeed *self)
{
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->again = self->asking;
  if (self->asking)
    return;
  self->asking = TRUE;
  Ask fields = { self->job, self->cursor, self->particle_cursor, self->columns };
  flg_store_thread_run_async (flg_experiment_store (self->experiment), read_shots,
                              g_memdup2 (&fields, sizeof fields), g_free, (GDestroyNotify) answer_free,
                              self->cancellable, on_answer, g_object_ref (self));
}

static void
on_changed (FlgShotFeed *self, guint what)
{
  const FlJobStats *stats = flg_experiment_job_stats (self->experiment, self->job);
  gboolean more = stats && (stats->shots != self->shots || stats->last != self->last);
  if (more)
    {
      self->shots = stats->shots;
      self->last = stats->last;
    }
  if (more || (what & FLG_CHANGED_BACK))
    ask (self);
}

static void
flg_shot_feed_finalize (GObject *object)
{
  FlgShotFeed *self = FLG_SHOT_FEED (object);
  g_object_unref (self->cancellable);
  g_object_unref (self->experiment);
  G_OBJECT_CLASS (flg_shot_feed_parent_class)->finalize (object);
}

static void
flg_shot_feed_class_init (FlgShotFeedClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->finalize = flg_shot_feed_finalize;
  signals[BLOCKS] = g_signal_new ("blocks", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[PARTICLES] = g_signal_new ("particles", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                     NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[CAUGHT_UP] = g_signal_new ("caught-up", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                     NULL, G_TYPE_NONE, 0);
}

static void
flg_shot_feed_init (FlgShotFeed *self)
{
  self->cancellable = g_cancellable_new ();
}

static FlgShotFeed *
feed_new (FlgExperiment *experiment, gint64 job, FlShotColumns columns, gboolean particles)
{
  FlgShotFeed *self = g_object_new (FLG_TYPE_SHOT_FEED, NULL);
  self->experiment = g_object_ref (experiment);
  self->job = job;
  self->columns = columns;
  self->particle_cursor = particles ? 0 : -1;
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  ask (self);
  return self;
}

FlgShotFeed *
flg_shot_feed_new (FlgExperiment *experiment, gint64 job, FlShotColumns columns)
{
  return feed_new (experiment, job, columns, FALSE);
}

FlgShotFeed *
flg_shot_feed_new_with_particles (FlgExperiment *experiment, gint64 job, FlShotColumns columns)
{
  return feed_new (experiment, job, columns, TRUE);
}

void
flg_shot_feed_stop (FlgShotFeed *self)
{
  g_cancellable_cancel (self->cancellable);
}

gboolean
flg_shot_feed_is_idle (FlgShotFeed *self)
{
  return !self->asking;
}
