/* The in-flight table outlives its ranks and names what they were doing. */
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/inflight.h"

static char *dir;

static void
forget_tables (void)
{
  g_autofree char *name = g_strdup_printf ("inflight-%s.fli", g_get_host_name ());
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_unlink (path);
}

static void
test_kill (void)
{
  for (guint rank = 0; rank < 3; rank++)
    if (fork () == 0)
      {
        FlInflight *inflight = fl_inflight_open (dir, rank, 3, rank + 10, NULL);
        fl_inflight_begin (inflight, 100 + rank, 2, rank);
        if (rank == 0)
          fl_inflight_idle (inflight);
        else
          fl_inflight_stage (inflight, FL_STAGE_FIND);
        raise (SIGKILL);
      }
  while (wait (NULL) > 0)
    ;
  g_autoptr (GArray) entries = fl_inflight_read (dir);
  g_assert_cmpuint (entries->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      FlInflightEntry entry = g_array_index (entries, FlInflightEntry, i);
      g_assert_cmpuint (entry.shot, ==, entry.rank + 90);
      g_assert_cmpuint (entry.stage, ==, FL_STAGE_FIND);
      g_assert_cmpuint (entry.source, ==, 2);
      g_assert_cmpuint (entry.frame, ==, entry.rank - 10);
      g_assert_cmpuint (entry.crashed, ==, 0);
      g_assert_cmpuint (entry.since, >, 0);
    }
  forget_tables ();
}

static void
test_crash (void)
{
  if (fork () == 0)
    {
      FlInflight *inflight = fl_inflight_open (dir, 0, 1, 0, NULL);
      fl_inflight_mark_crashes (inflight);
      fl_inflight_begin (inflight, 42, 0, 0);
      abort ();
    }
  int status;
  wait (&status);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGABRT);
  g_autoptr (GArray) entries = fl_inflight_read (dir);
  g_assert_cmpuint (entries->len, ==, 1);
  g_assert_cmpuint (g_array_index (entries, FlInflightEntry, 0).crashed, ==, SIGABRT);
  forget_tables ();
}

static pid_t
start_busy_owner (void)
{
  pid_t child = fork ();
  if (child == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      FlInflight *inflight = fl_inflight_open (dir, 0, 1, 0, NULL);
      for (guint64 i = 1;; i++)
        fl_inflight_begin (inflight, i, (guint32) i, (guint32) i * 3);
    }
  return child;
}

static guint
assert_whole_entries (void)
{
  g_autoptr (GArray) entries = fl_inflight_read (dir);
  for (guint k = 0; k < entries->len; k++)
    {
      FlInflightEntry entry = g_array_index (entries, FlInflightEntry, k);
      g_assert_cmpuint (entry.source, ==, (guint32) entry.shot);
      g_assert_cmpuint (entry.frame, ==, (guint32) entry.shot * 3);
    }
  return entries->len;
}

/* While the owner writes as fast as it can, a reader never sees parts of two entries. */
static void
test_torn_reads (void)
{
  pid_t child = start_busy_owner ();
  guint seen = 0;
  gint64 end = g_get_monotonic_time () + 5 * G_TIME_SPAN_SECOND;
  while (g_get_monotonic_time () < end && seen < 3000)
    seen += assert_whole_entries ();
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  g_assert_cmpuint (seen, >, 100);
  forget_tables ();
}

/* Nor when the owner is taken off its core, most often in the middle of a write, for as long as may be. */
static void
test_owner_stopped (void)
{
  pid_t child = start_busy_owner ();
  while (assert_whole_entries () == 0)
    g_usleep (1000);
  for (guint i = 0; i < 1000; i++)
    {
      kill (child, SIGSTOP);
      waitpid (child, NULL, WUNTRACED);
      g_assert_cmpuint (assert_whole_entries (), ==, 1);
      kill (child, SIGCONT);
      g_usleep (i % 50);
    }
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  g_assert_cmpuint (assert_whole_entries (), ==, 1);
  forget_tables ();
}

static void
test_damaged_table (void)
{
  g_autofree char *path = g_build_filename (dir, "inflight-x.fli", NULL);
  const char *contents[] = { "", "FLI2", "FLI2\377\377\377\377\200\0\0\0", NULL };
  for (guint i = 0; contents[i] != NULL; i++)
    {
      g_assert_true (g_file_set_contents (path, contents[i], i == 2 ? 12 : -1, NULL));
      g_assert_cmpint (truncate (path, i == 2 ? 64 : (off_t) i), ==, 0);
      g_autoptr (GArray) entries = fl_inflight_read (dir);
      g_assert_cmpuint (entries->len, ==, 0);
    }
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  dir = g_dir_make_tmp ("firstlight-inflight-XXXXXX", NULL);
  g_test_add_func ("/inflight/kill", test_kill);
  g_test_add_func ("/inflight/crash", test_crash);
  g_test_add_func ("/inflight/torn-reads", test_torn_reads);
  g_test_add_func ("/inflight/owner-stopped", test_owner_stopped);
  g_test_add_func ("/inflight/damaged-table", test_damaged_table);
  int status = g_test_run ();
  g_rmdir (dir);
  g_free (dir);
  return status;
}
