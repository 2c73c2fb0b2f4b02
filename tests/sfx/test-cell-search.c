/* Cells that nobody gave: made-up lattices of every kind, and spots that belong to none. */
#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "tests/sfx/cell-patterns.h"

#define MOST 5

static const struct
{
  FlLatticeType type;
  char centring;
} kinds[] = { { FL_LATTICE_TRICLINIC, 'P' },    { FL_LATTICE_MONOCLINIC, 'P' },
              { FL_LATTICE_MONOCLINIC, 'C' },   { FL_LATTICE_ORTHORHOMBIC, 'P' },
              { FL_LATTICE_ORTHORHOMBIC, 'C' }, { FL_LATTICE_ORTHORHOMBIC, 'I' },
              { FL_LATTICE_ORTHORHOMBIC, 'F' }, { FL_LATTICE_TETRAGONAL, 'P' },
              { FL_LATTICE_TETRAGONAL, 'I' },   { FL_LATTICE_HEXAGONAL, 'P' },
              { FL_LATTICE_HEXAGONAL, 'R' },    { FL_LATTICE_CUBIC, 'P' },
              { FL_LATTICE_CUBIC, 'I' },        { FL_LATTICE_CUBIC, 'F' } };

typedef struct
{
  FlkDevice *device;
  FlCellSearch *search;
} Search;

static Search
search_open (const char *device)
{
  char why[512];
  GError *error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  Search search = { .device = flk_device_open (device, 0, 1, why, sizeof why) };
  if (search.device == NULL)
    g_error ("%s", why);
  search.search = fl_cell_search_new (params, search.device, &error);
  g_assert_no_error (error);
  return search;
}

static void
search_close (Search *search)
{
  fl_cell_search_free (search->search);
  flk_device_close (search->device);
}

static guint
search_shot (Search *search, const Pattern *pattern, FlCellCandidate *candidates)
{
  GError *error = NULL;
  guint n = fl_cell_search_shot (search->search, pattern->q, pattern->intensity, pattern->n, candidates, MOST,
                                 &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, <=, MOST);
  return n;
}

static char *
cell_text (const FlKnownCell *known)
{
  const FlCell *c = &known->cell;
  return g_strdup_printf ("%s %c %.2f %.2f %.2f %.2f %.2f %.2f", fl_lattice_type_name (known->type),
                          known->centring, c->a, c->b, c->c, fl_degrees (c->alpha), fl_degrees (c->beta),
                          fl_degrees (c->gamma));
}

/* One shot of each of `n` cells of every kind: is the best candidate the cell, surely? */
static guint
count_right (Search *search, guint n, const PatternOptions *options, double smallest, double largest,
             guint64 seed)
{
  FlRandom random = fl_random (seed);
  guint right = 0;
  for (guint i = 0; i < n; i++)
    for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
      {
        double volume = smallest * pow (largest / smallest, fl_random_unit (&random));
        FlKnownCell known = pattern_cell (kinds[kind].type, kinds[kind].centring, volume, &random);
        FlMat3 star = pattern_orient (&known.cell, &random), setting;
        g_auto (Pattern) pattern = pattern_new (&known, &star, options, &random);
        FlCellCandidate candidates[MOST];
        guint found = search_shot (search, &pattern, candidates);
        gboolean good = found > 0 && candidates[0].confidence > 0.9
                        && fl_lattice_match (&candidates[0].star, &known, 0.015, 0.015, &setting);
        right += good;
        if (!good)
          {
            g_autofree char *text = cell_text (&known);
            FlCell cell = found > 0 ? fl_lattice_cell (&candidates[0].star) : (FlCell){ 0 };
            g_test_message ("not found: %s, volume %.0f, %u spots; %.1f %.1f %.1f, %u spots, confidence %.3f",
                            text, volume, pattern.n, cell.a, cell.b, cell.c,
                            found > 0 ? candidates[0].n_explained : 0,
                            found > 0 ? candidates[0].confidence : 0);
          }
      }
  return right;
}

/* Lattice points as they are: every cell, from one shot. */
static void
test_exact (void)
{
  Search search = search_open ("cpu");
  PatternOptions options = {
    .wavelength = 1.3, .d_min = 2.5, .excitation = 0.0015, .noise = -1, .most = 300
  };
  guint each = g_test_slow () ? 10 : 3, n = each * G_N_ELEMENTS (kinds);
  guint right = count_right (&search, each, &options, 2e4, 2e6, 1);
  g_test_message ("%u of %u", right, n);
  g_assert_cmpuint (right, ==, n);
  search_close (&search);
}

