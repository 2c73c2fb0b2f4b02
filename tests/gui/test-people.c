/* Two control rooms on one store: who is here, edits seen by the other, undo, two versions of a record, roles. */
#include <string.h>

#include "engine/base/error.h"
#include "gui/application.h"
#include "gui/block-editor.h"
#include "gui/changed-line.h"
#include "gui/conflict-dialog.h"
#include "gui/edit-words.h"
#include "gui/log-page.h"
#include "gui/people-dialog.h"
#include "gui/people.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

/* A second window on the first one's experiment. */
static Room *
join (Room *first)
{
  Room *second = room_adopt (g_strdup (first->folder), FL_STORE_WRITE, FALSE);
  second->made = FALSE;
  return second;
}

static FlgExperiment *
experiment_of (Room *room)
{
  return flg_context_experiment (room->context);
}

static GtkWidget *
find (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  GtkWidget *found = NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child && !found;
       child = gtk_widget_get_next_sibling (child))
    found = find (child, type);
  return found;
}

static GtkWidget *
find_window (GType type)
{
  GListModel *all = gtk_window_get_toplevels ();
  for (guint i = 0; i < g_list_model_get_n_items (all); i++)
    {
      g_autoptr (GtkWidget) window = g_list_model_get_item (all, i);
      if (G_TYPE_CHECK_INSTANCE_TYPE (window, type))
        return window;
    }
  return NULL;
}

static char *
comment_of (Room *room, gint64 run)
{
  g_autoptr (FlStore) store = room_look (room);
  FlRun *record = fl_store_get (store, FL_TABLE_RUN, run, NULL);
  char *comment = g_strdup (record->comment);
  fl_record_free (FL_TABLE_RUN, record);
  return comment;
}

/* --- who is here --- */

static gboolean
sees_two (gpointer data)
{
  const char *words = flg_people_chip_words (flg_window_people (((Room *) data)->window));
  return words && g_str_has_prefix (words, "2 here: ") && strstr (words, " (you), ");
}

static gboolean
sees_nobody (gpointer data)
{
  return flg_people_chip_words (flg_window_people (((Room *) data)->window)) == NULL;
}

static gboolean
other_looks_at_trials (gpointer data)
{
  Room *room = data;
  GPtrArray *present = flg_experiment_glance (experiment_of (room))->present;
  for (guint i = 0; present && i < present->len; i++)
    {
      const FlPresence *presence = present->pdata[i];
      if (!g_str_equal (presence->session, flg_experiment_session (experiment_of (room)))
          && g_str_equal (presence->page, "trials"))
        return TRUE;
    }
  return FALSE;
}

static void
test_present (void)
{
  Room *first = room_new (2, FL_STORE_WRITE, FALSE);
  room_page (first, "runs");
  g_assert_true (sees_nobody (first));
  Room *second = join (first);
  room_page (second, "runs");
  display_wait (sees_two, second);
  display_wait (sees_two, first);
  room_page (second, "trials");
  display_wait (other_looks_at_trials, first);
  flg_people_chip_popup (flg_window_people (first->window));
  display_wait_drawn (GTK_WIDGET (first->window));
  gtk_popover_popdown (GTK_POPOVER (flg_people_chip_popover (flg_window_people (first->window))));
  room_free (second); /* says that it goes */
  display_wait (sees_nobody, first);
  room_free (first);
}

/* --- edits --- */

typedef struct
{
  Room *room;
  gint64 run;
  const char *comment;
} Comment;

static gboolean
sees_comment (gpointer data)
{
  const Comment *wanted = data;
  return strcmp (flg_experiment_run (experiment_of (wanted->room), wanted->run)->comment, wanted->comment)
         == 0;
}

