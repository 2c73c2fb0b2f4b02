/* DIALS' .expt and .refl: what is written reads back, real ones give the counts and cells that DIALS shows, and damage is
 * an error or is stepped over. (That DIALS itself reads ours: tests/programs/test-export-dials.py.) */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/lattice.h"
#include "engine/results/dials.h"
#include "engine/results/refl-table.h"

static char *
temporary_path (void)
{
  g_autofree char *dir = g_dir_make_tmp ("firstlight-dials-XXXXXX", NULL);
  return g_build_filename (dir, "test.expt", NULL);
}

static void
remove_with_folder (const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path), *refl = fl_dials_refl_path (path);
  g_remove (path);
  g_remove (refl);
  g_rmdir (dir);
}

static double
uniform (FlRandom *random, double low, double high)
{
  return low + (high - low) * fl_random_unit (random);
}

static GArray *
make_panels (void)
{
  GArray *panels = fl_panel_places_new ();
  for (guint i = 0; i < 2; i++)
    {
      FlMat3 turn = fl_mat3_rotation (fl_vec3_unit (fl_vec3 (1, 2, 3)), 0.1 + i);
      FlPanelPlace place = { .name = g_strdup_printf ("panel \"%u\"", i),
                             .n_fs = 100,
                             .n_ss = 200,
                             .origin = fl_vec3 (-5 + 10.0 * i, 3, 90),
                             .fs = fl_mat3_apply (&turn, fl_vec3 (0.1, 0, 0)),
                             .ss = fl_mat3_apply (&turn, fl_vec3 (0, 0.1, 0)),
                             .trusted_min = i == 0 ? -INFINITY : -5,
                             .saturation = i == 0 ? INFINITY : 4000 };
      g_array_append_val (panels, place);
    }
  return panels;
}

static void
add_lattice (FlPattern *pattern, FlRandom *random, guint n)
{
  FlLatticeRow lattice = { .number = (guint16) pattern->lattices->len,
                           .centring = 'I',
                           .space_group = 98,
                           .mosaicity = 0.002f,
                           .domain_size = 1500 };
  guint first = pattern->reflections->len;
  for (guint i = 0; i < 9; i++)
    lattice.a_star[i] = (float) uniform (random, -0.02, 0.02);
  for (guint i = 0; i < n; i++)
    {
      FlReflectionRow r = { .lattice = lattice.number,
                            .h = (gint16) (fl_random_u64 (random) % 199) - 99,
                            .k = (gint16) i + 1,
                            .l = (gint16) (fl_random_u64 (random) % 9) - 4,
                            .panel = (guint16) (i % 2),
                            .fs = (float) uniform (random, 0, 100),
                            .ss = (float) uniform (random, 0, 200),
                            .intensity = (float) uniform (random, -10, 1000),
                            .sigma = i == 7 ? -1 : (float) uniform (random, 0.1, 30),
                            .background = 3.25f,
                            .flags = i == 3   ? FL_REFLECTION_SATURATED
                                     : i == 4 ? FL_REFLECTION_OVERLAP
                                              : 0 };
      g_array_append_val (pattern->reflections, r);
    }
  g_assert_true (fl_pattern_derive (pattern, &lattice, first));
  g_array_append_val (pattern->lattices, lattice);
}

static void
make_pattern (FlPattern *pattern, guint frame)
{
  FlRandom random = fl_random (frame);
  fl_pattern_clear (pattern);
  pattern->file = g_strdup ("folder/run \"7\".h5");
  g_free (pattern->event);
  pattern->event = g_strdup_printf ("//%u", frame);
  pattern->frame = frame;
  pattern->energy = 9123.5 + frame / 3;
  for (guint i = 0; i < frame % 3; i++)
    add_lattice (pattern, &random, 40);
}

static void
write_pair (const char *path, guint n)
{
  GError *error = NULL;
  g_autoptr (GArray) panels = make_panels ();
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  FlDialsWriter *writer = fl_dials_writer_open (path, panels, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    {
      make_pattern (pattern, i);
      fl_dials_writer_add (writer, pattern);
    }
  g_assert_true (fl_dials_writer_close (writer, TRUE, &error));
  g_assert_no_error (error);
}

static void
check_near (FlVec3 a, FlVec3 b)
{
  g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (a, b)), <, 1e-12 * (1 + fl_vec3_norm (a)));
}

