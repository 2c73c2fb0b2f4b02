/* A graph of tasks: in order of who waits for whom, even where they wait in a circle. */
#include "tests/widgets/display.h"
#include "widgets/task-graph.h"

static void
note_chosen (FlwTaskGraph *graph G_GNUC_UNUSED, guint key, guint *chosen)
{
  *chosen = key;
}

static void
test_graph (void)
{
  const guint of_one[] = { 1 }, of_both[] = { 2, 3 }, circle[] = { 6 }, back[] = { 5 }, self[] = { 7, 99 };
  const FlwGraphNode nodes[] = {
    { 4, "last", "waits", FLW_SHAPE_RING, FLW_TONE_NEUTRAL, of_both, 2 },
    { 1, "first", "done", FLW_SHAPE_DISC, FLW_TONE_GOOD, NULL, 0 },
    { 2, "left", "done", FLW_SHAPE_DISC, FLW_TONE_GOOD, of_one, 1 },
    { 3, "right", "failed", FLW_SHAPE_CROSS, FLW_TONE_BAD, of_one, 1 },
  };
  FlwTaskGraph *graph = FLW_TASK_GRAPH (g_object_ref_sink (flw_task_graph_new ()));
  guint chosen = 0;
  g_signal_connect (graph, "chosen", G_CALLBACK (note_chosen), &chosen);
  flw_task_graph_set (graph, G_N_ELEMENTS (nodes), nodes);
  g_autofree char *summary = flw_task_graph_summary (graph);
  g_assert_cmpstr (summary, ==, "first: done → left: done, right: failed → last: waits");
  flw_task_graph_choose (graph, 3);
  g_assert_cmpuint (chosen, ==, 3);
  flw_task_graph_set (graph, 3, nodes); /* without it */
  g_assert_cmpuint (flw_task_graph_chosen (graph), ==, 0);
  g_assert_cmpuint (chosen, ==, 0);
  const FlwGraphNode round[] = { { 5, "a", "", FLW_SHAPE_RING, FLW_TONE_NEUTRAL, circle, 1 },
                                 { 6, "b", "", FLW_SHAPE_RING, FLW_TONE_NEUTRAL, back, 1 },
                                 { 7, "c", "", FLW_SHAPE_RING, FLW_TONE_NEUTRAL, self, 2 } };
  flw_task_graph_set (graph, G_N_ELEMENTS (round), round); /* ends */
  int width;
  gtk_widget_measure (GTK_WIDGET (graph), GTK_ORIENTATION_HORIZONTAL, -1, NULL, &width, NULL, NULL);
  g_assert_cmpint (width, >, 0);
  g_object_unref (graph);
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/task-graph", test_graph);
  return g_test_run ();
}
