/* shot-ref.h: one processed shot, as a plot names it when it is clicked and as the Images page takes it. */
#pragma once

#include <glib.h>

typedef struct
{
  gint64 job, attempt;
  guint64 shot;   /* id */
  guint32 source; /* of the attempt */
  guint32 frame;
} FlgShotRef;

/* Type of win.show-shot's target. */
#define FLG_SHOT_REF "(xxtuu)"

static inline GVariant *
flg_shot_ref_variant (const FlgShotRef *ref)
{
  return g_variant_new (FLG_SHOT_REF, ref->job, ref->attempt, ref->shot, ref->source, ref->frame);
}
