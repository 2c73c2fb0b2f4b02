/* Lattices: every type and centring, turned at random, in a random basis, exact and with errors, is reduced, recognised,
 * matched and constrained. */

#include <glib.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/lattice.h"

static const struct
{
  FlLatticeType type;
  char centring;
} bravais[] = { { FL_LATTICE_TRICLINIC, 'P' },    { FL_LATTICE_MONOCLINIC, 'P' },
                { FL_LATTICE_MONOCLINIC, 'C' },   { FL_LATTICE_ORTHORHOMBIC, 'P' },
                { FL_LATTICE_ORTHORHOMBIC, 'C' }, { FL_LATTICE_ORTHORHOMBIC, 'I' },
                { FL_LATTICE_ORTHORHOMBIC, 'F' }, { FL_LATTICE_TETRAGONAL, 'P' },
                { FL_LATTICE_TETRAGONAL, 'I' },   { FL_LATTICE_HEXAGONAL, 'R' },
                { FL_LATTICE_HEXAGONAL, 'P' },    { FL_LATTICE_CUBIC, 'P' },
                { FL_LATTICE_CUBIC, 'I' },        { FL_LATTICE_CUBIC, 'F' } };

static double
between (FlRandom *random, double low, double high)
{
  return low + (high - low) * fl_random_unit (random);
}

/* A cell of that type that is far from any of higher symmetry. */
static FlKnownCell
random_cell (FlRandom *random, guint which)
{
  FlKnownCell known = { .type = bravais[which].type, .centring = bravais[which].centring };
  double right = FL_PI / 2, a = between (random, 30, 120);
  FlCell c = { a, a * between (random, 1.15, 1.4), a * between (random, 1.6, 2.1), right, right, right };
  switch (known.type)
    {
    case FL_LATTICE_TRICLINIC:
      c.alpha = fl_radians (between (random, 66, 72));
      c.beta = fl_radians (between (random, 74, 79));
      c.gamma = fl_radians (between (random, 81, 84));
      break;
    case FL_LATTICE_MONOCLINIC:
      c.beta = fl_radians (between (random, 95, 103));
      break;
    case FL_LATTICE_TETRAGONAL:
      c.b = c.a;
      break;
    case FL_LATTICE_HEXAGONAL:
      c.b = c.a;
      c.gamma = 2 * FL_PI / 3;
      break;
    case FL_LATTICE_CUBIC:
      c.b = c.c = c.a;
      break;
    default:
      break;
    }
  known.cell = c;
  return known;
}

