/* people-dialog.h: who may do what here, and who is here now. An owner gives and takes roles; for others it is a list.
 * Actions (people.): set-role (ss: name, role; "none" takes the record away). Thread: main. */
#pragma once

#include "gui/context.h"

#define FLG_TYPE_PEOPLE_DIALOG (flg_people_dialog_get_type ())
G_DECLARE_FINAL_TYPE (FlgPeopleDialog, flg_people_dialog, FLG, PEOPLE_DIALOG, GtkWindow)

GtkWidget *flg_people_dialog_new (GtkWindow *parent, FlgContext *context);
/* What went wrong, or what is to be known before the first person is named; "". */
const char *flg_people_dialog_words (FlgPeopleDialog *self);
