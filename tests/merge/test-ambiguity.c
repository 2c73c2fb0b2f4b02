/* Lattices of a group with an ambiguity, each indexed in a setting by chance, partialities unknown. */
#include <glib.h>
#include <math.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/merge/ambiguity.h"

#define LATTICES     300
#define OBSERVATIONS 250

static FlParallel *parallel;

typedef struct
{
  FlSymmetry *symmetry;
  FlUniqueList *list;
  FlReindexing *settings;
  guint n_settings;
  float *truth;
  guint8 applied[LATTICES]; /* by what was done to each lattice's indices */
  FlMergeSet *set;
} Case;

static int
limit_random (FlRandom *random, int limit)
{
  return (int) (fl_random_u64 (random) % (guint64) (2 * limit + 1)) - limit;
}

static void
add_lattice (Case *c, guint number)
{
  FlRandom random = fl_random (1000 + number);
  FlObservation observations[OBSERVATIONS];
  int limits[3];
  fl_cell_limits (fl_unique_list_cell (c->list), 3, limits);
  guint setting = c->applied[number] = (guint8) (fl_random_u64 (&random) % (c->n_settings + 1));
  double scale = exp (fl_random_normal (&random));
  for (guint n = 0; n < OBSERVATIONS;)
    {
      FlMiller m = { limit_random (&random, limits[0]), limit_random (&random, limits[1]),
                     limit_random (&random, limits[2]) };
      guint32 unique = fl_merge_find (c->list, c->settings, setting, m, NULL);
      if (unique == FL_UNIQUE_NONE)
        continue;
      double seen = (double) c->truth[unique] * scale * fl_random_unit (&random);
      observations[n++] = (FlObservation){ .h = (gint16) m.h,
                                           .k = (gint16) m.k,
                                           .l = (gint16) m.l,
                                           .sigma = 1,
                                           .intensity = (float) (seen + 10 * fl_random_normal (&random)) };
    }
  FlMergeLattice lattice = { .shot = number, .key = number, .scale = 1, .energy = 9000 };
  g_assert_true (fl_merge_set_append (c->set, &lattice, number, observations, OBSERVATIONS, NULL));
}

static Case *
case_new (const char *group, const double degrees[6])
{
  Case *c = g_new0 (Case, 1);
  FlCell cell;
  g_assert_true (fl_cell_from_degrees (degrees, &cell, NULL));
  c->symmetry = fl_symmetry_from_symbol (group, NULL);
  c->list = fl_unique_list_new (&cell, c->symmetry, 3, 0, NULL);
  c->settings = fl_reindexing_ambiguities (&cell, c->symmetry, 0.01, 0.01, &c->n_settings);
  c->truth = g_new (float, fl_unique_list_n (c->list));
  FlRandom random = fl_random (5);
  for (guint i = 0; i < fl_unique_list_n (c->list); i++)
    c->truth[i] = (float) (-100 * log (1 - fl_random_unit (&random)));
  c->set = fl_merge_set_new (parallel, &(FlMergeInputOptions){ 0 });
  for (guint i = 0; i < LATTICES; i++)
    add_lattice (c, i);
  fl_merge_set_finish (c->set);
  fl_merge_set_index (c->set, c->list, c->settings);
  return c;
}

static void
case_free (Case *c)
{
  fl_merge_set_free (c->set);
  fl_unique_list_free (c->list);
  fl_symmetry_free (c->symmetry);
  g_free (c->settings);
  g_free (c->truth);
  g_free (c);
}

