#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/finding-model.h"

#include <string.h>

struct _FlgFindingModel
{
  GObject parent_instance;
  FlgExperiment *experiment; /* not owned; only asked when it speaks */
  GPtrArray *findings;       /* as judged; NULL: not yet */
  GPtrArray *order;          /* the same, borrowed, as shown */
  guint n_open;
  GHashTable *acknowledged; /* key -> severity */
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE (FlgFindingModel, flg_finding_model, G_TYPE_OBJECT)

char *
flg_finding_key (const FlFinding *finding)
{
  return g_strdup_printf ("%s %s", fl_finding_name (finding->kind), finding->part);
}

static gpointer
find_mark (FlgFindingModel *self, const FlFinding *finding)
{
  g_autofree char *key = flg_finding_key (finding);
  return g_hash_table_lookup (self->acknowledged, key);
}

/* 0: open, 1: acknowledged, 2: over. */
static guint
shelf_of (FlgFindingModel *self, const FlFinding *finding)
{
  return finding->over ? 2 : flg_finding_model_is_acknowledged (self, finding) ? 1 : 0;
}

static void
put_in_order (FlgFindingModel *self)
{
  g_ptr_array_set_size (self->order, 0);
  for (guint shelf = 0; shelf < 3; shelf++)
    {
      for (guint i = 0; self->findings && i < self->findings->len; i++)
        if (shelf_of (self, self->findings->pdata[i]) == shelf)
          g_ptr_array_add (self->order, self->findings->pdata[i]);
      if (shelf == 0)
        self->n_open = self->order->len;
    }
  g_signal_emit (self, changed_signal, 0);
}

/* A fault that does not go on is forgotten: should it come back, it is news. */
static void
forget_marks (FlgFindingModel *self)
{
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < self->findings->len; i++)
    {
      const FlFinding *finding = self->findings->pdata[i];
      gpointer mark = find_mark (self, finding);
      if (mark && !finding->over)
        g_hash_table_insert (kept, flg_finding_key (finding), mark);
    }
  g_hash_table_unref (self->acknowledged);
  self->acknowledged = g_steal_pointer (&kept);
}

static void
on_changed (FlgFindingModel *self, guint what)
{
  if (!(what & FLG_CHANGED_FINDINGS))
    return;
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  self->findings = g_ptr_array_ref (flg_experiment_glance (self->experiment)->findings);
  forget_marks (self);
  put_in_order (self);
}

gboolean
flg_finding_model_has_looked (FlgFindingModel *self)
{
  return self->findings != NULL;
}

guint
flg_finding_model_n (FlgFindingModel *self)
{
  return self->order->len;
}

guint
flg_finding_model_n_open (FlgFindingModel *self)
{
  return self->n_open;
}

const FlFinding *
flg_finding_model_at (FlgFindingModel *self, guint i)
{
  g_return_val_if_fail (i < self->order->len, NULL);
  return self->order->pdata[i];
}

gboolean
flg_finding_model_is_acknowledged (FlgFindingModel *self, const FlFinding *finding)
{
  return GPOINTER_TO_INT (find_mark (self, finding)) >= finding->severity;
}

void
flg_finding_model_acknowledge (FlgFindingModel *self, const FlFinding *finding, gboolean yes)
{
  g_autofree char *key = flg_finding_key (finding);
  if (yes)
    g_hash_table_insert (self->acknowledged, g_steal_pointer (&key), GINT_TO_POINTER (finding->severity));
  else
    g_hash_table_remove (self->acknowledged, key);
  put_in_order (self);
}

static void
flg_finding_model_finalize (GObject *object)
{
  FlgFindingModel *self = FLG_FINDING_MODEL (object);
  g_ptr_array_unref (self->order);
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  g_hash_table_unref (self->acknowledged);
  G_OBJECT_CLASS (flg_finding_model_parent_class)->finalize (object);
}

static void
flg_finding_model_class_init (FlgFindingModelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_finding_model_finalize;
  changed_signal = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 0);
}

static void
flg_finding_model_init (FlgFindingModel *self)
{
  self->order = g_ptr_array_new ();
  self->acknowledged = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

FlgFindingModel *
flg_finding_model_new (FlgExperiment *experiment)
{
  FlgFindingModel *self = g_object_new (FLG_TYPE_FINDING_MODEL, NULL);
  self->experiment = experiment;
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  return self;
}
