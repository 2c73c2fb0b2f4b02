#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/log-tail.h"

#include <string.h>

#define BEAT_MS 1000
#define PORTION (256u << 10)

struct FlgLogTail
{
  FlwLogView *log;
  FlViewClient *view;
  char *path;
  gint64 offset; /* < 0: nothing read yet */
  gboolean growing, asking, said;
  GCancellable *cancellable;
  guint timer;
};

static void ask (FlgLogTail *tail);

/* The request outlives the tail: what it needs is found only when it was not cancelled. */
static void
on_range (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  FlViewLog *log = fl_view_client_log_finish (FL_VIEW_CLIENT (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  FlgLogTail *tail = data;
  tail->asking = FALSE;
  if (!log)
    {
      if (!tail->said)
        flw_log_view_append (tail->log, error->message, -1);
      tail->said = TRUE;
      return;
    }
  gsize length;
  const char *bytes = g_bytes_get_data (log->bytes, &length);
  if ((gint64) log->size < tail->offset)
    flw_log_view_clear (tail->log);
  if (tail->said)
    flw_log_view_clear (tail->log);
  tail->said = FALSE;
  flw_log_view_append (tail->log, bytes, (gssize) length);
  tail->offset = (gint64) (log->offset + length);
  gboolean more = length > 0 && (guint64) tail->offset < log->size;
  fl_view_log_unref (log);
  if (more)
    ask (tail);
}

static void
ask (FlgLogTail *tail)
{
  if (tail->asking || !tail->path || !tail->view)
    return;
  tail->asking = TRUE;
  FlViewLogRequest request = { tail->path, tail->offset < 0 ? -(gint64) PORTION : tail->offset, PORTION };
  fl_view_client_log_async (tail->view, &request, tail->cancellable, on_range, tail);
}

static gboolean
on_beat (gpointer data)
{
  FlgLogTail *tail = data;
  if ((tail->growing || tail->said) && gtk_widget_get_mapped (GTK_WIDGET (tail->log)))
    ask (tail);
  return G_SOURCE_CONTINUE;
}

static void
forget (FlgLogTail *tail)
{
  g_cancellable_cancel (tail->cancellable);
  g_clear_object (&tail->cancellable);
  g_clear_pointer (&tail->path, g_free);
  tail->asking = FALSE;
}

FlgLogTail *
flg_log_tail_new (FlwLogView *log, FlViewClient *view)
{
  FlgLogTail *tail = g_new0 (FlgLogTail, 1);
  tail->log = log;
  tail->view = view ? g_object_ref (view) : NULL;
  tail->timer = g_timeout_add (BEAT_MS, on_beat, tail);
  return tail;
}

void
flg_log_tail_free (FlgLogTail *tail)
{
  forget (tail);
  g_source_remove (tail->timer);
  g_clear_object (&tail->view);
  g_free (tail);
}

void
flg_log_tail_follow (FlgLogTail *tail, const char *path, gboolean growing)
{
  gboolean ended = tail->growing && !growing;
  tail->growing = growing;
  if (g_strcmp0 (tail->path, path) == 0)
    {
      if (ended)
        ask (tail);
      return;
    }
  forget (tail);
  tail->path = g_strdup (path);
  tail->cancellable = g_cancellable_new ();
  tail->offset = -1;
  tail->said = FALSE;
  flw_log_view_clear (tail->log);
  ask (tail);
}

gboolean
flg_log_tail_is_settled (FlgLogTail *tail)
{
  return !tail->asking;
}
