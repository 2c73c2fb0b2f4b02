/* The assistant: what each check says of good and bad things, a beamtime made from the first Enter to the last, folders that are
 * looked at before they are opened, a database that is joined (FIRSTLIGHT_TEST_MYSQL, tests/store/mariadb.py), the demo.
 *
 * FIRSTLIGHT_PICTURES=FOLDER: pictures of what is shown are written there. */
#include <glib/gstdio.h>
#include <string.h>

#include "engine/control/archive-folder.h"
#include "engine/store/db.h"
#include "engine/store/mirror.h"
#include "engine/store/people.h"
#include "gui/application.h"
#include "gui/assistant-database.h"
#include "gui/assistant-look.h"
#include "gui/assistant-private.h"
#include "gui/assistant-recent.h"
#include "gui/joined.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"
#include "widgets/export.h"

/* --- helpers --- */

static char *top; /* a folder of this program's own; the user's folders are in it */

static char *
in_top (const char *name)
{
  return g_build_filename (top, name, NULL);
}

static void
put (const char *text, const char *folder, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL), *above = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (above, 0755), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
assert_in (const char *text, const char *part)
{
  if (!text || !strstr (text, part))
    g_error ("'%s' lacks '%s'", text, part);
}

static void
check (FlgProofFunc func, FlgVerdict verdict, const char *part, const char *first, const char *second,
       const char *third, const char *fourth)
{
  const char *strings[] = { first, second, third, fourth, NULL };
  g_autoptr (FlgProof) proof = func (strings, NULL);
  assert_in (proof->text, part);
  g_assert_cmpint (proof->verdict, ==, verdict);
}

static GtkWidget *
find (GtkWidget *widget, GType type, const char *name)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type)
      && (!name || g_strcmp0 (gtk_buildable_get_buildable_id (GTK_BUILDABLE (widget)), name) == 0))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find (child, type, name);
      if (found)
        return found;
    }
  return NULL;
}

static FlgField *
field (GtkWidget *widget, const char *name)
{
  GtkWidget *found = find (widget, FLG_TYPE_FIELD, name);
  g_assert_nonnull (found);
  return FLG_FIELD (found);
}

static gboolean
is_settled (gpointer assistant)
{
  return flg_assistant_is_settled (assistant);
}

static void
picture (gpointer widget, const char *name)
{
  const char *folder = g_getenv ("FIRSTLIGHT_PICTURES");
  if (!folder)
    return;
  g_autofree char *path = g_strdup_printf ("%s/%s.png", folder, name);
  gtk_widget_queue_draw (widget);
  display_wait_drawn (widget);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 50 && !flw_widget_export (widget, path, &error); i++)
    {
      g_clear_error (&error);
      display_wait_drawn (widget);
    }
}

typedef struct
{
  GtkWidget *window, *assistant;
  char *where, *then; /* what it wants opened */
  gboolean dismissed;
} Shown;

static void
on_open (Shown *shown, const char *where, const char *then)
{
  g_free (shown->where);
  g_free (shown->then);
  shown->where = g_strdup (where);
  shown->then = g_strdup (then);
}

static void
on_dismissed (Shown *shown)
{
  shown->dismissed = TRUE;
}

static Shown *
shown_new (const char *page)
{
  Shown *shown = g_new0 (Shown, 1);
  shown->assistant = flg_assistant_new ();
  g_signal_connect_swapped (shown->assistant, "open", G_CALLBACK (on_open), shown);
  g_signal_connect_swapped (shown->assistant, "dismissed", G_CALLBACK (on_dismissed), shown);
  shown->window = display_show (shown->assistant, 1280, 755);
  g_assert_true (flg_assistant_show (FLG_ASSISTANT (shown->assistant), page));
  display_wait (is_settled, shown->assistant);
  return shown;
}

static void
shown_free (Shown *shown)
{
  gtk_window_destroy (GTK_WINDOW (shown->window));
  g_free (shown->where);
  g_free (shown->then);
  g_free (shown);
}

static gboolean
has_opened (gpointer data)
{
  return ((Shown *) data)->where != NULL;
}

static void
act (GtkWidget *page, const char *action)
{
  g_assert_true (gtk_widget_activate_action (page, action, NULL));
}

/* --- a field and its line --- */

/* The answer is the text that was asked about, after a while that makes the first asked the last to answer. */
static FlgProof *
prove_slowly (gpointer strings, GCancellable *cancellable)
{
  char **s = strings;
  g_usleep ((gulong) g_ascii_strtoull (s[1], NULL, 10) * 1000);
  return flg_proof_new (FLG_VERDICT_GOOD, "%s", s[0]);
}

static gboolean
is_proved (gpointer field)
{
  return flg_field_verdict (field) == FLG_VERDICT_GOOD;
}

