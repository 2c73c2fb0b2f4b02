#include "engine/results/segment.h"

#include <glib/gstdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/results/attempt.h"
#include "engine/results/table.h"

static gboolean
write_tables (hid_t file, guint attempt, const FlBatch *shots, const FlBatch *spots, GError **error)
{
  guint n = fl_batch_rows (shots);
  const guint32 *counts = fl_batch_column (shots, "spots");
  g_autofree guint64 *first = g_new (guint64, n + 1);
  first[0] = 0;
  for (guint i = 0; i < n; i++)
    first[i + 1] = first[i] + counts[i];
  g_return_val_if_fail (first[n] == fl_batch_rows (spots), FALSE);
  if (!fl_attribute_write_text (file, "format", "firstlight spots")
      || !fl_attribute_write_u64 (file, "version", 1) || !fl_attribute_write_u64 (file, "attempt", attempt)
      || !fl_attribute_write_text (file, "engine", "firstlight-engine " FL_VERSION))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "attributes cannot be written (disk full?)");
      return FALSE;
    }
  return fl_table_write (file, "shots", shots, error)
         && fl_table_write_u64 (file, "shots/first_spot", first, n, error)
         && fl_table_write (file, "spots", spots, error);
}

gboolean
fl_segment_write (const char *path, guint attempt, const FlBatch *shots, const FlBatch *spots, GError **error)
{
  g_autofree char *temporary = fl_seal_begin (path);
  fl_hdf5_quiet ();
  hid_t file = H5Fcreate (temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = file >= 0 && write_tables (file, attempt, shots, spots, error);
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

static hid_t
segment_open (const char *path, GError **error)
{
  fl_hdf5_quiet ();
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cannot be opened, expected an HDF5 file of spots",
                 path);
  return file;
}

FlBatch *
fl_segment_read_shots (const char *path, guint64 **first_spot, guint64 *n_spots, guint *attempt,
                       GError **error)
{
  hid_t file = segment_open (path, error);
  if (file < 0)
    return NULL;
  guint64 number = 0;
  g_autofree guint64 *first = NULL;
  g_autoptr (FlBatch) shots = NULL;
  gint64 n = fl_table_rows (file, "shots", FL_KIND_SHOT, error);
  gint64 all = n >= 0 ? fl_table_rows (file, "spots", FL_KIND_SPOT, error) : -1;
  if (all >= 0)
    shots = fl_table_read (file, "shots", FL_KIND_SHOT, 0, (gsize) n, error);
  if (shots != NULL)
    first = fl_table_read_u64 (file, "shots/first_spot", 0, (gsize) n, error);
  fl_attribute_read_u64 (file, "attempt", &number);
  H5Fclose (file);
  if (first == NULL)
    {
      fl_error_prefix_path (error, path);
      return NULL;
    }
  if (first_spot != NULL)
    *first_spot = g_steal_pointer (&first);
  if (n_spots != NULL)
    *n_spots = (guint64) all;
  if (attempt != NULL)
    *attempt = (guint) number;
  return g_steal_pointer (&shots);
}

FlBatch *
fl_segment_read_spots (const char *path, guint64 first, gsize n, GError **error)
{
  hid_t file = segment_open (path, error);
  if (file < 0)
    return NULL;
  FlBatch *spots = fl_table_read (file, "spots", FL_KIND_SPOT, first, n, error);
  H5Fclose (file);
  if (spots == NULL)
    fl_error_prefix_path (error, path);
  return spots;
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
