/* This machine as a host: commands, their time, their output; files. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/remote/host.h"

static FlHost *host;
static char *folder;

static gboolean
run (const char *script, const char *input, guint timeout_s, GCancellable *cancellable, FlHostOutput *output,
     GError **error)
{
  const char *const argv[] = { "sh", "-c", script, "sh", "a b", "$(exit 9)", NULL };
  g_autoptr (GBytes) bytes = input != NULL ? g_bytes_new (input, strlen (input)) : NULL;
  return fl_host_run (host, argv, bytes, timeout_s, cancellable, output, error);
}

static char *
text (GBytes *bytes)
{
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
test_run (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (FlHostOutput) output = { 0 };
  g_assert_true (run ("cat; echo \"$1|$2\"; echo bad >&2; exit 7", "in\n", 10, NULL, &output, &error));
  g_autofree char *out = text (output.out), *err = text (output.err);
  g_assert_cmpstr (out, ==, "in\na b|$(exit 9)\n");
  g_assert_cmpstr (err, ==, "bad\n");
  g_assert_cmpint (output.status, ==, 7);
  g_assert_false (output.truncated);
}

static void
test_ended_by_signal (void)
{
  g_auto (FlHostOutput) output = { 0 };
  g_assert_true (run ("kill -9 $$", NULL, 10, NULL, &output, NULL));
  g_assert_cmpint (output.status, ==, 137);
}

/* What it leaves running in the background does not hold us up. */
static void
test_background (void)
{
  g_auto (FlHostOutput) output = { 0 };
  gint64 begun = g_get_monotonic_time ();
  g_assert_true (run ("sleep 100 & echo $!", NULL, 90, NULL, &output, NULL));
  g_autofree char *out = text (output.out);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 60 * G_USEC_PER_SEC);
  g_assert_cmpint (kill (atoi (out), SIGKILL), ==, 0);
}

