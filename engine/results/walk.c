#include "engine/results/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/journal.h"

typedef struct
{
  guint64 sequence, at;
  gsize bytes;
} SpotFrame;

struct FlWalk
{
  FlJournalReader *reader;
  char *path;
  GHashTable *last_spots; /* writer -> SpotFrame */
  FlBatch *shots;
};

FlWalk *
fl_walk_open (const char *journal, GError **error)
{
  FlJournalReader *reader = fl_journal_reader_open (journal, 0, error);
  if (reader == NULL)
    return NULL;
  FlWalk *self = g_new0 (FlWalk, 1);
  self->reader = reader;
  self->path = g_strdup (journal);
  self->last_spots = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

void
fl_walk_free (FlWalk *walk)
{
  if (walk == NULL)
    return;
  fl_journal_reader_free (walk->reader);
  g_hash_table_unref (walk->last_spots);
  g_clear_pointer (&walk->shots, fl_batch_free);
  g_free (walk->path);
  g_free (walk);
}

const char *
fl_walk_path (const FlWalk *walk)
{
  return walk->path;
}

guint64
fl_walk_skipped (const FlWalk *walk)
{
  return fl_journal_reader_skipped (walk->reader);
}

static void
remember_spots (FlWalk *walk, const FlFrame *frame, guint64 at)
{
  gpointer writer = GUINT_TO_POINTER (frame->writer);
  SpotFrame *spots = g_hash_table_lookup (walk->last_spots, writer);
  if (spots == NULL)
    {
      spots = g_new (SpotFrame, 1);
      g_hash_table_insert (walk->last_spots, writer, spots);
    }
  *spots = (SpotFrame){ frame->sequence, at, FL_JOURNAL_HEADER + frame->payload_length };
}

static guint64
spots_counted (const FlBatch *shots)
{
  const guint32 *counts = fl_batch_column (shots, "spots");
  guint64 sum = 0;
  for (guint i = 0; i < fl_batch_rows (shots); i++)
    sum += counts[i];
  return sum;
}

gboolean
fl_walk_next (FlWalk *walk, FlWalkStep *step, GError **error)
{
  FlFrame frame;
  while (fl_journal_reader_next (walk->reader, &frame, error))
    {
      gsize bytes = FL_JOURNAL_HEADER + frame.payload_length;
      guint64 at = fl_journal_reader_offset (walk->reader) - bytes;
      if (frame.kind == FL_KIND_SPOT)
        remember_spots (walk, &frame, at);
      if (frame.kind != FL_KIND_SHOT)
        continue;
      g_clear_pointer (&walk->shots, fl_batch_free);
      walk->shots = fl_batch_decode (frame.payload, frame.payload_length, NULL);
      if (walk->shots == NULL)
        continue; /* a right checksum over wrong bytes: not ours */
      *step = (FlWalkStep){ .shots = walk->shots, .shots_at = at, .shots_bytes = bytes };
      const SpotFrame *spots = g_hash_table_lookup (walk->last_spots, GUINT_TO_POINTER (frame.writer));
      if (spots != NULL && spots->sequence + 1 == frame.sequence)
        {
          step->spots_at = spots->at;
          step->spots_bytes = spots->bytes;
        }
      if (step->spots_bytes > 0 || spots_counted (walk->shots) == 0)
        return TRUE;
    }
  return FALSE;
}

FlBatch *
fl_walk_load (const char *journal, guint64 at, gsize bytes, GError **error)
{
  g_autofree guint8 *data = g_malloc (bytes + 1);
  int fd = open (journal, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd >= 0 ? pread (fd, data, bytes, (off_t) at) : -1;
  int why = errno;
  if (fd >= 0)
    close (fd);
  FlFrame frame;
  if (got == (ssize_t) bytes && fl_frame_scan (data, bytes, &frame) == FL_SCAN_FRAME && frame.skipped == 0)
    return fl_batch_decode (frame.payload, frame.payload_length, error);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: byte %" G_GUINT64_FORMAT " cannot be read (%s), expected a frame", journal, at,
               got < 0 ? g_strerror (why) : "not the bytes that were there");
  return NULL;
}

void
fl_walk_find (const FlBatch *spots, guint64 shot, guint *first, guint *n)
{
  const guint64 *shots = fl_batch_column (spots, "shot");
  guint rows = fl_batch_rows (spots), i = 0;
  while (i < rows && shots[i] != shot)
    i++;
  *first = i;
  while (i < rows && shots[i] == shot)
    i++;
  *n = i - *first;
}
