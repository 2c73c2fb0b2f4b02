/* arrays.h: large arrays of numbers between ranks: sums over all, and what rank 0 has for all.
 *
 * A sum adds in order of rank, in double, whatever order messages come in: the same number of ranks gives the same bits, and every
 * rank has them. Each rank adds a slice of the array and all get all slices, so that a rank sends and receives each number about
 * twice, however many ranks there are. All calls are collective. Thread: the main one. */
#pragma once

#include "engine/parallel/parallel.h"

/* In place; every rank gets the sums. `n` is the same at all ranks. */
void fl_parallel_sum_f32 (FlParallel *parallel, float *values, gsize n);
/* Each rank gets the sums of a part alone: values[first] … values[last − 1] with fl_parallel_part(); the rest is untouched. */
void fl_parallel_sum_scatter_f32 (FlParallel *parallel, float *values, gsize n);

/* Part `rank` of n things dealt to `ranks` in runs as equal as can be. */
static inline void
fl_parallel_part (guint rank, guint ranks, gsize n, gsize *first, gsize *last)
{
  *first = n * rank / ranks;
  *last = n * (rank + 1) / ranks;
}

/* Rank 0's bytes for all, in place. */
void fl_parallel_share_data (FlParallel *parallel, void *data, gsize length);
/* The same where only rank 0 has them, or knows how many; NULL travels as NULL. The others' `bytes` is ignored. */
GBytes *fl_parallel_share_bytes (FlParallel *parallel, GBytes *bytes);
