/* recorder.h: what one rank does with its results: into the journal at once, into sealed segments every N shots.
 *
 * A batch (spots and their shots in one write) closes after `batch_rows` shots or a second. Thread: one. */
#pragma once

#include "engine/base/batch.h"

typedef struct FlRecorder FlRecorder;

FlRecorder *fl_recorder_open (const char *attempt_dir, guint attempt, guint32 rank, guint batch_rows,
                              guint segment_shots, GError **error);
/* Rows of other kinds, into the journal before anything else. */
gboolean fl_recorder_note (FlRecorder *recorder, FlBatch *batch, GError **error);
/* `shot->spots` rows at `spots`. */
gboolean fl_recorder_add (FlRecorder *recorder, const FlShotRow *shot, const FlSpotRow *spots,
                          GError **error);
/* Closes the batch if its second is over; to be called while waiting. */
gboolean fl_recorder_tick (FlRecorder *recorder, GError **error);
gboolean fl_recorder_flush (FlRecorder *recorder, GError **error);
/* Everything on disk: the last batch, the last segment. */
gboolean fl_recorder_close (FlRecorder *recorder, GError **error);
