/* make-demo-datasets FOLDER [RUNS [many]]: a made experiment with datasets to look at; with "many" records alone. */
#include <stdlib.h>

#include "tests/gui/made-datasets.h"

int
main (int argc, char *argv[])
{
  if (argc < 2)
    {
      g_printerr ("make-demo-datasets FOLDER [RUNS [many]]\n");
      return 2;
    }
  guint64 now = (guint64) g_get_real_time () * 1000;
  MadeDatasets ignored;
  MadeStore made = { argc > 2 ? (guint) atoi (argv[2]) : 24, 600, 8, now, TRUE, FALSE };
  if (argc > 3)
    made_datasets_write_many (argv[1], made.runs, now);
  else
    made_datasets_write (argv[1], &made, &ignored);
  return 0;
}
