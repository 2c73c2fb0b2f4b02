/* The Cells page: counts of cells against plain ones, fits against what was drawn, words, and the page in its window. */
#include <math.h>
#include <string.h>

#include "engine/base/batch.h"
#include "engine/base/hash.h"
#include "gui/cell-proposals.h"
#include "gui/cell-words.h"
#include "gui/cells-page.h"
#include "gui/header-strip.h"
#include "gui/live-page.h"
#include "gui/trials-page.h"
#include "gui/weather-page.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"
#include "widgets/strip-plot.h"

/* --- the tally --- */

static FlgLatticeBlock *
block_new (FlRandom *random, gint64 attempt, guint n, guint64 first_shot)
{
  FlgLatticeBlock *block = g_new (FlgLatticeBlock, 1);
  *block = (FlgLatticeBlock){ 1,
                              attempt,
                              1,
                              n,
                              g_new (guint64, n),
                              g_malloc_n (n, sizeof *block->cell),
                              g_new (guint8, n),
                              g_new0 (guint16, n) };
  for (guint i = 0; i < n; i++)
    {
      gboolean other = fl_random_unit (random) < 0.2;
      block->shot[i] = first_shot + i / 2; /* two lattices a shot */
      block->series[i] = other ? 1 : 0;
      for (guint p = 0; p < 6; p++)
        block->cell[i][p] = (float) ((p < 3 ? (other ? 60 : 79.1) : 90) + 0.2 * fl_random_normal (random));
    }
  return block;
}

static FlgLatticeBlock *
block_copy (const FlgLatticeBlock *block)
{
  FlgLatticeBlock *copy = g_memdup2 (block, sizeof *block);
  copy->shot = g_memdup2 (block->shot, block->n * sizeof *block->shot);
  copy->cell = g_memdup2 (block->cell, block->n * sizeof *block->cell);
  copy->series = g_memdup2 (block->series, block->n);
  copy->group = g_memdup2 (block->group, block->n * sizeof *block->group);
  return copy;
}

static guint64
shown_total (const FlgCellHistogram *h)
{
  guint64 sum = h->counts.below + h->counts.above;
  for (guint i = 0; i < FLG_CELL_SERIES * h->counts.n_bins; i++)
    sum += h->counts.shown[i];
  return sum;
}

/* Every bin of one parameter by a plain count. */
static void
check_bins (const FlgLatticeBlock *block, const FlgCellQuestion *question, const FlgCellHistogram *h, guint p)
{
  const FlwHistogramCounts *c = &h->counts;
  g_autofree guint32 *all = g_new0 (guint32, c->n_bins), *shown = g_new0 (guint32, c->n_bins);
  guint64 outside = 0;
  for (guint i = 0; i < block->n; i++)
    {
      gboolean passes = TRUE;
      double x = ((double) block->cell[i][p] - c->lower) / c->width;
      for (guint k = 0; k < 6; k++)
        passes &= k == p || question->to[k] <= question->from[k]
                  || ((double) block->cell[i][k] >= question->from[k]
                      && (double) block->cell[i][k] <= question->to[k]);
      if (x < 0 || x >= c->n_bins)
        {
          outside += passes;
          continue;
        }
      all[(guint) x]++;
      shown[(guint) x] += passes;
    }
  g_assert_cmpuint (outside, ==, c->below + c->above);
  for (guint b = 0; b < c->n_bins; b++)
    {
      guint32 sum = 0;
      for (guint s = 0; s < FLG_CELL_SERIES; s++)
        sum += c->shown[s * c->n_bins + b];
      g_assert_cmpuint (c->all[b], ==, all[b]);
      g_assert_cmpuint (sum, ==, shown[b]);
    }
}