static FlMat3
random_rotation (FlRandom *random)
{
  FlQuat q = { between (random, -1, 1), between (random, -1, 1), between (random, -1, 1),
               between (random, -1, 1) };
  double n = sqrt (q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
  return fl_mat3_from_quat ((FlQuat){ q.w / n, q.x / n, q.y / n, q.z / n });
}

/* Each row times ±small amounts of the others: any basis of the lattice, of either hand when `mirror`. */
static FlMat3
random_basis (FlRandom *random, const FlMat3 *star, gboolean mirror)
{
  FlMat3 b = *star;
  for (int step = 0; step < 6; step++)
    {
      int i = (int) (fl_random_u64 (random) % 3), j = (i + 1 + (int) (fl_random_u64 (random) % 2)) % 3;
      int n = (int) (fl_random_u64 (random) % 5) - 2;
      for (int k = 0; k < 3; k++)
        b.m[i][k] += n * b.m[j][k];
    }
  for (int k = 0; mirror && k < 9; k++)
    b.m[k / 3][k % 3] *= -1;
  return b;
}

/* Rows a*, b*, c* of a cell in a random orientation, each component wrong by up to `error` of the row's length. */
static FlMat3
random_star (FlRandom *random, const FlKnownCell *known, double error)
{
  FlMat3 reciprocal = fl_cell_reciprocal (&known->cell), turn = random_rotation (random),
         t = fl_mat3_transpose (&turn);
  FlMat3 star = fl_mat3_multiply (&reciprocal, &t);
  for (int i = 0; i < 3; i++)
    {
      double length =
          sqrt (star.m[i][0] * star.m[i][0] + star.m[i][1] * star.m[i][1] + star.m[i][2] * star.m[i][2]);
      for (int j = 0; j < 3; j++)
        star.m[i][j] += length * between (random, -error, error);
    }
  return star;
}

static double
worst_difference (const FlCell *a, const FlCell *b)
{
  double d[6] = { a->a / b->a - 1,     a->b / b->b - 1,   a->c / b->c - 1,
                  a->alpha - b->alpha, a->beta - b->beta, a->gamma - b->gamma };
  double worst = 0;
  for (int i = 0; i < 6; i++)
    worst = MAX (worst, fabs (d[i]));
  return worst;
}

static double
worst_element (const FlMat3 *a, const FlMat3 *b)
{
  double worst = 0;
  for (int i = 0; i < 9; i++)
    worst = MAX (worst, fabs (a->m[i / 3][i % 3] - b->m[i / 3][i % 3]));
  return worst;
}

/* Whole numbers to `tolerance`, of determinant ±1: the same lattice. */
static void
assert_same_lattice (const FlMat3 *a, const FlMat3 *b, double tolerance)
{
  FlMat3 inverse = fl_mat3_inverse (b), m = fl_mat3_multiply (a, &inverse);
  for (int i = 0; i < 9; i++)
    g_assert_cmpfloat (fabs (m.m[i / 3][i % 3] - round (m.m[i / 3][i % 3])), <, tolerance);
  g_assert_cmpfloat (fabs (fabs (fl_mat3_determinant (&m)) - 1), <, tolerance);
}

static void
test_primitive (void)
{
  static const struct
  {
    char centring;
    double points;
    int h[3], absent[3];
  } cases[] = { { 'P', 1, { 1, 0, 0 }, { 0 } },       { 'A', 2, { 1, 1, 1 }, { 0, 1, 0 } },
                { 'B', 2, { 1, 1, 1 }, { 1, 0, 0 } }, { 'C', 2, { 1, 1, 1 }, { 1, 0, 0 } },
                { 'I', 2, { 1, 1, 0 }, { 1, 1, 1 } }, { 'F', 4, { 1, 1, 1 }, { 1, 1, 0 } },
                { 'R', 3, { 1, 0, 1 }, { 1, 0, 0 } } };
  FlRandom random = fl_random (5);
  for (guint n = 0; n < G_N_ELEMENTS (cases); n++)
    {
      FlKnownCell known = random_cell (&random, 0);
      FlMat3 star = random_star (&random, &known, 0),
             primitive = fl_lattice_primitive (&star, cases[n].centring);
      FlMat3 real = fl_lattice_real (&primitive);
      g_assert_cmpfloat (
          fabs (fl_mat3_determinant (&primitive) / fl_mat3_determinant (&star) - cases[n].points), <, 1e-9);
      /* What is present in the conventional setting has whole indices in the primitive one; what is absent has not. */
      for (int present = 0; present < 2; present++)
        {
          const int *h = present ? cases[n].h : cases[n].absent;
          FlMat3 t = fl_mat3_transpose (&star);
          FlVec3 p = fl_mat3_apply (&real, fl_mat3_apply (&t, fl_vec3 (h[0], h[1], h[2])));
          double off = fabs (p.x - round (p.x)) + fabs (p.y - round (p.y)) + fabs (p.z - round (p.z));
          g_assert_true (present || cases[n].centring == 'P' ? off < 1e-9 : off > 0.3);
        }
    }
}

static void
test_reduction (void)
{
  FlRandom random = fl_random (7);
  for (int n = 0; n < 3000; n++)
    {
      FlKnownCell known = random_cell (&random, (guint) n % G_N_ELEMENTS (bravais));
      FlMat3 star = random_star (&random, &known, n % 2 ? 0.003 : 0),
             primitive = fl_lattice_primitive (&star, known.centring);
      FlMat3 one = random_basis (&random, &primitive, FALSE),
             other = random_basis (&random, &primitive, FALSE);
      FlMat3 a = fl_lattice_niggli (&one), b = fl_lattice_niggli (&other);
      FlCell ca = fl_lattice_cell (&a), cb = fl_lattice_cell (&b);
      assert_same_lattice (&a, &primitive, 1e-7);
      g_assert_cmpfloat (fl_mat3_determinant (&a), >, 0);
      g_assert_cmpfloat (worst_difference (&ca, &cb), <, 1e-7);
      g_assert_cmpfloat (ca.a, <=, ca.b * (1 + 1e-9));
      g_assert_cmpfloat (ca.b, <=, ca.c * (1 + 1e-9));
    }
}

static void
test_recognition (void)
{
  FlRandom random = fl_random (11);
  for (guint n = 0; n < 40 * G_N_ELEMENTS (bravais); n++)
    {
      guint which = n % G_N_ELEMENTS (bravais);
      double error = n % 2 ? 0.002 : 0;
      FlKnownCell known = random_cell (&random, which);
      FlMat3 star = random_star (&random, &known, error),
             primitive = fl_lattice_primitive (&star, known.centring),
             basis = random_basis (&random, &primitive, FALSE), found, back;
      FlLatticeType type;
      char centring;
      g_assert_true (fl_lattice_conventional (&basis, 0.02, fl_radians (1), &found, &type, &centring));
      FlCell cell = fl_lattice_cell (&found);
      g_assert_cmpint (type, ==, bravais[which].type);
      g_assert_cmpint (centring, ==, bravais[which].centring);
      g_assert_cmpfloat (fl_mat3_determinant (&found), >, 0);
      back = fl_lattice_primitive (&found, centring);
      assert_same_lattice (&back, &primitive, 1e-7);
      if (type == FL_LATTICE_ORTHORHOMBIC || type >= FL_LATTICE_TETRAGONAL)
        g_assert_cmpfloat (worst_difference (&cell, &known.cell), <, 0.012);
      if (type == FL_LATTICE_MONOCLINIC)
        g_assert_cmpfloat (cell.beta, >=, FL_PI / 2 - 1e-9);
    }
  FlMat3 flat = { { { 1, 0, 0 }, { 0, 1, 0 }, { 1, 1, 0 } } }, found;
  FlLatticeType type;
  char centring;
  g_assert_false (fl_lattice_conventional (&flat, 0.02, 0.02, &found, &type, &centring));
}

/* The truth comes back, whatever the basis; another cell does not match. */
static void
test_match (void)
{
  FlRandom random = fl_random (13);
  double length = 0.05, angle = fl_radians (1.5);
  guint n_strained = 0;
  for (guint n = 0; n < 100 * G_N_ELEMENTS (bravais); n++)
    {
      guint which = n % G_N_ELEMENTS (bravais);
      FlKnownCell known = random_cell (&random, which), wrong = known;
      if (n % 7 == 0 && which == 9)
        known = (FlKnownCell){ .cell = { 60, 60, 60, 1.35, 1.35, 1.35 },
                               .type = FL_LATTICE_RHOMBOHEDRAL,
                               .centring = 'P' };
      double error = n % 3 * 0.004;
      FlMat3 star = random_star (&random, &known, error),
             primitive = fl_lattice_primitive (&star, known.centring);
      FlMat3 one = random_basis (&random, &primitive, n % 2),
             other = random_basis (&random, &primitive, FALSE), a, b;
      FlCell truth = fl_lattice_cell (&star);
      if (worst_difference (&truth, &known.cell) > 0.026)
        continue;
      n_strained += n % 3 > 0;
      g_assert_true (fl_lattice_match (&one, &known, length, angle, &a));
      g_assert_true (fl_lattice_match (&other, &known, length, angle, &b));
      g_assert_cmpfloat (worst_element (&a, &b), <, 1e-9);
      g_assert_cmpfloat (fl_mat3_determinant (&a), >, 0);
      FlMat3 back = fl_lattice_primitive (&a, known.centring);
      assert_same_lattice (&back, &primitive, 1e-6);
      FlCell cell = fl_lattice_cell (&a);
      g_assert_cmpfloat (worst_difference (&cell, &known.cell), <, 0.0501);
      wrong.cell.b *= 1.12;
      g_assert_false (fl_lattice_match (&one, &wrong, length, angle, &a));
    }
  g_assert_cmpuint (n_strained, >, 500);
}

/* A cell that nobody would choose is still the user's. */
static void
test_match_unreduced (void)
{
  FlRandom random = fl_random (17);
  FlKnownCell known = { .type = FL_LATTICE_MONOCLINIC, .centring = 'C' };
  g_assert_true (fl_cell_from_degrees ((double[]){ 130, 52, 61, 90, 138, 90 }, &known.cell, NULL));
  for (int n = 0; n < 50; n++)
    {
      FlMat3 star = random_star (&random, &known, 0.002), primitive = fl_lattice_primitive (&star, 'C');
      FlMat3 basis = random_basis (&random, &primitive, FALSE), found;
      g_assert_true (fl_lattice_match (&basis, &known, 0.03, fl_radians (1), &found));
      static const int twofold[2][3][3] = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
                                            { { -1, 0, 0 }, { 0, 1, 0 }, { 0, 0, -1 } } };
      g_assert_cmpfloat (fl_lattice_misorientation (&found, &star, twofold, 2), <, 1e-9 + fl_radians (0.5));
    }
}

