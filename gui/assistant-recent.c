#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/assistant-recent.h"

#include <string.h>

#include "gui/assistant-checks.h"

#define MOST 12

static char *
file_path (void)
{
  return g_build_filename (g_get_user_config_dir (), "firstlight", "recent.ini", NULL);
}

static GKeyFile *
load (void)
{
  GKeyFile *file = g_key_file_new ();
  g_autofree char *path = file_path ();
  g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL); /* there is none at first */
  return file;
}

static void
save (GKeyFile *file)
{
  g_autofree char *path = file_path (), *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;
  if (g_mkdir_with_parents (folder, 0700) != 0 || !g_key_file_save_to_file (file, path, &error))
    g_info ("%s: %s", path, error ? error->message : "its folder cannot be made");
}

/* A group's name may hold neither brackets nor control characters: where it is, escaped. */
static char *
group_of (const char *where)
{
  return g_uri_escape_string (where, "/:@", TRUE);
}

static void
recent_free (gpointer data)
{
  FlgRecent *recent = data;
  g_free (recent->where);
  g_free (recent->name);
  g_free (recent);
}

static int
compare_newest (gconstpointer a, gconstpointer b)
{
  const FlgRecent *x = *(FlgRecent *const *) a, *y = *(FlgRecent *const *) b;
  return x->opened > y->opened ? -1 : x->opened < y->opened ? 1 : strcmp (x->where, y->where);
}

static GPtrArray *
list (GKeyFile *file)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (recent_free);
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i]; i++)
    {
      g_autofree char *where = g_uri_unescape_string (groups[i], NULL);
      if (!where || !g_utf8_validate (where, -1, NULL))
        continue;
      FlgRecent *recent = g_new0 (FlgRecent, 1);
      recent->where = g_steal_pointer (&where);
      recent->name = g_key_file_get_string (file, groups[i], "name", NULL);
      recent->opened = g_key_file_get_int64 (file, groups[i], "opened", NULL);
      if (!recent->name || !*recent->name)
        {
          g_free (recent->name);
          recent->name = g_path_get_basename (recent->where);
        }
      g_ptr_array_add (all, recent);
    }
  g_ptr_array_sort (all, compare_newest);
  return all;
}

GPtrArray *
flg_recent_read (void)
{
  g_autoptr (GKeyFile) file = load ();
  GPtrArray *all = list (file);
  for (guint i = 0; i < all->len; i++)
    {
      FlgRecent *recent = all->pdata[i];
      recent->missing = *recent->where == '/' && !flg_folder_is_experiment (recent->where);
    }
  return all;
}

void
flg_recent_add (const char *where, const char *name)
{
  g_autoptr (GKeyFile) file = load ();
  g_autofree char *group = group_of (where);
  g_key_file_set_string (file, group, "name", name);
  g_key_file_set_int64 (file, group, "opened", g_get_real_time () / G_USEC_PER_SEC);
  g_autoptr (GPtrArray) all = list (file);
  for (guint i = MOST; i < all->len; i++)
    {
      g_autofree char *old = group_of (((FlgRecent *) all->pdata[i])->where);
      g_key_file_remove_group (file, old, NULL);
    }
  save (file);
}
