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

/* --- files --- */

static void
test_files (gconstpointer data)
{
  FlHost *host = host_of (data);
  g_autofree char *folder = g_dir_make_tmp ("fl-far-XXXXXX", NULL);
  g_autofree char *deep = g_build_filename (folder, "a", "b", "c", NULL),
                  *file = g_build_filename (deep, "f", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_host_make_folder (host, deep, &error));
  g_assert_true (fl_host_make_folder (host, deep, &error));
  g_assert_true (fl_host_write (host, file, "one", 3, 0640, &error));
  g_assert_true (fl_host_write (host, file, "twice", 5, 0640, &error));
  g_assert_no_error (error);
  guint64 size = 0;
  g_autoptr (GBytes) whole = fl_host_read (host, file, 0, 100, &size, &error);
  assert_bytes (whole, "twice");
  g_assert_cmpuint (size, ==, 5);
  g_autoptr (GBytes) tail = fl_host_read (host, file, -2, 100, NULL, &error);
  assert_bytes (tail, "ce");
  g_autoptr (GBytes) beyond = fl_host_read (host, file, 50, 100, NULL, &error);
  assert_bytes (beyond, "");
  FlHostEntry *entry = fl_host_stat (host, file, &error);
  g_assert_cmpuint (entry->size, ==, 5);
  g_assert_cmpuint (entry->mode & 0777, ==, 0640);
  g_assert_true (S_ISREG (entry->mode));
  fl_host_entry_free (entry);
  g_autoptr (GPtrArray) entries = fl_host_list (host, deep, &error);
  g_assert_cmpuint (entries->len, ==, 1); /* nothing is left beside */
  g_assert_true (fl_host_remove (host, file, &error));
  g_assert_true (fl_host_remove (host, file, &error));
  g_assert_no_error (error);
  g_assert_null (fl_host_stat (host, file, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_clear_error (&error);
  g_assert_null (fl_host_read (host, file, 0, 1, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_clear_error (&error);
  g_assert_false (fl_host_write (host, "/proc/nothing/here", "x", 1, 0600, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_false (fl_host_make_folder (host, "/proc/nothing/here", &error));
  g_assert_nonnull (error);
  const char *argv[] = { "rm", "-rf", folder, NULL };
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

static void
count_progress (guint64 done, guint64 whole, gpointer data)
{
  guint64 *last = data;
  g_assert_cmpuint (done, >, *last);
  g_assert_cmpuint (done, <=, whole);
  *last = done;
}

static void
cancel_at_once (guint64 done, guint64 whole, gpointer data)
{
  (void) done;
  (void) whole;
  g_cancellable_cancel (data);
}

#define MANY (64u << 20)

static void
test_put (gconstpointer data)
{
  FlHost *host = host_of (data);
  g_autofree char *folder = g_dir_make_tmp ("fl-far-XXXXXX", NULL);
  g_autofree char *from = g_build_filename (folder, "from", NULL),
                  *to = g_build_filename (folder, "to", NULL);
  g_autofree guint32 *words = g_malloc (MANY);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < MANY / 4; i++)
    words[i] = i * 2654435761u;
  g_assert_true (g_file_set_contents (from, (char *) words, MANY, NULL));
  guint64 done = 0;
  gint64 start = g_get_monotonic_time ();
  g_assert_true (fl_host_put (host, from, to, 0600, NULL, count_progress, &done, &error));
  g_assert_no_error (error);
  g_test_message ("put: %.0f MB/s", MANY / (double) (g_get_monotonic_time () - start));
  g_assert_cmpuint (done, ==, MANY);
  start = g_get_monotonic_time ();
  g_autoptr (GBytes) back = fl_host_read (host, to, 0, MANY, NULL, &error);
  g_test_message ("get: %.0f MB/s", MANY / (double) (g_get_monotonic_time () - start));
  g_assert_cmpuint (g_bytes_get_size (back), ==, MANY);
  g_assert_true (memcmp (g_bytes_get_data (back, NULL), words, MANY) == 0);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_assert_true (g_file_set_contents (to, "old", 3, NULL));
  g_assert_false (fl_host_put (host, from, to, 0600, cancellable, cancel_at_once, cancellable, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_STOPPED);
  g_autofree char *still = NULL;
  g_assert_true (g_file_get_contents (to, &still, NULL, NULL));
  g_assert_cmpstr (still, ==, "old");
  g_autoptr (GPtrArray) entries = fl_host_list (host, folder, NULL);
  g_assert_cmpuint (entries->len, ==, 2);
  g_unlink (from);
  g_unlink (to);
  g_rmdir (folder);
}

/* --- all --- */

static TestLogin *
log_in (FlRemoteTransport transport)
{
  gint64 start = g_get_monotonic_time ();
  TestLogin *login = test_login_new (server, transport, "id_ed25519", 0);
  fl_remote_connect (login->remote);
  g_assert_true (test_login_await (login, FL_REMOTE_UP, 20));
  g_test_message ("%s: login in %.0f ms", fl_remote_transport_name (transport),
                  (double) (g_get_monotonic_time () - start) / 1e3);
  return login;
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    GTestDataFunc function;
  } cases[] = { { "run", test_run }, { "speed", test_speed }, { "files", test_files }, { "put", test_put } };
  TestLogin *logins[2];
  g_test_init (&argc, &argv, NULL);
  server = test_server_new ("", FALSE);
  if (server == NULL)
    {
      g_print ("1..0 # SKIP there is no sshd here\n");
      return 0;
    }
  test_server_trust (server, server->port);
  for (guint t = 0; t < 2; t++)
    {
      logins[t] = log_in (t == 0 ? FL_REMOTE_LIBSSH2 : FL_REMOTE_OPENSSH);
      for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
        {
          g_autofree char *name =
              g_strdup_printf ("/remote/%s/%s", t == 0 ? "libssh2" : "openssh", cases[i].name);
          g_test_add_data_func (name, logins[t], cases[i].function);
        }
    }
  int status = g_test_run ();
  test_login_free (logins[0]);
  test_login_free (logins[1]);
  test_server_free (server);
  return status;
}
