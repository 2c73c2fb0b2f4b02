/* HDF5 files whole: NXmx, Dectris masters, CXI and plain ones, as a source that describes itself. What the file names
 * (external and virtual data) it does not find. HDF5 1.10 itself has known crashes in damaged metadata; those are its own
 * (frames outside of engine/), and builds with its library uninstrumented see few of them. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/shots/inspect-shots.h"
#include "engine/shots/source.h"

/* Larger frames only cost time here. */
#define MAX_PIXELS (1 << 22)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char magic[] = "\x89HDF\r\n\x1a\n";
  gsize head = MIN (size, 8);
  /* HDF5 asks for the real path of what it opens: a file without a name will not do. */
  g_autofree char *path = g_strdup_printf ("%s/fuzz-%d.h5", g_get_tmp_dir (), (int) getpid ());
  int fd = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  /* The signature is kept whole, that no input is wasted. */
  if (write (fd, magic, 8) < 0 || (size > head && write (fd, data + head, size - head) < 0))
    g_error ("no room for a test file");
  g_autoptr (GError) error = NULL, told = NULL;
  g_autofree char *listing = fl_inspect_hdf5 (path, &told);
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  if (source != NULL && fl_source_detector (source)->n_pixels <= MAX_PIXELS)
    {
      g_autofree char *text = fl_source_describe (source);
      for (guint32 i = 0; i < MIN (fl_source_n_frames (source), 3) && error == NULL; i++)
        {
          g_auto (FlShot) shot = { 0 };
          if (fl_source_read (source, i, &shot, &error))
            g_assert_cmpuint (shot.n_pixels, ==, fl_source_detector (source)->n_pixels);
        }
    }
  if (error != NULL)
    g_assert_null (strchr (error->message, '\n'));
  close (fd);
  unlink (path);
  return 0;
}
