/* The machine at the far end: commands and files, by each transport. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "tests/remote/login.h"

static TestServer *server;

static FlHost *
host_of (gconstpointer data)
{
  return ((TestLogin *) data)->host;
}

static void
assert_bytes (GBytes *bytes, const char *expected)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  g_assert_cmpmem (data, (int) length, expected, (int) strlen (expected));
}

static void
test_run (gconstpointer data)
{
  FlHost *host = host_of (data);
  const char *const argv[] = { "sh", "-c", "cat; echo err >&2; exit 3", NULL };
  g_autoptr (GBytes) input = g_bytes_new_static ("hello", 5);
  g_autoptr (GError) error = NULL;
  g_auto (FlHostOutput) output = { 0 };
  g_assert_true (fl_host_run (host, argv, input, 10, NULL, &output, &error));
  g_assert_no_error (error);
  g_assert_cmpint (output.status, ==, 3);
  assert_bytes (output.out, "hello");
  assert_bytes (output.err, "err\n");
}

static void
test_speed (gconstpointer data)
{
  FlHost *host = host_of (data);
  const char *const argv[] = { "true", NULL };
  gint64 start = g_get_monotonic_time ();
  for (int i = 0; i < 10; i++)
    {
      g_auto (FlHostOutput) output = { 0 };
      g_assert_true (fl_host_run (host, argv, NULL, 10, NULL, &output, NULL));
      g_assert_cmpint (output.status, ==, 0);
    }
  g_test_message ("run of true: %.1f ms", (double) (g_get_monotonic_time () - start) / 1e4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  server = test_server_new ("", FALSE);
  if (server == NULL)
    {
      g_print ("1..0 # SKIP there is no sshd here\n");
      return 0;
    }
  test_server_trust (server, server->port);
  gint64 start = g_get_monotonic_time ();
  TestLogin *login = test_login_new (server, FL_REMOTE_LIBSSH2, "id_ed25519", 0);
  fl_remote_connect (login->remote);
  g_assert_true (test_login_await (login, FL_REMOTE_UP, 20));
  g_test_message ("login: %.0f ms", (double) (g_get_monotonic_time () - start) / 1e3);
  g_test_add_data_func ("/remote/libssh2/run", login, test_run);
  g_test_add_data_func ("/remote/libssh2/speed", login, test_speed);
  int status = g_test_run ();
  test_login_free (login);
  test_server_free (server);
  return status;
}
