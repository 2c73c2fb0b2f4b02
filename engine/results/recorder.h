/* recorder.h: what one rank does with its results: into the journal at once, into sealed segments every N shots.
 *
 * A batch (spots, lattices, reflections and then their shots, in one write, so that a shot is journalled only with all
 * that belongs to it) closes after `batch_rows` shots or a second, earlier when a part has very many rows. Thread:
 * one. */
#pragma once

#include "engine/base/batch.h"

typedef struct FlRecorder FlRecorder;

/* What belongs to a shot; not kept. Pointers to nothing may be NULL. */
typedef struct
{
  const FlSpotRow *spots;             /* FlShotRow.spots of them */
  const FlLatticeRow *lattices;       /* FlShotRow.lattices of them, numbered from 0 */
  const FlReflectionRow *reflections; /* lattice by lattice */
  guint n_reflections;
} FlShotParts;

FlRecorder *fl_recorder_open (const char *attempt_dir, guint attempt, guint32 rank, guint batch_rows,
                              guint segment_shots, GError **error);
/* Rows of other kinds, into the journal before anything else. */
gboolean fl_recorder_note (FlRecorder *recorder, FlBatch *batch, GError **error);
/* `shot` of all rows of `parts` is set to the shot's id. */
gboolean fl_recorder_add (FlRecorder *recorder, const FlShotRow *shot, const FlShotParts *parts,
                          GError **error);
/* Closes the batch if its second is over; to be called while waiting. */
gboolean fl_recorder_tick (FlRecorder *recorder, GError **error);
gboolean fl_recorder_flush (FlRecorder *recorder, GError **error);
/* Everything on disk: the last batch, the last segment. */
gboolean fl_recorder_close (FlRecorder *recorder, GError **error);
