/* What becomes of a job when an attempt of it has ended: the table, row by row. */
#include "engine/control/policy.h"

typedef struct
{
  FlSiteState state;
  FlSiteCause cause;
  int exit_code;
  gboolean stop_wanted;
  FlVerdict verdict;
} Row;

static const Row rows[] = {
  { FL_SITE_ENDED, FL_CAUSE_NONE, 0, FALSE, { FL_JOB_DONE, FALSE, 0 } },
  { FL_SITE_ENDED,
    FL_CAUSE_NONE,
    0,
    TRUE,
    { FL_JOB_DONE, FALSE, 0 } }, /* it was faster than who stopped it */
  { FL_SITE_ENDED, FL_CAUSE_NONE, 1, FALSE, { FL_JOB_FAILED, FALSE, 0 } },
  { FL_SITE_ENDED, FL_CAUSE_NONE, 2, FALSE, { FL_JOB_FAILED, FALSE, 0 } },
  { FL_SITE_ENDED, FL_CAUSE_NONE, 127, FALSE, { FL_JOB_FAILED, FALSE, 0 } },
  { FL_SITE_ENDED, FL_CAUSE_NONE, 75, FALSE, { FL_JOB_PREEMPTED, TRUE, FL_MAX_PAUSES } },
  { FL_SITE_ENDED, FL_CAUSE_NONE, 75, TRUE, { FL_JOB_CANCELLED, FALSE, 0 } },
  { FL_SITE_ENDED, FL_CAUSE_NONE, 137, FALSE, { FL_JOB_FAILED, TRUE, FL_MAX_FRUITLESS } },
  { FL_SITE_LOST, FL_CAUSE_NONE, -1, FALSE, { FL_JOB_FAILED, TRUE, FL_MAX_FRUITLESS } },
  { FL_SITE_LOST, FL_CAUSE_NONE, 0, FALSE, { FL_JOB_FAILED, TRUE, FL_MAX_FRUITLESS } },
  { FL_SITE_ENDED, FL_CAUSE_TIME_LIMIT, -1, FALSE, { FL_JOB_TIMED_OUT, TRUE, FL_MAX_FRUITLESS } },
  { FL_SITE_ENDED, FL_CAUSE_TIME_LIMIT, 75, FALSE, { FL_JOB_TIMED_OUT, TRUE, FL_MAX_FRUITLESS } },
  { FL_SITE_ENDED, FL_CAUSE_MEMORY, 137, FALSE, { FL_JOB_FAILED, TRUE, FL_MAX_FRUITLESS } },
  { FL_SITE_ENDED, FL_CAUSE_NODE, -1, FALSE, { FL_JOB_FAILED, TRUE, FL_MAX_FRUITLESS } },
  { FL_SITE_ENDED, FL_CAUSE_PREEMPTED, 143, FALSE, { FL_JOB_PREEMPTED, TRUE, FL_MAX_PAUSES } },
  { FL_SITE_ENDED, FL_CAUSE_DISK, 1, FALSE, { FL_JOB_FAILED, TRUE, FL_MAX_PAUSES } },
  { FL_SITE_ENDED, FL_CAUSE_CANCELLED, -1, FALSE, { FL_JOB_CANCELLED, FALSE, 0 } },
  { FL_SITE_ENDED, FL_CAUSE_REFUSED, -1, FALSE, { FL_JOB_FAILED, FALSE, 0 } },
};

static void
test_verdicts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      FlSiteStatus status = { .state = rows[i].state,
                              .cause = rows[i].cause,
                              .exit_code = rows[i].exit_code };
      FlVerdict verdict = fl_policy_verdict (&status, rows[i].stop_wanted);
      g_test_message ("row %u", i);
      g_assert_cmpint (verdict.state, ==, rows[i].verdict.state);
      g_assert_cmpint (verdict.again, ==, rows[i].verdict.again);
      g_assert_cmpint (verdict.most, ==, rows[i].verdict.most);
    }
}

static void
test_pauses (void)
{
  static const guint expected[] = { 30, 60, 120, 240, 300, 300, 300 };
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpuint (fl_policy_pause (FL_CAUSE_DISK, (int) i + 1), ==, expected[i]);
  for (int cause = 0; cause < FL_CAUSE_LAST; cause++)
    if (cause != FL_CAUSE_DISK)
      g_assert_cmpuint (fl_policy_pause ((FlSiteCause) cause, 3), ==, 0);
}

static void
test_resources (void)
{
  FlResources wanted = { .nodes = 2, .ranks_per_node = 64, .gpus_per_rank = 1, .minutes = 30 };
  FlResources next = fl_policy_resources (&wanted, NULL);
  g_assert_cmpint (next.minutes, ==, 30);
  g_assert_cmpint (next.ranks_per_node, ==, 64);

  FlAttempt last = { .cause = (char *) fl_site_cause_name (FL_CAUSE_TIME_LIMIT),
                     .minutes = 30,
                     .ranks_per_node = 64 };
  next = fl_policy_resources (&wanted, &last);
  g_assert_cmpint (next.minutes, ==, 60);
  g_assert_cmpint (next.ranks_per_node, ==, 64);
  last.minutes = 1000;
  g_assert_cmpint (fl_policy_resources (&wanted, &last).minutes, ==, FL_MAX_MINUTES);

  last.cause = (char *) fl_site_cause_name (FL_CAUSE_MEMORY);
  last.minutes = 60;
  next = fl_policy_resources (&wanted, &last);
  g_assert_cmpint (next.ranks_per_node, ==, 32);
  g_assert_cmpint (next.minutes, ==, 60); /* what was learned before stays */
  last.ranks_per_node = 1;
  g_assert_cmpint (fl_policy_resources (&wanted, &last).ranks_per_node, ==, 1);

  /* After a node has failed, what memory has taught stays, too. */
  last.cause = (char *) fl_site_cause_name (FL_CAUSE_NODE);
  last.ranks_per_node = 16;
  next = fl_policy_resources (&wanted, &last);
  g_assert_cmpint (next.ranks_per_node, ==, 16);
  g_assert_cmpint (next.nodes, ==, 2);
  g_assert_cmpint (next.gpus_per_rank, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/control/policy/verdicts", test_verdicts);
  g_test_add_func ("/control/policy/pauses", test_pauses);
  g_test_add_func ("/control/policy/resources", test_resources);
  return g_test_run ();
}
