/* password.h: a password that somebody has typed, for as long as this program runs: nowhere else than in its memory. The
 * driver asks here before the keyring. Thread: any. */
#pragma once

#include "engine/store/database.h"

/* NULL or "": forgets it. */
void fl_password_hold (const FlDatabase *database, const char *password);
/* NULL: there is none. fl_keyring_free() it. */
char *fl_password_held (const FlDatabase *database);
