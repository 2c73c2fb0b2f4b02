#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/record.h"

struct _FlgRecord
{
  GObject parent_instance;
  FlTable table;
  gpointer record;
  guint stamp;
};

enum
{
  PROP_0,
  PROP_STAMP,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (FlgRecord, flg_record, G_TYPE_OBJECT)

static void
flg_record_finalize (GObject *object)
{
  FlgRecord *self = FLG_RECORD (object);
  fl_record_free (self->table, self->record);
  G_OBJECT_CLASS (flg_record_parent_class)->finalize (object);
}

static void
flg_record_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_STAMP)
    g_value_set_uint (value, FLG_RECORD (object)->stamp);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flg_record_class_init (FlgRecordClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->finalize = flg_record_finalize;
  object_class->get_property = flg_record_get_property;
  properties[PROP_STAMP] =
      g_param_spec_uint ("stamp", NULL, NULL, 0, G_MAXUINT, 0,
                         G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
flg_record_init (FlgRecord *self)
{
}

FlgRecord *
flg_record_new (FlTable table, gpointer record)
{
  g_return_val_if_fail (record != NULL, NULL);
  FlgRecord *self = g_object_new (FLG_TYPE_RECORD, NULL);
  self->table = table;
  self->record = record;
  return self;
}

gpointer
flg_record_swap (FlgRecord *self, gpointer record)
{
  gpointer old = self->record;
  self->record = record;
  return old;
}

void
flg_record_touch (FlgRecord *self)
{
  self->stamp++;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STAMP]);
}

/* Every record begins with its id. */
gint64
flg_record_id (FlgRecord *self)
{
  return *(const gint64 *) self->record;
}

gconstpointer
flg_record_any (FlgRecord *self)
{
  return self->record;
}

#define ACCESSOR(name, Type, TABLE)                                                                          \
  const Type *flg_record_##name (FlgRecord *self)                                                            \
  {                                                                                                          \
    g_return_val_if_fail (FLG_IS_RECORD (self) && self->table == TABLE, NULL);                               \
    return self->record;                                                                                     \
  }

ACCESSOR (run, FlRun, FL_TABLE_RUN)
ACCESSOR (tag, FlTag, FL_TABLE_TAG)
ACCESSOR (block, FlBlock, FL_TABLE_BLOCK)
ACCESSOR (trial, FlTrial, FL_TABLE_TRIAL)
ACCESSOR (job, FlJob, FL_TABLE_JOB)
ACCESSOR (attempt, FlAttempt, FL_TABLE_ATTEMPT)
ACCESSOR (site, FlSite, FL_TABLE_SITE)
ACCESSOR (site_root, FlSiteRoot, FL_TABLE_SITE_ROOT)
ACCESSOR (task, FlTask, FL_TABLE_TASK)
ACCESSOR (dataset, FlDataset, FL_TABLE_DATASET)
ACCESSOR (dataset_task, FlDatasetTask, FL_TABLE_DATASET_TASK)
ACCESSOR (dataset_version, FlDatasetVersion, FL_TABLE_DATASET_VERSION)
ACCESSOR (version_job, FlVersionJob, FL_TABLE_VERSION_JOB)
ACCESSOR (worker, FlWorker, FL_TABLE_WORKER)
ACCESSOR (watch, FlWatch, FL_TABLE_WATCH)
