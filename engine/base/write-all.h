/* write-all.h: bytes to a descriptor, to the last one. Thread: any. */
#pragma once

#include <glib.h>

/* write() again and again until all of it is taken, signals or not. FALSE with errno. */
gboolean fl_write_all (int fd, const void *data, gsize length);
