/* TIFF images of every byte order and packing, MarCCD headers, through the source that reads them. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/shots/source.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char magics[4][5] = { "II*\0", "MM\0*", "II+\0", "MM\0+" };
  if (size == 0)
    return 0;
  const char *magic = magics[data[0] & 3];
  int fd = memfd_create ("fuzz.tif", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  if (write (fd, magic, 4) < 0 || (size > 1 && write (fd, data + 1, size - 1) < 0))
    g_error ("no room for a test file");
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  if (source != NULL)
    {
      g_auto (FlShot) shot = { 0 };
      g_autofree char *text = fl_source_describe (source);
      if (fl_source_read (source, 0, &shot, &error))
        g_assert_cmpuint (shot.n_pixels, ==, fl_source_detector (source)->n_pixels);
    }
  if (error != NULL)
    g_assert_null (strchr (error->message, '\n'));
  close (fd);
  return 0;
}
