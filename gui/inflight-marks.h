/* inflight-marks.h: what the ranks of some jobs have in hand, read through the serve child from the attempts' tables,
 * as marks for the weather plot: in flight, stalled, and – of an attempt that has ended – never finished.
 * Thread: main. */
#pragma once

#include "gui/context.h"
#include "gui/shot-ref.h"
#include "widgets/weather-plot.h"

/* In one stage for longer than this: stalled. */
#define FLG_STALLED_AFTER_S 30

typedef struct FlgInflightMarks FlgInflightMarks;

typedef void (*FlgMarksFunc) (guint n, const FlwWeatherMark *marks, gpointer data);

FlgInflightMarks *flg_inflight_marks_new (FlgContext *context, FlgMarksFunc func, gpointer data);
void flg_inflight_marks_free (FlgInflightMarks *self);
/* Other jobs (GArray of gint64): asks at once. */
void flg_inflight_marks_watch (FlgInflightMarks *self, GArray *jobs);
/* Asks again about the newest attempts that have not ended, and once about one that has. */
void flg_inflight_marks_refresh (FlgInflightMarks *self);
/* The shot behind a mark's id. */
gboolean flg_inflight_marks_get (FlgInflightMarks *self, guint64 id, FlgShotRef *ref);
