#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/record-model.h"

struct _FlgRecordModel
{
  GObject parent_instance;
  FlTable table;
  GPtrArray *items;  /* FlgRecord, by id */
  GHashTable *by_id; /* id -> FlgRecord, borrowed from items; keys live in the items' table */
};

static GType
get_item_type (GListModel *model)
{
  return FLG_TYPE_RECORD;
}

static guint
get_n_items (GListModel *model)
{
  return FLG_RECORD_MODEL (model)->items->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  FlgRecordModel *self = FLG_RECORD_MODEL (model);
  return position < self->items->len ? g_object_ref (self->items->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FlgRecordModel, flg_record_model, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static void
flg_record_model_finalize (GObject *object)
{
  FlgRecordModel *self = FLG_RECORD_MODEL (object);
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->items);
  G_OBJECT_CLASS (flg_record_model_parent_class)->finalize (object);
}

static void
flg_record_model_class_init (FlgRecordModelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_record_model_finalize;
}

static void
flg_record_model_init (FlgRecordModel *self)
{
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_id = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
}

FlgRecordModel *
flg_record_model_new (FlTable table)
{
  FlgRecordModel *self = g_object_new (FLG_TYPE_RECORD_MODEL, NULL);
  self->table = table;
  return self;
}

/* Where a record of this id is, or would be put. */
static guint
position_of (FlgRecordModel *self, gint64 id)
{
  guint low = 0, high = self->items->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      if (flg_record_id (self->items->pdata[middle]) < id)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* Announces what differs between `before` and the items as one span. */
static void
announce (FlgRecordModel *self, GPtrArray *before)
{
  GPtrArray *now = self->items;
  guint shorter = MIN (before->len, now->len), first = 0, tail = 0;
  while (first < shorter && before->pdata[first] == now->pdata[first])
    first++;
  while (tail < shorter - first && before->pdata[before->len - 1 - tail] == now->pdata[now->len - 1 - tail])
    tail++;
  if (first + tail < MAX (before->len, now->len))
    g_list_model_items_changed (G_LIST_MODEL (self), first, before->len - first - tail,
                                now->len - first - tail);
}

static void
apply_one (FlgRecordModel *self, FlChange *change, GPtrArray *replaced)
{
  FlgRecord *known = g_hash_table_lookup (self->by_id, &change->id);
  if (change->removed)
    {
      if (!known)
        return;
      g_hash_table_remove (self->by_id, &change->id);
      g_ptr_array_remove_index (self->items, position_of (self, change->id));
    }
  else if (known)
    {
      fl_record_free (self->table, flg_record_swap (known, g_steal_pointer (&change->record)));
      g_ptr_array_add (replaced, g_object_ref (known));
    }
  else
    {
      FlgRecord *item = flg_record_new (self->table, g_steal_pointer (&change->record));
      g_ptr_array_insert (self->items, (int) position_of (self, change->id), item);
      g_hash_table_insert (self->by_id, g_memdup2 (&change->id, sizeof change->id), item);
    }
}

gboolean
flg_record_model_apply (FlgRecordModel *self, GPtrArray *changes)
{
  g_autoptr (GPtrArray) before = g_ptr_array_copy (self->items, (GCopyFunc) g_object_ref, NULL);
  g_autoptr (GPtrArray) replaced = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_set_free_func (before, g_object_unref);
  gboolean any = FALSE;
  for (guint i = 0; i < changes->len; i++)
    {
      FlChange *change = changes->pdata[i];
      if (change->table != self->table)
        continue;
      any = TRUE;
      apply_one (self, change, replaced);
    }
  announce (self, before);
  /* Listeners run only now, when the model is whole again. */
  for (guint i = 0; i < replaced->len; i++)
    flg_record_touch (replaced->pdata[i]);
  return any;
}

FlgRecord *
flg_record_model_find (FlgRecordModel *self, gint64 id)
{
  return g_hash_table_lookup (self->by_id, &id);
}

FlgRecord *
flg_record_model_at (FlgRecordModel *self, guint position)
{
  return self->items->pdata[position];
}

guint
flg_record_model_count (FlgRecordModel *self)
{
  return self->items->len;
}