static void
test_field (void)
{
  FlgField *one = g_object_new (FLG_TYPE_FIELD, "label", "Folder", "kind", "folder", NULL);
  GtkWidget *window = display_show (GTK_WIDGET (one), 400, 100);
  flg_field_prove_strings (one, prove_slowly, 0, FALSE, "first", "300", NULL);
  g_assert_cmpint (flg_field_verdict (one), ==, FLG_VERDICT_LOOKING);
  g_assert_false (flg_field_is_fine (one));
  flg_field_prove_strings (one, prove_slowly, 10, FALSE, "second\nline", "1", NULL);
  display_wait (is_proved, one);
  g_assert_cmpstr (flg_field_words (one), ==, "second line");
  gint64 end = g_get_monotonic_time () + 500000;
  while (g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpstr (flg_field_words (one), ==, "second line");
  flg_field_set_text (one, "  /x  ");
  g_assert_cmpstr (flg_field_text (one), ==, "/x");
  flg_field_say (one, FLG_VERDICT_BAD, "no");
  g_assert_false (flg_field_is_fine (one));
  gtk_window_destroy (GTK_WINDOW (window));
}

/* --- checks --- */

static void
test_folder (void)
{
  g_autofree char *fresh = in_top ("a/b/c"), *full = in_top ("full"), *file = in_top ("full/x"),
                  *under = in_top ("full/x/y"), *taken = in_top ("taken");
  put ("1", full, "x");
  put ("", taken, FL_STORE_FILE);
  check (flg_prove_new_folder, FLG_VERDICT_GOOD, "will be made", fresh, "", "", "");
  check (flg_prove_new_folder, FLG_VERDICT_GOOD, "1 other thing", full, "", "", "");
  check (flg_prove_new_folder, FLG_VERDICT_BAD, "is a file", file, "", "", "");
  check (flg_prove_new_folder, FLG_VERDICT_BAD, "", under, "", "", "");
  check (flg_prove_new_folder, FLG_VERDICT_BAD, "an experiment already", taken, "", "", "");
  check (flg_prove_new_folder, FLG_VERDICT_BAD, "whole path", "data", "", "", "");
  check (flg_prove_new_folder, FLG_VERDICT_BAD, "needs a folder", "", "", "", "");
  check (flg_prove_new_folder, FLG_VERDICT_BAD, "/proc", "/proc/firstlight", "", "", ""); /* root or not */
  g_assert_null (flg_name_complaint ("lysozyme, November"));
  g_assert_nonnull (flg_name_complaint (""));
  g_assert_nonnull (flg_name_complaint ("a\033[31mb"));
  g_autofree char *name = flg_folder_name ("Lysozyme, Nóvember/../2026.");
  g_assert_cmpstr (name, ==, "lysozyme-nóvember-..-2026");
}

static void
test_watch (void)
{
  g_autofree char *raw = in_top ("raw"), *files = in_top ("files"), *empty = in_top ("empty"),
                  *none = in_top ("none"), *file = in_top ("raw/r0001/a.cxi");
  put ("1", raw, "r0001/a.cxi");
  put ("1", raw, "r0001/b.h5");
  put ("1", raw, "r0001/notes.txt");
  put ("1", raw, "detector.geom");
  put ("1", raw, "r0002/a.cxi.inprogress");
  put ("1", raw, ".hidden/a.cxi");
  put ("1", files, "r1.nxs");
  g_assert_cmpint (g_mkdir (empty, 0755), ==, 0);
  check (flg_prove_watch, FLG_VERDICT_GOOD, "2 runs, 3 files; newest r0002", raw, "folders", "", "");
  check (flg_prove_watch, FLG_VERDICT_GOOD, "1 run, 2 files; newest r0001", raw, "folders", "*1", "");
  const char *strings[] = { raw, "folders", "*1", "", NULL };
  g_autoptr (FlgProof) proof = flg_prove_watch (strings, NULL);
  g_autofree char *geometry = in_top ("raw/detector.geom");
  g_assert_cmpstr (g_object_get_data (proof->found, "image"), ==, file);
  g_assert_cmpstr (g_object_get_data (proof->found, "geometry"), ==, geometry);
  check (flg_prove_watch, FLG_VERDICT_WARNING, "nothing called “s*”", raw, "folders", "s*", "");
  check (flg_prove_watch, FLG_VERDICT_WARNING, "is a run a folder here?", raw, "files", "", "");
  check (flg_prove_watch, FLG_VERDICT_WARNING, "is a run a file here?", files, "folders", "", "");
  check (flg_prove_watch, FLG_VERDICT_GOOD, "1 run, 1 file; newest r1.nxs", files, "files", "", "");
  check (flg_prove_watch, FLG_VERDICT_GOOD, "no run yet", empty, "folders", "", "");
  check (flg_prove_watch, FLG_VERDICT_BAD, "does not exist", none, "folders", "", "");
  check (flg_prove_watch, FLG_VERDICT_GOOD, "will be made", none, "folders", "", "1");
  check (flg_prove_watch, FLG_VERDICT_BAD, "no folder", file, "folders", "", "");
  check (flg_prove_watch, FLG_VERDICT_WARNING, "no folder is watched", "", "folders", "", "");
}

static void
test_detector (void)
{
  static const char good[] =
      "photon_energy = 9500\nadu_per_eV = 0.0001\nclen = 0.1\nres = 10000\ndata = /data\n"
      "dim0 = %\ndim1 = ss\ndim2 = fs\np0/min_fs = 0\np0/max_fs = 63\np0/min_ss = 0\n"
      "p0/max_ss = 31\np0/corner_x = -32\np0/corner_y = -16\np0/fs = +1.0x\np0/ss = +1.0y\n";
  g_autofree char *geom = in_top ("good.geom"), *bad = in_top ("bad.geom"), *none = in_top ("none.geom"),
                  *text = in_top ("mask.txt");
  put (good, top, "good.geom");
  put ("p0/min_fs = what\n", top, "bad.geom");
  put ("hello", top, "mask.txt");
  check (flg_prove_geometry, FLG_VERDICT_GOOD, "panels: 1 of 64 x 32 px", geom, "", "", "");
  check (flg_prove_geometry, FLG_VERDICT_BAD, "", bad, "", "", "");
  check (flg_prove_geometry, FLG_VERDICT_BAD, "does not exist", none, "", "", "");
  check (flg_prove_geometry, FLG_VERDICT_BAD, "is a folder", top, "", "", "");
  check (flg_prove_geometry, FLG_VERDICT_NONE, "left empty", "", "", "", "");
  check (flg_prove_mask, FLG_VERDICT_BAD, "not a format known here", text, "", "", "");
  check (flg_prove_mask, FLG_VERDICT_NONE, "left empty", "", "", "", "");
  check (flg_prove_image, FLG_VERDICT_NONE, "no run yet", "", "", "", "");
  check (flg_prove_image, FLG_VERDICT_WARNING, "mask.txt", text, "", "", "");
}

static void
test_engine (void)
{
  check (flg_prove_engine, FLG_VERDICT_GOOD, "started", "", "1", "", "");
  check (flg_prove_engine, FLG_VERDICT_BAD, "not firstlight-engine", "/bin/true", "2", "", "");
  check (flg_prove_engine, FLG_VERDICT_BAD, "", "/nowhere/firstlight-engine", "2", "", "");
}

/* --- folders that are opened --- */

static void
make_experiment (const char *folder, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = fl_store_open (folder, FL_STORE_CREATE, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_EXPERIMENT, &error);
  fl_store_set_text (store, FL_TABLE_EXPERIMENT, ((FlExperiment *) all->pdata[0])->id, "name", name, &error);
  g_assert_no_error (error);
}

/* As an older program has left it. */
static void
age (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlDatabase) where = fl_database_find (folder, FALSE, &error);
  g_autoptr (FlDb) db = fl_db_open (where, FL_DB_WRITE, &error);
  g_assert_no_error (error);
  fl_db_exec_values (db, "UPDATE counter SET value = value - 1 WHERE name = 'schema'", NULL, 0, &error);
  g_assert_no_error (error);
}

