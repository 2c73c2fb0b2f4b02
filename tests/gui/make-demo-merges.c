/* make-demo-merges FOLDER: a made experiment with merged datasets to look at: one for each verdict; lyso-01 is the newest. */
#include "tests/gui/made-merges.h"
#include "tests/gui/made-store.h"

int
main (int argc, char *argv[])
{
  static const MadeMerges datasets[] = {
    { "thermolysin",
      3,
      9000,
      6,
      1,
      0.004,
      { .goal_d_min = 2.0, .goal_completeness = 0.95, .goal_cc_half = 0.5 } },
    { "psii-dark", 4, 20000, 0.6, 0.35, 0.002, { .goal_d_min = 2.0, .goal_cc_half = 0.6 } },
    { "apo-07", 1, 120, 40, 1, 0.003, { .goal_d_min = 2.0, .goal_cc_half = 0.7 } },
    { "buffer", 1, 0, 1, 1, 1, { .goal_multiplicity = 10 } },
    { "no-goal", 2, 3000, 6, 1, 0.004, { .goal_d_min = 0 } },
    { "lyso-01",
      4,
      12300,
      28,
      1,
      0.002,
      { .goal_d_min = 2.0, .goal_completeness = 0.95, .goal_multiplicity = 20, .goal_cc_half = 0.5 } },
  };
  GError *error = NULL;
  if (argc < 2)
    {
      g_printerr ("make-demo-merges FOLDER\n");
      return 2;
    }
  guint64 now = (guint64) g_get_real_time () * 1000;
  MadeStore made = { 9, 3000, 16, now, TRUE, FALSE };
  made_store_write (argv[1], &made);
  FlStore *store = fl_store_open (argv[1], FL_STORE_WRITE, &error);
  for (guint i = 0; store && i < G_N_ELEMENTS (datasets); i++)
    made_merges_add (store, &datasets[i],
                     now - (i + 1 < G_N_ELEMENTS (datasets)) * G_GUINT64_CONSTANT (900000000000));
  if (error)
    g_printerr ("make-demo-merges: %s\n", error->message);
  fl_store_close (store);
  return error != NULL;
}
