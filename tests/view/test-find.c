/* Looking through logs: any text against a naive search, what looks like an error in logs of Slurm, MPI, Python and our own
 * programs, long lines, hostile lines. */

#include "engine/view/log-find.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"

static int
file_of (const void *bytes, gsize length)
{
  int fd = memfd_create ("log", MFD_CLOEXEC);
  g_assert_cmpint (write (fd, bytes, length), ==, length);
  return fd;
}

static FlViewFound *
find (const char *text, gsize length, const char *pattern, guint64 offset)
{
  g_autoptr (GError) error = NULL;
  int fd = file_of (text, length);
  FlViewFindRequest request = { "x.log", pattern, offset };
  FlViewFound *found = fl_log_find (fd, length, &request, NULL, &error);
  g_assert_no_error (error);
  close (fd);
  return found;
}

/* Random text of few letters against strncasecmp at every place. */
static void
test_naive (void)
{
  FlRandom random = fl_random (1);
  static const char *const patterns[] = { "a", "ab", "aab", "AbAb", "b a", "abababab", "c", "\xc3\xa4" };
  guint matches = 0;
  for (guint round = 0; round < 400; round++)
    {
      char text[201];
      guint length = (guint) (fl_random_u64 (&random) % 200);
      for (guint i = 0; i < length; i++)
        text[i] = "abAB \na\xc3\xa4"[fl_random_u64 (&random) % 9];
      const char *pattern = patterns[round % G_N_ELEMENTS (patterns)];
      gsize n = strlen (pattern);
      for (guint64 from = 0; from <= length + 1; from++)
        {
          g_autoptr (FlViewFound) found = find (text, length, pattern, from);
          guint64 line = 1, begin = 0, at = 0;
          for (; at + n <= length && !(at >= from && g_ascii_strncasecmp (text + at, pattern, n) == 0); at++)
            if (text[at] == '\n')
              {
                line++;
                begin = at + 1;
              }
          gboolean there = at + n <= length;
          g_assert_true (found->found == there);
          matches += there;
          if (!there)
            continue;
          g_assert_cmpuint (found->match, ==, at);
          g_assert_cmpuint (found->line, ==, line);
          g_assert_cmpuint (found->offset, ==, begin);
        }
    }
  g_assert_cmpuint (matches, >, 1000);
}

/* Lines of real programs; the first one that is marked is the first error. */
static const char *const logs[] = {
  /* Slurm: time, memory, a node, preemption, a bad option */
  "starting on cn[001-004]\n>slurmstepd: error: *** JOB 4711 ON cn001 CANCELLED AT 2026-03-01T03:12:44 DUE "
  "TO TIME LIMIT ***\n",
  "srun: job 12 queued and waiting for resources\nsrun: job 12 has been allocated resources\n"
  ">slurmstepd: error: Detected 1 oom_kill event in StepId=12.0. Some of the step tasks have been OOM "
  "Killed.\n",
  "10000 of 20000 shots\n>srun: error: cn002: task 3: Segmentation fault (core dumped)\nsrun: launch/slurm: "
  "_step_signal\n",
  ">slurmstepd: error: *** STEP 12.0 ON cn01 CANCELLED AT 2026-03-01T03:12:44 DUE TO PREEMPTION ***\n",
  "#SBATCH --error=stderr.txt\n#SBATCH --output=out.txt\n>sbatch: error: Batch job submission failed: "
  "Invalid account\n",
  /* MPICH and Open MPI */
  "rank 3 begins\n>Abort(1) on node 3 (rank 3 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 1) - "
  "process 3\n",
  "===================================================================================\n"
  ">=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES\n=   RANK 2 PID 4242 RUNNING AT cn001\n",
  "--------------------------------------------------------------------------\n"
  ">mpirun noticed that process rank 0 with PID 0 on node cn001 exited on signal 9 (Killed).\n",
  "--------------------------------------------------------------------------\n"
  ">MPI_ABORT was invoked on rank 0 in communicator MPI_COMM_WORLD\nwith errorcode 1.\n",
  "Primary job  terminated normally, but 1 process returned\n>a non-zero exit code.",
  /* shells and loaders */
  "+ module load hdf5\n>/var/spool/slurmd/job00012/slurm_script: line 7: firstlight-engine: command not "
  "found\n",
  ">firstlight-engine: error while loading shared libraries: libhdf5.so.200: cannot open shared object "
  "file\n",
  "copying\n>cp: cannot create regular file 'x': No space left on device\n",
  ">./run.sh: line 3:  4242 Killed                  ./program\n",
  ">terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n",
  ">program: engine/x.c:12: f: Assertion `n > 0' failed.\nAborted (core dumped)\n",
  /* Python */
  "loading\nmean error: 0.25 px\n>Traceback (most recent call last):\n  File \"x.py\", line 3, in "
  "<module>\nValueError: bad\n",
  "note\n>ValueError: could not convert string to float: 'x'\n",
  /* libraries */
  ">HDF5-DIAG: Error detected in HDF5 (1.10.8) thread 0:\n  #000: H5F.c line 620 in H5Fopen(): unable to "
  "open file\n",
  ">CUDA error: an illegal memory access was encountered\n",
  ">==4242==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602\n",
  ">FATAL: kernel too old\n",
  ">[cn01:4242] [ERROR] out of memory\n",
  /* ours */
  "attempt 1: 64 ranks, cpu-avx2\n500 of 1000 shots, 20 hits (4.0 %), 120.0 shots/s\n"
  ">firstlight-engine stills: rank 3: r0012.cxi: cannot be read, expected a CXI file\n",
  ">firstlight-control serve: view request: the input breaks off inside a frame's body\n",
};

