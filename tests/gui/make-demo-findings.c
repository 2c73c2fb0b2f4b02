/* make-demo-findings FOLDER: an experiment with several faults, to look at. */
#include "tests/gui/made-findings.h"
#include "tests/gui/made-store.h"

int
main (int argc, char *argv[])
{
  if (argc != 2)
    {
      g_printerr ("make-demo-findings FOLDER\n");
      return 2;
    }
  MadeStore made = { 24, 1500, 16, (guint64) g_get_real_time () * 1000, TRUE, FALSE };
  MadeFault ice = { .ice = 6.2f }, bad = { .beam = 3.2f, .noisy = 3, .ice = 5.1f, .saturated = 0.031f };
  MadeFault dead = { .dead = 5 }, none = { 0 };
  made_store_write (argv[1], &made);
  made_findings_add (argv[1], 1, 4, &none);
  made_findings_add (argv[1], 5, 7, &dead);
  made_findings_add (argv[1], 8, 11, &none);
  made_findings_add (argv[1], 12, 19, &ice);
  made_findings_add (argv[1], 20, 24, &bad);
  return 0;
}
