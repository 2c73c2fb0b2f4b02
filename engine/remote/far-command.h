/* far-command.h: a command line that means the same to every login shell, and where its own output begins.
 *
 * sshd hands a command to the login shell (sh, bash, csh, fish …) of which we know only that it takes '…' literally and runs
 * `exec`. So the line is `exec /bin/sh -c 'eval …' ENCODED`: a script for sh in which every doubtful byte is an octal escape.
 * The script first writes a random mark to both streams: what comes before it was a start-up file's chatter. The mark is
 * followed by the command's process group, so that it can be ended from outside; 0: there is no such program. */
#pragma once

#include "engine/remote/link.h"

#define FL_FAR_MOST_CHATTER (1u << 20) /* bytes of a login shell, before the mark */

typedef struct
{
  char *line;
  char *mark;
} FlFarCommand;

/* FALSE: FL_ERROR_INPUT, longer than a login takes. Clear it with fl_far_command_clear(). */
gboolean fl_far_command_make (const char *const *argv, FlFarCommand *command, GError **error);
void fl_far_command_clear (FlFarCommand *command);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlFarCommand, fl_far_command_clear)

/* Where the command's own bytes begin, or -1: the mark is not there yet. *group (may be NULL): its process group. */
gssize fl_far_command_start (const FlFarCommand *command, const char *bytes, gsize length, gint64 *group);
/* Ends that process group, which does not end by itself: closing its channel alone would leave it running. */
void fl_far_end_group (FlLink *link, gint64 group);
