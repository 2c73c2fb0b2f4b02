/* The Cells page in its window. */
#include <math.h>
#include <string.h>

#include "engine/base/batch.h"
#include "gui/cell-words.h"
#include "gui/cells-page.h"
#include "gui/header-strip.h"
#include "gui/live-page.h"
#include "gui/trials-page.h"
#include "gui/weather-page.h"
#include "tests/gui/made.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"
#include "widgets/strip-plot.h"

/* Of the store itself: lattices in all slices of the kind. */
static guint
stored_lattices (Room *room)
{
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GPtrArray) slices = fl_store_slices (store, FL_KIND_LATTICE, 0, 0, 0, NULL);
  guint n = 0;
  for (guint i = 0; i < slices->len; i++)
    n += ((FlSlice *) slices->pdata[i])->rows;
  return n;
}

static guint
lattices_told (FlgCellsPage *page)
{
  g_autofree char *plain = g_strdup (flg_cells_page_facts (page));
  char *to = plain;
  for (const char *from = plain; *from; from++)
    if (*from != ',')
      *to++ = *from;
  *to = '\0';
  return (guint) g_ascii_strtoull (plain, NULL, 10);
}

/* The two forms that the store was made of, each a cluster; the brushes of planes and histograms are the same. */
static void
check_planes (Room *room, FlgCellsPage *page)
{
  GtkWidget *widget = GTK_WIDGET (page);
  room_do (widget, "cells.show-planes", "b", TRUE);
  g_autofree char *clusters = flg_cells_page_clusters (page);
  g_auto (GStrv) lines = g_strsplit (clusters, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3); /* the last is empty */
  g_assert_nonnull (strstr (lines[0], "lattices ("));
  g_assert_nonnull (strstr (lines[0], "a 79."));
  g_assert_nonnull (strstr (lines[1], "b 74."));
  room_do (widget, "cells.select-cluster", "u", 1u);
  room_settle (room);
  g_autofree char *plane = flg_cells_page_plane_summary (page, 0), *a = flg_cells_page_summary (page, 0);
  g_assert_nonnull (strstr (plane, "a–b: "));
  g_assert_nonnull (strstr (plane, "2 clusters, selected a 6"));
  g_assert_nonnull (strstr (a, ", selected 6"));
  g_assert_nonnull (strstr (flg_cells_page_facts (page), "selected"));
  g_autofree char *path = g_build_filename (room->folder, "planes.png", NULL);
  display_wait_drawn (GTK_WIDGET (room->window));
  g_assert_true (flg_window_save_picture (room->window, path, NULL));
  room_do (widget, "cells.clear", NULL);
  room_settle (room);
  room_do (widget, "cells.show-planes", "b", FALSE);
}

static void
test_page (void)
{
  Room *room = room_new_indexing (4);
  GtkWidget *widget = GTK_WIDGET (room_page (room, "cells"));
  FlgCellsPage *page = FLG_CELLS_PAGE (widget);
  g_assert_null (flg_cells_page_empty (page));
  g_assert_cmpuint (lattices_told (page), ==, stored_lattices (room));
  g_autofree char *proposals = flg_cells_page_proposals (page);
  g_assert_true (
      g_str_has_prefix (proposals, "No cell was given: 732 of 800 shots agree on tetragonal P 79.10"));
  g_autofree char *a = flg_cells_page_summary (page, 0);
  g_assert_nonnull (strstr (a, "fit 79."));
  g_autofree char *path = g_build_filename (room->folder, "cells.png", NULL);
  display_wait_drawn (GTK_WIDGET (room->window));
  g_assert_true (flg_window_save_picture (room->window, path, NULL));
  /* The others follow the brush. */
  room_do (widget, "cells.select", "(udd)", 0u, 55.0, 68.0);
  room_settle (room);
  g_autofree char *c = flg_cells_page_summary (page, 2);
  g_assert_nonnull (strstr (c, "fit 8"));
  g_assert_nonnull (strstr (flg_cells_page_facts (page), "selected"));
  room_do (widget, "cells.zoom", "b", TRUE);
  room_settle (room);
  room_do (widget, "cells.clear", NULL);
  room_settle (room);
  g_assert_null (strstr (flg_cells_page_facts (page), "selected"));
  check_planes (room, page);
  /* One run alone. */
  guint all = lattices_told (page);
  room_do (widget, "cells.show-run", "x", G_GINT64_CONSTANT (1));
  room_settle (room);
  g_assert_cmpuint (lattices_told (page), <, all / 2);
  g_assert_cmpuint (lattices_told (page), >, 0);
  /* A trial that has done nothing. */
  room_do (widget, "cells.show-trial", "x", G_GINT64_CONSTANT (2));
  room_settle (room);
  g_assert_nonnull (strstr (flg_cells_page_empty (page), "No shots"));
  room_free (room);
}

