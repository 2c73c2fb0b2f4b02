/* job-shots JOB: a line for every journalled shot: attempt, id, source, frame, outcome, spots.
 * job-shots JOB ID…: a line for every id: spots found by fl_results_spots(), or the error. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/journal.h"
#include "engine/results/attempt.h"
#include "engine/results/spots.h"
#include "engine/results/walk.h"

static void
print_journal (const char *path, guint attempt)
{
  g_autoptr (FlWalk) walk = fl_walk_open (path, NULL);
  FlWalkStep step;
  FlShotRow row;
  while (walk != NULL && fl_walk_next (walk, &step, NULL))
    for (guint i = 0; i < fl_batch_rows (step.shots); i++)
      {
        fl_batch_row (step.shots, i, &row);
        printf ("%u %" G_GUINT64_FORMAT " %u %u %s %u\n", attempt, row.id, row.source, row.frame,
                row.outcome == FL_OUTCOME_SET_ASIDE ? "aside" : fl_outcome_name (row.outcome), row.spots);
      }
}

int
main (int argc, char **argv)
{
  g_autoptr (GArray) attempts = fl_attempt_list (argv[1]);
  for (int i = 2; i < argc; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GArray) spots =
          fl_results_spots (argv[1], g_ascii_strtoull (argv[i], NULL, 10), NULL, &error);
      if (spots != NULL)
        printf ("%u\n", spots->len);
      else
        printf ("%s\n", error->message);
    }
  for (guint i = 0; argc == 2 && i < attempts->len; i++)
    {
      guint attempt = g_array_index (attempts, guint, i);
      g_autofree char *dir = fl_attempt_path (argv[1], attempt);
      g_autoptr (GPtrArray) journals = fl_journal_list (dir);
      for (guint j = 0; j < journals->len; j++)
        print_journal (journals->pdata[j], attempt);
    }
  return 0;
}
