/* teams.c: the test double of a GPU: a team is several threads with a real barrier, and memory is the device's alone.
 *
 * The host that reads or writes device memory by itself dies of it: that is open only during launches and copies. */
#include "kernels/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct
{
  char *start;
  size_t size; /* whole pages */
} Piece;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Piece *pieces;
static size_t n_pieces;
static unsigned users; /* launches and copies under way, of all devices */

int
teams_alloc (void **memory, size_t size)
{
  size_t page = (size_t) sysconf (_SC_PAGESIZE);
  *memory = NULL;
  if (size > SIZE_MAX / 2)
    return ENOMEM;
  size = (size + page - 1) / page * page;
  pthread_mutex_lock (&lock);
  Piece *more = realloc (pieces, (n_pieces + 1) * sizeof *more);
  void *start = MAP_FAILED;
  if (more)
    {
      pieces = more;
      start = mmap (NULL, size, users > 0 ? PROT_READ | PROT_WRITE : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
    }
  if (start != MAP_FAILED)
    {
      pieces[n_pieces++] = (Piece){ start, size };
      *memory = start;
    }
  pthread_mutex_unlock (&lock);
  return *memory ? 0 : ENOMEM;
}

void
teams_release (void *memory)
{
  pthread_mutex_lock (&lock);
  for (size_t i = 0; i < n_pieces; i++)
    if (pieces[i].start == memory)
      {
        munmap (memory, pieces[i].size);
        pieces[i] = pieces[--n_pieces];
        break;
      }
  pthread_mutex_unlock (&lock);
}

void
teams_touch (bool allowed)
{
  pthread_mutex_lock (&lock);
  bool change = allowed ? users++ == 0 : --users == 0;
  for (size_t i = 0; change && i < n_pieces; i++)
    mprotect (pieces[i].start, pieces[i].size, allowed ? PROT_READ | PROT_WRITE : PROT_NONE);
  pthread_mutex_unlock (&lock);
}

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
      teams_touch (true);
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
      teams_touch (false);
    }
  free (members);
  free (run.shared);
  return result;
}
