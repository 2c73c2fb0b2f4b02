/* What people did, and its undoing. */
#include "tests/store/people-fixture.h"

#include <string.h>

#include "engine/base/error.h"

/* --- edits --- */

static void
assert_edit (const GPtrArray *all, guint which, FlEditKind kind, const char *name, const char *column,
             const char *before, const char *after)
{
  g_assert_cmpuint (which, <, all->len);
  const FlEdit *edit = all->pdata[which];
  g_assert_cmpint (edit->kind, ==, kind);
  g_assert_cmpstr (edit->name, ==, name);
  g_assert_cmpstr (edit->column, ==, column);
  g_assert_cmpstr (edit->before, ==, before);
  g_assert_cmpstr (edit->after, ==, after);
  g_assert_cmpstr (edit->where, ==, "hall");
}

static void
test_edits (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  gint64 run = add_run (store, "r0001", "complete");
  fl_store_act_for_person (store, "hall");
  g_autoptr (GPtrArray) none = edits (store, 0, 100);
  g_assert_cmpuint (none->len, ==, 0); /* nobody acted */
  FlTag tag = { .name = (char *) "good=\nbad\\n", .comment = (char *) "two\nlines" };
  g_assert_false (fl_store_save (store, FL_TABLE_TAG, &tag, &error)); /* a name has no line breaks */
  g_clear_error (&error);
  tag.name = (char *) "good=\\n";
  save (store, FL_TABLE_TAG, &tag);
  FlRunTag put = { .run = run, .tag = tag.id };
  save (store, FL_TABLE_RUN_TAG, &put);
  tag.colour = (char *) "#ff0000";
  tag.persistent = TRUE;
  save (store, FL_TABLE_TAG, &tag);
  save (store, FL_TABLE_TAG, &tag); /* nothing has changed: no edit */
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, run, "comment", "nice", &error));
  g_assert_true (fl_store_remove (store, FL_TABLE_TAG, tag.id, &error));
  g_autoptr (GPtrArray) all = edits (store, 0, 100);
  g_assert_cmpuint (all->len, ==, 7);
  g_autofree char *put_lines =
      g_strdup_printf ("run=%" G_GINT64_FORMAT "\ntag=%" G_GINT64_FORMAT, run, tag.id);
  assert_edit (all, 6, FL_EDIT_MADE, "good=\\n", "", "",
               "name=good=\\\\n\ncomment=two\\nlines\ncolour=\npersistent=0");
  assert_edit (all, 5, FL_EDIT_MADE, "r0001: good=\\n", "", "", put_lines);
  assert_edit (all, 4, FL_EDIT_CHANGED, "good=\\n", "colour", "", "#ff0000");
  assert_edit (all, 3, FL_EDIT_CHANGED, "good=\\n", "persistent", "0", "1");
  assert_edit (all, 2, FL_EDIT_CHANGED, "r0001", "comment", "", "nice");
  assert_edit (all, 1, FL_EDIT_REMOVED, "r0001: good=\\n", "", put_lines, "");
  assert_edit (all, 0, FL_EDIT_REMOVED, "good=\\n", "",
               "name=good=\\\\n\ncomment=two\\nlines\ncolour=#ff0000\npersistent=1", "");
  const FlEdit *first = all->pdata[4], *second = all->pdata[3], *part = all->pdata[1], *whole = all->pdata[0];
  g_assert_cmpint (first->action, ==, first->id);
  g_assert_cmpint (second->action, ==, first->id);
  g_assert_cmpint (whole->action, ==, part->action);
  g_assert_cmpint (whole->action, !=, first->action);
  g_assert_cmpint (whole->record, ==, tag.id);
  g_assert_cmpint (whole->table, ==, FL_TABLE_TAG);
  g_assert_cmpstr (whole->who, ==, fl_store_account (store));
  g_assert_cmpuint (whole->time, >=, first->time);
  g_assert_cmpuint (whole->time, >, fl_now_ns () - 600 * FL_NS_PER_S);
  /* Pages. */
  g_autoptr (GPtrArray) some = edits (store, second->id, 2);
  g_assert_cmpuint (some->len, ==, 2);
  g_assert_cmpint (((FlEdit *) some->pdata[0])->id, ==, first->id);
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
}

