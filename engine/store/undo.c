/* Taking edits back. What an edit did is undone by the same functions that persons' changes go through; those leave the
 * new edit, which names the one that it takes back (FlStore.undoing). */
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/edits.h"
#include "engine/store/fields.h"

#define LOOK_BACK 200 /* edits read at a time */
#define LOOK_MOST 5000

static gboolean
conflict (const FlEdit *edit, const char *why, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_CONFLICT, "%s %s%s%s", fl_table_name (edit->table), edit->name,
               *edit->name != '\0' ? " " : "", why);
  return FALSE;
}

static void
begin_undo (FlStore *store, const FlEdit *edit)
{
  store->undoing = edit->id;
  store->backward = !edit->backward;
}

/* NULL without error: it is not there. */
static gpointer
find_record (FlStore *store, FlTable table, gint64 id, GError **error)
{
  g_autoptr (GError) failed = NULL;
  gpointer record = fl_store_get (store, table, id, &failed);
  if (failed != NULL && !g_error_matches (failed, FL_ERROR, FL_ERROR_MISSING))
    g_propagate_error (error, g_steal_pointer (&failed));
  return record;
}

static gboolean
has_failed (GError **error)
{
  return error != NULL && *error != NULL;
}

/* --- one column --- */

static gboolean
set_back (FlStore *store, const FlEdit *edit, GError **error)
{
  const FlField *field = fl_record_field (edit->table, edit->column);
  gpointer record = find_record (store, edit->table, edit->record, error);
  if (record == NULL)
    return !has_failed (error) && conflict (edit, "has been removed since", error);
  g_autofree char *now = field != NULL ? fl_field_text (field, record) : g_strdup ("");
  fl_record_free (edit->table, record);
  if (field == NULL || strcmp (now, edit->after) != 0)
    return conflict (edit, "has been changed again since", error);
  begin_undo (store, edit);
  if (field->type >= FL_FIELD_TEXT)
    return fl_store_set_text (store, edit->table, edit->record, edit->column, edit->before, error);
  return fl_store_set_int (store, edit->table, edit->record, edit->column,
                           g_ascii_strtoll (edit->before, NULL, 10), error);
}

/* --- records that were removed --- */

static gboolean
put_back (FlStore *store, const FlEdit *edit, GError **error)
{
  FlRecordHead *record = fl_record_of_lines (edit->table, edit->before);
  g_autoptr (GError) failed = NULL;
  if (record == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "edit %" G_GINT64_FORMAT " cannot be read", edit->id);
      return FALSE;
    }
  record->id = edit->record;
  begin_undo (store, edit);
  gboolean ok = fl_store_put_back (store, edit->table, record, &failed);
  fl_record_free (edit->table, record);
  if (ok)
    return TRUE;
  /* Its name is taken, its run is gone, or it is there. */
  if (g_error_matches (failed, FL_ERROR, FL_ERROR_INPUT))
    return conflict (edit, failed->message, error);
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* A run_tag that went with the tag; where its run is gone there is nothing to put back. */
static gboolean
put_back_part (FlStore *store, const FlEdit *part, const FlRunTag *record, GError **error)
{
  gpointer run = find_record (store, FL_TABLE_RUN, record->run, error);
  if (run == NULL)
    return !has_failed (error);
  fl_record_free (FL_TABLE_RUN, run);
  return put_back (store, part, error);
}

