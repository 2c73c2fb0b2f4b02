/* Sums of large arrays, bytes of rank 0 and memory of a node, against what every rank can reckon by itself. One line: good, or what
 * is bad, from rank 0. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/parallel/arrays.h"
#include "engine/parallel/node-memory.h"

#define LARGE 17000003 /* more than one piece, and no multiple of the ranks */

/* Of all sizes and signs: a sum in another order has other bits. */
static double
value_of (guint rank, gsize i)
{
  FlRandom random = fl_random (i * 64 + rank);
  double unit = fl_random_unit (&random) - 0.5;
  return ldexp (unit, (int) (fl_random_u64 (&random) % 24));
}

static double
sum_of (guint ranks, gsize i)
{
  double sum = 0;
  for (guint rank = 0; rank < ranks; rank++)
    sum += (double) (float) value_of (rank, i);
  return sum;
}

static guint64
sums_are_wrong (FlParallel *parallel, gsize n, gboolean in_part)
{
  guint rank = fl_parallel_rank (parallel), ranks = fl_parallel_ranks (parallel);
  gsize step = n > 100000 ? 1009 : 1, first, last;
  guint64 bad = 0;
  g_autofree float *values = g_new (float, n + 1);
  fl_parallel_part (rank, ranks, n, &first, &last);
  for (gsize i = 0; i < n; i++)
    values[i] = i % step == 0 ? (float) value_of (rank, i) : 1;
  values[n] = 7;
  (in_part ? fl_parallel_sum_scatter_f32 : fl_parallel_sum_f32) (parallel, values, n);
  for (gsize i = 0; i < n; i++)
    {
      gboolean added = !in_part || (i >= first && i < last);
      float each = i % step == 0 ? (float) (added ? sum_of (ranks, i) : value_of (rank, i)) : 1;
      bad += values[i] != (i % step != 0 && added ? (float) ranks : each);
    }
  return bad + (values[n] != 7);
}

static guint64
bytes_are_wrong (FlParallel *parallel)
{
  gboolean first = fl_parallel_rank (parallel) == 0;
  g_autoptr (GBytes) mine = first ? g_bytes_new ("\0three\0", 7) : NULL;
  g_autoptr (GBytes) empty = first ? g_bytes_new (NULL, 0) : NULL;
  g_autoptr (GBytes) got = fl_parallel_share_bytes (parallel, mine);
  g_autoptr (GBytes) nothing = fl_parallel_share_bytes (parallel, NULL);
  g_autoptr (GBytes) none = fl_parallel_share_bytes (parallel, empty);
  return got == NULL || g_bytes_get_size (got) != 7
         || memcmp (g_bytes_get_data (got, NULL), "\0three\0", 7) != 0 || nothing != NULL || none == NULL
         || g_bytes_get_size (none) != 0;
}

/* Each member fills its part, twice; each looks at all of it. */
static guint64
memory_is_wrong (FlParallel *parallel, gsize n)
{
  g_autoptr (FlNodeMemory) memory = fl_node_memory_new (parallel, n * sizeof (guint64));
  guint64 *data = memory->data, bad = (guintptr) data % 64 != 0;
  gsize first, last;
  fl_parallel_part (memory->member, memory->members, n, &first, &last);
  for (gsize i = 0; i < n; i++)
    bad += data[i] != 0;
  fl_node_memory_fence (memory);
  for (guint64 round = 1; round <= 2; round++)
    {
      for (gsize i = first; i < last; i++)
        data[i] = i * 3 + round;
      fl_node_memory_fence (memory);
      for (gsize i = 0; i < n; i++)
        bad += data[i] != i * 3 + round;
      fl_node_memory_fence (memory);
    }
  return bad;
}

int
main (int argc, char **argv)
{
  g_autoptr (FlParallel) parallel = fl_parallel_start (&argc, &argv);
  guint64 bad[4] = { sums_are_wrong (parallel, LARGE, FALSE),
                     sums_are_wrong (parallel, 3, FALSE) + sums_are_wrong (parallel, 0, FALSE)
                         + sums_are_wrong (parallel, 1000, TRUE),
                     bytes_are_wrong (parallel),
                     memory_is_wrong (parallel, 100003) + memory_is_wrong (parallel, 1) };
  fl_parallel_sum_u64 (parallel, bad, G_N_ELEMENTS (bad));
  if (fl_parallel_rank (parallel) != 0)
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    if (bad[i] > 0)
      printf ("%s ", ((const char *[]){ "large", "small", "bytes", "memory" })[i]);
  printf ("%s\n", bad[0] + bad[1] + bad[2] + bad[3] == 0 ? "good" : "bad");
  return 0;
}
