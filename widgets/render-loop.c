#include "widgets/render-loop.h"

#define LEAST_PAUSE 100000 /* µs between pictures of growing data */

typedef struct
{
  FlwRenderLoop *loop; /* inside the widget, which work_done() holds */
  gpointer job;
  gint64 cost;
} Work;

static void start (FlwRenderLoop *loop);

static void
work_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Work *work = task_data;
  gint64 began = g_get_monotonic_time ();

  (void) source;
  (void) cancellable;
  work->loop->funcs->work (work->job);
  work->cost = g_get_monotonic_time () - began;
  g_task_return_boolean (task, TRUE);
}

static void
work_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GtkWidget) widget = user_data;
  Work *work = g_task_get_task_data (G_TASK (result));
  FlwRenderLoop *loop = work->loop;

  (void) source;
  loop->busy = FALSE;
  loop->ended = g_get_monotonic_time ();
  loop->cost = work->cost;
  if (!loop->stopped)
    loop->funcs->finish (loop->widget, work->job);
  loop->funcs->drop (work->job);
  if (!loop->stopped && loop->wanted)
    flw_render_loop_want (loop, loop->urgent);
}

static gboolean
on_timer (gpointer data)
{
  FlwRenderLoop *loop = data;
  loop->timer = 0;
  start (loop);
  return G_SOURCE_REMOVE;
}

static void
start (FlwRenderLoop *loop)
{
  gpointer job;
  Work *work;
  GTask *task;

  g_clear_handle_id (&loop->timer, g_source_remove);
  loop->wanted = loop->urgent = FALSE;
  job = loop->funcs->prepare (loop->widget);
  if (job == NULL)
    return;
  work = g_new0 (Work, 1);
  work->loop = loop;
  work->job = job;
  loop->busy = TRUE;
  /* The widget is not the task's source: the worker drops the task last, maybe after the main loop has let the
   * widget go, and would then finalize it. */
  task = g_task_new (NULL, NULL, work_done, g_object_ref (loop->widget));
  g_task_set_task_data (task, work, g_free);
  g_task_run_in_thread (task, work_thread);
  g_object_unref (task);
}

void
flw_render_loop_init (FlwRenderLoop *loop, GtkWidget *widget, const FlwRenderFuncs *funcs)
{
  loop->widget = widget;
  loop->funcs = funcs;
}

void
flw_render_loop_want (FlwRenderLoop *loop, gboolean urgent)
{
  loop->wanted = TRUE;
  loop->urgent |= urgent;
  if (loop->stopped || loop->busy || !gtk_widget_get_mapped (loop->widget))
    return; /* taken up when the work ends, or on map */
  if (loop->urgent)
    start (loop);
  else if (loop->timer == 0)
    {
      gint64 due = loop->ended + MAX (LEAST_PAUSE, 4 * loop->cost) - g_get_monotonic_time ();
      loop->timer = g_timeout_add ((guint) (CLAMP (due, 0, 5000000) / 1000), on_timer, loop);
    }
}

void
flw_render_loop_stop (FlwRenderLoop *loop)
{
  loop->stopped = TRUE;
  g_clear_handle_id (&loop->timer, g_source_remove);
}

gboolean
flw_render_loop_settled (const FlwRenderLoop *loop)
{
  return !loop->busy && !loop->wanted;
}
