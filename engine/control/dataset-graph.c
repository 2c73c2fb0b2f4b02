/* The steps of a dataset, each after those that it waits for. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/control/dataset-graph.h"

static const FlTask *
find_task (GPtrArray *tasks, gint64 id)
{
  for (guint i = 0; i < tasks->len; i++)
    if (((const FlTask *) tasks->pdata[i])->id == id)
      return tasks->pdata[i];
  return NULL;
}

static int
by_number (gconstpointer a, gconstpointer b)
{
  const FlDatasetTask *x = ((const FlStep *) a)->step, *y = ((const FlStep *) b)->step;
  return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
                                : (x->id > y->id) - (x->id < y->id);
}

/* A map is of merged intensities, a reconstruction from patterns. */
static gboolean
check_source (const FlStep *node, const GArray *all, GError **error)
{
  const char *source = strcmp (node->task->type, "map") == 0 ? "merge"
                       : fl_task_takes_patterns (node->task) ? "hits"
                                                             : NULL;
  for (guint i = 0; source != NULL && i < all->len; i++)
    {
      const FlTask *before = g_array_index (all, FlStep, i).task;
      if (strcmp (before->type, source) == 0 && fl_step_waits_for (node->step, before->id))
        return TRUE;
    }
  if (source != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "task %s: waits for no task of type %s, expected one",
                 node->task->name, source);
  return source == NULL;
}

static gboolean
takes_what_is_found (const FlTask *task, const FlTask *before)
{
  return !fl_task_is_global (task) || fl_task_is_global (before)
         || fl_task_takes_patterns (task) == fl_task_finds_patterns (before);
}

/* Its predecessors are in the graph and fit. */
static gboolean
check_node (const FlStep *node, const GArray *all, GError **error)
{
  g_auto (GStrv) ids = g_strsplit (node->step->after, " ", -1);
  gboolean any = FALSE;
  for (char **id = ids; *id != NULL; id++)
    {
      const FlStep *before = NULL;
      for (guint i = 0; **id != '\0' && i < all->len; i++)
        if (g_array_index (all, FlStep, i).task->id == g_ascii_strtoll (*id, NULL, 10))
          before = &g_array_index (all, FlStep, i);
      any |= before != NULL;
      if (**id != '\0' && before == NULL)
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "task %s: waits for a task that is not in the graph",
                     node->task->name);
      else if (before != NULL && fl_task_is_global (before->task) && !fl_task_is_global (node->task))
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                     "task %s: is of one run and cannot wait for %s, which is of all", node->task->name,
                     before->task->name);
      else if (before != NULL && !takes_what_is_found (node->task, before->task))
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "task %s: takes %s, %s finds %s", node->task->name,
                     fl_task_takes_patterns (node->task) ? "patterns" : "lattices", before->task->name,
                     fl_task_finds_patterns (before->task) ? "patterns" : "lattices");
      else
        continue;
      return FALSE;
    }
  if (!any && fl_task_is_global (node->task))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "task %s: waits for no other task, expected the one whose %s it takes", node->task->name,
                 fl_task_takes_patterns (node->task) ? "patterns" : "lattices");
  return any ? check_source (node, all, error) : !fl_task_is_global (node->task);
}

static gboolean
is_placed (const GArray *placed, gint64 task)
{
  for (guint i = 0; i < placed->len; i++)
    if (g_array_index (placed, FlStep, i).task->id == task)
      return TRUE;
  return FALSE;
}

static gboolean
may_be_placed (const FlStep *node, const GArray *all, const GArray *placed)
{
  for (guint i = 0; i < all->len; i++)
    {
      gint64 task = g_array_index (all, FlStep, i).task->id;
      if (fl_step_waits_for (node->step, task) && !is_placed (placed, task))
        return FALSE;
    }
  return TRUE;
}

static gboolean
order_steps (GArray *nodes, const GArray *all, GError **error)
{
  while (nodes->len < all->len)
    {
      guint before = nodes->len;
      for (guint i = 0; i < all->len && nodes->len == before; i++)
        {
          const FlStep *node = &g_array_index (all, FlStep, i);
          if (!is_placed (nodes, node->task->id) && may_be_placed (node, all, nodes))
            g_array_append_val (nodes, *node);
        }
      if (nodes->len == before)
        {
          for (guint i = 0; i < all->len; i++)
            if (!is_placed (nodes, g_array_index (all, FlStep, i).task->id))
              {
                g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "task %s: waits for itself, by way of others",
                             g_array_index (all, FlStep, i).task->name);
                return FALSE;
              }
        }
    }
  return TRUE;
}

GArray *
fl_dataset_graph (GPtrArray *tasks, GPtrArray *steps, gint64 dataset, GError **error)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlStep));
  g_autoptr (GArray) ordered = g_array_new (FALSE, FALSE, sizeof (FlStep));
  for (guint i = 0; i < steps->len; i++)
    {
      const FlDatasetTask *step = steps->pdata[i];
      FlStep node = { step, find_task (tasks, step->task) };
      if (step->dataset != dataset)
        continue;
      if (node.task == NULL)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "step %d: its task is not there", step->number);
          return NULL;
        }
      g_array_append_val (all, node);
    }
  g_array_sort (all, by_number);
  for (guint i = 0; i < all->len; i++)
    if (!check_node (&g_array_index (all, FlStep, i), all, error))
      return NULL;
  return order_steps (ordered, all, error) ? g_steal_pointer (&ordered) : NULL;
}
