#include "engine/parallel/exchange.h"

#include <string.h>

#include "engine/parallel/parallel-private.h"

#define PIECE (64u << 20) /* bytes that a rank sends, and gets, in one message to all */

#ifdef FL_HAVE_MPI

/* Everybody's lengths: table[from * ranks + to]. */
static guint64 *
share_lengths (FlParallel *parallel, const guint64 *lengths)
{
  guint ranks = (guint) parallel->ranks;
  guint64 *table = g_new (guint64, (gsize) ranks * ranks);
  MPI_Request request;
  MPI_Iallgather (lengths, (int) ranks, MPI_UINT64_T, table, (int) ranks, MPI_UINT64_T, parallel->comm,
                  &request);
  fl_parallel_wait (&request);
  return table;
}

/* The next piece of each rank's part: counts, and where they lie in the message. */
static void
piece_lengths (guint ranks, guint64 done, guint64 most, const guint64 *lengths, int *counts, int *starts)
{
  int start = 0;
  for (guint i = 0; i < ranks; i++)
    {
      counts[i] = lengths[i] > done ? (int) MIN (most, lengths[i] - done) : 0;
      starts[i] = start;
      start += counts[i];
    }
}

/* Parts, one a rank, to where pieces lie; or back. */
static void
copy_pieces (guint ranks, char *parts, const guint64 *lengths, guint64 done, char *message, const int *counts,
             const int *starts, gboolean to_message)
{
  guint64 part = 0;
  for (guint i = 0; i < ranks; part += lengths[i++])
    if (counts[i] > 0 && to_message)
      memcpy (message + starts[i], parts + part + done, (gsize) counts[i]);
    else if (counts[i] > 0)
      memcpy (parts + part + done, message + starts[i], (gsize) counts[i]);
}

char *
fl_parallel_exchange (FlParallel *parallel, const void *data, const guint64 *lengths, guint64 *received)
{
  guint ranks = (guint) parallel->ranks;
  g_autofree guint64 *table = share_lengths (parallel, lengths);
  guint64 total = 0, longest = 0, most = MAX (PIECE / ranks, 1);
  for (guint from = 0; from < ranks; from++)
    {
      received[from] = table[from * ranks + (guint) parallel->rank];
      total += received[from];
    }
  for (guint i = 0; i < ranks * ranks; i++)
    longest = MAX (longest, table[i]);
  char *all = g_malloc (total + 1);
  gsize message = ranks * MIN (most, longest) + 1;
  g_autofree char *out = g_malloc (message), *in = g_malloc (message);
  g_autofree int *counts = g_new (int, 4 * ranks);
  int *out_starts = counts + ranks, *in_counts = counts + 2 * ranks, *in_starts = counts + 3 * ranks;
  for (guint64 done = 0; done < longest; done += most)
    {
      MPI_Request request;
      piece_lengths (ranks, done, most, lengths, counts, out_starts);
      piece_lengths (ranks, done, most, received, in_counts, in_starts);
      copy_pieces (ranks, (char *) data, lengths, done, out, counts, out_starts, TRUE);
      MPI_Ialltoallv (out, counts, out_starts, MPI_BYTE, in, in_counts, in_starts, MPI_BYTE, parallel->comm,
                      &request);
      fl_parallel_wait (&request);
      copy_pieces (ranks, all, received, done, in, in_counts, in_starts, FALSE);
    }
  return all;
}

char *
fl_parallel_gather_all (FlParallel *parallel, const void *data, guint64 length, guint64 *total)
{
  guint ranks = (guint) parallel->ranks;
  g_autofree guint64 *lengths = g_new (guint64, ranks);
  guint64 sum = 0, longest = 0, most = MAX (PIECE / ranks, 1);
  MPI_Request request;
  MPI_Iallgather (&length, 1, MPI_UINT64_T, lengths, 1, MPI_UINT64_T, parallel->comm, &request);
  fl_parallel_wait (&request);
  for (guint i = 0; i < ranks; i++)
    {
      sum += lengths[i];
      longest = MAX (longest, lengths[i]);
    }
  char *all = g_malloc (sum + 1);
  g_autofree char *in = g_malloc (ranks * MIN (most, longest) + 1);
  g_autofree int *counts = g_new (int, 2 * ranks);
  int *starts = counts + ranks;
  for (guint64 done = 0; done < longest; done += most)
    {
      piece_lengths (ranks, done, most, lengths, counts, starts);
      MPI_Iallgatherv (counts[parallel->rank] > 0 ? (const char *) data + done : NULL, counts[parallel->rank],
                       MPI_BYTE, in, counts, starts, MPI_BYTE, parallel->comm, &request);
      fl_parallel_wait (&request);
      copy_pieces (ranks, all, lengths, done, in, counts, starts, FALSE);
    }
  *total = sum;
  return all;
}

#else /* one rank */

char *
fl_parallel_gather_all (FlParallel *parallel, const void *data, guint64 length, guint64 *total)
{
  (void) parallel;
  char *all = g_malloc (length + 1);
  if (length > 0)
    memcpy (all, data, length);
  *total = length;
  return all;
}

char *
fl_parallel_exchange (FlParallel *parallel, const void *data, const guint64 *lengths, guint64 *received)
{
  return fl_parallel_gather_all (parallel, data, lengths[0], received);
}

#endif
