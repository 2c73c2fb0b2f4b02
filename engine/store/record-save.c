/* Writing control records: what may not go in is refused in words, persons' changes leave edits. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/edits.h"
#include "engine/store/fields.h"
#include "engine/store/store-private.h"
#include "engine/store/store.h"

#define MAX_FIELDS 36

/* --- what may go in --- */

static FlValue
field_value (const FlField *field, gconstpointer record)
{
  gconstpointer at = (const char *) record + field->offset;
  switch (field->type)
    {
    case FL_FIELD_I64:
    case FL_FIELD_U64:
      return FL_INT (*(const gint64 *) at);
    case FL_FIELD_INT:
      return FL_INT (*(const gint32 *) at);
    case FL_FIELD_U32:
      return FL_INT (*(const guint32 *) at);
    case FL_FIELD_REAL:
      return FL_REAL (*(const double *) at);
    case FL_FIELD_TEXT:
    case FL_FIELD_NAME:
      break;
    }
  const char *text = *(char *const *) at;
  return FL_TEXT (text != NULL ? text : "");
}

static gboolean
check_text (FlTable table, const FlField *field, const char *text, GError **error)
{
  const char *name = fl_table_name (table);
  gboolean empty = text == NULL || *text == '\0';
  if (field->type == FL_FIELD_NAME && empty)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "a %s needs a %s", name, field->column);
  else if (!empty && !g_utf8_validate (text, -1, NULL))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the %s of a %s is not UTF-8 text", field->column, name);
  else if (field->type == FL_FIELD_NAME && strpbrk (text, "\n\r\t\v\f\b\033") != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the %s of a %s may not hold line breaks or tabulators",
                 field->column, name);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_record (FlTable table, gconstpointer record, GError **error)
{
  const FlRecordType *type = fl_record_type (table);
  for (guint i = 0; i < type->n_fields; i++)
    if (type->fields[i].type >= FL_FIELD_TEXT)
      {
        FlValue value = field_value (&type->fields[i], record);
        if (!check_text (table, &type->fields[i], value.data, error))
          return FALSE;
      }
  if (table == FL_TABLE_JOB && (guint) ((const FlJob *) record)->state >= FL_JOB_STATE_LAST)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "a job has no state %d", ((const FlJob *) record)->state);
      return FALSE;
    }
  return table != FL_TABLE_PERSON || fl_people_check_role (((const FlPerson *) record)->role, error);
}

/* A constraint's message names the statement's columns: say it in the scientist's words. */
static gboolean
explain_constraint (FlStore *store, FlTable table, gconstpointer record, GError **error)
{
  FlDbBroken broken = fl_db_broken (store->db);
  if (broken == FL_DB_BROKE_NONE)
    return FALSE;
  g_clear_error (error);
  if (broken == FL_DB_BROKE_REFERENCE)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "this %s belongs to something that is not there",
                 fl_table_name (table));
  else if (table == FL_TABLE_TRIAL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "trial %d is there already",
                 ((const FlTrial *) record)->number);
  else if (fl_record_type (table)->named)
    {
      FlValue name = field_value (fl_record_field (table, "name"), record);
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "a %s called '%s' is there already",
                   fl_table_name (table), (const char *) name.data);
    }
  else
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the same %s is there already", fl_table_name (table));
  return FALSE;
}

/* --- writing --- */

/* A trial is immutable, and so is a block's parameter text, once there are jobs of it. */
static gboolean
check_frozen (FlStore *store, FlTable table, gint64 id, const char *params, GError **error)
{
  if (table != FL_TABLE_TRIAL && table != FL_TABLE_BLOCK)
    return TRUE;
  gboolean is_trial = table == FL_TABLE_TRIAL;
  gpointer stored = fl_store_get (store, table, id, error);
  if (stored == NULL)
    return FALSE;
  gboolean same = g_strcmp0 (is_trial ? ((FlTrial *) stored)->params : ((FlBlock *) stored)->params,
                             params != NULL ? params : "")
                  == 0;
  int number = is_trial ? ((FlTrial *) stored)->number : (int) id;
  fl_record_free (table, stored);
  if (same)
    return TRUE;
  g_autoptr (FlQuery) query =
      fl_db_query (store->db, is_trial ? SQL (store->db, JOB_USES_TRIAL) : SQL (store->db, JOB_USES_BLOCK),
                   error, FL_INT (id));
  if (query == NULL)
    return FALSE;
  if (!fl_query_next (query, NULL))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s %d has jobs, its parameters stay as they are; make a new one", fl_table_name (table),
               number);
  return FALSE;
}

/* The next revision and the record's values; `values` has room for two more. */
static gint64
next_values (FlStore *store, FlTable table, gconstpointer record, FlValue *values, GError **error)
{
  const FlRecordType *type = fl_record_type (table);
  g_assert (type->n_fields <= MAX_FIELDS);
  gint64 revision = fl_store_count (store, "revision", error);
  values[0] = FL_INT (revision);
  for (guint i = 0; i < type->n_fields; i++)
    values[i + 1] = field_value (&type->fields[i], record);
  return revision;
}