static void
test_spots_only (void)
{
  Room *room = room_new (2, FL_STORE_WRITE, FALSE);
  FlgCellsPage *page = FLG_CELLS_PAGE (room_page (room, "cells"));
  g_assert_cmpstr (flg_cells_page_empty (page), ==,
                   "This trial's jobs stop at strong spots: nothing is indexed.");
  room_free (room);
}

static void
assert_draft (Room *room, const char *cell, const char *group)
{
  GtkWidget *trials = GTK_WIDGET (flg_window_page (room->window, "trials"));
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, "trials");
  g_assert_true (flg_trials_page_is_drafting (FLG_TRIALS_PAGE (trials)));
  g_assert_true (flg_trials_page_may_create (FLG_TRIALS_PAGE (trials)));
  room_do (trials, "trials.create", NULL);
  room_settle (room);
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GPtrArray) made = fl_store_list (store, FL_TABLE_TRIAL, NULL);
  const FlTrial *newest = made->pdata[made->len - 1];
  g_autoptr (FlParams) params = fl_params_new ();
  g_assert_true (fl_params_read (params, newest->params, "test", NULL));
  double values[6];
  g_assert_true (fl_params_reals (params, "indexing.unit_cell", values));
  g_autofree char *text = flg_cell_parameter (values);
  g_assert_cmpstr (fl_params_text (params, "indexing.space_group"), ==, group);
  g_assert_true (g_str_has_prefix (text, cell));
}

static void
test_target (void)
{
  Room *room = room_new_indexing (4);
  GtkWidget *page = GTK_WIDGET (room_page (room, "cells"));
  room_do (page, "cells.use-proposal", "u", 0u);
  assert_draft (room, "79.1, 79.1, 37.9, 90, 90, 90", "");
  page = GTK_WIDGET (room_page (room, "cells"));
  room_do (page, "cells.use-proposal", "u", 1u);
  assert_draft (room, "62, 74.5, 85, 90, 90, 90", "I222");
  page = GTK_WIDGET (room_page (room, "cells"));
  room_do (page, "cells.use-selection", NULL); /* of the highest peak */
  assert_draft (room, "79.", "");
  /* A draft in hand is not thrown away. */
  page = GTK_WIDGET (flg_window_page (room->window, "trials"));
  room_do (page, "trials.draft", NULL);
  page = GTK_WIDGET (room_page (room, "cells"));
  room_do (page, "cells.use-proposal", "u", 0u);
  GtkWidget *trials = GTK_WIDGET (flg_window_page (room->window, "trials"));
  g_assert_true (flg_trials_page_is_drafting (FLG_TRIALS_PAGE (trials)));
  room_do (trials, "trials.discard", NULL);
  room_free (room);
}

