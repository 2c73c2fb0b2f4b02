#include "engine/store/ingest.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/journal.h"
#include "engine/store/store-private.h"

#define FRAMES_A_TRANSACTION 512

struct FlIngest
{
  FlStore *store;
  gint64 attempt;
  char *dir;
};

FlIngest *
fl_ingest_new (FlStore *store, gint64 attempt, const char *dir)
{
  FlIngest *ingest = g_new0 (FlIngest, 1);
  ingest->store = store;
  ingest->attempt = attempt;
  ingest->dir = g_strdup (dir);
  return ingest;
}

void
fl_ingest_free (FlIngest *ingest)
{
  if (ingest == NULL)
    return;
  g_free (ingest->dir);
  g_free (ingest);
}

static gboolean
read_position (FlIngest *ingest, const char *file, guint64 *position, guint64 *skipped, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (ingest->store->db, SQL (ingest->store->db, JOURNAL_READ), error,
                                           FL_INT (ingest->attempt), FL_TEXT (file));
  if (query == NULL)
    return FALSE;
  gboolean there = fl_query_next (query, &failed);
  *position = there ? (guint64) fl_query_int (query, 0) : 0;
  *skipped = there ? (guint64) fl_query_int (query, 1) : 0;
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

static gboolean
add_frame (FlIngest *ingest, const FlFrame *frame, FlIngested *sum, GError **error)
{
  gboolean inserted = FALSE;
  g_autoptr (GError) failed = NULL;
  if (!fl_store_add_slice (ingest->store, ingest->attempt, frame->writer, frame->sequence, (int) frame->kind,
                           frame->payload, frame->payload_length, &inserted, &failed))
    {
      /* The checksum was right, the contents are not: as damaged as the rest, stepped over and counted. */
      if (!g_error_matches (failed, FL_ERROR, FL_ERROR_INPUT)
          || g_strrstr (failed->message, ingest->store->path) != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return FALSE;
        }
      sum->skipped += FL_JOURNAL_HEADER + frame->payload_length;
      return TRUE;
    }
  sum->frames += inserted;
  sum->shots += inserted && frame->kind == FL_KIND_SHOT ? frame->rows : 0;
  return TRUE;
}

/* One transaction's worth of frames; *more tells whether there may be others. Where to go on is read from the store in
 * the same transaction, so that two who ingest the same journal take turns. */
static gboolean
ingest_some (FlIngest *ingest, const char *path, const char *file, gboolean *more, FlIngested *sum,
             GError **error)
{
  guint64 position, skipped_before;
  if (!read_position (ingest, file, &position, &skipped_before, error))
    return FALSE;
  g_autoptr (FlJournalReader) reader = fl_journal_reader_open (path, position, error);
  if (reader == NULL)
    return FALSE;
  g_autoptr (GError) failed = NULL;
  FlFrame frame;
  guint frames = 0;
  while (frames < FRAMES_A_TRANSACTION && fl_journal_reader_next (reader, &frame, &failed))
    {
      frames++;
      if (!add_frame (ingest, &frame, sum, error))
        return FALSE;
    }
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  *more = frames == FRAMES_A_TRANSACTION;
  guint64 now = fl_journal_reader_offset (reader);
  sum->bytes += now - position;
  sum->skipped += fl_journal_reader_skipped (reader);
  return now == position
         || fl_db_exec (ingest->store->db, SQL (ingest->store->db, JOURNAL_WRITE), error,
                        FL_INT (ingest->attempt), FL_TEXT (file), FL_INT (now),
                        FL_INT (skipped_before + sum->skipped));
}

static gboolean
has_news (FlIngest *ingest, const char *path, const char *file, gboolean *news, GError **error)
{
  guint64 position, skipped;
  if (!read_position (ingest, file, &position, &skipped, error))
    return FALSE;
  g_autoptr (FlJournalReader) reader = fl_journal_reader_open (path, position, error);
  FlFrame frame;
  if (reader == NULL)
    return FALSE;
  *news = fl_journal_reader_next (reader, &frame, NULL);
  return TRUE;
}

gboolean
fl_ingest_update (FlIngest *ingest, FlIngested *ingested, GError **error)
{
  FlStore *store = ingest->store;
  FlIngested total = { 0 };
  g_autoptr (GPtrArray) paths = fl_journal_list (ingest->dir);
  for (guint i = 0; i < paths->len; i++)
    {
      const char *path = paths->pdata[i];
      g_autofree char *file = g_path_get_basename (path);
      gboolean more = FALSE;
      /* No write lock where there is nothing to write. */
      if (!has_news (ingest, path, file, &more, error))
        return FALSE;
      while (more)
        {
          FlIngested some = { 0 };
          if (!fl_store_enter (store, error))
            return FALSE;
          if (!fl_store_leave (store, ingest_some (ingest, path, file, &more, &some, error), error))
            return FALSE;
          total.frames += some.frames;
          total.shots += some.shots;
          total.bytes += some.bytes;
          total.skipped += some.skipped;
        }
    }
  if (ingested != NULL)
    {
      ingested->frames += total.frames;
      ingested->shots += total.shots;
      ingested->bytes += total.bytes;
      ingested->skipped += total.skipped;
    }
  return TRUE;
}
