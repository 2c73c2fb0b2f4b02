/* seal.h: a store that nobody will write any more: for archives. Thread: the store's. */
#pragma once

#include "engine/store/store.h"

/* Beside a store in a folder: it is part of an archive (engine/control/archive-folder.h) and opens read-only. */
#define FL_ARCHIVE_FILE "archive.ini"

/* Of its schema; −1 with error. */
gint64 fl_store_version (FlStore *store, GError **error);
/* Makes one file of an SQLite store that nobody has open, so that reading it makes no others beside it. */
gboolean fl_store_seal (const char *folder, GError **error);
