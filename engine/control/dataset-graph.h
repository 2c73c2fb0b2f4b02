/* dataset-graph.h: the steps of a dataset, in an order in which each comes after those that it waits for. Thread: any. */
#pragma once

#include "engine/control/dataset-plan.h"

typedef struct
{
  const FlDatasetTask *step;
  const FlTask *task;
} FlStep;

/* Of the dataset's steps (GPtrArray of FlDatasetTask, others' are passed over): GArray of FlStep, borrowed from `tasks` and
 * `steps`. FL_ERROR_INPUT: a task or predecessor that is not there, a cycle, a task of one run after one of all runs, a task
 * of all runs that takes nothing. */
GArray *fl_dataset_graph (GPtrArray *tasks, GPtrArray *steps, gint64 dataset, GError **error);
