/* people-chip.h: who else is here: their initials in the title bar, and who, where, on which page, since when in a list
 * behind it. Nothing at all while one is alone and may change what is here; a viewer's own role stands beside it.
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/context.h"

#define FLG_TYPE_PEOPLE_CHIP (flg_people_chip_get_type ())
G_DECLARE_FINAL_TYPE (FlgPeopleChip, flg_people_chip, FLG, PEOPLE_CHIP, GtkBox)

GtkWidget *flg_people_chip_new (FlgContext *context);
/* "3 here: ana (you), ben, cho"; NULL: nothing is shown. Valid until the main loop runs again. */
const char *flg_people_chip_words (FlgPeopleChip *self);
/* A role that keeps from changing anything is shown. */
gboolean flg_people_chip_shows_role (FlgPeopleChip *self);
void flg_people_chip_popup (FlgPeopleChip *self);
GtkWidget *flg_people_chip_popover (FlgPeopleChip *self);
