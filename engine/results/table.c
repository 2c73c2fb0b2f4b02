#include "engine/results/table.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"

static const gsize type_sizes[] = { 1, 2, 4, 8, 4, 8, sizeof (char *), 2 };

void
fl_hdf5_quiet (void)
{
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
}

hid_t
fl_column_hdf5_type (FlColumnType type)
{
  switch (type)
    {
    case FL_COLUMN_U8:
      return H5T_NATIVE_UINT8;
    case FL_COLUMN_U16:
      return H5T_NATIVE_UINT16;
    case FL_COLUMN_U32:
      return H5T_NATIVE_UINT32;
    case FL_COLUMN_U64:
      return H5T_NATIVE_UINT64;
    case FL_COLUMN_F32:
      return H5T_NATIVE_FLOAT;
    case FL_COLUMN_F64:
      return H5T_NATIVE_DOUBLE;
    case FL_COLUMN_I16:
      return H5T_NATIVE_INT16;
    case FL_COLUMN_TEXT:
      break;
    }
  hid_t text = H5Tcopy (H5T_C_S1);
  H5Tset_size (text, H5T_VARIABLE);
  H5Tset_cset (text, H5T_CSET_UTF8);
  return text;
}

static void
type_close (FlColumnType type, hid_t handle)
{
  if (type == FL_COLUMN_TEXT)
    H5Tclose (handle);
}

