/* mask-panel-private.h: the inside of FlgMaskPanel, shared by mask-panel.c (what is edited, shown and kept) and mask-controls.c
 * (the fields that stand for rules). */
#pragma once

#include "gui/chooser.h"
#include "gui/mask-draft.h"
#include "gui/mask-panel.h"

struct _FlgMaskPanel
{
  GtkBox parent_instance;
  FlgContext *context;
  FlwImageView *view; /* NULL: closed */
  FlgMaskAsker *asker;
  FlgMaskDraft *draft;
  GtkToggleButton *tools[4]; /* by FlwDrawTool */
  GtkCheckButton *erase, *snap, *show, *dead, *hot, *noisy;
  GtkSpinButton *edges, *asic_edges, *sigmas, *shots;
  GtkEditable *asic_fs, *asic_ss, *below, *above, *typed, *name;
  GtkListBox *list;
  GtkLabel *complaint, *share, *shares;
  GtkProgressBar *progress;
  GtkWidget *save;
  FlgChooser *from;

  char *kept; /* the text as it was when it began, or when it was kept last */
  char *key;  /* run and mask that are edited; NULL: none yet */
  gint64 run; /* 0: none */
  FlwDrawTool tool;
  gboolean filling; /* the controls are being set by us */
  gboolean awaits;  /* the rules of the mask itself */
  gboolean wrong;   /* the rules are none */
  guint saving;
};

/* mask-controls.c: the fields as the rules say, and what the template calls when they are changed. */
void flg_mask_panel_fill_controls (FlgMaskPanel *self);
void flg_mask_panel_bind_controls (GtkWidgetClass *klass);
