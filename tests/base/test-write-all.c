/* What is written comes whole, though the reader is slow and signals interrupt. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/base/write-all.h"

#define LENGTH (1 << 20)

static void
on_alarm (int number)
{
  (void) number;
}

static gpointer
read_slowly (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  GByteArray *all = g_byte_array_new ();
  guint8 bytes[10000];
  sigset_t alarm_set; /* the writer's alone */
  sigemptyset (&alarm_set);
  sigaddset (&alarm_set, SIGALRM);
  pthread_sigmask (SIG_BLOCK, &alarm_set, NULL);
  for (ssize_t got = 1; got > 0;)
    {
      got = read (fd, bytes, sizeof bytes);
      if (got > 0)
        g_byte_array_append (all, bytes, (guint) got);
      g_usleep (500);
    }
  close (fd);
  return all;
}

static void
test_pipe (void)
{
  int ends[2];
  g_assert_cmpint (pipe (ends), ==, 0);
  g_autofree guint8 *bytes = g_malloc (LENGTH);
  for (guint i = 0; i < LENGTH; i++)
    bytes[i] = (guint8) (i * 2654435761u >> 24);
  const struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
  const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { 0 };
  sigaction (SIGALRM, &action, NULL);
  GThread *reader = g_thread_new ("reader", read_slowly, GINT_TO_POINTER (ends[0]));
  setitimer (ITIMER_REAL, &often, NULL);
  g_assert_true (fl_write_all (ends[1], bytes, LENGTH));
  g_assert_true (fl_write_all (ends[1], bytes, 0));
  setitimer (ITIMER_REAL, &never, NULL);
  close (ends[1]);
  GByteArray *all = g_thread_join (reader);
  g_assert_cmpmem (all->data, all->len, bytes, LENGTH);
  g_byte_array_unref (all);
}

static void
test_refused (void)
{
  int fd = open ("/dev/full", O_WRONLY);
  errno = 0;
  g_assert_false (fl_write_all (fd, "x", 1));
  g_assert_cmpint (errno, ==, ENOSPC);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/write-all/pipe", test_pipe);
  g_test_add_func ("/write-all/refused", test_refused);
  return g_test_run ();
}
