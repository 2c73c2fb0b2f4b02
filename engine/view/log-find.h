/* log-find.h: the next line of a log that holds a text, or that looks like an error.
 *
 * One pass by an Aho-Corasick automaton (Aho & Corasick, Commun. ACM 18 (1975) 333), any case (of ASCII letters), whatever
 * the length of the lines, so that a log of 1 GB costs its reading. What looks like an error is one table in log-find.c.
 * Thread: any; the cancellable is looked at between blocks. */
#pragma once

#include <gio/gio.h>

#include "engine/view/messages.h"

/* Of the first `size` bytes of `fd`. NULL with error when they cannot be read, or it was cancelled. */
FlViewFound *fl_log_find (int fd, guint64 size, const FlViewFindRequest *request, GCancellable *cancellable,
                          GError **error);
