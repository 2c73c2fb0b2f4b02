/* map-set.h: the maps, the report and the model of one map job, asked of the serve child at its site. Signal "changed" () whenever
 * something has come. What has come stays as long as this lives. Thread: main. */
#pragma once

#include "gui/context.h"
#include "gui/map-report.h"
#include "widgets/density-model.h"
#include "widgets/density-volume.h"

typedef enum
{
  FLG_MAP_BEST,     /* 2mFo − DFc */
  FLG_MAP_RESIDUAL, /* mFo − DFc */
  FLG_MAP_CHANGE,   /* Fo − Fo */
  FLG_MAPS
} FlgMapKind;

#define FLG_TYPE_MAP_SET (flg_map_set_get_type ())
G_DECLARE_FINAL_TYPE (FlgMapSet, flg_map_set, FLG, MAP_SET, GObject)

/* Asks at once. */
FlgMapSet *flg_map_set_new (FlgContext *context, const FlJob *job);
gint64 flg_map_set_job (FlgMapSet *self);
/* NULL: there is none, or not yet. Borrowed. */
const FlgMapReport *flg_map_set_report (FlgMapSet *self);
FlwDensityVolume *flg_map_set_volume (FlgMapSet *self, FlgMapKind kind);
FlwDensityModel *flg_map_set_model (FlgMapSet *self);
/* What did not come, one line; NULL: all is well. */
const char *flg_map_set_problem (FlgMapSet *self);
gboolean flg_map_set_is_idle (FlgMapSet *self);
/* "2mFo − DFc". */
const char *flg_map_kind_name (FlgMapKind kind);

/* Atoms of a model as the density view draws them. */
FlwDensityModel *flg_map_model_new (const FlViewModel *model);
