/* secrets.h: passwords and passphrases that the person has given once, for the next time that the connection is made. Kept in
 * locked pages, wiped when dropped, each used by itself at most once: what was refused is forgotten. Thread: any. */
#pragma once

#include <glib.h>

typedef struct FlSecrets FlSecrets;

FlSecrets *fl_secrets_new (void);
FlSecrets *fl_secrets_ref (FlSecrets *secrets);
void fl_secrets_unref (FlSecrets *secrets);

/* `name`: of what it opens, "password", "passphrase /home/ana/.ssh/id". NULL `secret` forgets it. Longer than 511 bytes is not
 * kept. */
void fl_secrets_keep (FlSecrets *secrets, const char *name, const char *secret);
/* A copy, to be freed with fl_secret_free(); NULL: none. */
char *fl_secrets_get (FlSecrets *secrets, const char *name);
void fl_secret_free (char *secret);
