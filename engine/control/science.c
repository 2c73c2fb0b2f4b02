#include "engine/control/science.h"

#include "engine/base/units.h"

/* By a job or a dataset. */
static gboolean
is_used (FlStore *store, gint64 task, gboolean *used, GError **error)
{
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, error);
  g_autoptr (GPtrArray) steps = jobs != NULL ? fl_store_list (store, FL_TABLE_DATASET_TASK, error) : NULL;
  *used = FALSE;
  for (guint i = 0; steps != NULL && i < jobs->len; i++)
    *used |= ((const FlJob *) jobs->pdata[i])->task == task;
  for (guint i = 0; steps != NULL && i < steps->len; i++)
    *used |= ((const FlDatasetTask *) steps->pdata[i])->task == task;
  return steps != NULL;
}

/* Runs' shots are not looked at for crystals. */
static gboolean
put_stills_away (FlStore *store, GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlTask *task = fl_store_find (store, FL_TABLE_TASK, "stills", &failed);
  gboolean used = FALSE;
  gboolean ok = failed == NULL
                && (task == NULL
                    || (is_used (store, task->id, &used, error)
                        && (used ? fl_store_set_int (store, FL_TABLE_TASK, task->id, "active", 0, error)
                                 : fl_store_remove (store, FL_TABLE_TASK, task->id, error))));
  fl_record_free (FL_TABLE_TASK, task);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  return ok;
}

/* Its number, as it is there or made of `fresh`; 0 with error. */
static gint64
ensure (FlStore *store, FlTable table, const char *name, gpointer fresh, GError **error)
{
  g_autoptr (GError) failed = NULL;
  gint64 *there = fl_store_find (store, table, name, &failed); /* every record begins with its id */
  gint64 id = there != NULL ? *there : 0;
  fl_record_free (table, there);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (id == 0 && fl_store_save (store, table, fresh, error))
    id = *(gint64 *) fresh;
  return id;
}

static gboolean
has_steps (FlStore *store, gint64 dataset, gboolean *has, GError **error)
{
  g_autoptr (GPtrArray) steps = fl_store_list (store, FL_TABLE_DATASET_TASK, error);
  *has = FALSE;
  for (guint i = 0; steps != NULL && i < steps->len; i++)
    *has |= ((const FlDatasetTask *) steps->pdata[i])->dataset == dataset;
  return steps != NULL;
}

gboolean
fl_science_set_spi (FlStore *store, GError **error)
{
  FlTask hits = { .name = (char *) "hits", .type = (char *) "hits", .active = TRUE };
  FlTask reconstruct = { .name = (char *) "reconstruct", .type = (char *) "reconstruct" };
  FlDataset dataset = { .name = (char *) FL_SPI_DATASET,
                        .expression = (char *) "runs 1-",
                        .active = TRUE,
                        .min_interval = 300,
                        .min_lattices = FL_SPI_MIN_PATTERNS,
                        .created = fl_now_ns () };
  gint64 first, second, of;
  gboolean planned;
  if (!put_stills_away (store, error) || (first = ensure (store, FL_TABLE_TASK, hits.name, &hits, error)) == 0
      || (second = ensure (store, FL_TABLE_TASK, reconstruct.name, &reconstruct, error)) == 0
      || (of = ensure (store, FL_TABLE_DATASET, dataset.name, &dataset, error)) == 0
      || !has_steps (store, of, &planned, error))
    return FALSE;
  if (planned)
    return TRUE;
  g_autofree char *after = g_strdup_printf ("%" G_GINT64_FORMAT, first);
  FlDatasetTask steps[] = { { .dataset = of, .task = first, .number = 1, .after = (char *) "" },
                            { .dataset = of, .task = second, .number = 2, .after = after } };
  return fl_store_save (store, FL_TABLE_DATASET_TASK, &steps[0], error)
         && fl_store_save (store, FL_TABLE_DATASET_TASK, &steps[1], error);
}
