/* assistant-make.h: makes the beamtime that the assistant was told of: folders, store, first records (engine/control/setup.h).
 * Thread: flg_making_run() in one of its own. */
#pragma once

#include <gio/gio.h>

#include "engine/store/database.h"

typedef struct
{
  char *folder, *name, *watch, *kind, *pattern; /* watch "": none */
  char *geometry, *mask, *engine;               /* "": none given */
  gboolean make_watch, spi, far;                /* far: jobs go to a site that is added later */
  int cores;
  FlDatabase *database; /* NULL: SQLite in the folder */
  char *password;       /* of it, for the keyring; NULL: it is not kept */
} FlgMaking;

void flg_making_free (gpointer making);
/* GTaskThreadFunc: gives the folder (g_free). What it has made is taken back when it fails. */
void flg_making_run (GTask *task, gpointer source, gpointer making, GCancellable *cancellable);
