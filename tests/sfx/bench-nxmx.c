/* bench-nxmx FILE: reads the first frame of a file of shots some times and finds its spots: "read decode spots found", ms
 * (decode: CPU time within read) and spots. */
#include <stdio.h>

#include "engine/base/units.h"
#include "engine/sfx/spot-finding.h"

#define TIMES 5

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  g_autoptr (FlSource) source = argc == 2 ? fl_source_open (argv[1], NULL, &error) : NULL;
  g_autoptr (FlSpotFinder) finder = NULL;
  g_auto (FlShot) shot = { 0 };
  FlFound found = { 0 };
  double best[3] = { INFINITY, INFINITY, INFINITY };
  if (source == NULL || !fl_params_set (params, "spots.algorithm", "dispersion", &error)
      || (finder = fl_spot_finder_new (params, 0, NULL, &error)) == NULL)
    {
      fprintf (stderr, "%s\n", error != NULL ? error->message : "usage: bench-nxmx FILE");
      return 2;
    }
  for (int i = 0; i < TIMES; i++)
    {
      guint64 t[3] = { fl_tick_ns () };
      gboolean ok = fl_source_read (source, 0, &shot, &error);
      t[1] = fl_tick_ns ();
      ok = ok && fl_spot_finder_find (finder, &shot, fl_source_detector (source), &found, &error);
      t[2] = fl_tick_ns ();
      if (!ok)
        {
          fprintf (stderr, "%s\n", error->message);
          return 2;
        }
      best[0] = MIN (best[0], (double) (t[1] - t[0]) * 1e-6);
      best[1] = MIN (best[1], (double) shot.t_decode * 1e-6);
      best[2] = MIN (best[2], (double) (t[2] - t[1]) * 1e-6);
    }
  printf ("%.2f %.2f %.2f %u\n", best[0], best[1], best[2], found.n_spots);
  return 0;
}
