/* shot-results.h: two results of the same shot, A and B, each what a job has stored of it or what a trial makes of it now
 * (which is stored nowhere). Asked for through the serve child whenever the shot or the side becomes another. Signal
 * "changed" (). Thread: main. */
#pragma once

#include "engine/view/client.h"
#include "gui/shot-marks.h"

typedef enum
{
  FLG_SIDE_A,
  FLG_SIDE_B,
  FLG_N_SIDES
} FlgSide;

typedef enum
{
  FLG_RESULT_NONE,
  FLG_RESULT_STORED, /* `from`: the job's folder */
  FLG_RESULT_TRIED   /* `from`: trial text */
} FlgResultKind;

typedef struct
{
  FlgResultKind kind;
  char *from;
  guint waiting;      /* answers awaited; what is below is then of before, or nothing */
  gboolean missing;   /* the job has not processed the shot */
  char *error;        /* one line; NULL */
  FlViewSpots *spots; /* NULL: none (yet) */
  FlViewLattices *lattices;
  guint milliseconds;                    /* of a try */
  GArray *spot_marks, *prediction_marks; /* never NULL */
  FlgShotCounts counts;
} FlgShotResult;

#define FLG_TYPE_SHOT_RESULTS (flg_shot_results_get_type ())
G_DECLARE_FINAL_TYPE (FlgShotResults, flg_shot_results, FLG, SHOT_RESULTS, GObject)

/* Takes a reference; NULL: nothing can be asked. */
FlgShotResults *flg_shot_results_new (FlViewClient *client);
/* Forgets what is on its way; then unref. */
void flg_shot_results_close (FlgShotResults *self);
/* Before the shot: how its raw pixels are calibrated (FlViewSourceRequest). */
void flg_shot_results_set_calibration (FlgShotResults *self, const char *calibration);
/* `path` NULL: no shot. "" = no geometry, mask. */
void flg_shot_results_set_shot (FlgShotResults *self, const char *path, const char *geometry,
                                const char *mask, guint32 frame);
/* What will probably be the next shot: a client far away fetches what is stored of it while nothing else is asked of it. */
void flg_shot_results_foresee (FlgShotResults *self, const char *path, const char *geometry, const char *mask,
                               guint32 frame);
/* Of the same kind, the former answer stays until the next has come. */
void flg_shot_results_set_side (FlgShotResults *self, FlgSide side, FlgResultKind kind, const char *from);
/* Who is asked about a side, and what the shot's file is called there (NULL: as everywhere); asks at once. */
void flg_shot_results_set_asked (FlgShotResults *self, FlgSide side, FlViewClient *client, const char *path);
const FlgShotResult *flg_shot_results_get (FlgShotResults *self, FlgSide side);
gboolean flg_shot_results_is_idle (FlgShotResults *self);