static void
test_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (logs); i++)
    {
      GString *text = g_string_new (NULL);
      g_auto (GStrv) lines = g_strsplit (logs[i], "\n", -1);
      guint64 want = 0;
      for (guint k = 0; lines[k] != NULL; k++)
        {
          gboolean marked = lines[k][0] == '>';
          want = want == 0 && marked ? k + 1 : want;
          g_string_append_printf (text, "%s\n", lines[k] + marked);
        }
      g_autoptr (FlViewFound) found = find (text->str, text->len, "", 0);
      g_test_message ("%s", found->text);
      g_assert_true (found->found);
      g_assert_cmpuint (found->line, ==, want);
      g_string_free (text, TRUE);
    }
}

static void
test_harmless (void)
{
  static const char *const lines[] = {
    "0 errors, 0 warnings",
    "finished with no errors",
    "errors: 0",
    "error: 0",
    "standard error of the mean 0.1",
    "R.m.s. error 0.02 px",
    "error model: a = 1.2, b = 0.03",
    "#SBATCH --error=stderr.txt",
    "reading /data/error/log.txt",
    "writing stderr.txt",
    "killed: 0",
    "non-fatal: going on",
    "terror and mirrors",
    "skilled workers",
    "errorless",
    "firstlight-engine stills --stages all",
    "path firstlight-engine: is here",
    "1000 of 1000 shots, 20 hits (2.0 %), 120.0 shots/s",
    "learned from 200 hits of 4000 shots: no cell found, nothing will be indexed",
    "set -o errexit",
  };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *text = g_strdup_printf ("begin\n%s\nend\n", lines[i]);
      g_autoptr (FlViewFound) found = find (text, strlen (text), NULL, 0);
      g_test_message ("%s", lines[i]);
      g_assert_false (found->found);
      g_assert_cmpstr (found->text, ==, "");
      g_assert_cmpuint (found->searched, ==, strlen (text));
      /* The same words beside something that is wrong do not hide it. */
      g_autofree char *both = g_strdup_printf ("begin\n%s\nsrun: error: x: 10 errors\nend\n", lines[i]);
      g_autoptr (FlViewFound) next = find (both, strlen (both), NULL, 0);
      g_assert_true (next->found);
      g_assert_cmpuint (next->line, ==, 3);
    }
}

