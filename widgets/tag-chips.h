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
/* NULL-terminated names; no-op when equal to what is shown. */
void flw_tag_chips_set_tags (FlwTagChips *chips, const char *const *names);
/* Names offered for completion when adding. */
void flw_tag_chips_set_known (FlwTagChips *chips, const char *const *names);
void flw_tag_chips_set_editable (FlwTagChips *chips, gboolean editable); /* default FALSE */
/* Opens the entry for a new tag, as its + button does. */
void flw_tag_chips_begin_add (FlwTagChips *chips);
/* The ground colour of that tag's chip, "#rrggbb", whether shown now or later; "", NULL and what is no colour
 * mean the colour of its name. No-op when equal. */
void flw_tag_chips_set_colour (FlwTagChips *chips, const char *tag, const char *colour);
/* The chip's ground colour for that name when none is set, 0xRRGGBB: the same everywhere. */
guint32 flw_tag_colour (const char *name);
/* White or black, whichever is legible on that ground: WCAG contrast is at least 4.5 : 1 on any. */
guint32 flw_tag_text_colour (guint32 ground);

G_END_DECLS
