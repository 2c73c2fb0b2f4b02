#include "engine/store/feed-wire.h"

#include <string.h>

#include "engine/base/hash.h"

/* --- tables --- */

static void
table_free (FlFeedTable *table)
{
  g_free (table->name);
  g_strfreev (table->columns);
  g_free (table->types);
  g_free (table);
}

static gboolean
is_kept_back (const char *name)
{
  static const char *const kept[] = { "counter", "slice_key", "journal", "presence", NULL };
  return g_strv_contains (kept, name);
}

static FlFeedHow
how_followed (const FlFeedTable *table)
{
  const char *const *columns = (const char *const *) table->columns;
  if (strcmp (table->name, "tombstone") == 0)
    return FL_FEED_TOMBSTONES;
  if (strcmp (table->name, "slice") == 0)
    return FL_FEED_SLICES;
  if (strcmp (table->name, "slice_column") == 0)
    return FL_FEED_SLICE_COLUMNS;
  if (!g_strv_contains (columns, "id"))
    return FL_FEED_WHOLE;
  return g_strv_contains (columns, "revision") ? FL_FEED_REVISED : FL_FEED_GROWS;
}

static FlFeedTable *
look_at_table (FlStore *store, const char *name, GError **error)
{
  static const FlFeedType types[] = { [FL_VALUE_INT] = FL_FEED_INT,
                                      [FL_VALUE_REAL] = FL_FEED_REAL,
                                      [FL_VALUE_TEXT] = FL_FEED_TEXT,
                                      [FL_VALUE_BLOB] = FL_FEED_BLOB };
  g_autoptr (GArray) columns = fl_db_columns (store->db, name, error);
  if (columns == NULL)
    return NULL;
  FlFeedTable *table = g_new0 (FlFeedTable, 1);
  table->name = g_strdup (name);
  table->n_columns = columns->len;
  table->columns = g_new0 (char *, columns->len + 1);
  table->types = g_new (FlFeedType, columns->len);
  for (guint i = 0; i < columns->len; i++)
    {
      const FlDbColumn *column = &g_array_index (columns, FlDbColumn, i);
      table->columns[i] = g_strdup (column->name);
      table->types[i] = types[column->type];
    }
  table->how = how_followed (table);
  return table;
}

static int
compare_tables (gconstpointer a, gconstpointer b)
{
  const FlFeedTable *ta = *(const FlFeedTable *const *) a, *tb = *(const FlFeedTable *const *) b;
  return ta->how != tb->how ? (ta->how < tb->how ? -1 : 1) : strcmp (ta->name, tb->name);
}

GPtrArray *
fl_feed_tables (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) names = fl_db_tables (store->db, error);
  g_autoptr (GPtrArray) tables = g_ptr_array_new_with_free_func ((GDestroyNotify) table_free);
  if (names == NULL)
    return NULL;
  for (guint i = 0; i < names->len; i++)
    {
      if (is_kept_back (names->pdata[i]))
        continue;
      FlFeedTable *table = look_at_table (store, names->pdata[i], error);
      if (table == NULL)
        return NULL;
      g_ptr_array_add (tables, table);
    }
  g_ptr_array_sort (tables, compare_tables);
  return g_steal_pointer (&tables);
}

char *
fl_feed_column_list (const FlFeedTable *table)
{
  return g_strjoinv (", ", table->columns);
}

/* --- what they hold --- */

guint64
fl_feed_digest (FlStore *store, const GPtrArray *tables, GError **error)
{
  g_autoptr (GByteArray) rows = g_byte_array_new ();
  for (guint i = 0; i < tables->len; i++)
    {
      const FlFeedTable *table = tables->pdata[i];
      if (table->how != FL_FEED_WHOLE)
        continue;
      g_autofree char *columns = fl_feed_column_list (table);
      g_autofree char *sql = g_strdup_printf ("SELECT %s FROM %s ORDER BY 1", columns, table->name);
      g_autoptr (GError) failed = NULL;
      g_autoptr (FlQuery) query = fl_db_query_values (store->db, sql, NULL, 0, error);
      if (query == NULL)
        return 0;
      fl_feed_put_text (rows, table->name, strlen (table->name));
      while (fl_query_next (query, &failed))
        fl_feed_put_row (rows, table, query);
      if (failed != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return 0;
        }
    }
  return fl_hash64 (rows->data, rows->len, 0) | 1;
}

