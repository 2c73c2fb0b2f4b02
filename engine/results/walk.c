#include "engine/results/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/journal.h"

/* Parts that one writer has written since its last shots; their sequence numbers follow each other. */
typedef struct
{
  guint64 sequence; /* of the last */
  FlWalkFrame parts[FL_PART_LAST];
} Pending;

struct FlWalk
{
  FlJournalReader *reader;
  char *path;
  GHashTable *pending; /* writer -> Pending */
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
  self->pending = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

void
fl_walk_free (FlWalk *walk)
{
  if (walk == NULL)
    return;
  fl_journal_reader_free (walk->reader);
  g_hash_table_unref (walk->pending);
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

static int
part_of (FlKind kind)
{
  for (int p = 0; p < FL_PART_LAST; p++)
    if (fl_parts[p].kind == kind)
      return p;
  return -1;
}

static Pending *
pending_of (FlWalk *walk, guint32 writer)
{
  Pending *pending = g_hash_table_lookup (walk->pending, GUINT_TO_POINTER (writer));
  if (pending == NULL)
    {
      pending = g_new0 (Pending, 1);
      g_hash_table_insert (walk->pending, GUINT_TO_POINTER (writer), pending);
    }
  return pending;
}

static void
remember_part (Pending *pending, int part, const FlFrame *frame, FlWalkFrame place)
{
  if (pending->sequence + 1 != frame->sequence)
    *pending = (Pending){ 0 }; /* something of them is damaged, or they are of a write that never ended */
  pending->sequence = frame->sequence;
  pending->parts[part] = place;
}

/* Whether the parts that the shots say they have are there. Reflections are written after their lattices: were theirs
 * damaged, there would be a gap in the sequence, and no lattices either. */
static gboolean
is_whole (const FlWalkStep *step)
{
  const guint32 *spots = fl_batch_column (step->shots, "spots");
  const guint16 *lattices = fl_batch_column (step->shots, "lattices");
  guint64 n_spots = 0, n_lattices = 0;
  for (guint i = 0; i < fl_batch_rows (step->shots); i++)
    {
      n_spots += spots[i];
      n_lattices += lattices[i];
    }
  return (n_spots == 0 || step->parts[FL_PART_SPOTS].bytes > 0)
         && (n_lattices == 0 || step->parts[FL_PART_LATTICES].bytes > 0);
}

gboolean
fl_walk_next (FlWalk *walk, FlWalkStep *step, GError **error)
{
  FlFrame frame;
  while (fl_journal_reader_next (walk->reader, &frame, error))
    {
      gsize bytes = FL_JOURNAL_HEADER + frame.payload_length;
      FlWalkFrame place = { fl_journal_reader_offset (walk->reader) - bytes, bytes };
      int part = part_of (frame.kind);
      if (part >= 0)
        remember_part (pending_of (walk, frame.writer), part, &frame, place);
      if (frame.kind != FL_KIND_SHOT)
        continue;
      Pending *pending = pending_of (walk, frame.writer);
      *step = (FlWalkStep){ .frame = place };
      if (pending->sequence + 1 == frame.sequence)
        memcpy (step->parts, pending->parts, sizeof step->parts);
      *pending = (Pending){ 0 };
      g_clear_pointer (&walk->shots, fl_batch_free);
      walk->shots = fl_batch_decode (frame.payload, frame.payload_length, NULL);
      step->shots = walk->shots;
      /* NULL: a right checksum over wrong bytes: not ours */
      if (walk->shots != NULL && is_whole (step))
        return TRUE;
    }
  return FALSE;
}

FlBatch *
fl_walk_load (const char *journal, const FlWalkFrame *place, GError **error)
{
  gsize bytes = place->bytes;
  g_autofree guint8 *data = g_malloc (bytes + 1);
  int fd = open (journal, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd >= 0 ? pread (fd, data, bytes, (off_t) place->at) : -1;
  int why = errno;
  if (fd >= 0)
    close (fd);
  FlFrame frame;
  if (got == (ssize_t) bytes && fl_frame_scan (data, bytes, &frame) == FL_SCAN_FRAME && frame.skipped == 0)
    return fl_batch_decode (frame.payload, frame.payload_length, error);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: byte %" G_GUINT64_FORMAT " cannot be read (%s), expected a frame", journal, place->at,
               got < 0 ? g_strerror (why) : "not the bytes that were there");
  return NULL;
}