static void
test_match_speed (void)
{
  FlRandom random = fl_random (19);
  for (guint which = 0; which < G_N_ELEMENTS (bravais); which++)
    {
      FlKnownCell known = random_cell (&random, which);
      FlMat3 star = random_star (&random, &known, 0.002),
             primitive = fl_lattice_primitive (&star, known.centring), found;
      const int rounds = 2000;
      clock_t start = clock ();
      guint n = 0;
      for (int i = 0; i < rounds; i++)
        n += fl_lattice_match (&primitive, &known, 0.05, 0.026, &found);
      double us = (double) (clock () - start) * 1e6 / CLOCKS_PER_SEC / rounds;
      g_test_message ("%s %c: %.1f us a match", fl_lattice_type_name (known.type), known.centring, us);
      g_assert_cmpuint (n, ==, rounds);
      g_assert_cmpfloat (us, <, 500);
    }
}

static void
test_constraint (void)
{
  FlRandom random = fl_random (23);
  for (guint n = 0; n < 20 * G_N_ELEMENTS (bravais); n++)
    {
      FlKnownCell known = random_cell (&random, n % G_N_ELEMENTS (bravais));
      if (n % 5 == 0)
        known = (FlKnownCell){ .cell = { 60, 60, 60, 1.35, 1.35, 1.35 },
                               .type = FL_LATTICE_RHOMBOHEDRAL,
                               .centring = 'P' };
      FlMat3 exact = random_star (&random, &known, 0), same = fl_lattice_constrain (&exact, known.type);
      g_assert_cmpfloat (worst_element (&exact, &same), <, 1e-12);
      FlMat3 star = random_star (&random, &known, 0.005),
             constrained = fl_lattice_constrain (&star, known.type);
      FlCell c = fl_lattice_cell (&constrained);
      double right = FL_PI / 2, last = known.type == FL_LATTICE_HEXAGONAL ? 2 * FL_PI / 3 : right;
      if (known.type == FL_LATTICE_RHOMBOHEDRAL)
        g_assert_cmpfloat (fabs (c.alpha - c.beta) + fabs (c.alpha - c.gamma), <, 1e-9);
      else if (known.type != FL_LATTICE_TRICLINIC)
        g_assert_cmpfloat (fabs (c.alpha - right) + fabs (c.gamma - last), <, 1e-9);
      if (known.type >= FL_LATTICE_TETRAGONAL)
        g_assert_cmpfloat (fabs (c.a / c.b - 1), <, 1e-9);
      if (known.type == FL_LATTICE_CUBIC || known.type == FL_LATTICE_RHOMBOHEDRAL)
        g_assert_cmpfloat (fabs (c.a / c.c - 1), <, 1e-9);
      /* A stretch without rotation: the nearest of all bases with that cell. */
      g_assert_cmpfloat (fl_lattice_misorientation (&star, &constrained, NULL, 0), <, 1e-9);
    }
}

