#include <math.h>

#include "engine/control/findings-private.h"

static void
judge (const FlReconstructionView *view, const char *dataset, GPtrArray *list)
{
  const FlGenerationRow *row = &view->last;
  if (!(row->held <= 0))
    return;
  fl_findings_add (list, NULL, FL_FINDING_RECONSTRUCTION, 2, dataset,
                   g_strdup_printf ("The reconstruction of %s tells no more than a sphere would", dataset),
                   g_strdup_printf ("generation %u of %u patterns: the %u that were held back are %.3g nats "
                                    "a pattern less probable than by a "
                                    "radially symmetric model; an assignment tells %.2f nats",
                                    row->number, row->patterns, row->held_back, fabs (row->held),
                                    (double) row->information),
                   g_strdup ("Look at the hits (several particles, junk, photons a shot) and at the "
                             "diameter; if they are in order, more "
                             "patterns or more starts."));
  FlFinding *finding = list->pdata[list->len - 1];
  finding->job = view->job;
  finding->newest = row->time;
}

void
fl_findings_judge_reconstructions (GHashTable *views, GHashTable *datasets, GPtrArray *list)
{
  GHashTableIter outer, inner;
  gpointer id, name, value;
  g_hash_table_iter_init (&outer, datasets);
  while (g_hash_table_iter_next (&outer, &id, &name))
    {
      const FlReconstructionView *newest = NULL;
      g_hash_table_iter_init (&inner, views);
      while (g_hash_table_iter_next (&inner, NULL, &value))
        {
          const FlReconstructionView *view = value;
          if (view->dataset == *(const gint64 *) id && view->done && view->last.number > 0
              && (newest == NULL || view->job > newest->job))
            newest = view;
        }
      if (newest != NULL)
        judge (newest, name, list);
    }
}
