/* Clusters of unit cells: two forms half a per cent apart among outliers, against the truth that they were drawn from. */
#include <math.h>
#include <string.h>

#include "engine/base/cell-clusters.h"
#include "engine/base/error.h"
#include "engine/base/hash.h"

#define LATTICES 5000

typedef struct
{
  double cell[LATTICES][6];
  int form[LATTICES]; /* -1: an outlier */
} Made;

static const double forms[2][6] = { { 79.1, 84.3, 37.9, 90, 104, 90 },
                                    { 79.1 * 1.005, 84.3 * 1.005, 37.9 * 1.005, 90, 104.3, 90 } };

/* Lengths of 0.1 % and β of 0.08°, correlated by a scale that all three share; α and γ are right angles. Every tenth is anywhere
 * within 6 % and 6°. */
static Made *
make (guint n_forms, guint64 seed)
{
  Made *made = g_new (Made, 1);
  FlRandom r = fl_random (seed);
  for (guint i = 0; i < LATTICES; i++)
    {
      int form = fl_random_unit (&r) < 0.3 ? (int) n_forms - 1 : 0;
      gboolean outlier = fl_random_unit (&r) < 0.1;
      double shared = fl_random_normal (&r) * 0.0008;
      made->form[i] = outlier ? -1 : form;
      for (guint p = 0; p < 6; p++)
        {
          double *x = &made->cell[i][p], whole = p < 3 ? forms[form][p] : 100;
          *x = forms[form][p];
          if (outlier)
            *x += (fl_random_unit (&r) - 0.5) * 0.12 * whole;
          else if (p < 3)
            *x *= 1 + shared + 0.0006 * fl_random_normal (&r);
          else if (p == 4)
            *x += 0.08 * fl_random_normal (&r);
        }
    }
  return made;
}

static double
far_from (const FlCellCluster *cluster, const double cell[6])
{
  double most = 0;
  for (guint p = 0; p < 6; p++)
    most = fmax (most, fabs (cluster->mean[p] - cell[p]) / (p < 3 ? cell[p] : 100));
  return most;
}

static void
test_two_forms (void)
{
  for (guint64 seed = 1; seed <= 5; seed++)
    {
      g_autofree Made *made = make (2, seed);
      g_autoptr (GArray) found = fl_cell_clusters_find (made->cell, LATTICES, 8);
      guint right = 0;
      g_assert_cmpuint (found->len, ==, 2);
      for (guint i = 0; i < 2; i++)
        g_assert_cmpfloat (far_from (&g_array_index (found, FlCellCluster, i), forms[i]), <, 2e-4);
      for (guint i = 0; i < LATTICES; i++)
        right += fl_cell_clusters_nearest (found, made->cell[i]) == made->form[i];
      g_test_message ("%u of %u right", right, LATTICES);
      g_assert_cmpuint (right, >=, LATTICES * 99 / 100);
    }
}

/* The covariance of what was drawn, in closed form. */
static void
test_covariance (void)
{
  g_autofree Made *made = make (1, 7);
  g_autoptr (GArray) found = fl_cell_clusters_find (made->cell, LATTICES, 8);
  g_assert_cmpuint (found->len, ==, 1);
  const FlCellCluster *c = &g_array_index (found, FlCellCluster, 0);
  const double *a = forms[0];
  for (guint i = 0; i < 6; i++)
    for (guint j = 0; j < 6; j++)
      {
        double expected = i < 3 && j < 3 ? a[i] * a[j] * (0.0008 * 0.0008 + (i == j ? 0.0006 * 0.0006 : 0))
                          : i == 4 && j == 4 ? 0.08 * 0.08
                                             : 0;
        double scale = (i < 3 ? a[i] * 0.001 : 0.08) * (j < 3 ? a[j] * 0.001 : 0.08);
        g_assert_cmpfloat (fabs (c->covariance[i][j] - expected), <, 0.08 * scale);
      }
  g_assert_cmpuint (c->members, >, LATTICES * 88 / 100);
  g_assert_cmpuint (c->members, <, LATTICES * 92 / 100);
}

