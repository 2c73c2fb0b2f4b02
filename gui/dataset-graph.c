#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-graph.h"

#include <glib/gi18n.h>

static void
set_state (FlwGraphNode *node, FlwShape shape, FlwTone tone)
{
  node->shape = shape;
  node->tone = tone;
}

/* What a person must look at comes first, then what moves. Its words; free with g_free. */
static char *
describe (const FlgStepCount *count, FlwGraphNode *node)
{
  guint there = count->n_open + count->n_done + count->n_failed, all = there + count->n_new;
  set_state (node, FLW_SHAPE_RING, FLW_TONE_NEUTRAL);
  if (count->global && !there)
    return g_strdup (_ ("next version"));
  if (!all)
    return g_strdup (_ ("no runs"));
  if (count->n_failed)
    {
      set_state (node, FLW_SHAPE_CROSS, FLW_TONE_BAD);
      return g_strdup_printf (_ ("%u/%u done, %u failed"), count->n_done, all, count->n_failed);
    }
  if (count->n_done == all)
    set_state (node, FLW_SHAPE_DISC, FLW_TONE_GOOD);
  else if (count->n_running)
    set_state (node, FLW_SHAPE_TRIANGLE, FLW_TONE_ACTIVE);
  else if (count->n_open)
    set_state (node, FLW_SHAPE_HALF, FLW_TONE_ACTIVE);
  if (!there)
    return g_strdup_printf (ngettext ("%u new job", "%u new jobs", all), all);
  if (count->n_new)
    return g_strdup_printf (_ ("%u/%u done, %u new"), count->n_done, all, count->n_new);
  return g_strdup_printf (_ ("%u of %u done"), count->n_done, all);
}

void
flg_dataset_graph_fill (FlwTaskGraph *graph, const FlgDatasetDraft *draft, const FlgDatasetPreview *preview)
{
  guint n = draft->steps->len;
  g_autofree FlwGraphNode *nodes = g_new0 (FlwGraphNode, n + 1);
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < n; i++)
    {
      const FlgDatasetStep *step = draft->steps->pdata[i];
      nodes[i] = (FlwGraphNode){ .key = step->key,
                                 .title = step->task->name,
                                 .shape = FLW_SHAPE_DASH,
                                 .after = (const guint *) (gpointer) step->after->data,
                                 .n_after = step->after->len };
      char *text = i < preview->steps->len
                       ? describe (&g_array_index (preview->steps, FlgStepCount, i), &nodes[i])
                       : g_strdup (step->task->type);
      g_ptr_array_add (words, text);
      nodes[i].detail = text;
    }
  flw_task_graph_set (graph, n, nodes);
}

static void
add_item (GMenu *section, const char *label, const char *what)
{
  GMenuItem *item = g_menu_item_new (NULL, NULL);
  /* '_' would be a mnemonic. */
  g_auto (GStrv) parts = g_strsplit (label, "_", -1);
  g_autofree char *plain = g_strjoinv ("__", parts);
  g_menu_item_set_label (item, plain);
  g_menu_item_set_action_and_target (item, "graph.add", "s", what);
  g_menu_append_item (section, item);
  g_object_unref (item);
}

void
flg_dataset_graph_fill_menu (GtkMenuButton *button, FlgExperiment *experiment)
{
  static const char *const types[][2] = { { "all", N_ ("New: spots, indexing, integration") },
                                          { "index", N_ ("New: spots and indexing") },
                                          { "spots", N_ ("New: spots only") },
                                          { "hits", N_ ("New: patterns of single particles") },
                                          { "merge", N_ ("New: intensities of each version") },
                                          { "map", N_ ("New: density maps of each version") },
                                          { "reconstruct",
                                            N_ ("New: densities of single particles, of each version") },
                                          { "geometry", N_ ("New: the detector refined with each version") },
                                          { "export", N_ ("New: one stream of each version") } };
  g_autoptr (GMenu) menu = g_menu_new (), fresh = g_menu_new (), known = g_menu_new ();
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    add_item (fresh, _ (types[i][1]), types[i][0]);
  FlgRecordModel *tasks = flg_experiment_table (experiment, FL_TABLE_TASK);
  for (guint i = 0; i < flg_record_model_count (tasks); i++)
    {
      const FlTask *task = flg_record_task (flg_record_model_at (tasks, i));
      g_autofree char *label = g_strdup_printf ("%s (%s)", task->name, task->type);
      add_item (known, label, task->name);
    }
  g_menu_append_section (menu, NULL, G_MENU_MODEL (fresh));
  g_menu_append_section (menu, _ ("There already, shared"), G_MENU_MODEL (known));
  gtk_menu_button_set_menu_model (button, G_MENU_MODEL (menu));
}
