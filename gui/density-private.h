/* density-private.h: the inside of FlgDensityPage, shared by density-page.c (showing) and density-actions.c. */
#pragma once

#include "gui/chooser.h"
#include "gui/density-pair.h"
#include "gui/density-page.h"
#include "gui/map-peaks.h"
#include "gui/reconstruction-view.h"
#include "widgets/empty-state.h"

struct _FlgDensityPage
{
  FlgPage parent_instance;
  GtkStack *views;                             /* crystals, reconstruction */
  GtkStackSwitcher *switcher, *other_switcher; /* one in each of them */
  FlgReconstructionView *reconstruction;
  gboolean chosen, choosing; /* which of them, by a person */
  FlgChooser *datasets, *versions, *kinds, *rivals;
  GtkToggleButton *beside;
  GtkWidget *own_model;
  GtkLabel *facts;
  GtkStack *stack;
  FlwEmptyState *empty;
  FlgDensityPair *pair;
  GtkBox *level_slot;
  FlgMapPeaks *peaks;
  FlwDensityView *view; /* the pair's first */
  GtkWidget *levels[FLW_DENSITY_MAPS];
  GPtrArray *jobs;        /* FlgMapVersion of the dataset */
  GPtrArray *sets;        /* FlgMapSet, the last used first */
  gint64 shown;           /* job whose maps are on the screen; 0: none */
  gint64 listed;          /* whose peaks are; −1: none */
  FlwDensityModel *model; /* that a person opened; NULL: the job's */
  char *model_name;
  GCancellable *opening;
  gboolean picked, placed; /* placed: the camera stands where there is something to see */
};

/* Shows what is chosen, as far as it has come. */
void flg_density_page_refresh (FlgDensityPage *self);
/* Which maps; −1: no such name. */
int flg_density_page_kind (const char *name);

/* density-actions.c */
void flg_density_page_class_actions (GtkWidgetClass *widget_class);
