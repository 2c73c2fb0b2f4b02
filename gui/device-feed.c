#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/device-feed.h"

#include "engine/base/batch.h"

struct FlgDeviceFeed
{
  FlgExperiment *experiment;
  FlwDeviceTrack *track;
  GArray *cursors; /* Cursor */
  gboolean asking, again;
  GCancellable *cancellable; /* of these jobs */
  gint references;           /* its own, and the request's */
  gboolean freed;
};

/* How far a job has been read. */
typedef struct
{
  gint64 job, after;
} Cursor;

/* A request, and its answer. */
typedef struct
{
  GArray *cursors;
  GPtrArray *batches; /* FlBatch */
  GArray *ranks;      /* guint32, of each */
} Asked;

static void
asked_free (Asked *asked)
{
  g_array_unref (asked->cursors);
  g_ptr_array_unref (asked->batches);
  g_array_unref (asked->ranks);
  g_free (asked);
}

FlgDeviceFeed *
flg_device_feed_new (FlgExperiment *experiment, FlwDeviceTrack *track)
{
  FlgDeviceFeed *self = g_new0 (FlgDeviceFeed, 1);
  self->experiment = g_object_ref (experiment);
  self->track = g_object_ref (track);
  self->cursors = g_array_new (FALSE, FALSE, sizeof (Cursor));
  self->cancellable = g_cancellable_new ();
  self->references = 1;
  return self;
}

static void
release (FlgDeviceFeed *self)
{
  if (--self->references > 0)
    return;
  g_object_unref (self->cancellable);
  g_object_unref (self->experiment);
  g_object_unref (self->track);
  g_array_unref (self->cursors);
  g_free (self);
}

void
flg_device_feed_free (FlgDeviceFeed *self)
{
  self->freed = TRUE;
  g_cancellable_cancel (self->cancellable);
  release (self);
}

/* In the store's thread. */
static gpointer
read_devices (FlStore *store, gpointer data, GError **error)
{
  const Asked *question = data;
  Asked *answer = g_new (Asked, 1);
  *answer = (Asked){ g_array_copy (question->cursors),
                     g_ptr_array_new_with_free_func ((GDestroyNotify) fl_batch_free),
                     g_array_new (FALSE, FALSE, sizeof (guint32)) };
  for (guint i = 0; i < answer->cursors->len; i++)
    {
      Cursor *cursor = &g_array_index (answer->cursors, Cursor, i);
      g_autoptr (GPtrArray) slices =
          fl_store_slices (store, FL_KIND_DEVICE, cursor->job, cursor->after, 0, error);
      if (!slices)
        {
          asked_free (answer);
          return NULL;
        }
      for (guint k = 0; k < slices->len; k++)
        {
          const FlSlice *slice = slices->pdata[k];
          guint32 rank = (guint32) slice->writer;
          FlBatch *batch = fl_batch_decode (g_bytes_get_data (slice->packed, NULL),
                                            g_bytes_get_size (slice->packed), NULL);
          cursor->after = slice->row;
          if (!batch)
            continue;
          g_ptr_array_add (answer->batches, batch);
          g_array_append_val (answer->ranks, rank);
        }
    }
  return answer;
}

static void
show (FlgDeviceFeed *self, const FlBatch *batch, guint32 rank)
{
  guint n = fl_batch_rows (batch);
  g_autofree FlwDeviceUse *uses = g_new (FlwDeviceUse, n);
  for (guint i = 0; i < n; i++)
    {
      FlDeviceRow row;
      fl_batch_row (batch, i, &row);
      uses[i] = (FlwDeviceUse){ .start = (gint64) row.start,
                                .duration = 1e-6 * (double) row.duration,
                                .rank = rank,
                                .device = row.device,
                                .kernel = row.kernel,
                                .busy = 1e-6 * (double) row.busy,
                                .launches = row.launches,
                                .shots = row.shots,
                                .moved = row.uploaded + row.downloaded,
                                .used = row.used,
                                .total = row.total };
    }
  flw_device_track_append (self->track, n, uses);
}

static void
on_devices (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgDeviceFeed *self = data;
  g_autoptr (GError) error = NULL;
  Asked *answer = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  self->asking = FALSE;
  /* What other jobs were asked about is of no use any more; what cannot be read now, the next beat asks for again. */
  gboolean ours = answer && !self->freed && !self->again && !g_cancellable_is_cancelled (self->cancellable);
  for (guint i = 0; ours && i < answer->batches->len; i++)
    show (self, answer->batches->pdata[i], g_array_index (answer->ranks, guint32, i));
  if (ours)
    {
      g_array_unref (self->cursors);
      self->cursors = g_array_ref (answer->cursors);
    }
  g_clear_pointer (&answer, asked_free);
  if (self->again && !self->freed)
    flg_device_feed_refresh (self);
  release (self);
}

void
flg_device_feed_refresh (FlgDeviceFeed *self)
{
  if (self->asking || self->cursors->len == 0)
    return;
  Asked *question = g_new (Asked, 1);
  *question = (Asked){ g_array_copy (self->cursors), g_ptr_array_new (),
                       g_array_new (FALSE, FALSE, sizeof (guint32)) };
  self->asking = TRUE;
  self->again = FALSE;
  self->references++;
  flg_store_thread_run_async (flg_experiment_store (self->experiment), read_devices, question,
                              (GDestroyNotify) asked_free, (GDestroyNotify) asked_free, self->cancellable,
                              on_devices, self);
}

void
flg_device_feed_watch (FlgDeviceFeed *self, GArray *jobs)
{
  self->again = self->asking;
  flw_device_track_clear (self->track);
  g_array_unref (self->cursors);
  self->cursors = g_array_new (FALSE, FALSE, sizeof (Cursor));
  for (guint i = 0; i < jobs->len; i++)
    {
      Cursor cursor = { g_array_index (jobs, gint64, i), 0 };
      g_array_append_val (self->cursors, cursor);
    }
  flg_device_feed_refresh (self);
}

gboolean
flg_device_feed_is_idle (FlgDeviceFeed *self)
{
  return !self->asking;
}
