/* What the Cells page counts, fits and says: against plain counts and what was drawn. */
#include <math.h>
#include <string.h>

#include "engine/base/hash.h"
#include "gui/cell-proposals.h"
#include "gui/cell-words.h"
#include "gui/cells-page.h"

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

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cells/counts", test_counts);
  g_test_add_func ("/cells/increments", test_increments);
  g_test_add_func ("/cells/fit", test_fit);
  g_test_add_func ("/cells/words", test_words);
  g_test_add_func ("/cells/proposals", test_proposals);
  return g_test_run ();
}
