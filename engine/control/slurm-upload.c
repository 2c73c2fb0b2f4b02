/* Files that jobs need, put there unless they lie there already: one command tells which do. */
#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/control/slurm-private.h"

#define HASH_TIMEOUT 300

static char *
hash_of (const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  if (file == NULL)
    return NULL;
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) g_mapped_file_get_contents (file),
                                      g_mapped_file_get_length (file));
}

/* Path there to hash, of those that are there. */
static GHashTable *
hashes_there (FlHost *host, GHashTable *locals, GError **error)
{
  g_autoptr (GString) input = g_string_new (NULL);
  GHashTableIter iter;
  gpointer far;
  g_hash_table_iter_init (&iter, locals);
  while (g_hash_table_iter_next (&iter, &far, NULL))
    g_string_append_len (input, far, (gssize) strlen (far) + 1);
  const char *const argv[] = { "sh", "-c", "xargs -0 -r sha256sum -z -- 2> /dev/null; true", NULL };
  g_autoptr (GBytes) bytes = g_bytes_new (input->str, input->len);
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (host, argv, bytes, HASH_TIMEOUT, NULL, &output, error))
    return NULL;
  GHashTable *hashes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gsize length;
  const char *text = g_bytes_get_data (output.out, &length);
  /* "HASH  PATH\0" */
  for (const char *record = text, *end; record != NULL && record < text + length; record = end + 1)
    {
      end = memchr (record, '\0', (gsize) (text + length - record));
      if (end == NULL)
        break;
      if (end - record > 66)
        g_hash_table_replace (hashes, g_strdup (record + 66), g_strndup (record, 64));
    }
  return hashes;
}

/* NULL: it lies there now. */
static GError *
bring (FlHost *host, const char *local, const char *far, GHashTable *there)
{
  GError *error = NULL;
  struct stat about;
  g_autofree char *hash = hash_of (local, &error);
  if (hash == NULL)
    {
      g_clear_error (&error);
      return g_error_new (FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read", local);
    }
  if (g_strcmp0 (hash, g_hash_table_lookup (there, far)) == 0)
    return NULL;
  g_autofree char *folder = g_path_get_dirname (far);
  guint32 mode = stat (local, &about) == 0 && (about.st_mode & 0100) != 0 ? 0755 : 0644;
  if (fl_host_make_folder (host, folder, &error))
    fl_host_put (host, local, far, mode, NULL, NULL, NULL, &error);
  return error;
}

gboolean
fl_slurm_upload (FlHost *host, GPtrArray *submissions, GError **problems, GError **error)
{
  g_autoptr (GHashTable) locals = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) failed =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_error_free);
  for (guint i = 0; i < submissions->len; i++)
    {
      GPtrArray *uploads = ((const FlSubmission *) submissions->pdata[i])->uploads;
      for (guint k = 0; uploads != NULL && k < uploads->len; k++)
        g_hash_table_replace (locals, ((FlUpload *) uploads->pdata[k])->far,
                              ((FlUpload *) uploads->pdata[k])->local);
    }
  if (g_hash_table_size (locals) == 0)
    return TRUE;
  g_autoptr (GHashTable) there = hashes_there (host, locals, error);
  if (there == NULL)
    return FALSE;
  GHashTableIter iter;
  gpointer far, local;
  g_hash_table_iter_init (&iter, locals);
  while (g_hash_table_iter_next (&iter, &far, &local))
    {
      GError *problem = bring (host, local, far, there);
      if (g_error_matches (problem, FL_ERROR, FL_ERROR_BUSY))
        {
          g_propagate_error (error, problem);
          return FALSE;
        }
      if (problem != NULL)
        g_hash_table_insert (failed, far, problem);
    }
  for (guint i = 0; i < submissions->len; i++)
    {
      GPtrArray *uploads = ((const FlSubmission *) submissions->pdata[i])->uploads;
      for (guint k = 0; uploads != NULL && k < uploads->len && problems[i] == NULL; k++)
        {
          const GError *problem = g_hash_table_lookup (failed, ((FlUpload *) uploads->pdata[k])->far);
          problems[i] = problem != NULL ? g_error_copy (problem) : NULL;
        }
    }
  return TRUE;
}
