/* make-demo-reconstructions FOLDER [CONFORMATIONS]: a made single-particle experiment: runs with hits, and a dataset whose second
 * version is being reconstructed. */
#include <stdlib.h>

#include "tests/gui/made-reconstructions.h"
#include "tests/gui/made-store.h"

int
main (int argc, char *argv[])
{
  GError *error = NULL;
  if (argc < 2)
    {
      g_printerr ("make-demo-reconstructions FOLDER [CONFORMATIONS]\n");
      return 2;
    }
  guint64 now = (guint64) g_get_real_time () * 1000;
  guint conformations = argc > 2 ? (guint) CLAMP (atoi (argv[2]), 1, 4) : 1;
  MadeStore made = { .runs = 6, .shots = 3000, .ranks = 8, .now = now, .particles = TRUE };
  made_store_write (argv[1], &made);
  FlStore *store = fl_store_open (argv[1], FL_STORE_WRITE, &error);
  if (store == NULL)
    {
      g_printerr ("make-demo-reconstructions: %s\n", error->message);
      return 1;
    }
  gint64 dataset = made_reconstructions_add_dataset (store, "groel");
  MadeReconstruction first = { 30, 1, 1, FL_JOB_DONE, now - G_GUINT64_CONSTANT (7200000000000), TRUE, 0 };
  MadeReconstruction second = {
    37, conformations, 1, FL_JOB_RUNNING, now - G_GUINT64_CONSTANT (48000000000), TRUE, 0
  };
  made_reconstructions_add (store, argv[1], dataset, 1, &first);
  made_reconstructions_add (store, argv[1], dataset, 2, &second);
  fl_store_close (store);
  return 0;
}
