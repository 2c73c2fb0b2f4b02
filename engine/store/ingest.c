#include "engine/store/ingest.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/journal.h"
#include "engine/store/store-private.h"

#define FRAMES_A_TRANSACTION 512
#define BYTES_A_TRANSACTION  (16u << 20)

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

/* What the journal has behind a position: read and summed up while nothing is locked. */
typedef struct
{
  guint64 from, to;  /* position */
  GPtrArray *frames; /* FlNewFrame */
  guint64 skipped;
  gboolean more; /* there may be others */
} Part;

static void
part_clear (Part *part)
{
  g_clear_pointer (&part->frames, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Part, part_clear)

static gboolean
read_part (const char *path, guint64 position, Part *part, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlJournalReader) reader = fl_journal_reader_open (path, position, error);
  *part = (Part){ .from = position,
                  .to = position,
                  .frames = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_new_frame_free) };
  if (reader == NULL)
    return FALSE;
  FlFrame frame;
  gsize bytes = 0;
  guint n = 0;
  while (n < FRAMES_A_TRANSACTION && bytes < BYTES_A_TRANSACTION
         && fl_journal_reader_next (reader, &frame, &failed))
    {
      g_autoptr (GError) why = NULL;
      FlNewFrame *in = fl_new_frame (frame.writer, frame.sequence, (int) frame.kind, frame.payload,
                                     frame.payload_length, &why);
      if (in != NULL)
        g_ptr_array_add (part->frames, in);
      else if (why != NULL) /* the checksum was right, the contents are not: as damaged as the rest */
        part->skipped += FL_JOURNAL_HEADER + frame.payload_length;
      bytes += frame.payload_length;
      n++;
    }
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  part->more = n == FRAMES_A_TRANSACTION || bytes >= BYTES_A_TRANSACTION;
  part->to = n > 0 ? fl_journal_reader_offset (reader) : position;
  part->skipped += fl_journal_reader_skipped (reader);
  return TRUE;
}

/* Where to go on is read again: of two who ingest the same journal, the second finds that it has been done (*again). */
static gboolean
store_part (FlIngest *ingest, const char *file, const Part *part, gboolean *again, GError **error)
{
  guint64 position, skipped;
  if (!read_position (ingest, file, &position, &skipped, error))
    return FALSE;
  *again = position != part->from;
  return *again
         || (fl_store_add_frames (ingest->store, ingest->attempt, part->frames, error)
             && fl_db_exec (ingest->store->db, SQL (ingest->store->db, JOURNAL_WRITE), error,
                            FL_INT (ingest->attempt), FL_TEXT (file), FL_INT (part->to),
                            FL_INT (skipped + part->skipped)));
}

static void
count_part (const Part *part, FlIngested *sum)
{
  for (guint i = 0; i < part->frames->len; i++)
    {
      const FlNewFrame *frame = part->frames->pdata[i];
      sum->frames += frame->inserted;
      sum->shots += frame->inserted && frame->slice.kind == FL_KIND_SHOT ? frame->slice.length : 0;
    }
  sum->bytes += part->to - part->from;
  sum->skipped += part->skipped;
}

/* All of one journal. No write lock where there is nothing to write. */
static gboolean
ingest_journal (FlIngest *ingest, const char *path, FlIngested *sum, GError **error)
{
  g_autofree char *file = g_path_get_basename (path);
  for (gboolean more = TRUE; more;)
    {
      guint64 position, skipped;
      gboolean again = FALSE;
      g_auto (Part) part = { 0 };
      if (!read_position (ingest, file, &position, &skipped, error)
          || !read_part (path, position, &part, error))
        return FALSE;
      if (part.to == part.from)
        return TRUE;
      if (!fl_store_enter (ingest->store, error)
          || !fl_store_leave (ingest->store, store_part (ingest, file, &part, &again, error), error))
        return FALSE;
      if (!again)
        count_part (&part, sum);
      more = again || part.more;
    }
  return TRUE;
}

gboolean
fl_ingest_update (FlIngest *ingest, FlIngested *ingested, GError **error)
{
  FlIngested none = { 0 };
  g_autoptr (GPtrArray) paths = fl_journal_list (ingest->dir);
  for (guint i = 0; i < paths->len; i++)
    if (!ingest_journal (ingest, paths->pdata[i], ingested != NULL ? ingested : &none, error))
      return FALSE;
  return TRUE;
}
