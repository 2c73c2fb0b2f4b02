#include "engine/results/segment.h"

#include <glib/gstdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/results/attempt.h"
#include "engine/results/table.h"

void
fl_shot_index_clear (FlShotIndex *index)
{
  fl_batch_free (index->shots);
  for (guint p = 0; p < FL_PART_LAST; p++)
    {
      g_free (index->first[p]);
      g_free (index->count[p]);
    }
  *index = (FlShotIndex){ 0 };
}

static gboolean
write_part (hid_t file, const FlShotSet *set, FlPart part, GError **error)
{
  const guint64 *ids = fl_batch_column (set->shots, "id");
  guint n = fl_batch_rows (set->shots), at = 0;
  g_autofree guint64 *first = g_new0 (guint64, n + 1), *count = g_new0 (guint64, n + 1);
  const guint64 *owners = fl_batch_column (set->parts[part], "shot");
  guint rows = fl_batch_rows (set->parts[part]);
  for (guint i = 0; i < n; i++)
    {
      first[i] = at;
      while (at < rows && owners[at] == ids[i])
        at++;
      count[i] = at - first[i];
    }
  g_return_val_if_fail (at == rows, FALSE);
  return fl_table_write (file, fl_parts[part].table, set->parts[part], error)
         && fl_table_write_u64 (file, fl_parts[part].first, first, n, error)
         && fl_table_write_u64 (file, fl_parts[part].count, count, n, error);
}

static gboolean
write_tables (hid_t file, guint attempt, const FlShotSet *set, GError **error)
{
  if (!fl_attribute_write_text (file, "format", "firstlight spots")
      || !fl_attribute_write_u64 (file, "version", 1) || !fl_attribute_write_u64 (file, "attempt", attempt)
      || !fl_attribute_write_text (file, "engine", "firstlight-engine " FL_VERSION))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "attributes cannot be written (disk full?)");
      return FALSE;
    }
  gboolean ok = fl_table_write (file, "shots", set->shots, error);
  for (guint p = 0; ok && p < FL_PART_LAST; p++)
    ok = write_part (file, set, p, error);
  return ok;
}

gboolean
fl_segment_write (const char *path, guint attempt, const FlShotSet *set, GError **error)
{
  g_autofree char *temporary = fl_seal_begin (path);
  fl_hdf5_quiet ();
  hid_t file = H5Fcreate (temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = file >= 0 && write_tables (file, attempt, set, error);
  if (file >= 0 && H5Fclose (file) < 0)
    ok = FALSE;
  if (ok)
    return fl_seal (temporary, path, error);
  if (error != NULL && *error == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "cannot be written (disk full?)");
  fl_error_prefix_path (error, path);
  g_unlink (temporary);
  return FALSE;
}

/* How many rows of `part` each shot has. */
static guint64 *
read_counts (hid_t file, FlPart part, const FlBatch *shots, GError **error)
{
  guint n = fl_batch_rows (shots);
  if (H5Lexists (file, fl_parts[part].count, H5P_DEFAULT) > 0)
    return fl_table_read_u64 (file, fl_parts[part].count, 0, n, error);
  guint64 *counts = g_new0 (guint64, n + 1);
  const guint32 *spots = fl_batch_column (shots, "spots");
  for (guint i = 0; part == FL_PART_SPOTS && i < n; i++)
    counts[i] = spots[i];
  return counts;
}

static gboolean
read_part (hid_t file, FlPart part, FlShotIndex *index, GError **error)
{
  guint n = fl_batch_rows (index->shots);
  if (part != FL_PART_SPOTS && H5Lexists (file, fl_parts[part].table, H5P_DEFAULT) <= 0)
    {
      index->first[part] = g_new0 (guint64, n + 1);
      index->count[part] = g_new0 (guint64, n + 1);
      return TRUE;
    }
  gint64 rows = fl_table_rows (file, fl_parts[part].table, fl_parts[part].kind, error);
  if (rows < 0)
    return FALSE;
  index->rows[part] = (guint64) rows;
  index->first[part] = fl_table_read_u64 (file, fl_parts[part].first, 0, n, error);
  if (index->first[part] != NULL)
    index->count[part] = read_counts (file, part, index->shots, error);
  return index->count[part] != NULL;
}

gboolean
fl_segment_read_index (const char *path, FlShotIndex *index, GError **error)
{
  fl_hdf5_quiet ();
  *index = (FlShotIndex){ 0 };
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cannot be opened, expected an HDF5 file of spots",
                   path);
      return FALSE;
    }
  guint64 attempt = 0;
  gint64 n = fl_table_rows (file, "shots", FL_KIND_SHOT, error);
  if (n >= 0)
    index->shots = fl_table_read (file, "shots", FL_KIND_SHOT, 0, (gsize) n, error);
  gboolean ok = index->shots != NULL;
  for (guint p = 0; ok && p < FL_PART_LAST; p++)
    ok = read_part (file, p, index, error);
  fl_attribute_read_u64 (file, "attempt", &attempt);
  index->attempt = (guint) attempt;
  H5Fclose (file);
  if (ok)
    return TRUE;
  fl_shot_index_clear (index);
  fl_error_prefix_path (error, path);
  return FALSE;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
fl_segment_list (const char *job_dir)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) attempts = fl_attempt_list (job_dir);
  for (guint i = 0; i < attempts->len; i++)
    {
      g_autofree char *folder = fl_attempt_path (job_dir, g_array_index (attempts, guint, i));
      g_autofree char *base = g_path_get_basename (folder);
      g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
      const char *name;
      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        if (g_str_has_prefix (name, "spots-") && g_str_has_suffix (name, ".h5"))
          g_ptr_array_add (paths, g_build_filename (base, name, NULL));
    }
  g_ptr_array_sort (paths, by_name);
  return paths;
}
