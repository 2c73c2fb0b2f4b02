#include "engine/base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"

#define READ_AT_LEAST (1u << 20)

struct FlJournalReader
{
  int fd;
  char *path;
  guint64 offset; /* in the file, of buffer's first unread byte */
  guint64 skipped;
  GByteArray *buffer;
  gsize used; /* bytes of the buffer already handed out */
};

static guint32
load32 (const guint8 *p)
{
  guint32 v;
  memcpy (&v, p, 4);
  return v;
}

/* Is a whole, right frame at `p`? 1 yes, 0 no, -1 cannot tell without more bytes. */
static int
frame_at (const guint8 *p, gsize left, FlFrame *frame)
{
  guint32 magic = FL_JOURNAL_MAGIC;
  if (memcmp (p, &magic, MIN (left, 4)) != 0)
    return 0;
  if (left < FL_JOURNAL_HEADER)
    return -1;
  guint32 length = load32 (p + 4), crc = load32 (p + 8), zero = 0;
  guint16 kind, version;
  memcpy (&kind, p + 12, 2);
  memcpy (&version, p + 14, 2);
  if (length > FL_JOURNAL_MAX_PAYLOAD || version != 1)
    return 0;
  if (left - FL_JOURNAL_HEADER < length)
    return -1;
  guint32 got = fl_crc32c (0, p, 8);
  got = fl_crc32c (got, &zero, 4);
  got = fl_crc32c (got, p + 12, FL_JOURNAL_HEADER - 12 + length);
  if (got != crc)
    return 0;
  *frame = (FlFrame){ .kind = kind,
                      .writer = load32 (p + 16),
                      .rows = load32 (p + 20),
                      .payload = p + FL_JOURNAL_HEADER,
                      .payload_length = length };
  memcpy (&frame->sequence, p + 24, 8);
  memcpy (&frame->time, p + 32, 8);
  return 1;
}

FlScan
fl_frame_scan (const guint8 *data, gsize length, FlFrame *frame)
{
  /* A damaged length may reach beyond the end although good frames follow: so a frame that wants more bytes is waited
   * for only if no good frame lies behind it. */
  gsize waiting = length;
  for (gsize at = 0; at < length; at++)
    {
      const guint8 *next = memchr (data + at, FL_JOURNAL_MAGIC & 255u, length - at);
      if (next == NULL)
        break;
      at = (gsize) (next - data);
      int is = frame_at (next, length - at, frame);
      if (is > 0)
        {
          frame->skipped = at;
          frame->length = at + FL_JOURNAL_HEADER + frame->payload_length;
          return FL_SCAN_FRAME;
        }
      if (is < 0 && waiting == length)
        waiting = at;
    }
  *frame = (FlFrame){ .length = waiting };
  return FL_SCAN_MORE;
}

FlJournalReader *
fl_journal_reader_open (const char *path, guint64 offset, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be opened: %s", path, g_strerror (errno));
      return NULL;
    }
  FlJournalReader *self = g_new0 (FlJournalReader, 1);
  self->fd = fd;
  self->path = g_strdup (path);
  self->offset = offset;
  self->buffer = g_byte_array_new ();
  return self;
}

/* Reads some more of the file behind what is in the buffer; number of bytes, 0 at the end, -1 with error. */
static gssize
fill (FlJournalReader *reader, GError **error)
{
  if (reader->used > 0)
    {
      g_byte_array_remove_range (reader->buffer, 0, (guint) reader->used);
      reader->used = 0;
    }
  guint have = reader->buffer->len, want = MAX (READ_AT_LEAST, have);
  g_byte_array_set_size (reader->buffer, have + want);
  ssize_t got;
  do
    got = pread (reader->fd, reader->buffer->data + have, want, (off_t) (reader->offset + have));
  while (got < 0 && errno == EINTR);
  g_byte_array_set_size (reader->buffer, have + (guint) MAX (got, 0));
  if (got < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be read: %s", reader->path,
                 g_strerror (errno));
  return got;
}

static void
consume (FlJournalReader *reader, gsize bytes, gsize skipped)
{
  reader->used += bytes;
  reader->offset += bytes;
  reader->skipped += skipped;
}

gboolean
fl_journal_reader_next (FlJournalReader *reader, FlFrame *frame, GError **error)
{
  for (;;)
    {
      gsize left = reader->buffer->len - reader->used;
      FlScan scan =
          left > 0 ? fl_frame_scan (reader->buffer->data + reader->used, left, frame) : FL_SCAN_MORE;
      if (scan == FL_SCAN_FRAME)
        {
          consume (reader, frame->length, frame->skipped);
          return TRUE;
        }
      if (left > 0 && frame->length > 0)
        consume (reader, frame->length, frame->length);
      if (fill (reader, error) <= 0)
        return FALSE;
    }
}

guint64
fl_journal_reader_offset (FlJournalReader *reader)
{
  return reader->offset;
}

guint64
fl_journal_reader_skipped (FlJournalReader *reader)
{
  return reader->skipped;
}

void
fl_journal_reader_free (FlJournalReader *reader)
{
  if (reader == NULL)
    return;
  close (reader->fd);
  g_free (reader->path);
  g_byte_array_unref (reader->buffer);
  g_free (reader);
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
fl_journal_list (const char *dir)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) handle = g_dir_open (dir, 0, NULL);
  const char *name;
  while (handle != NULL && (name = g_dir_read_name (handle)) != NULL)
    if (g_str_has_prefix (name, "journal-") && g_str_has_suffix (name, ".flj"))
      g_ptr_array_add (paths, g_build_filename (dir, name, NULL));
  g_ptr_array_sort (paths, compare_paths);
  return paths;
}
