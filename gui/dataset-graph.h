/* dataset-graph.h: a dataset's steps and how far each has come, put into the widget that draws them. Thread: main. */
#pragma once

#include "gui/dataset-preview.h"
#include "widgets/task-graph.h"

void flg_dataset_graph_fill (FlwTaskGraph *graph, const FlgDatasetDraft *draft,
                             const FlgDatasetPreview *preview);
/* What may be added: a new task of each type, and the tasks that there are; each item is graph.add (s). */
void flg_dataset_graph_fill_menu (GtkMenuButton *button, FlgExperiment *experiment);