static gboolean
insert_record (FlStore *store, FlTable table, const FlRecordHead *head, gint64 *id, gint64 *revision,
               GError **error)
{
  const FlRecordType *type = fl_record_type (table);
  FlValue values[MAX_FIELDS + 2];
  g_autofree char *columns = fl_record_columns (type, "", ", ");
  g_autofree char *marks = fl_record_columns (type, "?", ", ");
  g_autofree char *sql =
      g_strdup_printf (head->id == 0 ? "INSERT INTO %s (revision, %s) VALUES (?, %s)"
                                     : "INSERT INTO %s (revision, %s, id) VALUES (?, %s, ?)",
                       type->table, columns, marks);
  *revision = next_values (store, table, head, values, error);
  values[type->n_fields + 1] = FL_INT (head->id);
  if (*revision == 0)
    return FALSE;
  if (!fl_db_exec_values (store->db, sql, values, type->n_fields + (head->id == 0 ? 1 : 2), error))
    return explain_constraint (store, table, head, error);
  *id = head->id == 0 ? fl_db_last_id (store->db) : head->id;
  return fl_edit_made (store, table, *id, head, error);
}

gboolean
fl_store_put_back (FlStore *store, FlTable table, gconstpointer record, GError **error)
{
  gint64 id, revision;
  return check_record (table, record, error) && insert_record (store, table, record, &id, &revision, error);
}

static gboolean
update_record (FlStore *store, FlTable table, const FlRecordHead *head, gint64 *revision, GError **error)
{
  const FlRecordType *type = fl_record_type (table);
  FlValue values[MAX_FIELDS + 2];
  if (table == FL_TABLE_TRIAL || table == FL_TABLE_BLOCK)
    {
      FlValue params = field_value (fl_record_field (table, "params"), head);
      if (!check_frozen (store, table, head->id, params.data, error))
        return FALSE;
    }
  g_autofree char *columns = fl_record_columns (type, "=", ", ");
  g_autofree char *sql =
      g_strdup_printf ("UPDATE %s SET revision = ?, %s WHERE id = ?", type->table, columns);
  *revision = next_values (store, table, head, values, error);
  values[type->n_fields + 1] = FL_INT (head->id);
  if (*revision == 0)
    return FALSE;
  if (!fl_db_exec_values (store->db, sql, values, type->n_fields + 2, error))
    return explain_constraint (store, table, head, error);
  if (fl_db_changed_rows (store->db) == 1)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: this %s has been removed", store->path, type->table);
  return FALSE;
}

/* As it is before a change of which an edit is to tell; NULL without error when none is. */
static gpointer
before_change (FlStore *store, FlTable table, gint64 id, GError **error)
{
  if (!fl_edit_wanted (store))
    return NULL;
  g_autoptr (GError) failed = NULL;
  gpointer record = fl_store_get (store, table, id, &failed);
  if (g_error_matches (failed, FL_ERROR, FL_ERROR_MISSING))
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: this %s has been removed", store->path,
                 fl_table_name (table));
  else if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  return record;
}

static gboolean
save_record (FlStore *store, FlTable table, FlRecordHead *head, gint64 *id, gint64 *revision, GError **error)
{
  if (!fl_people_check (store, table, error))
    return FALSE;
  if (head->id == 0)
    return insert_record (store, table, head, id, revision, error);
  *id = head->id;
  gpointer before = before_change (store, table, head->id, error);
  gboolean ok = (before != NULL || !fl_edit_wanted (store))
                && update_record (store, table, head, revision, error)
                && (before == NULL || fl_edit_changed (store, table, before, head, error));
  fl_record_free (table, before);
  return ok;
}

