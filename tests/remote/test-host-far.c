/* The machine at the far end: commands and files, by each transport. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
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

/* Everything that a shell could take amiss comes through as it is. */
static void
test_arguments (gconstpointer data)
{
  FlHost *host = host_of (data);
  static const char *const hostile[] = { "",
                                         " ",
                                         "a b",
                                         "'",
                                         "\"",
                                         "$(touch /tmp/fl-hostile)",
                                         "`id`",
                                         "$HOME",
                                         "!!",
                                         "\\",
                                         "\\n%s%",
                                         "new\nline\n",
                                         "-n",
                                         "*",
                                         "~",
                                         "#",
                                         ";",
                                         "&",
                                         "|",
                                         "\t\r\v",
                                         "\x01\x1b[31m",
                                         "\xff\xfe not UTF-8",
                                         "Å°µ",
                                         "\\0101",
                                         "a\\",
                                         NULL };
  GPtrArray *argv = g_ptr_array_new ();
  GString *expected = g_string_new (NULL);
  g_ptr_array_add (argv, (gpointer) "printf");
  g_ptr_array_add (argv, (gpointer) "[%s]");
  for (guint i = 0; hostile[i] != NULL; i++)
    {
      g_ptr_array_add (argv, (gpointer) hostile[i]);
      g_string_append_printf (expected, "[%s]", hostile[i]);
    }
  g_ptr_array_add (argv, NULL);
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_host_run (host, (const char *const *) argv->pdata, NULL, 10, NULL, &output, &error));
  g_assert_no_error (error);
  assert_bytes (output.out, expected->str);
  assert_bytes (output.err, ""); /* no chatter of the shell's start-up file either */
  g_assert_false (g_file_test ("/tmp/fl-hostile", G_FILE_TEST_EXISTS));
  g_string_free (expected, TRUE);
  g_ptr_array_unref (argv);
}

