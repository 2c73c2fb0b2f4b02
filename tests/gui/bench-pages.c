/* bench-pages: how long Weather, Live and Cells take to show 10⁷ stored shots and their lattices in the control room's window.
 *
 *   bench-pages [FOLDER]      (meson test --benchmark; a display is needed, Xvfb will do)
 *
 * FOLDER: an experiment as make-demo-store makes it; else one of 10⁷ shots is made: 20 runs, 64 ranks. Each page is asked
 * for all jobs of trial 1 in a window of its own, as if the program had begun on it. Times are from the action to the
 * frame that shows every shot; CPU is the main thread's own. The longest turn of the main loop is how long the window may
 * have stood still. Ends with 1 when a page takes 2 s or more. */
#include <stdlib.h>
#include <time.h>

#include "engine/base/batch.h"
#include "gui/cells-page.h"
#include "gui/live-page.h"
#include "gui/weather-page.h"
#include "tests/gui/made-store.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

#define BUDGET 2 /* s */

static gboolean over_budget;

static double
seconds (clockid_t clock)
{
  struct timespec t;
  clock_gettime (clock, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static guint64
total_shots (Room *room)
{
  FlgExperiment *experiment = flg_context_experiment (room->context);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  guint64 shots = 0;
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJobStats *stats =
          flg_experiment_job_stats (experiment, flg_record_id (flg_record_model_at (jobs, i)));
      shots += stats ? (guint64) stats->shots : 0;
    }
  return shots;
}

static guint64
stored_lattices (Room *room)
{
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GPtrArray) slices = fl_store_slices (store, FL_KIND_LATTICE, 0, 0, 0, NULL);
  guint64 n = 0;
  for (guint i = 0; i < slices->len; i++)
    n += ((FlSlice *) slices->pdata[i])->rows;
  return n;
}

static guint64
shown_shots (FlgPage *page)
{
  if (FLG_IS_CELLS_PAGE (page))
    return flg_cells_page_n_lattices (FLG_CELLS_PAGE (page));
  return FLG_IS_WEATHER_PAGE (page) ? flg_weather_page_n_events (FLG_WEATHER_PAGE (page))
                                    : flg_live_page_n_shots (FLG_LIVE_PAGE (page));
}

static void
bench_page (const char *folder, const char *name, const char *action, gint64 target)
{
  Room *room = room_open (folder);
  gboolean cells = g_str_equal (name, "cells");
  guint64 shots = cells ? stored_lattices (room) : total_shots (room);
  double cpu = seconds (CLOCK_THREAD_CPUTIME_ID), all = seconds (CLOCK_PROCESS_CPUTIME_ID),
         begin = seconds (CLOCK_MONOTONIC), longest = 0;
  room_do (GTK_WIDGET (room->window), "win.show-page", "s", name);
  FlgPage *page = flg_window_page (room->window, name);
  room_do (GTK_WIDGET (page), action, "x", target);
  while (shown_shots (page) < shots || !flg_page_is_settled (page))
    {
      double turn = seconds (CLOCK_THREAD_CPUTIME_ID);
      g_main_context_iteration (NULL, TRUE);
      longest = MAX (longest, seconds (CLOCK_THREAD_CPUTIME_ID) - turn);
    }
  display_wait_drawn (GTK_WIDGET (room->window));
  double took = seconds (CLOCK_MONOTONIC) - begin;
  g_print ("%s: %" G_GUINT64_FORMAT
           " %s seen after %.2f s; all threads %.2f CPU-s, main thread %.2f, longest turn"
           " %.0f ms%s\n",
           name, shots, cells ? "lattices" : "shots", took, seconds (CLOCK_PROCESS_CPUTIME_ID) - all,
           seconds (CLOCK_THREAD_CPUTIME_ID) - cpu, longest * 1e3, took < BUDGET ? "" : "  OVER BUDGET");
  over_budget |= took >= BUDGET;
  room_free (room);
}

int
main (int argc, char *argv[])
{
  if (!gtk_init_check ())
    {
      g_printerr ("bench-pages: no display: run it under xvfb-run\n");
      return 77;
    }
  g_autofree char *made = NULL;
  if (argc < 2)
    {
      MadeStore wanted = { 20, 520000, 64, (guint64) g_get_real_time () * 1000, TRUE };
      made = g_dir_make_tmp ("firstlight-bench-XXXXXX", NULL);
      made_store_write (made, &wanted);
    }
  const char *folder = made ? made : argv[1];
  bench_page (folder, "weather", "weather.show-job", -1);
  bench_page (folder, "live", "live.show-trial", 1);
  bench_page (folder, "cells", "cells.show-trial", 1);
  if (made)
    room_remove_tree (made);
  return over_budget;
}
