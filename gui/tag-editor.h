/* tag-editor.h: a popover with all tags: name, colour, whether it is put on every new run; rename, remove, add.
 *
 * It asks through the actions runs.save-tag and runs.delete-tag of the page that it hangs from. A row stays as it is while
 * its name is being edited. Thread: main, except as said. */
#pragma once

#include <gtk/gtk.h>

#include "gui/conflict.h"

#define FLG_TYPE_TAG_EDITOR (flg_tag_editor_get_type ())
G_DECLARE_FINAL_TYPE (FlgTagEditor, flg_tag_editor, FLG, TAG_EDITOR, GtkPopover)

GtkWidget *flg_tag_editor_new (FlgExperiment *experiment);

/* `tag`: "(xssb)": tag (0: a new one), name, colour, persistent; edited from what its row was made of. NULL: it is gone. */
FlgSave *flg_tag_editor_save (FlgTagEditor *self, GVariant *tag);
/* `data`: GVariant "x". */
gpointer flg_tag_editor_delete (FlStore *store, gpointer data, GError **error);
