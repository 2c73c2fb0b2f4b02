/* Edits: what persons change, written with the change itself; and in what two versions of a record differ. */
#include <string.h>

#include "engine/store/edits.h"
#include "engine/store/fields.h"
#include "engine/store/store-private.h"

/* --- writing --- */

gboolean
fl_edit_wanted (const FlStore *store)
{
  return store->open && (store->machine != NULL || store->undoing != 0);
}

static char *
run_tag_name (FlStore *store, const FlRunTag *record)
{
  g_autoptr (FlQuery) query = fl_db_query (store->db, SQL (store->db, RUN_TAG_NAME), NULL,
                                           FL_INT (record->run), FL_INT (record->tag));
  if (query == NULL || !fl_query_next (query, NULL))
    return g_strdup ("");
  g_autofree char *run = fl_query_text (query, 0), *tag = fl_query_text (query, 1);
  return g_strdup_printf ("%s: %s", run, tag);
}

static char *
job_name (FlStore *store, const FlJob *job)
{
  FlRun *run = job->run != 0 ? fl_store_get (store, FL_TABLE_RUN, job->run, NULL) : NULL;
  char *name = g_strdup (run != NULL ? run->name : "");
  fl_record_free (FL_TABLE_RUN, run);
  return name;
}

/* What a person calls it; "" when nobody calls it anything. */
static char *
name_of (FlStore *store, FlTable table, gconstpointer record)
{
  if (table == FL_TABLE_RUN_TAG)
    return run_tag_name (store, record);
  if (table == FL_TABLE_JOB)
    return job_name (store, record);
  if (table == FL_TABLE_TRIAL)
    return g_strdup_printf ("%d", ((const FlTrial *) record)->number);
  if (table == FL_TABLE_SITE_ROOT)
    return g_strdup (((const FlSiteRoot *) record)->root);
  return fl_record_type (table)->named ? fl_field_text (fl_record_field (table, "name"), record)
                                       : g_strdup ("");
}

static gboolean
write_edit (FlStore *store, const FlEdit *edit, GError **error)
{
  if (store->time == 0 && !fl_db_now (store->db, &store->time, error))
    return FALSE;
  if (!fl_db_exec (store->db, SQL (store->db, EDIT_ADD), error, FL_INT (store->time),
                   FL_TEXT (store->account), FL_TEXT (store->machine), FL_INT (edit->kind),
                   FL_INT (edit->table), FL_INT (edit->record), FL_TEXT (edit->name), FL_TEXT (edit->column),
                   FL_TEXT (edit->before), FL_TEXT (edit->after), FL_INT (store->undoing),
                   FL_INT (store->backward), FL_INT (store->action)))
    return FALSE;
  if (store->action == 0)
    store->action = fl_db_last_id (store->db);
  return TRUE;
}

gboolean
fl_edit_made (FlStore *store, FlTable table, gint64 id, gconstpointer record, GError **error)
{
  if (!fl_edit_wanted (store))
    return TRUE;
  g_autofree char *name = name_of (store, table, record), *lines = fl_record_lines (table, record);
  const FlEdit edit = { .kind = FL_EDIT_MADE, .table = table, .record = id, .name = name, .after = lines };
  return write_edit (store, &edit, error);
}

gboolean
fl_edit_removed (FlStore *store, FlTable table, gint64 id, GError **error)
{
  if (!fl_edit_wanted (store))
    return TRUE;
  gpointer record = fl_store_get (store, table, id, NULL);
  if (record == NULL)
    return TRUE; /* who removes it says so */
  g_autofree char *name = name_of (store, table, record), *lines = fl_record_lines (table, record);
  const FlEdit edit = {
    .kind = FL_EDIT_REMOVED, .table = table, .record = id, .name = name, .before = lines
  };
  fl_record_free (table, record);
  return write_edit (store, &edit, error);
}

static gboolean
write_change (FlStore *store, FlTable table, gconstpointer record, const char *name, const char *column,
              const char *before, const char *after, GError **error)
{
  g_autofree char *old = fl_edit_text (before), *fresh = fl_edit_text (after);
  const FlEdit edit = { .kind = FL_EDIT_CHANGED,
                        .table = table,
                        .record = ((const FlRecordHead *) record)->id,
                        .name = (char *) name,
                        .column = (char *) column,
                        .before = old,
                        .after = fresh };
  return write_edit (store, &edit, error);
}

gboolean
fl_edit_set (FlStore *store, FlTable table, gconstpointer before, const char *column, const char *after,
             GError **error)
{
  g_autofree char *old = fl_field_text (fl_record_field (table, column), before);
  if (strcmp (old, after) == 0)
    return TRUE;
  g_autofree char *name = name_of (store, table, before);
  return write_change (store, table, before, name, column, old, after, error);
}

