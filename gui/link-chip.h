/* link-chip.h: how the logins at far sites are doing, in the window's header: the one that needs somebody most, and all of them
 * when it is pressed. Hidden where there is no far site. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/context.h"

#define FLG_TYPE_LINK_CHIP (flg_link_chip_get_type ())
G_DECLARE_FINAL_TYPE (FlgLinkChip, flg_link_chip, FLG, LINK_CHIP, GtkBox)

GtkWidget *flg_link_chip_new (FlgContext *context);
/* What it says: "cori: up, 41 ms". Valid until the main loop runs again. */
const char *flg_link_chip_words (FlgLinkChip *self);
/* Opens the list of all links. */
void flg_link_chip_popup (FlgLinkChip *self);
GtkWidget *flg_link_chip_popover (FlgLinkChip *self);
/* Shape and tone of a link's state. */
void flg_link_chip_show_state (GtkWidget *status_chip, FlgLinks *links, const FlgLink *link,
                               const char *words);
