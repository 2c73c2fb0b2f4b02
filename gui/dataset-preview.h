/* dataset-preview.h: what a dataset would take and do, in numbers: the conductor's own plan (engine/control/dataset-plan.h) of
 * the records in hand, so that what is shown is what will be done. Made anew with every key; main thread. */
#pragma once

#include "engine/control/dataset-plan.h"
#include "engine/control/tag-expression.h"
#include "gui/dataset-draft.h"

/* Jobs of one step. */
typedef struct
{
  guint key; /* of the draft's step */
  guint n_new, n_open, n_running, n_done, n_failed;
  gboolean global; /* of versions: the newest one's job is counted */
} FlgStepCount;

typedef struct
{
  char *error;            /* NULL: it can be planned */
  gboolean in_expression; /* then `wrong` says where */
  FlTagSpan wrong;
  GPtrArray *runs;             /* FlgRecord, by name; with references */
  gint64 shots, hits, indexed; /* found so far */
  gint64 acquired;             /* shots that the runs have */
  guint uncounted;             /* runs whose shots nobody has counted yet */
  guint n_recording;           /* no jobs of these yet */
  guint n_new, n_open, n_running, n_done, n_failed;
  guint n_held;        /* of the open ones: wait for a person already */
  guint n_globals;     /* jobs of each new version and trial */
  double node_minutes; /* of the new and open ones */
  gboolean guessed;    /* from time limits: nothing like it has ended yet */
  char *where;         /* sites of the new jobs, "cori, here"; "" = none */
  gboolean no_site;    /* some of them have none */
  guint n_first;       /* of the new ones: of steps that wait for no other */
  guint n_waiting;     /* of the new ones: wait for a person */
  GArray *steps;       /* FlgStepCount, as the draft's */
  /* The next version: as in FlDatasetPlan. */
  guint n_inputs;
  gint64 lattices, news;
  char *note;
  guint64 due;
  gboolean particles;      /* its steps are of single particles */
  gboolean needs_lattices; /* or patterns, where it is of particles */
} FlgDatasetPreview;

FlgDatasetPreview *flg_dataset_preview_new (FlgExperiment *experiment, const FlgDatasetDraft *draft);
void flg_dataset_preview_free (FlgDatasetPreview *preview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlgDatasetPreview, flg_dataset_preview_free)

/* "about 12 node-hours", "at most 40 node-minutes"; "" = nothing to do. Free with g_free, as all of these. */
char *flg_dataset_preview_cost (const FlgDatasetPreview *preview);
/* "This makes 37 jobs, about 12 node-hours at cori; 5 wait for approval" */
char *flg_dataset_preview_plan (const FlgDatasetPreview *preview);
/* "new version in ≥ 3 min (needs 120 more lattices)". NULL: there are no versions of it. */
char *flg_dataset_preview_next (const FlgDatasetPreview *preview, const FlDataset *dataset, guint64 now);
