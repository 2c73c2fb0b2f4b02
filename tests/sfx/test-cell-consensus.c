/* Cells that many shots agree on: members, setting, order, related lattices. */
#include <math.h>
#include <string.h>

#include "tests/sfx/cell-patterns.h"

typedef struct
{
  GArray *candidates, *first;
} Shots;

static Shots
shots_new (void)
{
  Shots shots = { g_array_new (FALSE, FALSE, sizeof (FlCellCandidate)),
                  g_array_new (FALSE, TRUE, sizeof (guint)) };
  g_array_set_size (shots.first, 1);
  return shots;
}

static void
shots_clear (Shots *shots)
{
  g_array_unref (shots->candidates);
  g_array_unref (shots->first);
}

static void
shots_end_one (Shots *shots)
{
  g_array_append_val (shots->first, shots->candidates->len);
}

/* The cell's lattice in a turned, blurred, unusual primitive basis. */
static void
add (Shots *shots, const FlKnownCell *known, double blur, double confidence, FlRandom *random)
{
  FlMat3 star = pattern_orient (&known->cell, random),
         primitive = fl_lattice_primitive (&star, known->centring);
  FlMat3 change = { { { 1, 0, 0 }, { 1, 1, 0 }, { 0, 1, 1 } } };
  FlMat3 odd = fl_random_unit (random) < 0.5 ? fl_mat3_multiply (&change, &primitive) : primitive;
  for (guint i = 0; i < 3; i++)
    for (guint k = 0; k < 3; k++)
      odd.m[i][k] *= 1 + blur * fl_random_normal (random);
  FlCellCandidate candidate = { .star = odd, .n_explained = 50, .fraction = 0.8, .confidence = confidence };
  g_array_append_val (shots->candidates, candidate);
}

static GArray *
consensus (const Shots *shots)
{
  return fl_cell_consensus ((const FlCellCandidate *) shots->candidates->data,
                            (const guint *) shots->first->data, shots->first->len - 1, 5);
}

static void
assert_cell (const FlKnownCell *got, const FlKnownCell *known, double tolerance)
{
  const double a[6] = { got->cell.a,     got->cell.b,    got->cell.c,
                        got->cell.alpha, got->cell.beta, got->cell.gamma };
  const double b[6] = { known->cell.a,     known->cell.b,    known->cell.c,
                        known->cell.alpha, known->cell.beta, known->cell.gamma };
  g_assert_cmpint (got->type, ==, known->type);
  g_assert_cmpint (got->centring, ==, known->centring);
  for (guint i = 0; i < 6; i++)
    g_assert_cmpfloat (fabs (a[i] / b[i] - 1), <, tolerance);
}

static void
test_nothing (void)
{
  Shots shots = shots_new ();
  g_autoptr (GArray) none = consensus (&shots);
  g_assert_cmpuint (none->len, ==, 0);
  shots_end_one (&shots);
  shots_end_one (&shots);
  g_autoptr (GArray) empty = consensus (&shots);
  g_assert_cmpuint (empty->len, ==, 0);
  shots_clear (&shots);
}

