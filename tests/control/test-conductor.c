/* The conductor and a control room in one program: what is asked through the socket is done. */
#include <string.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/control/conductor.h"
#include "engine/control/control-socket.h"

typedef struct
{
  char *folder;
  FlStore *store;
  FlConductor *conductor;
  FlControlClient *client;
  GString *heard;
} Fixture;

static gboolean
do_round (gpointer data)
{
  g_autoptr (GError) error = NULL;
  fl_conductor_round (((Fixture *) data)->conductor, &error);
  g_assert_no_error (error);
  return G_SOURCE_CONTINUE;
}

static void
on_step (FlControlClient *client, gint64 site, const char *step, const char *state, const char *message,
         const char *advice, double seconds, Fixture *fixture)
{
  (void) client;
  (void) message;
  (void) advice;
  g_assert_cmpfloat (seconds, >=, 0);
  g_string_append_printf (fixture->heard, "step %d %s %s\n", (int) site, step, state);
}

static void
on_probed (FlControlClient *client, gint64 site, gboolean well, Fixture *fixture)
{
  (void) client;
  g_string_append_printf (fixture->heard, "probed %d %d\n", (int) site, well);
}

static void
on_connected (FlControlClient *client, GParamSpec *spec, Fixture *fixture)
{
  (void) spec;
  if (fl_control_client_is_connected (client))
    g_string_append (fixture->heard, "connected\n");
}

static void
on_link (FlControlClient *client, gint64 site, const char *state, gint64 round_trip, guint64 retry_at,
         const char *message, Fixture *fixture)
{
  (void) client;
  (void) round_trip;
  (void) retry_at;
  (void) message;
  g_string_append_printf (fixture->heard, "link %d %s\n", (int) site, state);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  (void) data;
  fixture->folder = g_dir_make_tmp ("firstlight-conductor-XXXXXX", NULL);
  g_setenv ("XDG_RUNTIME_DIR", fixture->folder, TRUE);
  g_setenv ("HOME", fixture->folder, TRUE);
  fixture->heard = g_string_new (NULL);
  fixture->store = fl_store_open (fixture->folder, FL_STORE_CREATE, &error);
  g_assert_no_error (error);
  fixture->conductor = fl_conductor_new (fixture->store, NULL, &error);
  g_assert_no_error (error);
  fixture->client = fl_control_client_new (fixture->folder);
  g_signal_connect (fixture->client, "step", G_CALLBACK (on_step), fixture);
  g_signal_connect (fixture->client, "probed", G_CALLBACK (on_probed), fixture);
  g_signal_connect (fixture->client, "link", G_CALLBACK (on_link), fixture);
  g_signal_connect (fixture->client, "notify::connected", G_CALLBACK (on_connected), fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_signal_handlers_disconnect_by_data (fixture->client, fixture);
  g_object_unref (fixture->client);
  fl_conductor_free (fixture->conductor);
  g_autoptr (GPtrArray) workers = fl_store_list (fixture->store, FL_TABLE_WORKER, NULL);
  for (guint i = 0; i < workers->len; i++)
    g_assert_cmpstr (((FlWorker *) workers->pdata[i])->state, ==, "stopped");
  fl_store_close (fixture->store);
  const char *argv[] = { "rm", "-rf", fixture->folder, NULL };
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_string_free (fixture->heard, TRUE);
  g_free (fixture->folder);
}

static gboolean
timed_out (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_CONTINUE;
}

static void
wait_heard (Fixture *fixture, const char *what)
{
  gboolean late = FALSE;
  guint timer = g_timeout_add_seconds (60, timed_out, &late), rounds = g_timeout_add (50, do_round, fixture);
  while (strstr (fixture->heard->str, what) == NULL && !late)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  g_source_remove (rounds);
  if (late)
    g_error ("'%s' was not heard, but:\n%s", what, fixture->heard->str);
}

/* Steps come one by one, the result is kept; a probe of a site that is not there is nobody's. */
static void
test_probe (Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  wait_heard (fixture, "connected");
  fl_control_client_probe (fixture->client, 77, FALSE);
  fl_control_client_stop_probe (fixture->client, 77);
  fl_control_client_answer (fixture->client, 77, 1, NULL);
  fl_control_client_probe (fixture->client, 1, FALSE);
  fl_control_client_probe (fixture->client, 1, FALSE); /* it is under way */
  wait_heard (fixture, "probed 1");
  g_assert_nonnull (strstr (fixture->heard->str, "step 1 scratch ok"));
  g_assert_null (strstr (fixture->heard->str, "probed 77"));
  g_assert_null (strstr (strstr (fixture->heard->str, "probed 1") + 1, "probed 1"));
  FlSite *site = fl_store_get (fixture->store, FL_TABLE_SITE, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (site->probed, >, 0);
  g_assert_nonnull (strstr (site->probe, "scratch\tok\t"));
  fl_record_free (FL_TABLE_SITE, site);
}

/* Where nobody answers: the state is told, written down, and each change of the record is taken up. */
static void
test_far_site (Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  FlSite site = { .name = (char *) "far",
                  .kind = (char *) "ssh",
                  .host = (char *) "127.0.0.1",
                  .user = (char *) "nobody",
                  .port = 1,
                  .transport = (char *) "libssh2",
                  .scratch = (char *) "experiment",
                  .nodes = 1,
                  .minutes = 1,
                  .active = TRUE };
  wait_heard (fixture, "connected");
  g_assert_true (fl_store_save (fixture->store, FL_TABLE_SITE, &site, &error));
  wait_heard (fixture, "link 2 lost");
  fl_control_client_disconnect_site (fixture->client, 2);
  wait_heard (fixture, "link 2 offline");
  g_string_truncate (fixture->heard, 0);
  fl_control_client_probe (fixture->client, 2, FALSE);
  wait_heard (fixture, "probed 2 0"); /* it cannot be asked */
  fl_control_client_connect_site (fixture->client, 2);
  wait_heard (fixture, "link 2 lost");
  FlWorker *worker = fl_store_find (fixture->store, FL_TABLE_WORKER, "link:far", &error);
  g_assert_no_error (error);
  g_assert_nonnull (worker);
  g_assert_cmpint (worker->site, ==, 2);
  fl_record_free (FL_TABLE_WORKER, worker);
  /* Another port: made anew, at once. */
  g_string_truncate (fixture->heard, 0);
  g_assert_true (fl_store_set_int (fixture->store, FL_TABLE_SITE, 2, "port", 2, &error));
  wait_heard (fixture, "link 2 connecting");
  g_assert_true (fl_store_remove (fixture->store, FL_TABLE_SITE, 2, &error));
  for (guint i = 0; i < 20; i++)
    {
      do_round (fixture);
      g_main_context_iteration (NULL, FALSE);
    }
  g_autoptr (GPtrArray) workers = fl_store_list (fixture->store, FL_TABLE_WORKER, &error);
  for (guint i = 0; i < workers->len; i++)
    g_assert_cmpint (((FlWorker *) workers->pdata[i])->site, !=, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/control/conductor/probe", Fixture, NULL, set_up, test_probe, tear_down);
  g_test_add ("/control/conductor/far-site", Fixture, NULL, set_up, test_far_site, tear_down);
  return g_test_run ();
}
