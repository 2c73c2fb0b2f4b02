/* show-pages FOLDER: opens the control room on the experiment, read-only, and prints a line a page of what stands there. */
#include <stdio.h>

#include "gui/cells-page.h"
#include "gui/datasets-page.h"
#include "gui/density-page.h"
#include "gui/jobs-page.h"
#include "gui/live-page.h"
#include "gui/merging-page.h"
#include "gui/runs-page.h"
#include "gui/sites-page.h"
#include "gui/weather-page.h"
#include "tests/gui/room.h"

static void
say (const char *what, char *text)
{
  g_autofree char *line = g_strdelimit (text, "\n", ' ');
  printf ("%s: %s\n", what, line);
}

static void
show_merging (Room *room)
{
  FlgMergingPage *page = FLG_MERGING_PAGE (room_page (room, "merging"));
  guint rows = 0;
  while (flg_merging_page_cell (page, rows, 0) != NULL)
    rows++;
  say ("merging", g_strdup (flg_merging_page_facts (page)));
  say ("merging plot", flg_merging_page_summary (page));
  say ("merging table", g_strdup_printf ("%u rows", rows));
}

static void
show_reconstruction (Room *room)
{
  FlgDensityPage *page = FLG_DENSITY_PAGE (room_page (room, "density"));
  FlgReconstructionView *view = flg_density_page_reconstruction (page);
  g_autoptr (GRegex) age = g_regex_new (", [^,]* ago", 0, 0, NULL);
  say ("reconstruction", g_regex_replace (age, flg_reconstruction_view_facts (view), -1, 0, "", 0, NULL));
  say ("reconstruction plots", flg_reconstruction_view_summary (view));
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    {
      fprintf (stderr, "expected: %s FOLDER\n", argv[0]);
      return 2;
    }
  gtk_init ();
  Room *room = room_open (argv[1]);
  say ("runs", g_strdup_printf ("%u", flg_runs_page_n_shown (FLG_RUNS_PAGE (room_page (room, "runs")))));
  say ("datasets", flg_datasets_page_summary (FLG_DATASETS_PAGE (room_page (room, "datasets"))));
  say ("jobs", g_strdup (flg_jobs_page_headline (FLG_JOBS_PAGE (room_page (room, "jobs")))));
  FlgLivePage *live = FLG_LIVE_PAGE (room_page (room, "live"));
  say ("live", g_strdup (flg_live_page_facts (live)));
  say ("live plot", flg_live_page_summary (live));
  FlgWeatherPage *weather = FLG_WEATHER_PAGE (room_page (room, "weather"));
  say ("weather", g_strdup (flg_weather_page_facts (weather)));
  say ("weather plot", flg_weather_page_summary (weather));
  FlgCellsPage *cells = FLG_CELLS_PAGE (room_page (room, "cells"));
  say ("cells", g_strdup (flg_cells_page_facts (cells)));
  say ("cells plot", flg_cells_page_summary (cells, 0));
  say ("cells proposed", flg_cells_page_proposals (cells));
  show_merging (room);
  show_reconstruction (room);
  say ("sites", flg_sites_page_summary (FLG_SITES_PAGE (room_page (room, "sites"))));
  room_free (room);
  return 0;
}