static void
test_look (void)
{
  static const char *const command[] = { "ssh", "beamline", "firstlight-control", "serve", NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = in_top ("look"), *copy = in_top ("copy"), *damaged = in_top ("damaged"),
                  *plain = in_top ("plain"), *tar = in_top ("old.tar"), *older = in_top ("older"),
                  *archive = in_top ("archive"), *file = g_build_filename (folder, FL_STORE_FILE, NULL);
  make_experiment (folder, "night shift");
  make_experiment (older, "last year");
  age (older);
  g_autoptr (GPtrArray) missing = g_ptr_array_new_with_free_func (g_free);
  FlArchiveWish wish = { .experiment = folder, .to = archive };
  fl_archive_make (&wish, missing, NULL, NULL, &error);
  g_assert_no_error (error);
  put ("", copy, "x");
  fl_mirror_write_origin (copy, command, "/data/lysozyme", &error);
  g_assert_no_error (error);
  put ("this is no database, whatever it is called", damaged, FL_STORE_FILE);
  put ("", plain, "x");
  put ("", top, "old.tar");
  check (flg_look_at, FLG_VERDICT_GOOD, "an experiment", folder, "", "", "");
  check (flg_look_at, FLG_VERDICT_GOOD, "an experiment", file, "", "", "");
  check (flg_look_at, FLG_VERDICT_WARNING, "of an older Firstlight", older, "", "", "");
  check (flg_look_at, FLG_VERDICT_GOOD, "an archive", archive, "", "", "");
  check (flg_look_at, FLG_VERDICT_GOOD, "a copy", copy, "", "", "");
  check (flg_look_at, FLG_VERDICT_BAD, "", damaged, "", "", "");
  check (flg_look_at, FLG_VERDICT_BAD, "no experiment is here", plain, "", "", "");
  check (flg_look_at, FLG_VERDICT_BAD, "unpack it", tar, "", "", "");
  check (flg_look_at, FLG_VERDICT_BAD, "does not exist", "/nowhere/at/all", "", "", "");

  Shown *shown = shown_new ("open");
  GtkWidget *page = find (shown->assistant, FLG_TYPE_ASSIST_OPEN, NULL);
  flg_field_set_text (field (page, "path"), folder);
  display_wait (is_settled, shown->assistant);
  assert_in (gtk_label_get_label (GTK_LABEL (find (page, GTK_TYPE_LABEL, "details"))), "Name: night shift");
  picture (shown->assistant, "assistant-open");
  act (page, "look.open");
  g_assert_cmpstr (shown->where, ==, folder);
  g_assert_cmpstr (shown->then, ==, "");
  act (page, "look.open-read-only");
  g_assert_cmpstr (shown->then, ==, "read-only");
  /* Nothing there: a beamtime can be made in its place. */
  flg_field_set_text (field (page, "path"), plain);
  display_wait (is_settled, shown->assistant);
  act (page, "look.make");
  g_assert_cmpstr (flg_assistant_shown (FLG_ASSISTANT (shown->assistant)), ==, "new");
  g_assert_cmpstr (flg_field_text (field (shown->assistant, "folder")), ==, plain);
  display_wait (is_settled, shown->assistant);
  shown_free (shown);
}

static void
test_recent (void)
{
  g_autofree char *folder = in_top ("recent"), *gone = in_top ("gone [1]\n");
  make_experiment (folder, "x");
  flg_recent_add (gone, "gone");
  flg_recent_add ("ssh://ana@beamline/data/x", "far");
  flg_recent_add (folder, "night shift");
  g_autoptr (GPtrArray) all = flg_recent_read ();
  g_assert_cmpuint (all->len, ==, 3);
  guint missing = 0;
  for (guint i = 0; i < all->len; i++)
    {
      const FlgRecent *recent = all->pdata[i];
      missing += recent->missing;
      if (recent->missing)
        g_assert_cmpstr (recent->where, ==, gone);
    }
  g_assert_cmpuint (missing, ==, 1);
  Shown *shown = shown_new ("welcome");
  picture (shown->assistant, "assistant-welcome");
  GtkListBox *list = GTK_LIST_BOX (find (shown->assistant, GTK_TYPE_LIST_BOX, "recent"));
  for (int i = 0; i < 3; i++)
    {
      GtkListBoxRow *row = gtk_list_box_get_row_at_index (list, i);
      g_assert_nonnull (row);
      if (g_strcmp0 (g_object_get_data (G_OBJECT (row), "where"), folder) == 0)
        g_signal_emit_by_name (list, "row-activated", row);
    }
  g_assert_cmpstr (shown->where, ==, folder);
  g_assert_true (gtk_widget_activate_action (shown->assistant, "assistant.dismiss", NULL));
  g_assert_true (shown->dismissed);
  shown_free (shown);
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *where = g_strdup_printf ("/data/%u", i);
      flg_recent_add (where, "x");
    }
  g_autoptr (GPtrArray) bounded = flg_recent_read ();
  g_assert_cmpuint (bounded->len, ==, 12);
}

