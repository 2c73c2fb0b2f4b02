/* bench-findings: what it costs to keep up what is broken, on a store of 10⁶ shots (50 runs, 64 ranks, lattices, panels, rings).
 *
 *   bench-findings      (meson test --benchmark)
 *
 * Process CPU time: of the first look, of the longest step of it (as long as somebody else may have to wait for the store's
 * thread), of judging, and of an update when one run has got more. Ends with 1 when that takes 50 ms or more. */
#include <time.h>

#include "engine/control/findings.h"
#include "tests/gui/made-findings.h"
#include "tests/gui/made-store.h"
#include "tests/gui/room.h"

#define RUNS   50
#define BUDGET 50 /* ms */

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec * 1e-6;
}

/* All that is new; the longest step of it. */
static double
take_in (FlFindings *findings, FlStats *stats, FlStore *store)
{
  g_autoptr (GError) error = NULL;
  double longest = 0;
  fl_stats_update (stats, store, NULL, &error);
  for (gboolean more = TRUE; more && !error;)
    {
      double begin = cpu_ms ();
      fl_findings_update (findings, store, &more, &error);
      longest = MAX (longest, cpu_ms () - begin);
    }
  g_assert_no_error (error);
  return longest;
}

static guint
judge (FlFindings *findings)
{
  g_autoptr (GPtrArray) list = fl_findings_list (findings, (guint64) g_get_real_time () * 1000);
  return list->len;
}

int
main (void)
{
  g_autofree char *folder = g_dir_make_tmp ("firstlight-bench-XXXXXX", NULL);
  MadeStore made = { RUNS, 1000000 / RUNS, 64, (guint64) g_get_real_time () * 1000, TRUE, FALSE };
  MadeFault none = { 0 }, ice = { .ice = 6, .beam = 3 };
  made_store_write (folder, &made);
  made_findings_add (folder, 1, RUNS - 10, &none);
  made_findings_add (folder, RUNS - 9, RUNS, &ice);
  FlStore *store = fl_store_open (folder, FL_STORE_READ_ONLY, NULL);
  g_autoptr (FlStats) stats = fl_stats_new ();
  g_autoptr (FlFindings) findings = fl_findings_new (stats);
  double begin = cpu_ms (), step = take_in (findings, stats, store), read = cpu_ms () - begin;
  begin = cpu_ms ();
  guint n = judge (findings);
  double first = cpu_ms () - begin, worst = 0;
  for (guint i = 0; i < 10; i++)
    {
      made_findings_add (folder, RUNS, RUNS, &ice);
      begin = cpu_ms ();
      take_in (findings, stats, store);
      n = judge (findings);
      worst = MAX (worst, cpu_ms () - begin);
    }
  g_print (
      "10⁶ shots, %d runs, %u findings: first look %.0f ms (steps of %.1f ms at most), judged in %.1f ms; "
      "update %.1f ms at most\n",
      RUNS, n, read, step, first, worst);
  fl_store_close (store);
  room_remove_tree (folder);
  return worst >= BUDGET;
}
