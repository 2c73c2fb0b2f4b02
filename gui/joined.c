#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/joined.h"

#include "engine/store/database.h"

gboolean
flg_joined_read (const char *folder, char **home, GStrv *command)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *path = g_build_filename (folder, FL_DATABASE_FILE, NULL);
  *home = NULL;
  *command = NULL;
  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL))
    return FALSE;
  g_autofree char *there = g_key_file_get_string (file, "database", "home", NULL);
  if (!there || !*there || g_file_test (there, G_FILE_TEST_IS_DIR))
    return FALSE;
  *home = g_steal_pointer (&there);
  *command = g_key_file_get_string_list (file, "database", "command", NULL, NULL);
  return TRUE;
}
