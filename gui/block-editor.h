/* block-editor.h: under which conditions spans of runs were taken: first and last run, geometry, mask.
 *
 * One card a block, and one for a new block; saves through trials.save-block. Thread: main, except the save. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

#define FLG_TYPE_BLOCK_EDITOR (flg_block_editor_get_type ())
G_DECLARE_FINAL_TYPE (FlgBlockEditor, flg_block_editor, FLG, BLOCK_EDITOR, GtkBox)

GtkWidget *flg_block_editor_new (FlgExperiment *experiment);

/* `data`: GVariant "(xssssb)": block (0: a new one), name, first run, last run ("" = open), trial text, active. */
gpointer flg_block_editor_save (FlStore *store, gpointer data, GError **error);
