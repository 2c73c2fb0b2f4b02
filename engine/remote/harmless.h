/* harmless.h: words from a server, before anybody sees them. */
#pragma once

#include <glib.h>

/* One line of valid UTF-8 of at most `most` characters: control characters and escape sequences become spaces, which are not
 * repeated. `length` < 0: to its NUL. Free it. */
char *fl_harmless (const void *text, gssize length, guint most);