static void
test_misorientation (void)
{
  static const int fourfold[4][3][3] = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
                                         { { 0, 1, 0 }, { -1, 0, 0 }, { 0, 0, 1 } },
                                         { { -1, 0, 0 }, { 0, -1, 0 }, { 0, 0, 1 } },
                                         { { 0, -1, 0 }, { 1, 0, 0 }, { 0, 0, 1 } } };
  FlRandom random = fl_random (29);
  for (int n = 0; n < 200; n++)
    {
      FlKnownCell known = random_cell (&random, 7);
      FlMat3 star = random_star (&random, &known, 0);
      double angle = n % 4 == 0 ? 1e-7 : between (&random, 0, 0.7);
      FlVec3 axis = fl_vec3_unit (
          fl_vec3 (between (&random, -1, 1), between (&random, -1, 1), between (&random, -1, 1)));
      FlMat3 turn = fl_mat3_rotation (axis, angle), t = fl_mat3_transpose (&turn),
             turned = fl_mat3_multiply (&star, &t);
      g_assert_cmpfloat (fabs (fl_lattice_misorientation (&star, &turned, NULL, 0) - angle), <, 1e-11);
      FlMat3 other = turned;
      memcpy (other.m[0], turned.m[1], sizeof other.m[0]);
      for (int k = 0; k < 3; k++)
        other.m[1][k] = -turned.m[0][k];
      g_assert_cmpfloat (fabs (fl_lattice_misorientation (&star, &other, fourfold, 4) - angle), <, 1e-11);
      g_assert_cmpfloat (fl_lattice_misorientation (&star, &other, NULL, 0), >, angle);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lattice/primitive", test_primitive);
  g_test_add_func ("/lattice/reduction", test_reduction);
  g_test_add_func ("/lattice/recognition", test_recognition);
  g_test_add_func ("/lattice/match", test_match);
  g_test_add_func ("/lattice/match-unreduced", test_match_unreduced);
  g_test_add_func ("/lattice/match-speed", test_match_speed);
  g_test_add_func ("/lattice/constraint", test_constraint);
  g_test_add_func ("/lattice/misorientation", test_misorientation);
  return g_test_run ();
}
