/* Archives held against their manifests. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/control/archive-private.h"

static void
add_fault (GPtrArray *faults, const char *path, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (faults, fl_one_line (g_strdup_printf ("%s: %s", path, what), '?'));
}

static void
compare_file (FlArchiveFile *file, const FlArchiveFile *found, GPtrArray *faults)
{
  if (found->size != file->size)
    add_fault (faults, file->path, "%" G_GINT64_FORMAT " bytes, expected %" G_GINT64_FORMAT, found->size,
               file->size);
  else if (strcmp (found->sha256, file->sha256) != 0)
    add_fault (faults, file->path, "has been changed: SHA-256 %.16s…, expected %.16s…", found->sha256,
               file->sha256);
}

void
fl_archive_compare (GPtrArray *files, GPtrArray *found, GPtrArray *faults)
{
  fl_archive_files_sort (found);
  for (guint i = 0; i < files->len; i++)
    {
      FlArchiveFile *file = files->pdata[i], *there = fl_archive_files_find (found, file->path);
      if (there == NULL)
        add_fault (faults, file->path, "is missing, expected %" G_GINT64_FORMAT " bytes", file->size);
      else
        {
          there->seen = TRUE;
          compare_file (file, there, faults);
        }
    }
  for (guint i = 0; i < found->len; i++)
    {
      const FlArchiveFile *there = found->pdata[i];
      if (!there->seen && strcmp (there->path, FL_ARCHIVE_MANIFEST) != 0)
        add_fault (faults, there->path, "is not in the manifest (%" G_GINT64_FORMAT " bytes)", there->size);
    }
}

/* --- a folder --- */

static void
list_folder (const char *folder, const char *within, GPtrArray *found, GPtrArray *faults)
{
  g_autofree char *here = g_build_filename (folder, within, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (here, 0, &error);
  if (dir == NULL)
    {
      add_fault (faults, within, "%s", error->message);
      return;
    }
  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    {
      g_autofree char *path = *within != '\0' ? g_build_filename (within, name, NULL) : g_strdup (name);
      g_autofree char *full = g_build_filename (folder, path, NULL);
      struct stat about;
      if (lstat (full, &about) != 0)
        add_fault (faults, path, "%s", g_strerror (errno));
      else if (S_ISDIR (about.st_mode))
        list_folder (folder, path, found, faults);
      else if (S_ISREG (about.st_mode))
        fl_archive_files_add (found, path, "", about.st_size);
      else
        add_fault (faults, path, "is no plain file");
    }
}

typedef struct
{
  FlArchiveWork *work;
  const char *folder;
  GPtrArray *files, *faults;
} Check;

/* In one of several threads. */
static void
sum_up (gpointer item, gpointer data)
{
  FlArchiveFile *file = item;
  Check *check = data;
  FlArchiveFile *expected = fl_archive_files_find (check->files, file->path);
  g_autofree char *path = g_build_filename (check->folder, file->path, NULL);
  g_autoptr (GError) error = NULL;
  gint64 size = 0;
  if (expected == NULL || expected->size != file->size) /* wrong as it is */
    return;
  if (fl_archive_take_file (check->work, path, NULL, file->sha256, &size, &error))
    {
      file->size = size;
      return;
    }
  g_strlcpy (file->sha256, expected->sha256, sizeof file->sha256); /* named once */
  g_mutex_lock (&check->work->lock);
  add_fault (check->faults, file->path, "cannot be read: %s", error->message);
  g_mutex_unlock (&check->work->lock);
}

static gboolean
verify_folder (const char *folder, GPtrArray *faults, FlArchiveFunc func, gpointer data, GError **error)
{
  g_autofree char *path = g_build_filename (folder, FL_ARCHIVE_MANIFEST, NULL), *text = NULL;
  g_autoptr (GError) why = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, &why))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s; expected an archive", path, why->message);
      return FALSE;
    }
  g_autoptr (GPtrArray) files = fl_archive_manifest_read (text, length, FL_ARCHIVE_MANIFEST, &why);
  if (files == NULL)
    {
      g_ptr_array_add (faults, g_strdup (why->message));
      return TRUE;
    }
  gint64 all = 0;
  for (guint i = 0; i < files->len; i++)
    all += ((FlArchiveFile *) files->pdata[i])->size;
  g_autoptr (GPtrArray) found = fl_archive_files_new ();
  g_auto (FlArchiveWork) work;
  fl_archive_work_init (&work, "checked", all, func, data);
  Check check = { &work, folder, files, faults };
  list_folder (folder, "", found, faults);
  fl_archive_work_each (&work, found, sum_up, &check);
  fl_archive_compare (files, found, faults);
  return TRUE;
}

/* --- a tar file --- */

/* FALSE with error: it is no tar file of an archive at all. */
static gboolean
read_tar (const char *file, const char *to, GPtrArray *faults, FlArchiveFunc func, gpointer data,
          GError **error)
{
  struct stat about;
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (GError) why = NULL;
  g_autoptr (GPtrArray) found = fl_archive_files_new ();
  g_auto (FlArchiveWork) work;
  fl_archive_work_init (&work, to != NULL ? "unpacked" : "checked",
                        g_stat (file, &about) == 0 ? about.st_size : 0, func, data);
  if (!fl_archive_tar_read (file, to, &work, found, &text, &length, error))
    return FALSE;
  if (text == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has no %s: cut off, or no archive of Firstlight",
                   file, FL_ARCHIVE_MANIFEST);
      return FALSE;
    }
  g_autoptr (GPtrArray) files = fl_archive_manifest_read (text, length, FL_ARCHIVE_MANIFEST, &why);
  if (files != NULL)
    fl_archive_compare (files, found, faults);
  else
    g_ptr_array_add (faults, g_strdup (why->message));
  return TRUE;
}

gboolean
fl_archive_verify (const char *path, GPtrArray *faults, FlArchiveFunc func, gpointer data, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return verify_folder (path, faults, func, data, error);
  return read_tar (path, NULL, faults, func, data, error);
}

gboolean
fl_archive_unpack (const char *file, const char *to, FlArchiveFunc func, gpointer data, GError **error)
{
  struct stat about;
  if (g_stat (file, &about) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s", file, g_strerror (errno));
      return FALSE;
    }
  g_autoptr (FlArchivePlace) place = fl_archive_place_begin (to, error);
  if (place == NULL || !fl_archive_has_room (place->folder, about.st_size, error))
    return FALSE;
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *tree = g_build_filename (place->folder, "tree", NULL);
  if (!read_tar (file, tree, faults, func, data, error))
    return FALSE;
  if (faults->len == 0)
    return fl_archive_place_finish (place, "tree", error);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s%s", file, (char *) faults->pdata[0],
               faults->len > 1 ? " (and more: --verify names them all)" : "");
  return FALSE;
}
