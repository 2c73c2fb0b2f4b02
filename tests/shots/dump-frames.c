/* dump-frames FILE GEOMETRY STEP: for the oracle written in Python – "frame event energy crc32-of-pixels bad" a line. */

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "engine/shots/source.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  FlSourceOptions options = { .geometry = argc > 2 ? argv[2] : NULL };
  g_autoptr (FlSource) source = argc > 3 ? fl_source_open (argv[1], &options, &error) : NULL;
  if (source == NULL)
    {
      fprintf (stderr, "%s\n", error != NULL ? error->message : "usage: dump-frames FILE GEOMETRY STEP");
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
  return 0;
}
