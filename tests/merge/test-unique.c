/* The list of unique reflections against a classification of every index. */
#include <math.h>
#include <string.h>

#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

static const struct
{
  const char *group;
  double cell[6];
} cases[] = {
  { "P1", { 21, 25, 30, 80, 95, 103 } },        { "P-1", { 21, 25, 30, 80, 95, 103 } },
  { "P 1 21 1", { 21, 25, 30, 90, 105, 90 } },  { "C 1 2 1", { 41, 25, 30, 90, 105, 90 } },
  { "P 21 21 21", { 21, 25, 30, 90, 90, 90 } }, { "P 43 21 2", { 31, 31, 20, 90, 90, 90 } },
  { "P 63", { 28, 28, 33, 90, 90, 120 } },      { "P 31 2 1", { 28, 28, 33, 90, 90, 120 } },
  { "H 3", { 40, 40, 30, 90, 90, 120 } },       { "I 2 3", { 40, 40, 40, 90, 90, 90 } },
  { "F -4 3 m", { 40, 40, 40, 90, 90, 90 } },
};
#define D_MIN 3.0
#define D_MAX 15.0

static int
compare (FlMiller a, FlMiller b)
{
  return a.h != b.h ? a.h - b.h : a.k != b.k ? a.k - b.k : a.l - b.l;
}

/* Whether an operator takes m to `to`. */
static gboolean
leads (const FlSymmetry *symmetry, FlMiller m, FlMiller to)
{
  for (guint i = 0; i < symmetry->n; i++)
    if (compare (fl_miller_transform (m, &symmetry->ops[i]), to) == 0)
      return TRUE;
  return FALSE;
}

static void
check_index (const FlUniqueList *list, const FlSymmetry *symmetry, FlMiller m, gboolean wanted, guint *seen)
{
  gboolean minus = 77;
  FlReflectionClass class = fl_symmetry_classify (symmetry, m);
  guint32 number = fl_unique_list_find (list, m, &minus);
  if (!wanted || class.absent)
    {
      g_assert_cmpuint (number, ==, FL_UNIQUE_NONE);
      return;
    }
  g_assert_cmpuint (number, <, fl_unique_list_n (list));
  const FlUnique *u = fl_unique_list_at (list, number);
  g_assert_cmpint (compare (u->hkl, class.representative), ==, 0);
  g_assert_cmpuint (u->epsilon, ==, class.epsilon);
  g_assert_cmpint (u->centric, ==, class.centric);
  g_assert_cmpint (minus, ==, !leads (symmetry, m, class.representative));
  seen[number]++;
}

static void
test_unique (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  FlCell cell;
  g_assert_true (fl_cell_from_degrees (cases[i].cell, &cell, NULL));
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol (cases[i].group, NULL);
  g_assert_nonnull (symmetry);
  g_autoptr (FlUniqueList) list = fl_unique_list_new (&cell, symmetry, D_MIN, D_MAX, NULL);
  guint n = fl_unique_list_n (list);
  g_autofree guint *seen = g_new0 (guint, n);
  FlMat3 metric = fl_cell_reciprocal_metric (&cell);
  for (int h = -16; h <= 16; h++)
    for (int k = -16; k <= 16; k++)
      for (int l = -16; l <= 16; l++)
        {
          double d = 1 / sqrt (fl_inverse_d_squared (&metric, h, k, l));
          gboolean at_limit = fabs (d - D_MIN) < 1e-6 || fabs (d - D_MAX) < 1e-6;
          if (!at_limit)
            check_index (list, symmetry, (FlMiller){ h, k, l }, d > D_MIN && d < D_MAX, seen);
        }
  for (guint u = 1; u < n; u++)
    g_assert_cmpint (compare (fl_unique_list_at (list, u - 1)->hkl, fl_unique_list_at (list, u)->hkl), <, 0);
  for (guint u = 0; u < n; u++)
    g_assert_true (seen[u] > 0 || fabs (fl_unique_list_at (list, u)->d - D_MIN) < 1e-4
                   || fabs (fl_unique_list_at (list, u)->d - D_MAX) < 1e-4);
  g_test_message ("%s: %u unique", cases[i].group, n);
}

static void
test_too_many (void)
{
  g_autoptr (GError) error = NULL;
  FlCell cell;
  g_assert_true (fl_cell_from_degrees ((double[]){ 900, 900, 900, 90, 90, 90 }, &cell, NULL));
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol ("P1", NULL);
  g_assert_null (fl_unique_list_new (&cell, symmetry, 1, 0, &error));
  g_assert_nonnull (strstr (error->message, "too many reflections"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/unique/%s", cases[i].group);
      g_strdelimit (path + 8, " /", '_');
      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_unique);
    }
  g_test_add_func ("/unique/too many", test_too_many);
  return g_test_run ();
}
