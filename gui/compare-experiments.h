/* compare-experiments.h: the open experiment beside another one or an archive, trial by trial and dataset by dataset: a
 * dialog with both, differences marked (engine/control/archive-compare.h). The other one is opened read-only, in a thread of
 * its own, and let go again. Thread: main. */
#pragma once

#include "gui/context.h"

#include <gtk/gtk.h>

/* `folder` "": asks for one first. */
void flg_compare_experiments (GtkWindow *parent, FlgContext *context, const char *folder);

/* Of that folder at once; present it. */
GtkWidget *flg_compare_dialog_new (GtkWindow *parent, FlgContext *context, const char *folder);
/* "2 of 5 differ: trial 1 …, dataset lysozyme"; "" while it is read. Borrowed. */
const char *flg_compare_dialog_summary (GtkWidget *dialog);
