/* Every rank sends every rank bytes that tell from whom and to whom they are; more than one piece from some. One line: good or
 * bad, from rank 0. */
#include <stdio.h>
#include <string.h>

#include "engine/parallel/exchange.h"

/* Bytes: none from 0 to 1, 90 million from the last to 0. */
static guint64
length_of (guint from, guint to, guint ranks)
{
  return from == 0 && to == 1 ? 0 : from == ranks - 1 && to == 0 ? 90000001 : 1000 * from + 77 * to + 1;
}

static char
byte_of (guint from, guint to, guint64 i)
{
  return (char) (from * 31 + to * 7 + i * 13 + (i >> 16));
}

static gboolean
right (const char *data, guint from, guint to, guint64 length)
{
  for (guint64 i = 0; i < length; i++)
    if (data[i] != byte_of (from, to, i))
      return FALSE;
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (FlParallel) parallel = fl_parallel_start (&argc, &argv);
  guint ranks = fl_parallel_ranks (parallel), rank = fl_parallel_rank (parallel);
  g_autofree guint64 *lengths = g_new (guint64, ranks), *received = g_new (guint64, ranks);
  guint64 total = 0, at = 0, bad = 0;
  for (guint to = 0; to < ranks; to++)
    total += lengths[to] = length_of (rank, to, ranks);
  g_autofree char *out = g_malloc (total);
  for (guint to = 0; to < ranks; at += lengths[to++])
    for (guint64 i = 0; i < lengths[to]; i++)
      out[at + i] = byte_of (rank, to, i);
  g_autofree char *in = fl_parallel_exchange (parallel, out, lengths, received);
  at = 0;
  for (guint from = 0; from < ranks; at += received[from++])
    bad += received[from] != length_of (from, rank, ranks) || !right (in + at, from, rank, received[from]);
  g_autofree char *all = fl_parallel_gather_all (parallel, out, lengths[0], &total);
  at = 0;
  for (guint from = 0; from < ranks; at += length_of (from++, 0, ranks))
    bad += !right (all + at, from, 0, length_of (from, 0, ranks));
  bad += total != at;
  fl_parallel_sum_u64 (parallel, &bad, 1);
  if (rank == 0)
    printf ("%s\n", bad == 0 ? "good" : "bad");
  return 0;
}
