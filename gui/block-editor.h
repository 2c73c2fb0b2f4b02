/* block-editor.h: under which conditions spans of runs were taken: first and last run, geometry, mask.
 *
 * One card a block, and one for a new block. A card that is being edited stays as it is, whatever others do meanwhile; it
 * says so, and saving shows both versions. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/context.h"

#define FLG_TYPE_BLOCK_EDITOR (flg_block_editor_get_type ())
G_DECLARE_FINAL_TYPE (FlgBlockEditor, flg_block_editor, FLG, BLOCK_EDITOR, GtkBox)

GtkWidget *flg_block_editor_new (FlgContext *context);

/* `fields`: "(xssssb)": block (0: a new one), name, first run, last run ("" = open), trial text, active; on top of `base`
 * (NULL: none). fl_record_free(). */
FlBlock *flg_block_of (const FlBlock *base, GVariant *fields);
