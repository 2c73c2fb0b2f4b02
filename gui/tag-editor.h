/* tag-editor.h: a popover with all tags: name, colour, whether it is put on every new run; rename, remove, add.
 *
 * It asks through the actions runs.save-tag and runs.delete-tag of the page that it hangs from; the functions below do
 * these in the store's thread. Thread: main, except as said. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

#define FLG_TYPE_TAG_EDITOR (flg_tag_editor_get_type ())
G_DECLARE_FINAL_TYPE (FlgTagEditor, flg_tag_editor, FLG, TAG_EDITOR, GtkPopover)

GtkWidget *flg_tag_editor_new (FlgExperiment *experiment);

/* `data`: GVariant "(xssb)": tag (0: a new one), name, colour, persistent. */
gpointer flg_tag_editor_save (FlStore *store, gpointer data, GError **error);
/* `data`: GVariant "x". */
gpointer flg_tag_editor_delete (FlStore *store, gpointer data, GError **error);
