#include "engine/results/refl-table.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/results/msgpack.h"
#include "engine/results/table.h"

#define MAGIC "dials::af::reflection_table"

typedef struct
{
  char *type;
  guint64 rows;
  const guint8 *bytes; /* into the file … */
  gsize length;
  GByteArray *own; /* … or of a new table */
} Column;

struct FlReflTable
{
  char *contents; /* of the file */
  guint64 rows;
  GHashTable *columns;     /* name -> Column */
  GPtrArray *names;        /* in the order of their making */
  GHashTable *identifiers; /* gint64 * -> text */
};

/* Bytes of one value; 0: a type that we do not know. */
static gsize
type_size (const char *type)
{
  static const struct
  {
    const char *name;
    gsize size;
  } types[] = { { "bool", 1 },          { "int", 4 },           { "std::size_t", 8 },
                { "double", 8 },        { "vec2<double>", 16 }, { "vec3<double>", 24 },
                { "mat3<double>", 72 }, { "int6", 24 },         { "cctbx::miller::index<>", 12 } };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (strcmp (types[i].name, type) == 0)
      return types[i].size;
  return 0;
}

static void
column_free (gpointer data)
{
  Column *column = data;
  if (column->own != NULL)
    g_byte_array_unref (column->own);
  g_free (column->type);
  g_free (column);
}

FlReflTable *
fl_refl_table_new (void)
{
  FlReflTable *table = g_new0 (FlReflTable, 1);
  table->columns = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, column_free);
  table->names = g_ptr_array_new ();
  table->identifiers = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  return table;
}

void
fl_refl_table_free (FlReflTable *table)
{
  if (table == NULL)
    return;
  g_hash_table_unref (table->columns);
  g_ptr_array_unref (table->names);
  g_hash_table_unref (table->identifiers);
  g_free (table->contents);
  g_free (table);
}

/* --- reading --- */

static gboolean
take_identifiers (FlReflTable *table, FlMsgpack *in)
{
  FlMsgpackItem item;
  if (!fl_msgpack_take (in, &item) || item.kind != FL_MSGPACK_MAP)
    return FALSE;
  for (guint64 n = item.n; n > 0; n--)
    {
      FlMsgpackItem id, text;
      if (!fl_msgpack_take (in, &id) || id.kind != FL_MSGPACK_INT || !fl_msgpack_take (in, &text)
          || text.kind != FL_MSGPACK_BYTES)
        return FALSE;
      g_autofree char *identifier = g_strndup ((const char *) text.bytes, text.n);
      fl_refl_table_identify (table, id.number, identifier);
    }
  return TRUE;
}

static Column *
add_column (FlReflTable *table, const char *name, gsize length)
{
  char *key = g_strndup (name, length);
  Column *column = g_new0 (Column, 1);
  if (g_hash_table_insert (table->columns, key, column)) /* the key is kept */
    g_ptr_array_add (table->names, key);
  return column;
}

/* name: [type, [rows, bytes]] */
static gboolean
take_column (FlReflTable *table, FlMsgpack *in)
{
  FlMsgpackItem name, outer, type, inner, rows, bytes;
  if (!fl_msgpack_take (in, &name) || name.kind != FL_MSGPACK_BYTES || !fl_msgpack_take (in, &outer)
      || outer.kind != FL_MSGPACK_ARRAY || outer.n != 2 || !fl_msgpack_take (in, &type)
      || type.kind != FL_MSGPACK_BYTES || !fl_msgpack_take (in, &inner) || inner.kind != FL_MSGPACK_ARRAY
      || inner.n != 2 || !fl_msgpack_take (in, &rows) || rows.kind != FL_MSGPACK_INT || rows.number < 0)
    return FALSE;
  g_autofree char *type_name = g_strndup ((const char *) type.bytes, type.n);
  gsize size = type_size (type_name);
  if (size == 0) /* shoeboxes, texts: not ours */
    return fl_msgpack_skip (in);
  if (!fl_msgpack_take (in, &bytes) || bytes.kind != FL_MSGPACK_BYTES
      || bytes.n / size != (guint64) rows.number || bytes.n % size != 0)
    return FALSE;
  Column *column = add_column (table, (const char *) name.bytes, name.n);
  column->type = g_steal_pointer (&type_name);
  column->rows = (guint64) rows.number;
  column->bytes = bytes.bytes;
  column->length = bytes.n;
  return TRUE;
}

static gboolean
take_entry (FlReflTable *table, FlMsgpack *in)
{
  FlMsgpackItem key, item;
  if (!fl_msgpack_take (in, &key) || key.kind != FL_MSGPACK_BYTES)
    return FALSE;
  if (fl_msgpack_is (&key, "identifiers"))
    return take_identifiers (table, in);
  if (fl_msgpack_is (&key, "nrows"))
    {
      gboolean ok = fl_msgpack_take (in, &item) && item.kind == FL_MSGPACK_INT && item.number >= 0;
      table->rows = ok ? (guint64) item.number : 0;
      return ok;
    }
  if (!fl_msgpack_is (&key, "data"))
    return fl_msgpack_skip (in);
  if (!fl_msgpack_take (in, &item) || item.kind != FL_MSGPACK_MAP)
    return FALSE;
  gboolean ok = TRUE;
  for (guint64 n = item.n; ok && n > 0; n--)
    ok = take_column (table, in);
  return ok;
}

