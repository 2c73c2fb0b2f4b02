#include "engine/results/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/journal.h"

#define LOCK_NAME "running"

char *
fl_attempt_path (const char *job_dir, guint attempt)
{
  g_autofree char *name = g_strdup_printf ("attempt-%04u", attempt);
  return g_build_filename (job_dir, name, NULL);
}

static int
by_number (gconstpointer a, gconstpointer b)
{
  guint x = *(const guint *) a, y = *(const guint *) b;
  return (x > y) - (x < y);
}

GArray *
fl_attempt_list (const char *job_dir)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GDir) dir = g_dir_open (job_dir, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      guint number;
      int used = 0;
      if (sscanf (name, "attempt-%u%n", &number, &used) == 1 && name[used] == '\0' && number > 0)
        g_array_append_val (numbers, number);
    }
  g_array_sort (numbers, by_number);
  return numbers;
}

/* Whoever starts attempts may have put a script or log there before. */
static gboolean
is_unused (const char *attempt_dir)
{
  g_autoptr (GPtrArray) journals = fl_journal_list (attempt_dir);
  errno = EEXIST;
  return journals->len == 0;
}

guint
fl_attempt_make (const char *job_dir, guint wanted, GError **error)
{
  g_autofree char *path = NULL;
  gboolean ok = g_mkdir_with_parents (job_dir, 0777) == 0;
  guint number = wanted;
  for (gboolean again = ok; again;)
    {
      g_autoptr (GArray) there = fl_attempt_list (job_dir);
      if (wanted == 0)
        number = there->len > 0 ? g_array_index (there, guint, there->len - 1) + 1 : 1;
      g_free (path);
      path = fl_attempt_path (job_dir, number);
      ok = g_mkdir (path, 0777) == 0 || (errno == EEXIST && wanted != 0 && is_unused (path));
      again = !ok && errno == EEXIST && wanted == 0; /* somebody was quicker */
    }
  if (ok)
    return number;
  if (errno == EEXIST && path != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: is there already, expected the number of a new attempt", path);
  else
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", path != NULL ? path : job_dir,
                 g_strerror (errno));
  return 0;
}

int
fl_attempt_hold (const char *attempt_dir)
{
  g_autofree char *path = g_build_filename (attempt_dir, LOCK_NAME, NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd >= 0 && flock (fd, LOCK_SH) == 0)
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

static gboolean
is_running (const char *attempt_dir)
{
  g_autofree char *path = g_build_filename (attempt_dir, LOCK_NAME, NULL);
  int fd = open (path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  gboolean held = flock (fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close (fd);
  return held;
}

gboolean
fl_attempt_wait_for_earlier (const char *job_dir, guint attempt, guint seconds, GError **error)
{
  g_autoptr (GArray) numbers = fl_attempt_list (job_dir);
  gint64 until = g_get_monotonic_time () + (gint64) seconds * G_USEC_PER_SEC;
  for (guint i = 0; i < numbers->len; i++)
    {
      guint number = g_array_index (numbers, guint, i);
      g_autofree char *path = fl_attempt_path (job_dir, number);
      while (number < attempt && is_running (path))
        {
          if (g_get_monotonic_time () > until)
            {
              g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: is still running, expected it to have ended",
                           path);
              return FALSE;
            }
          g_usleep (50000);
        }
    }
  return TRUE;
}