static void
test_streams (gconstpointer data)
{
  FlHost *host = host_of (data);
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autoptr (GBytes) input = g_bytes_new (text, 100000);
  const char *const echo[] = { "cat", NULL }, *const lots[] = { "head", "-c", "40000000", "/dev/zero", NULL };
  const char *const missing[] = { "no-such-program-here", NULL }, *const killed[] = { "sh", "-c",
                                                                                      "kill -9 $$", NULL };
  g_autoptr (GError) error = NULL;
  FlHostOutput output = { 0 };
  g_assert_true (fl_host_run (host, echo, input, 10, NULL, &output, &error));
  assert_bytes (output.out, text);
  fl_host_output_clear (&output);
  g_assert_true (fl_host_run (host, lots, NULL, 60, NULL, &output, &error));
  g_assert_no_error (error);
  g_assert_true (output.truncated);
  g_assert_cmpuint (g_bytes_get_size (output.out), ==, FL_HOST_MOST_OUTPUT);
  fl_host_output_clear (&output);
  g_assert_true (fl_host_run (host, killed, NULL, 10, NULL, &output, &error));
  g_assert_cmpint (output.status, !=, 0); /* 137, or 255 where the OpenSSH client does not tell */
  fl_host_output_clear (&output);
  g_assert_false (fl_host_run (host, missing, NULL, 10, NULL, &output, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  fl_host_output_clear (&output);
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (200000);
  g_cancellable_cancel (data);
  return NULL;
}

static gboolean
runs_there (FlHost *host, const char *mark)
{
  const char *const argv[] = { "pgrep", "-f", mark, NULL };
  g_auto (FlHostOutput) output = { 0 };
  fl_host_run (host, argv, NULL, 10, NULL, &output, NULL);
  return output.status == 0;
}

/* A command that is given up is ended over there too. */
static void
test_patience (gconstpointer data)
{
  FlHost *host = host_of (data);
  g_autofree char *seconds = g_strdup_printf ("4711.%d", getpid ()),
                  *mark = g_strconcat ("^sleep ", seconds, NULL);
  const char *const argv[] = { "sleep", seconds, NULL };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  FlHostOutput output = { 0 };
  g_assert_false (fl_host_run (host, argv, NULL, 1, NULL, &output, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_FAILED);
  g_clear_error (&error);
  fl_host_output_clear (&output);
  g_thread_unref (g_thread_new ("cancel", cancel_soon, cancellable));
  g_assert_false (fl_host_run (host, argv, NULL, 100, cancellable, &output, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_STOPPED);
  fl_host_output_clear (&output);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 60 * G_USEC_PER_SEC);
  for (int i = 0; i < 50 && runs_there (host, mark); i++)
    g_usleep (20000);
  g_assert_false (runs_there (host, mark));
}

static void
collect_line (const char *line, gpointer data)
{
  g_async_queue_push (data, g_strdup (line));
}

static void
test_talk (gconstpointer data)
{
  FlHost *host = host_of (data);
  const char *const argv[] = { "sh", "-c", "echo 'one\033[2J two' >&2; cat; echo gone >&2", NULL };
  g_autoptr (GAsyncQueue) lines = g_async_queue_new_full (g_free);
  g_autoptr (GError) error = NULL;
  char answer[6];
  int fd = fl_host_open (host, argv, collect_line, lines, &error);
  g_assert_no_error (error);
  g_autofree char *first = g_async_queue_timeout_pop (lines, 10 * G_USEC_PER_SEC);
  g_assert_cmpstr (first, ==, "one two");
  g_assert_cmpint (send (fd, "hello", 5, 0), ==, 5);
  g_assert_cmpint (recv (fd, answer, 5, MSG_WAITALL), ==, 5);
  g_assert_true (memcmp (answer, "hello", 5) == 0);
  shutdown (fd, SHUT_WR);
  g_assert_cmpint (recv (fd, answer, 5, MSG_WAITALL), ==, 0);
  g_autofree char *last = g_async_queue_timeout_pop (lines, 10 * G_USEC_PER_SEC);
  g_assert_cmpstr (last, ==, "gone");
  close (fd);
  g_autofree char *seconds = g_strdup_printf ("4712.%d", getpid ()),
                  *mark = g_strconcat ("^sleep ", seconds, NULL);
  const char *const sleeper[] = { "sleep", seconds, NULL }, *const missing[] = { "/no/such/program", NULL };
  fd = fl_host_open (host, sleeper, NULL, NULL, &error);
  g_assert_no_error (error);
  close (fd); /* ends it */
  for (int i = 0; i < 300 && runs_there (host, mark); i++)
    g_usleep (20000);
  g_assert_false (runs_there (host, mark));
  g_assert_cmpint (fl_host_open (host, missing, NULL, NULL, &error), ==, -1);
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
}

static gpointer
run_one (gpointer data)
{
  const char *const argv[] = { "sh", "-c", "sleep 0.3; echo done", NULL };
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  fl_host_run (data, argv, NULL, 30, NULL, &output, &error);
  g_assert_no_error (error);
  assert_bytes (output.out, "done\n");
  return NULL;
}

/* More at once than a server lends channels: the rest wait. */
static void
test_crowd (gconstpointer data)
{
  GThread *threads[16];
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("crowd", run_one, host_of (data));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* --- files --- */

static void
test_names (gconstpointer data)
{
  static const char *const names[] = {
    "new\nline", "esc\033[31m", "\xff\xfe", "a b", "..x", "-rf", "Å", "*"
  };
  FlHost *host = host_of (data);
  g_autofree char *folder = g_dir_make_tmp ("fl-far-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      g_assert_true (fl_host_write (host, path, names[i], strlen (names[i]), 0600, &error));
    }
  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/link%03u", folder, i);
      g_assert_cmpint (symlink (i % 2 == 0 ? "a b" : "nowhere", path), ==, 0);
    }
  g_autoptr (GPtrArray) entries = fl_host_list (host, folder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (entries->len, ==, G_N_ELEMENTS (names) + 300);
  for (guint i = 0; i < entries->len; i++)
    {
      const FlHostEntry *entry = entries->pdata[i];
      if (g_str_has_prefix (entry->name, "link"))
        g_assert_true (atoi (entry->name + 4) % 2 == 0 ? S_ISREG (entry->mode) && entry->size == 3
                                                       : S_ISLNK (entry->mode));
      else
        {
          gboolean known = FALSE;
          for (guint k = 0; k < G_N_ELEMENTS (names); k++)
            known = known || strcmp (names[k], entry->name) == 0;
          g_assert_true (known);
          g_assert_cmpuint (entry->size, ==, strlen (entry->name));
        }
    }
  const char *argv[] = { "rm", "-rf", folder, NULL };
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

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
  } cases[] = { { "run", test_run },         { "arguments", test_arguments },
                { "streams", test_streams }, { "patience", test_patience },
                { "talk", test_talk },       { "crowd", test_crowd },
                { "speed", test_speed },     { "files", test_files },
                { "names", test_names },     { "put", test_put } };
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