/* Do two choices for lattices agree on which reflections are the same? Then the whole is right but for one common choice. */
static guint
consistent (const Case *c)
{
  guint most = 0, all = c->n_settings + 1;
  guint pairs[64] = { 0 };
  for (guint i = 0; i < c->set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = fl_merge_set_lattice (c->set, i);
      pairs[c->applied[lattice->shot] * all + lattice->setting]++;
    }
  /* of each true setting, the one that most were given */
  for (guint a = 0; a < all; a++)
    {
      guint best = 0;
      for (guint b = 0; b < all; b++)
        best = MAX (best, pairs[a * all + b]);
      most += best;
    }
  /* two true settings must not be given the same */
  guint given[8] = { 0 };
  for (guint a = 0; a < all; a++)
    for (guint b = 0, taken = FALSE; b < all && !taken; b++)
      if (pairs[a * all + b] > LATTICES / all / 2)
        {
          taken = TRUE;
          given[b]++;
        }
  for (guint b = 0; b < all; b++)
    g_assert_cmpuint (given[b], ==, 1);
  return most;
}

static void
test_alone (gconstpointer group)
{
  const double tetragonal[] = { 60, 60, 40, 90, 90, 90 }, hexagonal[] = { 60, 60, 40, 90, 90, 120 };
  gboolean three = g_str_equal (group, "P 3");
  Case *c = case_new (group, three ? hexagonal : tetragonal);
  g_assert_cmpuint (c->n_settings, ==, three ? 3 : 1);
  guint64 changed;
  g_assert_true (fl_merge_resolve (c->set, c->list, c->settings, c->n_settings, NULL, NULL, &changed));
  guint right = consistent (c);
  g_test_message ("%u of %u", right, LATTICES);
  g_assert_cmpuint (right, >=, LATTICES * 98 / 100);
  case_free (c);
}

static void
test_reference (void)
{
  const double hexagonal[] = { 60, 60, 40, 90, 90, 120 };
  Case *c = case_new ("P 3", hexagonal);
  guint right = 0, moved = 0, n = fl_unique_list_n (c->list);
  g_autoptr (FlMergeReference) reference = fl_merge_reference_new (n);
  for (guint i = 0; i < n; i++)
    {
      reference->intensity[i] = c->truth[i];
      reference->count[i] = 1;
    }
  guint64 said;
  g_assert_true (fl_merge_resolve (c->set, c->list, c->settings, c->n_settings, reference, NULL, &said));
  for (guint i = 0; i < c->set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = fl_merge_set_lattice (c->set, i);
      right += lattice->setting == c->applied[lattice->shot];
      moved += lattice->setting != 0;
      const FlObservation *o = &c->set->observations[lattice->first];
      g_assert_cmpuint (
          o->unique, ==,
          fl_merge_find (c->list, c->settings, lattice->setting, (FlMiller){ o->h, o->k, o->l }, NULL));
    }
  g_assert_cmpuint (right, >=, LATTICES * 99 / 100);
  g_assert_cmpuint (moved, ==, said);
  case_free (c);
}

static gboolean
stop_after_some (gpointer data)
{
  guint *left = data;
  g_assert_cmpuint (*left, >, 0); /* once is enough */
  return --*left == 0;
}

/* In the middle of it: no lattice is left in another setting. */
static void
test_stopped (void)
{
  const double tetragonal[] = { 60, 60, 40, 90, 90, 90 };
  for (guint rounds = 1; rounds < 12; rounds += 5)
    {
      Case *c = case_new ("P 4", tetragonal);
      guint left = rounds;
      guint64 changed;
      const FlMergeStop stop = { stop_after_some, &left };
      g_assert_false (fl_merge_resolve (c->set, c->list, c->settings, c->n_settings, NULL, &stop, &changed));
      g_assert_cmpuint (left, ==, 0);
      g_assert_cmpuint (changed, ==, 0);
      for (guint i = 0; i < c->set->lattices->len; i++)
        g_assert_cmpuint (fl_merge_set_lattice (c->set, i)->setting, ==, 0);
      case_free (c);
    }
}

int
main (int argc, char **argv)
{
  parallel = fl_parallel_start (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/ambiguity/alone/two", "P 4", test_alone);
  g_test_add_data_func ("/ambiguity/alone/four", "P 3", test_alone);
  g_test_add_func ("/ambiguity/reference", test_reference);
  g_test_add_func ("/ambiguity/stopped", test_stopped);
  int status = g_test_run ();
  fl_parallel_finish (parallel);
  return status;
}