/* --- a beamtime --- */

static gboolean
is_at_summary (gpointer data)
{
  GtkStack *steps = GTK_STACK (find (((Shown *) data)->assistant, GTK_TYPE_STACK, "steps"));
  return g_str_equal (gtk_stack_get_visible_child_name (steps), "summary");
}

/* Enter, Enter, Enter …: each as soon as what is there is known to be right. */
static void
enter_through (Shown *shown)
{
  GtkWidget *page = find (shown->assistant, FLG_TYPE_ASSIST_MAKE, NULL);
  for (guint i = 0; i < 4; i++)
    {
      act (page, "make.next");
      display_wait (is_settled, shown->assistant);
    }
  display_wait (is_at_summary, shown);
}

static void
test_make (void)
{
  g_autoptr (GError) error = NULL;
  Shown *shown = shown_new ("new");
  GtkWidget *page = find (shown->assistant, FLG_TYPE_ASSIST_MAKE, NULL);
  g_assert_cmpuint (strlen (flg_field_text (field (page, "name"))), >, 10);
  flg_field_set_text (field (page, "name"), "Lysozyme, November");
  g_autofree char *folder = in_top ("home/firstlight/lysozyme-november"),
                  *raw = g_build_filename (folder, "data", NULL);
  g_assert_cmpstr (flg_field_text (field (page, "folder")), ==, folder);
  g_assert_cmpstr (flg_field_text (field (page, "watch")), ==, raw);
  picture (shown->assistant, "assistant-new");
  enter_through (shown);
  picture (shown->assistant, "assistant-summary");
  /* Back and forth, what was filled in stays. */
  act (page, "make.back");
  act (page, "make.leave");
  g_assert_cmpstr (flg_assistant_shown (FLG_ASSISTANT (shown->assistant)), ==, "welcome");
  g_assert_true (flg_assistant_show (FLG_ASSISTANT (shown->assistant), "new:summary"));
  g_assert_cmpstr (flg_field_text (field (page, "name")), ==, "Lysozyme, November");
  act (page, "make.next");
  display_wait (has_opened, shown);
  g_assert_cmpstr (shown->where, ==, folder);
  g_assert_cmpstr (shown->then, ==, "");
  shown_free (shown);

  g_assert_true (g_file_test (raw, G_FILE_TEST_IS_DIR));
  g_autoptr (FlStore) store = fl_store_open (folder, FL_STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) experiments = fl_store_list (store, FL_TABLE_EXPERIMENT, &error);
  g_assert_cmpstr (((FlExperiment *) experiments->pdata[0])->name, ==, "Lysozyme, November");
  g_autoptr (GPtrArray) watches = fl_store_list (store, FL_TABLE_WATCH, &error);
  g_assert_cmpuint (watches->len, ==, 1);
  const FlWatch *watch = watches->pdata[0];
  g_autofree char *watched = fl_store_resolve (store, watch->root, watch->path, &error);
  g_assert_cmpstr (watched, ==, raw);
  g_assert_true (watch->active);
  g_autoptr (GPtrArray) trials = fl_store_list (store, FL_TABLE_TRIAL, &error);
  g_assert_cmpuint (trials->len, ==, 1);
  g_assert_true (((FlTrial *) trials->pdata[0])->active);
  g_autoptr (GPtrArray) sites = fl_store_list (store, FL_TABLE_SITE, &error);
  g_assert_true (((FlSite *) sites->pdata[0])->active);
  g_assert_cmpint (((FlSite *) sites->pdata[0])->cores, ==, (int) g_get_num_processors ());
}

