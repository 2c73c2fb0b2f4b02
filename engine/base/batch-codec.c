/* The encoded form. */
#include <string.h>

#include "engine/base/batch-private.h"
#include "engine/base/error.h"

#define CONSTANT 0x80u /* flag beside the type: one value for all rows */

/* Encoded: u16 kind, u16 number of columns, u32 rows; then a column: u8 type | CONSTANT, u8 length of the name, the
 * name, the values (rows of them, or one). A text value is u32 length and bytes. */

static void
put (GByteArray *out, const void *data, gsize length)
{
  if (length > 0)
    g_byte_array_append (out, data, (guint) length);
}

static void
put_text (GByteArray *out, const char *text)
{
  guint32 length = (guint32) strlen (text);
  put (out, &length, sizeof length);
  put (out, text, length);
}

static gboolean
column_is_constant (const GArray *column, FlColumnType type, guint rows)
{
  gsize size = fl_column_sizes[type];
  for (guint i = 1; i < rows; i++)
    {
      gboolean same =
          type == FL_COLUMN_TEXT
              ? strcmp (g_array_index (column, const char *, 0), g_array_index (column, const char *, i)) == 0
              : memcmp (column->data, column->data + i * size, size) == 0;
      if (!same)
        return FALSE;
    }
  return rows > 1;
}

void
fl_batch_encode (const FlBatch *batch, GByteArray *out)
{
  guint16 kind = (guint16) batch->schema->kind, n_columns = (guint16) batch->schema->n_columns;
  guint32 rows = batch->rows;
  put (out, &kind, sizeof kind);
  put (out, &n_columns, sizeof n_columns);
  put (out, &rows, sizeof rows);
  for (guint c = 0; c < n_columns; c++)
    {
      const FlColumn *column = &batch->schema->columns[c];
      const GArray *values = batch->columns[c];
      gboolean constant = column_is_constant (values, column->type, rows);
      guint8 type = (guint8) (column->type | (constant ? CONSTANT : 0u));
      guint8 name_length = (guint8) strlen (column->name);
      guint stored = constant ? 1 : rows;
      put (out, &type, 1);
      put (out, &name_length, 1);
      put (out, column->name, name_length);
      if (column->type == FL_COLUMN_TEXT)
        for (guint i = 0; i < stored; i++)
          put_text (out, g_array_index (values, const char *, i));
      else
        put (out, values->data, stored * fl_column_sizes[column->type]);
    }
}

typedef struct
{
  const guint8 *p;
  gsize left;
} Cursor;

static gboolean
take (Cursor *cursor, void *to, gsize length)
{
  if (cursor->left < length)
    return FALSE;
  if (to != NULL && length > 0)
    memcpy (to, cursor->p, length);
  cursor->p += length;
  cursor->left -= length;
  return TRUE;
}

/* Reads one text into the batch's chunk; NULL at the end of the bytes. */
static const char *
take_text (Cursor *cursor, GStringChunk *texts)
{
  guint32 length;
  if (!take (cursor, &length, sizeof length) || cursor->left < length)
    return NULL;
  const char *text = g_string_chunk_insert_len (texts, (const char *) cursor->p, length);
  take (cursor, NULL, length);
  return text;
}

static int
find_column (const FlSchema *schema, const char *name, gsize length, FlColumnType type)
{
  for (guint c = 0; c < schema->n_columns; c++)
    if (strlen (schema->columns[c].name) == length && memcmp (schema->columns[c].name, name, length) == 0
        && schema->columns[c].type == type)
      return (int) c;
  return -1;
}

/* Reads one column's values into `values` (NULL: a column that we do not know, skipped). */
static gboolean
take_column (Cursor *cursor, FlColumnType type, gboolean constant, guint rows, GArray *values,
             GStringChunk *texts)
{
  guint stored = constant ? MIN (rows, 1u) : rows;
  gsize size = fl_column_sizes[type];
  if (type == FL_COLUMN_TEXT)
    {
      for (guint i = 0; i < stored; i++)
        {
          const char *text = take_text (cursor, texts);
          if (text == NULL)
            return FALSE;
          for (guint k = 0; values != NULL && k < (constant ? rows : 1); k++)
            g_array_append_vals (values, &text, 1);
        }
      return TRUE;
    }
  if (cursor->left / size < stored)
    return FALSE;
  if (values != NULL && constant)
    for (guint k = 0; k < rows; k++)
      g_array_append_vals (values, cursor->p, 1);
  else if (values != NULL && stored > 0)
    g_array_append_vals (values, cursor->p, stored);
  return take (cursor, NULL, stored * size);
}

/* Rows that no frame of ours comes near, so that a damaged count cannot ask for all memory. */
#define MAX_ROWS (1u << 20)

FlBatch *
fl_batch_decode (const void *data, gsize length, GError **error)
{
  Cursor cursor = { data, length };
  guint16 kind, n_columns;
  guint32 rows;
  if (!take (&cursor, &kind, 2) || !take (&cursor, &n_columns, 2) || !take (&cursor, &rows, 4)
      || fl_schema (kind) == NULL || rows > MAX_ROWS)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "not a batch of records: %" G_GSIZE_FORMAT " bytes",
                   length);
      return NULL;
    }
  g_autoptr (FlBatch) batch = fl_batch_new (kind);
  batch->rows = rows;
  for (guint i = 0; i < n_columns; i++)
    {
      guint8 type, name_length;
      if (!take (&cursor, &type, 1) || !take (&cursor, &name_length, 1) || cursor.left < name_length
          || (type & ~CONSTANT) > FL_COLUMN_I16)
        goto damaged;
      gboolean constant = (type & CONSTANT) != 0;
      FlColumnType plain = type & ~CONSTANT;
      int c = find_column (batch->schema, (const char *) cursor.p, name_length, plain);
      take (&cursor, NULL, name_length);
      GArray *values = c >= 0 && batch->columns[c]->len == 0 ? batch->columns[c] : NULL;
      if (!take_column (&cursor, plain, constant, rows, values, batch->texts))
        goto damaged;
    }
  for (guint c = 0; c < batch->schema->n_columns; c++)
    if (batch->columns[c]->len < rows)
      {
        g_array_set_size (batch->columns[c], rows);
        if (batch->schema->columns[c].type == FL_COLUMN_TEXT)
          for (guint i = 0; i < rows; i++)
            g_array_index (batch->columns[c], const char *, i) =
                g_string_chunk_insert_const (batch->texts, "");
      }
  return g_steal_pointer (&batch);

damaged:
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "a batch of %s records ends early or is damaged",
               batch->schema->name);
  return NULL;
}
