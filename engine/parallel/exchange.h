/* exchange.h: bytes from every rank to every rank: the big messages of merging.
 *
 * Collective. Sent in pieces, so that lengths have no limit but memory; what comes is in order of rank, whatever order it came in.
 * Thread: the main one. */
#pragma once

#include "engine/parallel/parallel.h"

/* `data`: the bytes for rank 0, then those for rank 1 …, lengths[ranks]. Returns the bytes from rank 0, then those from rank 1 …
 * (g_free), received[ranks] (filled) of each. */
char *fl_parallel_exchange (FlParallel *parallel, const void *data, const guint64 *lengths,
                            guint64 *received);
/* Every rank's bytes, in order of rank, at every rank (g_free); `total`: so many. */
char *fl_parallel_gather_all (FlParallel *parallel, const void *data, guint64 length, guint64 *total);
