#include "engine/control/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
