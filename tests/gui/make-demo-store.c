/* make-demo-store FOLDER [RUNS SHOTS RANKS [index]]: a made experiment to look at; the newest shot has just ended. */
#include <stdlib.h>

#include "tests/gui/made-store.h"

int
main (int argc, char *argv[])
{
  if (argc < 2)
    {
      g_printerr ("make-demo-store FOLDER [RUNS SHOTS RANKS [index]]\n");
      return 2;
    }
  MadeStore made = { argc > 2 ? (guint) atoi (argv[2]) : 9,
                     argc > 3 ? (guint) atoi (argv[3]) : 3000,
                     argc > 4 ? (guint) atoi (argv[4]) : 64,
                     (guint64) g_get_real_time () * 1000,
                     argc > 5,
                     FALSE };
  made_store_write (argv[1], &made);
  return 0;
}