static void
test_order (void)
{
  g_autofree Made *made = make (2, 11);
  g_autoptr (GArray) one = fl_cell_clusters_find (made->cell, LATTICES, 8);
  FlRandom r = fl_random (3);
  for (guint i = LATTICES - 1; i > 0; i--)
    {
      guint j = (guint) (fl_random_u64 (&r) % (i + 1));
      double swap[6];
      memcpy (swap, made->cell[i], sizeof swap);
      memcpy (made->cell[i], made->cell[j], sizeof swap);
      memcpy (made->cell[j], swap, sizeof swap);
    }
  g_autoptr (GArray) other = fl_cell_clusters_find (made->cell, LATTICES, 8);
  g_assert_cmpuint (other->len, ==, 2);
  g_assert_true (memcmp (one->data, other->data, 2 * sizeof (FlCellCluster)) == 0);
}

/* More than are looked at: all are counted. */
static void
test_many (void)
{
  const guint n = 60000;
  double (*cells)[6] = g_malloc_n (n, sizeof *cells);
  for (guint i = 0; i < n; i += LATTICES)
    {
      g_autofree Made *made = make (2, 100 + i);
      memcpy (cells[i], made->cell, sizeof made->cell);
    }
  g_autoptr (GArray) found = fl_cell_clusters_find ((const double (*)[6]) cells, n, 8);
  g_assert_cmpuint (found->len, ==, 2);
  guint64 members =
      g_array_index (found, FlCellCluster, 0).members + g_array_index (found, FlCellCluster, 1).members;
  g_assert_cmpuint (members, >, n * 89 / 100);
  g_assert_cmpuint (members, <, n * 91 / 100);
  g_autoptr (GArray) largest = fl_cell_clusters_find ((const double (*)[6]) cells, n, 1);
  g_assert_cmpuint (largest->len, ==, 1);
  g_assert_true (memcmp (largest->data, found->data, sizeof (FlCellCluster)) == 0);
  g_free (cells);
}

/* Tetragonal: b = a, right angles. The matrix is singular, distances are not. */
static void
test_symmetry (void)
{
  double (*cells)[6] = g_malloc_n (2000, sizeof *cells);
  FlRandom r = fl_random (5);
  for (guint i = 0; i < 2000; i++)
    {
      double a = 79.1 * (1 + 0.001 * fl_random_normal (&r)), c = 37.9 * (1 + 0.002 * fl_random_normal (&r));
      const double cell[6] = { a, a, c, 90, 90, 90 };
      memcpy (cells[i], cell, sizeof cell);
    }
  g_autoptr (GArray) found = fl_cell_clusters_find ((const double (*)[6]) cells, 2000, 8);
  g_assert_cmpuint (found->len, ==, 1);
  const FlCellCluster *cluster = &g_array_index (found, FlCellCluster, 0);
  g_assert_cmpuint (cluster->members, >, 1980);
  double a = cluster->mean[0] + 2 * sqrt (cluster->covariance[0][0]);
  double tied[6] = { a, a, cluster->mean[2], 90.0005, 90, 90 },
         loose[6] = { a, a * 1.002, cluster->mean[2], 90, 90, 90 };
  double bent[6] = { a, a, cluster->mean[2], 90.1, 90, 90 };
  double expected =
      2
      / sqrt (1
              - pow (cluster->covariance[0][2], 2) / (cluster->covariance[0][0] * cluster->covariance[2][2]));
  g_assert_cmpfloat (fabs (fl_cell_cluster_distance (cluster, tied) - expected), <, 1e-3);
  g_assert_true (isinf (fl_cell_cluster_distance (cluster, loose)));
  g_assert_true (isinf (fl_cell_cluster_distance (cluster, bent)));
  g_free (cells);
}

static void
test_distance (void)
{
  FlCellCluster c = { .mean = { 50, 60, 70, 90, 90, 90 } };
  c.covariance[0][0] = 0.04;
  c.covariance[1][1] = 0.09;
  c.covariance[0][1] = c.covariance[1][0] = 0.03;
  const double x = 0.3, y = -0.2, cell[6] = { 50 + x, 60 + y, 70.05, 90, 90, 90 };
  const double square = (0.09 * x * x - 2 * 0.03 * x * y + 0.04 * y * y) / (0.04 * 0.09 - 0.03 * 0.03);
  g_assert_cmpfloat (fabs (fl_cell_cluster_distance (&c, cell) - sqrt (square)), <, 1e-9);
  g_assert_cmpfloat (fl_cell_cluster_distance (&c, c.mean), ==, 0);
}