static void
test_seen_and_undone (void)
{
  Room *first = room_new (4, FL_STORE_WRITE, FALSE), *second = join (first);
  GtkWidget *runs = GTK_WIDGET (room_page (first, "runs"));
  room_page (second, "runs");
  Comment jet = { second, 3, "jet was off" };
  gint64 begun = g_get_monotonic_time ();
  room_do (runs, "runs.comment", "(xs)", G_GINT64_CONSTANT (3), jet.comment);
  display_wait (sees_comment, &jet);
  gint64 took = g_get_monotonic_time () - begun;
  g_test_message ("seen by the other window after %.0f ms", (double) took / 1000);
  g_assert_cmpint (took, <, 3 * G_USEC_PER_SEC); /* 0.5 s of it is the pulse; the machine may be busy */
  /* A tag on three runs is one step back and one forth. */
  GVariant *three = g_variant_new_parsed ("[int64 1, 2, 4]");
  room_do (runs, "runs.select", "@ax", three);
  room_do (runs, "runs.add-tag", "s", "ice");
  room_settle (first);
  g_assert_cmpuint (room_n_tagged (first, "ice"), ==, 3);
  room_do (GTK_WIDGET (first->window), "win.undo", NULL);
  room_settle (first);
  g_assert_cmpuint (room_n_tagged (first, "ice"), ==, 0);
  room_do (GTK_WIDGET (first->window), "win.redo", NULL);
  room_settle (first);
  g_assert_cmpuint (room_n_tagged (first, "ice"), ==, 3);
  /* The Log of the other window: newest first; one line is taken back there. */
  FlgLogPage *log = FLG_LOG_PAGE (room_page (second, "log"));
  room_settle (second);
  room_do (GTK_WIDGET (log), "log.filter", "s", "comment");
  g_assert_cmpuint (flg_log_page_n_shown (log), ==, 1);
  g_autofree char *line = flg_log_page_line (log, 0);
  g_assert_nonnull (strstr (line, "set comment of run r0003: ‘’ → ‘jet was off’"));
  room_do (GTK_WIDGET (log), "log.undo", "x", flg_log_page_edit (log, 0));
  room_settle (second);
  room_settle (second);
  g_autofree char *comment = comment_of (first, 3);
  g_assert_cmpstr (comment, ==, "");
  g_assert_cmpuint (flg_log_page_n_shown (log), ==, 2);
  g_autofree char *undone = flg_log_page_line (log, 1);
  g_assert_true (g_str_has_prefix (undone, "undone: "));
  room_do (GTK_WIDGET (log), "log.person", "s", "nobody of that name");
  room_do (GTK_WIDGET (log), "log.filter", "s", "put tag ice on run r0004");
  g_assert_cmpuint (flg_log_page_n_shown (log), >=, 1);
  room_free (second);
  room_free (first);
}

/* --- two versions --- */

static gboolean
has_conflict (gpointer data)
{
  return find_window (FLG_TYPE_CONFLICT_DIALOG) != NULL;
}

/* The first room's comment is there before the second one's is saved. */
static FlgConflictDialog *
meet (Room *first, Room *second, gint64 run, const char *theirs, const char *mine)
{
  GtkWidget *here = GTK_WIDGET (room_page (first, "runs")), *there = GTK_WIDGET (room_page (second, "runs"));
  Comment seen = { second, run, theirs };
  room_do (there, "runs.begin-comment", "x", run);
  room_do (here, "runs.comment", "(xs)", run, theirs);
  display_wait (sees_comment, &seen);
  room_do (there, "runs.comment", "(xs)", run, mine);
  display_wait (has_conflict, NULL);
  return FLG_CONFLICT_DIALOG (find_window (FLG_TYPE_CONFLICT_DIALOG));
}

static void
assert_comment (Room *room, gint64 run, const char *wanted)
{
  room_settle (room);
  g_autofree char *comment = comment_of (room, run);
  g_assert_cmpstr (comment, ==, wanted);
  g_assert_null (find_window (FLG_TYPE_CONFLICT_DIALOG));
}

