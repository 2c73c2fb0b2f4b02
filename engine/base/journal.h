/* journal.h: the append-only journal, the primary record of what an attempt did.
 *
 * One file a node, `journal-HOST.flj` in the attempt's folder; every rank of the node appends whole frames to it with
 * single O_APPEND writes, so that a rank killed at any moment takes nothing of the others with it. A frame:
 *
 *   u32 magic "FLJ1"   u32 payload bytes   u32 CRC-32C of the header (with this field 0) and the payload
 *   u16 kind (FlKind)  u16 version (1)     u32 writer (rank)   u32 rows
 *   u64 sequence (of the writer, from 1)   u64 time (ns UTC)   payload (batch.h)
 *
 * Little-endian. (attempt, writer, sequence) names a frame for ever, so that sending it twice does no harm. A reader
 * finds the next good frame after damage by looking for magic and checksum, and counts the bytes that it skipped; an
 * unfinished frame at the end of the file is waited for. */
#pragma once

#include <glib.h>

#include "engine/base/batch.h"

#define FL_JOURNAL_MAGIC       0x314a4c46u
#define FL_JOURNAL_HEADER      40
#define FL_JOURNAL_MAX_PAYLOAD (256u << 20)

/* --- writing: one a rank; not shared between threads --- */

typedef struct FlJournalWriter FlJournalWriter;

/* Opens or creates DIR/journal-HOST.flj. The first frame that a writer appends is the schema. */
FlJournalWriter *fl_journal_writer_open (const char *dir, guint32 writer, GError **error);
/* Appends the batches, in order, with one write(); they are then on disk together or not at all (of a killed
 * process). Empty batches are left out. */
gboolean fl_journal_writer_append (FlJournalWriter *writer, FlBatch *const *batches, guint n_batches,
                                   GError **error);
/* fdatasync and close. */
gboolean fl_journal_writer_close (FlJournalWriter *writer, GError **error);
void fl_journal_writer_close_quietly (FlJournalWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlJournalWriter, fl_journal_writer_close_quietly)

/* --- reading --- */

typedef struct
{
  FlKind kind;
  guint32 writer;
  guint32 rows;
  guint64 sequence;
  guint64 time;          /* ns UTC */
  const guint8 *payload; /* into the scanned bytes */
  gsize payload_length;
  gsize skipped; /* damaged bytes before it */
  gsize length;  /* bytes to go on after, damage included */
} FlFrame;

typedef enum
{
  FL_SCAN_FRAME, /* `frame` is filled */
  FL_SCAN_MORE,  /* what is left may be the beginning of a frame: ask again with more bytes */
} FlScan;

/* Looks for the next frame in `data`. On FL_SCAN_MORE, `frame->length` says how many bytes at the front are certainly
 * damaged and need not be offered again. */
FlScan fl_frame_scan (const guint8 *data, gsize length, FlFrame *frame);

typedef struct FlJournalReader FlJournalReader;

/* `offset`: where an earlier reader of the same file stopped, or 0. */
FlJournalReader *fl_journal_reader_open (const char *path, guint64 offset, GError **error);
/* TRUE with the next frame (valid until the next call); FALSE without error when there is no more at present (call
 * again later), FALSE with error when the file cannot be read. */
gboolean fl_journal_reader_next (FlJournalReader *reader, FlFrame *frame, GError **error);
guint64 fl_journal_reader_offset (FlJournalReader *reader);
guint64 fl_journal_reader_skipped (FlJournalReader *reader); /* damaged bytes so far */
void fl_journal_reader_free (FlJournalReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlJournalReader, fl_journal_reader_free)

/* The journal files of an attempt's folder, sorted; empty when there are none. */
GPtrArray *fl_journal_list (const char *dir);
