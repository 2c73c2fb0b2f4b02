/* database-private.h: what the files of `firstlight-control database` share. */
#pragma once

#include "engine/store/store.h"

#define FL_PROGRAM_DATABASE "firstlight-control database"

/* Whether the server lets us in; asks for the password on the terminal, where there is one, and offers to keep it in the
 * keyring. TRUE too when there is no database or nothing in it yet. */
gboolean fl_program_reach (const FlDatabase *where, GError **error);
/* As fl_store_open_database(), having reached it. Takes `where` over. */
FlStore *fl_program_open (FlDatabase *where, FlStoreMode mode, GError **error);
/* A line of the terminal that is not shown, or of standard input where there is no terminal. NULL: none. Overwrite it with
 * fl_keyring_free(). */
char *fl_program_ask_secret (const char *question);

int fl_program_database_grant (int argc, char **argv);
