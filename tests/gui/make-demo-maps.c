/* make-demo-maps FOLDER [MAPS…]: a made experiment with a merged dataset that has maps to look at: those of the folders MAPS that
 * `firstlight-engine map` has written, one a version; without any, small ones that are made up. */
#include <unistd.h>

#include "tests/gui/made-maps.h"
#include "tests/gui/made-merges.h"
#include "tests/gui/made-store.h"

#define VERSIONS 3

int
main (int argc, char *argv[])
{
  static const MadeMerges merges = { "lyso-01", VERSIONS, 12300, 28, 1, 0.002, { .goal_d_min = 2.0 } };
  GError *error = NULL;
  if (argc < 2)
    {
      g_printerr ("make-demo-maps FOLDER [MAPS…]\n");
      return 2;
    }
  guint64 now = (guint64) g_get_real_time () * 1000;
  MadeStore made = { 4, 300, 4, now, TRUE, FALSE };
  made_store_write (argv[1], &made);
  FlStore *store = fl_store_open (argv[1], FL_STORE_WRITE, &error);
  if (store == NULL)
    {
      g_printerr ("make-demo-maps: %s\n", error->message);
      return 1;
    }
  gint64 dataset = made_merges_add (store, &merges, now), task = made_maps_add_task (store, dataset);
  for (int v = 1; v <= (argc > 2 ? MIN (argc - 2, VERSIONS) : 2); v++)
    {
      g_autofree char *path =
          made_maps_add (store, dataset, task, v, FL_JOB_DONE, now - (guint64) (3 - v) * 420000000000);
      g_autofree char *folder = g_build_filename (argv[1], path, NULL);
      g_autofree char *from = argc > 2 ? g_canonicalize_filename (argv[1 + v], NULL) : NULL;
      if (from == NULL)
        made_maps_write (folder, 0.9 / v, v == 2);
      else if (symlink (from, folder) != 0)
        g_printerr ("make-demo-maps: %s: cannot be made\n", folder);
    }
  fl_store_close (store);
  return 0;
}
