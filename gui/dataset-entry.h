/* dataset-entry.h: an entry for a tag expression: what is wrong is underlined while it is typed and said below, and for the word
 * at the cursor names of tags and words are offered in a line of buttons; Tab takes the first.
 *
 * Signal "changed" (). Thread: main. */
#pragma once

#include "engine/control/tag-expression.h"
#include "gui/experiment.h"

#include <gtk/gtk.h>

#define FLG_TYPE_DATASET_ENTRY (flg_dataset_entry_get_type ())
G_DECLARE_FINAL_TYPE (FlgDatasetEntry, flg_dataset_entry, FLG, DATASET_ENTRY, GtkBox)

GtkWidget *flg_dataset_entry_new (FlgExperiment *experiment);
const char *flg_dataset_entry_text (FlgDatasetEntry *self);
void flg_dataset_entry_set_text (FlgDatasetEntry *self, const char *text);
/* What the owner found wrong; `message` NULL: nothing. */
void flg_dataset_entry_complain (FlgDatasetEntry *self, const char *message, const FlTagSpan *wrong);
void flg_dataset_entry_focus (FlgDatasetEntry *self);
/* What is offered at the cursor, best first; NULL-terminated, free with g_strfreev. */
GStrv flg_dataset_entry_offers (FlgDatasetEntry *self);
/* Puts it in place of the word at the cursor. */
void flg_dataset_entry_take (FlgDatasetEntry *self, const char *offer);