/* What can be done with a cluster, and the runs of what is selected. */
static void
test_clusters (void)
{
  Room *room = room_new_indexing (4);
  GtkWidget *page = GTK_WIDGET (room_page (room, "cells"));
  room_do (page, "cells.use-cluster", "u", 1u);
  assert_draft (room, "62.", "I222");
  page = GTK_WIDGET (room_page (room, "cells"));
  room_do (page, "cells.filter-cluster", "u", 0u);
  GtkWidget *trials = GTK_WIDGET (flg_window_page (room->window, "trials"));
  room_do (trials, "trials.create", NULL);
  room_settle (room);
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GPtrArray) made = fl_store_list (store, FL_TABLE_TRIAL, NULL);
  g_assert_nonnull (strstr (((FlTrial *) made->pdata[made->len - 1])->params, "cell_cluster"));
  /* Every run that has been processed has lattices of the common form. */
  page = GTK_WIDGET (room_page (room, "cells"));
  g_autoptr (GPtrArray) before = fl_store_list (store, FL_TABLE_RUN_TAG, NULL);
  flg_cells_page_set_tag (FLG_CELLS_PAGE (page), "form one");
  room_do (page, "cells.tag-runs", "b", TRUE);
  room_settle (room);
  g_autoptr (GPtrArray) after = fl_store_list (store, FL_TABLE_RUN_TAG, NULL);
  g_assert_cmpuint (after->len, >, before->len);
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, "datasets");
  room_free (room);
}

static void
add_batch (FlStore *store, gint64 attempt, guint64 sequence, FlKind kind, gconstpointer row)
{
  g_autoptr (FlBatch) batch = fl_batch_new (kind);
  fl_batch_append (batch, row);
  made_add_slice (store, attempt, 0, sequence, batch);
}

/* Run 1's job is done a second time for one shot, which then has a lattice less. */
static void
test_redone (void)
{
  Room *room = room_new_indexing (2);
  FlgCellsPage *page = FLG_CELLS_PAGE (room_page (room, "cells"));
  guint before = lattices_told (page);
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, NULL);
  g_autoptr (GPtrArray) slices = fl_store_slices (store, FL_KIND_LATTICE, 1, 0, 1, NULL);
  GBytes *packed = ((FlSlice *) slices->pdata[0])->packed;
  g_autoptr (FlBatch) batch =
      fl_batch_decode (g_bytes_get_data (packed, NULL), g_bytes_get_size (packed), NULL);
  FlLatticeRow lattice;
  fl_batch_row (batch, 0, &lattice);
  guint had = 0;
  for (guint i = 0; i < fl_batch_rows (batch); i++)
    {
      FlLatticeRow row;
      fl_batch_row (batch, i, &row);
      had += row.shot == lattice.shot;
    }
  /* First only lattices arrive, as of a shot that is new. */
  FlLatticeRow fresh = lattice;
  fresh.shot = 4711;
  FlShotRow shot = { .id = 4711,
                     .outcome = FL_OUTCOME_INDEXED,
                     .stage = FL_STAGE_INTEGRATE,
                     .lattices = 1,
                     .start = room->newest,
                     .spots = 50,
                     .message = "" };
  add_batch (store, 1, 900, FL_KIND_LATTICE, &fresh);
  add_batch (store, 1, 901, FL_KIND_SHOT, &shot);
  room_settle (room);
  room_settle (room);
  g_assert_cmpuint (lattices_told (page), ==, before + 1);
  FlAttempt second = { .job = 1, .site = 1, .number = 2, .state = FL_JOB_RUNNING, .path = (char *) "again" };
  g_assert_true (fl_store_save (store, FL_TABLE_ATTEMPT, &second, NULL));
  g_assert_true (fl_store_set_int (store, FL_TABLE_JOB, 1, "attempts", 2, NULL));
  shot.id = lattice.shot;
  shot.outcome = FL_OUTCOME_HIT;
  shot.lattices = 0;
  add_batch (store, second.id, 1, FL_KIND_SHOT, &shot);
  room_settle (room);
  room_settle (room);
  g_assert_cmpuint (lattices_told (page), ==, before + 1 - had);
  room_free (room);
}

