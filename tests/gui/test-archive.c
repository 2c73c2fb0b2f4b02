/* An archive that is open: what is said of it, the check of its files, where its geometry is, and another experiment beside it.
 *
 * FIRSTLIGHT_PICTURES=FOLDER: pictures of the dialogs are written there. */
#include <glib/gstdio.h>
#include <string.h>

#include "gui/application.h"
#include "gui/archive-note.h"
#include "gui/compare-experiments.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

/* An archive of made runs, with a geometry from elsewhere; the original is gone when `alone`. */
static char *
archive_new (guint runs, const char *geometry, gboolean alone)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *first = g_dir_make_tmp ("firstlight-gui-XXXXXX", NULL);
  g_autofree char *to = g_strconcat (first, "-archive", NULL);
  g_autoptr (GPtrArray) missing = g_ptr_array_new_with_free_func (g_free);
  MadeStore made = { runs, 300, 4, (guint64) g_get_real_time () * 1000, TRUE, FALSE };
  made_store_write (first, &made);
  if (geometry)
    {
      g_autoptr (FlStore) store = fl_store_open (first, FL_STORE_WRITE, &error);
      g_assert_no_error (error);
      g_autoptr (GPtrArray) tasks = fl_store_list (store, FL_TABLE_TASK, &error);
      g_assert_no_error (error);
      g_autofree char *params = g_strdup_printf ("[detector]\ngeometry = %s\n", geometry);
      for (guint i = 0; i < tasks->len; i++)
        fl_store_set_text (store, FL_TABLE_TASK, ((FlTask *) tasks->pdata[i])->id, "params", params, &error);
      g_assert_no_error (error);
    }
  FlArchiveWish wish = { .experiment = first, .to = to, .live = TRUE, .partial = TRUE };
  fl_archive_make (&wish, missing, NULL, NULL, &error);
  g_assert_no_error (error);
  if (alone)
    room_remove_tree (first);
  else
    {
      g_autofree char *kept = g_strconcat (to, "-original", NULL);
      g_assert_cmpint (g_rename (first, kept), ==, 0);
    }
  return g_steal_pointer (&to);
}

static Room *
room_of_archive (char *folder)
{
  g_autoptr (GError) error = NULL;
  FlArchive *archive = fl_archive_read (folder, &error);
  g_assert_no_error (error);
  Room *room = room_adopt (folder, FL_STORE_READ_ONLY, FALSE);
  flg_experiment_set_archive (flg_context_experiment (room->context), archive);
  room_page (room, "runs");
  return room;
}

static gboolean
has_verdict (gpointer dialog)
{
  const char *words = flg_archive_dialog_verdict (dialog);
  return words && *words;
}

static GtkWidget *
check (Room *room)
{
  GtkWidget *dialog = flg_archive_dialog_new (GTK_WINDOW (room->window), room->context);
  gtk_window_present (GTK_WINDOW (dialog));
  g_assert_null (flg_archive_dialog_verdict (dialog));
  g_signal_emit_by_name (gtk_window_get_default_widget (GTK_WINDOW (dialog)), "clicked");
  display_wait (has_verdict, dialog);
  return dialog;
}

static void
test_note (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *elsewhere = g_dir_make_tmp ("firstlight-gui-XXXXXX", NULL);
  g_autofree char *geometry = g_build_filename (elsewhere, "panels.geom", NULL);
  g_file_set_contents (geometry, "photon_energy = 9000\n", -1, &error);
  g_assert_no_error (error);
  Room *room = room_of_archive (archive_new (3, geometry, TRUE));
  room_remove_tree (elsewhere);
  FlgExperiment *experiment = flg_context_experiment (room->context);
  const FlArchive *archive = flg_experiment_archive (experiment);
  g_autofree char *words = flg_archive_words (archive);
  assert_in (words, "Archive of ");
  assert_in (words, "read-only.");
  assert_in (words, "Not in it: raw images of 3 runs");
  g_assert_cmpint (archive->runs, ==, 3);
  g_assert_cmpint (archive->shots, ==, 700); /* the newest run is under way */

  /* What was elsewhere is in it. */
  g_autofree char *there = NULL, *mask = NULL;
  const FlRun *run =
      flg_record_run (flg_record_model_at (flg_experiment_table (experiment, FL_TABLE_RUN), 0));
  flg_experiment_run_detector (experiment, run, &there, &mask);
  g_autofree char *expected = g_build_filename (room->folder, "inputs", "panels.geom", NULL);
  g_assert_cmpstr (there, ==, expected);
  g_assert_true (g_file_test (there, G_FILE_TEST_IS_REGULAR));

  GtkWidget *dialog = check (room);
  assert_in (flg_archive_dialog_verdict (dialog), "Every file is as it was");
  picture (dialog, "archive-whole");
  gtk_window_destroy (GTK_WINDOW (dialog));
  g_file_set_contents (there, "photon_energy = 9001\n", -1, &error);
  dialog = check (room);
  assert_in (flg_archive_dialog_verdict (dialog), "inputs/panels.geom: has been changed");
  picture (dialog, "archive-changed");
  gtk_window_destroy (GTK_WINDOW (dialog));
  /* Closed while it reads: nobody is told. */
  dialog = flg_archive_dialog_new (GTK_WINDOW (room->window), room->context);
  gtk_window_present (GTK_WINDOW (dialog));
  g_signal_emit_by_name (gtk_window_get_default_widget (GTK_WINDOW (dialog)), "clicked");
  gtk_window_destroy (GTK_WINDOW (dialog));
  room_settle (room);
  room_free (room);
}

static gboolean
is_compared (gpointer dialog)
{
  return *flg_compare_dialog_summary (dialog) != '\0';
}

static char *
compare (Room *room, const char *other, const char *name)
{
  GtkWidget *dialog = flg_compare_dialog_new (GTK_WINDOW (room->window), room->context, other);
  gtk_window_present (GTK_WINDOW (dialog));
  display_wait (is_compared, dialog);
  display_wait_drawn (dialog);
  picture (dialog, name);
  char *summary = g_strdup (flg_compare_dialog_summary (dialog));
  gtk_window_destroy (GTK_WINDOW (dialog));
  return summary;
}

static void
test_compare (void)
{
  g_autoptr (GError) error = NULL;
  Room *room = room_of_archive (archive_new (3, NULL, FALSE));
  g_autofree char *original = g_strconcat (room->folder, "-original", NULL);
  g_autofree char *same = compare (room, original, "compare-same");
  assert_in (same, "the same in both");
  g_autofree char *other = archive_new (4, NULL, TRUE);
  g_autofree char *differ = compare (room, other, "compare-different");
  assert_in (differ, "differ: trial 1");
  g_autofree char *nothing = compare (room, "/nowhere", "compare-nothing");
  assert_in (nothing, "/nowhere");
  /* Closed while both are read. */
  GtkWidget *dialog = flg_compare_dialog_new (GTK_WINDOW (room->window), room->context, other);
  gtk_window_present (GTK_WINDOW (dialog));
  gtk_window_destroy (GTK_WINDOW (dialog));
  room_settle (room);
  room_remove_tree (other);
  room_remove_tree (original);
  room_free (room);
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  if (g_getenv ("FIRSTLIGHT_PICTURES"))
    flg_load_style ();
  g_test_add_func ("/gui/archive/note", test_note);
  g_test_add_func ("/gui/archive/compare", test_compare);
  return g_test_run ();
}