static void
test_long (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  gint64 run = add_run (store, "r0001", "complete");
  fl_store_act_for_person (store, "hall");
  g_autofree char *fits = g_strnfill (FL_EDIT_LONGEST, 'x');
  g_autoptr (GString) longer = g_string_new ("y");
  while (longer->len < 3 * FL_EDIT_LONGEST)
    g_string_append (longer, "光");
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, run, "comment", fits, &error));
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, run, "comment", longer->str, &error));
  g_autoptr (GPtrArray) all = edits (store, 0, 10);
  const FlEdit *cut = all->pdata[0], *whole = all->pdata[1];
  g_assert_cmpstr (whole->after, ==, fits);
  g_assert_true (whole->undoable);
  g_assert_true (g_utf8_validate (cut->after, -1, NULL));
  g_assert_true (g_str_has_prefix (cut->after, "y光光") && strlen (cut->after) < FL_EDIT_LONGEST + 100);
  g_assert_true (g_str_has_suffix (cut->after, "196609 bytes in all"));
  g_assert_false (cut->undoable);
  g_assert_false (fl_store_undo (store, cut->id, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  FlRun *now = fl_store_get (store, FL_TABLE_RUN, run, NULL);
  g_assert_cmpstr (now->comment, ==, longer->str);
  fl_record_free (FL_TABLE_RUN, now);
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
}

/* --- undo --- */

static void
refuse_undo (FlStore *store, gint64 id, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (fl_store_undo (store, id, NULL, &error));
  g_assert_error (error, FL_ERROR, code);
  if (strstr (error->message, words) == NULL)
    g_error ("'%s' does not say '%s'", error->message, words);
  g_assert_null (strchr (error->message, '\n'));
}

static void
test_undo_tag (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  gint64 kept = add_run (store, "r1", "complete"), gone = add_run (store, "r2", "complete");
  FlTag tag = { .name = (char *) "'; DROP TABLE run; --", .comment = (char *) "a\n\\b", .persistent = TRUE };
  save (store, FL_TABLE_TAG, &tag);
  FlRunTag on[] = { { .run = kept, .tag = tag.id }, { .run = gone, .tag = tag.id } };
  save (store, FL_TABLE_RUN_TAG, &on[0]);
  save (store, FL_TABLE_RUN_TAG, &on[1]);
  fl_store_act_for_person (store, "hall");
  g_assert_true (fl_store_remove (store, FL_TABLE_TAG, tag.id, &error));
  gint64 removal = newest (store), again = 0;
  g_assert_true (fl_store_remove (store, FL_TABLE_RUN, gone, &error));
  g_assert_true (fl_store_undo (store, removal, &again, &error));
  FlTag *back = fl_store_get (store, FL_TABLE_TAG, tag.id, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (back->name, ==, tag.name);
  g_assert_cmpstr (back->comment, ==, tag.comment);
  g_assert_true (back->persistent);
  g_assert_cmpint (back->revision, >, tag.revision);
  fl_record_free (FL_TABLE_TAG, back);
  g_autoptr (GPtrArray) run_tags = fl_store_list (store, FL_TABLE_RUN_TAG, NULL);
  g_assert_cmpuint (run_tags->len, ==, 1); /* as far as their runs exist */
  g_assert_cmpint (((FlRunTag *) run_tags->pdata[0])->id, ==, on[0].id);
  refuse_undo (store, removal, FL_ERROR_CONFLICT, "taken back already");
  /* Done again, and taken back again. */
  undo (store, again);
  g_assert_cmpuint (count (store, FL_TABLE_TAG), ==, 0);
  g_assert_cmpuint (count (store, FL_TABLE_RUN_TAG), ==, 0);
  undo (store, newest (store));
  g_assert_cmpuint (count (store, FL_TABLE_TAG), ==, 1);
  g_assert_cmpuint (count (store, FL_TABLE_RUN_TAG), ==, 1);
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
}

static void
test_undo_refused (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE),
                      other = open_store (folder, FL_STORE_WRITE);
  g_autoptr (GError) error = NULL;
  gint64 run = add_run (store, "r1", "complete"), trial = add_trial (store, 1);
  fl_store_act_for_person (store, "hall");
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, run, "comment", "mine", &error));
  gint64 comment = newest (store);
  g_assert_cmpint (fl_store_last_undoable (store, &error), ==, comment);
  g_assert_true (fl_store_set_text (other, FL_TABLE_RUN, run, "comment", "theirs", &error));
  refuse_undo (store, comment, FL_ERROR_CONFLICT, "run r1 has been changed again since");
  g_assert_true (fl_store_set_text (other, FL_TABLE_RUN, run, "comment", "mine", &error));
  undo (store, comment);
  g_assert_cmpint (fl_store_last_undoable (store, &error), ==, 0);
  /* Made, and then somebody puts it on a run, or changes it. */
  FlTag tag = { .name = (char *) "t" };
  save (store, FL_TABLE_TAG, &tag);
  gint64 made = newest (store);
  FlRunTag put = { .run = run, .tag = tag.id };
  save (other, FL_TABLE_RUN_TAG, &put);
  refuse_undo (store, made, FL_ERROR_CONFLICT, "tag t has been put on runs since");
  g_assert_cmpuint (count (store, FL_TABLE_RUN_TAG), ==, 1);
  g_assert_true (fl_store_remove (other, FL_TABLE_RUN_TAG, put.id, &error));
  g_assert_true (fl_store_set_text (other, FL_TABLE_TAG, tag.id, "comment", "used", &error));
  refuse_undo (store, made, FL_ERROR_CONFLICT, "changed since");
  g_assert_true (fl_store_remove (other, FL_TABLE_TAG, tag.id, &error));
  refuse_undo (store, made, FL_ERROR_CONFLICT, "removed since");
  /* Removed, and its name is taken. */
  tag = (FlTag){ .name = (char *) "u" };
  save (store, FL_TABLE_TAG, &tag);
  g_assert_true (fl_store_remove (store, FL_TABLE_TAG, tag.id, &error));
  gint64 removed = newest (store);
  tag.id = 0;
  save (other, FL_TABLE_TAG, &tag);
  refuse_undo (store, removed, FL_ERROR_CONFLICT, "there already");
  /* What is not for undoing. */
  g_assert_true (fl_store_set_text (store, FL_TABLE_TRIAL, trial, "name", "x", &error));
  refuse_undo (store, newest (store), FL_ERROR_INPUT, "cannot be taken back");
  refuse_undo (store, 12345, FL_ERROR_MISSING, "12345");
  g_assert_true (fl_store_set_int (store, FL_TABLE_TRIAL, trial, "active", 0, &error));
  undo (store, newest (store));
  FlTrial *now = fl_store_get (store, FL_TABLE_TRIAL, trial, NULL);
  g_assert_true (now->active);
  fl_record_free (FL_TABLE_TRIAL, now);
  fl_store_close (g_steal_pointer (&store));
  fl_store_close (g_steal_pointer (&other));
  remove_folder (folder);
}

