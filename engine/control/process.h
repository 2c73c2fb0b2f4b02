/* process.h: processes of this machine, told apart from later ones with the same number by their start time. */
#pragma once

#include <glib.h>

typedef struct
{
  int pid, parent, session;
  char state;    /* letter of proc(5) */
  guint64 start; /* clock ticks since boot */
} FlProcess;

/* FALSE: there is none of that number. */
gboolean fl_process_read (int pid, FlProcess *process);
/* That very process lives (a zombie does not). */
gboolean fl_process_lives (int pid, guint64 start);
/* All living processes of a session: GArray of FlProcess. */
GArray *fl_process_session (int session);

/* "ana@host:1234:567:8f…": this process, so that others of the same machine can tell when it is gone. Free it. */
char *fl_process_own_name (void);
/* It was of this machine, as it runs now, and lives no more. FALSE: it lives, or nobody here can know. */
gboolean fl_process_is_gone (const char *name);

/* µs since this machine was started, its sleep included: what a lease is measured with. */
gint64 fl_process_clock (void);
