/* make-demo-jobs FOLDER [RUNS]: a made beamtime to look at from its jobs, in every state (made-jobs.h). */
#include <stdlib.h>

#include "tests/gui/made-jobs.h"

int
main (int argc, char *argv[])
{
  if (argc < 2)
    {
      g_printerr ("make-demo-jobs FOLDER [RUNS]\n");
      return 2;
    }
  made_jobs_write (argv[1], argc > 2 ? (guint) atoi (argv[2]) : 24, (guint64) g_get_real_time () * 1000,
                   NULL);
  return 0;
}