/* Raw data elsewhere, a geometry, particles, and a cluster that is asked for afterwards. */
static void
test_make_other (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = in_top ("other"), *raw = in_top ("other-raw"),
                  *detector = in_top ("other-raw/det.h5");
  put ("1", raw, "r0001.emc");
  put ("1", raw, "det.h5");
  Shown *shown = shown_new ("new");
  GtkWidget *page = find (shown->assistant, FLG_TYPE_ASSIST_MAKE, NULL);
  flg_field_set_text (field (page, "folder"), folder);
  /* What somebody has typed is not proposed away. */
  flg_field_set_text (field (page, "name"), "virus");
  g_assert_cmpstr (flg_field_text (field (page, "folder")), ==, folder);
  flg_field_set_text (field (page, "watch"), raw);
  gtk_check_button_set_active (GTK_CHECK_BUTTON (find (page, GTK_TYPE_CHECK_BUTTON, "as_file")), TRUE);
  gtk_check_button_set_active (GTK_CHECK_BUTTON (find (page, GTK_TYPE_CHECK_BUTTON, "particles")), TRUE);
  gtk_check_button_set_active (GTK_CHECK_BUTTON (find (page, GTK_TYPE_CHECK_BUTTON, "slurm")), TRUE);
  flg_field_set_text (field (page, "pattern"), "r*.emc");
  flg_field_set_text (field (page, "geometry"), detector);
  display_wait (is_settled, shown->assistant);
  enter_through (shown);
  act (page, "make.next");
  display_wait (has_opened, shown);
  g_assert_cmpstr (shown->then, ==, "sites");
  /* Nobody makes a second one over it. */
  g_free (g_steal_pointer (&shown->where));
  act (page, "make.next");
  display_wait (is_settled, shown->assistant);
  g_assert_null (shown->where);
  shown_free (shown);

  g_autoptr (FlStore) store = fl_store_open (folder, FL_STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) watches = fl_store_list (store, FL_TABLE_WATCH, &error);
  const FlWatch *watch = watches->pdata[0];
  g_assert_cmpstr (watch->kind, ==, "files");
  g_assert_cmpstr (watch->pattern, ==, "r*.emc");
  g_autofree char *watched = fl_store_resolve (store, watch->root, watch->path, &error);
  g_assert_cmpstr (watched, ==, raw);
  g_autoptr (GPtrArray) sites = fl_store_list (store, FL_TABLE_SITE, &error);
  g_assert_false (((FlSite *) sites->pdata[0])->active);
  g_autoptr (GPtrArray) blocks = fl_store_list (store, FL_TABLE_BLOCK, &error);
  g_assert_cmpuint (blocks->len, ==, 1);
  assert_in (((FlBlock *) blocks->pdata[0])->params, detector);
  FlTask *hits = fl_store_find (store, FL_TABLE_TASK, "hits", &error);
  g_assert_nonnull (hits);
  fl_record_free (FL_TABLE_TASK, hits);
}