/* Every bin of a plane by a plain count, and the rest outside. */
static void
check_plane (const FlgLatticeBlock *block, const FlgCellQuestion *question, const FlgCellAnswer *answer,
             guint k)
{
  const FlwDensityCounts *c = &answer->planes[k];
  guint of[2] = { flg_cell_planes[k][0], flg_cell_planes[k][1] };
  g_autofree guint32 *bins = g_new0 (guint32, c->n_bins[0] * c->n_bins[1]);
  guint64 outside = 0;
  for (guint i = 0; i < block->n; i++)
    {
      gboolean passes = TRUE;
      double at[2];
      for (guint p = 0; p < 6; p++)
        passes &= p == of[0] || p == of[1] || question->to[p] <= question->from[p]
                  || ((double) block->cell[i][p] >= question->from[p]
                      && (double) block->cell[i][p] <= question->to[p]);
      for (guint d = 0; d < 2; d++)
        at[d] = floor (((double) block->cell[i][of[d]] - c->lower[d]) / c->width[d]);
      if (passes && at[0] >= 0 && at[0] < c->n_bins[0] && at[1] >= 0 && at[1] < c->n_bins[1])
        bins[(guint) at[1] * c->n_bins[0] + (guint) at[0]]++;
      else
        outside += passes;
    }
  g_assert_cmpuint (c->outside, ==, outside);
  g_assert_true (memcmp (bins, c->shown, c->n_bins[0] * c->n_bins[1] * sizeof *bins) == 0);
}

static void
test_counts (void)
{
  FlRandom random = fl_random (5);
  FlgLatticeBlock *block = block_new (&random, 1, 20000, 1);
  g_autoptr (GArray) a = g_array_new (FALSE, FALSE, sizeof (float));
  FlgCellTally *tally = flg_cell_tally_new ();
  FlgCellQuestion question = { .ranges = 1 };
  flg_cell_tally_add (tally, block_copy (block));
  FlgCellAnswer *answer = flg_cell_tally_count (tally, &question);
  g_assert_cmpuint (answer->lattices, ==, 20000);
  g_assert_cmpuint (answer->shots, ==, 10000);
  for (guint p = 0; p < 6; p++)
    {
      check_bins (block, &question, &answer->of[p], p);
      g_assert_cmpuint (shown_total (&answer->of[p]), ==, 20000);
      g_assert_cmpuint (answer->of[p].counts.below + answer->of[p].counts.above, <, 400);
      g_assert_cmpfloat_with_epsilon (answer->of[p].fit.centre, p < 3 ? 79.1 : 90, 0.01);
      g_assert_cmpfloat_with_epsilon (answer->of[p].fit.spread, 0.2, 0.02);
      if (p >= 3)
        g_assert_cmpfloat_with_epsilon (answer->of[p].spread, 0.2, 0.01);
    }
  flg_cell_answer_free (answer);
  /* One in five is elsewhere: selected by a, it is seen in b and c. */
  question.from[0] = 55;
  question.to[0] = 65;
  answer = flg_cell_tally_count (tally, &question);
  for (guint p = 0; p < 6; p++)
    check_bins (block, &question, &answer->of[p], p);
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    check_plane (block, &question, answer, k);
  g_assert_cmpuint (answer->clusters->len, ==, 2);
  g_assert_cmpuint (answer->runs->len, ==, 1);
  g_assert_cmpuint (shown_total (&answer->of[0]), ==, 20000); /* its own brush hides nothing */
  g_assert_cmpuint (shown_total (&answer->of[1]), ==, answer->selected);
  g_assert_cmpuint (answer->series[1], ==, answer->selected);
  g_assert_cmpfloat_with_epsilon (answer->of[1].fit.centre, 60, 0.02);
  g_assert_cmpfloat_with_epsilon (answer->of[2].median, 60, 0.02);
  flg_cell_answer_free (answer);
  question.zoomed = TRUE;
  question.ranges++;
  answer = flg_cell_tally_count (tally, &question);
  g_assert_cmpfloat (answer->of[1].counts.lower, >, 55);
  g_assert_cmpfloat (answer->of[1].counts.lower + answer->of[1].counts.width * answer->of[1].counts.n_bins, <,
                     65);
  check_bins (block, &question, &answer->of[1], 1);
  flg_cell_answer_free (answer);
  flg_cell_tally_free (tally);
  flg_lattice_block_free (block);
}

