/* Reading control records: statements made from the tables of fields, the change feed. */
#include "engine/store/store.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/store/fields.h"
#include "engine/store/store-private.h"

/* --- statements made from the fields --- */

static char *
select_sql (FlTable table, const char *rest)
{
  const FlRecordType *type = fl_record_type (table);
  g_autofree char *columns = fl_record_columns (type, "", ", ");
  return g_strdup_printf ("SELECT id, revision, %s FROM %s %s", columns, type->table, rest);
}

/* --- between struct and row --- */

static gpointer
read_record (FlTable table, FlQuery *query)
{
  const FlRecordType *type = fl_record_type (table);
  FlRecordHead *head = g_malloc0 (type->size);
  head->id = fl_query_int (query, 0);
  head->revision = fl_query_int (query, 1);
  for (guint i = 0; i < type->n_fields; i++)
    {
      gpointer at = (char *) head + type->fields[i].offset;
      int column = (int) i + 2;
      switch (type->fields[i].type)
        {
        case FL_FIELD_I64:
        case FL_FIELD_U64:
          *(gint64 *) at = fl_query_int (query, column);
          break;
        case FL_FIELD_INT:
        case FL_FIELD_U32:
          *(gint32 *) at = (gint32) fl_query_int (query, column);
          break;
        case FL_FIELD_REAL:
          *(double *) at = fl_query_real (query, column);
          break;
        case FL_FIELD_TEXT:
        case FL_FIELD_NAME:
          *(char **) at = fl_query_text (query, column);
          break;
        }
    }
  return head;
}

/* All rows of the statement, which is read to its end. */
static GPtrArray *
read_records (FlStore *store, FlTable table, const char *rest, const FlValue *values, guint n, GError **error)
{
  g_autofree char *sql = select_sql (table, rest);
  g_autoptr (GPtrArray) records = g_ptr_array_new ();
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query_values (store->db, sql, values, n, error);
  if (query == NULL)
    return NULL;
  while (fl_query_next (query, &failed))
    g_ptr_array_add (records, read_record (table, query));
  if (failed == NULL)
    return g_steal_pointer (&records);
  for (guint i = 0; i < records->len; i++)
    fl_record_free (table, records->pdata[i]);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

/* --- reading --- */

gpointer
fl_store_get (FlStore *store, FlTable table, gint64 id, GError **error)
{
  g_autoptr (GPtrArray) records = read_records (store, table, "WHERE id = ?", FL_VALUES (FL_INT (id)), error);
  if (records == NULL)
    return NULL;
  if (records->len == 1)
    return records->pdata[0];
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no %s with number %" G_GINT64_FORMAT, store->path,
               fl_table_name (table), id);
  return NULL;
}

gpointer
fl_store_find (FlStore *store, FlTable table, const char *name, GError **error)
{
  g_return_val_if_fail (fl_record_type (table)->named, NULL);
  g_autoptr (GPtrArray) records =
      read_records (store, table, "WHERE name = ?", FL_VALUES (FL_TEXT (name)), error);
  return records != NULL && records->len == 1 ? records->pdata[0] : NULL;
}

static const GDestroyNotify free_record[FL_TABLE_LAST];

GPtrArray *
fl_store_list (FlStore *store, FlTable table, GError **error)
{
  GPtrArray *records = read_records (store, table, "ORDER BY id", NULL, 0, error);
  if (records != NULL)
    g_ptr_array_set_free_func (records, free_record[table]);
  return records;
}

GPtrArray *
fl_store_list_attempts (FlStore *store, gint64 job, GError **error)
{
  GPtrArray *records = read_records (store, FL_TABLE_ATTEMPT, "WHERE job = ? ORDER BY number",
                                     FL_VALUES (FL_INT (job)), error);
  if (records != NULL)
    g_ptr_array_set_free_func (records, free_record[FL_TABLE_ATTEMPT]);
  return records;
}

#define FREE_FUNC(table)                                                                                     \
  static void free_##table (gpointer record) { fl_record_free (FL_TABLE_##table, record); }
FREE_FUNC (EXPERIMENT)
FREE_FUNC (ROOT)
FREE_FUNC (SITE)
FREE_FUNC (RUN)
FREE_FUNC (TAG)
FREE_FUNC (RUN_TAG)
FREE_FUNC (BLOCK)
FREE_FUNC (TRIAL)
FREE_FUNC (TASK)
FREE_FUNC (DATASET)
FREE_FUNC (DATASET_VERSION)
FREE_FUNC (JOB)
FREE_FUNC (ATTEMPT)
FREE_FUNC (WATCH)
FREE_FUNC (SITE_ROOT)
FREE_FUNC (DATASET_TASK)
FREE_FUNC (VERSION_JOB)
FREE_FUNC (WORKER)
FREE_FUNC (PERSON)
static const GDestroyNotify free_record[FL_TABLE_LAST] = {
  free_EXPERIMENT,      free_ROOT,        free_SITE,    free_RUN,    free_TAG,
  free_RUN_TAG,         free_BLOCK,       free_TRIAL,   free_TASK,   free_DATASET,
  free_DATASET_VERSION, free_JOB,         free_ATTEMPT, free_WATCH,  free_SITE_ROOT,
  free_DATASET_TASK,    free_VERSION_JOB, free_WORKER,  free_PERSON,
};

/* --- change feed --- */

typedef struct
{
  gint64 revision;
  FlChange *change;
} Revised;

static int
compare_revisions (gconstpointer a, gconstpointer b)
{
  gint64 ra = ((const Revised *) a)->revision, rb = ((const Revised *) b)->revision;
  return ra < rb ? -1 : ra > rb;
}

static void
add_change (GArray *found, gint64 revision, FlTable table, gint64 id, gpointer record)
{
  FlChange *change = g_new0 (FlChange, 1);
  *change = (FlChange){ .table = table, .id = id, .removed = record == NULL, .record = record };
  Revised revised = { revision, change };
  g_array_append_val (found, revised);
}

static gboolean
collect_changes (FlStore *store, gint64 since, GArray *found, GError **error)
{
  for (FlTable table = 0; table < FL_TABLE_LAST; table++)
    {
      g_autoptr (GPtrArray) records =
          read_records (store, table, "WHERE revision > ?", FL_VALUES (FL_INT (since)), error);
      if (records == NULL)
        return FALSE;
      for (guint i = 0; i < records->len; i++)
        {
          const FlRecordHead *head = records->pdata[i];
          add_change (found, head->revision, table, head->id, records->pdata[i]);
        }
    }
  if (since == 0)
    return TRUE;
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (store->db, SQL (store->db, TOMBSTONES), error, FL_INT (since));
  if (query == NULL)
    return FALSE;
  while (fl_query_next (query, &failed))
    add_change (found, fl_query_int (query, 0), (FlTable) fl_query_int (query, 1), fl_query_int (query, 2),
                NULL);
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

GPtrArray *
fl_store_changes (FlStore *store, gint64 since, gint64 *revision, GError **error)
{
  gboolean own = store->depth == 0;
  if (own && !fl_db_begin (store->db, FALSE, error))
    return NULL;
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_change_free);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Revised));
  gint64 newest = fl_store_counted (store, "revision", error);
  gboolean ok = newest >= 0 && (newest == since || collect_changes (store, since, found, error));
  if (own)
    fl_db_rollback (store->db); /* only read */
  g_array_sort (found, compare_revisions);
  for (guint i = 0; i < found->len; i++)
    g_ptr_array_add (changes, g_array_index (found, Revised, i).change);
  if (!ok)
    return NULL;
  *revision = newest;
  return g_steal_pointer (&changes);
}