static void
test_time_out (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (FlHostOutput) output = { 0 };
  g_assert_false (run ("echo begun; sleep 30; true", NULL, 1, NULL, &output, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_BUSY);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (100000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancel (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (FlHostOutput) output = { 0 };
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_false (run ("sleep 30; true", NULL, 60, cancellable, &output, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_STOPPED);
  g_thread_join (thread);
}

static void
test_much_output (void)
{
  g_auto (FlHostOutput) output = { 0 };
  g_assert_true (run ("head -c 40000000 /dev/zero; echo end >&2", NULL, 60, NULL, &output, NULL));
  g_assert_cmpuint (g_bytes_get_size (output.out), ==, FL_HOST_MOST_OUTPUT);
  g_assert_true (output.truncated);
  g_assert_cmpuint (g_bytes_get_size (output.err), ==, 4);
}

static void
test_no_program (void)
{
  const char *const argv[] = { "/nonexistent/program", NULL };
  g_autoptr (GError) error = NULL;
  g_auto (FlHostOutput) output = { 0 };
  g_assert_false (fl_host_run (host, argv, NULL, 5, NULL, &output, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
}

/* --- a program that talks --- */

typedef struct
{
  GMutex mutex;
  GCond cond;
  GString *said;
} Heard;

static void
heard_line (const char *line, gpointer data)
{
  Heard *heard = data;
  g_mutex_lock (&heard->mutex);
  g_string_append_printf (heard->said, "%s|", line);
  g_cond_signal (&heard->cond);
  g_mutex_unlock (&heard->mutex);
}

static void
wait_for (Heard *heard, const char *what)
{
  gint64 until = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
  g_mutex_lock (&heard->mutex);
  while (strstr (heard->said->str, what) == NULL)
    if (!g_cond_wait_until (&heard->cond, &heard->mutex, until))
      g_error ("'%s' was not said, but %s", what, heard->said->str);
  g_mutex_unlock (&heard->mutex);
}

static void
test_open (void)
{
  const char *const argv[] = { "sh", "-c", "read a; echo \"<$a>\"; echo \033[31mred >&2; cat; echo over >&2",
                               NULL };
  static Heard static_heard; /* the thread may still hold it afterwards */
  Heard *heard = &static_heard;
  heard->said = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  int fd = fl_host_open (host, argv, heard_line, heard, &error);
  g_assert_no_error (error);
  char answer[16] = "";
  g_assert_cmpint (write (fd, "hello\n", 6), ==, 6);
  g_assert_cmpint (read (fd, answer, sizeof answer - 1), ==, 8);
  g_assert_cmpstr (answer, ==, "<hello>\n");
  wait_for (heard, "red|");
  g_assert_null (strchr (heard->said->str, '\033'));
  close (fd);
  wait_for (heard, "over|");
}

/* Closing is the end of a command that does not listen, too. */
static void
test_open_deaf (void)
{
  const char *const argv[] = { "sh", "-c", "echo $$ >&2; trap '' TERM HUP; sleep 60; sleep 60", NULL };
  static Heard static_heard;
  Heard *heard = &static_heard;
  heard->said = g_string_new (NULL);
  int fd = fl_host_open (host, argv, heard_line, heard, NULL);
  wait_for (heard, "|");
  int pid = atoi (heard->said->str);
  close (fd);
  for (guint i = 0; i < 500 && kill (pid, 0) == 0; i++)
    g_usleep (20000);
  g_assert_cmpint (kill (pid, 0), !=, 0);
}

/* --- files --- */

static void
test_files (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *deep = g_build_filename (folder, "a/b", NULL), *path = g_build_filename (deep, "f", NULL),
                  *again = g_build_filename (deep, "g", NULL), *dead = g_build_filename (deep, "h", NULL);
  g_assert_true (fl_host_make_folder (host, deep, &error));
  g_assert_true (fl_host_make_folder (host, deep, &error));
  g_assert_true (fl_host_write (host, path, "0123456789", 10, 0640, &error));
  g_assert_true (fl_host_put (host, path, again, 0755, NULL, NULL, NULL, &error));
  g_assert_cmpint (symlink ("nowhere", dead), ==, 0);
  g_autoptr (GPtrArray) entries = fl_host_list (host, deep, &error);
  g_assert_cmpuint (entries->len, ==, 3);
  const FlHostEntry *first = entries->pdata[0], *second = entries->pdata[1];
  g_assert_cmpstr (first->name, ==, "f");
  g_assert_cmpuint (first->mode & 0777, ==, 0640);
  g_assert_cmpuint (second->mode & 0777, ==, 0755);
  FlHostPart parts[] = { { path, 3, 4, NULL, 0, NULL },           { path, -4, 100, NULL, 0, NULL },
                         { path, 50, 4, NULL, 0, NULL },          { deep, 0, 4, NULL, 0, NULL },
                         { "/nonexistent", 0, 4, NULL, 0, NULL }, { path, -400, 2, NULL, 0, NULL } };
  g_assert_true (fl_host_read_parts (host, parts, G_N_ELEMENTS (parts), &error));
  const char *const expected[] = { "3456", "6789", "", NULL, NULL, "01" };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *got = parts[i].bytes != NULL ? text (parts[i].bytes) : NULL;
      g_assert_cmpstr (got, ==, expected[i]);
      g_assert_true ((got == NULL) == (parts[i].error != NULL));
      g_assert_cmpuint (parts[i].size, ==, got == NULL ? 0 : 10);
    }
  g_assert_error (parts[4].error, FL_ERROR, FL_ERROR_MISSING);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    fl_host_part_clear (&parts[i]);
  g_assert_true (fl_host_remove (host, path, &error));
  g_assert_true (fl_host_remove (host, path, &error));
  g_assert_no_error (error);
  g_assert_null (fl_host_stat (host, path, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  host = fl_host_new_local ();
  folder = g_dir_make_tmp ("fl-host-XXXXXX", NULL);
  g_test_add_func ("/host-local/run", test_run);
  g_test_add_func ("/host-local/ended-by-signal", test_ended_by_signal);
  g_test_add_func ("/host-local/background", test_background);
  g_test_add_func ("/host-local/time-out", test_time_out);
  g_test_add_func ("/host-local/cancel", test_cancel);
  g_test_add_func ("/host-local/much-output", test_much_output);
  g_test_add_func ("/host-local/no-program", test_no_program);
  g_test_add_func ("/host-local/open", test_open);
  g_test_add_func ("/host-local/open-deaf", test_open_deaf);
  g_test_add_func ("/host-local/files", test_files);
  int status = g_test_run ();
  const char *const argv_remove[] = { "rm", "-rf", folder, NULL };
  g_auto (FlHostOutput) output = { 0 };
  fl_host_run (host, argv_remove, NULL, 10, NULL, &output, NULL);
  g_free (folder);
  fl_host_unref (host);
  return status;
}