static void
assert_same (const FlgCellAnswer *a, const FlgCellAnswer *b)
{
  g_assert_cmpuint (a->lattices, ==, b->lattices);
  g_assert_cmpuint (a->shots, ==, b->shots);
  g_assert_cmpuint (a->selected, ==, b->selected);
  for (guint p = 0; p < 6; p++)
    {
      const FlwHistogramCounts *x = &a->of[p].counts, *y = &b->of[p].counts;
      g_assert_cmpuint (x->n_bins, ==, y->n_bins);
      g_assert_cmpint (memcmp (x->all, y->all, x->n_bins * sizeof *x->all), ==, 0);
      g_assert_cmpint (memcmp (x->shown, y->shown, FLG_CELL_SERIES * x->n_bins * sizeof *x->shown), ==, 0);
      g_assert_cmpfloat (a->of[p].fit.centre, ==, b->of[p].fit.centre);
    }
}

/* What is added to counts equals what is counted at once; shots done again count once. */
static void
test_increments (void)
{
  FlRandom random = fl_random (9);
  FlgCellTally *live = flg_cell_tally_new (), *whole = flg_cell_tally_new ();
  FlgCellQuestion question = { .ranges = 1, .from = { 70 }, .to = { 90 } };
  FlgLatticeBlock *first = block_new (&random, 1, 4000, 1);
  flg_cell_tally_add (live, block_copy (first));
  flg_cell_answer_free (flg_cell_tally_count (live, &question)); /* ranges of the first */
  flg_cell_tally_add (whole, first);
  flg_cell_answer_free (flg_cell_tally_count (whole, &question));
  for (guint k = 1; k < 4; k++)
    {
      FlgLatticeBlock *more = block_new (&random, 1, 900, 10000 * k);
      flg_cell_tally_add (live, block_copy (more));
      flg_cell_answer_free (flg_cell_tally_count (live, &question));
      flg_cell_tally_add (whole, more);
    }
  g_autofree guint64 *again = g_new (guint64, 500);
  for (guint i = 0; i < 500; i++)
    again[i] = 1 + i;
  FlgCellAnswer *before = flg_cell_tally_count (live, &question);
  g_assert_cmpuint (before->lattices, ==, 4000 + 3 * 900);
  /* The second attempt has done the first 500 shots again and found lattices in 300 of them. */
  FlgLatticeBlock *second = block_new (&random, 2, 600, 1);
  flg_cell_tally_redone (live, 1, 2, 500, again);
  flg_cell_tally_add (live, block_copy (second));
  flg_cell_tally_add (whole, second);
  flg_cell_tally_redone (whole, 1, 2, 500, again);
  FlgCellAnswer *a = flg_cell_tally_count (live, &question), *b = flg_cell_tally_count (whole, &question);
  g_assert_cmpuint (a->lattices, ==, 4000 + 3 * 900 - 1000 + 600);
  g_assert_cmpuint (a->shots, ==, 2000 + 3 * 450 - 500 + 300);
  assert_same (a, b);
  flg_cell_answer_free (before);
  flg_cell_answer_free (a);
  flg_cell_answer_free (b);
  flg_cell_tally_free (live);
  flg_cell_tally_free (whole);
}

static void
test_fit (void)
{
  FlRandom random = fl_random (3);
  guint32 bins[1600] = { 0 };
  FlwHistogramFit fit;
  g_assert_false (flg_cell_fit (bins, 1600, 0, 0.01, &fit));
  for (guint i = 0; i < 50000; i++) /* a tenth of it spread evenly, a second, lower peak */
    {
      double u = fl_random_unit (&random);
      double x = u < 0.1   ? 16 * fl_random_unit (&random)
                 : u < 0.2 ? 12 + 0.1 * fl_random_normal (&random)
                           : 5.123 + 0.1 * fl_random_normal (&random);
      bins[(guint) CLAMP (x * 100, 0, 1599)]++;
    }
  g_assert_true (flg_cell_fit (bins, 1600, 0, 0.01, &fit));
  g_assert_cmpfloat_with_epsilon (fit.centre, 5.123, 0.005);
  g_assert_cmpfloat_with_epsilon (fit.spread, 0.1, 0.005);
  g_assert_cmpfloat_with_epsilon (fit.count, 40000, 600);
}

/* --- words --- */

static void
check (char *got, const char *expected)
{
  g_assert_cmpstr (got, ==, expected);
  g_free (got);
}

