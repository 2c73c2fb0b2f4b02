/* A server that goes away and comes back, a link that freezes, a long way, few channels. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "tests/remote/login.h"

static TestServer *server;

#define TRANSPORT(data) ((FlRemoteTransport) GPOINTER_TO_INT (data))

static TestLogin *
log_in (gconstpointer data, int port)
{
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_ed25519", port);
  fl_remote_connect (login->remote);
  g_assert_true (test_login_await (login, FL_REMOTE_UP, 20));
  return login;
}

static gboolean
run_true (FlHost *host, GError **error)
{
  const char *const argv[] = { "true", NULL };
  g_auto (FlHostOutput) output = { 0 };
  return fl_host_run (host, argv, NULL, 30, NULL, &output, error);
}

static void
test_restart (gconstpointer data)
{
  TestLogin *login = log_in (data, 0);
  g_autoptr (GError) error = NULL;
  g_assert_true (run_true (login->host, NULL));
  test_server_stop (server);
  g_assert_false (run_true (login->host, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_true (test_login_await (login, FL_REMOTE_LOST, 10));
  g_assert_cmpuint (fl_remote_status (login->remote)->retry_at, >, 0);
  g_assert_null (fl_host_list (login->host, "/", &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_BUSY);
  test_server_start (server);
  g_assert_true (test_login_await (login, FL_REMOTE_UP, 10)); /* by itself */
  g_assert_true (run_true (login->host, NULL));
  test_login_free (login);
}

static gpointer
run_long (gpointer data)
{
  const char *const argv[] = { "sleep", "60", NULL };
  g_auto (FlHostOutput) output = { 0 };
  GError *error = NULL;
  g_assert_false (fl_host_run (data, argv, NULL, 60, NULL, &output, &error));
  return error;
}

static gpointer
list_soon (gpointer data)
{
  GError *error = NULL;
  g_usleep (300000); /* frozen by then */
  g_assert_null (fl_host_list (data, "/", &error));
  return error;
}

static void
assert_busy (GThread *thread)
{
  GError *error = g_thread_join (thread);
  g_assert_error (error, FL_ERROR, FL_ERROR_BUSY);
  g_error_free (error);
}

static void
test_frozen (gconstpointer data)
{
  TestProxy *proxy = test_proxy_new (server->port, 0);
  test_server_trust (server, test_proxy_port (proxy));
  TestLogin *login = log_in (data, test_proxy_port (proxy));
  GThread *running = g_thread_new ("run", run_long, login->host);
  GThread *listing = g_thread_new ("list", list_soon, login->host);
  test_login_spin (0.2);
  test_proxy_freeze (proxy, TRUE);
  g_assert_true (test_login_await (login, FL_REMOTE_SLOW, 6));
  g_assert_true (test_login_await (login, FL_REMOTE_LOST, 8));
  assert_busy (running);
  assert_busy (listing);
  test_proxy_cut (proxy);
  test_proxy_freeze (proxy, FALSE);
  g_assert_true (test_login_await (login, FL_REMOTE_UP, 20));
  g_assert_true (run_true (login->host, NULL));
  test_login_free (login);
  test_proxy_free (proxy);
}

/* Stopped for a while, but not for long enough to be lost: everything goes on. */
static void
test_thawed (gconstpointer data)
{
  TestLogin *login = log_in (data, 0);
  test_server_freeze (server, TRUE);
  g_assert_true (test_login_await (login, FL_REMOTE_SLOW, 6));
  test_server_freeze (server, FALSE);
  g_assert_true (test_login_await (login, FL_REMOTE_UP, 3));
  g_assert_true (run_true (login->host, NULL));
  g_assert_cmpstr (login->states->pdata[login->states->len - 2], ==, "slow");
  test_login_free (login);
}

/* 200 files over a link of 40 ms each way: a handful of round trips. */
static void
test_far_away (gconstpointer data)
{
  enum
  {
    N = 200
  };
  TestProxy *proxy = test_proxy_new (server->port, 20);
  test_server_trust (server, test_proxy_port (proxy));
  g_autofree char *folder = g_dir_make_tmp ("fl-far-XXXXXX", NULL);
  FlHostPart parts[N] = { 0 };
  for (guint i = 0; i < N; i++)
    {
      parts[i].path = g_strdup_printf ("%s/%u", folder, i);
      parts[i].offset = i % 2 == 0 ? 1 : -3;
      parts[i].most = 100;
      if (i % 50 != 7)
        g_assert_true (g_file_set_contents (parts[i].path, "abcdefgh", 8, NULL));
    }
  TestLogin *login = log_in (data, test_proxy_port (proxy));
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  g_assert_true (fl_host_read_parts (login->host, parts, N, &error));
  double ms = (double) (g_get_monotonic_time () - start) / 1e3;
  g_test_message ("%d parts at 40 ms: %.0f ms", N, ms);
  for (guint i = 0; i < N; i++)
    {
      if (i % 50 == 7)
        g_assert_error (parts[i].error, FL_ERROR, FL_ERROR_MISSING);
      else
        {
          g_assert_no_error (parts[i].error);
          g_assert_cmpuint (parts[i].size, ==, 8);
          g_assert_cmpuint (g_bytes_get_size (parts[i].bytes), ==, i % 2 == 0 ? 7 : 3);
          g_assert_true (memcmp (g_bytes_get_data (parts[i].bytes, NULL), i % 2 == 0 ? "bcdefgh" : "fgh", 3)
                         == 0);
        }
      fl_host_part_clear (&parts[i]);
      g_unlink (parts[i].path);
      g_free ((char *) parts[i].path);
    }
  g_assert_cmpfloat (ms, <, 500);
  g_rmdir (folder);
  test_login_free (login);
  test_proxy_free (proxy);
}