/* Rows that no program of ours has written: refused in words, and nothing is made of them. */
static void
test_forged (void)
{
  static const struct
  {
    gint64 kind, table;
    const char *column, *before, *after;
  } bad[] = {
    { FL_EDIT_REMOVED, FL_TABLE_TAG, "", "no lines", "" },
    { FL_EDIT_REMOVED, FL_TABLE_TAG, "", "", "" },
    { FL_EDIT_REMOVED, FL_TABLE_TAG, "", "comment=a tag without a name", "" },
    { FL_EDIT_REMOVED, FL_TABLE_TAG, "", "name=x\nid=7", "" },
    { FL_EDIT_REMOVED, FL_TABLE_RUN_TAG, "", "run=77\ntag=88", "" },
    { FL_EDIT_REMOVED, FL_TABLE_PERSON, "", "name=ana\nrole=2\ncomment=", "" },
    { FL_EDIT_REMOVED, 99, "", "name=ana\nrole=2\ncomment=", "" },
    { FL_EDIT_REMOVED, -99, "", "name=x", "" },
    { FL_EDIT_MADE, FL_TABLE_TAG, "", "", "name=not this one" },
    { FL_EDIT_CHANGED, FL_TABLE_TAG, "id", "9", "1" },
    { FL_EDIT_CHANGED, FL_TABLE_TAG, "name = 'x'; --", "9", "" },
    { FL_EDIT_CHANGED, FL_TABLE_RUN_TAG, "comment", "9", "" },
    { 77, FL_TABLE_TAG, "comment", "9", "" },
  };
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  FlTag tag = { .name = (char *) "t" };
  save (store, FL_TABLE_TAG, &tag);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      fl_db_exec (store->db, SQL (store->db, EDIT_ADD), &error, FL_INT (-1), FL_TEXT ("x"), FL_TEXT ("x"),
                  FL_INT (bad[i].kind), FL_INT (bad[i].table),
                  FL_INT (bad[i].kind == FL_EDIT_REMOVED ? 50 : 1), FL_TEXT ("x"), FL_TEXT (bad[i].column),
                  FL_TEXT (bad[i].before), FL_TEXT (bad[i].after), FL_INT (0), FL_INT (0), FL_INT (0));
      g_assert_no_error (error);
      gint64 id = newest (store);
      g_assert_false (fl_store_undo (store, id, NULL, &error));
      g_assert_nonnull (error);
      g_assert_null (strchr (error->message, '\n'));
      g_assert_false (fl_store_undo_action (store, id, NULL));
    }
  g_assert_cmpuint (count (store, FL_TABLE_TAG), ==, 1);
  g_assert_cmpuint (count (store, FL_TABLE_PERSON), ==, 0);
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
}

