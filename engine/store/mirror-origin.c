#include "engine/store/mirror.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

#define GROUP "follow"

static gboolean
failed (GError **error, const char *path, const GError *why)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", path, why->message);
  return FALSE;
}

gboolean
fl_mirror_write_origin (const char *folder, const char *const *command, const char *store, GError **error)
{
  g_autofree char *path = g_build_filename (folder, FL_MIRROR_FILE, NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) why = NULL;
  g_key_file_set_string_list (file, GROUP, "command", command, g_strv_length ((char **) command));
  g_key_file_set_string (file, GROUP, "store", store);
  return g_key_file_save_to_file (file, path, &why) || failed (error, path, why);
}

char **
fl_mirror_read_origin (const char *folder, char **store, GError **error)
{
  g_autofree char *path = g_build_filename (folder, FL_MIRROR_FILE, NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) why = NULL;
  *store = NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;
  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &why))
    {
      failed (error, path, why);
      return NULL;
    }
  gsize n = 0;
  g_auto (GStrv) command = g_key_file_get_string_list (file, GROUP, "command", &n, &why);
  g_autofree char *where = command != NULL ? g_key_file_get_string (file, GROUP, "store", &why) : NULL;
  if (where == NULL)
    {
      failed (error, path, why);
      return NULL;
    }
  if (n == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: its command is empty", path);
      return NULL;
    }
  *store = g_steal_pointer (&where);
  return g_steal_pointer (&command);
}

guint64
fl_mirror_whole_at (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, FL_MIRROR_FILE, NULL);
  struct stat about;
  if (stat (path, &about) != 0)
    return 0;
  return (guint64) about.st_mtim.tv_sec * FL_NS_PER_S + (guint64) about.st_mtim.tv_nsec;
}

void
fl_mirror_set_whole (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, FL_MIRROR_FILE, NULL);
  utimensat (AT_FDCWD, path, NULL, 0);
}
