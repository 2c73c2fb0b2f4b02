#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/folder-files.h"

#include <string.h>

#include "engine/store/records.h"

typedef struct
{
  FlgFolderFilesFunc func;
  gpointer data;
} Reply;

static gboolean
is_image (const char *name)
{
  static const char *const suffixes[] = { ".cxi", ".h5", ".hdf5", ".nxs", ".cbf" };
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (name, suffixes[i]))
      return TRUE;
  return FALSE;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return fl_run_name_compare (*(char *const *) a, *(char *const *) b);
}

/* In a thread of GTask's pool: a slow disk holds up nothing else. */
static void
list_folder (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const char *path = data;
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    g_ptr_array_add (files, g_strdup (path));
  else
    {
      GError *error = NULL;
      g_autoptr (GDir) folder = g_dir_open (path, 0, &error);
      if (!folder)
        {
          g_task_return_error (task, error);
          return;
        }
      const char *name;
      while ((name = g_dir_read_name (folder)))
        if (is_image (name))
          g_ptr_array_add (files, g_build_filename (path, name, NULL));
      g_ptr_array_sort (files, by_name);
    }
  g_task_return_pointer (task, g_steal_pointer (&files), (GDestroyNotify) g_ptr_array_unref);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Reply *reply = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) files = g_task_propagate_pointer (G_TASK (result), &error);
  reply->func (files, error, reply->data);
}

void
flg_folder_files (const char *path, FlgFolderFilesFunc func, gpointer data)
{
  Reply *reply = g_new (Reply, 1);
  *reply = (Reply){ func, data };
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_listed, reply);
  g_task_set_task_data (task, g_strdup (path), g_free);
  g_task_run_in_thread (task, list_folder);
}
