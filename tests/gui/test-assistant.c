/* The assistant: what each check says of good and bad things, folders that are looked at before they are opened.
 *
 * FIRSTLIGHT_PICTURES=FOLDER: pictures of what is shown are written there. */
#include <glib/gstdio.h>
#include <string.h>

#include "engine/control/archive-folder.h"
#include "engine/store/db.h"
#include "engine/store/mirror.h"
#include "gui/assistant-look.h"
#include "gui/assistant-recent.h"
#include "tests/gui/room.h"
#include "tests/gui/shown-assistant.h"
#include "tests/widgets/display.h"

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
                  *text = in_top ("mask.txt"), *top = in_top (NULL);
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
                  *archive = in_top ("archive"), *file = g_build_filename (folder, FL_STORE_FILE, NULL),
                  *top = in_top (NULL);
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

int
main (int argc, char **argv)
{
  assistant_init (&argc, &argv);
  g_test_add_func ("/gui/assistant/field", test_field);
  g_test_add_func ("/gui/assistant/folder", test_folder);
  g_test_add_func ("/gui/assistant/watch", test_watch);
  g_test_add_func ("/gui/assistant/detector", test_detector);
  g_test_add_func ("/gui/assistant/engine", test_engine);
  g_test_add_func ("/gui/assistant/look", test_look);
  g_test_add_func ("/gui/assistant/recent", test_recent);
  return assistant_run ();
}