static void
test_words (void)
{
  const double lysozyme[6] = { 79.11, 79.09, 37.9, 90.02, 89.97, 90 },
               tilted[6] = { 30, 40, 50, 90, 101, 90 };
  const double rods[6] = { 60, 60.02, 80, 90, 90, 120.1 }, odd[6] = { 30, 40, 50, 80, 85, 95 };
  double ideal[6];
  g_assert_cmpuint (flg_cell_type (lysozyme), ==, FLG_TETRAGONAL);
  g_assert_cmpuint (flg_cell_type (tilted), ==, FLG_MONOCLINIC);
  g_assert_cmpuint (flg_cell_type (rods), ==, FLG_HEXAGONAL);
  g_assert_cmpuint (flg_cell_type (odd), ==, FLG_TRICLINIC);
  memcpy (ideal, lysozyme, sizeof ideal);
  flg_cell_idealise (ideal, FLG_TETRAGONAL);
  check (flg_cell_parameter (ideal), "79.1, 79.1, 37.9, 90, 90, 90");
  check (flg_cell_format (tilted), "30.00 40.00 50.00 Å  90.00 101.00 90.00°");
  check (flg_cell_group (FLG_TETRAGONAL, 'P', 96), "96");
  check (flg_cell_group (FLG_TETRAGONAL, 'P', 0), "");
  check (flg_cell_group (FLG_MONOCLINIC, 'C', 0), "C2");
  check (flg_cell_group (FLG_HEXAGONAL, 'R', 0), "R3");
}

static FlgProposedCell
proposed (gint64 job, gint64 attempt, guint16 number, float a, guint32 members)
{
  const float right = (float) (G_PI / 2);
  return (FlgProposedCell){
    job,
    attempt,
    { number, 0, { a, a, 37.9f, right, right, right }, { 0.1f }, FLG_TETRAGONAL, 'P', 0, members, 200, 0.9f }
  };
}

static void
test_proposals (void)
{
  const FlgProposedCell cells[] = { proposed (1, 1, 0, 79, 100), proposed (1, 2, 0, 79, 150), /* done again */
                                    proposed (2, 3, 0, 79.4f, 50), proposed (2, 3, 1, 60, 20) };
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (FlgProposedCell));
  g_array_append_vals (list, cells, G_N_ELEMENTS (cells));
  g_autoptr (GArray) found = flg_cell_proposals (list);
  g_assert_cmpuint (found->len, ==, 2);
  const FlgCellProposal *first = &g_array_index (found, FlgCellProposal, 0);
  g_assert_cmpuint (first->members, ==, 200);
  g_assert_cmpuint (first->jobs, ==, 2);
  g_assert_cmpfloat_with_epsilon (first->cell[0], 79.1, 1e-4);
  check (flg_cell_proposal_text (first),
         "No cell was given: 200 of 400 shots agree on tetragonal P 79.10 79.10 37.90 Å  "
         "90.00 90.00 90.00° · confidence 0.90");
  check (flg_cell_proposal_text (&g_array_index (found, FlgCellProposal, 1)),
         "Also: 20 of 200 shots have tetragonal P 60.00 60.00 37.90 Å  90.00 90.00 90.00° · confidence 0.90");
}

/* --- the page --- */

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
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  fl_batch_append (batch, row);
  fl_batch_encode (batch, bytes);
  g_assert_true (fl_store_add_slice (store, attempt, 0, sequence, kind, bytes->data, bytes->len, NULL, NULL));
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
  g_test_add_func ("/cells/counts", test_counts);
  g_test_add_func ("/cells/increments", test_increments);
  g_test_add_func ("/cells/fit", test_fit);
  g_test_add_func ("/cells/words", test_words);
  g_test_add_func ("/cells/proposals", test_proposals);
  g_test_add_func ("/cells/page", test_page);
  g_test_add_func ("/cells/spots-only", test_spots_only);
  g_test_add_func ("/cells/target", test_target);
  g_test_add_func ("/cells/clusters", test_clusters);
  g_test_add_func ("/cells/redone", test_redone);
  g_test_add_func ("/cells/rates", test_rates);
  g_test_add_func ("/cells/picture", test_picture);
  return g_test_run ();
}