static void
test_conflict (void)
{
  Room *first = room_new (3, FL_STORE_WRITE, FALSE), *second = join (first);
  FlgConflictDialog *dialog = meet (first, second, 2, "theirs", "mine");
  g_assert_cmpuint (flg_conflict_dialog_n_fields (dialog), ==, 1);
  g_assert_nonnull (strstr (flg_conflict_dialog_words (dialog), "has changed this run "));
  g_assert_true (flg_conflict_dialog_takes_mine (dialog, "comment"));
  room_do (GTK_WIDGET (dialog), "conflict.back", NULL);
  assert_comment (second, 2, "theirs");
  dialog = meet (first, second, 2, "theirs again", "mine");
  room_do (GTK_WIDGET (dialog), "conflict.theirs", NULL);
  assert_comment (second, 2, "theirs again");
  dialog = meet (first, second, 2, "once more", "mine");
  room_do (GTK_WIDGET (dialog), "conflict.choose", "(sb)", "comment", FALSE);
  room_do (GTK_WIDGET (dialog), "conflict.save", NULL);
  assert_comment (second, 2, "once more");
  dialog = meet (first, second, 2, "and more", "mine");
  room_do (GTK_WIDGET (dialog), "conflict.mine", NULL);
  assert_comment (second, 2, "mine");
  /* What only programs write is no question. */
  GtkWidget *runs = GTK_WIDGET (room_page (second, "runs"));
  room_do (runs, "runs.begin-comment", "x", G_GINT64_CONSTANT (1));
  g_autoptr (FlStore) store = fl_store_open (first->folder, FL_STORE_WRITE, NULL);
  FlRun *grown = fl_store_get (store, FL_TABLE_RUN, 1, NULL);
  grown->bytes += 4096;
  g_assert_true (fl_store_save (store, FL_TABLE_RUN, grown, NULL));
  guint64 bytes = grown->bytes;
  fl_record_free (FL_TABLE_RUN, grown);
  room_do (runs, "runs.comment", "(xs)", G_GINT64_CONSTANT (1), "grows");
  assert_comment (second, 1, "grows");
  grown = fl_store_get (store, FL_TABLE_RUN, 1, NULL);
  g_assert_cmpuint (grown->bytes, ==, bytes);
  fl_record_free (FL_TABLE_RUN, grown);
  room_free (second);
  room_free (first);
}

static gboolean
line_is_shown (gpointer data)
{
  const char *words = flg_changed_line_words (data);
  return words && strstr (words, " changed this ");
}

/* A card that is being typed into stays, says that somebody was there, and asks when it is saved. */
static void
test_block (void)
{
  Room *first = room_new (3, FL_STORE_WRITE, FALSE), *second = join (first);
  FlgRecord *record = flg_record_model_at (flg_experiment_table (experiment_of (first), FL_TABLE_BLOCK), 0);
  gint64 id = flg_record_id (record);
  g_autofree char *name = g_strdup (flg_record_block (record)->name);
  GtkWidget *here = GTK_WIDGET (room_page (first, "trials"));
  GtkWidget *editor = find (GTK_WIDGET (room_page (second, "trials")), FLG_TYPE_BLOCK_EDITOR);
  GtkWidget *card = gtk_widget_get_first_child (editor);
  GtkEditable *last = GTK_EDITABLE (gtk_grid_get_child_at (GTK_GRID (card), 3, 1));
  gtk_editable_set_text (last, "r0002");
  room_do (here, "trials.save-block", "(xssssb)", id, name, "r0001", "", "", TRUE);
  display_wait (line_is_shown, find (card, FLG_TYPE_CHANGED_LINE));
  g_assert_true (gtk_widget_get_first_child (editor) == card);
  g_assert_cmpstr (gtk_editable_get_text (last), ==, "r0002");
  g_signal_emit_by_name (last, "activate");
  display_wait (has_conflict, NULL);
  GtkWidget *dialog = find_window (FLG_TYPE_CONFLICT_DIALOG);
  room_do (dialog, "conflict.mine", NULL);
  room_settle (second);
  g_autoptr (FlStore) store = room_look (first);
  FlBlock *block = fl_store_get (store, FL_TABLE_BLOCK, id, NULL);
  g_assert_cmpstr (block->last_run, ==, "r0002");
  fl_record_free (FL_TABLE_BLOCK, block);
  room_free (second);
  room_free (first);
}

/* --- roles --- */

static gboolean
is_viewer (gpointer data)
{
  Room *room = data;
  return flg_people_chip_shows_role (flg_window_people (room->window))
         && !flg_may_change (experiment_of (room));
}

static gboolean
is_owner (gpointer data)
{
  Room *room = data;
  return !flg_people_chip_shows_role (flg_window_people (room->window)) && flg_may_own (experiment_of (room));
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  GError **error = data;
  g_assert_false (flg_context_write_finish (FLG_CONTEXT (source), result, error));
}

static gpointer
write_comment (FlStore *store, gpointer data, GError **error)
{
  return GINT_TO_POINTER (fl_store_set_text (store, FL_TABLE_RUN, 1, "comment", "no", error));
}

