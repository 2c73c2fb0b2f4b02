#include "engine/store/copy.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/store-private.h"

#define MARK         "copying" /* a counter of a store that is not whole yet, or that nobody was told of */
#define BEGUN        1
#define WHOLE        2
#define MARK_OF_COPY "mirror" /* one of a mirror (mirror.c) */
#define ROWS_READ    64       /* of tables with ids; a slice's column is 2 MB at most */
#define BATCH_BYTES  (4u << 20)
#define BATCH_ROWS   4096
#define COMMIT_BYTES (64u << 20)
#define FINGERPRINTS 2

/* --- tables --- */

/* Whose rows are of the moment. */
static gboolean
stays_behind (const char *table)
{
  return strcmp (table, "lease") == 0 || strcmp (table, "presence") == 0;
}

static gboolean
is_mark (const char *counter)
{
  return strcmp (counter, MARK) == 0 || strcmp (counter, MARK_OF_COPY) == 0;
}

typedef struct
{
  const char *name; /* of `tables` */
  GArray *columns;  /* FlDbColumn */
  char *list;       /* "a, b, c" */
  int id;           /* column of the key by which it is read in parts; −1: it has none */
} Table;

static void
table_clear (Table *table)
{
  g_clear_pointer (&table->columns, g_array_unref);
  g_clear_pointer (&table->list, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Table, table_clear)

static gboolean
look_at_table (FlDb *db, const char *name, Table *table, GError **error)
{
  *table = (Table){ .name = name, .columns = fl_db_columns (db, name, error), .id = -1 };
  if (table->columns == NULL)
    return FALSE;
  GString *list = g_string_new (NULL);
  for (guint i = 0; i < table->columns->len; i++)
    {
      const FlDbColumn *column = &g_array_index (table->columns, FlDbColumn, i);
      g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", column->name);
      if (strcmp (column->name, "id") == 0 && column->type == FL_VALUE_INT)
        table->id = (int) i;
    }
  table->list = g_string_free (list, FALSE);
  return TRUE;
}

/* Whoever reads a table: one row; FALSE with error ends it. The values live until the next row. */
typedef gboolean (*RowFunc) (const Table *table, const FlValue *values, gpointer data, GError **error);

/* As it is in every driver: what a driver may not hold is what it means, none. */
static FlValue
value_of (FlQuery *query, int column, int type, GPtrArray *mended)
{
  gsize length = 0;
  const char *bytes;
  double real;
  switch (type)
    {
    case FL_VALUE_INT:
      return FL_INT (fl_query_int (query, column));
    case FL_VALUE_REAL:
      real = fl_query_real (query, column);
      return FL_REAL (isfinite (real) && real != 0 ? real : 0);
    case FL_VALUE_BLOB:
      bytes = fl_query_blob (query, column, &length);
      return FL_BLOB (bytes, length);
    default:
      bytes = fl_query_blob (query, column, &length);
      g_ptr_array_add (mended, g_utf8_make_valid (bytes != NULL ? bytes : "", (gssize) length));
      return FL_TEXT (mended->pdata[mended->len - 1]);
    }
}

/* Rows of a statement; *last is the id of the last one, *rows counts them. */
static gboolean
read_some (FlDb *db, const Table *table, const char *sql, gint64 *last, guint *rows, RowFunc func,
           gpointer data, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autofree FlValue *values = g_new0 (FlValue, table->columns->len);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  FlValue bounds[] = { FL_INT (*last), FL_INT (ROWS_READ) };
  g_autoptr (FlQuery) query = fl_db_query_values (db, sql, bounds, table->id >= 0 ? 2 : 0, error);
  if (query == NULL)
    return FALSE;
  for (*rows = 0; fl_query_next (query, &failed); ++*rows)
    {
      g_ptr_array_set_size (texts, 0);
      for (guint i = 0; i < table->columns->len; i++)
        values[i] = value_of (query, (int) i, g_array_index (table->columns, FlDbColumn, i).type, texts);
      if (table->id >= 0)
        *last = values[table->id].integer;
      else if (strcmp (table->name, "counter") == 0 && is_mark (values[0].data))
        continue;
      if (!func (table, values, data, error))
        return FALSE;
    }
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* Tables with ids in parts, so that no driver holds all of one in memory. */
static gboolean
read_table (FlDb *db, const Table *table, RowFunc func, gpointer data, GError **error)
{
  g_autofree char *sql =
      table->id >= 0
          ? g_strdup_printf ("SELECT %s FROM %s WHERE id > ? ORDER BY id LIMIT ?", table->list, table->name)
          : g_strdup_printf ("SELECT %s FROM %s", table->list, table->name);
  gint64 last = G_MININT64;
  guint rows;
  do
    if (!read_some (db, table, sql, &last, &rows, func, data, error))
      return FALSE;
  while (table->id >= 0 && rows == ROWS_READ);
  return TRUE;
}

/* All that hold content; each with its columns. */
static gboolean
for_tables (FlDb *db, gboolean (*func) (const Table *table, gpointer data, GError **error), gpointer data,
            GError **error)
{
  g_autoptr (GPtrArray) names = fl_db_tables (db, error);
  if (names == NULL)
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    {
      if (stays_behind (names->pdata[i]))
        continue;
      g_auto (Table) table = { 0 };
      if (!look_at_table (db, names->pdata[i], &table, error) || !func (&table, data, error))
        return FALSE;
    }
  return TRUE;
}

/* --- fingerprints --- */

typedef struct
{
  FlDb *db;
  GChecksum *row;
  guint64 sum[FINGERPRINTS]; /* over the rows: the order in which a driver gives them does not matter */
} Fingerprint;

static void
take_number (GChecksum *sum, guint64 value)
{
  value = GUINT64_TO_LE (value);
  g_checksum_update (sum, (const guchar *) &value, sizeof value);
}

static void
take_bytes (GChecksum *sum, gconstpointer bytes, gsize length)
{
  take_number (sum, length);
  if (length > 0)
    g_checksum_update (sum, bytes, (gssize) length);
}

static gboolean
fingerprint_row (const Table *table, const FlValue *values, gpointer data, GError **error G_GNUC_UNUSED)
{
  Fingerprint *print = data;
  g_checksum_reset (print->row);
  take_bytes (print->row, table->name, strlen (table->name));
  for (guint i = 0; i < table->columns->len; i++)
    {
      const FlValue *value = &values[i];
      guint64 bits;
      take_number (print->row, value->type);
      switch (value->type)
        {
        case FL_VALUE_INT:
          take_number (print->row, (guint64) value->integer);
          break;
        case FL_VALUE_REAL:
          memcpy (&bits, &value->real, sizeof bits);
          take_number (print->row, bits);
          break;
        case FL_VALUE_TEXT:
          take_bytes (print->row, value->data, strlen (value->data));
          break;
        case FL_VALUE_BLOB:
          take_bytes (print->row, value->data, value->length);
          break;
        }
    }
  guint64 digest[FINGERPRINTS];
  gsize length = sizeof digest;
  g_checksum_get_digest (print->row, (guint8 *) digest, &length);
  for (guint i = 0; i < FINGERPRINTS; i++)
    print->sum[i] += GUINT64_FROM_LE (digest[i]);
  return TRUE;
}

static gboolean
fingerprint_table (const Table *table, gpointer data, GError **error)
{
  Fingerprint *print = data;
  return read_table (print->db, table, fingerprint_row, print, error);
}

char *
fl_store_fingerprint (FlStore *store, GError **error)
{
  gboolean own = store->depth == 0;
  if (own && !fl_db_begin (store->db, FALSE, error))
    return NULL;
  Fingerprint print = { .db = store->db, .row = g_checksum_new (G_CHECKSUM_MD5) };
  gboolean ok = for_tables (store->db, fingerprint_table, &print, error);
  g_checksum_free (print.row);
  if (own)
    fl_db_rollback (store->db); /* only read */
  return ok ? g_strdup_printf ("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", print.sum[0],
                               print.sum[1])
            : NULL;
}

/* --- the destination --- */

static gboolean
has_counter (FlDb *db, const char *name, gboolean *there, gint64 *value, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (db, SQL (db, COUNTER_READ), error, FL_TEXT (name));
  if (query == NULL)
    return FALSE;
  *there = fl_query_next (query, &failed);
  *value = *there ? fl_query_int (query, 0) : 0;
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* When the experiment was made: tells two of them apart; 0: there is no such record. */
static gboolean
read_created (FlDb *db, gint64 *created, GError **error)
{
  g_autoptr (GError) failed = NULL;
  gboolean has = FALSE;
  *created = 0;
  if (!fl_db_has_table (db, "experiment", &has, error))
    return FALSE;
  if (!has)
    return TRUE;
  g_autoptr (FlQuery) query = fl_db_query_values (db, "SELECT created FROM experiment", NULL, 0, error);
  if (query == NULL)
    return FALSE;
  if (fl_query_next (query, &failed))
    *created = fl_query_int (query, 0);
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* What a copy has left there: begun, or whole and of the same experiment, but nobody was told that it is there. */
static gboolean
is_left_over (FlStore *from, FlDb *to, gboolean *left, GError **error)
{
  gboolean marked = FALSE;
  gint64 mine, theirs, state;
  *left = FALSE;
  if (!has_counter (to, MARK, &marked, &state, error))
    return FALSE;
  *left = marked && state == BEGUN;
  if (!marked || *left)
    return TRUE;
  if (!read_created (from->db, &mine, error) || !read_created (to, &theirs, error))
    return FALSE;
  *left = mine == theirs;
  return TRUE;
}

/* Before anything else is made there, so that whatever a killed copy leaves is known as one. */
static gboolean
mark (FlStore *from, const FlDatabase *to, GError **error)
{
  g_autoptr (FlDb) db = fl_db_open (to, FL_DB_CREATE, error);
  gboolean has = FALSE, left = FALSE;
  if (db == NULL || !fl_db_has_table (db, "counter", &has, error))
    return FALSE;
  if (!has)
    return fl_db_script (db,
                         "CREATE TABLE IF NOT EXISTS counter (name {name} PRIMARY KEY, value {int} NOT NULL)",
                         error)
           && fl_db_exec (db, SQL (db, COUNTER_MAKE), error, FL_TEXT (MARK), FL_INT (BEGUN))
           && fl_db_exec (db, SQL (db, COUNTER_MAKE), error, FL_TEXT ("schema"), FL_INT (0));
  if (!is_left_over (from, db, &left, error))
    return FALSE;
  if (left)
    return fl_db_exec (db, SQL (db, COUNTER_SET), error, FL_INT (BEGUN), FL_TEXT (MARK));
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: holds an experiment already, expected an empty database",
               to->shown);
  return FALSE;
}

static gboolean
clear_table (const Table *table, gpointer data, GError **error)
{
  g_autofree char *sql = strcmp (table->name, "counter") == 0
                             ? g_strdup ("DELETE FROM counter WHERE name <> '" MARK "' AND name <> 'schema'")
                             : g_strdup_printf ("DELETE FROM %s", table->name);
  return fl_db_exec_values (data, sql, NULL, 0, error);
}

/* --- copying --- */

typedef struct
{
  FlStore *from;
  FlDb *to;
  FlCopyFunc func;
  gpointer data;
  guint64 rows, of; /* of this table */
  gsize uncommitted;
  /* What waits to be written. */
  char *insert;
  GArray *values;  /* FlValue, row by row */
  GPtrArray *kept; /* texts and blobs of them */
  gsize bytes;
} Copy;

static gboolean
flush (Copy *copy, const Table *table, GError **error)
{
  guint columns = table->columns->len, rows = copy->values->len / columns;
  if (rows == 0)
    return TRUE;
  if (!fl_db_exec_rows (copy->to, copy->insert, (const FlValue *) copy->values->data, rows, columns, error))
    return FALSE;
  copy->rows += rows;
  copy->uncommitted += copy->bytes;
  copy->bytes = 0;
  g_array_set_size (copy->values, 0);
  g_ptr_array_set_size (copy->kept, 0);
  if (copy->func != NULL)
    copy->func (table->name, copy->rows, copy->of, copy->data);
  if (copy->uncommitted < COMMIT_BYTES)
    return TRUE;
  copy->uncommitted = 0;
  return fl_db_commit (copy->to, error) && fl_db_begin (copy->to, TRUE, error);
}

static gsize
keep (Copy *copy, FlValue *value)
{
  gsize length = value->type == FL_VALUE_TEXT   ? strlen (value->data) + 1
                 : value->type == FL_VALUE_BLOB ? value->length
                                                : 0;
  if (length > 0)
    {
      value->data = g_memdup2 (value->data, length);
      g_ptr_array_add (copy->kept, (gpointer) value->data);
    }
  return sizeof *value + length;
}

static gboolean
copy_row (const Table *table, const FlValue *values, gpointer data, GError **error)
{
  Copy *copy = data;
  if (strcmp (table->name, "counter") == 0 && strcmp (values[0].data, "schema") == 0)
    return TRUE; /* the migrations' own */
  gsize bytes = 0;
  for (guint i = 0; i < table->columns->len; i++)
    bytes += sizeof (FlValue) + (values[i].type == FL_VALUE_BLOB ? values[i].length : 0);
  if (copy->bytes + bytes > BATCH_BYTES && !flush (copy, table, error))
    return FALSE;
  for (guint i = 0; i < table->columns->len; i++)
    {
      FlValue value = values[i];
      copy->bytes += keep (copy, &value);
      g_array_append_val (copy->values, value);
    }
  return copy->values->len < BATCH_ROWS * table->columns->len || flush (copy, table, error);
}

static gboolean
count_rows (FlDb *db, const char *table, guint64 *rows, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("SELECT count(*) FROM %s", table);
  g_autoptr (FlQuery) query = fl_db_query_values (db, sql, NULL, 0, error);
  if (query == NULL || !fl_query_next (query, error))
    return FALSE;
  *rows = (guint64) fl_query_int (query, 0);
  return TRUE;
}

static gboolean
copy_table (const Table *table, gpointer data, GError **error)
{
  Copy *copy = data;
  GString *insert = g_string_new (NULL);
  g_string_printf (insert, "INSERT INTO %s (%s) VALUES (", table->name, table->list);
  for (guint i = 0; i < table->columns->len; i++)
    g_string_append (insert, i == 0 ? "?" : ", ?");
  copy->insert = g_string_free (g_string_append_c (insert, ')'), FALSE);
  copy->values = g_array_new (FALSE, FALSE, sizeof (FlValue));
  copy->kept = g_ptr_array_new_with_free_func (g_free);
  copy->rows = copy->bytes = 0;
  gboolean ok = count_rows (copy->from->db, table->name, &copy->of, error)
                && read_table (copy->from->db, table, copy_row, copy, error) && flush (copy, table, error);
  g_free (copy->insert);
  g_array_unref (copy->values);
  g_ptr_array_unref (copy->kept);
  return ok;
}

/* Numbers are never given twice, not even those of what has been removed. */
static gboolean
copy_last_ids (FlDb *from, FlDb *to, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query_values (from, SQL (from, LAST_IDS), NULL, 0, error);
  if (query == NULL)
    return FALSE;
  while (fl_query_next (query, &failed))
    {
      g_autofree char *table = fl_query_text (query, 0);
      if (!fl_db_set_last_id (to, table, fl_query_int (query, 1), error))
        return FALSE;
    }
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

static gboolean
fill (Copy *copy, GError **error)
{
  return for_tables (copy->to, clear_table, copy->to, error)
         && for_tables (copy->from->db, copy_table, copy, error);
}

static gboolean
copy_all (Copy *copy, GError **error)
{
  if (!fl_db_check_references (copy->to, FALSE, error) || !fl_db_begin (copy->to, TRUE, error))
    return FALSE;
  if (!fill (copy, error))
    {
      fl_db_rollback (copy->to);
      return FALSE;
    }
  return fl_db_commit (copy->to, error) && copy_last_ids (copy->from->db, copy->to, error)
         && fl_db_check_references (copy->to, TRUE, error)
         && fl_db_exec (copy->to, SQL (copy->to, COUNTER_SET), error, FL_INT (WHOLE), FL_TEXT (MARK));
}

gboolean
fl_store_copy_marked (FlStore *from, const FlDatabase *to, FlCopyFunc func, gpointer data, GError **error)
{
  if (!mark (from, to, error))
    return FALSE;
  g_autoptr (FlStore) store = fl_store_open_database (fl_database_copy (to), FL_STORE_CREATE, error);
  if (store == NULL)
    return FALSE;
  gboolean own = from->depth == 0;
  if (own && !fl_db_begin (from->db, FALSE, error))
    return FALSE;
  Copy copy = { .from = from, .to = store->db, .func = func, .data = data };
  gboolean ok = copy_all (&copy, error);
  if (own)
    fl_db_rollback (from->db); /* only read */
  return ok;
}

gboolean
fl_store_copy_unmark (const FlDatabase *to, GError **error)
{
  g_autoptr (FlDb) db = fl_db_open (to, FL_DB_WRITE, error);
  return db != NULL && fl_db_exec_values (db, "DELETE FROM counter WHERE name = '" MARK "'", NULL, 0, error);
}

gboolean
fl_store_copy (FlStore *from, const FlDatabase *to, FlCopyFunc func, gpointer data, GError **error)
{
  return fl_store_copy_marked (from, to, func, data, error) && fl_store_copy_unmark (to, error);
}