/* Whatever was done to tags, comments and what is active: taken back action by action it is as it was; each undoing taken
 * back, it is as it had become. */
static void
test_undo_random (gconstpointer seed)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  FlRandom random = fl_random ((guint64) GPOINTER_TO_UINT (seed));
  prepare_random (store, &random);
  g_autofree char *beginning = undoable_state (store);
  fl_store_act_for_person (store, "hall");
  for (guint i = 0; i < 60; i++)
    change_randomly (store, &random);
  g_autofree char *end = undoable_state (store);
  g_assert_cmpstr (end, !=, beginning);
  g_autoptr (GArray) undone = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (gint64 id; (id = fl_store_last_undoable (store, &error)) != 0;)
    {
      fl_store_undo_action (store, id, &error);
      g_assert_no_error (error);
      gint64 back = newest (store);
      g_array_append_val (undone, back);
    }
  g_assert_no_error (error);
  g_assert_cmpuint (undone->len, >, 20);
  g_autofree char *back = undoable_state (store);
  g_assert_cmpstr (back, ==, beginning);
  for (guint i = undone->len; i > 0; i--)
    {
      fl_store_undo_action (store, g_array_index (undone, gint64, i - 1), &error);
      g_assert_no_error (error);
    }
  g_autofree char *forth = undoable_state (store);
  g_assert_cmpstr (forth, ==, end);
  g_assert_cmpint (fl_store_last_undoable (store, &error), !=,
                   0); /* what was done again can be taken back again */
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/edits/log", test_edits);
  g_test_add_func ("/store/edits/long", test_long);
  g_test_add_func ("/store/edits/undo-tag", test_undo_tag);
  g_test_add_func ("/store/edits/undo-refused", test_undo_refused);
  g_test_add_func ("/store/edits/forged", test_forged);
  for (guint seed = 1; seed <= 6; seed++)
    {
      g_autofree char *name = g_strdup_printf ("/store/edits/undo-random/%u", seed);
      g_test_add_data_func (name, GUINT_TO_POINTER (seed), test_undo_random);
    }
  return g_test_run ();
}
