/* Cycles come to rest at one point, wherever they start, and that point is near the truth. */
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>

#include "engine/merge/cycles.h"
#include "engine/merge/merging.h"
#include "engine/merge/state.h"
#include "tests/merge/made-lattices.h"

#define SHELLS 10
#define CYCLES 20

static FlParallel *parallel;

static FlMergeCycles
all_free (guint most)
{
  return (FlMergeCycles){ .scaling = { .b = TRUE, .width = TRUE, .rotation = TRUE, .min_cc = 0.1 },
                          .most = most };
}

static double *
intensities_of (const FlMergeSet *set, const FlUniqueList *list)
{
  FlMergingOptions options = { fl_error_model_fit (FL_ERROR_MODEL_EV11, set, list, 0), 0, 2, FALSE };
  g_autoptr (FlMergeResult) result = fl_merging_final (set, list, &options, 0);
  double *intensities = g_new (double, result->n);
  for (guint u = 0; u < result->n; u++)
    intensities[u] = (double) result->all[u].intensity;
  return intensities;
}

/* From nothing; how many cycles it took. */
static guint
merge_cold (FlMergeSet *set, const FlUniqueList *list, guint most)
{
  FlMergeCycles cycles = all_free (most);
  fl_merge_scale_start (set, 1);
  g_assert_true (fl_merge_cycles (set, list, &cycles));
  g_clear_pointer (&cycles.last, fl_merge_reference_free);
  return cycles.done;
}

/* From what a merge of `before` has left. */
static guint
merge_warm (FlMergeSet *set, const FlUniqueList *list, const FlMergeSet *before)
{
  g_autoptr (FlMergeState) state = fl_merge_state_of (before);
  g_autoptr (FlMergeReference) reference = fl_merging_reference (before, list, 1);
  FlMergeCycles cycles = all_free (CYCLES);
  fl_merge_state_keep (state, list, reference);
  fl_merge_scale_start (set, 1);
  g_assert_cmpuint (fl_merge_state_apply (state, set), >, 0);
  cycles.last = fl_merge_state_reference (state, list);
  g_assert_true (fl_merge_cycles (set, list, &cycles));
  g_clear_pointer (&cycles.last, fl_merge_reference_free);
  return cycles.done;
}

static double
lowest (const FlUniqueList *list, const double *a, const double *b)
{
  double cc[SHELLS], low = 1;
  made_correlations (list, a, b, SHELLS, cc);
  for (guint i = 0; i < SHELLS; i++)
    low = MIN (low, cc[i]);
  return low;
}

static void
compare_starts (FlMergeSet *whole, FlMergeSet *part, const FlUniqueList *list, const double *truth,
                double least)
{
  guint cold = merge_cold (whole, list, CYCLES);
  g_autofree double *from_nothing = intensities_of (whole, list);
  merge_cold (part, list, CYCLES);
  guint warm = merge_warm (whole, list, part);
  g_autofree double *from_part = intensities_of (whole, list);
  double same = lowest (list, from_nothing, from_part), true_cc = lowest (list, from_nothing, truth);
  g_test_message ("cold in %u cycles, warm in %u: %.5f in the worst shell; to the truth %.3f", cold, warm,
                  same, true_cc);
  g_assert_cmpuint (cold, <, CYCLES);
  g_assert_cmpfloat (same, >, 0.9995);
  g_assert_cmpfloat (true_cc, >, least);
  guint again = merge_warm (whole, list, whole);
  g_autofree double *from_all = intensities_of (whole, list);
  g_assert_cmpuint (again, <=, 2);
  g_assert_cmpfloat (lowest (list, from_part, from_all), >, 0.9999);
}

static void
test_made (void)
{
  g_autoptr (MadeLattices) made = made_lattices_new (3);
  g_autoptr (FlMergeSet) whole = made_set (made, 0, 300, parallel, &(FlMergeInputOptions){ 0 });
  g_autoptr (FlMergeSet) part = made_set (made, 0, 150, parallel, &(FlMergeInputOptions){ 0 });
  compare_starts (whole, part, made->list, made->truth, 0.97);
}

/* Cycles without end do not fit noise. */
static void
test_no_overfitting (void)
{
  g_autoptr (MadeLattices) made = made_lattices_new (3);
  double low[2];
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (FlMergeSet) set = made_set (made, 0, 100, parallel, &(FlMergeInputOptions){ 0 });
      FlMergeCycles cycles = all_free (i == 0 ? 6 : 60);
      cycles.tolerance = 1e-12;
      fl_merge_cycles (set, made->list, &cycles);
      g_clear_pointer (&cycles.last, fl_merge_reference_free);
      g_autofree double *intensities = intensities_of (set, made->list);
      low[i] = lowest (made->list, intensities, made->truth);
    }
  g_test_message ("worst shell to the truth: %.4f after 6 cycles, %.4f after 60", low[0], low[1]);
  g_assert_cmpfloat (low[1], >, low[0] - 0.005);
}

