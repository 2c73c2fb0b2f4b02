/* What the assistant makes: a beamtime, from the first Enter to the last; a database that is joined (FIRSTLIGHT_TEST_MYSQL,
 * tests/store/mariadb.py); the demo; all of it in the application.
 *
 * FIRSTLIGHT_PICTURES=FOLDER: pictures of what is shown are written there. */
#include <glib/gstdio.h>
#include <string.h>

#include "engine/store/people.h"
#include "gui/application.h"
#include "gui/assistant-database.h"
#include "gui/assistant-look.h"
#include "gui/assistant-recent.h"
#include "gui/joined.h"
#include "tests/gui/room.h"
#include "tests/gui/shown-assistant.h"
#include "tests/widgets/display.h"

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
main (int argc, char **argv)
{
  assistant_init (&argc, &argv);
  g_test_add_func ("/gui/assistant/make", test_make);
  g_test_add_func ("/gui/assistant/make-other", test_make_other);
  g_test_add_func ("/gui/assistant/refuse", test_refuse);
  g_test_add_func ("/gui/assistant/address", test_address);
  g_test_add_func ("/gui/assistant/join", test_join);
  g_test_add_func ("/gui/assistant/demo", test_demo);
  g_test_add_func ("/gui/assistant/application", test_application);
  return assistant_run ();
}
