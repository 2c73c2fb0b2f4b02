/* dataset-draft.h: a dataset as it is being edited: its fields and the steps of its graph, before they are records.
 *
 * A step keeps its task's fields. Saved, a step whose task has jobs or belongs to others too, and whose type or parameters are
 * no longer that task's, becomes a task of its own: what has been done stays true. Resources are changed in place.
 * Not a GObject; owned by whoever made it. Thread: any, one at a time; _new and _of: main. */
#pragma once

#include "gui/experiment.h"

typedef struct
{
  guint key;     /* of the draft; > 0, never used again */
  FlTask *task;  /* owned; id 0: to be made */
  GArray *after; /* guint: keys of the steps that must be done before */
} FlgDatasetStep;

typedef struct
{
  FlDataset *dataset; /* owned; id 0: to be made */
  GPtrArray *steps;   /* FlgDatasetStep, in the order of the screen */
  guint last_key;
} FlgDatasetDraft;

/* With the task that every experiment begins with ("stills"), if it is there. */
FlgDatasetDraft *flg_dataset_draft_new (FlgExperiment *experiment, const char *name, const char *expression);
FlgDatasetDraft *flg_dataset_draft_of (FlgExperiment *experiment, const FlDataset *dataset);
FlgDatasetDraft *flg_dataset_draft_copy (const FlgDatasetDraft *draft);
void flg_dataset_draft_free (FlgDatasetDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlgDatasetDraft, flg_dataset_draft_free)

/* A name that no other dataset has: `wanted`, "wanted 2" …. */
char *flg_dataset_free_name (FlgExperiment *experiment, const char *wanted);

FlgDatasetStep *flg_dataset_draft_step (const FlgDatasetDraft *draft, guint key); /* NULL: there is none */
/* The task (copied), after the step that came last. Its key. */
guint flg_dataset_draft_add (FlgDatasetDraft *draft, const FlTask *task);
void flg_dataset_draft_remove (FlgDatasetDraft *draft, guint key);
/* Earlier (−1) or later (1) on the screen. */
void flg_dataset_draft_move (FlgDatasetDraft *draft, guint key, int by);
/* No-op where it would close a circle. */
void flg_dataset_draft_set_after (FlgDatasetDraft *draft, guint key, guint before, gboolean after);
gboolean flg_dataset_draft_is_after (const FlgDatasetDraft *draft, guint key,
                                     guint before); /* also by way of others */

/* NULL: it may be saved. Else what is wrong, in the words of the screen; the expression is not looked at. Free with g_free. */
char *flg_dataset_draft_complaint (const FlgDatasetDraft *draft, FlgExperiment *experiment);
/* Saved, the step becomes a task of its own (above). */
gboolean flg_dataset_step_is_fork (const FlgDatasetStep *step, FlgExperiment *experiment, gint64 dataset);

/* Writes a copy's owned strings. */
void flg_set_string (char **field, const char *value);
