#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-slot.h"

struct _FlgJobSlot
{
  GObject parent_instance;
  FlgRecord *job;
};

enum
{
  PROP_0,
  PROP_JOB,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (FlgJobSlot, flg_job_slot, G_TYPE_OBJECT)

FlgRecord *
flg_job_slot_job (FlgJobSlot *slot)
{
  return slot->job;
}

void
flg_job_slot_set_job (FlgJobSlot *slot, FlgRecord *job)
{
  if (g_set_object (&slot->job, job))
    g_object_notify_by_pspec (G_OBJECT (slot), properties[PROP_JOB]);
}

static void
flg_job_slot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_JOB)
    g_value_set_object (value, FLG_JOB_SLOT (object)->job);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flg_job_slot_finalize (GObject *object)
{
  g_clear_object (&FLG_JOB_SLOT (object)->job);
  G_OBJECT_CLASS (flg_job_slot_parent_class)->finalize (object);
}

static void
flg_job_slot_class_init (FlgJobSlotClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->finalize = flg_job_slot_finalize;
  object_class->get_property = flg_job_slot_get_property;
  properties[PROP_JOB] =
      g_param_spec_object ("job", NULL, NULL, FLG_TYPE_RECORD,
                           G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
flg_job_slot_init (FlgJobSlot *slot)
{
}