/* The result falls off as a reference from outside does, not as the median crystal. */
static void
test_fall (void)
{
  const double more = 30; /* Å² */
  g_autoptr (MadeLattices) made = made_lattices_new (3);
  g_autoptr (FlMergeSet) set = made_set (made, 0, 200, parallel, &(FlMergeInputOptions){ 0 });
  guint n = fl_unique_list_n (made->list);
  g_autoptr (FlMergeReference) outside = fl_merge_reference_new (n);
  FlMergeCycles cycles = all_free (CYCLES);
  double w = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (guint u = 0; u < n; u++)
    {
      double d = (double) fl_unique_list_at (made->list, u)->d;
      outside->intensity[u] = (float) (made->truth[u] * exp (-more / (2 * d * d)));
      outside->count[u] = 1;
    }
  cycles.outside = outside;
  g_assert_true (fl_merge_cycles (set, made->list, &cycles));
  g_autofree double *intensities = intensities_of (set, made->list);
  for (guint u = 0; u < n; u++)
    {
      double d = (double) fl_unique_list_at (made->list, u)->d, s = 1 / (2 * d * d);
      if (!(intensities[u] > 0))
        continue;
      double ratio = log (intensities[u] / (double) outside->intensity[u]), weight = made->truth[u];
      w += weight;
      x += weight * s;
      y += weight * ratio;
      xx += weight * s * s;
      xy += weight * s * ratio;
    }
  double fall = -(w * xy - x * y) / (w * xx - x * x);
  g_test_message ("%.2f Å² from the reference's", fall);
  g_assert_cmpfloat (fabs (fall), <, 3);
}

/* Of the halves, in shells; and how many pairs there are in all of them. */
static guint
halves (const FlMergeSet *set, const FlUniqueList *list, double cc[SHELLS])
{
  FlMergingOptions options = { fl_error_model_fit (FL_ERROR_MODEL_EV11, set, list, 0), 0, 2, FALSE };
  g_autoptr (FlMergeResult) result = fl_merging_final (set, list, &options, 0);
  g_autofree double *half[2] = { g_new (double, result->n), g_new (double, result->n) };
  guint pairs = 0;
  for (guint u = 0; u < result->n; u++)
    {
      for (guint h = 0; h < 2; h++)
        half[h][u] = (double) result->half[h][u].intensity;
      pairs += !isnan (half[0][u]) && !isnan (half[1][u]);
    }
  made_correlations (list, half[0], half[1], SHELLS, cc);
  g_free (half[1]);
  return pairs;
}

/* Where the crystals do not scatter, halves that were scaled and post-refined against one reference do not agree. */
static void
test_noise (void)
{
  enum
  {
    SILENT = 4, /* the last shells */
    SETS = 8
  };
  double sums[SHELLS] = { 0 }, widest = 0;
  for (guint i = 0; i < SETS; i++)
    {
      g_autoptr (MadeLattices) made = made_lattices_new (2.5);
      for (guint u = 0; u < fl_unique_list_n (made->list); u++)
        if (SHELLS * pow (2.5 / (double) fl_unique_list_at (made->list, u)->d, 3) >= SHELLS - SILENT - 0.1)
          made->truth[u] = 0;
      g_autoptr (FlMergeSet) set =
          made_set (made, 300 * i, 300 * (i + 1), parallel, &(FlMergeInputOptions){ 0 });
      double cc[SHELLS];
      merge_cold (set, made->list, CYCLES);
      guint pairs = halves (set, made->list, cc);
      for (guint s = 0; s < SHELLS; s++)
        sums[s] += cc[s] / SETS;
      widest = 4 / sqrt (SETS * (double) pairs / SHELLS); /* four standard deviations */
    }
  for (guint s = 0; s < SHELLS; s++)
    g_test_message ("shell %u: CC1/2 %.4f of ± %.4f", s + 1, sums[s], widest);
  for (guint s = 0; s < SHELLS - SILENT; s++)
    g_assert_cmpfloat (sums[s], >, 0.9);
  for (guint s = SHELLS - SILENT; s < SHELLS; s++)
    g_assert_cmpfloat (fabs (sums[s]), <, widest);
}

static gboolean
stop_after_two (gpointer data)
{
  return ++*(guint *) data > 2;
}

