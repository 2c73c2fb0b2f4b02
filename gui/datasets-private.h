/* datasets-private.h: the Datasets page and its actions, a file each. Thread: main. */
#pragma once

#include "gui/changed-line.h"
#include "gui/dataset-columns.h"
#include "gui/dataset-numbers.h"
#include "gui/dataset-writes.h"
#include "gui/datasets-page.h"
#include "widgets/empty-state.h"
#include "widgets/task-graph.h"

struct _FlgDatasetsPage
{
  FlgPage parent_instance;
  GtkStack *mode, *stack; /* browse | edit; table | empty */
  GtkColumnView *table;
  GtkSingleSelection *selection;
  FlgDatasetColumns columns;
  GtkLabel *count, *editor_title, *editor_hint, *question, *sheet_detail, *sheet_hold;
  FlwEmptyState *empty;
  GtkMenuButton *policy;
  GtkBox *facts_slot, *versions_slot, *editor_slot;
  FlwTaskGraph *graph;
  FlgDatasetNumbers *numbers;
  FlgDatasetVersions *versions;
  FlgDatasetEditor *editor;
  GtkWidget *sheet, *hold_button, *confirm_button;
  FlgDatasetSave *saved;  /* may be taken back */
  guint forget;           /* the time for that */
  guint writes;           /* saves on their way */
  FlgDatasetDraft *begun; /* what is being edited, as it was; NULL: nothing is */
  FlgChangedLine *changed;
  gint64 wanted; /* to be selected once it is there */
};

/* NULL: none. */
const FlDataset *flg_datasets_page_chosen (FlgDatasetsPage *self);
/* FALSE: it is not there. */
gboolean flg_datasets_page_choose (FlgDatasetsPage *self, gint64 id);

/* --- datasets-actions.c --- */

void flg_datasets_install_actions (GtkWidgetClass *widget_class);
/* What may be done now. */
void flg_datasets_show_mode (FlgDatasetsPage *self);
void flg_datasets_ask_nothing (FlgDatasetsPage *self);
/* The dataset as the editor has it (FlgMine). */
gpointer flg_datasets_edited (gpointer page);
/* It cannot be taken back any more. */
void flg_datasets_forget (FlgDatasetsPage *self);
