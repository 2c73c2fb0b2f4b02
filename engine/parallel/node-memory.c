#include "engine/parallel/node-memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "engine/parallel/parallel-private.h"

#define ALIGNMENT 64
#define SPARE     ((guint64) 16 << 20) /* bytes of shared memory left to MPI itself */

typedef struct
{
  FlNodeMemory memory;
  void *own; /* g_malloc */
#ifdef FL_HAVE_MPI
  FlParallel *parallel;
  MPI_Win window; /* or MPI_WIN_NULL */
#endif
} Memory;

static void *
align (void *pointer)
{
  return (void *) (((guintptr) pointer + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

static void
make_own (Memory *self, gsize size)
{
  self->own = g_malloc0 (size + ALIGNMENT);
  self->memory = (FlNodeMemory){ align (self->own), 0, 1 };
}

#ifdef FL_HAVE_MPI

/* A write beyond what /dev/shm has ends a process by SIGBUS: to be known before. */
static gboolean
has_room (FlParallel *parallel, gsize size)
{
  struct statvfs about;
  int room =
      statvfs ("/dev/shm", &about) != 0 || (guint64) about.f_bavail * about.f_frsize > (guint64) size + SPARE;
  MPI_Request request;
  MPI_Ibcast (&room, 1, MPI_INT, 0, parallel->node, &request);
  fl_parallel_wait (&request);
  return room != 0;
}

static void
gentle_barrier (MPI_Comm comm)
{
  MPI_Request request;
  MPI_Ibarrier (comm, &request);
  fl_parallel_wait (&request);
}

FlNodeMemory *
fl_node_memory_new (FlParallel *parallel, gsize size)
{
  Memory *self = g_new0 (Memory, 1);
  self->parallel = parallel;
  self->window = MPI_WIN_NULL;
  if (parallel->node_ranks == 1 || !has_room (parallel, size))
    {
      make_own (self, size);
      return &self->memory;
    }
  gboolean first = parallel->node_rank == 0;
  void *base;
  MPI_Aint all;
  int unit;
  MPI_Win_allocate_shared (first ? (MPI_Aint) (size + ALIGNMENT) : 0, 1, MPI_INFO_NULL, parallel->node, &base,
                           &self->window);
  MPI_Win_shared_query (self->window, 0, &all, &unit, &base);
  MPI_Win_lock_all (MPI_MODE_NOCHECK, self->window);
  /* Pages are the same everywhere, addresses are not: aligned from the page's beginning, all see the same bytes. */
  self->memory = (FlNodeMemory){ align (base), (guint) parallel->node_rank, (guint) parallel->node_ranks };
  if (first)
    memset (self->memory.data, 0, size);
  fl_node_memory_fence (&self->memory);
  return &self->memory;
}

void
fl_node_memory_fence (FlNodeMemory *memory)
{
  Memory *self = (Memory *) memory;
  if (self->window == MPI_WIN_NULL)
    return;
  MPI_Win_sync (self->window);
  gentle_barrier (self->parallel->node);
  MPI_Win_sync (self->window);
}

void
fl_node_memory_free (FlNodeMemory *memory)
{
  Memory *self = (Memory *) memory;
  if (self == NULL)
    return;
  if (self->window != MPI_WIN_NULL)
    {
      MPI_Win_unlock_all (self->window);
      gentle_barrier (self->parallel->node);
      MPI_Win_free (&self->window);
    }
  g_free (self->own);
  g_free (self);
}

#else /* one rank */

FlNodeMemory *
fl_node_memory_new (FlParallel *parallel, gsize size)
{
  (void) parallel;
  Memory *self = g_new0 (Memory, 1);
  make_own (self, size);
  return &self->memory;
}

void
fl_node_memory_fence (FlNodeMemory *memory)
{
  (void) memory;
}

void
fl_node_memory_free (FlNodeMemory *memory)
{
  Memory *self = (Memory *) memory;
  if (self == NULL)
    return;
  g_free (self->own);
  g_free (self);
}

#endif
