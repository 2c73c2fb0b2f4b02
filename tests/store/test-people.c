/* People: what a viewer may not do by any function, conflicts, who is here, what far collaborators see of it. */
#include "tests/store/people-fixture.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/store/copy.h"
#include "engine/store/feed.h"
#include "engine/store/ingest.h"
#include "engine/store/mirror.h"

/* --- roles --- */

/* Every function that writes, on the records of `all`. FALSE with the error that the function gave. */
typedef gboolean (*Write) (FlStore *store, const All *all, GError **error);

static gboolean
write_stop (FlStore *store, const All *all, GError **error)
{
  return fl_store_want_stop (store, all->ids[FL_TABLE_JOB], error);
}

static gboolean
write_retry (FlStore *store, const All *all, GError **error)
{
  return fl_store_want_retry (store, all->ids[FL_TABLE_JOB], error);
}

static gboolean
write_job (FlStore *store, const All *all, GError **error)
{
  FlJob job = { .trial = all->ids[FL_TABLE_TRIAL], .run = 77, .task = all->ids[FL_TABLE_TASK] };
  FlJob *made = fl_store_ensure_job (store, &job, NULL, error);
  gboolean ok = made != NULL;
  fl_record_free (FL_TABLE_JOB, made);
  return ok;
}

static gboolean
write_slice (FlStore *store, const All *all, GError **error)
{
  FlShotRow row = make_shot (9, FL_OUTCOME_HIT, 20, 5);
  g_autoptr (GByteArray) bytes = pack_shots (&row, 1);
  return fl_store_add_slice (store, all->ids[FL_TABLE_ATTEMPT], 3, 9, FL_KIND_SHOT, bytes->data, bytes->len,
                             NULL, error);
}

static gboolean
write_compact (FlStore *store, const All *all, GError **error)
{
  return fl_store_compact (store, all->ids[FL_TABLE_ATTEMPT], error);
}

static gboolean
write_lease (FlStore *store, const All *all G_GNUC_UNUSED, GError **error)
{
  gint64 fencing;
  return fl_store_lease (store, "conductor", "me", 10, &fencing, NULL, error);
}

static gboolean
write_release (FlStore *store, const All *all G_GNUC_UNUSED, GError **error)
{
  return fl_store_release (store, "conductor", "me", error);
}

static gboolean
write_bracket (FlStore *store, const All *all G_GNUC_UNUSED, GError **error)
{
  return fl_store_begin (store, error) && fl_store_commit (store, error);
}

static gboolean
write_undo (FlStore *store, const All *all, GError **error)
{
  return fl_store_undo (store, all->edit, NULL, error);
}

static gboolean
write_undo_action (FlStore *store, const All *all, GError **error)
{
  return fl_store_undo_action (store, all->edit, error);
}

static gboolean
write_unchanged (FlStore *store, const All *all, GError **error)
{
  FlTag *tag = fl_store_get (store, FL_TABLE_TAG, all->ids[FL_TABLE_TAG], NULL);
  gboolean ok = fl_store_save_unchanged (store, FL_TABLE_TAG, tag, NULL, error);
  fl_record_free (FL_TABLE_TAG, tag);
  return ok;
}

static gboolean
write_role (FlStore *store, const All *all G_GNUC_UNUSED, GError **error)
{
  return fl_store_set_role (store, fl_store_account (store), FL_ROLE_OWNER, error);
}

static gboolean
write_role_again (FlStore *store, const All *all G_GNUC_UNUSED, GError **error)
{
  return fl_store_set_role (store, "nobody at all", FL_ROLE_LAST,
                            error); /* nothing to do: refused all the same */
}

static const Write writes[] = { write_stop,    write_retry,       write_job,       write_slice,
                                write_undo,    write_undo_action, write_unchanged, write_lease,
                                write_release, write_bracket,     write_role,      write_role_again,
                                write_compact };

static void
assert_denied (gboolean ok, GError **error, const char *words)
{
  g_assert_false (ok);
  g_assert_error (*error, FL_ERROR, FL_ERROR_DENIED);
  if (strstr ((*error)->message, words) == NULL)
    g_error ("'%s' does not say '%s'", (*error)->message, words);
  g_assert_null (strchr ((*error)->message, '\n'));
  g_clear_error (error);
}

