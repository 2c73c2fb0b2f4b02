/* Removing control records: what is still used stays, parts go with their whole, a tombstone is left. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/edits.h"
#include "engine/store/store-private.h"
#include "engine/store/store.h"

static gboolean
remove_row (FlStore *store, FlTable table, gint64 id, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("DELETE FROM %s WHERE id = ?", fl_table_name (table));
  if (!fl_edit_removed (store, table, id, error))
    return FALSE;
  if (!fl_db_exec (store->db, sql, error, FL_INT (id)))
    {
      if (fl_db_broken (store->db) == FL_DB_BROKE_REFERENCE)
        {
          g_clear_error (error);
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "this %s is still in use", fl_table_name (table));
        }
      return FALSE;
    }
  if (fl_db_changed_rows (store->db) == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: this %s has been removed already", store->path,
                   fl_table_name (table));
      return FALSE;
    }
  gint64 revision = fl_store_count (store, "revision", error);
  return revision > 0
         && fl_db_exec (store->db, SQL (store->db, TOMBSTONE_ADD), error, FL_INT (revision), FL_INT (table),
                        FL_INT (id));
}

static gboolean
check_unused (FlStore *store, FlTable table, gint64 id, GError **error)
{
  const char *sql = table == FL_TABLE_TRIAL   ? SQL (store->db, JOB_USES_TRIAL)
                    : table == FL_TABLE_BLOCK ? SQL (store->db, JOB_USES_BLOCK)
                    : table == FL_TABLE_RUN   ? SQL (store->db, JOB_USES_RUN)
                    : table == FL_TABLE_TASK  ? SQL (store->db, JOB_USES_TASK)
                    : table == FL_TABLE_SITE  ? SQL (store->db, ATTEMPT_USES_SITE)
                                              : NULL;
  if (sql == NULL)
    return TRUE;
  g_autoptr (FlQuery) query = fl_db_query (store->db, sql, error, FL_INT (id));
  if (query == NULL)
    return FALSE;
  if (!fl_query_next (query, NULL))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "this %s has jobs and cannot be removed",
               fl_table_name (table));
  return FALSE;
}

/* What goes with a record when it is removed. */
typedef struct
{
  FlTable whole, part;
  FlSql find;
} Part;

static const Part parts[] = {
  { FL_TABLE_RUN, FL_TABLE_RUN_TAG, FL_SQL_RUN_TAGS_OF_RUN },
  { FL_TABLE_TAG, FL_TABLE_RUN_TAG, FL_SQL_RUN_TAGS_OF_TAG },
  { FL_TABLE_SITE, FL_TABLE_SITE_ROOT, FL_SQL_ROOTS_OF_SITE },
  { FL_TABLE_SITE, FL_TABLE_WORKER, FL_SQL_WORKERS_OF_SITE },
  { FL_TABLE_DATASET, FL_TABLE_DATASET_TASK, FL_SQL_TASKS_OF_DATASET },
};

static gboolean
remove_parts (FlStore *store, const Part *part, gint64 id, GError **error)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (gint64));
  FlQuery *query = fl_db_query (store->db, fl_db_sql (store->db, part->find), error, FL_INT (id));
  if (query == NULL)
    return FALSE;
  while (fl_query_next (query, NULL))
    {
      gint64 one = fl_query_int (query, 0);
      g_array_append_val (found, one);
    }
  fl_query_done (query);
  for (guint i = 0; i < found->len; i++)
    if (!remove_row (store, part->part, g_array_index (found, gint64, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
remove_record (FlStore *store, FlTable table, gint64 id, GError **error)
{
  if (!fl_people_check (store, table, error) || !check_unused (store, table, id, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i].whole == table && !remove_parts (store, &parts[i], id, error))
      return FALSE;
  return remove_row (store, table, id, error);
}

gboolean
fl_store_remove (FlStore *store, FlTable table, gint64 id, GError **error)
{
  return fl_store_enter (store, error)
         && fl_store_leave (store, remove_record (store, table, id, error), error);
}
