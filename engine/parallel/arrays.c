#include "engine/parallel/arrays.h"

#include <string.h>

#include "engine/parallel/parallel-private.h"

#ifdef FL_HAVE_MPI

#define PIECE ((gsize) 64 << 20) /* bytes that a rank sends, and gets, in one message to all */

/* The piece of every rank's part that lies `done` numbers into it: at most `most` of each. */
static void
piece_of (guint ranks, gsize n, gsize done, gsize most, int *counts, gsize *starts)
{
  for (guint i = 0; i < ranks; i++)
    {
      gsize first, last;
      fl_parallel_part (i, ranks, n, &first, &last);
      starts[i] = MIN (first + done, last);
      counts[i] = (int) MIN (most, last - starts[i]);
    }
}

static gsize
longest_part (guint ranks, gsize n)
{
  return n / ranks + (n % ranks != 0);
}

/* Packs the pieces of all ranks one after another, or back. `at`: where each lies in the message. */
static void
pack (guint ranks, float *values, const gsize *starts, const int *counts, float *message, int *at,
      gboolean back)
{
  int here = 0;
  for (guint i = 0; i < ranks; here += counts[i++])
    {
      float *inside = values + starts[i], *outside = message + here;
      at[i] = here;
      if (counts[i] > 0)
        memcpy (back ? inside : outside, back ? outside : inside, (gsize) counts[i] * sizeof *values);
    }
}

/* message[rank][count] → values[count] */
static void
add_in_order (guint ranks, guint count, const float *message, float *values)
{
  for (guint k = 0; k < count; k++)
    {
      double sum = 0;
      for (guint i = 0; i < ranks; i++)
        sum += (double) message[(gsize) i * count + k];
      values[k] = (float) sum;
    }
}

static void
sum (FlParallel *parallel, float *values, gsize n, gboolean gather)
{
  guint ranks = (guint) parallel->ranks, rank = (guint) parallel->rank;
  gsize longest = longest_part (ranks, n), most = MAX (PIECE / sizeof *values / ranks, 1);
  if (ranks == 1 || n == 0)
    return;
  gsize message = ranks * MIN (most, longest);
  g_autofree float *out = g_new (float, message), *in = g_new (float, message);
  g_autofree int *counts = g_new (int, 4 * ranks);
  int *at = counts + ranks, *own_counts = counts + 2 * ranks, *own_at = counts + 3 * ranks;
  g_autofree gsize *starts = g_new (gsize, ranks);
  for (gsize done = 0; done < longest; done += most)
    {
      MPI_Request request;
      piece_of (ranks, n, done, most, counts, starts);
      pack (ranks, values, starts, counts, out, at, FALSE);
      float *own = values + starts[rank];
      for (guint i = 0; i < ranks; i++)
        {
          own_counts[i] = counts[rank];
          own_at[i] = (int) i * counts[rank];
        }
      MPI_Ialltoallv (out, counts, at, MPI_FLOAT, in, own_counts, own_at, MPI_FLOAT, parallel->comm,
                      &request);
      fl_parallel_wait (&request);
      add_in_order (ranks, (guint) counts[rank], in, own);
      if (!gather)
        continue;
      MPI_Iallgatherv (own, counts[rank], MPI_FLOAT, in, counts, at, MPI_FLOAT, parallel->comm, &request);
      fl_parallel_wait (&request);
      pack (ranks, values, starts, counts, in, at, TRUE);
    }
}

void
fl_parallel_share_data (FlParallel *parallel, void *data, gsize length)
{
  for (gsize done = 0; done < length; done += PIECE)
    {
      MPI_Request request;
      MPI_Ibcast ((char *) data + done, (int) MIN (PIECE, length - done), MPI_BYTE, 0, parallel->comm,
                  &request);
      fl_parallel_wait (&request);
    }
}

#else /* one rank */

static void
sum (FlParallel *parallel, float *values, gsize n, gboolean gather)
{
  (void) parallel;
  (void) values;
  (void) n;
  (void) gather;
}

void
fl_parallel_share_data (FlParallel *parallel, void *data, gsize length)
{
  (void) parallel;
  (void) data;
  (void) length;
}

#endif

void
fl_parallel_sum_f32 (FlParallel *parallel, float *values, gsize n)
{
  sum (parallel, values, n, TRUE);
}

void
fl_parallel_sum_scatter_f32 (FlParallel *parallel, float *values, gsize n)
{
  sum (parallel, values, n, FALSE);
}

GBytes *
fl_parallel_share_bytes (FlParallel *parallel, GBytes *bytes)
{
  gboolean mine = parallel->rank == 0;
  /* Length + 1; 0 stands for NULL. */
  guint64 size = fl_parallel_share_u64 (parallel, mine && bytes != NULL ? g_bytes_get_size (bytes) + 1 : 0);
  if (size == 0)
    return NULL;
  gsize length = (gsize) size - 1;
  char *copy = g_malloc (length + 1);
  if (mine && length > 0)
    memcpy (copy, g_bytes_get_data (bytes, NULL), length);
  fl_parallel_share_data (parallel, copy, length);
  return g_bytes_new_take (copy, length);
}
