/* node-memory.h: memory that the ranks of a node have in common, so that what all of them read is there once and made once.
 *
 * Where the node has no room for it in shared memory (containers often have 64 MB), or without MPI, every rank gets memory of its
 * own; `members` is then 1, and who fills its part of the work fills all. Between writing and another's reading stands
 * fl_node_memory_fence(). All calls are collective. Thread: the main one. */
#pragma once

#include "engine/parallel/parallel.h"

typedef struct
{
  void *data;            /* aligned to 64 bytes, zeroed */
  guint member, members; /* this rank is number `member` of the `members` that see this memory */
} FlNodeMemory;

FlNodeMemory *fl_node_memory_new (FlParallel *parallel, gsize size);
/* What any member has written before it is seen by all of them after it. */
void fl_node_memory_fence (FlNodeMemory *memory);
void fl_node_memory_free (FlNodeMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlNodeMemory, fl_node_memory_free)