static const char *
any_column (FlTable table, gboolean text)
{
  const FlRecordType *type = fl_record_type (table);
  for (guint i = 0; i < type->n_fields; i++)
    if ((type->fields[i].type >= FL_FIELD_TEXT) == text && type->fields[i].type != FL_FIELD_REAL)
      return type->fields[i].column;
  return NULL;
}

static void
try_table (FlStore *store, FlTable table, gint64 id, const char *words)
{
  g_autoptr (GError) error = NULL;
  FlRecordHead *record = fl_store_get (store, table, id, &error);
  g_assert_no_error (error);
  const char *text = any_column (table, TRUE), *number = any_column (table, FALSE);
  assert_denied (fl_store_save (store, table, record, &error), &error, words);
  record->id = 0;
  assert_denied (fl_store_save (store, table, record, &error), &error, words);
  assert_denied (fl_store_remove (store, table, id, &error), &error, words);
  if (text != NULL)
    assert_denied (fl_store_set_text (store, table, id, text, "x", &error), &error, words);
  if (number != NULL)
    assert_denied (fl_store_set_int (store, table, id, number, 1, &error), &error, words);
  fl_record_free (table, record);
}

static void
test_viewer (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  All all;
  make_all (store, &all);
  set_role (store, fl_store_account (store), FL_ROLE_OWNER);
  become (store, "ana");
  g_assert_cmpint (fl_store_role (store), ==, FL_ROLE_VIEWER); /* not named */
  g_autoptr (GError) error = NULL;
  g_autofree char *before = fl_store_fingerprint (store, &error);
  g_assert_no_error (error);
  for (FlTable table = 0; table < FL_TABLE_LAST; table++)
    try_table (store, table, all.ids[table],
               "you are a viewer of this experiment, ana; an owner can change that");
  for (guint i = 0; i < G_N_ELEMENTS (writes); i++)
    assert_denied (writes[i](store, &all, &error), &error, "you are a viewer");
  /* What she may. */
  g_assert_true (fl_store_be_present (store, "s1", "here", "firstlight", "runs", &error));
  g_assert_true (fl_store_go (store, "s1", &error));
  g_autofree char *after = fl_store_fingerprint (store, &error);
  g_assert_cmpstr (after, ==, before);
  /* Named as one, it is the same. */
  FlStore *owner = open_store (folder, FL_STORE_WRITE);
  set_role (owner, "ana", FL_ROLE_VIEWER);
  fl_store_close (owner);
  assert_denied (write_stop (store, &all, &error), &error, "you are a viewer");
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
}

static void
test_operator (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE),
                      boss = open_store (folder, FL_STORE_WRITE);
  g_autoptr (GError) error = NULL;
  All all;
  make_all (store, &all);
  g_autofree char *me = g_strdup (fl_store_account (store));
  set_role (boss, me, FL_ROLE_OWNER);
  set_role (boss, "ana", FL_ROLE_OPERATOR);
  become (store, "ana");
  g_assert_cmpint (fl_store_role (store), ==, FL_ROLE_OPERATOR);
  for (FlTable table = 0; table < FL_TABLE_LAST; table++)
    {
      gpointer record = fl_store_get (store, table, all.ids[table], &error);
      if (table == FL_TABLE_PERSON || table == FL_TABLE_EXPERIMENT)
        try_table (store, table, all.ids[table], "only an owner may change");
      else
        fl_store_save (store, table, record, &error);
      g_assert_no_error (error);
      fl_record_free (table, record);
    }
  for (guint i = 0; i < G_N_ELEMENTS (writes); i++)
    if (writes[i] == write_role || writes[i] == write_role_again)
      assert_denied (writes[i](store, &all, &error), &error, "only an owner may change people");
    else
      {
        writes[i](store, &all, &error);
        g_assert_no_error (error);
        if (writes[i] == write_undo) /* and once more from the other side */
          all.edit = fl_store_last_undoable (boss, NULL);
      }
  /* The next transaction knows what has become of her. */
  set_role (boss, "ana", FL_ROLE_VIEWER);
  assert_denied (write_stop (store, &all, &error), &error, "you are a viewer");
  set_role (boss, "ana", FL_ROLE_OWNER);
  g_assert_true (write_stop (store, &all, &error));
  set_role (store, me, FL_ROLE_VIEWER);
  assert_denied (write_stop (boss, &all, &error), &error, "you are a viewer");
  fl_store_close (g_steal_pointer (&store));
  fl_store_close (g_steal_pointer (&boss));
  remove_folder (folder);
}

