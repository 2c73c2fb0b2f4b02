/* keyring.h: passwords of databases in the desktop's keyring (libsecret, schema org.firstlight.Database with user, server
 * and database). A password is nowhere else: not in files, logs, messages or arguments. Blocks while the keyring asks for
 * its own password. Thread: any. */
#pragma once

#include "engine/store/database.h"

gboolean fl_keyring_has (void); /* Firstlight was built with it */
/* NULL: there is none, or no keyring answers. fl_keyring_free() it. */
char *fl_keyring_look_up (const FlDatabase *database);
gboolean fl_keyring_store (const FlDatabase *database, const char *password, GError **error);
/* Takes it away again; one that is not there is as good. */
gboolean fl_keyring_forget (const FlDatabase *database, GError **error);
void fl_keyring_free (char *password); /* overwrites it first; NULL is nothing */
