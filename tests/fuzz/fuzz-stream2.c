/* Messages of the DECTRIS stream as files. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/shots/source.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* A map that begins with a type: nothing else is read. */
  static const guint8 head[] = { 0xb8, 8, 0x64, 0x74, 0x79, 0x70, 0x65, 0x65, 0x69, 0x6d, 0x61, 0x67, 0x65 };
  int fd = memfd_create ("fuzz.cbor", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  if (write (fd, head, sizeof head) < 0 || (size > 0 && write (fd, data, size) < 0))
    g_error ("no room for a test file");
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  if (source != NULL)
    {
      g_auto (FlShot) shot = { 0 };
      g_autofree char *text = fl_source_describe (source);
      if (fl_source_n_frames (source) > 0 && fl_source_read (source, 0, &shot, &error))
        g_assert_cmpuint (shot.n_pixels, ==, fl_source_detector (source)->n_pixels);
    }
  if (error != NULL)
    g_assert_null (strchr (error->message, '\n'));
  close (fd);
  return 0;
}