gint64
fl_feed_number (FlStore *store, const char *sql, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query_values (store->db, sql, NULL, 0, error);
  if (query == NULL)
    return -1;
  gint64 value = fl_query_next (query, &failed) ? fl_query_int (query, 0) : 0;
  if (failed == NULL)
    return value;
  g_propagate_error (error, g_steal_pointer (&failed));
  return -1;
}

gint64
fl_feed_created (FlStore *store, GError **error)
{
  return fl_feed_number (store, "SELECT created FROM experiment ORDER BY id LIMIT 1", error);
}

/* --- bytes --- */

static void
put_number (GByteArray *out, guint64 value)
{
  guint8 bytes[10];
  guint n = 0;
  for (; value >= 0x80; value >>= 7)
    bytes[n++] = (guint8) (value | 0x80);
  bytes[n++] = (guint8) value;
  g_byte_array_append (out, bytes, n);
}

void
fl_feed_put_int (GByteArray *out, gint64 value)
{
  put_number (out, (guint64) value << 1 ^ (guint64) (value >> 63));
}

void
fl_feed_put_text (GByteArray *out, const void *text, gsize length)
{
  put_number (out, length);
  if (length > 0)
    g_byte_array_append (out, text, (guint) length);
}

static void
put_real (GByteArray *out, double value)
{
  guint64 bits;
  memcpy (&bits, &value, sizeof bits);
  bits = GUINT64_TO_LE (bits);
  g_byte_array_append (out, (const guint8 *) &bits, sizeof bits);
}

void
fl_feed_put_row (GByteArray *out, const FlFeedTable *table, FlQuery *query)
{
  for (guint i = 0; i < table->n_columns; i++)
    {
      gsize length;
      gconstpointer bytes;
      switch (table->types[i])
        {
        case FL_FEED_INT:
          fl_feed_put_int (out, fl_query_int (query, (int) i));
          break;
        case FL_FEED_REAL:
          put_real (out, fl_query_real (query, (int) i));
          break;
        case FL_FEED_TEXT:
        case FL_FEED_BLOB:
          bytes = fl_query_blob (query, (int) i, &length);
          fl_feed_put_text (out, bytes, length);
          break;
        }
    }
}

static const guint8 *
take (FlFeedReader *r, guint64 length)
{
  r->good = r->good && (guint64) (r->end - r->at) >= length;
  if (!r->good)
    return NULL;
  r->at += length;
  return r->at - length;
}

static guint64
take_number (FlFeedReader *r)
{
  guint64 value = 0;
  for (guint shift = 0; shift < 64; shift += 7)
    {
      const guint8 *byte = take (r, 1);
      if (byte == NULL)
        return 0;
      value |= (guint64) (*byte & 0x7f) << shift;
      if (*byte < 0x80)
        return value;
    }
  r->good = FALSE;
  return 0;
}

gint64
fl_feed_take_int (FlFeedReader *r)
{
  guint64 value = take_number (r);
  return (gint64) (value >> 1) ^ -(gint64) (value & 1);
}

guint
fl_feed_take_byte (FlFeedReader *r)
{
  const guint8 *byte = take (r, 1);
  return byte != NULL ? *byte : FL_FEED_END;
}

gconstpointer
fl_feed_take_text (FlFeedReader *r, gsize *length)
{
  guint64 n = take_number (r);
  gconstpointer text = take (r, n);
  *length = text != NULL ? (gsize) n : 0;
  return text != NULL ? text : "";
}

char *
fl_feed_take_string (FlFeedReader *r)
{
  gsize length;
  const char *text = fl_feed_take_text (r, &length);
  return g_utf8_make_valid (text, (gssize) length);
}
