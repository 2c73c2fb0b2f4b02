/* archive-note.h: what an archive that is open says of itself: a line above the pages, and a dialog that names everything,
 * with a check of every file. Thread: main. */
#pragma once

#include "gui/context.h"

#include <gtk/gtk.h>

/* "Archive of lysozyme, made 21 Nov 2026; read-only. Not in it: raw images of 4 runs (757 MB): /data/xyz". Free it. */
char *flg_archive_words (const FlArchive *archive);
/* A window; present it. The archive is the context's experiment's. */
GtkWidget *flg_archive_dialog_new (GtkWindow *parent, FlgContext *context);
/* The check that is under way or done: NULL: none was asked for; "" while it goes on; else its words. For tests. */
const char *flg_archive_dialog_verdict (GtkWidget *dialog);
