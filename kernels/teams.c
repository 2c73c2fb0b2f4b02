/* teams.c: the test double of a GPU: a team is several threads with a real barrier. */
#include "kernels/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct
{
  const FlkLaunch *launch;
  TeamsBody body;
  void *shared;
  const void *args;
  pthread_barrier_t barrier;
} Run;

typedef struct
{
  Run *run;
  uint32_t rank;
  pthread_t thread;
} Member;

static void *
member_main (void *data)
{
  Member *member = data;
  Run *run = member->run;
  for (uint32_t i = 0; i < run->launch->teams; i++)
    {
      Team t = { i, member->rank, run->launch->team_size, &run->barrier };
      run->body (t, run->shared, run->args);
      pthread_barrier_wait (&run->barrier); /* the next team uses the same shared memory */
    }
  return NULL;
}

int
teams_run (const FlkLaunch *launch, size_t shared_size, TeamsBody body, const void *args)
{
  uint32_t size = launch->team_size, started = 0;
  Run run = { launch, body, aligned_alloc (64, (shared_size + 63) / 64 * 64), args, { { 0 } } };
  Member *members = calloc (size, sizeof *members);
  int result = !run.shared || !members ? ENOMEM : pthread_barrier_init (&run.barrier, NULL, size);
  if (result == 0)
    {
      /* All or none: a team with a member short would wait for ever. */
      for (; started < size; started++)
        {
          members[started].run = &run;
          members[started].rank = started;
          if (pthread_create (&members[started].thread, NULL, member_main, &members[started]) != 0)
            {
              fprintf (stderr, "kernels: cannot start %u threads\n", size);
              abort ();
            }
        }
      for (uint32_t i = 0; i < started; i++)
        pthread_join (members[i].thread, NULL);
      pthread_barrier_destroy (&run.barrier);
    }
  free (members);
  free (run.shared);
  return result;
}
