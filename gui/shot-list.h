/* shot-list.h: the shots of one job in the order of files and frames, and the files behind them: what "next hit" walks
 * along. Kept up to date while the job runs. Signal "changed" (). Thread: main. */
#pragma once

#include "engine/base/batch.h"
#include "gui/experiment.h"
#include "gui/shot-ref.h"

#define FLG_TYPE_SHOT_LIST (flg_shot_list_get_type ())
G_DECLARE_FINAL_TYPE (FlgShotList, flg_shot_list, FLG, SHOT_LIST, GObject)

typedef enum
{
  FLG_SHOTS_HITS,
  FLG_SHOTS_INDEXED,
  FLG_SHOTS_UNINDEXED, /* hits that no lattice was found in */
  FLG_SHOTS_LAST
} FlgShotKind;

/* What a shot of single particles shows; as in FlParticleRow. */
typedef struct
{
  FlParticleClass class;
  guint32 photons;
  float background, diameter;
} FlgShotParticle;

FlgShotList *flg_shot_list_new (FlgExperiment *experiment, gint64 job);
void flg_shot_list_stop (FlgShotList *self); /* then unref */
gboolean flg_shot_list_is_idle (FlgShotList *self);
guint flg_shot_list_of_kind (FlgShotList *self, FlgShotKind kind);

/* The next (by > 0) or previous shot of that kind after (source, frame). FALSE: there is none. */
gboolean flg_shot_list_step (FlgShotList *self, guint32 source, guint32 frame, int by, FlgShotKind kind,
                             FlgShotRef *ref);
/* The n-th hit. FALSE: there are not so many. */
gboolean flg_shot_list_hit (FlgShotList *self, guint n, FlgShotRef *ref);
/* The shot itself; FALSE when it has not been processed. */
gboolean flg_shot_list_find (FlgShotList *self, guint32 source, guint32 frame, FlgShotRef *ref);
/* What it shows; NULL: nothing is said of it. Borrowed. */
const FlgShotParticle *flg_shot_list_particle (FlgShotList *self, guint32 source, guint32 frame);

/* Files of the job in the order of their numbers; borrowed. The path is where it should be at the job's site. */
guint flg_shot_list_n_files (FlgShotList *self);
const char *flg_shot_list_file (FlgShotList *self, guint n, guint32 *source);
/* NULL: not known (yet). */
const char *flg_shot_list_path (FlgShotList *self, guint32 source);
/* The number of the file; FALSE: it is none of the job's. */
gboolean flg_shot_list_source (FlgShotList *self, const char *path, guint32 *source);