/* A step does not go on while something in it is wrong. */
static void
test_refuse (void)
{
  Shown *shown = shown_new ("new");
  GtkWidget *page = find (shown->assistant, FLG_TYPE_ASSIST_MAKE, NULL);
  GtkStack *steps = GTK_STACK (find (page, GTK_TYPE_STACK, "steps"));
  flg_field_set_text (field (page, "folder"), "nowhere");
  gtk_widget_activate_action (page, "make.next", NULL); /* while it is being looked at: it waits */
  display_wait (is_settled, shown->assistant);
  g_assert_cmpstr (gtk_stack_get_visible_child_name (steps), ==, "beamtime");
  g_autofree char *folder = in_top ("refuse");
  flg_field_set_text (field (page, "folder"), folder);
  act (page, "make.next");
  display_wait (is_settled, shown->assistant);
  g_assert_cmpstr (gtk_stack_get_visible_child_name (steps), ==, "runs");
  flg_field_set_text (field (page, "watch"), "/nowhere/raw");
  display_wait (is_settled, shown->assistant);
  gtk_widget_activate_action (page, "make.next", NULL);
  g_assert_cmpstr (gtk_stack_get_visible_child_name (steps), ==, "runs");
  act (page, "make.back");
  g_assert_cmpstr (gtk_stack_get_visible_child_name (steps), ==, "beamtime");
  shown_free (shown);
}

/* --- a database --- */

/* mysql://root@127.0.0.1:PORT/NAME?… */
static char *
database_url (const char *name)
{
  g_auto (GStrv) parts = g_strsplit (g_getenv ("FIRSTLIGHT_TEST_MYSQL"), "/?", 2);
  return g_strdup_printf ("%s/%s", parts[0], name);
}

static void
wait_for (Shown *shown, FlgDatabaseForm *form, const char *address, const char *password, const char *part)
{
  flg_field_set_text (flg_database_form_password (form), password);
  flg_field_set_text (flg_database_form_address (form), address);
  display_wait (is_settled, shown->assistant);
  g_autofree char *summary = flg_database_form_summary (form);
  assert_in (summary, part);
}

static gboolean
on_stranger (GSocketService *service, GSocketConnection *connection)
{
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), "SSH-2.0-stranger\r\n",
                             18, NULL, NULL, NULL);
  return FALSE;
}

static void
test_address (void)
{
  Shown *shown = shown_new ("join");
  GtkWidget *page = find (shown->assistant, FLG_TYPE_ASSIST_JOIN, NULL);
  FlgDatabaseForm *form = FLG_DATABASE_FORM (find (page, FLG_TYPE_DATABASE_FORM, NULL));
  g_autoptr (GSocketService) service = g_socket_service_new ();
  guint16 port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, NULL);
  g_signal_connect (service, "incoming", G_CALLBACK (on_stranger), NULL);
  g_autofree char *stranger = g_strdup_printf ("mysql://ana@127.0.0.1:%u/x", port);
  wait_for (shown, form, "lysozyme", "", "address wrong");
  wait_for (shown, form, "mysql://ana:secret@127.0.0.1/x", "", "holds a password");
  wait_for (shown, form, "mysql://ana@no-such-host.invalid/x", "", "name wrong");
  wait_for (shown, form, "mysql://ana@127.0.0.1:1/x", "", "port wrong: port 1 does not answer");
  wait_for (shown, form, stranger, "", "port wrong: something answers there, but no MySQL");
  g_assert_false (flg_database_form_is_good (form));
  g_assert_nonnull (flg_database_form_complaint (form));
  shown_free (shown);
}

