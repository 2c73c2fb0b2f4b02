#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/folder-files.h"

#include <string.h>

#include "engine/store/records.h"

#define MOST_FILES 100000

typedef struct
{
  FlgFolderFilesFunc func;
  gpointer data;
} Reply;

static gboolean
is_image (const char *name)
{
  static const char *const suffixes[] = { ".cxi",  ".h5",  ".hdf5", ".nxs",    ".cbf",  ".img",
                                          ".mccd", ".tif", ".tiff", ".cbf.gz", ".xtc2", ".cbor" };
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

/* What find(1) printed there: paths with NULs between, from a machine that is not trusted. */
static void
on_found (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GBytes) out = NULL, errors = NULL;
  GError *error = NULL;
  const char *folder = g_task_get_task_data (task);
  if (!g_subprocess_communicate_finish (G_SUBPROCESS (source), result, &out, &errors, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  gsize length = 0;
  const char *text = g_bytes_get_data (out, &length);
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  for (const char *end; length > 0 && files->len < MOST_FILES && (end = memchr (text, 0, length));)
    {
      if (g_str_has_prefix (text, folder) && is_image (text))
        g_ptr_array_add (files, g_strdup (text));
      length -= (gsize) (end + 1 - text);
      text = end + 1;
    }
  g_ptr_array_sort (files, by_name);
  if (files->len == 0 && !g_subprocess_get_successful (G_SUBPROCESS (source)))
    {
      gsize n = 0;
      const char *said = g_bytes_get_data (errors, &n);
      g_autofree char *line = g_utf8_make_valid (said ? said : "", (gssize) MIN (n, 500));
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", g_strchomp (line));
      return;
    }
  g_task_return_pointer (task, g_steal_pointer (&files), (GDestroyNotify) g_ptr_array_unref);
}

static void
list_far (GTask *task, const char *path, const char *const *channel)
{
  const char *find[] = { "--", "find", "-L", path, "-maxdepth", "1", "-type", "f", "-print0" };
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  GError *error = NULL;
  for (guint i = 0; channel[i]; i++)
    g_ptr_array_add (argv, (gpointer) channel[i]);
  for (guint i = 0; i < G_N_ELEMENTS (find); i++)
    g_ptr_array_add (argv, (gpointer) find[i]);
  g_ptr_array_add (argv, NULL);
  g_autoptr (GSubprocess) child =
      g_subprocess_newv ((const char *const *) argv->pdata,
                         G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  if (child)
    g_subprocess_communicate_async (child, NULL, NULL, on_found, g_object_ref (task));
  else
    g_task_return_error (task, error);
}

void
flg_folder_files (const char *path, const char *const *channel, FlgFolderFilesFunc func, gpointer data)
{
  Reply *reply = g_new (Reply, 1);
  *reply = (Reply){ func, data };
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_listed, reply);
  g_task_set_task_data (task, g_strdup (path), g_free);
  if (channel)
    list_far (task, path, channel);
  else
    g_task_run_in_thread (task, list_folder);
}