/* The owner is somebody else: nobody but them can give the role back. Here the file itself is changed. */
static void
give_role (Room *room, const char *name, FlRole role)
{
  g_autofree char *code =
      g_strdup_printf ("import sqlite3,sys; c = sqlite3.connect(sys.argv[1] + '/firstlight.sqlite');"
                       "c.execute('UPDATE person SET role = %d WHERE name = ?', (sys.argv[2],)); c.commit()",
                       role);
  const char *argv[] = { "python3", "-c", code, room->folder, name, NULL };
  int status = -1;
  g_assert_true (
      g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
}

static void
test_viewer (void)
{
  Room *room = room_new (3, FL_STORE_WRITE, FALSE);
  GtkWidget *runs = GTK_WIDGET (room_page (room, "runs"));
  room_do (GTK_WIDGET (room->window), "win.people", NULL);
  GtkWidget *dialog = find_window (FLG_TYPE_PEOPLE_DIALOG);
  g_assert_nonnull (
      strstr (flg_people_dialog_words (FLG_PEOPLE_DIALOG (dialog)), "everybody may do everything"));
  room_do (dialog, "people.set-role", "(ss)", "ana", "operator"); /* the first must be an owner */
  room_settle (room);
  g_assert_nonnull (
      strstr (flg_people_dialog_words (FLG_PEOPLE_DIALOG (dialog)), "nobody would be an owner"));
  room_do (dialog, "people.set-role", "(ss)", g_get_user_name (), "owner");
  room_settle (room);
  room_do (dialog, "people.set-role", "(ss)", "ana", "owner");
  room_settle (room);
  g_assert_true (is_owner (room));
  room_do (dialog, "people.set-role", "(ss)", g_get_user_name (), "viewer");
  display_wait (is_viewer, room);
  gtk_window_close (GTK_WINDOW (dialog));
  g_autofree char *refusal = flg_refusal (experiment_of (room));
  g_assert_nonnull (strstr (refusal, "ana"));
  /* Actions are greyed out, whoever activates them; the write itself is refused, here and by the store. */
  room_do (runs, "runs.select", "@ax", g_variant_new_parsed ("[int64 1]"));
  gtk_widget_activate_action (runs, "runs.add-tag", "s", "mine");
  gtk_widget_activate_action (runs, "runs.comment", "(xs)", G_GINT64_CONSTANT (1), "mine");
  GtkWidget *trials = GTK_WIDGET (room_page (room, "trials"));
  gtk_widget_activate_action (trials, "trials.set-active", "(xb)", G_GINT64_CONSTANT (1), FALSE);
  room_settle (room);
  g_assert_cmpuint (room_n_tagged (room, "mine"), ==, 0);
  g_autofree char *comment = comment_of (room, 1);
  g_assert_cmpstr (comment, !=, "mine");
  g_autoptr (GError) error = NULL;
  flg_context_write (room->context, write_comment, NULL, NULL, on_done, &error);
  while (!error)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (error, FL_ERROR, FL_ERROR_DENIED);
  gint64 begun = g_get_monotonic_time ();
  give_role (room, g_get_user_name (), FL_ROLE_OWNER);
  display_wait (is_owner, room);
  g_test_message ("the role was heard after %.0f ms", (double) (g_get_monotonic_time () - begun) / 1000);
  runs = GTK_WIDGET (room_page (room, "runs"));
  room_do (runs, "runs.comment", "(xs)", G_GINT64_CONSTANT (1), "again");
  assert_comment (room, 1, "again");
  room_free (room);
}

/* --- words --- */

static void
test_difference (void)
{
  g_autofree char *text =
      flg_text_difference ("[a]\nx = 1\ny = 2\n[b]\nz = 3\n", "[a]\nx = 1\n[b]\nz = 4\nw = 5\n");
  g_assert_cmpstr (text, ==, "[a]\n− y = 2\n[b]\n− z = 3\n+ z = 4\n+ w = 5");
  g_autofree char *same = flg_text_difference ("a\nb", "a\nb");
  g_assert_cmpstr (same, ==, "");
  g_autofree char *fresh = flg_text_difference (NULL, "a");
  g_assert_cmpstr (fresh, ==, "+ a");
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  flg_load_style ();
  g_test_add_func ("/gui/people/present", test_present);
  g_test_add_func ("/gui/people/seen-and-undone", test_seen_and_undone);
  g_test_add_func ("/gui/people/conflict", test_conflict);
  g_test_add_func ("/gui/people/block", test_block);
  g_test_add_func ("/gui/people/viewer", test_viewer);
  g_test_add_func ("/gui/people/difference", test_difference);
  return g_test_run ();
}
