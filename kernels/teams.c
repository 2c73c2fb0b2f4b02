/* teams.c: the test double of a GPU: a team is several threads with a real barrier, and memory is the device's alone.
 *
 * The host that reads or writes device memory by itself dies of it: that is open only while the device works. And it is as
 * late as a device can be: what it was asked for is done when somebody waits for it, or QUEUE things are asked for. So who
 * uses a result too early, or changes what is still to be copied, gets wrong results every time. What tests ask of it:
 *   FIRSTLIGHT_TEAMS_MEMORY=BYTES  it has so much
 *   FIRSTLIGHT_TEAMS_FAIL=N        this process's N-th launch fails, and all that is asked for after it
 *   FIRSTLIGHT_TEAMS_TRACE=FILE    lines "launch KERNEL" as they are asked for, "wait" where the host waits for any of it */
#include "kernels/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum
{
  QUEUE = 256
};

typedef struct
{
  char *start;
  size_t size; /* whole pages */
} Piece;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Piece *pieces;
static size_t n_pieces, allocated;
static unsigned users; /* queues that are being worked on, of all devices */
static unsigned launches;

typedef struct
{
  enum
  {
    LAUNCH,
    COPY,
    ZERO,
    MARK
  } what;
  FlkLaunch launch;
  size_t shared_size;
  TeamsBody body;
  void *to;         /* a mark is a double: seconds */
  const void *from; /* of a launch: its arguments, own */
  size_t size;
} Order;

typedef struct
{
  Order orders[QUEUE];
  unsigned n;
  int failed; /* of anything so far */
} Stream;

static size_t
setting (const char *name)
{
  const char *text = getenv (name);
  return text ? (size_t) strtoull (text, NULL, 10) : 0;
}

static void
trace (const char *what, const char *name)
{
  const char *path = getenv ("FIRSTLIGHT_TEAMS_TRACE");
  int fd = path ? open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
  if (fd < 0)
    return;
  dprintf (fd, "%s%s\n", what, name);
  close (fd);
}

/* --- memory --- */

int
teams_memory (size_t *left, size_t *total)
{
  size_t page = (size_t) sysconf (_SC_PAGESIZE), limit = setting ("FIRSTLIGHT_TEAMS_MEMORY");
  pthread_mutex_lock (&lock);
  *total = limit ? limit : (size_t) sysconf (_SC_PHYS_PAGES) * page;
  *left =
      limit ? limit - (allocated < limit ? allocated : limit) : (size_t) sysconf (_SC_AVPHYS_PAGES) * page;
  pthread_mutex_unlock (&lock);
  return 0;
}

int
teams_alloc (void **memory, size_t size)
{
  size_t page = (size_t) sysconf (_SC_PAGESIZE), limit = setting ("FIRSTLIGHT_TEAMS_MEMORY");
  *memory = NULL;
  if (size > SIZE_MAX / 2)
    return ENOMEM;
  size = (size + page - 1) / page * page;
  pthread_mutex_lock (&lock);
  Piece *more = limit && allocated + size > limit ? NULL : realloc (pieces, (n_pieces + 1) * sizeof *more);
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
      allocated += size;
      *memory = start;
    }
  pthread_mutex_unlock (&lock);
  return *memory ? 0 : ENOMEM;
}

int
teams_release (void *stream, void *memory)
{
  int result = teams_wait (stream); /* what was asked for may use it */
  pthread_mutex_lock (&lock);
  for (size_t i = 0; i < n_pieces; i++)
    if (pieces[i].start == memory)
      {
        munmap (memory, pieces[i].size);
        allocated -= pieces[i].size;
        pieces[i] = pieces[--n_pieces];
        break;
      }
  pthread_mutex_unlock (&lock);
  return result;
}

static void
touch (bool allowed)
{
  pthread_mutex_lock (&lock);
  bool change = allowed ? users++ == 0 : --users == 0;
  for (size_t i = 0; change && i < n_pieces; i++)
    mprotect (pieces[i].start, pieces[i].size, allowed ? PROT_READ | PROT_WRITE : PROT_NONE);
  pthread_mutex_unlock (&lock);
}

/* --- a launch --- */

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

static int
run_teams (const Order *order)
{
  uint32_t size = order->launch.team_size, started = 0;
  if (!order->body)
    return EIO;
  Run run = { &order->launch,
              order->body,
              aligned_alloc (64, (order->shared_size + 63) / 64 * 64),
              order->from,
              { { 0 } } };
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

/* --- the queue --- */

static int
run_order (const Order *order)
{
  struct timespec t;
  switch (order->what)
    {
    case LAUNCH:
      return run_teams (order);
    case COPY:
      memmove (order->to, order->from, order->size);
      return 0;
    case ZERO:
      memset (order->to, 0, order->size);
      return 0;
    case MARK:
    default:
      clock_gettime (CLOCK_MONOTONIC, &t);
      *(double *) order->to = (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
      return 0;
    }
}

static void
run_queue (Stream *stream)
{
  touch (true);
  for (unsigned i = 0; i < stream->n; i++)
    {
      Order *order = &stream->orders[i];
      if (stream->failed == 0)
        stream->failed = run_order (order);
      if (order->what == LAUNCH)
        free ((void *) order->from);
    }
  touch (false);
  stream->n = 0;
}

static int
add (void *stream, const Order *order)
{
  Stream *s = stream;
  if (s->n == QUEUE)
    run_queue (s);
  s->orders[s->n++] = *order;
  return 0;
}

int
teams_open (void **stream)
{
  *stream = calloc (1, sizeof (Stream));
  return *stream ? 0 : ENOMEM;
}

void
teams_close (void *stream)
{
  run_queue (stream);
  free (stream);
}

int
teams_wait (void *stream)
{
  Stream *s = stream;
  if (s->n > 0)
    {
      trace ("wait", "");
      run_queue (s);
    }
  return s->failed;
}

int
teams_launch (const FlkLaunch *launch, const char *name, size_t shared_size, TeamsBody body, const void *args,
              size_t args_size)
{
  void *own = malloc (args_size);
  if (!own)
    return ENOMEM;
  memcpy (own, args, args_size);
  trace ("launch ", name);
  if (__atomic_add_fetch (&launches, 1, __ATOMIC_RELAXED) == setting ("FIRSTLIGHT_TEAMS_FAIL"))
    body = NULL;
  Order order = { .what = LAUNCH, .launch = *launch, .shared_size = shared_size, .body = body, .from = own };
  return add (launch->stream, &order);
}

int
teams_copy (void *stream, void *to, const void *from, size_t size)
{
  Order order = { .what = COPY, .to = to, .from = from, .size = size };
  return add (stream, &order);
}

int
teams_zero (void *stream, void *memory, size_t size)
{
  Order order = { .what = ZERO, .to = memory, .size = size };
  return add (stream, &order);
}

int
teams_mark_new (void *stream, void **mark)
{
  (void) stream;
  *mark = calloc (1, sizeof (double));
  return *mark ? 0 : ENOMEM;
}

void
teams_mark_free (void *stream, void *mark)
{
  run_queue (stream);
  free (mark);
}

int
teams_mark_set (void *stream, void *mark)
{
  Order order = { .what = MARK, .to = mark };
  return add (stream, &order);
}

int
teams_mark_between (void *stream, void *from, void *to, double *seconds)
{
  int result = teams_wait (stream);
  *seconds = *(const double *) to - *(const double *) from;
  return result;
}
