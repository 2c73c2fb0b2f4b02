#include "engine/store/seal.h"

#include "engine/base/error.h"
#include "engine/store/store-private.h"

gint64
fl_store_version (FlStore *store, GError **error)
{
  return fl_store_counted (store, "schema", error);
}

gboolean
fl_store_seal (const char *folder, GError **error)
{
  g_autoptr (FlDatabase) where = fl_database_find (folder, FALSE, error);
  g_autoptr (FlDb) db = where != NULL ? fl_db_open (where, FL_DB_WRITE, error) : NULL;
  if (db == NULL || !fl_db_script (db, "PRAGMA journal_mode = DELETE", error))
    return FALSE;
  g_autofree char *wal = g_strconcat (where->path, "-wal", NULL);
  if (!g_file_test (wal, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: is open elsewhere", where->path);
  return FALSE;
}