static void
test_long_and_hostile (void)
{
  gsize length = 5 << 20;
  g_autofree char *text = g_malloc (length);
  memset (text, 'x', length);
  memcpy (text + 3000000, " needle in the hay ", 19);
  memcpy (text + (4 << 20) - 3, "NeeDle", 6); /* over the end of a block */
  g_autoptr (FlViewFound) first = find (text, length, "needle", 0);
  g_assert_cmpuint (first->match, ==, 3000001);
  g_assert_cmpuint (first->line, ==, 1);
  g_assert_cmpuint (strlen (first->text), <=, FL_VIEW_MAX_LINE + 8);
  g_assert_nonnull (strstr (first->text, "needle in the hay"));
  g_autoptr (FlViewFound) second = find (text, length, "needle", first->match + 1);
  g_assert_cmpuint (second->match, ==, (4 << 20) - 3);
  g_autoptr (FlViewFound) none = find (text, length, "needle", second->match + 1);
  g_assert_false (none->found);

  static const char hostile[] =
      "ok\n\033[2J\033]0;title\007 error: '; DROP TABLE \xff\xfe \342\200\256 $(reboot)\r\b end\n";
  g_autoptr (FlViewFound) found = find (hostile, sizeof hostile - 1, "", 0);
  g_assert_cmpuint (found->line, ==, 2);
  g_assert_true (g_utf8_validate (found->text, -1, NULL));
  for (const char *p = found->text; *p != '\0'; p = g_utf8_next_char (p))
    g_assert_false (g_unichar_iscntrl (g_utf8_get_char (p)) || g_utf8_get_char (p) == 0x202e);
  g_assert_nonnull (strstr (found->text, "'; DROP TABLE"));

  FlViewFindRequest two_lines = { "x", "a\nb", 0 };
  g_autoptr (GError) error = NULL;
  int fd = file_of ("x", 1);
  g_assert_null (fl_log_find (fd, 1, &two_lines, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  close (fd);
}

/* 200 MB; the rate is told, not judged. */
static void
test_large (void)
{
  static const char line[] =
      "2026-03-01 03:12:44  rank 17  1000 of 20000 shots, 42 hits (4.2 %), rms error 0.25 px\n";
  g_autofree char *block = g_malloc (sizeof line * 10000);
  gsize n = 0;
  int fd = memfd_create ("log", MFD_CLOEXEC);
  for (guint i = 0; i < 10000; i++, n += sizeof line - 1)
    memcpy (block + n, line, sizeof line - 1);
  for (guint i = 0; i < 230; i++)
    g_assert_cmpint (write (fd, block, n), ==, n);
  g_assert_cmpint (write (fd, "srun: error: gone\n", 18), ==, 18);
  for (guint i = 0; i < 2; i++)
    {
      FlViewFindRequest request = { "x.log", i == 0 ? "" : "gone", 0 };
      struct timespec begin, end;
      clock_gettime (CLOCK_THREAD_CPUTIME_ID, &begin);
      g_autoptr (FlViewFound) found = fl_log_find (fd, 230 * n + 18, &request, NULL, NULL);
      clock_gettime (CLOCK_THREAD_CPUTIME_ID, &end);
      double s = (double) (end.tv_sec - begin.tv_sec) + 1e-9 * (double) (end.tv_nsec - begin.tv_nsec);
      g_assert_true (found->found);
      g_assert_cmpuint (found->line, ==, 2300001);
      g_test_message ("%s: %.0f MB in %.2f s CPU, %.0f MB/s", i == 0 ? "first error" : "a text",
                      (double) found->size / 1e6, s, (double) found->size / 1e6 / s);
    }
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  FlViewFindRequest request = { "x.log", "gone", 0 };
  g_cancellable_cancel (cancellable);
  g_assert_null (fl_log_find (fd, 230 * n, &request, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/view/find/naive", test_naive);
  g_test_add_func ("/view/find/errors", test_errors);
  g_test_add_func ("/view/find/harmless", test_harmless);
  g_test_add_func ("/view/find/long-and-hostile", test_long_and_hostile);
  g_test_add_func ("/view/find/large", test_large);
  return g_test_run ();
}