static void
test_join (void)
{
  if (!g_getenv ("FIRSTLIGHT_TEST_MYSQL"))
    {
      g_test_skip ("no server (tests/store/mariadb.py)");
      return;
    }
  g_autoptr (GError) error = NULL;
  g_autofree char *url = database_url ("assistant"), *nothing = database_url ("nothing"),
                  *server = g_strndup (url, (gsize) (strrchr (url, '/') - url)),
                  *stranger = g_strdup_printf ("mysql://nobody%s/assistant", strchr (server, '@'));
  /* Made by the assistant, in a database of its own. */
  Shown *shown = shown_new ("new");
  GtkWidget *page = find (shown->assistant, FLG_TYPE_ASSIST_MAKE, NULL);
  FlgDatabaseForm *form = FLG_DATABASE_FORM (find (page, FLG_TYPE_DATABASE_FORM, NULL));
  flg_field_set_text (field (page, "name"), "shared");
  display_wait (is_settled, shown->assistant);
  g_assert_true (flg_assistant_show (FLG_ASSISTANT (shown->assistant), "new:jobs"));
  gtk_check_button_set_active (GTK_CHECK_BUTTON (find (page, GTK_TYPE_CHECK_BUTTON, "in_database")), TRUE);
  wait_for (shown, form, url, "", "content good: empty");
  picture (shown->assistant, "assistant-database");
  g_assert_true (flg_database_form_is_good (form));
  act (page, "make.next");
  display_wait (is_at_summary, shown);
  act (page, "make.next");
  display_wait (has_opened, shown);
  g_autoptr (FlStore) store = fl_store_open (shown->where, FL_STORE_WRITE, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (fl_store_path (store), "mysql://"));
  shown_free (shown);

  /* Joined from somewhere else. */
  shown = shown_new ("join");
  page = find (shown->assistant, FLG_TYPE_ASSIST_JOIN, NULL);
  form = FLG_DATABASE_FORM (find (page, FLG_TYPE_DATABASE_FORM, NULL));
  wait_for (shown, form, nothing, "", "content wrong");
  wait_for (shown, form, stranger, "wrong", "login wrong");
  wait_for (shown, form, url, "", "content good: the experiment “shared”, 0 runs; records of version ");
  picture (shown->assistant, "assistant-join");
  g_autofree char *here = in_top ("data/firstlight/joined/assistant"), *home = NULL;
  g_auto (GStrv) command = NULL;
  g_assert_cmpstr (flg_field_text (field (page, "folder")), ==, here);
  flg_field_set_text (field (page, "home"), "/nowhere/lysozyme");
  display_wait (is_settled, shown->assistant);
  g_assert_cmpint (flg_field_verdict (field (page, "home")), ==, FLG_VERDICT_BAD);
  flg_field_set_text (field (page, "home"), "");
  display_wait (is_settled, shown->assistant);
  act (page, "enter.join");
  display_wait (has_opened, shown);
  g_assert_cmpstr (shown->where, ==, here);
  shown_free (shown);
  g_assert_true (flg_joined_read (here, &home, &command));
  g_assert_null (command);
  g_autoptr (FlStore) joined = fl_store_open (here, FL_STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  g_assert_cmpint (fl_store_role (joined), ==, FL_ROLE_OWNER);
  check (flg_look_at, FLG_VERDICT_GOOD, "shared database", here, "", "", "");
}

/* --- the demo --- */

static gboolean
is_over (gpointer demo)
{
  return flg_demo_state (demo) != FLG_DEMO_MAKING;
}

static void
test_demo (void)
{
  g_autofree char *folder = flg_demo_folder (TRUE), *foreign = in_top ("foreign"),
                  *mine = in_top ("foreign/mine");
  g_autoptr (GError) error = NULL;
  put ("keep", foreign, "mine");
  check (flg_demo_prove, FLG_VERDICT_GOOD, "all is there", "1", folder, "", "");
  check (flg_demo_prove, FLG_VERDICT_BAD, "left alone", "1", foreign, "", "");
  FlgDemo *refused = flg_demo_new (foreign, TRUE);
  display_wait (is_over, refused);
  g_assert_cmpint (flg_demo_state (refused), ==, FLG_DEMO_FAILED);
  g_assert_true (g_file_test (mine, G_FILE_TEST_EXISTS));
  g_object_unref (refused);
  for (guint i = 0; i < 2; i++) /* the second begins anew */
    {
      FlgDemo *demo = flg_demo_new (folder, TRUE);
      display_wait (is_over, demo);
      g_assert_cmpstr (flg_demo_words (demo), !=, "");
      g_assert_cmpint (flg_demo_state (demo), ==, FLG_DEMO_READY);
      g_autoptr (FlStore) store = fl_store_open (folder, FL_STORE_READ_ONLY, &error);
      g_assert_no_error (error);
      g_autoptr (GPtrArray) datasets = fl_store_list (store, FL_TABLE_DATASET, &error);
      g_assert_cmpuint (datasets->len, ==, 1);
      flg_demo_stop (demo);
      g_assert_cmpint (flg_demo_state (demo), ==, FLG_DEMO_STOPPED);
      g_object_unref (demo);
    }
  check (flg_demo_prove, FLG_VERDICT_WARNING, "played before", "1", folder, "", "");
}

/* --- the application --- */

typedef struct
{
  FlgApplication *application;
  guint step;
  gint64 end;
} Drive;

static gboolean
shows_experiment (FlgWindow *window, const char *folder)
{
  FlgContext *context = flg_window_context (window);
  FlgExperiment *experiment = context ? flg_context_experiment (context) : NULL;
  return experiment && g_str_equal (flg_experiment_folder (experiment), folder)
         && flg_experiment_is_filled (experiment) && flg_window_shown_page (window);
}

static gboolean
is_recent (const char *folder)
{
  g_autoptr (GPtrArray) all = flg_recent_read ();
  for (guint i = 0; i < all->len; i++)
    if (g_str_equal (((FlgRecent *) all->pdata[i])->where, folder))
      return TRUE;
  return FALSE;
}

/* Started without a folder: a beamtime is made and open; then the demo, which is stopped; then it ends. */
static gboolean
drive (gpointer data)
{
  Drive *d = data;
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (d->application));
  GtkWidget *assistant = window ? find (GTK_WIDGET (window), FLG_TYPE_ASSISTANT, NULL) : NULL;
  g_autofree char *folder = in_top ("applied"), *demo = flg_demo_folder (TRUE);
  if (!assistant)
    return G_SOURCE_CONTINUE;
  g_assert_cmpint (g_get_monotonic_time (), <, d->end);
  GtkWidget *make = find (assistant, FLG_TYPE_ASSIST_MAKE, NULL),
            *play = find (assistant, FLG_TYPE_ASSIST_DEMO, NULL);
  gboolean settled = flg_assistant_is_settled (FLG_ASSISTANT (assistant));
  GtkStack *steps = GTK_STACK (find (make, GTK_TYPE_STACK, "steps"));
  switch (d->step)
    {
    case 0:
      g_assert_cmpstr (flg_assistant_shown (FLG_ASSISTANT (assistant)), ==, "new");
      flg_field_set_text (field (make, "folder"), folder);
      d->step++;
      break;
    case 1:
      if (settled)
        act (make, "make.next");
      d->step += settled && g_str_equal (gtk_stack_get_visible_child_name (steps), "summary");
      break;
    case 2:
      if (settled)
        gtk_widget_activate_action (make, "make.next", NULL);
      d->step += shows_experiment (FLG_WINDOW (window), folder);
      break;
    case 3:
      if (!is_recent (folder))
        break;
      g_action_group_activate_action (G_ACTION_GROUP (d->application), "assistant",
                                      g_variant_new_string ("demo"));
      gtk_check_button_set_active (GTK_CHECK_BUTTON (find (play, GTK_TYPE_CHECK_BUTTON, "particles")), TRUE);
      d->step++;
      break;
    case 4:
      d->step += settled && gtk_widget_activate_action (play, "demo.start", NULL);
      break;
    case 5:
      if (!shows_experiment (FLG_WINDOW (window), demo))
        break;
      g_assert_cmpint (flg_demo_state (flg_assistant_demo (FLG_ASSISTANT (assistant))), ==, FLG_DEMO_READY);
      g_action_group_activate_action (G_ACTION_GROUP (d->application), "stop-demo", NULL);
      g_assert_cmpint (flg_demo_state (flg_assistant_demo (FLG_ASSISTANT (assistant))), ==, FLG_DEMO_STOPPED);
      gtk_window_close (window);
      return G_SOURCE_REMOVE;
    default:
      g_assert_not_reached ();
    }
  return G_SOURCE_CONTINUE;
}

