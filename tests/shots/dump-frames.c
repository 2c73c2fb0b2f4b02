/* dump-frames FILE GEOMETRY STEP [PIXELS]: for the oracles written in Python – "frame event energy crc32-of-pixels bad" a line,
 * and the last frame's pixels as doubles in the file PIXELS. GEOMETRY "-": none. */

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "engine/shots/source.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  FlSourceOptions options = { .geometry = argc > 2 && *argv[2] != '-' ? argv[2] : NULL };
  g_autoptr (FlSource) source = argc > 3 ? fl_source_open (argv[1], &options, &error) : NULL;
  if (source == NULL)
    {
      fprintf (stderr, "%s\n",
               error != NULL ? error->message : "usage: dump-frames FILE GEOMETRY STEP [PIXELS]");
      return 2;
    }
  const FlDetector *detector = fl_source_detector (source);
  gsize bad = 0;
  for (gsize i = 0; i < detector->n_pixels; i++)
    bad += detector->mask[i];
  for (guint32 i = 0; i < fl_source_n_frames (source); i += (guint32) atoi (argv[3]))
    {
      if (!fl_source_read (source, i, &shot, &error))
        {
          fprintf (stderr, "%s\n", error->message);
          return 2;
        }
      printf ("%u %s %.9g %08lx %zu\n", i, shot.event, shot.energy,
              crc32_z (0, shot.pixels, shot.n_pixels * fl_pixel_size (shot.type)), bad);
    }
  if (argc > 4)
    {
      g_autofree double *values = g_new (double, shot.n_pixels);
      for (gsize i = 0; i < shot.n_pixels; i++)
        values[i] = fl_shot_value (&shot, i);
      g_assert_true (
          g_file_set_contents (argv[4], (char *) values, (gssize) (shot.n_pixels * sizeof *values), NULL));
    }
  return 0;
}
