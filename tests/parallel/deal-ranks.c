/* One rank of test-deal.py: takes what it is dealt, works unevenly, writes what it took to DIR/RANK. */
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/hash.h"
#include "engine/parallel/deal.h"

static void
finish (FILE *out, char **open)
{
  if (*open != NULL)
    fprintf (out, "%s %" G_GINT64_FORMAT "\n", *open, g_get_monotonic_time ());
  g_clear_pointer (open, g_free);
}

int
main (int argc, char **argv)
{
  fl_parallel_catch_signals ();
  g_autoptr (FlParallel) parallel = fl_parallel_start (&argc, &argv);
  guint rank = fl_parallel_rank (parallel);
  const char *dir = argv[1];
  gsize n = (gsize) atol (argv[2]), n_suspects = (gsize) atol (argv[3]);
  long stop_rank = atol (argv[4]),
       stop_after = atol (argv[5]); /* that rank asks itself to stop after so many */
  g_autofree FlShotRef *shots = g_new0 (FlShotRef, n + n_suspects);
  for (gsize i = 0; i < n + n_suspects; i++)
    shots[i] = (FlShotRef){ (guint32) (i / 100), (guint32) (i % 100) };

  g_autofree char *path = g_strdup_printf ("%s/%u", dir, rank);
  FILE *out = g_fopen (path, "w");
  g_autoptr (FlDeal) deal = fl_deal_new (parallel, shots, n, shots + n, n_suspects);
  FlShotRef shot;
  FlDealt dealt;
  guint64 taken = 0;
  g_autofree char *open =
      NULL; /* a shot that is not finished before the next is taken, as far as that may be */
  do
    {
      if (!fl_deal_holds (deal))
        finish (out, &open);
      dealt = fl_deal_next (deal, &shot);
      if (dealt != FL_DEAL_SHOT)
        finish (out, &open);
      if (dealt != FL_DEAL_SHOT && dealt != FL_DEAL_SUSPECT)
        continue;
      guint64 begin = (guint64) g_get_monotonic_time ();
      FlRandom random = fl_random (shot.source * 1000u + shot.frame);
      g_usleep (fl_random_u64 (&random) % 400);
      finish (out, &open);
      open = g_strdup_printf ("%s %u %u %" G_GUINT64_FORMAT, dealt == FL_DEAL_SUSPECT ? "suspect" : "shot",
                              shot.source, shot.frame, begin);
      if (dealt == FL_DEAL_SUSPECT)
        finish (out, &open);
      fl_deal_report (deal, ++taken, 0);
      if ((long) rank == stop_rank && (long) taken == stop_after)
        kill (getpid (), SIGUSR1);
    }
  while (dealt != FL_DEAL_END && dealt != FL_DEAL_STOPPED);
  fprintf (out, "%s\n", dealt == FL_DEAL_END ? "end" : "stopped");
  fclose (out);

  guint64 sums[2] = { taken, 1 };
  fl_parallel_sum_u64 (parallel, sums, 2);
  g_assert_cmpuint (sums[1], ==, fl_parallel_ranks (parallel));
  g_autofree char *word = fl_parallel_share_text (parallel, rank == 0 ? "from rank 0" : NULL);
  g_assert_cmpstr (word, ==, "from rank 0");
  g_autofree char *nothing = fl_parallel_share_text (parallel, NULL);
  g_assert_null (nothing);
  g_autofree char *mine = g_strdup_printf ("%u", rank);
  g_autoptr (GPtrArray) parts = fl_parallel_gather (parallel, mine, rank == 1 ? 0 : strlen (mine));
  g_assert_true ((parts != NULL) == (rank == 0));
  for (guint i = 0; parts != NULL && i < parts->len; i++)
    g_assert_cmpuint (g_bytes_get_size (parts->pdata[i]), ==, i == 1 ? 0 : 1);
  fl_parallel_barrier (parallel);
  guint64 all, hits;
  fl_deal_progress (deal, &all, &hits);
  if (rank == 0)
    printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", sums[0], all);
  return 0;
}
