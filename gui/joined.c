#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/joined.h"

#include "engine/store/database.h"

gboolean
flg_joined_read (const char *folder, char **home, GStrv *command)
{
  g_autoptr (FlDatabase) database = fl_database_find (folder, FALSE, NULL);
  *home = NULL;
  *command = NULL;
  if (!database || g_file_test (database->folder, G_FILE_TEST_IS_DIR))
    return FALSE;
  *home = g_strdup (database->folder);
  *command = g_strdupv (database->command);
  return TRUE;
}
