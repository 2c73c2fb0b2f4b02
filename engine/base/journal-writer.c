#include "engine/base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"

struct FlJournalWriter
{
  int fd;
  char *path;
  guint32 writer;
  guint64 sequence;
  GByteArray *frames; /* what the next write() sends */
};

static void
put_frame_header (guint8 *at, FlKind kind, guint32 writer, guint32 rows, guint64 sequence,
                  gsize payload_length)
{
  guint32 magic = FL_JOURNAL_MAGIC, length = (guint32) payload_length, crc = 0;
  guint16 kind16 = (guint16) kind, version = 1;
  guint64 now = fl_now_ns ();
  memcpy (at, &magic, 4);
  memcpy (at + 4, &length, 4);
  memcpy (at + 8, &crc, 4);
  memcpy (at + 12, &kind16, 2);
  memcpy (at + 14, &version, 2);
  memcpy (at + 16, &writer, 4);
  memcpy (at + 20, &rows, 4);
  memcpy (at + 24, &sequence, 8);
  memcpy (at + 32, &now, 8);
  crc = fl_crc32c (0, at, FL_JOURNAL_HEADER + payload_length);
  memcpy (at + 8, &crc, 4);
}

static void
add_frame (FlJournalWriter *writer, const FlBatch *batch)
{
  guint start = writer->frames->len, rows;
  FlKind kind;
  g_byte_array_set_size (writer->frames, start + FL_JOURNAL_HEADER);
  if (batch != NULL)
    {
      fl_batch_encode (batch, writer->frames);
      kind = fl_batch_kind (batch);
      rows = fl_batch_rows (batch);
    }
  else
    {
      g_autofree char *text = fl_schema_describe ();
      g_byte_array_append (writer->frames, (const guint8 *) text, (guint) strlen (text));
      kind = FL_KIND_SCHEMA;
      rows = 0;
    }
  writer->sequence++;
  put_frame_header (writer->frames->data + start, kind, writer->writer, rows, writer->sequence,
                    writer->frames->len - start - FL_JOURNAL_HEADER);
}

FlJournalWriter *
fl_journal_writer_open (const char *dir, guint32 writer, GError **error)
{
  g_autofree char *name = g_strdup_printf ("journal-%s.flj", g_get_host_name ());
  g_autofree char *path = g_build_filename (dir, name, NULL);
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be opened for appending: %s", path,
                   g_strerror (errno));
      return NULL;
    }
  FlJournalWriter *self = g_new0 (FlJournalWriter, 1);
  self->fd = fd;
  self->path = g_steal_pointer (&path);
  self->writer = writer;
  self->frames = g_byte_array_new ();
  return self;
}

gboolean
fl_journal_writer_append (FlJournalWriter *writer, FlBatch *const *batches, guint n_batches, GError **error)
{
  g_byte_array_set_size (writer->frames, 0);
  guint64 sequence = writer->sequence;
  if (sequence == 0)
    add_frame (writer, NULL);
  for (guint i = 0; i < n_batches; i++)
    if (fl_batch_rows (batches[i]) > 0)
      add_frame (writer, batches[i]);

  ssize_t wrote;
  do
    wrote = write (writer->fd, writer->frames->data, writer->frames->len);
  while (wrote < 0 && errno == EINTR);
  if (wrote == (ssize_t) writer->frames->len)
    return TRUE;
  /* Part of a frame may now be in the file: readers step over it. */
  writer->sequence = sequence;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %u bytes could not be appended: %s", writer->path,
               writer->frames->len, wrote < 0 ? g_strerror (errno) : "the disk took only a part (full?)");
  return FALSE;
}

gboolean
fl_journal_writer_close (FlJournalWriter *writer, GError **error)
{
  if (writer == NULL)
    return TRUE;
  gboolean ok = fdatasync (writer->fd) == 0;
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be flushed: %s", writer->path,
                 g_strerror (errno));
  close (writer->fd);
  g_free (writer->path);
  g_byte_array_unref (writer->frames);
  g_free (writer);
  return ok;
}

void
fl_journal_writer_close_quietly (FlJournalWriter *writer)
{
  fl_journal_writer_close (writer, NULL);
}
