/* fuzz-source.h: a file that never touches a disk, opened, described and read as a source of shots. */
#pragma once

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/shots/source.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* `magic`, without which nothing is read, then the data. */
static inline int
fuzz_source (const char *name, const void *magic, gsize length, const guint8 *data, gsize size)
{
  int fd = memfd_create (name, MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  if (write (fd, magic, length) < 0 || (size > 0 && write (fd, data, size) < 0))
    g_error ("no room for a test file");
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  if (source != NULL)
    {
      g_auto (FlShot) shot = { 0 };
      g_free (fl_source_describe (source));
      if (fl_source_n_frames (source) > 0 && fl_source_read (source, 0, &shot, &error))
        g_assert_cmpuint (shot.n_pixels, ==, fl_source_detector (source)->n_pixels);
    }
  if (error != NULL)
    g_assert_null (strchr (error->message, '\n'));
  close (fd);
  return 0;
}
