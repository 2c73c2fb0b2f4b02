/* Indexing with a known cell: made-up shots whose lattices are known, spots without a crystal, bad input. */
#include <string.h>

#include "engine/sfx/indexing.h"
#include "tests/sfx/made-spots.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlkDevice, flk_device_close)

static FlKnownCell
lysozyme (void)
{
  return made_cell (79.1, 79.1, 37.9, 90, 90, 90, FL_LATTICE_TETRAGONAL);
}

static FlKnownCell
thermolysin (void)
{
  return made_cell (92.9, 92.9, 130.5, 90, 90, 120, FL_LATTICE_HEXAGONAL);
}

static FlkDevice *
device_open (const char *name)
{
  char message[512];
  FlkDevice *device = flk_device_open (name, 0, 1, message, sizeof message);
  if (!device)
    g_error ("%s", message);
  return device;
}

static FlIndexer *
indexer_open (const FlKnownCell *known, FlkDevice *device, const char *assignment)
{
  g_autoptr (FlParams) params = fl_params_new ();
  GError *error = NULL;
  if (assignment)
    fl_params_set_assignment (params, assignment, &error);
  g_assert_no_error (error);
  FlIndexer *indexer = fl_indexer_new (params, known, device, &error);
  g_assert_no_error (error);
  return indexer;
}

static guint
run (FlIndexer *indexer, const GArray *q, FlIndexed *lattices, guint most)
{
  GError *error = NULL;
  guint n = fl_indexer_index (indexer, (const FlVec3 *) (gconstpointer) q->data, NULL, q->len, lattices, most,
                              &error);
  g_assert_no_error (error);
  return n;
}

/* Degrees between two lattices of the same cell: the best over all integer maps of the basis that keep the metric. */
static double
degrees_between (const FlMat3 *truth, const FlMat3 *found)
{
  double best = 180;
  for (guint code = 0; code < 19683; code++)
    {
      int r[1][3][3];
      guint rest = code;
      FlMat3 m;
      for (guint i = 0; i < 9; i++, rest /= 3)
        {
          r[0][i / 3][i % 3] = (int) (rest % 3) - 1;
          m.m[i / 3][i % 3] = r[0][i / 3][i % 3];
        }
      if (fabs (fl_mat3_determinant (&m) - 1) > 0.5)
        continue;
      FlMat3 turned = fl_mat3_multiply (&m, found);
      FlCell a = fl_lattice_cell (truth), b = fl_lattice_cell (&turned);
      if (fabs (a.a / b.a - 1) < 0.02 && fabs (a.b / b.b - 1) < 0.02 && fabs (a.c / b.c - 1) < 0.02
          && fabs (a.alpha - b.alpha) < 0.02 && fabs (a.beta - b.beta) < 0.02
          && fabs (a.gamma - b.gamma) < 0.02)
        best = MIN (best, fl_lattice_misorientation (truth, found, (const int (*)[3][3]) r, 1) * 180 / G_PI);
    }
  return best;
}