static gboolean
take_table (FlReflTable *table, FlMsgpack *in)
{
  FlMsgpackItem outer, magic, version, map;
  if (!fl_msgpack_take (in, &outer) || outer.kind != FL_MSGPACK_ARRAY || outer.n != 3
      || !fl_msgpack_take (in, &magic) || !fl_msgpack_is (&magic, MAGIC) || !fl_msgpack_take (in, &version)
      || version.kind != FL_MSGPACK_INT || !fl_msgpack_take (in, &map) || map.kind != FL_MSGPACK_MAP)
    return FALSE;
  gboolean ok = TRUE;
  for (guint64 n = map.n; ok && n > 0; n--)
    ok = take_entry (table, in);
  GHashTableIter iter;
  gpointer column;
  g_hash_table_iter_init (&iter, table->columns);
  while (ok && g_hash_table_iter_next (&iter, NULL, &column))
    ok = ((Column *) column)->rows == table->rows;
  return ok;
}

FlReflTable *
fl_refl_table_read (const char *path, GError **error)
{
  g_autoptr (FlReflTable) table = fl_refl_table_new ();
  g_autoptr (GError) why = NULL;
  gsize length;
  if (!g_file_get_contents (path, &table->contents, &length, &why))
    {
      g_set_error (error, FL_ERROR,
                   g_error_matches (why, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? FL_ERROR_MISSING
                                                                           : FL_ERROR_INPUT,
                   "%s: %s", path, why->message);
      return NULL;
    }
  FlMsgpack in = { (const guint8 *) table->contents, length };
  if (take_table (table, &in))
    return g_steal_pointer (&table);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: is not whole, expected a reflection table of DIALS (.refl)", path);
  return NULL;
}

guint64
fl_refl_table_rows (const FlReflTable *table)
{
  return table->rows;
}

const guint8 *
fl_refl_table_column (const FlReflTable *table, const char *name, const char *type)
{
  const Column *column = g_hash_table_lookup (table->columns, name);
  return column != NULL && strcmp (column->type, type) == 0 ? column->bytes : NULL;
}

const char *
fl_refl_table_name (const FlReflTable *table, guint i)
{
  return i < table->names->len ? table->names->pdata[i] : NULL;
}

guint
fl_refl_table_n_identifiers (const FlReflTable *table)
{
  return g_hash_table_size (table->identifiers);
}

const char *
fl_refl_table_identifier (const FlReflTable *table, gint64 id)
{
  return g_hash_table_lookup (table->identifiers, &id);
}

/* --- writing --- */

void
fl_refl_table_append (FlReflTable *table, const char *name, const char *type, const void *values, gsize bytes)
{
  Column *column = g_hash_table_lookup (table->columns, name);
  if (column == NULL)
    {
      column = add_column (table, name, strlen (name));
      column->type = g_strdup (type);
      column->own = g_byte_array_new ();
    }
  /* what goes beyond is told by the writer */
  if (column->length + bytes < G_MAXUINT32 / 2)
    g_byte_array_append (column->own, values, (guint) bytes);
  column->length += bytes;
  column->rows = column->length / type_size (type);
  column->bytes = column->own->data;
  table->rows = column->rows;
}

void
fl_refl_table_identify (FlReflTable *table, gint64 id, const char *identifier)
{
  gint64 *key = g_new (gint64, 1);
  *key = id;
  g_hash_table_replace (table->identifiers, key, g_strdup (identifier));
}

static void
put_identifiers (const FlReflTable *table, GByteArray *out)
{
  guint n = g_hash_table_size (table->identifiers);
  fl_msgpack_put_map (out, n);
  for (gint64 i = 0; i < n; i++) /* ids count from 0 */
    {
      const char *identifier = g_hash_table_lookup (table->identifiers, &i);
      fl_msgpack_put_int (out, (guint64) i);
      fl_msgpack_put_text (out, identifier != NULL ? identifier : "");
    }
}

static gboolean
write_columns (const FlReflTable *table, FILE *file)
{
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < table->names->len; i++)
    {
      const Column *column = g_hash_table_lookup (table->columns, table->names->pdata[i]);
      g_autoptr (GByteArray) head = g_byte_array_new ();
      fl_msgpack_put_text (head, table->names->pdata[i]);
      fl_msgpack_put_array (head, 2);
      fl_msgpack_put_text (head, column->type);
      fl_msgpack_put_array (head, 2);
      fl_msgpack_put_int (head, column->rows);
      fl_msgpack_put_bytes_head (head, (guint32) column->length);
      ok = fwrite (head->data, 1, head->len, file) == head->len
           && fwrite (column->bytes, 1, column->length, file) == column->length;
    }
  return ok;
}

gboolean
fl_refl_table_write (const FlReflTable *table, const char *path, GError **error)
{
  for (guint i = 0; i < table->names->len; i++)
    if (((const Column *) g_hash_table_lookup (table->columns, table->names->pdata[i]))->length
        >= G_MAXUINT32 / 2)
      {
        g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                     "%s: a column would be of 2 GB or more, expected fewer reflections", path);
        return FALSE;
      }
  g_autoptr (GByteArray) head = g_byte_array_new ();
  fl_msgpack_put_array (head, 3);
  fl_msgpack_put_text (head, MAGIC);
  fl_msgpack_put_int (head, 1);
  fl_msgpack_put_map (head, 3);
  fl_msgpack_put_text (head, "identifiers");
  put_identifiers (table, head);
  fl_msgpack_put_text (head, "nrows");
  fl_msgpack_put_int (head, table->rows);
  fl_msgpack_put_text (head, "data");
  fl_msgpack_put_map (head, table->names->len);
  g_autofree char *temporary = fl_seal_begin (path);
  FILE *file = fopen (temporary, "we");
  gboolean ok =
      file != NULL && fwrite (head->data, 1, head->len, file) == head->len && write_columns (table, file);
  if (file != NULL)
    ok = fclose (file) == 0 && ok;
  if (ok)
    return fl_seal (temporary, path, error);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", path, g_strerror (errno));
  g_unlink (temporary);
  return FALSE;
}
