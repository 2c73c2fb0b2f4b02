/* parallel-private.h: what the files of this room share. */
#pragma once

#include "engine/parallel/parallel.h"

#ifdef FL_HAVE_MPI
#include <mpi.h>
#endif

struct FlParallel
{
  int rank, ranks, node_rank, node_ranks;
#ifdef FL_HAVE_MPI
  MPI_Comm comm, node; /* all ranks; those of this node */
#endif
};

#ifdef FL_HAVE_MPI
/* Blocking MPI calls spin on a core that another rank of the node may need. */
void fl_parallel_wait (MPI_Request *request);
#endif