/* Rich shots with a third of noise: all found, near the truth, the cell in its setting. */
static void
check_rich (const FlKnownCell *known, guint seed)
{
  g_autoptr (FlkDevice) device = device_open ("cpu");
  g_autoptr (FlIndexer) indexer = indexer_open (known, device, NULL);
  FlRandom random = fl_random (seed);
  double sum = 0;
  for (guint shot = 0; shot < 40; shot++)
    {
      FlMat3 truth = made_star (known, &random);
      g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
      made_still (q, &truth, 0.35, 6e-4, 4e-4, 100, &random);
      made_noise (q, q->len / 2, 0.35, &random);
      FlIndexed found[4];
      g_assert_cmpuint (run (indexer, q, found, 4), ==, 1);
      double off = degrees_between (&truth, &found->star);
      g_assert_cmpfloat (off, <, 0.25);
      sum += off;
      FlCell cell = fl_lattice_cell (&found->star);
      g_assert_cmpfloat_with_epsilon (cell.a / known->cell.a, 1, 0.006);
      g_assert_cmpfloat_with_epsilon (cell.c / known->cell.c, 1, 0.006);
      g_assert_cmpfloat_with_epsilon (cell.gamma, known->cell.gamma,
                                      known->type == FL_LATTICE_TRICLINIC ? 0.006 : 1e-6);
      if (known->type >= FL_LATTICE_TETRAGONAL)
        g_assert_cmpfloat_with_epsilon (cell.a, cell.b, 1e-6);
      g_assert_cmpfloat (found->confidence, >, 0.95);
      g_assert_cmpfloat_with_epsilon (found->fraction, (double) found->n_explained / q->len, 1e-12);
      g_assert_cmpfloat (found->fraction, >, 0.5);
    }
  g_assert_cmpfloat (sum / 40, <, 0.06);
}

static void
test_rich (void)
{
  FlKnownCell known[] = { lysozyme (), thermolysin (),
                          made_cell (41, 63, 88, 90, 97, 90, FL_LATTICE_MONOCLINIC),
                          made_cell (52, 58, 61, 97, 85, 104, FL_LATTICE_TRICLINIC),
                          made_cell (97, 97, 97, 90, 90, 90, FL_LATTICE_CUBIC) };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    check_rich (&known[i], 3 + i);
}

/* Centred cells come out in their conventional setting. */
static void
test_centred (void)
{
  FlKnownCell known = made_cell (128, 224, 164, 90, 90, 90, FL_LATTICE_ORTHORHOMBIC);
  known.centring = 'C';
  g_autoptr (FlkDevice) device = device_open ("cpu");
  g_autoptr (FlIndexer) indexer = indexer_open (&known, device, NULL);
  FlRandom random = fl_random (8);
  for (guint shot = 0; shot < 5; shot++)
    {
      FlMat3 truth = made_star (&known, &random), primitive = fl_lattice_primitive (&truth, 'C');
      g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
      made_still (q, &primitive, 0.25, 3e-4, 3e-4, 150, &random);
      FlIndexed found[1];
      g_assert_cmpuint (run (indexer, q, found, 1), ==, 1);
      g_assert_cmpfloat (degrees_between (&truth, &found->star), <, 0.2);
    }
}

/* The detector is 2 % nearer or farther than was thought: the lattice comes out as it seems. */
static void
test_size (void)
{
  g_autoptr (FlkDevice) device = device_open ("cpu");
  for (guint i = 0; i < 2; i++)
    {
      FlKnownCell known = thermolysin (), seen = known;
      double size = i ? 0.98 : 1.02;
      seen.cell.a *= size;
      seen.cell.b *= size;
      seen.cell.c *= size;
      g_autoptr (FlIndexer) indexer = indexer_open (&known, device, NULL);
      FlRandom random = fl_random (31);
      guint right = 0;
      for (guint shot = 0; shot < 30; shot++)
        {
          FlMat3 truth = made_star (&seen, &random);
          g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
          made_still (q, &truth, 0.33, 6e-4, 4e-4, 100, &random);
          made_noise (q, 30, 0.33, &random);
          FlIndexed found[1];
          if (run (indexer, q, found, 1) == 0)
            continue;
          FlCell cell = fl_lattice_cell (&found->star);
          right += degrees_between (&truth, &found->star) < 0.3 && fabs (cell.a / seen.cell.a - 1) < 0.004
                   && fabs (cell.c / seen.cell.c - 1) < 0.004;
        }
      g_test_message ("size %.2f: %u of 30", size, right);
      g_assert_cmpuint (right, >=, 27);
    }
}

