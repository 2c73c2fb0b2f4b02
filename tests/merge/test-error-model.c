/* Error models get back what simulated observations were made with. */
#include "engine/merge/error-model.h"

#include "tests/merge/simulated.h"

static FlParallel *parallel;

static void
near (const char *what, double got, double wanted, double tolerance)
{
  g_test_message ("%s: %g, wanted %g", what, got, wanted);
  g_assert_cmpfloat (fabs (got / wanted - 1), <, tolerance);
}

static FlErrorModel
fit (FlErrorModelKind kind, const Simulation *s)
{
  FlMergeSet set = simulated_set (s, parallel);
  FlErrorModel model = fl_error_model_fit (kind, &set, s->list, 0);
  simulated_clear (&set);
  return model;
}

static void
test_mm24 (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 43 21 2", 60, 2.8);
  Simulation s = { list, 600, 400, 3, 4, 1.4, { 0.6, 3, 0.15 }, FALSE };
  FlErrorModel m = fit (FL_ERROR_MODEL_MM24, &s);
  g_assert_cmpint (m.kind, ==, FL_ERROR_MODEL_MM24);
  near ("sfac", m.sfac, s.sfac, 0.05);
  for (double cc = 0.05; cc < 1; cc += 0.3)
    {
      double got = sqrt (pow (m.sadd[0], 2) * exp (-m.sadd[1] * cc) + pow (m.sadd[2], 2));
      near ("s_add", got, sqrt (0.36 * exp (-3 * cc) + 0.15 * 0.15), 0.05);
      double wanted = 1.4 * sqrt (25 + (0.36 * exp (-3 * cc) + 0.15 * 0.15) * 1e4);
      near ("sigma", fl_error_model_sigma (&m, 5, 100, cc), wanted, 0.05);
    }
}

static void
test_ev11 (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 43 21 2", 60, 2.8);
  Simulation s = { list, 600, 400, 3, 4, 1.4, { 0, 0, 0.3 }, FALSE };
  FlErrorModel m = fit (FL_ERROR_MODEL_EV11, &s);
  g_assert_cmpint (m.kind, ==, FL_ERROR_MODEL_EV11);
  for (double intensity = 3; intensity < 400; intensity *= 3)
    near ("sigma", fl_error_model_sigma (&m, 4, intensity, NAN), 1.4 * sqrt (16 + pow (0.3 * intensity, 2)),
          0.05);
}

/* What is right already stays as it is. */
static void
test_right (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 43 21 2", 60, 2.8);
  Simulation s = { list, 600, 400, 8, 4, 1, { 0, 0, 0 }, FALSE };
  for (FlErrorModelKind kind = FL_ERROR_MODEL_EV11; kind <= FL_ERROR_MODEL_MM24; kind++)
    {
      FlErrorModel m = fit (kind, &s);
      near (fl_error_model_name (kind), fl_error_model_sigma (&m, 4, 30, 0.5), 4, 0.05);
    }
}

static void
test_few (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 43 21 2", 60, 2.8);
  Simulation s = { list, 3, 50, 8, 4, 1, { 0, 0, 0 }, FALSE };
  g_assert_cmpint (fit (FL_ERROR_MODEL_MM24, &s).kind, ==, FL_ERROR_MODEL_NONE);
  g_assert_cmpint (fl_error_model_kind ("ev11"), ==, FL_ERROR_MODEL_EV11);
  g_assert_cmpint (fl_error_model_kind ("else"), ==, FL_ERROR_MODEL_NONE);
}

int
main (int argc, char **argv)
{
  parallel = fl_parallel_start (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error-model/mm24", test_mm24);
  g_test_add_func ("/error-model/ev11", test_ev11);
  g_test_add_func ("/error-model/right already", test_right);
  g_test_add_func ("/error-model/few", test_few);
  int status = g_test_run ();
  fl_parallel_finish (parallel);
  return status;
}
