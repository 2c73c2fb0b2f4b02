/* attempt.h: the folders of a job: `JOB/attempt-NNNN/`, one an attempt, numbers from 1, never reused.
 *
 * While an attempt runs each of its ranks holds a shared lock on its file `running`, so that a later attempt of the same
 * job can tell a dead one from one that still writes. Thread: any. */
#pragma once

#include <glib.h>

char *fl_attempt_path (const char *job_dir, guint attempt);
/* Numbers of the attempts there are, rising: GArray of guint. */
GArray *fl_attempt_list (const char *job_dir);
/* Makes the job's folder where needed and the attempt's; `wanted` 0: the next number. Returns the number, or 0 with
 * FL_ERROR_INPUT when `wanted` has a journal already. */
guint fl_attempt_make (const char *job_dir, guint wanted, GError **error);

/* Held until the process ends or the descriptor is closed; -1 where the file system has no locks. */
int fl_attempt_hold (const char *attempt_dir);
/* Waits at most `seconds` for ranks of earlier attempts to end; FL_ERROR_BUSY when one still runs. */
gboolean fl_attempt_wait_for_earlier (const char *job_dir, guint attempt, guint seconds, GError **error);
