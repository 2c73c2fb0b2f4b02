/* joined.h: a folder that is only a window on an experiment in a shared database: its own folder is on another machine
 * (database.ini, engine/store/database.h). Nothing is conducted from here, images and logs come from there. Thread: any. */
#pragma once

#include <glib.h>

/* For who joined without knowing where the experiment's folder is: nothing is there. */
#define FLG_JOINED_NOWHERE "/nowhere"

/* TRUE: `*home` (g_free) is its folder there, `*command` (g_strfreev) speaks `serve` there; NULL: nobody does. FALSE: the
 * folder is no such window, or its home is on this machine. */
gboolean flg_joined_read (const char *folder, char **home, GStrv *command);
