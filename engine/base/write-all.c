#include "engine/base/write-all.h"

#include <errno.h>
#include <unistd.h>

gboolean
fl_write_all (int fd, const void *data, gsize length)
{
  const char *at = data;
  while (length > 0)
    {
      ssize_t wrote = write (fd, at, length);
      if (wrote < 0 && errno != EINTR)
        return FALSE;
      at += MAX (wrote, 0);
      length -= (gsize) MAX (wrote, 0);
    }
  return TRUE;
}
