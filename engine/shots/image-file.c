#include "engine/shots/image-file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "engine/base/error.h"

/* Four times the largest detectors' frames. */
#define MAX_LENGTH ((gsize) 1 << 30)
#define PIECE      ((gsize) 1 << 24)

gsize
fl_image_file_head (const char *path, guint8 *head, gsize n)
{
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
