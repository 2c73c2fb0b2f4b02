/* One rank of test-signals.py: is asked to stop once, while MPI starts, before or behind it, and must know it in the end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/parallel/parallel.h"

int
main (int argc, char **argv)
{
  int number = atoi (argv[1]);
  gulong after_us = (gulong) atol (argv[2]);
  fl_parallel_catch_signals ();
  pid_t rank = getpid (), asking = fork ();
  if (asking == 0)
    {
      g_usleep (after_us);
      _exit (kill (rank, number) != 0);
    }
  g_autoptr (FlParallel) parallel = fl_parallel_start (&argc, &argv);
  waitpid (asking, NULL, 0);
  guint64 asked = fl_parallel_stop_asked ();
  fl_parallel_sum_u64 (parallel, &asked, 1);
  if (fl_parallel_rank (parallel) == 0)
    printf ("%u of %u\n", (guint) asked, fl_parallel_ranks (parallel));
  return 0;
}