/* A small read is not held up by a large upload, and neither makes the link look lost. */
typedef struct
{
  FlHost *host;
  char *from, *to;
} Upload;

static gpointer
upload (gpointer data)
{
  Upload *upload = data;
  g_assert_true (fl_host_put (upload->host, upload->from, upload->to, 0600, NULL, NULL, NULL, NULL));
  return NULL;
}

static void
test_beside_upload (gconstpointer data)
{
  TestLogin *login = log_in (data, 0);
  Upload job = { login->host, test_server_file (server, "large"), test_server_file (server, "large-copy") };
  g_autofree char *large = g_malloc0 (256u << 20), *small = test_server_file (server, "host_key.pub");
  g_assert_true (g_file_set_contents (job.from, large, 256 << 20, NULL));
  GThread *thread = g_thread_new ("upload", upload, &job);
  gint64 longest = 0;
  for (int i = 0; i < 30; i++)
    {
      gint64 start = g_get_monotonic_time ();
      g_autoptr (GBytes) bytes = fl_host_read (login->host, small, 0, 1000, NULL, NULL);
      g_assert_nonnull (bytes);
      longest = MAX (longest, g_get_monotonic_time () - start);
      g_usleep (10000);
    }
  g_thread_join (thread);
  g_test_message ("longest small read beside an upload: %.0f ms", (double) longest / 1e3);
  g_assert_cmpint (longest, <, G_USEC_PER_SEC);
  g_unlink (job.from);
  g_unlink (job.to);
  g_free (job.from);
  g_free (job.to);
  test_login_free (login);
}

static gpointer
run_some (gpointer data)
{
  g_autoptr (GError) error = NULL;
  for (int i = 0; i < 3; i++)
    run_true (data, &error);
  g_assert_no_error (error);
  return NULL;
}

/* A server that lends three channels, two of which are ours. */
static void
test_few_channels (gconstpointer data)
{
  TestServer *all = server;
  server = test_server_new ("MaxSessions 3", FALSE);
  test_server_trust (server, server->port);
  TestLogin *login = log_in (data, 0);
  GThread *threads[6];
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("run", run_some, login->host);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  test_login_free (login);
  test_server_free (server);
  server = all;
}

/* Keys are made anew in the middle of much traffic. */
static void
test_new_keys (gconstpointer data)
{
  TestServer *all = server;
  server = test_server_new ("RekeyLimit 4M", FALSE);
  test_server_trust (server, server->port);
  TestLogin *login = log_in (data, 0);
  Upload job = { login->host, test_server_file (server, "large"), test_server_file (server, "large-copy") };
  g_autofree char *large = g_malloc0 (24u << 20);
  g_assert_true (g_file_set_contents (job.from, large, 24 << 20, NULL));
  upload (&job);
  g_autoptr (GBytes) back = fl_host_read (login->host, job.to, 0, 24 << 20, NULL, NULL);
  g_assert_nonnull (back);
  g_assert_cmpuint (g_bytes_get_size (back), ==, 24 << 20);
  g_free (job.from);
  g_free (job.to);
  test_login_free (login);
  test_server_free (server);
  server = all;
}

static void
add_for_both (const char *name, GTestDataFunc function)
{
  for (int t = FL_REMOTE_LIBSSH2; t <= FL_REMOTE_OPENSSH; t++)
    {
      g_autofree char *path =
          g_strdup_printf ("/remote/%s/%s", fl_remote_transport_name ((FlRemoteTransport) t), name);
      g_test_add_data_func (path, GINT_TO_POINTER (t), function);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_unsetenv ("SSH_AUTH_SOCK");
  server = test_server_new ("", FALSE);
  if (server == NULL)
    {
      g_print ("1..0 # SKIP there is no sshd here\n");
      return 0;
    }
  test_server_trust (server, server->port);
  add_for_both ("faults/restart", test_restart);
  add_for_both ("frozen/lost", test_frozen);
  add_for_both ("frozen/thawed", test_thawed);
  add_for_both ("faults/far-away", test_far_away);
  add_for_both ("faults/beside-upload", test_beside_upload);
  add_for_both ("faults/few-channels", test_few_channels);
  add_for_both ("faults/new-keys", test_new_keys);
  int status = g_test_run ();
  test_server_free (server);
  return status;
}