gboolean
fl_store_save (FlStore *store, FlTable table, gpointer record, GError **error)
{
  FlRecordHead *head = record;
  gint64 id = 0, revision = 0;
  g_autoptr (GError) failed = NULL;
  if (!check_record (table, record, error) || !fl_store_enter (store, error))
    return FALSE;
  if (!fl_store_leave (store, save_record (store, table, head, &id, &revision, &failed), error))
    {
      if (failed != NULL)
        g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  head->id = id;
  head->revision = revision;
  return TRUE;
}

/* As fl_store_save(), when it still is what `record` was read as. */
static gboolean
save_unchanged (FlStore *store, FlTable table, FlRecordHead *head, gpointer *theirs, GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlRecordHead *now = head->id != 0 ? fl_store_get (store, table, head->id, &failed) : NULL;
  if (now == NULL || now->revision == head->revision)
    {
      fl_record_free (table, now);
      if (failed == NULL || g_error_matches (failed, FL_ERROR, FL_ERROR_MISSING))
        return fl_store_save (store, table, head, error); /* says it, if it is gone */
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  *theirs = now;
  g_set_error (error, FL_ERROR, FL_ERROR_CONFLICT, "%s: somebody else has changed this %s meanwhile",
               store->path, fl_table_name (table));
  return FALSE;
}

gboolean
fl_store_save_unchanged (FlStore *store, FlTable table, gpointer record, gpointer *theirs, GError **error)
{
  gpointer now = NULL;
  gboolean ok = fl_store_enter (store, error)
                && fl_store_leave (store, save_unchanged (store, table, record, &now, error), error);
  if (theirs != NULL)
    *theirs = g_steal_pointer (&now);
  fl_record_free (table, now);
  return ok;
}

static gboolean
update_column (FlStore *store, FlTable table, gint64 id, const char *column, FlValue value, GError **error)
{
  const FlField *field = fl_record_field (table, column);
  gboolean is_text = value.type == FL_VALUE_TEXT;
  if (field == NULL || (field->type >= FL_FIELD_TEXT) != is_text || field->type == FL_FIELD_REAL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "a %s has no column '%s' of that type",
                   fl_table_name (table), column);
      return FALSE;
    }
  if (is_text ? !check_text (table, field, value.data, error)
              : table == FL_TABLE_PERSON && !fl_people_check_role (value.integer, error))
    return FALSE;
  if (is_text && strcmp (column, "params") == 0 && !check_frozen (store, table, id, value.data, error))
    return FALSE;
  gint64 revision = fl_store_count (store, "revision", error);
  g_autofree char *sql = g_strdup_printf ("UPDATE %s SET revision = ?, %s = ? WHERE id = ?",
                                          fl_table_name (table), field->column);
  if (revision == 0 || !fl_db_exec (store->db, sql, error, FL_INT (revision), value, FL_INT (id)))
    {
      if (revision > 0 && fl_db_broken (store->db) == FL_DB_BROKE_UNIQUE)
        {
          g_clear_error (error);
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "another %s has this %s already",
                       fl_table_name (table), column);
        }
      return FALSE;
    }
  if (fl_db_changed_rows (store->db) == 1)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: this %s has been removed", store->path,
               fl_table_name (table));
  return FALSE;
}

static gboolean
set_column (FlStore *store, FlTable table, gint64 id, const char *column, FlValue value, GError **error)
{
  if (!fl_people_check (store, table, error))
    return FALSE;
  gpointer before = before_change (store, table, id, error);
  gboolean ok =
      (before != NULL || !fl_edit_wanted (store)) && update_column (store, table, id, column, value, error);
  if (ok && before != NULL)
    {
      g_autofree char *after = value.type == FL_VALUE_TEXT
                                   ? g_strdup (value.data)
                                   : g_strdup_printf ("%" G_GINT64_FORMAT, value.integer);
      ok = fl_edit_set (store, table, before, column, after, error);
    }
  fl_record_free (table, before);
  return ok;
}

gboolean
fl_store_set_text (FlStore *store, FlTable table, gint64 id, const char *column, const char *value,
                   GError **error)
{
  FlValue text = FL_TEXT (value != NULL ? value : "");
  return fl_store_enter (store, error)
         && fl_store_leave (store, set_column (store, table, id, column, text, error), error);
}

gboolean
fl_store_set_int (FlStore *store, FlTable table, gint64 id, const char *column, gint64 value, GError **error)
{
  return fl_store_enter (store, error)
         && fl_store_leave (store, set_column (store, table, id, column, FL_INT (value), error), error);
}

gboolean
fl_store_want_stop (FlStore *store, gint64 job, GError **error)
{
  return fl_store_set_int (store, FL_TABLE_JOB, job, "stop_wanted", 1, error);
}

gboolean
fl_store_want_retry (FlStore *store, gint64 job, GError **error)
{
  return fl_store_set_int (store, FL_TABLE_JOB, job, "retry_wanted", 1, error);
}

/* --- jobs --- */

static FlJob *
find_or_make_job (FlStore *store, const FlJob *identity, gboolean *made, GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlQuery *query = fl_db_query (store->db, SQL (store->db, JOB_FIND), error, FL_INT (identity->trial),
                                FL_INT (identity->block), FL_INT (identity->run), FL_INT (identity->task),
                                FL_INT (identity->dataset), FL_INT (identity->version));
  if (query == NULL)
    return NULL;
  gint64 id = fl_query_next (query, &failed) ? fl_query_int (query, 0) : 0;
  fl_query_done (query);
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return NULL;
    }
  *made = id == 0;
  if (id == 0)
    {
      FlJob job = *identity;
      job.id = 0;
      if (!fl_store_save (store, FL_TABLE_JOB, &job, error))
        return NULL;
      id = job.id;
    }
  return fl_store_get (store, FL_TABLE_JOB, id, error);
}

FlJob *
fl_store_ensure_job (FlStore *store, const FlJob *identity, gboolean *made, GError **error)
{
  gboolean is_new = FALSE;
  if (!fl_store_enter (store, error))
    return NULL;
  FlJob *job = find_or_make_job (store, identity, &is_new, error);
  if (!fl_store_leave (store, job != NULL, error))
    {
      fl_record_free (FL_TABLE_JOB, job);
      return NULL;
    }
  if (made != NULL)
    *made = is_new;
  return job;
}
