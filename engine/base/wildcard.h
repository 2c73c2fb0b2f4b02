/* wildcard.h: names by patterns with * (any text) and ? (one character). GLib's own end the program when a name on a disk, or a
 * pattern in a file, is not UTF-8. Thread: any. */
#pragma once

#include <glib.h>

gboolean fl_wildcard_match (const char *pattern, const char *text);
