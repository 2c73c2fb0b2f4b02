/* task-graph.h: steps of a pipeline as boxes from left to right, each to the right of those that come before it, with a
 * shape and a colour for its state. One of them is chosen: by click, by the arrow keys, or by the owner.
 *
 * Signal "chosen" (guint key). Property "summary": "stills: 37 of 37 done → export: waits", also the accessible description.
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/status-chip.h"

G_BEGIN_DECLS

typedef struct
{
  guint key; /* > 0 */
  const char *title, *detail;
  FlwShape shape;
  FlwTone tone;
  const guint *after; /* keys */
  guint n_after;
} FlwGraphNode;

#define FLW_TYPE_TASK_GRAPH (flw_task_graph_get_type ())
G_DECLARE_FINAL_TYPE (FlwTaskGraph, flw_task_graph, FLW, TASK_GRAPH, GtkWidget)

GtkWidget *flw_task_graph_new (void);
/* Copies. What was chosen stays so if it is still there. */
void flw_task_graph_set (FlwTaskGraph *graph, guint n, const FlwGraphNode *nodes);
void flw_task_graph_choose (FlwTaskGraph *graph, guint key); /* 0: none */
guint flw_task_graph_chosen (FlwTaskGraph *graph);
char *flw_task_graph_summary (FlwTaskGraph *graph); /* free with g_free */

G_END_DECLS