gboolean
fl_edit_changed (FlStore *store, FlTable table, gconstpointer before, gconstpointer after, GError **error)
{
  g_autofree char *name = name_of (store, table, before);
  g_autoptr (GPtrArray) differences = fl_record_differences (table, NULL, before, after);
  gboolean ok = TRUE;
  for (guint i = 0; i < differences->len && ok; i++)
    {
      const FlDifference *one = differences->pdata[i];
      ok = write_change (store, table, before, name, one->column, one->mine, one->theirs, error);
    }
  return ok;
}

/* --- reading --- */

static void
edit_free (gpointer data)
{
  FlEdit *edit = data;
  g_free (edit->who);
  g_free (edit->where);
  g_free (edit->name);
  g_free (edit->column);
  g_free (edit->before);
  g_free (edit->after);
  g_free (edit);
}

static gboolean
is_undoable (const FlEdit *edit)
{
  if (edit->undone_by != 0 || strlen (edit->before) > FL_EDIT_LONGEST
      || strlen (edit->after) > FL_EDIT_LONGEST)
    return FALSE;
  switch (edit->kind)
    {
    case FL_EDIT_MADE:
    case FL_EDIT_REMOVED:
      return edit->table == FL_TABLE_TAG || edit->table == FL_TABLE_RUN_TAG;
    case FL_EDIT_CHANGED:
      return edit->table == FL_TABLE_TAG || edit->table == FL_TABLE_RUN_TAG
             || strcmp (edit->column, "comment") == 0 || strcmp (edit->column, "active") == 0;
    case FL_EDIT_SAID:
    default:
      return FALSE;
    }
}

/* In the order of EDIT_COLUMNS. */
static FlEdit *
read_edit (FlQuery *query)
{
  FlEdit *edit = g_new0 (FlEdit, 1);
  gint64 table = fl_query_int (query, 5), action = fl_query_int (query, 13);
  *edit = (FlEdit){ .id = fl_query_int (query, 0),
                    .time = (guint64) fl_query_int (query, 1),
                    .who = fl_query_text (query, 2),
                    .where = fl_query_text (query, 3),
                    .kind = (FlEditKind) fl_query_int (query, 4),
                    .table = (FlTable) CLAMP (table, 0, FL_TABLE_LAST - 1),
                    .record = fl_query_int (query, 6),
                    .name = fl_query_text (query, 7),
                    .column = fl_query_text (query, 8),
                    .before = fl_query_text (query, 9),
                    .after = fl_query_text (query, 10),
                    .undoes = fl_query_int (query, 11),
                    .backward = fl_query_int (query, 12) != 0,
                    .undone_by = fl_query_int (query, 14) };
  edit->action = action != 0 ? action : edit->id;
  edit->undoable = is_undoable (edit);
  return edit;
}

GPtrArray *
fl_edits_read (FlQuery *query, GError **error)
{
  g_autoptr (FlQuery) rows = query;
  g_autoptr (GPtrArray) edits = g_ptr_array_new_with_free_func (edit_free);
  g_autoptr (GError) failed = NULL;
  if (rows == NULL)
    return NULL;
  while (fl_query_next (rows, &failed))
    g_ptr_array_add (edits, read_edit (rows));
  if (failed == NULL)
    return g_steal_pointer (&edits);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

GPtrArray *
fl_store_edits (FlStore *store, gint64 before, guint limit, GError **error)
{
  return fl_edits_read (fl_db_query (store->db, SQL (store->db, EDITS), error,
                                     FL_INT (before > 0 ? before : G_MAXINT64), FL_INT (limit)),
                        error);
}

/* --- two versions of a record --- */

static void
difference_free (gpointer data)
{
  FlDifference *difference = data;
  g_free (difference->base);
  g_free (difference->mine);
  g_free (difference->theirs);
  g_free (difference);
}

GPtrArray *
fl_record_differences (FlTable table, gconstpointer base, gconstpointer mine, gconstpointer theirs)
{
  const FlRecordType *type = fl_record_type (table);
  GPtrArray *differences = g_ptr_array_new_with_free_func (difference_free);
  for (guint i = 0; i < type->n_fields; i++)
    {
      const FlField *field = &type->fields[i];
      FlDifference one = { .column = field->column,
                           .mine = fl_field_text (field, mine),
                           .theirs = fl_field_text (field, theirs) };
      if (strcmp (one.mine, one.theirs) == 0)
        {
          g_free (one.mine);
          g_free (one.theirs);
          continue;
        }
      one.base = base != NULL ? fl_field_text (field, base) : NULL;
      g_ptr_array_add (differences, g_memdup2 (&one, sizeof one));
    }
  return differences;
}
