/* Parameters: strict reading, canonical writing, messages that name the line. */
#include <math.h>

#include "engine/base/error.h"
#include "engine/base/params.h"

static void
test_table (void)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  g_assert_cmpuint (n, >, 15);
  for (guint i = 0; i < n; i++)
    {
      g_assert_true (fl_param_spec (specs[i].name) == &specs[i]);
      g_assert_cmpstr (specs[i].label, !=, "");
      g_assert_cmpstr (specs[i].help, !=, "");
      g_assert_cmpstr (specs[i].stage, !=, "");
      g_assert_nonnull (strchr (specs[i].name, '.'));
      for (guint k = 0; specs[i].finders != NULL && specs[i].finders[k] != NULL; k++)
        g_assert_true (g_strv_contains (fl_param_spec ("spots.algorithm")->choices, specs[i].finders[k]));
    }
}

static void
assert_fails (const char *text, const char *expected)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_autoptr (GError) error = NULL;
  fl_params_set (params, "spots.gain", "7", NULL);
  g_assert_false (fl_params_read (params, text, "t", &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_cmpstr (error->message, ==, expected);
  g_assert_cmpfloat (fl_params_real (params, "spots.gain"), ==, 7); /* all or nothing */
}

static void
test_messages (void)
{
  assert_fails ("[spots]\ngain = 2\nsigma_stron = 3\n",
                "t:3: no parameter is called 'spots.sigma_stron'; did you mean spots.sigma_strong?");
  assert_fails ("gain = 3", "t:1: no parameter is called 'gain'; did you mean spots.gain?");
  assert_fails ("spots.gain = 2\n[spots]\n\ngain = 3", "t:4: spots.gain is given twice, first in line 1");
  assert_fails ("spots.kernel = 99", "t:1: spots.kernel = 99 is out of range, expected 1 to 7");
  assert_fails ("spots.kernel = 3.5", "t:1: spots.kernel = '3.5' is wrong, expected a whole number");
  assert_fails ("spots.gain = nan", "t:1: spots.gain = 'nan' is wrong, expected a number");
  assert_fails ("spots.gain = 1 2", "t:1: spots.gain = '1 2' is wrong, expected a number");
  assert_fails ("spots.algorithm = magic",
                "t:1: spots.algorithm = 'magic' is wrong, expected dispersion | dispersion_extended | "
                "adaptive | peakfinder8 | radial_profile");
  assert_fails ("[spots", "t:1: '[spots' is wrong, expected [section]");
  assert_fails ("hello", "t:1: 'hello' is wrong, expected name = value");
}

static void
test_round_trip (void)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_params_read (params,
                                 "; a trial\n[spots]\ngain = 0.1 # ADU\n kernel=5\r\n\nhit.min_spots = 1\n",
                                 "t", NULL)
                 == FALSE); /* hit.min_spots inside [spots] is spots.hit.min_spots: refused */
  g_assert_true (fl_params_read (
      params, "; a trial\n[spots]\ngain = 0.1 # ADU\n kernel=5\r\n[hit]\nmin_spots = 1\n", "t", &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (fl_params_real (params, "spots.gain"), ==, 0.1);
  g_assert_cmpint (fl_params_int (params, "spots.kernel"), ==, 5);
  g_autofree char *changed = fl_params_write_changed (params, NULL);
  g_assert_cmpstr (changed, ==, "[spots]\nkernel = 5\ngain = 0.1\n\n[hit]\nmin_spots = 1\n");
  g_autofree char *all = fl_params_write (params);
  g_autoptr (FlParams) back = fl_params_new ();
  g_assert_true (fl_params_read (back, all, "t", &error));
  g_assert_no_error (error);
  g_autofree char *none = fl_params_write_changed (back, params);
  g_assert_cmpstr (none, ==, "");
}

static void
test_values (void)
{
  const FlParamSpec reals = { .name = "x.cell", .type = FL_PARAM_REALS, .count = 3, .min = 0, .max = 100 };
  const FlParamSpec flag = { .name = "x.flag", .type = FL_PARAM_BOOL };
  char *canonical = NULL;
  g_assert_true (fl_param_check (&reals, " 1, 2.50 ,3e1", &canonical, NULL));
  g_assert_cmpstr (canonical, ==, "1,2.5,30");
  g_free (canonical);
  g_assert_false (fl_param_check (&reals, "1,2", NULL, NULL));
  g_assert_false (fl_param_check (&reals, "1,2,300", NULL, NULL));
  g_assert_true (fl_param_check (&reals, "", NULL, NULL));
  g_assert_true (fl_param_check (&flag, "ON", &canonical, NULL));
  g_assert_cmpstr (canonical, ==, "yes");
  g_free (canonical);
  g_assert_false (fl_param_check (&flag, "perhaps", NULL, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/params/table", test_table);
  g_test_add_func ("/params/messages", test_messages);
  g_test_add_func ("/params/round-trip", test_round_trip);
  g_test_add_func ("/params/values", test_values);
  return g_test_run ();
}
