/* join-dialog.h: asks where an experiment on another machine is, and opens it: app.join with its address. Thread: main. */
#pragma once

#include <gtk/gtk.h>

GtkWidget *flg_join_dialog_new (GtkWindow *parent);