/* Stopped and gone on with: the same bits. */
static void
test_stopped (void)
{
  g_autoptr (MadeLattices) made = made_lattices_new (4);
  g_autoptr (FlMergeSet) straight = made_set (made, 0, 60, parallel, &(FlMergeInputOptions){ 0 });
  g_autoptr (FlMergeSet) halted = made_set (made, 0, 60, parallel, &(FlMergeInputOptions){ 0 });
  guint asked = 0, cycles_straight = merge_cold (straight, made->list, CYCLES);
  FlMergeCycles cycles = all_free (CYCLES);
  cycles.stop = stop_after_two;
  cycles.data = &asked;
  g_assert_false (fl_merge_cycles (halted, made->list, &cycles));
  g_assert_cmpuint (cycles.done, ==, 2);
  cycles.stop = NULL;
  g_assert_true (fl_merge_cycles (halted, made->list, &cycles));
  g_assert_cmpuint (cycles.done, ==, cycles_straight);
  g_clear_pointer (&cycles.last, fl_merge_reference_free);
  for (guint i = 0; i < straight->lattices->len; i++)
    g_assert_true (fl_merge_set_lattice (straight, i)->scale == fl_merge_set_lattice (halted, i)->scale);
}

/* --- images by another program's simulator --- */

/* I of a list in CrystFEL's format, by number; NaN where it has none. */
static double *
read_truth (const char *path, const FlUniqueList *list)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  guint n = fl_unique_list_n (list);
  double *truth = g_new (double, n);
  for (guint i = 0; i < n; i++)
    truth[i] = (double) NAN;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      int h, k, l;
      double intensity;
      if (sscanf (*line, "%d %d %d %lf", &h, &k, &l, &intensity) != 4)
        continue;
      guint32 unique = fl_unique_list_find (list, (FlMiller){ h, k, l }, NULL);
      if (unique != FL_UNIQUE_NONE)
        truth[unique] = intensity;
    }
  return truth;
}

/* The stream as it is, or its first half. */
static void
unpack (const char *packed, const char *path, gboolean half)
{
  g_autofree char *from = g_shell_quote (packed), *to = g_shell_quote (path);
  g_autofree char *command = g_strdup_printf (
      "sh -c 'gzip -dc \"$0\" | awk -v most=$2 \"/Begin chunk/{n++} n<=most\" > \"$1\"' %s %s %d", from, to,
      half ? 140 : 1000);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
}

static FlMergeSet *
read_set (const char *path, const FlUniqueList *list)
{
  g_autoptr (GError) error = NULL;
  const char *const inputs[] = { path, NULL };
  FlMergeSet *set = fl_merge_input_read (parallel, inputs, &(FlMergeInputOptions){ 0 }, &error);
  g_assert_no_error (error);
  fl_merge_set_index (set, list, NULL);
  return set;
}

static void
test_simulated (void)
{
  const char *data = g_getenv ("FIRSTLIGHT_TEST_DATA");
  g_autofree char *folder = g_build_filename (data != NULL ? data : "", "crystfel-sim", NULL);
  g_autofree char *packed = g_build_filename (folder, "A-xgandalf-fast.stream.gz", NULL);
  g_autofree char *list_path = g_build_filename (folder, "lyso.hkl", NULL);
  if (!g_file_test (packed, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("no test data");
      return;
    }
  g_autoptr (MadeLattices) made = made_lattices_new (2.4); /* for its list, which is lysozyme's */
  g_autofree double *truth = read_truth (list_path, made->list);
  g_autofree char *dir = g_dir_make_tmp ("merge-XXXXXX", NULL);
  g_autofree char *all_path = g_build_filename (dir, "A.stream", NULL);
  g_autofree char *half_path = g_build_filename (dir, "half.stream", NULL);
  unpack (packed, all_path, FALSE);
  unpack (packed, half_path, TRUE);
  g_autoptr (FlMergeSet) whole = read_set (all_path, made->list);
  g_autoptr (FlMergeSet) part = read_set (half_path, made->list);
  g_assert_cmpuint (whole->n_lattices, ==, 240);
  g_assert_cmpuint (part->n_lattices, <, 150);
  compare_starts (whole, part, made->list, truth, 0.8);
  g_remove (all_path);
  g_remove (half_path);
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  parallel = fl_parallel_start (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cycles/made", test_made);
  g_test_add_func ("/cycles/no-overfitting", test_no_overfitting);
  g_test_add_func ("/cycles/fall", test_fall);
  g_test_add_func ("/cycles/noise", test_noise);
  g_test_add_func ("/cycles/stopped", test_stopped);
  g_test_add_func ("/cycles/simulated", test_simulated);
  int status = g_test_run ();
  fl_parallel_finish (parallel);
  return status;
}
