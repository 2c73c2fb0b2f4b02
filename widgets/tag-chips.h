/* tag-chips.h: the tags of something as coloured chips, each removable, and a chip that adds one.
 *
 * The widget changes nothing by itself: it says what the user asked for, the owner sets the new tags.
 * Signals: "tag-added" (const char *name), "tag-removed" (const char *name), "tag-activated" (const char
 * *name; click on a chip). Keys: Tab to a chip, Return activates, Delete removes. Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define FLW_TYPE_TAG_CHIPS (flw_tag_chips_get_type ())
G_DECLARE_FINAL_TYPE (FlwTagChips, flw_tag_chips, FLW, TAG_CHIPS, GtkWidget)

GtkWidget *flw_tag_chips_new (void);
/* NULL-terminated names; no-op when equal to what is shown. Colours come from the names. */
void flw_tag_chips_set_tags (FlwTagChips *chips, const char *const *names);
/* Names offered for completion when adding. */
void flw_tag_chips_set_known (FlwTagChips *chips, const char *const *names);
void flw_tag_chips_set_editable (FlwTagChips *chips, gboolean editable); /* default FALSE */
/* Opens the entry for a new tag, as its + button does. */
void flw_tag_chips_begin_add (FlwTagChips *chips);
/* The chip's ground colour for that name, 0xRRGGBB: the same everywhere. */
guint32 flw_tag_colour (const char *name);

G_END_DECLS