/* GIO's own, where there is no session bus; GTK 4.8's own, when a window goes while one of its tooltips is due. */
static gboolean
is_fatal (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  return !strstr (message, "session bus") && !strstr (message, "gdk_surface_get_device_position");
}

static void
test_application (void)
{
  FlgOptions options = { .assistant = "new", .no_conductor = TRUE };
  FlgDisplayProfile profile = { .cairo = TRUE };
  g_test_log_set_fatal_handler (is_fatal, NULL);
  g_autoptr (FlgApplication) application = flg_application_new (&options, &profile);
  Drive d = { application, 0, g_get_monotonic_time () + 60 * G_USEC_PER_SEC };
  guint timer = g_timeout_add (50, drive, &d);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
  g_assert_cmpuint (d.step, ==, 5);
  if (g_main_context_find_source_by_id (NULL, timer))
    g_source_remove (timer);
}

int
main (int argc, char *argv[])
{
  g_autofree char *made = g_dir_make_tmp ("firstlight-assistant-XXXXXX", NULL);
  static const char *const variables[] = { "HOME",          "home", "XDG_CONFIG_HOME", "config",
                                           "XDG_DATA_HOME", "data", "XDG_CACHE_HOME",  "cache" };
  top = made;
  for (guint i = 0; i < G_N_ELEMENTS (variables); i += 2)
    {
      g_autofree char *path = in_top (variables[i + 1]);
      g_mkdir (path, 0755);
      g_setenv (variables[i], path, TRUE);
    }
  display_init (&argc, &argv);
  flg_load_style ();
  g_object_set (gtk_settings_get_default (), "gtk-enable-animations", FALSE, NULL);
  g_test_add_func ("/gui/assistant/field", test_field);
  g_test_add_func ("/gui/assistant/folder", test_folder);
  g_test_add_func ("/gui/assistant/watch", test_watch);
  g_test_add_func ("/gui/assistant/detector", test_detector);
  g_test_add_func ("/gui/assistant/engine", test_engine);
  g_test_add_func ("/gui/assistant/look", test_look);
  g_test_add_func ("/gui/assistant/recent", test_recent);
  g_test_add_func ("/gui/assistant/make", test_make);
  g_test_add_func ("/gui/assistant/make-other", test_make_other);
  g_test_add_func ("/gui/assistant/refuse", test_refuse);
  g_test_add_func ("/gui/assistant/address", test_address);
  g_test_add_func ("/gui/assistant/join", test_join);
  g_test_add_func ("/gui/assistant/demo", test_demo);
  g_test_add_func ("/gui/assistant/application", test_application);
  int status = g_test_run ();
  room_remove_tree (made);
  return status;
}
