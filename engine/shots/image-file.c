#include "engine/shots/image-file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#ifdef FL_HAVE_BZIP2
#include <bzlib.h>
#endif

#include "engine/base/error.h"

/* Four times the largest detectors' frames. */
#define MAX_LENGTH ((gsize) 1 << 30)
#define PIECE      ((gsize) 1 << 24)

/* --- bzip2 --- */

#ifdef FL_HAVE_BZIP2
/* A file may be several streams behind each other, and they blocks (an empty one makes nothing). At most `most` bytes,
 * FL_IMAGE_PADDING zeros behind them; -1: damaged, cut off or longer. `some`: what lies behind `most` does not matter. */
static gssize
unpack_bzip2 (const char *packed, gsize length, gsize most, gboolean some, guint8 **bytes)
{
  gsize room = MIN (most, MAX (4 * length, PIECE)), done = 0;
  *bytes = g_malloc (room + FL_IMAGE_PADDING);
  int status = BZ_OK;
  for (gsize at = 0; at < length && status >= 0 && !(some && done == most);)
    {
      bz_stream stream = { .next_in = (char *) packed + at, .avail_in = (unsigned) (length - at) };
      status = BZ2_bzDecompressInit (&stream, 0, 0);
      while (status == BZ_OK)
        {
          if (done == room && room < most)
            {
              room = MIN (2 * room, most);
              *bytes = g_realloc (*bytes, room + FL_IMAGE_PADDING);
            }
          gsize before = stream.avail_in;
          stream.next_out = (char *) *bytes + done;
          stream.avail_out = (unsigned) (room - done);
          status = BZ2_bzDecompress (&stream);
          gsize got = room - done - stream.avail_out;
          done += got;
          if (status == BZ_OK && got == 0 && stream.avail_in == before) /* no room, or no input */
            status = BZ_UNEXPECTED_EOF;
        }
      at = length - stream.avail_in;
      BZ2_bzDecompressEnd (&stream);
    }
  memset (*bytes + done, 0, FL_IMAGE_PADDING);
  return status == BZ_STREAM_END || (some && done > 0) ? (gssize) done : -1;
}

static gboolean
is_bzip2 (const char *path)
{
  char magic[3];
  FILE *file = fopen (path, "rb");
  gboolean is = file != NULL && fread (magic, 1, 3, file) == 3 && memcmp (magic, "BZh", 3) == 0;
  if (file != NULL)
    fclose (file);
  return is;
}

static gssize
load_bzip2 (const char *path, gsize most, gboolean some, guint8 **bytes)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  gsize length = file != NULL ? g_mapped_file_get_length (file) : 0;
  return length > 0 && length < MAX_LENGTH
             ? unpack_bzip2 (g_mapped_file_get_contents (file), length, most, some, bytes)
             : -1;
}
#else
static gboolean
is_bzip2 (const char *path)
{
  (void) path;
  return FALSE;
}

static gssize
load_bzip2 (const char *path, gsize most, gboolean some, guint8 **bytes)
{
  (void) path, (void) most, (void) some, (void) bytes;
  return -1;
}
#endif

/* --- as they are, or gzip'd --- */

gsize
fl_image_file_head (const char *path, guint8 *head, gsize n)
{
  if (is_bzip2 (path))
    {
      g_autofree guint8 *bytes = NULL;
      gssize got = load_bzip2 (path, n, TRUE, &bytes);
      if (got > 0)
        memcpy (head, bytes, (gsize) got);
      if (got > 0)
        return (gsize) got;
    }
  gzFile file = gzopen (path, "rb");
  if (file == NULL)
    return 0;
  int got = gzread (file, head, (unsigned) n);
  gzclose (file);
  return got > 0 ? (gsize) got : 0;
}

/* Reads to the end, `room` bytes at first; -1: damaged, too long or unreadable. */
static gssize
read_all (gzFile file, gsize room, guint8 **bytes)
{
  gsize length = 0;
  int got = 0;
  *bytes = g_malloc (room + FL_IMAGE_PADDING);
  while ((got = gzread (file, *bytes + length, (unsigned) MIN (room - length, PIECE))) > 0)
    {
      length += (gsize) got;
      if (length >= MAX_LENGTH)
        return -1;
      if (length == room)
        {
          room *= 2;
          *bytes = g_realloc (*bytes, room + FL_IMAGE_PADDING);
        }
    }
  memset (*bytes + length, 0, FL_IMAGE_PADDING);
  int status;
  gzerror (file, &status);
  return got < 0 || (status != Z_OK && status != Z_STREAM_END) ? -1 : (gssize) length;
}

guint8 *
fl_image_file_load (const char *path, gsize *length, GError **error)
{
  struct stat info;
  errno = 0;
  gzFile file = stat (path, &info) == 0 ? gzopen (path, "rb") : NULL;
  if (file == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s, expected an image", path, g_strerror (errno));
      return NULL;
    }
  g_autofree guint8 *bytes = NULL;
  if (is_bzip2 (path))
    {
      gssize unpacked = load_bzip2 (path, MAX_LENGTH, FALSE, &bytes);
      gzclose (file);
      if (unpacked >= 0)
        {
          *length = (gsize) unpacked;
          return g_steal_pointer (&bytes);
        }
      g_set_error (
          error, FL_ERROR, FL_ERROR_INPUT,
          "%s: bzip2'd data that are damaged, cut off or too long, expected an image of at most 1 GiB", path);
      return NULL;
    }
  /* One byte more than the file has: its end is seen without more room. */
  gssize got = (gsize) info.st_size < MAX_LENGTH ? read_all (file, (gsize) info.st_size + 1, &bytes) : -1;
  gboolean packed = !gzdirect (file);
  gzclose (file);
  if (got < 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s, expected an image of at most 1 GiB", path,
                   packed ? "gzip'd data that are damaged, cut off or too long" : "too long or unreadable");
      return NULL;
    }
  *length = (gsize) got;
  return g_steal_pointer (&bytes);
}
