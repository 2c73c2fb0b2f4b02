/* people-rows.h: people as they are drawn: initials in a disc of a colour of their own, and a line each. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

GtkWidget *flg_initials_new (const char *who, int size);
/* One of those who are present: who, role, where, on which page, since when. */
GtkWidget *flg_presence_row_new (FlgExperiment *experiment, const FlPresence *presence, gboolean own);
/* A window or a person's program, not a conductor. */
gboolean flg_presence_is_person (const FlPresence *presence);