static void
check_lattice (const FlPattern *made, const FlPattern *read, guint number)
{
  const FlLatticeRow *a = &g_array_index (made->lattices, FlLatticeRow, number);
  const FlLatticeRow *b = &g_array_index (read->lattices, FlLatticeRow, number);
  guint n_a, n_b, k = 0;
  const FlReflectionRow *x = fl_pattern_reflections (made, number, &n_a);
  const FlReflectionRow *y = fl_pattern_reflections (read, number, &n_b);
  for (guint i = 0; i < 9; i++)
    g_assert_cmpfloat_with_epsilon ((double) a->a_star[i], (double) b->a_star[i], 1e-8);
  g_assert_true (b->centring == 'I' && b->space_group == 98 && b->domain_size == 1500);
  g_assert_cmpfloat_with_epsilon ((double) b->mosaicity, 0.002, 1e-9);
  g_assert_cmpuint (n_a, ==, 40);
  g_assert_cmpuint (n_b, ==, 39);
  g_assert_cmpuint (b->reflections, ==, 39);
  for (guint i = 0; i < n_a; i++)
    if (x[i].sigma >= 0)
      {
        const FlReflectionRow *r = &y[k++];
        g_assert_true (x[i].h == r->h && x[i].k == r->k && x[i].l == r->l && x[i].panel == r->panel
                       && x[i].flags == r->flags && x[i].fs == r->fs && x[i].ss == r->ss
                       && x[i].intensity == r->intensity && r->background == 3.25f);
        g_assert_cmpfloat_with_epsilon ((double) x[i].sigma, (double) r->sigma, 1e-5);
        g_assert_cmpfloat_with_epsilon ((double) x[i].d, (double) r->d, 1e-5 * (double) x[i].d);
        g_assert_cmpfloat_with_epsilon ((double) x[i].excitation, (double) r->excitation, 1e-6);
      }
}

static void
test_round_trip (void)
{
  g_autofree char *path = temporary_path (), *refl = fl_dials_refl_path (path);
  GError *error = NULL;
  write_pair (path, 9);
  g_autoptr (FlDialsFile) file = fl_dials_read (path, refl, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) panels = make_panels ();
  g_assert_cmpuint (file->panels->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      const FlPanelPlace *a = &g_array_index (panels, FlPanelPlace, i),
                         *b = &g_array_index (file->panels, FlPanelPlace, i);
      g_assert_cmpstr (a->name, ==, b->name);
      g_assert_true (a->n_fs == b->n_fs && a->n_ss == b->n_ss);
      check_near (a->origin, b->origin);
      check_near (a->fs, b->fs);
      check_near (a->ss, b->ss);
    }
  g_assert_cmpfloat (g_array_index (file->panels, FlPanelPlace, 1).saturation, ==, 4000);
  g_autoptr (FlPattern) made = fl_pattern_new ();
  guint at = 0;
  for (guint i = 0; i < 9; i++)
    {
      make_pattern (made, i);
      if (made->lattices->len == 0)
        continue;
      const FlPattern *read = file->patterns->pdata[at++];
      g_assert_cmpstr (read->file, ==, made->file);
      g_assert_cmpint (read->frame, ==, i);
      g_assert_cmpstr (read->event, ==, made->event);
      g_assert_cmpfloat_with_epsilon (read->energy, made->energy, 1e-6);
      g_assert_cmpuint (read->lattices->len, ==, made->lattices->len);
      for (guint k = 0; k < made->lattices->len; k++)
        check_lattice (made, read, k);
    }
  g_assert_cmpuint (file->patterns->len, ==, at);
  g_assert_cmpuint (file->damaged, ==, 0);
  remove_with_folder (path);
}

/* Cut and mutated at random: an error or fewer rows, never a crash, and never a reflection of a lattice that is not there. */
static void
test_damage (void)
{
  g_autofree char *path = temporary_path (), *refl = fl_dials_refl_path (path);
  g_autofree char *models = NULL, *table = NULL;
  gsize n_models, n_table;
  guint failed = 0;
  write_pair (path, 3);
  g_assert_true (g_file_get_contents (path, &models, &n_models, NULL));
  g_assert_true (g_file_get_contents (refl, &table, &n_table, NULL));
  for (guint seed = 0; seed < 600; seed++)
    {
      FlRandom random = fl_random (seed);
      gsize n = seed % 2 == 0 ? n_models : n_table;
      g_autofree char *bad = g_malloc (n);
      g_autoptr (GError) error = NULL;
      memcpy (bad, seed % 2 == 0 ? models : table, n);
      gsize length = seed % 4 < 2 ? fl_random_u64 (&random) % n : n;
      for (guint k = 0; k < 4; k++)
        bad[fl_random_u64 (&random) % (seed % 8 < 4 ? n : MIN (n, 200))] = (char) fl_random_u64 (&random);
      g_assert_true (g_file_set_contents (path, models, (gssize) n_models, NULL));
      g_assert_true (g_file_set_contents (refl, table, (gssize) n_table, NULL));
      g_assert_true (g_file_set_contents (seed % 2 == 0 ? path : refl, bad, (gssize) length, NULL));
      g_autoptr (FlDialsFile) file = fl_dials_read (path, refl, &error);
      g_assert_true ((file == NULL) == (error != NULL));
      failed += file == NULL;
      for (guint i = 0; file != NULL && i < file->patterns->len; i++)
        {
          const FlPattern *pattern = file->patterns->pdata[i];
          for (guint k = 0; k < pattern->reflections->len; k++)
            g_assert_cmpuint (g_array_index (pattern->reflections, FlReflectionRow, k).lattice, <,
                              pattern->lattices->len);
        }
    }
  g_assert_cmpuint (failed, >, 250);
  remove_with_folder (path);
}