/* Stills as they are: blurred, off the sphere, a third of the spots false. */
static void
test_stills (void)
{
  Search search = search_open ("cpu");
  for (double excitation = 0.002; excitation < 0.0041; excitation += 0.001)
    {
      PatternOptions options = { .wavelength = 1.3,
                                 .d_min = 2.5,
                                 .excitation = excitation,
                                 .noise = 0.03,
                                 .false_fraction = 0.3,
                                 .most = 200 };
      guint each = g_test_slow () ? 6 : 1, n = each * G_N_ELEMENTS (kinds);
      guint right = count_right (&search, each, &options, 2e4, 1e6, 2);
      g_test_message ("within %g 1/A: %u of %u", excitation, right, n);
      g_assert_cmpuint (100 * right, >=, 85 * n);
    }
  search_close (&search);
}

/* A large cell, and crystals of few cells: many spots far off the sphere. */
static void
test_large (void)
{
  Search search = search_open ("cpu");
  const PatternOptions options[] = {
    { .wavelength = 1.3,
      .d_min = 3,
      .excitation = 0.0015,
      .noise = 0.03,
      .false_fraction = 0.3,
      .most = 300 },
    { .wavelength = 1.3, .d_min = 3, .excitation = 0.002, .noise = 0.03, .false_fraction = 0.3, .most = 300 }
  };
  FlRandom random = fl_random (3);
  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      guint right = 0;
      for (guint shot = 0; shot < 10; shot++)
        {
          FlKnownCell known = { { 186, 186, 186, G_PI_2, G_PI_2, G_PI_2 }, FL_LATTICE_CUBIC, 'P', 0 };
          FlMat3 star = pattern_orient (&known.cell, &random), setting;
          g_auto (Pattern) pattern = pattern_new (&known, &star, &options[i], &random);
          FlCellCandidate candidates[MOST];
          guint found = search_shot (&search, &pattern, candidates);
          right += found > 0 && candidates[0].confidence > 0.9
                   && fl_lattice_match (&candidates[0].star, &known, 0.015, 0.015, &setting);
        }
      g_test_message ("within %g 1/A: %u of 10", options[i].excitation, right);
      g_assert_cmpuint (right, >=, i == 0 ? 9 : 6);
    }
  search_close (&search);
}

/* How few spots are enough. */
static void
test_sparse (void)
{
  Search search = search_open ("cpu");
  const struct
  {
    guint most, least_right;
  } cases[] = { { 16, 0 }, { 20, 0 }, { 25, 80 }, { 40, 90 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PatternOptions options = { .wavelength = 1.3,
                                 .d_min = 2.5,
                                 .excitation = 0.002,
                                 .noise = 0.03,
                                 .false_fraction = 0.2,
                                 .most = cases[i].most };
      guint n = 2 * G_N_ELEMENTS (kinds), right = count_right (&search, 2, &options, 5e4, 5e5, 4);
      g_test_message ("%u spots: %u of %u", cases[i].most, right, n);
      g_assert_cmpuint (100 * right, >=, cases[i].least_right * n);
    }
  search_close (&search);
}

/* Spots that no crystal made: uniform on the detector, on rings, crowded in the middle, in clusters. */
static Pattern
no_crystal (guint kind, FlRandom *random)
{
  Pattern pattern = { .n = (guint) (16 * pow (300 / 16.0, fl_random_unit (random))) };
  pattern.q = g_new (FlVec3, pattern.n);
  pattern.intensity = g_new (float, pattern.n);
  double rings[6], clusters[80][2];
  guint n_rings = 2 + (guint) (fl_random_u64 (random) % 5u), n_clusters = 1 + pattern.n / 4;
  for (guint i = 0; i < n_rings; i++)
    rings[i] = 10 + 70 * fl_random_unit (random);
  for (guint i = 0; i < n_clusters; i++)
    for (guint k = 0; k < 2; k++)
      clusters[i][k] = 160 * fl_random_unit (random) - 80;
  for (guint i = 0; i < pattern.n; i++)
    {
      double angle = 2 * G_PI * fl_random_unit (random), radius = -25 * log (1 - fl_random_unit (random));
      const double *cluster = clusters[fl_random_u64 (random) % n_clusters];
      if (kind == 1)
        radius = rings[fl_random_u64 (random) % n_rings] + 0.1 * fl_random_normal (random);
      double x = radius * cos (angle), y = radius * sin (angle);
      if (kind == 0)
        {
          x = 160 * fl_random_unit (random) - 80;
          y = 160 * fl_random_unit (random) - 80;
        }
      if (kind == 3)
        {
          x = cluster[0] + fl_random_normal (random);
          y = cluster[1] + fl_random_normal (random);
        }
      FlVec3 direction = fl_vec3_unit (fl_vec3 (x, y, 100));
      pattern.q[i] = fl_vec3_scale (fl_vec3_sub (direction, fl_vec3 (0, 0, 1)), 1 / 1.3);
      pattern.intensity[i] = (float) -log (1 - fl_random_unit (random));
    }
  return pattern;
}

static void
test_no_crystal (void)
{
  Search search = search_open ("cpu");
  FlRandom random = fl_random (5);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlCellCandidate));
  g_autofree guint *first = g_new0 (guint, 301);
  double surest = 0;
  guint n = g_test_slow () ? 300 : 60;
  for (guint i = 0; i < n; i++)
    {
      g_auto (Pattern) pattern = no_crystal (i % 4, &random);
      FlCellCandidate candidates[MOST];
      guint found = search_shot (&search, &pattern, candidates);
      g_array_append_vals (all, candidates, found);
      first[i + 1] = all->len;
      for (guint k = 0; k < found; k++)
        surest = MAX (surest, candidates[k].confidence);
    }
  g_autoptr (GArray) proposals = fl_cell_consensus ((const FlCellCandidate *) all->data, first, n, 5);
  double proposed = proposals->len > 0 ? g_array_index (proposals, FlCellProposal, 0).confidence : 0;
  g_test_message ("%u lists: the surest candidate %.3f, proposal %.3f", n, surest, proposed);
  g_assert_cmpfloat (surest, <, 0.5);
  g_assert_cmpfloat (proposed, <, 0.5);
  search_close (&search);
}