/* Those that were removed just before the tag was. */
static gboolean
put_back_parts (FlStore *store, const FlEdit *edit, const GPtrArray *action, GError **error)
{
  guint i = 0;
  while (i < action->len && ((const FlEdit *) action->pdata[i])->id >= edit->id)
    i++;
  for (gboolean with_it = TRUE; with_it && i < action->len; i++)
    {
      const FlEdit *part = action->pdata[i];
      FlRunTag *record = part->table == FL_TABLE_RUN_TAG && part->kind == FL_EDIT_REMOVED
                             ? fl_record_of_lines (FL_TABLE_RUN_TAG, part->before)
                             : NULL;
      with_it = record != NULL && record->tag == edit->record;
      gboolean ok = !with_it || !part->undoable || put_back_part (store, part, record, error);
      fl_record_free (FL_TABLE_RUN_TAG, record);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

/* --- records that were made --- */

/* The edit of the same transaction that made that run_tag, NULL: another has. */
static const FlEdit *
made_with (const GPtrArray *action, gint64 run_tag)
{
  for (guint i = 0; i < action->len; i++)
    {
      const FlEdit *one = action->pdata[i];
      if (one->table == FL_TABLE_RUN_TAG && one->kind == FL_EDIT_MADE && one->record == run_tag)
        return one;
    }
  return NULL;
}

static gboolean
take_away (FlStore *store, const FlEdit *edit, GError **error)
{
  begin_undo (store, edit);
  return fl_store_remove (store, edit->table, edit->record, error);
}

/* The tag from its runs, if it was put on them with its making. */
static gboolean
take_off_runs (FlStore *store, const FlEdit *edit, const GPtrArray *action, GError **error)
{
  g_autoptr (GPtrArray) run_tags = fl_store_list (store, FL_TABLE_RUN_TAG, error);
  if (run_tags == NULL)
    return FALSE;
  for (guint i = 0; i < run_tags->len; i++)
    {
      const FlRunTag *one = run_tags->pdata[i];
      const FlEdit *made = one->tag == edit->record ? made_with (action, one->id) : NULL;
      if (one->tag == edit->record && made == NULL)
        return conflict (edit, "has been put on runs since", error);
      if (made != NULL && !take_away (store, made, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
unmake (FlStore *store, const FlEdit *edit, const GPtrArray *action, GError **error)
{
  gpointer record = find_record (store, edit->table, edit->record, error);
  if (record == NULL)
    return !has_failed (error) && conflict (edit, "has been removed since", error);
  g_autofree char *now = fl_record_lines (edit->table, record);
  fl_record_free (edit->table, record);
  if (strcmp (now, edit->after) != 0)
    return conflict (edit, "has been changed since", error);
  return (edit->table != FL_TABLE_TAG || take_off_runs (store, edit, action, error))
         && take_away (store, edit, error);
}

/* --- an edit --- */

static gboolean
undo_one (FlStore *store, const FlEdit *edit, const GPtrArray *action, GError **error)
{
  if (edit->kind == FL_EDIT_CHANGED)
    return set_back (store, edit, error);
  if (edit->kind == FL_EDIT_MADE)
    return unmake (store, edit, action, error);
  return put_back (store, edit, error)
         && (edit->table != FL_TABLE_TAG || put_back_parts (store, edit, action, error));
}

/* An array of the one. */
static GPtrArray *
read_one (FlStore *store, gint64 id, GError **error)
{
  g_autoptr (GPtrArray) one =
      fl_edits_read (fl_db_query (store->db, SQL (store->db, EDIT_READ), error, FL_INT (id)), error);
  if (one == NULL || one->len == 1)
    return g_steal_pointer (&one);
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no edit %" G_GINT64_FORMAT, store->path, id);
  return NULL;
}

/* All edits of the transaction that `id` was made in, newest first; *edit is that one. */
static GPtrArray *
read_action (FlStore *store, gint64 id, const FlEdit **edit, GError **error)
{
  g_autoptr (GPtrArray) one = read_one (store, id, error);
  if (one == NULL)
    return NULL;
  gint64 first = ((const FlEdit *) one->pdata[0])->action;
  GPtrArray *action = fl_edits_read (
      fl_db_query (store->db, SQL (store->db, EDITS_ACTION), error, FL_INT (first), FL_INT (first)), error);
  for (guint i = 0; action != NULL && i < action->len; i++)
    if (((const FlEdit *) action->pdata[i])->id == id)
      *edit = action->pdata[i];
  return action;
}

static gboolean
undo (FlStore *store, gint64 id, GError **error)
{
  const FlEdit *edit = NULL;
  g_autoptr (GPtrArray) action = read_action (store, id, &edit, error);
  if (action == NULL)
    return FALSE;
  if (edit->undone_by != 0)
    return conflict (edit, "has been taken back already", error);
  if (edit->undoable)
    return undo_one (store, edit, action, error);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "this change of %s %s cannot be taken back: only tags, comments and what is active can",
               fl_table_name (edit->table), edit->name);
  return FALSE;
}

static gboolean
end_undo (FlStore *store, gboolean ok, GError **error)
{
  store->undoing = 0;
  store->backward = FALSE;
  return fl_store_leave (store, ok, error);
}

gboolean
fl_store_undo (FlStore *store, gint64 id, gint64 *edit, GError **error)
{
  if (!fl_store_enter (store, error))
    return FALSE;
  gint64 before = store->action;
  if (!end_undo (store, undo (store, id, error), error))
    return FALSE;
  if (edit != NULL)
    *edit = before == 0 ? store->action : fl_db_last_id (store->db);
  return TRUE;
}

/* --- all that was done at once --- */

static gboolean
undo_action (FlStore *store, gint64 id, GError **error)
{
  const FlEdit *edit = NULL;
  g_autoptr (GPtrArray) action = read_action (store, id, &edit, error);
  gboolean any = FALSE;
  for (guint i = 0; action != NULL && i < action->len; i++)
    {
      /* One that went with another is done. */
      g_autoptr (GPtrArray) one = read_one (store, ((const FlEdit *) action->pdata[i])->id, error);
      const FlEdit *now = one != NULL ? one->pdata[0] : NULL;
      if (now == NULL || (now->undoable && !undo_one (store, now, action, error)))
        return FALSE;
      any |= now->undoable;
    }
  if (action == NULL || any)
    return action != NULL;
  return edit->undone_by != 0 ? conflict (edit, "has been taken back already", error)
                              : undo (store, id, error);
}

gboolean
fl_store_undo_action (FlStore *store, gint64 id, GError **error)
{
  return fl_store_enter (store, error) && end_undo (store, undo_action (store, id, error), error);
}

gint64
fl_store_last_undoable (FlStore *store, GError **error)
{
  gint64 before = 0;
  for (guint seen = 0; seen < LOOK_MOST;)
    {
      g_autoptr (GPtrArray) edits = fl_store_edits (store, before, LOOK_BACK, error);
      for (guint i = 0; edits != NULL && i < edits->len; i++)
        {
          const FlEdit *edit = edits->pdata[i];
          if (edit->undoable && !edit->backward && strcmp (edit->who, store->account) == 0)
            return edit->id;
        }
      if (edits == NULL || edits->len < LOOK_BACK)
        return 0;
      before = ((const FlEdit *) edits->pdata[edits->len - 1])->id;
      seen += edits->len;
    }
  return 0;
}
