/* old-copy.h: reading a store of an older schema without changing it: a copy of it in the user's cache is brought up to
 * date and read instead. One copy for each state of the file; what is written to the original later comes in when it is
 * opened again. SQLite only; inside the store only. Thread: any. */
#pragma once

#include "engine/store/db.h"

/* `db`: of `where`, open for reading. Where the copy is, its folder that of the original. FL_ERROR_FAILED when the cache
 * cannot be written. */
FlDatabase *fl_old_copy_make (FlDb *db, const FlDatabase *where, GError **error);
