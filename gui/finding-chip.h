/* finding-chip.h: what is broken, on every page: the gravest finding's title, how many more there are, all of them as a tooltip;
 * pressed, it shows the Live page, which lists them. Gravity is a shape before it is a colour. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/context.h"
#include "widgets/status-chip.h"

#define FLG_TYPE_FINDING_CHIP (flg_finding_chip_get_type ())
G_DECLARE_FINAL_TYPE (FlgFindingChip, flg_finding_chip, FLG, FINDING_CHIP, GtkButton)

GtkWidget *flg_finding_chip_new (FlgContext *context);
/* What it says: "Beam centre off by 3.2 px: +2 more · r0012". Valid until the main loop runs again. */
const char *flg_finding_chip_words (FlgFindingChip *self);
/* Shape and tone of a finding; NULL: of none. A chip of no words. */
void flg_finding_show_gravity (FlwStatusChip *chip, const FlFinding *finding, gboolean acknowledged);