/* Two and three crystals in a shot. */
static void
test_several (void)
{
  FlKnownCell known = lysozyme ();
  g_autoptr (FlkDevice) device = device_open ("cpu");
  g_autoptr (FlIndexer) indexer = indexer_open (&known, device, NULL);
  FlRandom random = fl_random (21);
  guint right = 0, wrong = 0, all = 0;
  for (guint shot = 0; shot < 30; shot++)
    {
      FlMat3 truth[3];
      guint n = 2 + shot % 2, n_found;
      g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
      for (guint i = 0; i < n; i++)
        {
          truth[i] = made_star (&known, &random);
          made_still (q, &truth[i], 0.35, 6e-4, 4e-4, 70, &random);
        }
      made_noise (q, 20, 0.35, &random);
      FlIndexed found[4];
      n_found = run (indexer, q, found, 4);
      all += n;
      for (guint j = 0; j < n_found; j++)
        {
          double best = 180;
          for (guint i = 0; i < n; i++)
            best = MIN (best, degrees_between (&truth[i], &found[j].star));
          right += best < 0.4;
          wrong += best >= 0.4;
          for (guint i = 0; i < j; i++)
            g_assert_cmpfloat (degrees_between (&found[i].star, &found[j].star), >, 0.8);
          g_assert_true (j == 0 || found[j - 1].confidence >= found[j].confidence);
        }
    }
  g_test_message ("%u of %u lattices found, %u wrong", right, all, wrong);
  g_assert_cmpuint (wrong, ==, 0);
  g_assert_cmpuint (right, >=, all * 95 / 100);
}

/* Few spots: most are found from eight good ones; what is wrong is not believed. */
static void
test_sparse (void)
{
  FlKnownCell known = lysozyme ();
  g_autoptr (FlkDevice) device = device_open ("cpu");
  g_autoptr (FlIndexer) indexer = indexer_open (&known, device, NULL);
  FlRandom random = fl_random (5);
  for (guint n = 6; n <= 12; n += 2)
    {
      guint right = 0, wrong = 0;
      for (guint shot = 0; shot < 50; shot++)
        {
          FlMat3 truth = made_star (&known, &random);
          g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
          made_still (q, &truth, 0.3, 5e-4, 3e-4, n, &random);
          FlIndexed found[1];
          if (run (indexer, q, found, 1) == 0)
            continue;
          gboolean near = degrees_between (&truth, &found->star) < 1;
          right += near;
          wrong += !near;
        }
      g_test_message ("%u spots: %u of 50 found, %u wrong", n, right, wrong);
      g_assert_cmpuint (wrong, <=, 1);
      if (n >= 8)
        g_assert_cmpuint (right, >=, n == 8 ? 38 : 45);
    }
}

/* The same bits on every module, and for spots in any order. */
static void
test_same (void)
{
  static const char *const names[] = { "cpu-baseline", "cpu-v3", "cpu-v4", "teams" };
  FlKnownCell known = lysozyme ();
  FlIndexed first[3] = { 0 };
  guint n_first = 0;
  for (guint d = 0; d < G_N_ELEMENTS (names); d++)
    {
      char message[512];
      g_autoptr (FlkDevice) device = flk_device_open (names[d], 0, 1, message, sizeof message);
      if (!device)
        {
          g_test_message ("%s", message);
          continue;
        }
      g_autoptr (FlIndexer) indexer = indexer_open (&known, device, NULL);
      FlRandom random = fl_random (99);
      g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
      for (guint i = 0; i < 2; i++)
        {
          FlMat3 truth = made_star (&known, &random);
          made_still (q, &truth, 0.3, 6e-4, 4e-4, 60, &random);
        }
      for (guint i = 0; i < q->len && d % 2; i++)
        {
          guint other = (guint) (fl_random_u64 (&random) % q->len);
          FlVec3 spot = g_array_index (q, FlVec3, i);
          g_array_index (q, FlVec3, i) = g_array_index (q, FlVec3, other);
          g_array_index (q, FlVec3, other) = spot;
        }
      FlIndexed found[3] = { 0 };
      guint n = run (indexer, q, found, 3);
      if (n_first == 0)
        {
          n_first = n;
          memcpy (first, found, sizeof found);
        }
      g_assert_cmpuint (n, ==, 2);
      g_assert_true (memcmp (found, first, sizeof found) == 0);
    }
}

