/* render-loop.h: pictures of one widget made by a worker thread, one at a time, at a bearable rate. Not for
 * pages.
 *
 * `prepare` takes a snapshot of what is to be drawn on the main thread, `work` makes it in a worker,
 * `finish` puts it in place on the main thread. Changes of view are made at once; new data wait so long
 * that the worker is busy at most a fifth of the time and the screen changes at most ten times a second.
 * Nothing is made while the widget is not mapped. Thread: main, except `work`. */
#pragma once

#include <gtk/gtk.h>

typedef struct
{
  gpointer (*prepare) (GtkWidget *widget); /* NULL: nothing to do */
  void (*work) (gpointer job);
  void (*finish) (GtkWidget *widget, gpointer job);
  void (*drop) (gpointer job); /* frees it; after finish too */
} FlwRenderFuncs;

typedef struct
{
  GtkWidget *widget;
  const FlwRenderFuncs *funcs;
  gboolean busy, wanted, urgent, stopped;
  guint timer;
  gint64 ended, cost; /* µs */
} FlwRenderLoop;

void flw_render_loop_init (FlwRenderLoop *loop, GtkWidget *widget, const FlwRenderFuncs *funcs);
/* `urgent`: the view changed; else: data came. */
void flw_render_loop_want (FlwRenderLoop *loop, gboolean urgent);
/* For dispose. */
void flw_render_loop_stop (FlwRenderLoop *loop);
/* Nothing is wanted and nothing is being made. */
gboolean flw_render_loop_settled (const FlwRenderLoop *loop);