/* The order of the spots does not matter, nor which module computes. */
static void
test_same (void)
{
  const char *devices[] = { "cpu", "cpu-baseline", "teams" };
  FlRandom random = fl_random (6);
  PatternOptions options = {
    .wavelength = 1.3, .d_min = 2.5, .excitation = 0.002, .noise = 0.03, .false_fraction = 0.3, .most = 120
  };
  FlKnownCell known = pattern_cell (FL_LATTICE_ORTHORHOMBIC, 'C', 2e5, &random);
  FlMat3 star = pattern_orient (&known.cell, &random);
  g_auto (Pattern) pattern = pattern_new (&known, &star, &options, &random);
  FlCellCandidate before[MOST], now[MOST];
  guint n_before = 0;
  for (guint i = 0; i < G_N_ELEMENTS (devices); i++)
    {
      Search search = search_open (devices[i]);
      guint n = search_shot (&search, &pattern, now);
      if (i > 0)
        {
          g_assert_cmpuint (n, ==, n_before);
          for (guint k = 0; k < n; k++)
            {
              g_assert_cmpmem (&now[k].star, sizeof now[k].star, &before[k].star, sizeof before[k].star);
              g_assert_cmpuint (now[k].n_explained, ==, before[k].n_explained);
              g_assert_cmpfloat (now[k].confidence, ==, before[k].confidence);
            }
        }
      memcpy (before, now, sizeof now);
      n_before = n;
      search_close (&search);
      for (guint k = pattern.n - 1; k > 0; k--)
        {
          guint other = (guint) (fl_random_u64 (&random) % (k + 1));
          FlVec3 q = pattern.q[k];
          float intensity = pattern.intensity[k];
          pattern.q[k] = pattern.q[other];
          pattern.intensity[k] = pattern.intensity[other];
          pattern.q[other] = q;
          pattern.intensity[other] = intensity;
        }
    }
  g_assert_cmpuint (n_before, >, 0);
}

/* What no lattice can come from. */
static void
test_degenerate (void)
{
  Search search = search_open ("cpu");
  FlCellCandidate candidates[MOST];
  FlVec3 q[40];
  Pattern pattern = { .q = q };
  for (guint kind = 0; kind < 6; kind++)
    {
      for (guint i = 0; i < 40; i++)
        q[i] = kind == 0   ? fl_vec3 (0, 0, 0)
               : kind == 1 ? fl_vec3 (0.1, 0.05, -0.01)
               : kind == 2 ? fl_vec3 (0.01 * i, 0, 0)
               : kind == 3 ? fl_vec3 (0.01 * (double) (i % 7), 0.012 * (double) (i / 7), 0)
               : kind == 4 ? fl_vec3 (NAN, INFINITY, 0.1 * i)
                           : fl_vec3 (1e9 * i, -1e300, 1e-300);
      for (pattern.n = 0; pattern.n <= 40; pattern.n += 8)
        {
          guint n = search_shot (&search, &pattern, candidates);
          for (guint k = 0; k < n; k++)
            g_assert_cmpfloat (candidates[k].confidence, <, 0.5);
        }
    }
  search_close (&search);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cell-search/exact", test_exact);
  g_test_add_func ("/cell-search/stills", test_stills);
  g_test_add_func ("/cell-search/large", test_large);
  g_test_add_func ("/cell-search/sparse", test_sparse);
  g_test_add_func ("/cell-search/no-crystal", test_no_crystal);
  g_test_add_func ("/cell-search/same", test_same);
  g_test_add_func ("/cell-search/degenerate", test_degenerate);
  return g_test_run ();
}
