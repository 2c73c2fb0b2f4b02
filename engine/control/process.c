#include "engine/control/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/hash.h"

gboolean
fl_process_read (int pid, FlProcess *process)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  /* The name in parentheses may hold anything; what follows it does not. */
  const char *rest = strrchr (text, ')');
  process->pid = pid;
  return rest != NULL
         && sscanf (rest + 1,
                    " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                    "%" G_GUINT64_FORMAT,
                    &process->state, &process->parent, &process->session, &process->start)
                == 4;
}

gboolean
fl_process_lives (int pid, guint64 start)
{
  FlProcess process;
  return fl_process_read (pid, &process) && process.start == start && process.state != 'Z';
}

GArray *
fl_process_session (int session)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (FlProcess));
  g_autoptr (GDir) proc = g_dir_open ("/proc", 0, NULL);
  const char *name;
  while (proc != NULL && (name = g_dir_read_name (proc)) != NULL)
    {
      FlProcess process;
      if (g_ascii_isdigit (*name) && fl_process_read (atoi (name), &process) && process.session == session
          && process.state != 'Z')
        g_array_append_val (found, process);
    }
  return found;
}

/* --- names --- */

/* Two machines may have one name, and processes of two containers one number. */
static guint64
this_machine (void)
{
  g_autofree char *boot = NULL;
  g_autofree char *space = g_file_read_link ("/proc/self/ns/pid", NULL);
  if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL))
    boot = g_strdup ("");
  g_autofree char *both = g_strconcat (boot, space != NULL ? space : "", NULL);
  return fl_hash64 (both, strlen (both), 0) & 0xffffffffu;
}

char *
fl_process_own_name (void)
{
  FlProcess self = { 0 };
  fl_process_read (getpid (), &self);
  return g_strdup_printf ("%s@%s:%d:%" G_GUINT64_FORMAT ":%08" G_GINT64_MODIFIER "x", g_get_user_name (),
                          g_get_host_name (), (int) getpid (), self.start, this_machine ());
}

gboolean
fl_process_is_gone (const char *name)
{
  const char *at = strrchr (name, '@');
  g_auto (GStrv) parts = g_strsplit (at != NULL ? at + 1 : "", ":", 4);
  return g_strv_length (parts) == 4 && strcmp (parts[0], g_get_host_name ()) == 0
         && g_ascii_strtoull (parts[3], NULL, 16) == this_machine ()
         && !fl_process_lives (atoi (parts[1]), g_ascii_strtoull (parts[2], NULL, 10));
}

gint64
fl_process_clock (void)
{
  struct timespec now;
  clock_gettime (CLOCK_BOOTTIME, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}
