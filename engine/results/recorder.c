#include "engine/results/recorder.h"

#include "engine/base/journal.h"
#include "engine/base/units.h"
#include "engine/results/segment.h"

struct FlRecorder
{
  FlJournalWriter *journal;
  char *dir;
  guint attempt;
  guint32 rank;
  guint batch_rows, segment_shots, segments;
  FlBatch *shots, *spots;                       /* not yet in the journal */
  FlBatch *segment_of_shots, *segment_of_spots; /* in the journal, not yet sealed */
  guint64 since;                                /* tick of the batch's first row */
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
  self->shots = fl_batch_new (FL_KIND_SHOT);
  self->spots = fl_batch_new (FL_KIND_SPOT);
  self->segment_of_shots = fl_batch_new (FL_KIND_SHOT);
  self->segment_of_spots = fl_batch_new (FL_KIND_SPOT);
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
  if (fl_batch_rows (recorder->segment_of_shots) == 0)
    return TRUE;
  g_autofree char *name = g_strdup_printf ("spots-%04u-%04u.h5", recorder->rank, recorder->segments++);
  g_autofree char *path = g_build_filename (recorder->dir, name, NULL);
  gboolean ok = fl_segment_write (path, recorder->attempt, recorder->segment_of_shots,
                                  recorder->segment_of_spots, error);
  fl_batch_clear (recorder->segment_of_shots);
  fl_batch_clear (recorder->segment_of_spots);
  return ok;
}

gboolean
fl_recorder_flush (FlRecorder *recorder, GError **error)
{
  if (fl_batch_rows (recorder->shots) == 0)
    return TRUE;
  FlBatch *both[] = { recorder->spots, recorder->shots };
  if (!fl_journal_writer_append (recorder->journal, both, 2, error))
    return FALSE;
  fl_batch_append_all (recorder->segment_of_shots, recorder->shots);
  fl_batch_append_all (recorder->segment_of_spots, recorder->spots);
  fl_batch_clear (recorder->shots);
  fl_batch_clear (recorder->spots);
  return fl_batch_rows (recorder->segment_of_shots) < recorder->segment_shots || seal (recorder, error);
}

gboolean
fl_recorder_tick (FlRecorder *recorder, GError **error)
{
  guint rows = fl_batch_rows (recorder->shots);
  if (rows == 0 || (rows < recorder->batch_rows && fl_tick_ns () - recorder->since < FL_NS_PER_S))
    return TRUE;
  return fl_recorder_flush (recorder, error);
}

gboolean
fl_recorder_add (FlRecorder *recorder, const FlShotRow *shot, const FlSpotRow *spots, GError **error)
{
  if (fl_batch_rows (recorder->shots) == 0)
    recorder->since = fl_tick_ns ();
  fl_batch_append (recorder->shots, shot);
  for (guint i = 0; i < shot->spots; i++)
    fl_batch_append (recorder->spots, &spots[i]);
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
  fl_batch_free (recorder->shots);
  fl_batch_free (recorder->spots);
  fl_batch_free (recorder->segment_of_shots);
  fl_batch_free (recorder->segment_of_spots);
  g_free (recorder->dir);
  g_free (recorder);
  return ok;
}
