#include "engine/control/archive-manifest.h"

#include <string.h>

#include "engine/base/error.h"

#define SIZE_MARK "# "
#define SUM_MARK  "# sum of the lines above: "

static void
file_free (gpointer data)
{
  FlArchiveFile *file = data;
  g_free (file->path);
  g_free (file);
}

GPtrArray *
fl_archive_files_new (void)
{
  return g_ptr_array_new_with_free_func (file_free);
}

FlArchiveFile *
fl_archive_files_add (GPtrArray *files, const char *path, const char *sha256, gint64 size)
{
  FlArchiveFile *file = g_new0 (FlArchiveFile, 1);
  file->path = g_strdup (path);
  g_strlcpy (file->sha256, sha256, sizeof file->sha256);
  file->size = size;
  g_ptr_array_add (files, file);
  return file;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(FlArchiveFile *const *) a)->path, (*(FlArchiveFile *const *) b)->path);
}

void
fl_archive_files_sort (GPtrArray *files)
{
  g_ptr_array_sort (files, compare);
}

FlArchiveFile *
fl_archive_files_find (GPtrArray *files, const char *path)
{
  FlArchiveFile key = { .path = (char *) path };
  const FlArchiveFile *wanted = &key;
  for (guint low = 0, high = files->len; low < high;)
    {
      guint middle = (low + high) / 2;
      int order = compare (&wanted, &files->pdata[middle]);
      if (order == 0)
        return files->pdata[middle];
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return NULL;
}

gboolean
fl_archive_path_is_safe (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (char **part = parts; *part != NULL; part++)
    if (**part == '\0' || strcmp (*part, ".") == 0 || strcmp (*part, "..") == 0)
      return FALSE;
  return *parts != NULL;
}

/* --- text --- */

/* As sha256sum: a line with such characters begins with a backslash. */
static void
append_name (GString *text, const FlArchiveFile *file)
{
  gboolean odd = strpbrk (file->path, "\\\n\r") != NULL;
  g_string_append_printf (text, "%s%s  ", odd ? "\\" : "", file->sha256);
  for (const char *p = file->path; *p != '\0'; p++)
    if (*p == '\n' || *p == '\r' || *p == '\\')
      g_string_append (text, *p == '\n' ? "\\n" : *p == '\r' ? "\\r" : "\\\\");
    else
      g_string_append_c (text, *p);
  g_string_append_c (text, '\n');
}

char *
fl_archive_manifest_write (GPtrArray *files)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < files->len; i++)
    {
      const FlArchiveFile *file = files->pdata[i];
      g_string_append_printf (text, SIZE_MARK "%" G_GINT64_FORMAT "\n", file->size);
      append_name (text, file);
    }
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, (gssize) text->len);
  g_string_append_printf (text, SUM_MARK "%s\n", sum);
  return g_string_free (text, FALSE);
}

static char *
plain_name (const char *written, gboolean odd)
{
  GString *name = g_string_new (NULL);
  for (const char *p = written; *p != '\0'; p++)
    if (odd && *p == '\\' && p[1] != '\0')
      {
        p++;
        g_string_append_c (name, *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p);
      }
    else
      g_string_append_c (name, *p);
  return g_string_free (name, FALSE);
}

/* "HASH  name" */
static gboolean
take_line (GPtrArray *files, const char *line, gint64 size)
{
  gboolean odd = *line == '\\';
  line += odd;
  if (size < 0 || strspn (line, "0123456789abcdef") != 64 || line[64] != ' ' || line[65] != ' ')
    return FALSE;
  g_autofree char *sha256 = g_strndup (line, 64), *name = plain_name (line + 66, odd);
  if (!fl_archive_path_is_safe (name))
    return FALSE;
  fl_archive_files_add (files, name, sha256, size);
  return TRUE;
}

/* The sum that the last line says is that of those before; *length: of them. */
static gboolean
sum_is_right (const char *text, gsize *length)
{
  const char *mark = g_strrstr_len (text, (gssize) *length, SUM_MARK);
  if (mark == NULL || (gsize) (text + *length - mark) != strlen (SUM_MARK) + 64 + 1)
    return FALSE;
  g_autofree char *sum =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text, (gsize) (mark - text));
  *length = (gsize) (mark - text);
  return strncmp (mark + strlen (SUM_MARK), sum, 64) == 0;
}

GPtrArray *
fl_archive_manifest_read (const char *text, gsize length, const char *name, GError **error)
{
  g_autoptr (GPtrArray) files = fl_archive_files_new ();
  if (memchr (text, '\0', length) != NULL || !sum_is_right (text, &length))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: has been changed or cut off, expected the sum of its lines at its end", name);
      return NULL;
    }
  g_autofree char *body = g_strndup (text, length);
  g_auto (GStrv) lines = g_strsplit (body, "\n", -1);
  gint64 size = -1;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (g_str_has_prefix (lines[i], SIZE_MARK))
        {
          size = g_ascii_strtoll (lines[i] + strlen (SIZE_MARK), NULL, 10);
          continue;
        }
      if (*lines[i] != '\0' && !take_line (files, lines[i], size))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: is not \"# SIZE\" and \"SHA-256  path\"",
                       name, i + 1);
          return NULL;
        }
      size = -1;
    }
  fl_archive_files_sort (files);
  return g_steal_pointer (&files);
}