/* Thirty shots of one cell, twelve of another, twenty that know nothing; the order of shots is of no account. */
static void
test_two_cells (void)
{
  FlRandom random = fl_random (1);
  FlKnownCell often = { { 120, 62, 81, G_PI_2, 1.82, G_PI_2 }, FL_LATTICE_MONOCLINIC, 'C', 0 };
  FlKnownCell rare = { { 79, 79, 38, G_PI_2, G_PI_2, G_PI_2 }, FL_LATTICE_TETRAGONAL, 'P', 0 };
  Shots shots = shots_new (), reversed = shots_new ();
  for (guint i = 0; i < 62; i++)
    {
      FlKnownCell wrong = pattern_cell (FL_LATTICE_TRICLINIC, 'P', 3e5, &random);
      if (i % 2 == 0)
        add (&shots, i < 60 ? &often : &wrong, 5e-4, i < 60 ? 0.95 : 0.1, &random);
      else if (i < 24)
        add (&shots, &rare, 5e-4, 0.9, &random);
      add (&shots, &wrong, 0, 0.2, &random);
      shots_end_one (&shots);
    }
  const guint *first = (const guint *) shots.first->data;
  for (guint i = 62; i-- > 0;)
    {
      g_array_append_vals (reversed.candidates, (FlCellCandidate *) shots.candidates->data + first[i],
                           first[i + 1] - first[i]);
      shots_end_one (&reversed);
    }
  g_autoptr (GArray) proposals = consensus (&shots), again = consensus (&reversed);
  const FlCellProposal *best = &g_array_index (proposals, FlCellProposal, 0), *second = best + 1;
  g_assert_cmpuint (proposals->len, >=, 2);
  assert_cell (&best->cell, &often, 1e-3);
  assert_cell (&second->cell, &rare, 1e-3);
  g_assert_cmpuint (best->members, ==, 30);
  g_assert_cmpuint (second->members, ==, 12);
  g_assert_cmpuint (best->shots, ==, 62);
  g_assert_cmpfloat (best->confidence, >, 0.99);
  g_assert_cmpfloat (best->spread[0] / often.cell.a, <, 1e-3);
  g_assert_cmpuint (again->len, ==, proposals->len);
  for (guint i = 0; i < again->len; i++)
    {
      const FlCellProposal *a = &g_array_index (proposals, FlCellProposal, i),
                           *b = &g_array_index (again, FlCellProposal, i);
      g_assert_cmpmem (&a->cell.cell, sizeof a->cell.cell, &b->cell.cell, sizeof b->cell.cell);
      g_assert_cmpfloat (a->confidence, ==, b->confidence);
      g_assert_cmpuint (a->members, ==, b->members);
    }
  for (guint i = 2; i < proposals->len; i++)
    g_assert_cmpfloat (g_array_index (proposals, FlCellProposal, i).confidence, <, 0.5);
  shots_clear (&shots);
  shots_clear (&reversed);
}

/* Some shots took a doubled or a halved cell: they are no proposals beside the one that most took. */
static void
test_related (void)
{
  FlRandom random = fl_random (2);
  FlKnownCell known = { { 60, 75, 90, G_PI_2, G_PI_2, G_PI_2 }, FL_LATTICE_ORTHORHOMBIC, 'P', 0 };
  FlKnownCell twice = known, centred = known;
  twice.cell.a *= 2;
  centred.centring = 'C';
  Shots shots = shots_new ();
  for (guint i = 0; i < 40; i++)
    {
      add (&shots, i < 24 ? &known : i < 32 ? &twice : &centred, 3e-4, 0.98, &random);
      if (i < 24)
        add (&shots, &twice, 3e-4, 0.98, &random);
      shots_end_one (&shots);
    }
  g_autoptr (GArray) proposals = consensus (&shots);
  g_assert_cmpuint (proposals->len, ==, 1);
  assert_cell (&g_array_index (proposals, FlCellProposal, 0).cell, &known, 1e-3);
  g_assert_cmpuint (g_array_index (proposals, FlCellProposal, 0).members, ==, 24);
  shots_clear (&shots);
}

/* Candidates of no confidence that agree by chance in one shot do not convince; many that agree do. */
static void
test_confidence (void)
{
  FlRandom random = fl_random (3);
  FlKnownCell known = { { 93, 93, 130, G_PI_2, G_PI_2, 2 * G_PI / 3 }, FL_LATTICE_HEXAGONAL, 'P', 0 };
  for (guint n = 1; n <= 12; n += 11)
    {
      Shots shots = shots_new ();
      for (guint i = 0; i < n; i++)
        {
          add (&shots, &known, 3e-4, 0.3, &random);
          shots_end_one (&shots);
        }
      g_autoptr (GArray) proposals = consensus (&shots);
      g_assert_cmpuint (proposals->len, ==, 1);
      assert_cell (&g_array_index (proposals, FlCellProposal, 0).cell, &known, 2e-3);
      double confidence = g_array_index (proposals, FlCellProposal, 0).confidence;
      g_assert_true (n == 1 ? confidence < 0.3 : confidence > 0.85);
      shots_clear (&shots);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cell-consensus/nothing", test_nothing);
  g_test_add_func ("/cell-consensus/two-cells", test_two_cells);
  g_test_add_func ("/cell-consensus/related", test_related);
  g_test_add_func ("/cell-consensus/confidence", test_confidence);
  return g_test_run ();
}
