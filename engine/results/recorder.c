#include "engine/results/recorder.h"

#include "engine/base/error.h"
#include "engine/base/journal.h"
#include "engine/base/units.h"
#include "engine/results/segment.h"

/* A part that has so many rows closes the batch, or the segment: memory, and what a frame may hold (batch-codec.c). */
#define BATCH_PART_ROWS   (1u << 18)
#define SEGMENT_PART_ROWS (1u << 20)
#define SHOT_PART_ROWS    (3u << 18)

struct FlRecorder
{
  FlJournalWriter *journal;
  char *dir;
  guint attempt;
  guint32 rank;
  guint batch_rows, segment_shots, segments;
  FlShotSet *batch;   /* not yet in the journal */
  FlShotSet *segment; /* in the journal, not yet sealed */
  guint64 since;      /* tick of the batch's first row */
};

FlRecorder *
fl_recorder_open (const char *attempt_dir, guint attempt, guint32 rank, guint batch_rows, guint segment_shots,
                  GError **error)
{
  FlJournalWriter *journal = fl_journal_writer_open (attempt_dir, rank, error);
  if (journal == NULL)
    return NULL;
  FlRecorder *self = g_new0 (FlRecorder, 1);
  self->journal = journal;
  self->dir = g_strdup (attempt_dir);
  self->attempt = attempt;
  self->rank = rank;
  self->batch_rows = batch_rows;
  self->segment_shots = segment_shots;
  self->batch = fl_shot_set_new ();
  self->segment = fl_shot_set_new ();
  return self;
}

gboolean
fl_recorder_note (FlRecorder *recorder, FlBatch *batch, GError **error)
{
  return fl_journal_writer_append (recorder->journal, &batch, 1, error);
}

static gboolean
seal (FlRecorder *recorder, GError **error)
{
  if (fl_batch_rows (recorder->segment->shots) == 0)
    return TRUE;
  g_autofree char *name = g_strdup_printf ("spots-%04u-%04u.h5", recorder->rank, recorder->segments++);
  g_autofree char *path = g_build_filename (recorder->dir, name, NULL);
  gboolean ok = fl_segment_write (path, recorder->attempt, recorder->segment, error);
  fl_shot_set_clear (recorder->segment);
  return ok;
}

gboolean
fl_recorder_flush (FlRecorder *recorder, GError **error)
{
  FlShotSet *batch = recorder->batch, *segment = recorder->segment;
  if (fl_batch_rows (batch->shots) == 0)
    return TRUE;
  FlBatch *all[FL_PART_LAST + 1];
  for (guint p = 0; p < FL_PART_LAST; p++)
    all[p] = batch->parts[p];
  all[FL_PART_LAST] = batch->shots;
  if (!fl_journal_writer_append (recorder->journal, all, G_N_ELEMENTS (all), error))
    return FALSE;
  fl_shot_set_append_all (segment, batch);
  fl_shot_set_clear (batch);
  if (fl_batch_rows (segment->shots) < recorder->segment_shots
      && fl_shot_set_longest (segment) < SEGMENT_PART_ROWS)
    return TRUE;
  return seal (recorder, error);
}

gboolean
fl_recorder_tick (FlRecorder *recorder, GError **error)
{
  guint rows = fl_batch_rows (recorder->batch->shots);
  if (rows == 0
      || (rows < recorder->batch_rows && fl_shot_set_longest (recorder->batch) < BATCH_PART_ROWS
          && fl_tick_ns () - recorder->since < FL_NS_PER_S))
    return TRUE;
  return fl_recorder_flush (recorder, error);
}

gboolean
fl_recorder_add (FlRecorder *recorder, const FlShotRow *shot, const FlShotParts *parts, GError **error)
{
  FlShotSet *batch = recorder->batch;
  if (MAX (shot->spots, parts->n_reflections) > SHOT_PART_ROWS)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "frame %u: %u spots and %u reflections, expected at most %u of a shot", shot->frame,
                   shot->spots, parts->n_reflections, SHOT_PART_ROWS);
      return FALSE;
    }
  if (fl_batch_rows (batch->shots) == 0)
    recorder->since = fl_tick_ns ();
  fl_batch_append (batch->shots, shot);
  for (guint i = 0; i < shot->spots; i++)
    {
      FlSpotRow row = parts->spots[i];
      row.shot = shot->id;
      fl_batch_append (batch->parts[FL_PART_SPOTS], &row);
    }
  for (guint i = 0; i < shot->lattices; i++)
    {
      FlLatticeRow row = parts->lattices[i];
      row.shot = shot->id;
      fl_batch_append (batch->parts[FL_PART_LATTICES], &row);
    }
  for (guint i = 0; i < parts->n_reflections; i++)
    {
      FlReflectionRow row = parts->reflections[i];
      row.shot = shot->id;
      fl_batch_append (batch->parts[FL_PART_REFLECTIONS], &row);
    }
  return fl_recorder_tick (recorder, error);
}

gboolean
fl_recorder_close (FlRecorder *recorder, GError **error)
{
  gboolean ok = fl_recorder_flush (recorder, error) && seal (recorder, error);
  if (ok)
    ok = fl_journal_writer_close (recorder->journal, error);
  else
    fl_journal_writer_close_quietly (recorder->journal);
  fl_shot_set_free (recorder->batch);
  fl_shot_set_free (recorder->segment);
  g_free (recorder->dir);
  g_free (recorder);
  return ok;
}