gboolean
fl_attribute_write_u64 (hid_t object, const char *name, guint64 value)
{
  hid_t space = H5Screate (H5S_SCALAR);
  hid_t attribute = H5Acreate2 (object, name, H5T_NATIVE_UINT64, space, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = attribute >= 0 && H5Awrite (attribute, H5T_NATIVE_UINT64, &value) >= 0;
  H5Aclose (attribute);
  H5Sclose (space);
  return ok;
}

gboolean
fl_attribute_read_u64 (hid_t object, const char *name, guint64 *value)
{
  hid_t attribute = H5Aopen (object, name, H5P_DEFAULT);
  gboolean ok = attribute >= 0 && H5Aread (attribute, H5T_NATIVE_UINT64, value) >= 0;
  if (attribute >= 0)
    H5Aclose (attribute);
  return ok;
}

gboolean
fl_attribute_write_text (hid_t object, const char *name, const char *value)
{
  hid_t space = H5Screate (H5S_SCALAR), type = H5Tcopy (H5T_C_S1);
  H5Tset_size (type, MAX (strlen (value), 1));
  H5Tset_cset (type, H5T_CSET_UTF8);
  hid_t attribute = H5Acreate2 (object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = attribute >= 0 && H5Awrite (attribute, type, value) >= 0;
  H5Aclose (attribute);
  H5Tclose (type);
  H5Sclose (space);
  return ok;
}

gboolean
fl_column_write_unit (hid_t dataset, const char *unit)
{
  return *unit == '\0' || fl_attribute_write_text (dataset, "unit", unit);
}

static gboolean
column_write (hid_t group, const char *name, hid_t type, const char *unit, const void *values, gsize n)
{
  hsize_t dims[1] = { n };
  hid_t space = H5Screate_simple (1, dims, NULL);
  hid_t dataset = H5Dcreate2 (group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = dataset >= 0
                && (n == 0 || H5Dwrite (dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0)
                && fl_column_write_unit (dataset, unit);
  if (dataset >= 0 && H5Dclose (dataset) < 0)
    ok = FALSE;
  H5Sclose (space);
  return ok;
}

gboolean
fl_table_write (hid_t parent, const char *group, const FlBatch *batch, GError **error)
{
  const FlSchema *schema = fl_schema (fl_batch_kind (batch));
  hid_t handle = H5Gcreate2 (parent, group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = handle >= 0;
  for (guint c = 0; ok && c < schema->n_columns; c++)
    {
      const FlColumn *column = &schema->columns[c];
      hid_t type = fl_column_hdf5_type (column->type);
      ok = column_write (handle, column->name, type, column->unit, fl_batch_column (batch, column->name),
                         fl_batch_rows (batch));
      type_close (column->type, type);
    }
  if (handle >= 0)
    H5Gclose (handle);
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "table '%s' cannot be written (disk full?)", group);
  return ok;
}

gboolean
fl_table_write_u64 (hid_t parent, const char *dataset, const guint64 *values, gsize n, GError **error)
{
  if (column_write (parent, dataset, H5T_NATIVE_UINT64, "", values, n))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "table '%s' cannot be written (disk full?)", dataset);
  return FALSE;
}

/* Rows of a 1-D dataset; -1 when it is none. */
static gint64
dataset_rows (hid_t dataset)
{
  hsize_t dims[1] = { 0 };
  hid_t space = H5Dget_space (dataset);
  gboolean ok = space >= 0 && H5Sget_simple_extent_ndims (space) == 1
                && H5Sget_simple_extent_dims (space, dims, NULL) == 1;
  if (space >= 0)
    H5Sclose (space);
  return ok ? (gint64) dims[0] : -1;
}

gint64
fl_table_rows (hid_t parent, const char *group, FlKind kind, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s/%s", group, fl_schema (kind)->columns[0].name);
  hid_t dataset = H5Dopen2 (parent, name, H5P_DEFAULT);
  gint64 rows = dataset >= 0 ? dataset_rows (dataset) : -1;
  if (dataset >= 0)
    H5Dclose (dataset);
  if (rows < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no table '%s', expected a file that Firstlight wrote",
                 group);
  return rows;
}

/* A damaged size claims more rows than the file holds: packing makes a number 1100 times smaller at most. */
static gboolean
holds (hid_t dataset, gsize n)
{
  hid_t create = H5Dget_create_plist (dataset);
  gboolean chunked = create >= 0 && H5Pget_layout (create) == H5D_CHUNKED;
  H5Pclose (create);
  return !chunked || n < 1 << 20 || H5Dget_storage_size (dataset) >= n / 1100;
}

static gboolean
has_rows (hid_t dataset, guint64 first, gsize n)
{
  gint64 rows = dataset_rows (dataset);
  return rows >= 0 && first <= (guint64) rows && n <= (guint64) rows - first && holds (dataset, n);
}

static gboolean
rows_read (hid_t dataset, hid_t type, guint64 first, gsize n, void *values)
{
  if (!has_rows (dataset, first, n))
    return FALSE;
  if (n == 0)
    return TRUE;
  hsize_t start[1] = { first }, count[1] = { n };
  hid_t memory = H5Screate_simple (1, count, NULL), file = H5Dget_space (dataset);
  gboolean ok = H5Sselect_hyperslab (file, H5S_SELECT_SET, start, NULL, count, NULL) >= 0
                && H5Dread (dataset, type, memory, file, H5P_DEFAULT, values) >= 0;
  H5Sclose (memory);
  H5Sclose (file);
  return ok;
}

static void
scatter (char *rows, gsize row_size, const FlColumn *column, const char *values, gsize n)
{
  gsize size = type_sizes[column->type];
  for (gsize i = 0; i < n; i++)
    memcpy (rows + i * row_size + column->offset, values + i * size, size);
}

/* Fills `column` of the rows; texts (to be freed with H5free_memory) are also kept in `texts`. */
static gboolean
column_read (hid_t group, const FlColumn *column, guint64 first, gsize n, char *rows, gsize row_size,
             GPtrArray *texts)
{
  if (H5Lexists (group, column->name, H5P_DEFAULT) <= 0)
    return TRUE;
  hid_t dataset = H5Dopen2 (group, column->name, H5P_DEFAULT);
  hid_t type = fl_column_hdf5_type (column->type);
  g_autofree char *values = g_try_malloc0_n (n + 1, type_sizes[column->type]);
  gboolean ok = dataset >= 0 && values != NULL && rows_read (dataset, type, first, n, values);
  gboolean is_text = dataset >= 0 && values != NULL && column->type == FL_COLUMN_TEXT;
  if (ok)
    scatter (rows, row_size, column, values, n);
  for (gsize i = 0; is_text && i < n; i++)
    if (((char **) (void *) values)[i] != NULL)
      g_ptr_array_add (texts, ((char **) (void *) values)[i]);
  type_close (column->type, type);
  if (dataset >= 0)
    H5Dclose (dataset);
  return ok;
}

static void
free_text (gpointer text)
{
  H5free_memory (text);
}

FlBatch *
fl_table_read (hid_t parent, const char *group, FlKind kind, guint64 first, gsize n, GError **error)
{
  const FlSchema *schema = fl_schema (kind);
  g_autoptr (FlBatch) batch = fl_batch_new (kind);
  /* What the file claims may be more than it holds. */
  g_autofree char *rows = n < G_MAXUINT32 ? g_try_malloc0_n (n + 1, schema->row_size) : NULL;
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (free_text);
  hid_t handle = H5Gopen2 (parent, group, H5P_DEFAULT);
  gboolean ok = handle >= 0 && rows != NULL;
  for (guint c = 0; ok && c < schema->n_columns; c++)
    ok = column_read (handle, &schema->columns[c], first, n, rows, schema->row_size, texts);
  if (handle >= 0)
    H5Gclose (handle);
  if (!ok)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "table '%s' cannot be read, expected a file that Firstlight wrote", group);
      return NULL;
    }
  for (gsize i = 0; i < n; i++)
    fl_batch_append (batch, rows + i * schema->row_size);
  return g_steal_pointer (&batch);
}

guint64 *
fl_table_read_u64 (hid_t parent, const char *dataset, guint64 first, gsize n, GError **error)
{
  hid_t handle = H5Dopen2 (parent, dataset, H5P_DEFAULT);
  gboolean held = handle >= 0 && n < G_MAXUINT32 && has_rows (handle, first, n);
  g_autofree guint64 *values = held ? g_try_new0 (guint64, n + 1) : NULL;
  gboolean ok = values != NULL && rows_read (handle, H5T_NATIVE_UINT64, first, n, values);
  if (handle >= 0)
    H5Dclose (handle);
  if (ok)
    return g_steal_pointer (&values);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "table '%s' cannot be read, expected a file that Firstlight wrote", dataset);
  return NULL;
}

char *
fl_seal_begin (const char *path)
{
  return g_strdup_printf ("%s.%d.part", path, (int) getpid ());
}

static gboolean
sync_path (const char *path, int flags)
{
  int fd = open (path, flags | O_CLOEXEC);
  gboolean ok = fd >= 0 && fsync (fd) == 0;
  if (fd >= 0)
    close (fd);
  return ok;
}

gboolean
fl_seal (const char *temporary, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  if (sync_path (temporary, O_RDONLY) && g_rename (temporary, path) == 0)
    {
      sync_path (folder, O_RDONLY | O_DIRECTORY); /* not every file system can */
      return TRUE;
    }
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be sealed: %s", path, g_strerror (errno));
  g_unlink (temporary);
  return FALSE;
}