/* Header and Live say how many of the hits index. */
static void
test_rates (void)
{
  Room *room = room_new_indexing (3);
  FlgPage *live = room_page (room, "live");
  FlgExperiment *experiment = flg_context_experiment (room->context);
  const FlgGlance *glance = flg_experiment_glance (experiment);
  g_autofree char *strip = NULL, *summary = flg_live_page_summary (FLG_LIVE_PAGE (live));
  flg_header_strip_refresh (FLG_HEADER_STRIP (flg_window_strip (room->window)));
  g_object_get (flg_window_strip (room->window), "summary", &strip, NULL);
  g_autofree char *expected = g_strdup_printf (
      "; indexed %.1f %% of %d hits", 100.0 * (double) glance->recent_indexed / (double) glance->recent_hits,
      (int) glance->recent_hits);
  g_assert_cmpint (glance->recent_indexed, >, 0);
  g_assert_nonnull (strstr (strip, expected));
  g_assert_nonnull (strstr (summary, "indexed, of hits "));
  g_assert_null (strstr (summary, "indexed, of hits –"));
  /* What the page adds up from shots is what the store's own lattices and counts are. */
  gint64 indexed = 0, hits = 0;
  for (gint64 job = 1; job <= 6; job++)
    {
      const FlJobStats *stats = flg_experiment_job_stats (experiment, job);
      indexed += stats ? stats->indexed : 0;
      hits += stats ? stats->hits : 0;
    }
  g_autofree char *facts =
      g_strdup_printf (" · %.1f %% of hits indexed, %.2f lattices each, to 2.",
                       100.0 * (double) indexed / (double) hits, stored_lattices (room) / (double) indexed);
  g_assert_nonnull (strstr (flg_live_page_facts (FLG_LIVE_PAGE (live)), facts));
  GtkWidget *weather = GTK_WIDGET (room_page (room, "weather"));
  room_do (weather, "weather.show-job", "x", G_GINT64_CONSTANT (-1));
  room_settle (room);
  g_autofree char *events = flg_weather_page_summary (FLG_WEATHER_PAGE (weather));
  g_autofree char *count = g_strdup_printf (" %d indexed,", (int) indexed);
  g_assert_nonnull (strstr (events, count));
  room_free (room);
}

static GtkWidget *
find_plot (GtkWidget *widget)
{
  GtkWidget *found = FLW_IS_STRIP_PLOT (widget) ? widget : NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child && !found;
       child = gtk_widget_get_next_sibling (child))
    found = find_plot (child);
  return found;
}

/* A saved picture of the window is what is on the screen, pixel for pixel. */
static void
test_picture (void)
{
  Room *room = room_new_indexing (2);
  GtkWidget *plot = find_plot (GTK_WIDGET (room_page (room, "live")));
  graphene_point_t at;
  g_autofree char *path = g_build_filename (room->folder, "live.png", NULL);
  gtk_widget_activate_action (plot, "plot.cancel", NULL); /* the pointer may lie over it */
  display_wait_drawn (GTK_WIDGET (room->window));
  g_assert_true (flg_window_save_picture (room->window, path, NULL));
  cairo_surface_t *saved = cairo_image_surface_create_from_png (path), *seen = display_picture (plot, 1);
  g_assert_true (
      gtk_widget_compute_point (plot, GTK_WIDGET (room->window), &GRAPHENE_POINT_INIT (0, 0), &at));
  for (int y = 40; y < gtk_widget_get_height (plot) - 40; y += 3)
    for (int x = 100; x < gtk_widget_get_width (plot) - 40; x++)
      g_assert_cmphex (display_pixel (saved, (int) at.x + x, (int) at.y + y), ==, display_pixel (seen, x, y));
  cairo_surface_destroy (saved);
  cairo_surface_destroy (seen);
  room_free (room);
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/cells/page", test_page);
  g_test_add_func ("/cells/spots-only", test_spots_only);
  g_test_add_func ("/cells/target", test_target);
  g_test_add_func ("/cells/clusters", test_clusters);
  g_test_add_func ("/cells/redone", test_redone);
  g_test_add_func ("/cells/rates", test_rates);
  g_test_add_func ("/cells/picture", test_picture);
  return g_test_run ();
}