/* 200 lists without a crystal, for two cells. */
static void
test_forced (void)
{
  FlKnownCell known[] = { lysozyme (), thermolysin () };
  g_autoptr (FlkDevice) device = device_open ("cpu");
  for (guint c = 0; c < 2; c++)
    {
      g_autoptr (FlIndexer) indexer = indexer_open (&known[c], device, NULL);
      FlRandom random = fl_random (77);
      g_autoptr (GArray) like = g_array_new (FALSE, FALSE, sizeof (FlVec3));
      FlMat3 star = made_star (&known[c], &random);
      made_still (like, &star, 0.42, 6e-4, 4e-4, 300, &random);
      guint n_lists = g_getenv ("FIRSTLIGHT_ACCEPT") ? 2000 : 200, lattices = 0;
      for (guint i = 0; i < n_lists; i++)
        {
          guint n = (guint) (16 * pow (300 / 16.0, fl_random_unit (&random)));
          g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
          made_forced (q, i % MADE_FORCED_KINDS, n, (const FlVec3 *) (gconstpointer) like->data, like->len,
                       &random);
          FlIndexed found[4];
          lattices += run (indexer, q, found, 4);
        }
      g_test_message ("%u lattices in %u lists without a crystal", lattices, n_lists);
      g_assert_cmpuint (lattices, <=, 2);
    }
}

static void
test_bad (void)
{
  FlKnownCell known = lysozyme ();
  g_autoptr (FlkDevice) device = device_open ("cpu");
  g_autoptr (FlIndexer) indexer = indexer_open (&known, device, "indexing.min_confidence=0");
  g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  FlIndexed found[4];
  g_assert_cmpuint (run (indexer, q, found, 4), ==, 0);
  for (guint i = 0; i < 40; i++)
    {
      FlVec3 spot = i % 4 == 0   ? fl_vec3 (NAN, 0.1, 0)
                    : i % 4 == 1 ? fl_vec3 (0, 0, 0)
                    : i % 4 == 2 ? fl_vec3 (INFINITY, 0, -0.1)
                                 : fl_vec3 (0.1, 0.05, -0.01);
      g_array_append_val (q, spot);
    }
  for (guint n = run (indexer, q, found, 4); n-- > 0;)
    g_assert_true (isfinite (found[n].star.m[0][0]) && found[n].confidence < 0.2);
  g_array_set_size (q, 0);
  for (guint i = 1; i < 40; i++) /* a row */
    {
      FlVec3 spot = fl_vec3 (0.01 * i, 0, -0.5 * MADE_WAVELENGTH * 1e-4 * i * i);
      g_array_append_val (q, spot);
    }
  for (guint n = run (indexer, q, found, 4); n-- > 0;)
    g_assert_true (isfinite (found[n].star.m[0][0]));
  known.cell.c = 0;
  g_autoptr (FlParams) params = fl_params_new ();
  GError *error = NULL;
  g_assert_null (fl_indexer_new (params, &known, device, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (g_getenv ("FIRSTLIGHT_ACCEPT"))
    {
      g_test_add_func ("/indexing/forced", test_forced);
      return g_test_run ();
    }
  g_test_add_func ("/indexing/rich", test_rich);
  g_test_add_func ("/indexing/centred", test_centred);
  g_test_add_func ("/indexing/size", test_size);
  g_test_add_func ("/indexing/several", test_several);
  g_test_add_func ("/indexing/sparse", test_sparse);
  g_test_add_func ("/indexing/same", test_same);
  g_test_add_func ("/indexing/forced", test_forced);
  g_test_add_func ("/indexing/bad", test_bad);
  return g_test_run ();
}
