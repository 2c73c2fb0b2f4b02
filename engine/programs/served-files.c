#include "engine/programs/served-files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"

char *
fl_served_path (char **roots, const char *path, GError **error)
{
  g_autofree char *real = NULL;
  char *found = realpath (path, NULL);
  if (found == NULL)
    {
      g_set_error (error, FL_ERROR, errno == ENOENT || errno == ENOTDIR ? FL_ERROR_MISSING : FL_ERROR_INPUT,
                   "%s: %s", path, g_strerror (errno));
      return NULL;
    }
  real = g_strdup (found);
  free (found);
  if (roots == NULL)
    return g_steal_pointer (&real);
  for (char **root = roots; *root != NULL; root++)
    {
      gsize n = strlen (*root);
      if (strncmp (real, *root, n) == 0 && (real[n] == '\0' || real[n] == '/' || n == 1))
        return g_steal_pointer (&real);
    }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is outside the folders that are served", path);
  return NULL;
}

char *
fl_served_path_with_dataset (char **roots, const char *text, const char **dataset, GError **error)
{
  const char *colon = strstr (text, ":/");
  g_autofree char *path = colon != NULL ? g_strndup (text, (gsize) (colon - text)) : g_strdup (text);
  *dataset = colon != NULL ? colon : "";
  return fl_served_path (roots, path, error);
}

char *
fl_served_dataset (char **roots, const char *text, GError **error)
{
  const char *dataset;
  g_autofree char *path = fl_served_path_with_dataset (roots, text, &dataset, error);
  return path != NULL ? g_strconcat (path, dataset, NULL) : NULL;
}

char **
fl_served_roots (char **asked, GError **error)
{
  g_autoptr (GPtrArray) real = g_ptr_array_new_with_free_func (g_free);
  for (char **root = asked; *root != NULL; root++)
    {
      char *path = fl_served_path (NULL, *root, error);
      if (path == NULL)
        return NULL;
      g_ptr_array_add (real, path);
    }
  g_ptr_array_add (real, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&real), FALSE);
}

gboolean
fl_seen_file_look (FlSeenFile *seen)
{
  struct stat about;
  if (stat (seen->path, &about) != 0)
    return FALSE;
  seen->changed = about.st_mtim;
  seen->size = about.st_size;
  seen->inode = about.st_ino;
  return TRUE;
}

gboolean
fl_seen_file_is_unchanged (const FlSeenFile *seen)
{
  FlSeenFile now = *seen;
  return fl_seen_file_look (&now) && now.size == seen->size && now.inode == seen->inode
         && now.changed.tv_sec == seen->changed.tv_sec && now.changed.tv_nsec == seen->changed.tv_nsec;
}