static void
refuse_role (FlStore *store, const char *who, FlRole role)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (fl_store_set_role (store, who, role, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_null (strchr (error->message, '\n'));
}

static void
test_owners (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  const char *me = fl_store_account (store);
  g_assert_cmpint (fl_store_role (store), ==, FL_ROLE_OWNER); /* nobody is named */
  refuse_role (store, "ana", FL_ROLE_OPERATOR);
  refuse_role (store, me, FL_ROLE_VIEWER);
  g_assert_cmpuint (count (store, FL_TABLE_PERSON), ==, 0);
  g_assert_cmpint (fl_store_role (store), ==, FL_ROLE_OWNER);
  /* In one transaction the order does not matter. */
  g_assert_true (fl_store_begin (store, &error));
  set_role (store, "ana", FL_ROLE_OPERATOR);
  set_role (store, me, FL_ROLE_OWNER);
  g_assert_true (fl_store_commit (store, &error));
  refuse_role (store, me, FL_ROLE_OPERATOR);
  refuse_role (store, me, FL_ROLE_LAST);
  FlPerson odd = { .name = (char *) "odd", .role = 7 };
  g_assert_false (fl_store_save (store, FL_TABLE_PERSON, &odd, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_clear_error (&error);
  set_role (store, "ana", FL_ROLE_OWNER);
  set_role (store, "ana", FL_ROLE_OWNER);
  set_role (store, "Ana", FL_ROLE_VIEWER); /* another */
  g_assert_cmpuint (count (store, FL_TABLE_PERSON), ==, 3);
  set_role (store, "ana", FL_ROLE_LAST);
  set_role (store, "Ana", FL_ROLE_LAST);
  g_assert_cmpuint (count (store, FL_TABLE_PERSON), ==, 1);
  refuse_role (store, me, FL_ROLE_LAST);
  FlRole role;
  g_assert_true (fl_role_parse ("operator", &role) && role == FL_ROLE_OPERATOR);
  g_assert_false (fl_role_parse ("root", &role) || fl_role_parse (NULL, &role));
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
}

/* --- conflicts --- */

static const FlDifference *
difference (const GPtrArray *all, const char *column)
{
  for (guint i = 0; i < all->len; i++)
    if (strcmp (((FlDifference *) all->pdata[i])->column, column) == 0)
      return all->pdata[i];
  return NULL;
}

static void
test_conflict (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  FlDataset made = { .name = (char *) "all", .expression = (char *) "good", .min_interval = 0.1 };
  save (store, FL_TABLE_DATASET, &made);
  FlDataset *base = fl_store_get (store, FL_TABLE_DATASET, made.id, NULL);
  FlDataset mine = *base, theirs = *base, *now = NULL;
  theirs.comment = (char *) "theirs";
  theirs.min_lattices = 5;
  save (store, FL_TABLE_DATASET, &theirs);
  mine.comment = (char *) "mine";
  mine.min_interval = 0.3;
  g_assert_false (fl_store_save_unchanged (store, FL_TABLE_DATASET, &mine, (gpointer *) &now, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_CONFLICT);
  g_assert_null (strchr (error->message, '\n'));
  g_clear_error (&error);
  g_assert_cmpstr (now->comment, ==, "theirs");
  g_assert_cmpint (now->revision, ==, theirs.revision);
  g_autoptr (GPtrArray) all = fl_record_differences (FL_TABLE_DATASET, base, &mine, now);
  g_assert_cmpuint (all->len, ==, 3);
  const FlDifference *comment = difference (all, "comment"), *interval = difference (all, "min_interval"),
                     *lattices = difference (all, "min_lattices");
  g_assert_cmpstr (comment->base, ==, "");
  g_assert_cmpstr (comment->mine, ==, "mine");
  g_assert_cmpstr (comment->theirs, ==, "theirs");
  g_assert_cmpstr (interval->mine, ==, "0.29999999999999999");
  g_assert_cmpstr (interval->theirs, ==, interval->base);
  g_assert_cmpstr (lattices->mine, ==, lattices->base);
  g_assert_cmpstr (lattices->theirs, ==, "5");
  g_autoptr (GPtrArray) two = fl_record_differences (FL_TABLE_DATASET, NULL, &mine, now);
  g_assert_null (difference (two, "comment")->base);
  /* Overwritten after all. */
  mine.revision = now->revision;
  g_assert_true (fl_store_save_unchanged (store, FL_TABLE_DATASET, &mine, NULL, &error));
  g_assert_true (fl_store_save_unchanged (store, FL_TABLE_DATASET, &mine, NULL, &error));
  fl_record_free (FL_TABLE_DATASET, now);
  now = base; /* is not touched when there is nothing to tell */
  g_assert_true (fl_store_remove (store, FL_TABLE_DATASET, made.id, &error));
  g_assert_false (fl_store_save_unchanged (store, FL_TABLE_DATASET, &mine, (gpointer *) &now, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_assert_null (now);
  fl_record_free (FL_TABLE_DATASET, base);
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
}

/* --- presence --- */

static GPtrArray *
present (FlStore *store)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *here = fl_store_present (store, &error);
  g_assert_no_error (error);
  return here;
}

static void
test_presence (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE),
                      other = open_store (folder, FL_STORE_WRITE),
                      reader = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (GError) error = NULL;
  gint64 revision = 0;
  fl_store_act_for_person (store, "hall");
  set_role (store, fl_store_account (store), FL_ROLE_OWNER);
  g_autoptr (GPtrArray) first = fl_store_changes (store, 0, &revision, &error);
  become (other, "'; DROP TABLE presence; --");
  g_assert_true (fl_store_be_present (store, "a", "hall", "firstlight", "runs", &error));
  g_assert_true (fl_store_be_present (other, "b\n", "\033[31m", "%s%n", "'", &error));
  g_assert_true (fl_store_be_present (reader, "c", "hall", "firstlight", "", &error)); /* does nothing */
  g_autoptr (GPtrArray) here = present (reader);
  g_assert_cmpuint (here->len, ==, 2);
  const FlPresence *a = here->pdata[0], *b = here->pdata[1];
  g_assert_cmpstr (a->session, ==, "a");
  g_assert_cmpstr (a->who, ==, fl_store_account (store));
  g_assert_cmpstr (a->where, ==, "hall");
  g_assert_cmpint (a->role, ==, FL_ROLE_OWNER);
  g_assert_cmpstr (b->who, ==, fl_store_account (other));
  g_assert_cmpint (b->role, ==, FL_ROLE_VIEWER);
  g_assert_cmpstr (b->where, ==, "\033[31m");
  g_usleep (2000);
  g_assert_true (fl_store_be_present (store, "a", "hall", "firstlight", "cells", &error));
  g_autoptr (GPtrArray) later = present (reader);
  const FlPresence *moved = later->pdata[0];
  g_assert_cmpstr (moved->page, ==, "cells");
  g_assert_cmpuint (moved->since, ==, a->since);
  g_assert_cmpuint (moved->seen, >, a->seen);
  /* Neither an edit nor a change of any record. */
  gint64 now = 0;
  g_autoptr (GPtrArray) changes = fl_store_changes (store, revision, &now, &error);
  g_assert_cmpuint (changes->len, ==, 0);
  g_autoptr (GPtrArray) history = edits (store, 0, 100);
  g_assert_cmpuint (history->len, ==, 1); /* the role */
  /* Gone: by saying so, and by silence. */
  g_assert_true (fl_store_go (other, "b\n", &error));
  g_assert_true (fl_db_exec (store->db, "UPDATE presence SET seen = seen - ? WHERE session = ?", &error,
                             FL_INT (31 * (gint64) FL_NS_PER_S), FL_TEXT ("a")));
  g_autoptr (GPtrArray) nobody = present (reader);
  g_assert_cmpuint (nobody->len, ==, 0);
  g_assert_true (fl_store_be_present (store, "a", "hall", "firstlight", "cells", &error));
  g_autoptr (GPtrArray) back = present (reader);
  g_assert_cmpuint (back->len, ==, 1);
  fl_store_close (g_steal_pointer (&store));
  fl_store_close (g_steal_pointer (&other));
  fl_store_close (g_steal_pointer (&reader));
  remove_folder (folder);
}

/* A window hears of others who come, go and turn pages, not of each "still here" where the database can tell. */
static void
test_pulse (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE),
                      other = open_store (folder, FL_STORE_WRITE);
  g_autoptr (GError) error = NULL;
  guint before = fl_store_pulse (store);
  g_assert_true (fl_store_be_present (other, "b", "hall", "firstlight", "runs", &error));
  guint come = fl_store_pulse (store);
  g_assert_cmpuint (come, !=, before);
  g_assert_true (fl_store_be_present (other, "b", "hall", "firstlight", "runs", &error));
  if (on_mysql ())
    g_assert_cmpuint (fl_store_pulse (store), ==, come);
  come = fl_store_pulse (store);
  g_usleep (2000);
  g_assert_true (fl_store_be_present (other, "b", "hall", "firstlight", "cells", &error));
  guint turned = fl_store_pulse (store);
  g_assert_cmpuint (turned, !=, come);
  g_assert_true (fl_store_go (other, "b", &error));
  g_assert_cmpuint (fl_store_pulse (store), !=, turned);
  fl_store_close (g_steal_pointer (&store));
  fl_store_close (g_steal_pointer (&other));
  remove_folder (folder);
}

/* --- far collaborators --- */

static gsize
follow (FlStore *far, FlMirror *mirror)
{
  g_autoptr (GError) error = NULL;
  FlMirrorNews news;
  g_autoptr (GBytes) position = fl_mirror_position (mirror, &error);
  g_assert_no_error (error);
  gsize length;
  const void *bytes = g_bytes_get_data (position, &length);
  g_autoptr (GBytes) batch = fl_feed_collect (far, bytes, length, 1000000, &error);
  g_assert_no_error (error);
  fl_mirror_apply (mirror, batch, &news, &error);
  g_assert_no_error (error);
  g_assert_false (news.more);
  return g_bytes_get_size (batch);
}

/* Whoever follows is a viewer at the far end, and here nobody at all: the copy is kept up all the same. */
static void
test_mirror (void)
{
  SKIP_ON_MYSQL /* the far end's driver is test-mirror's matter */
      g_autofree char *folder = temporary_folder (),
                      *copy = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  fl_store_act_for_person (store, "hall");
  set_role (store, "boss", FL_ROLE_OWNER);
  become (store, "boss");
  g_autoptr (FlStore) far = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (FlMirror) mirror = fl_mirror_open (copy, &error);
  g_assert_no_error (error);
  follow (far, mirror);
  gint64 run = add_run (store, "r1", "complete");
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, run, "comment", "so", &error));
  follow (far, mirror);
  undo (store, newest (store));
  follow (far, mirror);
  set_role (store, "ana", FL_ROLE_OPERATOR);
  follow (far, mirror);
  g_autoptr (FlStore) here = open_store (copy, FL_STORE_READ_ONLY);
  g_autoptr (GPtrArray) there = edits (store, 0, 100), mirrored = edits (here, 0, 100);
  g_assert_cmpuint (mirrored->len, ==, 5);
  g_assert_cmpuint (mirrored->len, ==, there->len);
  for (guint i = 0; i < there->len; i++)
    {
      const FlEdit *a = there->pdata[i], *b = mirrored->pdata[i];
      g_assert_cmpint (a->id, ==, b->id);
      g_assert_cmpint (a->undone_by, ==, b->undone_by);
      g_assert_cmpstr (a->after, ==, b->after);
    }
  g_assert_cmpuint (count (here, FL_TABLE_PERSON), ==, 2);
  /* Who is here at the far end is not sent, again and again. */
  gsize nothing = follow (far, mirror);
  g_assert_true (fl_store_be_present (store, "a", "hall", "firstlight", "runs", &error));
  g_assert_cmpuint (follow (far, mirror), ==, nothing);
  g_autoptr (GPtrArray) nobody = present (here);
  g_assert_cmpuint (nobody->len, ==, 0);
  remove_folder (folder);
  remove_folder (copy);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/people/viewer", test_viewer);
  g_test_add_func ("/store/people/operator", test_operator);
  g_test_add_func ("/store/people/owners", test_owners);
  g_test_add_func ("/store/people/conflict", test_conflict);
  g_test_add_func ("/store/people/presence", test_presence);
  g_test_add_func ("/store/people/pulse", test_pulse);
  g_test_add_func ("/store/people/mirror", test_mirror);
  g_test_add_func ("/store/people/old", test_old);
  return g_test_run ();
}
