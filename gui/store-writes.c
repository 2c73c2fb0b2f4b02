#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/store-writes.h"

#include "engine/base/error.h"
#include "engine/base/params.h"

FlgTagging *
flg_tagging_new (const char *name, GArray *runs, gboolean add)
{
  FlgTagging *tagging = g_new (FlgTagging, 1);
  *tagging = (FlgTagging){ g_strstrip (g_strdup (name)), runs, add };
  return tagging;
}

void
flg_tagging_free (FlgTagging *tagging)
{
  g_free (tagging->name);
  g_array_unref (tagging->runs);
  g_free (tagging);
}

static gint64
find_or_make_tag (FlStore *store, const char *name, gboolean make, GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlTag *found = fl_store_find (store, FL_TABLE_TAG, name, &failed);
  gint64 id = found ? found->id : 0;
  if (found)
    fl_record_free (FL_TABLE_TAG, found);
  if (failed)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (id == 0 && make)
    {
      FlTag tag = { .name = (char *) name };
      if (fl_store_save (store, FL_TABLE_TAG, &tag, error))
        id = tag.id;
    }
  else if (id == 0)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "there is no tag %s", name);
  return id;
}

static gint64
find_pair (GPtrArray *pairs, gint64 run, gint64 tag)
{
  for (guint i = 0; i < pairs->len; i++)
    {
      const FlRunTag *pair = pairs->pdata[i];
      if (pair->run == run && pair->tag == tag)
        return pair->id;
    }
  return 0;
}

gpointer
flg_tagging_write (FlStore *store, gpointer data, GError **error)
{
  FlgTagging *tagging = data;
  gint64 tag = find_or_make_tag (store, tagging->name, tagging->add, error);
  if (tag == 0)
    return NULL;
  g_autoptr (GPtrArray) pairs = fl_store_list (store, FL_TABLE_RUN_TAG, error);
  if (!pairs)
    return NULL;
  for (guint i = 0; i < tagging->runs->len; i++)
    {
      gint64 run = g_array_index (tagging->runs, gint64, i);
      gint64 pair = find_pair (pairs, run, tag);
      FlRunTag fresh = { .run = run, .tag = tag };
      if (tagging->add && pair == 0 && !fl_store_save (store, FL_TABLE_RUN_TAG, &fresh, error))
        return NULL;
      if (!tagging->add && pair != 0 && !fl_store_remove (store, FL_TABLE_RUN_TAG, pair, error))
        return NULL;
    }
  return GINT_TO_POINTER (TRUE);
}

FlgEdit *
flg_edit_new (FlTable table, gint64 id, const char *column, gint64 number)
{
  FlgEdit *edit = g_new (FlgEdit, 1);
  *edit = (FlgEdit){ table, id, column, number };
  return edit;
}

gpointer
flg_edit_write (FlStore *store, gpointer data, GError **error)
{
  FlgEdit *edit = data;
  return GINT_TO_POINTER (fl_store_set_int (store, edit->table, edit->id, edit->column, edit->number, error));
}

GVariant *
flg_goals_of (const FlDataset *dataset)
{
  return g_variant_new (FLG_GOALS, dataset->id, dataset->goal_d_min, dataset->goal_completeness,
                        dataset->goal_multiplicity, dataset->goal_cc_half, dataset->goal_cc_ano);
}

void
flg_goals_set (FlDataset *dataset, GVariant *goals)
{
  gint64 id;
  g_variant_get (goals, FLG_GOALS, &id, &dataset->goal_d_min, &dataset->goal_completeness,
                 &dataset->goal_multiplicity, &dataset->goal_cc_half, &dataset->goal_cc_ano);
}

gpointer
flg_goals_write (FlStore *store, gpointer data, GError **error)
{
  gint64 id;
  g_variant_get_child (data, 0, "x", &id);
  FlDataset *dataset = fl_store_get (store, FL_TABLE_DATASET, id, error);
  if (!dataset)
    return NULL;
  flg_goals_set (dataset, data);
  gboolean good = fl_store_save (store, FL_TABLE_DATASET, dataset, error);
  fl_record_free (FL_TABLE_DATASET, dataset);
  return GINT_TO_POINTER (good);
}

void
flg_new_trial_free (FlgNewTrial *fresh)
{
  g_free (fresh->name);
  g_free (fresh->params);
  g_free (fresh);
}

gpointer
flg_new_trial_write (FlStore *store, gpointer data, GError **error)
{
  FlgNewTrial *fresh = data;
  g_autoptr (GPtrArray) trials = fl_store_list (store, FL_TABLE_TRIAL, error);
  if (!trials)
    return NULL;
  FlTrial trial = { .name = fresh->name,
                    .params = fresh->params,
                    .active = TRUE,
                    .params_version = (char *) fl_param_table_version (),
                    .engine_build = (char *) FL_VERSION,
                    .created = (guint64) g_get_real_time () * 1000 };
  for (guint i = 0; i < trials->len; i++)
    trial.number = MAX (trial.number, ((FlTrial *) trials->pdata[i])->number);
  trial.number++;
  return GINT_TO_POINTER (fl_store_save (store, FL_TABLE_TRIAL, &trial, error));
}