static char *
data_path (const char *name)
{
  const char *data = g_getenv ("FIRSTLIGHT_TEST_DATA");
  char *path = g_build_filename (data != NULL ? data : "", "ssx_cunir", name, NULL);
  if (data != NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_free (path);
  g_test_skip ("no test data");
  return NULL;
}

/* Stills that DIALS has indexed: P2₁3, a = 96.4 Å. */
static void
test_indexed (void)
{
  g_autofree char *expt = data_path ("indexed.expt"), *refl = data_path ("indexed.refl");
  if (expt == NULL)
    return;
  GError *error = NULL;
  g_autoptr (FlDialsFile) file = fl_dials_read (expt, refl, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (file->damaged, ==, 0);
  g_assert_cmpuint (file->patterns->len, ==, 5);
  g_assert_cmpuint (file->panels->len, ==, 1);
  guint spots = 0, reflections = 0;
  double distance = 0, resolution = 0;
  for (guint i = 0; i < 5; i++)
    {
      const FlPattern *pattern = file->patterns->pdata[i];
      g_autofree char *name = g_strdup_printf ("../cunir_serial/merlin0047_1700%u.cbf", i);
      g_assert_cmpstr (pattern->file, ==, name);
      g_assert_cmpfloat_with_epsilon (pattern->energy, FL_EV_ANGSTROM / 1.37611, 1e-6);
      g_assert_cmpuint (pattern->lattices->len, ==, 1);
      const FlLatticeRow *lattice = &g_array_index (pattern->lattices, FlLatticeRow, 0);
      for (guint k = 0; k < 3; k++)
        {
          g_assert_cmpfloat_with_epsilon ((double) lattice->cell[k], 96.4, 0.2);
          g_assert_cmpfloat_with_epsilon ((double) lattice->cell[3 + k], FL_PI / 2, 1e-5);
        }
      g_assert_cmpuint (lattice->space_group, ==, 198);
      g_assert_cmpuint (lattice->spots, ==, pattern->reflections->len);
      g_assert_cmpuint (lattice->reflections, ==, 0); /* indexed, not integrated */
      spots += pattern->spots->len;
      reflections += pattern->reflections->len;
      for (guint k = 0; k < pattern->reflections->len; k++)
        {
          /* The frame and the matrix are right when indices explain spots: d of both, and the Ewald sphere, agree. */
          const FlReflectionRow *r = &g_array_index (pattern->reflections, FlReflectionRow, k);
          const FlSpotRow *s = &g_array_index (pattern->spots, FlSpotRow, k);
          distance += (double) fabsf (r->excitation);
          resolution += fabs (1 / (double) r->d - 1 / (double) s->d);
        }
    }
  g_assert_cmpuint (spots, ==, 360);
  g_assert_cmpuint (reflections, ==, 360);
  g_assert_cmpfloat (distance / 360, <, 1e-3); /* 1/Å, of a cell with a* = 0.0104 */
  g_assert_cmpfloat (resolution / 360, <, 1e-3);
}

static void
test_strong (void)
{
  g_autofree char *expt = data_path ("imported_no_ref_5.expt"), *refl = data_path ("strong_5.refl");
  if (expt == NULL)
    return;
  GError *error = NULL;
  g_autoptr (FlDialsFile) file = fl_dials_read (expt, refl, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (file->damaged, ==, 0);
  g_assert_cmpuint (file->patterns->len, ==, 5);
  guint spots = 0;
  for (guint i = 0; i < 5; i++)
    {
      const FlPattern *pattern = file->patterns->pdata[i];
      g_autofree char *name = g_strdup_printf ("../cunir_serial/merlin0047_1700%u.cbf", i);
      g_assert_cmpstr (pattern->file, ==, name);
      g_assert_cmpuint (pattern->lattices->len + pattern->reflections->len, ==, 0);
      spots += pattern->spots->len;
    }
  g_assert_cmpuint (spots, ==, 759);
}

static void
test_errors (void)
{
  g_autofree char *path = temporary_path (), *refl = fl_dials_refl_path (path);
  GError *error = NULL;
  g_assert_null (fl_dials_read (path, NULL, &error));
  g_assert_true (g_str_has_prefix (error->message, path));
  g_clear_error (&error);
  write_pair (path, 3);
  g_remove (refl);
  g_assert_null (fl_dials_read (path, refl, &error));
  g_assert_true (g_str_has_prefix (error->message, refl));
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "{}", -1, NULL));
  g_assert_null (fl_dials_read (path, NULL, &error));
  g_assert_nonnull (strstr (error->message, "has no experiment"));
  g_clear_error (&error);
  remove_with_folder (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dials/round-trip", test_round_trip);
  g_test_add_func ("/dials/damage", test_damage);
  g_test_add_func ("/dials/indexed", test_indexed);
  g_test_add_func ("/dials/strong", test_strong);
  g_test_add_func ("/dials/errors", test_errors);
  return g_test_run ();
}