static void
test_text (void)
{
  g_autofree Made *made = make (2, 2);
  g_autoptr (GArray) found = fl_cell_clusters_find (made->cell, LATTICES, 8);
  const FlCellCluster *cluster = &g_array_index (found, FlCellCluster, 0);
  g_autofree char *text = fl_cell_cluster_write (cluster);
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  double numbers[FL_CELL_CLUSTER_NUMBERS];
  FlCellCluster back;
  g_autoptr (GError) error = NULL;
  g_assert_cmpuint (g_strv_length (words), ==, FL_CELL_CLUSTER_NUMBERS);
  for (guint i = 0; i < FL_CELL_CLUSTER_NUMBERS; i++)
    numbers[i] = g_ascii_strtod (words[i], NULL);
  g_assert_true (fl_cell_cluster_read (numbers, FL_CELL_CLUSTER_NUMBERS, &back, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < LATTICES; i += 50)
    {
      double one = fl_cell_cluster_distance (cluster, made->cell[i]),
             two = fl_cell_cluster_distance (&back, made->cell[i]);
      g_assert_true (one == two || fabs (one - two) < 1e-4 * (1 + one));
    }
  g_assert_false (fl_cell_cluster_read (numbers, 6, &back, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_clear_error (&error);
  numbers[6] = -1;
  g_assert_false (fl_cell_cluster_read (numbers, FL_CELL_CLUSTER_NUMBERS, &back, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
}

static void
test_few (void)
{
  g_autofree Made *made = make (1, 4);
  const guint few[] = { 0, 1, 5, FL_CELL_CLUSTER_LEAST - 1 };
  for (guint i = 0; i < G_N_ELEMENTS (few); i++)
    {
      g_autoptr (GArray) found = fl_cell_clusters_find (made->cell, few[i], 8);
      g_assert_cmpuint (found->len, ==, 0);
    }
  double same[30][6], broken[30][6];
  for (guint i = 0; i < 30; i++)
    {
      memcpy (same[i], forms[0], sizeof same[i]);
      for (guint p = 0; p < 6; p++)
        broken[i][p] = p == 2 ? NAN : -1;
    }
  g_autoptr (GArray) one = fl_cell_clusters_find (same, 30, 8);
  g_assert_cmpuint (one->len, ==, 1);
  g_assert_cmpuint (g_array_index (one, FlCellCluster, 0).members, ==, 30);
  g_assert_cmpfloat (fl_cell_cluster_distance (&g_array_index (one, FlCellCluster, 0), forms[0]), ==, 0);
  g_autoptr (GArray) none = fl_cell_clusters_find (broken, 30, 8);
  g_assert_cmpuint (none->len, ==, 0);
}

/* A hundred lattices of one form, as they come in at the start. */
static void
test_start (void)
{
  for (guint64 seed = 1; seed <= 10; seed++)
    {
      g_autofree Made *made = make (1, seed);
      g_autoptr (GArray) found = fl_cell_clusters_find (made->cell, 100, 8);
      g_assert_cmpuint (found->len, ==, 1);
      g_assert_cmpuint (g_array_index (found, FlCellCluster, 0).members, >, 75);
    }
}

/* Cells without any form are no cluster. */
static void
test_outliers (void)
{
  FlRandom r = fl_random (9);
  double (*cells)[6] = g_malloc_n (3000, sizeof *cells);
  for (guint i = 0; i < 3000; i++)
    for (guint p = 0; p < 6; p++)
      cells[i][p] = p < 3 ? 40 + 100 * fl_random_unit (&r) : 60 + 60 * fl_random_unit (&r);
  g_autoptr (GArray) found = fl_cell_clusters_find ((const double (*)[6]) cells, 3000, 8);
  g_assert_cmpuint (found->len, ==, 0);
  g_free (cells);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cell-clusters/two-forms", test_two_forms);
  g_test_add_func ("/cell-clusters/covariance", test_covariance);
  g_test_add_func ("/cell-clusters/order", test_order);
  g_test_add_func ("/cell-clusters/many", test_many);
  g_test_add_func ("/cell-clusters/symmetry", test_symmetry);
  g_test_add_func ("/cell-clusters/distance", test_distance);
  g_test_add_func ("/cell-clusters/text", test_text);
  g_test_add_func ("/cell-clusters/few", test_few);
  g_test_add_func ("/cell-clusters/start", test_start);
  g_test_add_func ("/cell-clusters/outliers", test_outliers);
  return g_test_run ();
}
