#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/inflight-marks.h"

/* What is known of one attempt. */
typedef struct
{
  FlgInflightMarks *owner;
  gint64 job, attempt;
  gboolean ended, asking, answered_ended;
  FlViewInflight *table; /* NULL: none seen */
} Watched;

struct FlgInflightMarks
{
  FlgContext *context;
  FlgMarksFunc func;
  gpointer data;
  GArray *jobs;
  GPtrArray *watched; /* Watched */
  GArray *refs;       /* FlgShotRef, by mark id */
  GCancellable *cancellable;
};

static void
watched_free (Watched *w)
{
  g_clear_pointer (&w->table, fl_view_inflight_unref);
  g_free (w);
}

FlgInflightMarks *
flg_inflight_marks_new (FlgContext *context, FlgMarksFunc func, gpointer data)
{
  FlgInflightMarks *self = g_new0 (FlgInflightMarks, 1);
  self->context = g_object_ref (context);
  self->func = func;
  self->data = data;
  self->jobs = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->watched = g_ptr_array_new_with_free_func ((GDestroyNotify) watched_free);
  self->refs = g_array_new (FALSE, FALSE, sizeof (FlgShotRef));
  self->cancellable = g_cancellable_new ();
  return self;
}

void
flg_inflight_marks_free (FlgInflightMarks *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  g_ptr_array_unref (self->watched);
  g_array_unref (self->refs);
  g_array_unref (self->jobs);
  g_object_unref (self->context);
  g_free (self);
}

static FlwWeatherMarkKind
kind_of (const Watched *w, const FlInflightEntry *entry, guint64 now)
{
  if (w->ended || entry->crashed)
    return FLW_MARK_UNFINISHED;
  return now > entry->since && now - entry->since > FLG_STALLED_AFTER_S * G_GUINT64_CONSTANT (1000000000)
             ? FLW_MARK_STALLED
             : FLW_MARK_IN_FLIGHT;
}

static void
publish (FlgInflightMarks *self)
{
  guint64 now = flg_experiment_now (flg_context_experiment (self->context));
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (FlwWeatherMark));
  g_array_set_size (self->refs, 0);
  for (guint i = 0; i < self->watched->len; i++)
    {
      const Watched *w = self->watched->pdata[i];
      for (guint k = 0; w->table && k < w->table->n_entries; k++)
        {
          const FlInflightEntry *entry = &w->table->entries[k];
          FlwWeatherMark mark = { .id = self->refs->len,
                                  .since = (gint64) entry->since,
                                  .row = entry->rank,
                                  .stage = (guint8) entry->stage,
                                  .kind = (guint8) kind_of (w, entry, now) };
          FlgShotRef ref = { w->job, w->attempt, entry->shot, entry->source, entry->frame };
          g_array_append_val (marks, mark);
          g_array_append_val (self->refs, ref);
        }
    }
  self->func (marks->len, (const FlwWeatherMark *) marks->data, self->data);
}

static void
on_table (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  FlViewInflight *table = fl_view_client_inflight_finish (FL_VIEW_CLIENT (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  Watched *w = data;
  w->asking = FALSE;
  w->answered_ended = w->ended;
  g_clear_pointer (&w->table, fl_view_inflight_unref);
  w->table = table; /* an attempt without a table has nothing in flight */
  publish (w->owner);
}

/* A job's newest attempt tells what is in hand; that of an earlier one has been done again or set aside. */
static void
update_watched (FlgInflightMarks *self)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  for (guint i = 0; i < self->jobs->len; i++)
    {
      gint64 job = g_array_index (self->jobs, gint64, i);
      g_autoptr (GPtrArray) attempts = flg_experiment_attempts (experiment, job);
      if (attempts->len == 0)
        continue;
      const FlAttempt *newest = flg_record_attempt (attempts->pdata[attempts->len - 1]);
      Watched *w = NULL;
      for (guint k = 0; k < self->watched->len && !w; k++)
        if (((Watched *) self->watched->pdata[k])->job == job)
          w = self->watched->pdata[k];
      if (!w)
        {
          w = g_new0 (Watched, 1);
          w->owner = self;
          w->job = job;
          g_ptr_array_add (self->watched, w);
        }
      if (w->attempt != newest->id)
        {
          w->attempt = newest->id;
          w->answered_ended = FALSE;
          g_clear_pointer (&w->table, fl_view_inflight_unref);
        }
      w->ended = fl_job_state_is_final (newest->state);
    }
}

void
flg_inflight_marks_refresh (FlgInflightMarks *self)
{
  FlViewClient *view = flg_context_view (self->context);
  FlgExperiment *experiment = flg_context_experiment (self->context);
  if (!view)
    return;
  update_watched (self);
  for (guint i = 0; i < self->watched->len; i++)
    {
      Watched *w = self->watched->pdata[i];
      FlgRecord *record =
          flg_record_model_find (flg_experiment_table (experiment, FL_TABLE_ATTEMPT), w->attempt);
      if (w->asking || w->answered_ended || !record)
        continue;
      g_autofree char *folder = flg_experiment_attempt_folder (experiment, flg_record_attempt (record));
      if (!folder)
        continue;
      w->asking = TRUE;
      fl_view_client_inflight_async (view, folder, self->cancellable, on_table, w);
    }
}

void
flg_inflight_marks_watch (FlgInflightMarks *self, GArray *jobs)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  g_ptr_array_set_size (self->watched, 0);
  g_array_set_size (self->jobs, 0);
  g_array_append_vals (self->jobs, jobs->data, jobs->len);
  publish (self);
  flg_inflight_marks_refresh (self);
}

gboolean
flg_inflight_marks_get (FlgInflightMarks *self, guint64 id, FlgShotRef *ref)
{
  if (id >= self->refs->len)
    return FALSE;
  *ref = g_array_index (self->refs, FlgShotRef, id);
  return TRUE;
}
